"""What UltraCart sent and the inbox never saw is found and read again, over HTTP, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.inbox.inbox_rows import read_bodies, read_events
from tests.inbox.lost_webhooks import AWAY, BUSY, STRANGER, Scene


def test_what_arrived_is_not_lost(any_scene: Scene) -> None:
    """Nothing is stored or told, and the search goes on where this one ended: before the grace period."""
    for _ in range(2):
        any_scene.place_order()
    any_scene.deliver()
    any_scene.let_pass(hours=1)

    account = any_scene.find()

    assert account.recoveries == []
    assert account.numbers() | {"calls": 0} == {
        "deliveries": 1, "failed": 0, "came_later": 0, "lost_orders": 0, "recovered": 0, "gone": 0,
        "lost_customer_deliveries": 0, "calls": 0,
    }  # fmt: skip
    assert (any_scene.found_events(), any_scene.told("reason")) == ([], [])
    assert any_scene.watermark is not None
    assert timedelta(minutes=29) < datetime.now(UTC) - any_scene.watermark < timedelta(minutes=31)


@pytest.mark.parametrize(
    ("status", "answered", "said"),
    [
        (AWAY, None, "nobody answered"),
        (BUSY, 503, "503 was answered"),
        (STRANGER, 200, "200 was answered, but nothing reached the inbox"),
    ],
    ids=["away", "busy", "stranger"],
)
def test_a_lost_order_is_read_again(any_scene: Scene, status: int, answered: int | None, said: str) -> None:
    """Its event is the one that UltraCart sent, to the letter; a notification tells of the delivery."""
    order_id = any_scene.place_order()
    any_scene.deliver(status)
    any_scene.webhook.queue.clear()  # UltraCart gave it up
    any_scene.let_pass(hours=1)
    [log] = any_scene.webhook.logs

    account = any_scene.find()

    assert account.numbers()["lost_orders"] == account.numbers()["recovered"] == 1
    assert read_events(any_scene.engine, "source", "name", "entity", "entity_id", "found_by", "state") == [
        ("ultracart", "order_create", "order", order_id, "gap", "waiting")
    ]
    assert read_bodies(any_scene.engine)[0] in any_scene.door.refused[0].decode()
    [event_id] = read_events(any_scene.engine, "id")
    columns = ("status", "entity", "entity_id", "http_status", "request_id", "event_id", "run_id")
    assert any_scene.told(*columns) == [
        ("failed", "order", order_id, answered, log["request_id"], event_id, "run-1")
    ]
    [reason] = any_scene.told("reason")
    assert reason == (
        f"UltraCart sent order_create at {log['delivery_dts']:%Y-%m-%d %H:%M} UTC "
        f"(request {log['request_id']}): {said}. "
        "Read again from UltraCart; it waits in the inbox as order_create."
    )


def test_what_ultracart_sent_again_is_not_lost(any_scene: Scene) -> None:
    """Three tries failed, the fourth was taken: the failed ones are counted as come later."""
    for _ in range(3):
        any_scene.place_order()
        any_scene.deliver(BUSY)
    any_scene.deliver()
    any_scene.let_pass(hours=1)

    numbers = any_scene.find().numbers()

    assert (numbers["deliveries"], numbers["failed"], numbers["came_later"]) == (4, 3, 3)
    assert (numbers["lost_orders"], any_scene.found_events()) == (0, [])


def test_a_retry_that_came_after_hours_counts(any_scene: Scene) -> None:
    """What was read again meanwhile is not lost once more when UltraCart's retry fails once more."""
    order_id = any_scene.place_order()
    any_scene.deliver(BUSY)
    any_scene.let_pass(hours=1)
    first = any_scene.find().numbers()
    any_scene.deliver(BUSY)
    any_scene.let_pass(hours=1)
    second = any_scene.find().numbers()
    any_scene.deliver()
    any_scene.let_pass(hours=1)
    third = any_scene.find().numbers()

    assert (first["lost_orders"], second["lost_orders"], third["lost_orders"]) == (1, 0, 0)
    assert read_events(any_scene.engine, "name", "entity_id", "found_by", "deliveries") == [
        ("order_create", order_id, "gap", 2)
    ]
    assert len(any_scene.told("reason")) == 1


def test_every_order_of_a_lost_delivery_is_read_again_once(any_scene: Scene) -> None:
    """One delivery of five events of two orders and a customer; a new order that was shipped is both."""
    first, second = any_scene.place_order(), any_scene.place_order()
    any_scene.ultracart.create_customer("someone@example.com")
    any_scene.ultracart.ship_order(first)
    any_scene.ultracart.reject_order(second)
    any_scene.deliver(STRANGER)
    any_scene.let_pass(hours=1)
    [log] = any_scene.webhook.logs
    assert len(log["event_names"]) == 5

    numbers = any_scene.find().numbers()

    assert (numbers["lost_orders"], numbers["recovered"], numbers["lost_customer_deliveries"]) == (2, 2, 0)
    assert any_scene.found_events() == [
        ("order_create", first), ("order_ship", first), ("order_create", second), ("order_reject", second),
    ]  # fmt: skip
    assert any_scene.told("entity_id") == [first, second]


def test_an_old_order_is_not_told_as_new(any_scene: Scene) -> None:
    """It shares a lost delivery with a new one; it is only what it has become."""
    any_scene.ultracart.store.clock = lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    old = any_scene.place_order()
    any_scene.webhook.queue.clear()
    any_scene.ultracart.store.clock = lambda: datetime.now(UTC).replace(microsecond=0)
    new = any_scene.place_order()
    any_scene.ultracart.refund_order(old, 500)
    any_scene.deliver(STRANGER)
    any_scene.let_pass(hours=1)

    any_scene.find()

    assert any_scene.found_events() == [("order_create", new), ("order_refund", old)]


def test_a_delivery_is_lost_as_a_whole(any_scene: Scene) -> None:
    """An order's event of a minute before does not hide that the next one was lost with another order's."""
    first = any_scene.place_order()
    any_scene.deliver()
    second = any_scene.place_order()
    any_scene.ultracart.ship_order(first)
    any_scene.deliver(STRANGER)
    any_scene.let_pass(hours=1)

    numbers = any_scene.find().numbers()

    assert numbers["lost_orders"] == 2
    assert any_scene.found_events() == [("order_create", second), ("order_ship", first)]


def test_news_that_came_another_way_are_not_lost(any_scene: Scene) -> None:
    """A refund's delivery was lost, but the rejection after it brought the same order: nothing is told."""
    order_id = any_scene.place_order()
    any_scene.deliver()
    any_scene.ultracart.refund_order(order_id)
    any_scene.deliver(STRANGER)
    any_scene.ultracart.reject_order(order_id)
    any_scene.deliver()
    any_scene.let_pass(hours=1)

    account = any_scene.find()

    assert (account.numbers()["lost_orders"], account.is_alarm()) == (0, False)
    assert [str(each.outcome) for each in account.recoveries] == ["known"]
    assert read_events(any_scene.engine, "name", "deliveries") == [("order_create", 1), ("order_reject", 1)]
    assert any_scene.told("reason") == []


def test_an_order_that_was_deleted_is_told_as_gone(any_scene: Scene) -> None:
    """UltraCart does not know it any more; it is told once."""
    gone, kept = any_scene.place_order(), any_scene.place_order()
    any_scene.deliver(STRANGER)
    del any_scene.ultracart.store.orders[gone]
    any_scene.let_pass(minutes=40)

    first, second = any_scene.find().numbers(), any_scene.find().numbers()

    assert (first["lost_orders"], first["recovered"], first["gone"]) == (2, 1, 1)
    assert (second["deliveries"], second["lost_orders"]) == (1, 0)
    assert any_scene.found_events() == [("order_create", kept)]
    assert "does not know this order any more" in dict(any_scene.told("entity_id", "reason"))[gone]
