"""No secret and no card number is left anywhere after a day of work and of trouble."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import httpx
import pandas as pd
import pytest
from prefect.logging.handlers import APILogHandler
from prefect.settings import (
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    temporary_settings,
)
from sqlalchemy import MetaData, create_engine, make_url, select

from flows.check_setup import CheckSetup, check_setup
from flows.commands.check import print_checklist
from flows.commands.notifications import print_notifications
from flows.commands.order import print_order
from flows.find_gaps import FindGaps, find_gaps
from flows.process_inbox import process_inbox
from flows.prune import prune
from flows.pull_records import pull_records
from flows.push_orders import PushOrders, push_orders
from flows.reconcile_customers import reconcile_customers
from flows.reconcile_orders import reconcile_orders
from flows.replay_events import ReplayEvents, replay_events
from flows.report_mismatches import report_mismatches
from tasks.seed import Shop, make_shop
from tasks.settings import load_settings
from tasks.thiio.sandbox.agents import PhoneLine
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.conftest import execute
from tests.flows.running import run
from tests.inbox.running_receiver import run_server

SECRETS = {
    "UltraCart's API key": "planted-simple-key-5f1d",
    "the receiver's password": "planted-receiver-password-83bc",
    "the receiver's password before it": "planted-previous-password-19aa",
    "the path token": "planted-path-token-77e0",
    "Thiio's password": "planted-thiio-password-02c4",
    "the path of Thiio's inbound webhook": "planted-inbound-path-41d7",
    "our database's password": "planted-database-password-6a90",
    "the password of Thiio's database": "planted-crm-password-d3f8",
}
CARDS = {
    "a name in UltraCart": "4111 1111 1111 1111",
    "an address in UltraCart": "4012888888881881",
    "a name in Thiio": "5555-5555-5555-4444",
    "an address in Thiio": "5105105105105100",
    "a phone order's note": "378282246310005",
    "a phone order's address": "371449635398431",
    "a phone order's option": "6011111111111117",
    "a webhook's payment": "4222222222222",
    "a webhook's comment": "6011000990139424",
    "an unreadable webhook": "3566002020360505",
}
CODES = {"a webhook's CVV": "cvv-7391x", "a webhook's CVC": "cvc-2846y"}
PLANTED = SECRETS | CARDS | CODES
USERNAME, ROLE = "ultracart", "planted_role"


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A small shop: this test is about what happens to it."""
    return make_shop(customers=20, orders=20, now=datetime.now(UTC))


@pytest.fixture
def database_url(postgres_url: str, postgres_database_url: str) -> Iterator[str]:
    """A Postgres database of ours, reached by a role that has a password."""
    name = make_url(postgres_database_url).database
    password = SECRETS["our database's password"]
    execute(postgres_url, f"CREATE ROLE {ROLE} SUPERUSER LOGIN PASSWORD '{password}'")
    url = make_url(postgres_database_url).set(username=ROLE, password=password, database=name)
    yield url.render_as_string(hide_password=False)
    execute(postgres_url, f"DROP ROLE {ROLE}")


@pytest.fixture
def place(
    ultracart: UltraCartSandbox,
    thiio: ThiioSandbox,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """Settings that hold every secret, and a receiver that runs on them; its webhook's address."""
    ultracart.simple_key = SECRETS["UltraCart's API key"]
    monkeypatch.setattr(thiio, "password", SECRETS["Thiio's password"])
    path = "/webhooks/generic/" + SECRETS["the path of Thiio's inbound webhook"]
    monkeypatch.setattr(thiio, "inbound_webhook_path", path)
    for name, value in {
        "DATABASE_URL": database_url,
        "ULTRACART__BASE_URL": ultracart.base_url,
        "ULTRACART__SIMPLE_KEY": ultracart.simple_key,
        "ULTRACART__MERCHANT_ID": ultracart.merchant_id,
        "ULTRACART__CHANNEL_PARTNER_CODE": ultracart.channel_partner_code,
        "THIIO__DATABASE_URL": thiio.database_url,
        "THIIO__BASE_URL": thiio.base_url,
        "THIIO__EMAIL": thiio.email,
        "THIIO__PASSWORD": thiio.password,
        "THIIO__INBOUND_WEBHOOK_URL": thiio.inbound_webhook_url,
        "RECEIVER__USERNAME": USERNAME,
        "RECEIVER__PASSWORD": SECRETS["the receiver's password"],
        "RECEIVER__PREVIOUS_PASSWORD": SECRETS["the receiver's password before it"],
        "RECEIVER__PATH_TOKEN": SECRETS["the path token"],
        "RECONCILE__SETTLE_MINUTES": "0",
        "RECONCILE__FIRST_WINDOW_DAYS": "120",
        "PUSH__LOOKUP_WAIT_SECONDS": "0",
        "REPORT__FOLDER": str(tmp_path / "reports"),
    }.items():
        monkeypatch.setenv(f"ULTRATHIIO_{name}", value)
    with run_server(load_settings()) as (_, url):
        token = SECRETS["the path token"]
        monkeypatch.setenv("ULTRATHIIO_ULTRACART__WEBHOOK_URL", f"{url}/webhooks/ultracart/{token}")
        monkeypatch.setenv("ULTRATHIIO_THIIO__WEBHOOK_URL", f"{url}/webhooks/thiio/{token}")
        yield f"{url}/webhooks/ultracart/{token}"


@contextmanager
def told_to_prefect(handler: logging.Handler) -> Iterator[None]:
    """Send every line of a block to Prefect's server, and to `handler`."""
    to_prefect = APILogHandler()
    loggers = [logging.getLogger(name) for name in ("tasks", "flows")]
    prefects = [logging.getLogger(name) for name in ("prefect", "prefect.flow_runs", "prefect.task_runs")]
    for logger in loggers:
        logger.addHandler(to_prefect)
    for logger in (*prefects, logging.getLogger("uvicorn")):
        logger.addHandler(handler)
    try:
        with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
            yield
            to_prefect.flush()
    finally:
        for logger in loggers:
            logger.removeHandler(to_prefect)
        for logger in (*prefects, logging.getLogger("uvicorn")):
            logger.removeHandler(handler)


def sell_and_send(ultracart: UltraCartSandbox, webhook: str) -> None:
    """A day in the shop whose people type card numbers anywhere, and webhooks that hold even more."""
    password = SECRETS["the receiver's password"]
    ultracart.register_webhook(webhook, USERNAME, password)
    ultracart.create_customer(
        "ada@example.com",
        first_name=f"Ada {CARDS['a name in UltraCart']}",
        address2=f"card {CARDS['an address in UltraCart']}",
    )
    ultracart.place_order("ada@example.com")
    ultracart.deliver()
    payment = {
        "credit_card": {
            "card_number": CARDS["a webhook's payment"],
            "card_verification_number": CODES["a webhook's CVV"],
        },
        "cvc": CODES["a webhook's CVC"],
    }
    order = {
        "order_id": "DEMO-77",
        "creation_dts": "2026-11-25T10:00:00-05:00",
        "payment": payment,
        "checkout": {"comments": "take " + CARDS["a webhook's comment"]},
        "api_key": SECRETS["UltraCart's API key"],
    }
    auth = (USERNAME, password)
    httpx.post(webhook, json=[{"order_create": order}], auth=auth).raise_for_status()
    httpx.post(webhook, json=[{"order_create": order | {"creation_dts": "yesterday"}}], auth=auth)
    broken = f'{{"order_create": {CARDS["an unreadable webhook"]}'
    assert httpx.post(webhook, content=broken, auth=auth).status_code == 400
    httpx.post(webhook, json=[], auth=(USERNAME, SECRETS["the receiver's password before it"]))


def take_calls(thiio: ThiioSandbox) -> list[str]:
    """An afternoon in the call centre: card numbers in a customer, in notes, addresses and options."""
    thiio.edit_customer(
        "5001",
        first_name=f"Lin {CARDS['a name in Thiio']}",
        line2=CARDS["an address in Thiio"],
    )
    option = "Card: " + CARDS["a phone order's option"]
    return [
        thiio.place_phone_order(),
        thiio.place_phone_order(note="card " + CARDS["a phone order's note"]),
        thiio.place_phone_order(billing_line2=CARDS["a phone order's address"]),
        thiio.place_phone_order([PhoneLine(options=option)]),
    ]


def run_trouble(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs that fail: a login that is refused, a key that is, databases that are away; their messages."""
    crm, ours = (
        f"postgresql+psycopg://us:{SECRETS[name]}@127.0.0.1:1/us"
        for name in ("the password of Thiio's database", "our database's password")
    )
    api = {"THIIO__CONNECTION": "api"}
    messages = []
    for flow, changes in (
        (process_inbox, api),
        (check_setup, api),
        (check_setup, api | {"THIIO__EMAIL": "nobody@example.com"}),
        (check_setup, {"THIIO__DATABASE_URL": crm}),
        (pull_records, {"THIIO__DATABASE_URL": crm}),
        (pull_records, {"ULTRACART__SIMPLE_KEY": SECRETS["UltraCart's API key"] + "-of-old"}),
        (process_inbox, {"DATABASE_URL": ours}),
    ):
        with monkeypatch.context() as patch:
            for name, value in changes.items():
                patch.setenv(f"ULTRATHIIO_{name}", value)
            messages.append(run(flow).message or "")
    return messages


def text_of_ours(database_url: str) -> str:
    """Give every column of every row of our database as text."""
    engine, found = create_engine(database_url), MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        rows = [row for table in found.tables.values() for row in connection.execute(select(table))]
    engine.dispose()
    assert len(rows) > 200
    return "\n".join(map(repr, rows))


def text_of_prefect() -> str:
    """Give every column of every row of Prefect's database as text."""
    file = str(PREFECT_SERVER_DATABASE_CONNECTION_URL.value()).split("///")[1]
    with closing(sqlite3.connect(file)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        rows = [row for table in tables for row in connection.execute(f'SELECT * FROM "{table}"')]
        lines = connection.execute("SELECT count(*) FROM log").fetchone()[0]
    assert lines > 50
    return "\n".join(map(repr, rows))


def lines_of(caplog: pytest.LogCaptureFixture, but: str) -> str:
    """Give what was logged; `but` stands in the shop's own lines, which it writes when it sends."""
    lines = (record.getMessage() for record in caplog.records)
    return "\n".join(line for line in lines if but not in line)


def text_of(report: Path) -> str:
    """Read all that a file of a report says; two kinds of it are packed."""
    match report.suffix:
        case ".parquet":
            return pd.read_parquet(report).to_csv()
        case ".xlsx":
            with ZipFile(report) as packed:
                return "\n".join(packed.read(name).decode() for name in packed.namelist())
    return report.read_text()


@pytest.mark.timeout(400)
def test_no_secret_and_no_card_number_is_left_anywhere(
    place: str,
    database_url: str,
    ultracart: UltraCartSandbox,
    thiio: ThiioSandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not in our tables, nor in Prefect's, in a report, a log line, a message, or on the terminal."""
    caplog.set_level(logging.INFO)
    messages: list[str] = []
    with told_to_prefect(caplog.handler):
        sell_and_send(ultracart, place)
        phone_orders = take_calls(thiio)
        for flow, options in (
            (pull_records, None),
            (process_inbox, None),
            (push_orders, None),
            (push_orders, PushOrders(dry_run=False)),
            (pull_records, None),
            (reconcile_customers, None),
            (reconcile_orders, None),
            (find_gaps, FindGaps(dry_run=False)),
            (check_setup, CheckSetup(fix_webhook=True)),
            (replay_events, ReplayEvents()),
            (prune, None),
            (report_mismatches, None),
        ):
            messages.append(run(flow, options).message or "")
        ultracart.place_order("eve@example.com")
        ultracart.deliver()
        messages += run_trouble(monkeypatch)
    print_checklist()
    print_notifications({}, 200, as_json=True)
    for id in phone_orders:
        print_order(id, as_json=False)

    places: Mapping[str, str] = {
        "our database": text_of_ours(database_url),
        "Prefect's database": text_of_prefect(),
        "reports": "\n".join(map(text_of, (tmp_path / "reports").iterdir())),
        "messages": "\n".join(messages),
        "log": lines_of(caplog, but=place),
        "terminal": "".join(capfd.readouterr()),
    }
    found = [
        (what, where) for where, text in places.items() for what, value in PLANTED.items() if value in text
    ]

    assert found == []
    assert thiio.leads
    assert all(len(text) > 100 for text in places.values())
