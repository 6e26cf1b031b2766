"""A person is erased whole, from every table, and nobody else is touched."""

from __future__ import annotations

import html
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, update

from tasks.database import tables
from tasks.erasure.erase import count_held, erase, look
from tasks.erasure.holdings import NOTE
from tasks.errors import SetupError
from tasks.inbox.event_queue import store_events
from tasks.inbox.events import make_event
from tasks.records.mirror import find_customers, find_orders, save_customers, save_orders
from tasks.records.models import Entity, Side
from tests.builders import NOON, make_customer, make_line, make_order
from tests.inbox.running_receiver import serve_receiver
from tests.notifications.log_rows import put_notification

ADA, OLD = "ada@example.com", "countess@example.org"
TRACES = ("ada@", "ADA@", "Byron", "2093839870", "Countess", "1ZADA", "Main St")
"""What tells of Ada; her neighbour has none of it."""
EVE: dict[str, Any] = {
    "email": "eve@example.com", "email_key": "eve@example.com", "first_name": "Eve", "last_name": "Stone",
    "phone": "+14155550100", "line1": "9 Elm Rd",
}  # fmt: skip


def put_event(engine: Engine, name: str, entity: str, id: str | None, body: str, state: str = "done") -> None:
    """Store an inbox event with its payload, in a state."""
    with engine.begin() as connection:
        new = make_event("ultracart", name, entity, id, body.encode())
        store_events(connection, [new], now=NOON)
        is_new = tables.inbox_events.c.digest == new.digest
        connection.execute(update(tables.inbox_events).where(is_new).values(state=state, closed_at=NOON))


def put_mismatch(engine: Engine, **values: Any) -> None:
    """Store an open mismatch."""
    row = {
        "state": "open", "config_hash": "x", "first_seen_at": NOON, "last_seen_at": NOON, "field": "",
        "ultracart_id": "", "thiio_id": "",
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(tables.mismatches).values(row | values))


def put_push(engine: Engine, thiio_id: str, state: str, body: str) -> None:
    """Store a push."""
    row = {
        "thiio_order_id": thiio_id, "partner_order_id": f"THIIO-{thiio_id}", "state": state, "body": body,
        "fingerprint": '{"name":"9f"}', "planned_at": NOON, "changed_at": NOON,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(tables.pushes).values(row))


@pytest.fixture
def filled(any_engine: Engine) -> Engine:
    """Ada on both sides, in every table and under two addresses; and Eve, whose ids are close to hers."""
    engraved = make_line(description="For Ada Byron")
    with any_engine.begin() as connection:
        save_customers(
            connection,
            [
                make_customer("1", email="ADA@example.com"),
                make_customer(
                    "51", Side.THIIO, email="countess@example.org", email_key="countess@example.org"
                ),
                make_customer("2", **EVE),
            ],
        )
        save_orders(
            connection,
            [
                make_order("DEMO-1", tracking_numbers=("1ZADA",)),
                make_order("DEMO-2", customer_id="1", email=None, email_key=None, last_name="Countess"),
                make_order("801", Side.THIIO, other_side_id="DEMO-1", lines=(engraved,)),
                make_order("DEMO-11", customer_id="2", **EVE),
            ],
        )
        link = {
            "entity": Entity.CUSTOMER,
            "ultracart_id": "1",
            "thiio_id": "51",
            "rule": "email",
            "linked_at": NOON,
        }
        connection.execute(insert(tables.links).values(link))
    put_event(any_engine, "order_create", "order", "DEMO-1", '{"last_name": "Byron"}')
    put_event(any_engine, "item_update", "other", None, '{"to": "Ada@Example.com"}', "dead")
    put_event(any_engine, "order_create", "order", "DEMO-11", '{"email": "eve@example.com"}')
    put_notification(
        any_engine, entity="order", entity_id="DEMO-1", sent='{"name": "Byron"}', http_status=200
    )
    put_notification(any_engine, received='{"orders":[{"order_id":"DEMO-2","city":"Main St"}]}')
    put_notification(any_engine, reason="The address ada@example.com is refused.")
    put_notification(any_engine, entity="order", entity_id="DEMO-11", sent='{"order_id":"DEMO-11"}')
    put_push(any_engine, "801", "confirmed", '{"email": "ada@example.com"}')
    put_push(any_engine, "811", "confirmed", '{"email": "eve@example.com"}')
    put_mismatch(
        any_engine, entity="customer", kind="field_differs", field="last_name", ultracart_id="1",
        thiio_id="51", ultracart_value="Byron", thiio_value="Countess",
    )  # fmt: skip
    put_mismatch(
        any_engine, entity="order", kind="field_differs", field="total_cents", ultracart_id="DEMO-1",
        thiio_id="801", ultracart_value="23.63 USD", thiio_value="20.00 USD", amount_cents=363,
    )  # fmt: skip
    put_mismatch(
        any_engine, entity="order", kind="field_differs", field="line1", ultracart_id="DEMO-11",
        ultracart_value="9 Elm Rd",
    )  # fmt: skip
    return any_engine


def rows_of(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Give all rows of all tables."""
    with engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for name, table in tables.metadata.tables.items()
        }


def traces_in(engine: Engine) -> set[str]:
    """Give the traces of Ada that any column of any row holds."""
    text = repr(rows_of(engine))
    return {trace for trace in TRACES if trace in text}


def test_everything_of_a_person_is_found(filled: Engine) -> None:
    """By the address, and by the ids of the records that belong together."""
    with filled.connect() as connection:
        person, held = look(connection, ADA)

    assert person.customers == {Side.ULTRACART: {"1"}, Side.THIIO: {"51"}}
    assert person.orders == {Side.ULTRACART: {"DEMO-1", "DEMO-2"}, Side.THIIO: {"801"}}
    assert count_held(held) == {
        "customers": 2,
        "orders": 3,
        "payloads of inbox events": 2,
        "reasons of inbox events": 0,
        "notifications": 3,
        "pushes": 1,
        "mismatches": 1,
    }


def test_nothing_of_a_person_is_left(filled: Engine) -> None:
    """No column of any table tells of Ada; what bookkeeping needs is as it was."""
    assert traces_in(filled) == set(TRACES)

    erase(filled, ADA)

    assert traces_in(filled) == set()
    with filled.connect() as connection:
        order = find_orders(connection, Side.ULTRACART, ["DEMO-1"])["DEMO-1"]
        mismatches = connection.execute(select(tables.mismatches).order_by(tables.mismatches.c.id)).all()
        pushes = connection.execute(select(tables.pushes).order_by("thiio_order_id")).all()
    assert (order.total_cents, order.placed_at, order.gateway_code) == (2363, NOON, "STRIPE1")
    assert (order.lines[0].item_id, order.lines[0].total_cents) == ("BONE", 1000)
    assert [(row.ultracart_value, row.amount_cents) for row in mismatches] == [
        (None, None), ("23.63 USD", 363), ("9 Elm Rd", None)
    ]  # fmt: skip
    assert [(row.thiio_order_id, row.state, row.body is None) for row in pushes] == [
        ("801", "confirmed", True), ("811", "confirmed", False)
    ]  # fmt: skip


def test_nobody_else_is_touched(filled: Engine) -> None:
    """Every row that tells of Eve is the same, to the last column."""

    def of_eve() -> list[tuple[Any, ...]]:
        rows = [row for of_table in rows_of(filled).values() for row in of_table]
        return [row for row in rows if any(word in repr(row) for word in ("eve@", "DEMO-11", "Elm Rd"))]

    before = of_eve()
    erase(filled, ADA)

    assert len(before) >= 7
    assert of_eve() == before


def test_an_erasure_is_on_record_without_the_person(filled: Engine) -> None:
    """One notification tells the counts; a second erasure finds nothing, and tells nothing."""
    for _ in range(2):
        erase(filled, ADA)

    with filled.connect() as connection:
        table = tables.notifications
        [told] = connection.execute(select(table).where(table.c.operation == "erase a person")).all()
    assert told.reason == (
        "Erased: 2 customers, 3 orders, 2 payloads of inbox events, 3 notifications, 1 pushes, 1 mismatches"
    )
    assert (told.system, told.entity_id, told.sent) == ("ultrathiio", None, None)


def test_people_see_that_something_was_erased(engine: Engine, sqlite_url: str) -> None:
    """The pages show the erasure, and in the place of each body the note."""
    filled_by(engine)
    erase(engine, ADA)

    with serve_receiver(sqlite_url) as client:
        told = client.get("/notifications", params={"system": "ultrathiio"})
        page = client.get("/notifications/1")

    assert (told.status_code, "Erased: 1 customers, 50 notifications" in told.text) == (200, True)
    assert (page.status_code, NOTE in html.unescape(page.text)) == (200, True)


def test_what_is_erased_counts_as_equal_on_both_sides(filled: Engine) -> None:
    """The digests are those of the empty records: no mismatch of two nobodies."""
    erase(filled, ADA)

    with filled.connect() as connection:
        digests = set(
            connection.scalars(select(tables.customers.c.digest).where(tables.customers.c.email.is_(None)))
        )
        [first] = find_customers(connection, Side.ULTRACART, ["1"]).values()
    assert len(digests) == 1
    assert (first.first_name, first.created_at) == (None, NOON)


@pytest.mark.parametrize("what", ["event", "push"])
def test_nothing_is_erased_while_something_is_on_its_way(filled: Engine, what: str) -> None:
    """It would bring the data back, or be sent as a note; the message says what to run first."""
    if what == "event":
        put_event(filled, "order_ship", "order", "DEMO-1", '{"a": 1}', "waiting")
    else:
        put_push(filled, "802", "in_doubt", '{"email": "ada@example.com"}')
    before = rows_of(filled)

    with pytest.raises(SetupError, match="Run process-inbox and push-orders"):
        erase(filled, ADA)

    assert rows_of(filled) == before


@contextmanager
def breaking_at(engine: Engine, table: str) -> Iterator[None]:
    """Break the connection's work when it comes to change a table."""

    def break_off(*words: Any) -> None:
        if words[2].startswith(f"UPDATE {table}"):
            raise KeyboardInterrupt

    event.listen(engine, "before_cursor_execute", break_off)
    yield
    event.remove(engine, "before_cursor_execute", break_off)


@pytest.mark.parametrize("table", ["orders", "notifications", "mismatches"])
def test_an_erasure_that_is_broken_off_changed_nothing(filled: Engine, table: str) -> None:
    """All of it is one transaction; the next one does all of it."""
    before = rows_of(filled)

    with breaking_at(filled, table), pytest.raises(KeyboardInterrupt):
        erase(filled, ADA)

    assert rows_of(filled) == before
    erase(filled, ADA)
    assert traces_in(filled) == set()


def test_the_file_itself_forgets(engine: Engine) -> None:
    """On SQLite not even a page that was given back holds the address."""
    filled_by(engine)
    path = Path(engine.url.database or "")
    assert any(b"byron" in file.read_bytes().lower() for file in path.parent.glob("ours.sqlite3*"))

    erase(engine, ADA)

    assert [
        file.name for file in path.parent.glob("ours.sqlite3*") if b"byron" in file.read_bytes().lower()
    ] == []


def filled_by(engine: Engine) -> None:
    """Put a customer and a notification of Ada's into a database."""
    with engine.begin() as connection:
        save_customers(connection, [make_customer("1")])
    for _ in range(50):
        put_notification(engine, entity="customer", entity_id="1", sent="Byron " * 2_000)


def run(*words: str, database_url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `ultrathiio erase …` as a child."""
    environment = os.environ | {
        "ULTRATHIIO_DATABASE_URL": database_url,
        "ULTRATHIIO_REPORT__FOLDER": str(folder),
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, "-m", "flows", "erase", *words], env=environment, capture_output=True, text=True
    )


def test_the_command_lists_first_and_erases_when_told(
    engine: Engine, sqlite_url: str, tmp_path: Path
) -> None:
    """Without --yes nothing changes; files of reports are named; the remote systems are left to people."""
    filled_by(engine)
    (tmp_path / "reports").mkdir()
    for name, text in (("a.csv", f"customer,1,{ADA}"), ("b.csv", "customer,11,eve@example.com")):
        (tmp_path / "reports" / name).write_text(text)
    options = {"database_url": sqlite_url, "folder": tmp_path / "reports"}
    before = rows_of(engine)

    listed = run(ADA.upper(), **options)
    unchanged = rows_of(engine)
    erased = run(ADA, "--yes", **options)
    again = run(ADA, "--yes", **options)
    wrong = run("ada", **options)

    assert [each.returncode for each in (listed, erased, again, wrong)] == [0, 0, 0, 2]
    assert unchanged == before
    assert "add --yes" in listed.stdout
    assert ("a.csv" in listed.stdout, "b.csv" in listed.stdout) == (True, False)
    assert "erase the person there first" in erased.stdout
    assert traces_in(engine) == set()
    assert "hold nothing" in again.stdout
    assert "'ada' is no e-mail address" in wrong.stderr
