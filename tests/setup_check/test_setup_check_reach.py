"""Whether our receiver can be reached and how many calls are left is told, and fails nothing."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from tasks.database import tables
from tasks.setup_check.checks import CheckStatus
from tests.setup_check.account import Account, Plant, assert_line, names_of, texts_of
from tests.setup_check.conftest import Port

OK, WARNING, FAILED, UNKNOWN = CheckStatus.OK, CheckStatus.WARNING, CheckStatus.FAILED, CheckStatus.UNKNOWN
REACHABLE, CLOCK, BUDGET = "Receiver reachable", "Clock", "API budget"


def answering(status: int = 200, health: Any = None) -> Plant:
    """Something answers, but otherwise than our receiver does."""

    def plant(account: Account) -> None:
        account.receiver.status, account.receiver.health = status, health

    return plant


def at(url: str) -> Plant:
    """The settings name another address."""
    return lambda account: account.change("ultracart", webhook_url=url)


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (answering(404), "answers 404"),
        (answering(302, {"status": "ok", "version": "0"}), "answers 302"),
        (answering(0), "gives no answer (RemoteProtocolError)"),
        (answering(200, ["nginx"]), "is not our receiver"),
        (answering(200, {"status": "ok"}), "is not our receiver"),
        (at("http://127.0.0.1:9/token/ultracart"), "gives no answer (ConnectError)"),
        (at("ftp://127.0.0.1/token/ultracart"), "gives no answer (UnsupportedProtocol)"),
        (at("http://127.0.0.1:99999/token/ultracart"), "gives no answer"),
    ],
)
def test_a_receiver_out_of_reach_is_a_warning(account: Account, plant: Plant, found: str) -> None:
    """It says from where it was tried: UltraCart may reach what this machine cannot."""
    plant(account)
    lines = account.lines()

    assert_line(
        lines[REACHABLE], WARNING, [found, f"this machine ({socket.gethostname()})", "ultrathiio receiver"]
    )
    assert "token" not in texts_of(lines)


@pytest.mark.parametrize("url", ["", "hooks.example.com", "http://[::1/webhooks/ultracart"])
def test_without_an_address_it_cannot_be_told(account: Account, url: str) -> None:
    """The line of the webhook says what to set."""
    at(url)(account)

    assert_line(account.lines()[REACHABLE], UNKNOWN, ["Webhook: registered"])


def test_a_receiver_that_is_reached(account: Account) -> None:
    """The path of the webhook does not matter for its health."""
    assert_line(account.lines()[REACHABLE], OK, ["127.0.0.1"])


def tell_date(port: Port, account: Account, date: str) -> None:
    """Let UltraCart's answers tell this time, as a clock that stands would."""

    def respond(request: httpx.Request) -> httpx.Response:
        response = account.ultracart.respond(request)
        response.headers["date"] = date
        return response

    port.respond = respond


@pytest.mark.parametrize(
    ("behind", "status", "words"),
    [
        (-400, FAILED, ["behind UltraCart's", "timedatectl"]),
        (-90, WARNING, ["behind UltraCart's", "timedatectl"]),
        (-30, OK, []),
        (30, OK, []),
        (90, WARNING, ["ahead of UltraCart's", "timedatectl"]),
        (400, FAILED, ["ahead of UltraCart's", "timedatectl"]),
    ],
)
def test_our_clock_is_held_against_ultracarts(
    account: Account, ports: list[Port], behind: int, status: CheckStatus, words: list[str]
) -> None:
    """A minute is worth a word; five minutes fail, and so does nothing else."""
    theirs = datetime.now(UTC) - timedelta(seconds=behind)
    tell_date(ports[0], account, format_datetime(theirs, usegmt=True))
    lines = account.lines()

    assert_line(lines[CLOCK], status, words)
    assert names_of(lines, FAILED, WARNING) == ({CLOCK} if words else set())


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_clock_without_another_cannot_be_told(account: Account, ports: list[Port], date: str) -> None:
    """An answer need not carry its time."""
    tell_date(ports[0], account, date)

    assert_line(account.lines()[CLOCK], UNKNOWN, ["timedatectl"])


def test_a_time_without_zone_is_utc(account: Account, ports: list[Port]) -> None:
    """So the standard of such headers says."""
    tell_date(ports[0], account, f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} -0000")

    assert account.lines()[CLOCK].status is OK


def use_up(account: Account, calls: float) -> None:
    """Let the key have made so many calls today."""
    account.lines()
    with account.engine.begin() as connection:
        connection.execute(update(tables.call_budgets).values(day_level=calls))


@pytest.mark.parametrize(
    ("calls", "status"), [(100.0, OK), (7_900.0, OK), (8_100.0, WARNING), (9_900.0, WARNING)]
)
def test_the_budget_warns_above_four_fifths(account: Account, calls: float, status: CheckStatus) -> None:
    """The calls that the checklist itself makes count too."""
    use_up(account, calls)
    lines = account.lines()

    words = ["of the day's 10,000 calls", f"{calls + 7:,.0f}"[:3]]
    assert_line(lines[BUDGET], status, words)
    assert names_of(lines, FAILED) == set()
