"""A good account passes whole; what is away costs the lines that rest on it, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from tasks.database import tables
from tasks.database.engine import open_engine
from tasks.setup_check.checks import CheckStatus
from tests.setup_check.account import Account, assert_line, names_of, texts_of

OK, WARNING, FAILED, UNKNOWN = CheckStatus.OK, CheckStatus.WARNING, CheckStatus.FAILED, CheckStatus.UNKNOWN
IN_ORDER = [
    "Our database",
    "UltraCart answers",
    "API key",
    "Permission: orders",
    "Permission: customers",
    "Permission: items",
    "Permission: webhooks",
    "Permission: channel partners",
    "Permission: gateways",
    "Merchant ID",
    "Channel partner",
    "Clock",
    "API budget",
    "Webhook: registered",
    "Webhook: enabled",
    "Webhook: sign-in",
    "Webhook: events",
    "Webhook: expansions",
    "Webhook: deliveries",
    "Receiver's credentials",
    "Receiver reachable",
    "Thiio connection",
    "Thiio connection: gaps",
    "Products: item ID",
    "Products: item exists",
    "Products: item named once",
    "Gateways: code",
    "Gateways: payment methods store",
]
NOT_OF_ULTRACART = {
    "Our database",
    "API budget",
    "Receiver's credentials",
    "Receiver reachable",
    "Thiio connection",
    "Thiio connection: gaps",
    "Products: item ID",
    "Products: item named once",
    "Gateways: payment methods store",
}


def count_calls(account: Account) -> int:
    """Count the calls to UltraCart that are on record."""
    table = tables.notifications
    query = select(func.count()).select_from(table).where(table.c.system == "ultracart")
    with account.engine.connect() as connection:
        return connection.scalar(query) or 0


def test_a_good_account_passes_whole(account: Account) -> None:
    """Every line is ok, in the order of the guide."""
    lines = account.lines()

    assert list(lines) == IN_ORDER
    assert names_of(lines, WARNING, FAILED, UNKNOWN) == set()


def test_it_asks_ultracart_seven_times(account: Account) -> None:
    """Each list is read once for all checks, and each call is on record."""
    account.lines()

    assert count_calls(account) == 7


def test_it_changes_nothing(account: Account) -> None:
    """UltraCart and Thiio are only read."""
    before = [account.webhook.copy(), account.ultracart.imports, list(account.thiio.leads)]
    account.lines()

    assert [account.webhook.copy(), account.ultracart.imports, list(account.thiio.leads)] == before


@pytest.mark.parametrize(
    "base_url",
    ["http://127.0.0.1:9/rest/v2", "http://[::1/rest/v2", "ftp://127.0.0.1/rest/v2", ""],
    ids=["closed port", "no address", "no http", "empty"],
)
def test_ultracart_away(account: Account, base_url: str) -> None:
    """One line fails with the setting to look at; what rests on UltraCart cannot be told."""
    account.change("ultracart", base_url=base_url)
    lines = account.lines()

    assert_line(lines["UltraCart answers"], FAILED, ["ULTRATHIIO_ULTRACART__BASE_URL"])
    assert names_of(lines, FAILED) == {"UltraCart answers"}
    assert names_of(lines, OK) == NOT_OF_ULTRACART


def test_another_path_is_not_ultracart(account: Account) -> None:
    """A server that answers 404 to everything is not taken for UltraCart."""
    account.change("ultracart", base_url=account.ultracart.base_url.removesuffix("/rest/v2"))
    lines = account.lines()

    assert_line(lines["UltraCart answers"], FAILED, ["404", "ULTRATHIIO_ULTRACART__BASE_URL"])
    assert lines["API key"].status is UNKNOWN


def test_a_silent_ultracart_is_not_asked_on(account: Account) -> None:
    """After one call whose repeats all failed, no other is made."""
    account.ultracart.faults.add(cut="before", times=100)
    account.lines()

    assert count_calls(account) == 4


def test_used_up_calls_are_told_as_such(account: Account) -> None:
    """A 429 needs patience, not another address."""
    account.ultracart.faults.add(status=429, times=100)

    assert_line(account.lines()["UltraCart answers"], FAILED, ["429", "Wait an hour"])


def test_trouble_of_one_call_stays_with_it(account: Account) -> None:
    """A 500 of the list of gateways leaves all other lines as they are."""
    account.ultracart.faults.add(path="/fraud", status=500, times=4)
    lines = account.lines()

    assert names_of(lines, UNKNOWN) == {"Permission: gateways", "Gateways: code"}
    assert names_of(lines, FAILED, WARNING) == set()


@pytest.mark.parametrize(
    "url",
    ["sqlite:///{folder}", "sqlite:///{folder}/garbage", "postgresql+psycopg://u:hunter2@127.0.0.1:9/ours"],
    ids=["folder", "no database", "closed port"],
)
def test_our_database_away(account: Account, tmp_path: Path, url: str) -> None:
    """One line fails; all others are told without the log."""
    (tmp_path / "garbage").write_bytes(b"this is no database file" * 100)
    account.engine = open_engine(url.format(folder=tmp_path))
    lines = account.lines()

    assert_line(lines["Our database"], FAILED, ["ULTRATHIIO_DATABASE_URL"])
    assert names_of(lines, OK) == set(IN_ORDER) - {"Our database", "API budget"}
    assert "hunter2" not in texts_of(lines)


def test_our_database_not_migrated(account: Account, tmp_path: Path) -> None:
    """An empty database is not filled by looking at it."""
    account.engine = open_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}")

    for _ in range(2):
        assert_line(account.lines()["Our database"], FAILED, ["ultrathiio migrate"])


def test_our_database_gone_in_the_middle(account: Account) -> None:
    """A log that cannot be written is told; nothing is raised."""
    with account.engine.begin() as connection:
        tables.notifications.drop(connection)

    assert_line(account.lines()["UltraCart answers"], FAILED, ["OperationalError"])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"database_url": SecretStr("")}, ["ULTRATHIIO_THIIO__DATABASE_URL is empty"]),
        ({"database_url": SecretStr("nonsense")}, ["ULTRATHIIO_THIIO__DATABASE_URL"]),
        ({"database_url": SecretStr("sqlite:////proc/no/such")}, ["ULTRATHIIO_THIIO__DATABASE_URL"]),
        (
            {"database_url": SecretStr("postgresql+psycopg://u:hunter2@127.0.0.1:9/crm")},
            ["cannot be read", "ULTRATHIIO_THIIO__DATABASE_URL"],
        ),
        (
            {"database_url": SecretStr("sqlite:///empty.sqlite3")},
            ["no table thiio_products", "ULTRATHIIO_THIIO__MAPPING_FILE"],
        ),
        ({"mapping_file": Path("missing.yaml")}, ["missing.yaml", "ULTRATHIIO_THIIO__MAPPING_FILE"]),
    ],
    ids=["not set", "no URL", "no folder", "closed port", "without tables", "no mapping file"],
)
def test_thiio_away(account: Account, values: dict[str, object], words: list[str]) -> None:
    """One line fails; mappings cannot be told, UltraCart can."""
    account.change("thiio", **values)
    lines = account.lines()

    assert_line(lines["Thiio connection"], FAILED, words)
    assert names_of(lines, FAILED) == {"Thiio connection"}
    assert names_of(lines, UNKNOWN) == {
        name for name in IN_ORDER if name.startswith(("Thiio connection:", "Products", "Gateways"))
    }
    assert "hunter2" not in texts_of(lines)


def test_no_line_shows_a_secret(account: Account) -> None:
    """Not even those that tell what is wrong with credentials."""
    secrets = {"wrong-key", "wrong-password", "token-in-a-path", "user-in-a-url"}
    account.webhook.update(
        basic_username="user-in-a-url", webhook_url="https://user-in-a-url@h.example.com/token-in-a-path"
    )
    account.change("receiver", password=SecretStr("wrong-password"))
    found = texts_of(account.lines())
    account.change("ultracart", simple_key=SecretStr("wrong-key"))
    found += texts_of(account.lines())

    assert "h.example.com" in found
    assert [secret for secret in [*secrets, account.ultracart.simple_key] if secret in found] == []
