"""Planning: what is due is written down with its exact body, what lacks something is held with the reason."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tasks.database import tables
from tasks.push.planner import PlannedOrder
from tasks.push.pusher import SendCounts
from tasks.thiio.sandbox.agents import PhoneLine
from tests.push.desk import IMPORT, ITEM_ID_KEY, LOOK_UP, Desk
from tests.push.phone_orders import VISA

AGAIN = "The order goes out by itself with the next run."


def outcomes(planned: list[PlannedOrder]) -> dict[str, str]:
    """Thiio's id → what is to become of the order."""
    return {order.thiio_order_id: order.outcome for order in planned}


def test_an_order_without_item_is_held_and_goes_out_once_it_has_one(desk: Desk) -> None:
    """The agent adds the metadata; the next run reads the catalogue and sends, with no other hand on it."""
    product_id = desk.thiio.add_product("Chew toy")
    id = desk.thiio.place_phone_order([PhoneLine(product_id=product_id)])
    held = desk.run()
    [row] = desk.pushes().values()
    desk.thiio.set_product_metadata(product_id, ITEM_ID_KEY, " toy-duck ")
    unread = desk.push()
    sent = desk.run()

    order = desk.ultracart.store.orders[desk.links()[id]]
    assert (held, unread, sent) == (SendCounts(), SendCounts(), SendCounts(confirmed=1))
    assert (row["state"], row["body"], row["attempts"], row["total_cents"]) == ("held", None, 0, 1399)
    assert row["reason"] == f"Product {product_id} (Chew toy) has no UltraCart item ID."
    assert row["remedy"] == (
        f"Add the metadata key {ITEM_ID_KEY} with the item ID to product {product_id} in Thiio. {AGAIN}"
    )
    assert [item["merchant_item_id"] for item in order["items"]] == ["TOY-DUCK"]
    assert [desk.pushes()[id][name] for name in ("reason", "remedy")] == [None, None]


def test_an_order_without_gateway_code_is_held_and_goes_out_once_it_has_one(desk: Desk) -> None:
    """The operator pastes the code into the gateway's settings."""
    gateway_id = desk.thiio.add_gateway("Square")
    id = desk.thiio.place_phone_order(gateway_id=gateway_id)
    held = desk.run()
    [row] = desk.pushes().values()
    desk.thiio.edit_gateway(gateway_id, gateway_code=" AUTHNET ")
    sent = desk.run()

    order = desk.ultracart.store.orders[desk.links()[id]]
    assert (held, sent) == (SendCounts(), SendCounts(confirmed=1))
    assert row["reason"] == f"Gateway {gateway_id} (Square) has no UltraCart gateway code."
    assert row["remedy"] == (
        f"Paste UltraCart's code of it into the settings of gateway {gateway_id} in Thiio. {AGAIN}"
    )
    assert order["payment"]["rotating_transaction_gateway_code"] == "AUTHNET"


def test_a_planned_order_that_loses_its_mapping_is_held(desk: Desk) -> None:
    """Its old body is not sent any more."""
    product_id = desk.thiio.add_product("Bone", "BONE")
    id = desk.thiio.place_phone_order([PhoneLine(product_id=product_id)])
    desk.pull_catalogues()
    planned = desk.plan()
    desk.thiio.set_product_metadata(product_id, ITEM_ID_KEY, None)
    desk.pull_catalogues()
    held = desk.plan()

    assert (outcomes(planned), outcomes(held)) == ({id: "planned"}, {id: "held"})
    assert desk.pushes()[id]["body"] is None
    assert (desk.send(planned), desk.ultracart.imports) == (SendCounts(), {})


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "run"])
def test_a_card_number_is_stored_nowhere(desk: Desk, dry_run: bool) -> None:
    """Neither in the outbox nor in a notification nor in the plan that people read."""
    places: list[dict[str, Any]] = [
        {"note": VISA}, {"billing_line2": VISA}, {"shipping_method": VISA}, {"transaction_id": VISA},
        {"payment_method": VISA},
    ]  # fmt: skip
    for columns in places:
        desk.thiio.place_phone_order([PhoneLine(description=f"Bone {VISA}")], **columns)
    planned = desk.plan(dry_run=dry_run)
    counts = desk.send(planned)
    stored = [row for table in (tables.pushes, tables.notifications) for row in desk.rows(table)]

    assert [order.outcome for order in planned] == ["held"] * len(places)
    assert (counts, len(desk.pushes())) == (SendCounts(), 0 if dry_run else len(places))
    assert VISA not in f"{planned}{stored}"


def test_a_dry_run_says_the_same_and_writes_nothing(desk: Desk) -> None:
    """Also of orders that an earlier run rejected, confirmed, left in doubt or left while sending."""
    desk.thiio.place_phone_order()  # the usual one
    desk.thiio.place_phone_order(email="")  # lacks something
    cancelled = desk.thiio.place_phone_order()
    lacks_again, in_doubt, sending, confirmed = (desk.thiio.place_phone_order() for _ in range(4))
    rejected = desk.thiio.place_phone_order()
    desk.plan([cancelled, lacks_again])
    desk.thiio.edit_order(cancelled, status="cancelled")
    desk.thiio.edit_order(lacks_again, billing_city=None)
    desk.ultracart.faults.add(path=IMPORT, cut="before")
    desk.ultracart.faults.add(path=LOOK_UP, status=503, times=4)
    desk.push([in_doubt])
    desk.plan([sending])
    desk.kill_before_the_call(sending)
    planned = desk.plan([confirmed])
    with desk.thiio_away():
        desk.send(planned)
    desk.ultracart.store.import_warnings = ("No.",)
    desk.push([rejected])
    before, noted = desk.everything(), desk.rows(tables.notifications)

    dry = desk.plan(dry_run=True)
    dry_named = desk.plan([rejected], dry_run=True, retry_rejected=True)
    assert (desk.everything(), desk.rows(tables.notifications)) == (before, noted)
    assert [asdict(order) for order in dry] == [asdict(order) for order in desk.plan()]
    assert [order.outcome for order in dry] == [
        "planned", "held", "not_due", "held", "in_doubt", "sending", "confirmed", "rejected",
    ]  # fmt: skip
    assert dry_named == desk.plan([rejected], retry_rejected=True)
    assert [order.outcome for order in dry_named] == ["planned"]


def test_a_cancelled_order_is_withdrawn_before_it_is_sent(desk: Desk) -> None:
    """The plan of the next run takes it back; if the agent revives it, it goes out after all."""
    id = desk.thiio.place_phone_order()
    first = desk.plan()
    desk.thiio.edit_order(id, status="cancelled")
    second = desk.plan()
    [row] = desk.pushes().values()
    unsent = desk.send(first)
    desk.thiio.edit_order(id, status="processing")

    reason = "Its status is cancelled: nothing to ship."
    assert second == [replace(first[0], outcome="not_due", reason=reason, remedy="Nothing, if so.", body="")]
    assert (row["state"], row["body"], row["reason"], row["remedy"]) == (
        "held", None, reason, "Nothing, if so.",
    )  # fmt: skip
    assert (unsent, desk.run()) == (SendCounts(), SendCounts(confirmed=1))


def test_what_is_not_due_gets_no_row(desk: Desk) -> None:
    """Cancelled, of a test, or too old: told in the plan, kept nowhere; tests go if wished."""
    long_ago = datetime.now(UTC) - timedelta(days=31)
    cancelled = desk.thiio.place_phone_order(status="cancelled")
    test = desk.thiio.place_phone_order(is_test=True)
    old = desk.thiio.place_phone_order(placed_at=long_ago)
    planned = desk.plan()

    assert {order.thiio_order_id: (order.outcome, order.reason) for order in planned} == {
        cancelled: ("not_due", "Its status is cancelled: nothing to ship."),
        test: ("not_due", "It is a test order."),
        old: (
            "not_due",
            f"It was placed {long_ago:%Y-%m-%d}, longer ago than ULTRATHIIO_PUSH__MAX_AGE_DAYS allows.",
        ),
    }
    assert desk.pushes() == {}
    assert outcomes(desk.plan(with_tests=True)) == {cancelled: "not_due", test: "planned", old: "not_due"}
    assert desk.states() == {test: "planned"}


def test_only_named_orders_are_planned(desk: Desk) -> None:
    """Ids that Thiio does not know are left out."""
    first, second = desk.thiio.place_phone_order(), desk.thiio.place_phone_order()

    assert outcomes(desk.plan([second, "99", "no-number"])) == {second: "planned"}
    assert desk.states() == {second: "planned"}
    assert outcomes(desk.plan()) == {first: "planned", second: "planned"}


def test_a_planned_order_deleted_in_thiio_is_not_sent_by_the_next_run(desk: Desk) -> None:
    """It is no unsynced order any more."""
    id = desk.thiio.place_phone_order()
    desk.plan()
    desk.thiio.delete_order(id)

    assert (desk.run(), desk.ultracart.imports) == (SendCounts(), {})


def test_an_order_is_looked_up_by_the_id_that_was_sent(desk: Desk) -> None:
    """The operator chose another prefix after the order was held, and UltraCart takes an id twice."""
    desk.ultracart.store.takes_duplicate_imports = True
    id = desk.thiio.place_phone_order(email="")
    desk.run()
    desk.settings.push.partner_order_prefix = "PHONE-"
    desk.thiio.edit_order(id, email="grace@example.com")
    desk.ultracart.faults.add(path=IMPORT, cut="after")
    first, second = desk.run(), desk.run()

    assert (first, second) == (SendCounts(confirmed=1), SendCounts())
    assert desk.ultracart.imports == {f"PHONE-{id}": 1}
    with desk.engine.connect() as connection:
        assert connection.scalars(select(tables.pushes.c.partner_order_id)).all() == [f"PHONE-{id}"]
