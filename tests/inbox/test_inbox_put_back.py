"""Records put back into the inbox: read again from UltraCart, delivered to Thiio once more, never twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, insert, select

from tasks.database import tables
from tasks.inbox.put_back import PutBack, Returned, put_back
from tasks.records.models import Entity
from tasks.ultracart.client import UltraCartClient
from tests.inbox.workplace import Workplace, bare_event


def repair(workplace: Workplace, *order_ids: str, customers: tuple[int, ...] = ()) -> Returned:
    """Put records back, as the flow does."""
    with UltraCartClient.connect(workplace.settings.ultracart, lambda exchange: None) as client:
        return put_back(workplace.engine, client, order_ids, [str(oid) for oid in customers])


def outcome(workplace: Workplace, order_id: str) -> PutBack:
    """Put one order back, and tell what became of it."""
    return repair(workplace, order_id).outcomes[Entity.ORDER, order_id]


def events(workplace: Workplace) -> list[dict[str, Any]]:
    """All events, in order of arrival."""
    table = tables.inbox_events
    query = select(table.c.name, table.c.state, table.c.found_by, table.c.replays, table.c.deliveries)
    with workplace.engine.connect() as connection:
        return [dict(row) for row in connection.execute(query.order_by(table.c.id)).mappings()]


REPAIRED = {"state": "waiting", "found_by": "repair", "replays": 0, "deliveries": 1}


def test_what_never_came_is_stored_once(any_workplace: Workplace) -> None:
    """An order and a customer wait as events of a repair; a second time nothing is added."""
    order = any_workplace.ultracart.place_order("nora@example.com")
    customer = any_workplace.ultracart.create_customer("lost@example.com")

    first = repair(any_workplace, order, customers=(customer,))
    again = repair(any_workplace, order, customers=(customer,))

    became = {(Entity.ORDER, order): "stored", (Entity.CUSTOMER, str(customer)): "stored"}
    assert first.outcomes == again.outcomes == became
    assert events(any_workplace) == [
        REPAIRED | {"name": "order_create"},
        REPAIRED | {"name": "customer_update"},
    ]
    assert any_workplace.work().done == 2
    assert any_workplace.in_thiio(order).email == "nora@example.com"
    assert any_workplace.link_of(Entity.CUSTOMER, str(customer)) is not None


def test_what_was_worked_off_before_is_worked_off_again(any_workplace: Workplace) -> None:
    """The same event, though its payload was pruned: what an agent changed is as in UltraCart again."""
    order = any_workplace.ultracart.place_order("nora@example.com")
    any_workplace.receive_and_work(*any_workplace.happened())
    total = any_workplace.in_thiio(order).total_cents
    any_workplace.thiio.edit_order_total(any_workplace.in_thiio(order).id, 1)
    with any_workplace.engine.begin() as connection:
        connection.execute(delete(tables.inbox_payloads))

    became = [outcome(any_workplace, order), outcome(any_workplace, order)]
    counts = any_workplace.work()

    assert became == ["again", "stored"]
    assert (counts.claimed, counts.done) == (1, 1)
    assert any_workplace.in_thiio(order).total_cents == total
    [event] = events(any_workplace)
    assert (event["found_by"], event["replays"], event["deliveries"]) == ("repair", 1, 1)


def test_a_customer_is_as_in_ultracart_again(workplace: Workplace) -> None:
    """What was changed in Thiio alone is overwritten by UltraCart's profile."""
    oid = workplace.ultracart.create_customer("lost@example.com", city="Tacoma")
    workplace.receive_and_work(*workplace.happened())
    thiio_id = workplace.link_of(Entity.CUSTOMER, str(oid)) or ""
    workplace.thiio.edit_customer(thiio_id, city="Elsewhere")

    repair(workplace, customers=(oid,))
    workplace.work()

    assert workplace.thiio.read_customer(thiio_id)["city"] == "Tacoma"
    assert workplace.link_of(Entity.CUSTOMER, str(oid)) == thiio_id


def test_what_waits_already_is_left(workplace: Workplace) -> None:
    """The webhook came, and nobody has worked it off yet."""
    order = workplace.ultracart.place_order("nora@example.com")
    workplace.receive(*workplace.happened())

    assert outcome(workplace, order) is PutBack.WAITS
    assert [event["found_by"] for event in events(workplace)] == ["webhook"]


def test_an_order_that_we_pushed_is_delivered_and_not_taken_for_an_echo(workplace: Workplace) -> None:
    """UltraCart's word of it is closed without a delivery; a repair wants it delivered."""
    phone, order = workplace.thiio.place_phone_order(), workplace.ultracart.place_order("nora@example.com")
    workplace.happened()
    partner_order_id, shown = f"THIIO-{phone}", workplace.ultracart.store.orders[order]
    shown["channel_partner"] = {"channel_partner_order_id": partner_order_id}
    now = datetime.now(UTC)
    row = {"thiio_order_id": phone, "partner_order_id": partner_order_id, "state": "confirmed"}
    row |= {"sent_at": now, "planned_at": now, "changed_at": now}
    with workplace.engine.begin() as connection:
        connection.execute(insert(tables.pushes).values(row))
    workplace.receive_and_work(bare_event("order_create", order))
    echo = workplace.thiio.read_order(phone)

    repair(workplace, order)
    workplace.work()

    repaired = workplace.thiio.read_order(phone)
    assert (echo["email"], echo["external_order_id"]) == ("grace.hopper@example.com", None)
    assert (repaired["email"], repaired["external_order_id"]) == ("nora@example.com", order)


def test_an_order_that_thiio_deleted_for_good_is_made_and_linked_anew(any_workplace: Workplace) -> None:
    """Its link led to nowhere, and would bar the new one."""
    order = any_workplace.ultracart.place_order("nora@example.com")
    any_workplace.receive_and_work(*any_workplace.happened())
    old = any_workplace.in_thiio(order).id
    sandbox = any_workplace.thiio
    sandbox.place_phone_order()  # so that no new row gets the old one's number
    with sandbox.engine.begin() as connection:
        for table, column in ((sandbox.tables.order_lines, "order_id"), (sandbox.tables.orders, "id")):
            connection.execute(delete(table).where(table.c[column] == int(old)))

    repair(any_workplace, order)
    any_workplace.work()

    new = any_workplace.in_thiio(order).id
    assert new != old
    assert any_workplace.link_of(Entity.ORDER, order) == new


def test_what_ultracart_does_not_know_is_told(workplace: Workplace) -> None:
    """Nothing is stored for it, and the others are."""
    order = workplace.ultracart.place_order("nora@example.com")

    returned = repair(workplace, "DEMO-NEVER", order, customers=(987_654,))

    assert returned.outcomes == {
        (Entity.ORDER, "DEMO-NEVER"): "gone",
        (Entity.ORDER, order): "stored",
        (Entity.CUSTOMER, "987654"): "gone",
    }
    assert (returned.trouble, len(events(workplace))) == ("", 1)


@pytest.mark.parametrize("status", [400, 503])
def test_what_was_read_before_an_outage_is_kept(workplace: Workplace, status: int) -> None:
    """The orders are stored; the customers were not read, and why is told."""
    order = workplace.ultracart.place_order("nora@example.com")
    customer = workplace.ultracart.create_customer("lost@example.com")
    workplace.ultracart.faults.add(method="GET", path="/customer/customers", status=status, times=9)

    returned = repair(workplace, order, customers=(customer,))

    assert returned.outcomes == {(Entity.ORDER, order): "stored"}
    assert (str(status) in returned.trouble, returned.is_spent) == (True, False)
    assert [event["name"] for event in events(workplace)] == ["order_create"]


def test_an_order_nobody_can_hold_is_a_dead_letter(workplace: Workplace) -> None:
    """It is kept, and told as such, however often it is read."""
    order = workplace.ultracart.place_order("nora@example.com")
    workplace.ultracart.store.orders[order]["language_iso_code"] = msgspec.Raw(b"1e99999999999999999999")

    assert [outcome(workplace, order), outcome(workplace, order)] == ["unreadable", "unreadable"]
    assert [(event["state"], event["replays"]) for event in events(workplace)] == [("dead", 0)]
