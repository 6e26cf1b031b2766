"""Passwords change without a lost delivery, and an address that is kept secret stays so."""

from __future__ import annotations

import logging

import httpx
import pytest
from sqlalchemy import Engine

from tasks.errors import SetupError
from tasks.settings import load_settings
from tasks.setup_check.reach_checks import check_reachable
from tests.inbox.inbox_rows import read_events
from tests.inbox.running_receiver import (
    PASSWORD,
    THIIO,
    ULTRACART,
    USERNAME,
    orders,
    receiver_settings,
    run_server,
    serve_receiver,
    url_of,
)

TOKEN = "a-token_that-nobody-guesses-4711"
GUESSES = [
    "",
    "/",
    f"/{TOKEN[:-1]}",
    f"/{TOKEN}x",
    f"/{TOKEN.upper()}",
    f"/{TOKEN}/",
    "/%ff",
    "/" + "x" * 9_000,
]


def test_both_passwords_are_taken_while_they_change(engine: Engine) -> None:
    """The new one and the one before it; no third, and not the old one under another name."""
    with serve_receiver(url_of(engine), password="the new secret", previous_password=PASSWORD) as client:
        statuses = [
            client.post(ULTRACART, json=orders(number), auth=auth).status_code
            for number, auth in enumerate(
                [
                    (USERNAME, "the new secret"),
                    (USERNAME, PASSWORD),
                    (USERNAME, "a third"),
                    (USERNAME, ""),
                    ("other", PASSWORD),
                ]
            )
        ]

    assert statuses == [200, 200, 401, 401, 401]
    assert read_events(engine, "entity_id") == ["DEMO-0", "DEMO-1"]


def test_without_a_previous_password_none_is_taken(receiver: httpx.Client) -> None:
    """An empty setting is no empty password."""
    assert receiver.post(ULTRACART, json=orders(1), auth=(USERNAME, "")).status_code == 401


def test_with_a_token_webhooks_are_taken_at_its_address_only(engine: Engine) -> None:
    """Every other address is 404, whatever the credentials; credentials are asked for all the same."""
    with serve_receiver(url_of(engine), path_token=TOKEN) as client:
        guesses = [
            client.post(f"{path}{guess}", json=orders(9)) for path in (ULTRACART, THIIO) for guess in GUESSES
        ]
        without = client.post(f"{ULTRACART}/{TOKEN}", json=orders(9), auth=(USERNAME, "wrong"))
        right = [client.post(f"{path}/{TOKEN}", json=orders(1)) for path in (ULTRACART, THIIO)]
        others = [client.get(path).status_code for path in ("/health", "/ready", "/metrics")]

    assert {answer.status_code for answer in guesses} <= {404, 307}  # a slash too many is led to its address
    assert not [answer for answer in guesses if "stored" in answer.text]
    assert (without.status_code, [answer.status_code for answer in right]) == (401, [200, 200])
    assert others == [200, 200, 200]
    assert read_events(engine, "source") == ["ultracart", "thiio"]


def test_without_a_token_an_address_with_one_is_none(receiver: httpx.Client) -> None:
    """Nobody believes an address to be secret that is not."""
    assert receiver.post(f"{ULTRACART}/{TOKEN}", json=orders(1)).status_code == 404


def test_the_token_is_never_logged(
    engine: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by a server that logs each request, and in no figure."""
    caplog.set_level(logging.DEBUG)
    with serve_receiver(url_of(engine), path_token=TOKEN) as client:
        for name in ("uvicorn", "uvicorn.access"):  # they pass nothing on to the loggers above
            monkeypatch.setattr(logging.getLogger(name), "handlers", [caplog.handler])
        client.post(f"{ULTRACART}/{TOKEN}", json=orders(1))
        client.post(f"{ULTRACART}/{TOKEN}", content="unreadable")
        told = client.get("/metrics").text

    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert [line for line in [*ours, told] if TOKEN in line] == []
    assert ours != []


def test_the_checklist_finds_a_receiver_behind_a_token(engine: Engine) -> None:
    """Its health is asked for beside the address of the webhook, which holds the token."""
    with run_server(receiver_settings(url_of(engine), path_token=TOKEN)) as (_, url):
        check = check_reachable(f"{url}{ULTRACART}/{TOKEN}")

    assert (check.status, TOKEN in f"{check.found}{check.remedy}") == ("ok", False)


@pytest.mark.parametrize("token", ["short", "with/slash/and-enough-letters", "with space and enough"])
def test_a_token_that_can_be_guessed_is_refused(token: str) -> None:
    """The message names the setting and what it takes, not the token."""
    with pytest.raises(SetupError, match=r"ULTRATHIIO_RECEIVER__PATH_TOKEN: .*16 or more") as caught:
        load_settings(receiver={"path_token": token})

    assert token not in str(caught.value)
