"""Erase a person from our tables, in one transaction: all of it happens, or nothing.

The one place that writes columns of other rooms' tables: it makes them empty, and changes no state. What
bookkeeping needs stays: ids, amounts, dates, states. The remote systems are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, case, delete, null, update

from tasks.database import tables
from tasks.erasure.holdings import NOTE, PERSONAL, TEXTS, Holdings, find_holdings
from tasks.erasure.person import Person, find_person, mentions
from tasks.errors import SetupError
from tasks.notifications.log import Notification, NotificationStatus, save_notifications
from tasks.records.digest import digest_of
from tasks.records.mirror import find_customers, find_orders
from tasks.records.models import Side

KEYS_AT_ONCE = 500
NOBODY: dict[str, Any] = dict.fromkeys(PERSONAL)


def look(connection: Connection, email_key: str) -> tuple[Person, Holdings]:
    """Find what is held of the person behind an address in its normal form."""
    person = find_person(connection, email_key)
    return person, find_holdings(connection, person)


def erase(engine: Engine, email_key: str) -> tuple[Person, Holdings]:
    """Erase what is held of a person, and keep a notification that tells the counts and not the person.

    Raises `SetupError`, and changes nothing, while an event or a push of the person is still worked on.
    On SQLite what was erased is overwritten in the file; Postgres does so with its next VACUUM.
    """
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
            connection.rollback()
        with connection.begin():
            person, held = look(connection, email_key)
            _refuse_open(held)
            _erase_records(connection, held)
            _erase_texts(connection, held, email_key)
            if not held.is_empty():
                save_notifications(connection, [_tell(held)])
        if connection.dialect.name == "sqlite":
            _checkpoint(connection)
    return person, held


def _checkpoint(connection: Connection) -> None:
    """Empty SQLite's log of changes, which holds the pages as they were; a reader in the way delays that."""
    driver = connection.connection.dbapi_connection
    if driver is not None:
        driver.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _refuse_open(held: Holdings) -> None:
    if held.open_events or held.open_pushes:
        raise SetupError(
            f"{len(held.open_events)} inbox events and {len(held.open_pushes)} pushes of this person are "
            "still worked on, and would bring the data back. Nothing was erased. Run process-inbox and "
            "push-orders until they are closed, then erase again."
        )


def _erase_records(connection: Connection, held: Holdings) -> None:
    """Empty the personal columns of the mirror; the digests are those of the records as they are now."""
    for side in Side:
        customers = [id for of, id in held.customers if of == side]
        for id, customer in find_customers(connection, side, customers).items():
            digest = digest_of(replace(customer, **NOBODY))
            _blank_record(connection, tables.customers, side, id, {"digest": digest})
        orders = [id for of, id in held.orders if of == side]
        for id, order in find_orders(connection, side, orders).items():
            digest = digest_of(replace(order, **NOBODY, tracking_numbers=None))
            _blank_record(connection, tables.orders, side, id, {"digest": digest, "tracking_numbers": null()})
        lines = tables.order_lines
        for chunk in _chunks(orders):
            # What an agent or a customer wrote on a line may be a name to be engraved.
            connection.execute(
                update(lines)
                .where(lines.c.side == side, lines.c.order_id.in_(chunk))
                .values(description=None)
            )


def _blank_record(connection: Connection, table: Table, side: Side, id: str, more: dict[str, Any]) -> None:
    is_it = (table.c.side == side) & (table.c.id == id)
    connection.execute(update(table).where(is_it).values({**NOBODY, **more}))


def _erase_texts(connection: Connection, held: Holdings, email_key: str) -> None:
    """Delete payloads, as prune does, and put a note in the place of the other texts."""
    events, payloads, notifications = tables.inbox_events, tables.inbox_payloads, tables.notifications
    pushes = tables.pushes
    for payload_ids in _chunks(held.payloads):
        connection.execute(delete(payloads).where(payloads.c.event_id.in_(payload_ids)))
    _blank(connection, events.c.id, held.reasons, {"reason": NOTE})
    noted = {name: _note_if_any(notifications.c[name]) for name in ("sent", "received")}
    noted["reason"] = _note_if_named(notifications.c.reason, email_key)
    _blank(connection, notifications.c.id, held.notifications, noted)
    # The fingerprint goes too: whoever has a name could find out that it was made of it.
    _blank(connection, pushes.c.thiio_order_id, held.pushes, {"body": None, "fingerprint": None})
    texts = {column.name: _note_if_named(column, email_key) for column in TEXTS}
    values = {"ultracart_value": None, "thiio_value": None}
    _blank(connection, tables.mismatches.c.id, held.mismatches, {**texts, **values})


def _note_if_any(column: Column[Any]) -> Any:
    return case((column.is_not(None), NOTE), else_=None)


def _note_if_named(column: Column[Any], email_key: str) -> Any:
    return case((mentions([column], [email_key]), NOTE), else_=column)


def _blank(
    connection: Connection, key: Column[Any], keys: Sequence[int] | Sequence[str], values: dict[str, Any]
) -> None:
    for chunk in _chunks(keys):
        connection.execute(update(key.table).where(key.in_(chunk)).values(values))


def _tell(held: Holdings) -> Notification:
    return Notification(
        direction="in",
        system="ultrathiio",
        operation="erase a person",
        status=NotificationStatus.SUCCESSFUL,
        reason="Erased: " + ", ".join(f"{count} {name}" for name, count in count_held(held).items() if count),
    )


def count_held(held: Holdings) -> dict[str, int]:
    """Give the number of rows by the name of what they are."""
    return {
        "customers": len(held.customers),
        "orders": len(held.orders),
        "payloads of inbox events": len(held.payloads),
        "reasons of inbox events": len(held.reasons),
        "notifications": len(held.notifications),
        "pushes": len(held.pushes),
        "mismatches": len(held.mismatches),
    }


def _chunks(keys: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (keys[at : at + KEYS_AT_ONCE] for at in range(0, len(keys), KEYS_AT_ONCE))
