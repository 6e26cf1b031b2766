"""What happens in the shop reaches Thiio and our mirror, whatever way it comes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Engine, func, insert, select

from tasks.database import tables
from tasks.inbox.apply import ECHO
from tasks.inbox.outcomes import ApplyCounts
from tasks.records.digest import digest_of
from tasks.records.models import Entity, OrderStatus
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.inbox.inbox_rows import read_bodies, read_events, read_notifications
from tests.inbox.running_receiver import (
    PASSWORD,
    ULTRACART,
    USERNAME,
    body_of,
    receiver_settings,
    run_server,
    url_of,
)
from tests.inbox.workplace import Workplace, event

NORA = "nora@example.com"


def count_thiio_orders(thiio: ThiioSandbox) -> int:
    """Count the orders that Thiio holds."""
    with thiio.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(thiio.tables.orders)) or 0


def test_all_that_happens_arrives(
    any_engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """Sent to a running receiver, worked off once: shop, mirror and Thiio agree in every compared field."""
    with (
        run_server(receiver_settings(url_of(any_engine))) as (_, url),
        Workplace.open(any_engine, ultracart, thiio, (url + ULTRACART, USERNAME, PASSWORD)) as workplace,
    ):
        oid = ultracart.create_customer(NORA)
        ultracart.update_customer(oid, city="Tacoma")
        ids = [ultracart.place_order(NORA) for _ in range(4)]
        ultracart.ship_order(ids[1])
        ultracart.refund_order(ids[2], 500)
        ultracart.reject_order(ids[3])
        report = ultracart.deliver()
        counts = workplace.work()
        sides = [(workplace.at_ultracart(id), workplace.mirrored(id), workplace.in_thiio(id)) for id in ids]
        customer = workplace.mirrored_customer(str(oid))
        thiio_customer = thiio.read_customer(str(workplace.link_of(Entity.CUSTOMER, str(oid))))

    assert (report.delivered, report.failed) == (9, 0)
    assert counts == ApplyCounts(claimed=9, done=9)
    for shop, mirror, in_thiio in sides:
        assert digest_of(shop) == digest_of(mirror) == digest_of(in_thiio)
    assert [in_thiio.status for _, _, in_thiio in sides] == [
        OrderStatus.PROCESSING,
        OrderStatus.COMPLETED,
        OrderStatus.PROCESSING,
        OrderStatus.REJECTED,
    ]
    assert [in_thiio.refunded_cents for _, _, in_thiio in sides] == [0, 0, 500, 0]
    assert (customer.city, thiio_customer["city"], thiio_customer["email"]) == ("Tacoma", "Tacoma", NORA)
    assert read_events(any_engine, "state", "attempts", "reason") == [("done", 1, None)] * 9


def test_each_event_of_an_order_moves_thiios_order(workplace: Workplace) -> None:
    """Placed, shipped, refunded in part, refunded in full: one row, always as the shop has it."""
    shop, seen = workplace.ultracart, []
    workplace.let_time_pass()
    id = shop.place_order(NORA, (("BONE", 2),))
    total = workplace.at_ultracart(id).total_cents or 0

    for act in (
        lambda: None,
        lambda: shop.ship_order(id, ["1Z1", "1Z2"]),
        lambda: shop.refund_order(id, 200),
        lambda: shop.refund_order(id),
    ):
        act()
        counts = workplace.receive_and_work(*workplace.happened())
        order = workplace.in_thiio(id)
        seen.append((counts.done, order.id, order.status, order.tracking_numbers, order.refunded_cents))
        assert digest_of(order) == digest_of(workplace.mirrored(id)) == digest_of(workplace.at_ultracart(id))

    thiio_id = workplace.link_of(Entity.ORDER, id)
    assert seen == [
        (1, thiio_id, OrderStatus.PROCESSING, (), 0),
        (1, thiio_id, OrderStatus.COMPLETED, ("1Z1", "1Z2"), 0),
        (1, thiio_id, OrderStatus.COMPLETED, ("1Z1", "1Z2"), 200),
        (1, thiio_id, OrderStatus.COMPLETED, ("1Z1", "1Z2"), total),
    ]


def test_a_rejected_order_is_rejected_in_thiio(workplace: Workplace) -> None:
    """With the date of its rejection, and its lines and amounts as they were."""
    workplace.let_time_pass()
    id = workplace.ultracart.place_order(NORA)
    workplace.receive_and_work(*workplace.happened())
    before = workplace.in_thiio(id)
    workplace.ultracart.reject_order(id)

    counts = workplace.receive_and_work(*workplace.happened())

    after = workplace.in_thiio(id)
    assert counts == ApplyCounts(claimed=1, done=1)
    assert (before.status, after.status) == (OrderStatus.PROCESSING, OrderStatus.REJECTED)
    assert after.rejected_at == workplace.at_ultracart(id).rejected_at
    assert (after.lines, after.total_cents) == (before.lines, before.total_cents)


def test_a_customer_is_made_and_changed_in_thiio(workplace: Workplace) -> None:
    """One row, linked, with the newest address; an older picture that comes late changes nothing."""
    workplace.let_time_pass()
    oid = workplace.ultracart.create_customer(NORA, city="Olympia")
    created = workplace.happened()
    workplace.ultracart.update_customer(oid, city="Tacoma", address1="1 New Way")
    updated = workplace.happened()

    seen = []
    for events in (updated, created):
        workplace.receive_and_work(*events)
        thiio_id = workplace.link_of(Entity.CUSTOMER, str(oid))
        row = workplace.thiio.read_customer(str(thiio_id))
        seen.append((row["ultracart_id"], row["email"], row["city"], row["line1"]))
        assert workplace.mirrored_customer(str(oid)).city == "Tacoma"

    assert seen == [(str(oid), NORA, "Tacoma", "1 New Way")] * 2
    assert read_events(workplace.engine, "name", "state") == [
        ("customer_update", "done"),
        ("customer_create", "done"),
    ]


def test_the_notification_of_an_event_leads_to_what_came(workplace: Workplace) -> None:
    """Direction, system, name, record, event and run; the object is kept once, without the card number."""
    card = "4111111111111111"
    shown = body_of("order_ship")["events"][0]["order_ship"] | {"note": f"paid by {card}"}

    workplace.receive_and_work(event("order_ship", shown))

    assert read_notifications(
        workplace.engine,
        "system",
        "operation",
        "status",
        "entity",
        "entity_id",
        "event_id",
        "run_id",
        "reason",
        "received",
    ) == [("ultracart", "order_ship", "successful", "order", shown["order_id"], 1, "run-1", None, None)]
    [received] = read_bodies(workplace.engine)
    assert (card in received, "paid by [card number]" in received) == (False, True)


def test_several_events_of_one_record_are_one_delivery(workplace: Workplace) -> None:
    """Thiio gets the newest state once; each event is closed, and each has its own notification."""
    workplace.let_time_pass()
    id = workplace.ultracart.place_order(NORA)
    workplace.ultracart.refund_order(id, 500)
    other = workplace.ultracart.place_order(NORA)
    workplace.ultracart.ship_order(id)

    counts = workplace.receive_and_work(*workplace.happened())

    assert counts == ApplyCounts(claimed=4, done=4)
    assert read_events(workplace.engine, "state") == ["done"] * 4
    assert read_notifications(workplace.engine, "event_id", "operation", "entity_id", "status") == [
        (1, "order_create", id, "successful"),
        (2, "order_refund", id, "successful"),
        (4, "order_ship", id, "successful"),
        (3, "order_create", other, "successful"),
    ]
    assert read_notifications(workplace.engine, "operation", "entity_id", direction="out") == [
        ("deliver order (order_create)", id),
        ("deliver order (order_create)", other),
    ]


@pytest.fixture
def pushed(workplace: Workplace) -> tuple[str, str]:
    """An order that an agent took and that we sent to UltraCart: its Thiio id and its partner order id.

    It was sent under a prefix that the settings no longer name: only our own row of it leads back.
    """
    thiio_id = workplace.thiio.place_phone_order()
    now, partner_order_id = datetime.now(UTC), f"FORMER-{thiio_id}"
    row = {"thiio_order_id": thiio_id, "partner_order_id": partner_order_id, "state": "in_doubt",
           "planned_at": now, "sent_at": now, "changed_at": now}  # fmt: skip
    with workplace.engine.begin() as connection:
        connection.execute(insert(tables.pushes).values(row))
    return thiio_id, partner_order_id


def test_an_order_that_we_pushed_is_linked_and_not_delivered(
    workplace: Workplace, pushed: tuple[str, str]
) -> None:
    """UltraCart's word of it makes no second order in Thiio, and changes nothing in the first."""
    thiio_id, partner_order_id = pushed
    [shown] = [each["order_create"] for each in body_of("order_create_imported")]
    shown["channel_partner"]["channel_partner_order_id"] = partner_order_id
    before, count = workplace.thiio.read_order(thiio_id), count_thiio_orders(workplace.thiio)

    counts = workplace.receive_and_work(event("order_create", shown))

    assert counts == ApplyCounts(claimed=1, done=1)
    assert workplace.link_of(Entity.ORDER, shown["order_id"]) == thiio_id
    assert workplace.mirrored(shown["order_id"]).partner_order_id == partner_order_id
    assert (workplace.thiio.read_order(thiio_id), count_thiio_orders(workplace.thiio)) == (before, count)
    assert read_notifications(workplace.engine, "status", "reason") == [("successful", ECHO)]
    assert read_notifications(workplace.engine, "id", direction="out") == []


def test_what_happens_to_a_pushed_order_is_delivered(workplace: Workplace, pushed: tuple[str, str]) -> None:
    """Its shipment reaches the order that the agent took."""
    thiio_id, partner_order_id = pushed
    shown = body_of("order_ship")["events"][0]["order_ship"]
    shown["channel_partner"] = {"channel_partner_order_id": partner_order_id}
    count = count_thiio_orders(workplace.thiio)

    counts = workplace.receive_and_work(event("order_ship", shown))

    row = workplace.thiio.find_order(shown["order_id"])
    assert counts == ApplyCounts(claimed=1, done=1)
    assert (str(row["id"]), row["tracking_numbers"], row["total"]) == (
        thiio_id,
        "1Z999AA10123456784",
        Decimal("18.63"),
    )
    assert (workplace.link_of(Entity.ORDER, shown["order_id"]), count_thiio_orders(workplace.thiio)) == (
        thiio_id,
        count,
    )


def test_a_pushed_order_in_pieces_is_known_once_it_is_whole(
    workplace: Workplace, pushed: tuple[str, str]
) -> None:
    """Without expansions an event does not name the partner order; UltraCart, asked again, does."""
    thiio_id, partner_order_id = pushed
    id = workplace.ultracart.place_order(NORA)
    workplace.happened()
    workplace.ultracart.store.orders[id]["channel_partner"] = {"channel_partner_order_id": partner_order_id}
    before = workplace.thiio.read_order(thiio_id)

    counts = workplace.receive_and_work(
        event("order_create", {"order_id": id, "creation_dts": "2026-11-02T12:00:00-05:00"})
    )

    assert counts == ApplyCounts(claimed=1, done=1)
    assert (workplace.link_of(Entity.ORDER, id), workplace.thiio.read_order(thiio_id)) == (thiio_id, before)
    assert read_notifications(workplace.engine, "reason") == [ECHO]
