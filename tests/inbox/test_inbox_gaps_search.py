"""How far the search for lost webhooks looks, and how it judges whom the log does not name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tasks.errors import RemoteUnavailable, SetupError
from tests.inbox.inbox_rows import read_events
from tests.inbox.lost_webhooks import BUSY, NORA, STRANGER, Scene


def test_a_delivery_is_left_alone_while_ultracart_may_send_it_again(any_scene: Scene) -> None:
    """Within the grace period it is neither lost nor passed over: the run after that finds it."""
    order_id = any_scene.place_order()
    any_scene.deliver(BUSY)
    any_scene.let_pass(minutes=20)
    early = any_scene.find()
    any_scene.let_pass(minutes=11)
    late = any_scene.find()

    assert (early.numbers()["deliveries"], early.numbers()["lost_orders"]) == (0, 0)
    assert (late.numbers()["deliveries"], late.numbers()["lost_orders"]) == (1, 1)
    assert any_scene.found_events() == [("order_create", order_id)]


def test_a_second_search_of_the_same_time_finds_nothing_new(any_scene: Scene) -> None:
    """Neither event nor notification is there twice, and no receipt is counted."""
    any_scene.place_order()
    any_scene.deliver(STRANGER)
    any_scene.let_pass(minutes=40)
    first = any_scene.find().numbers()
    again = [any_scene.find(), any_scene.find(start=datetime.now(UTC) - timedelta(days=1))]

    assert first["lost_orders"] == 1
    assert [(each.numbers()["deliveries"], each.numbers()["lost_orders"]) for each in again] == [(1, 0)] * 2
    assert read_events(any_scene.engine, "deliveries") == [1]
    assert len(any_scene.told("reason")) == 1


def test_a_log_of_more_than_one_page_is_read_whole(any_scene: Scene) -> None:
    """A page has 200 deliveries; the oldest is on the second one."""
    any_scene.webhook.resource["maximum_events"] = 1
    ids = [any_scene.place_order() for _ in range(203)]
    any_scene.deliver(STRANGER)
    any_scene.let_pass(hours=1)
    assert len(any_scene.webhook.logs) == 203

    numbers = any_scene.find().numbers()

    assert (numbers["deliveries"], numbers["recovered"]) == (203, 203)
    assert sorted(id for _, id in any_scene.found_events()) == ids


@pytest.mark.parametrize("minutes", [-2, 2], ids=["ultracart-ahead", "ultracart-behind"])
def test_two_minutes_between_the_clocks_lose_nothing(any_scene: Scene, minutes: int) -> None:
    """What arrived counts as arrived; what was lost is lost."""
    any_scene.ultracart.create_customer("someone@example.com")
    any_scene.deliver()
    any_scene.place_order()
    any_scene.deliver()
    lost = any_scene.place_order()
    any_scene.deliver(BUSY)
    any_scene.let_pass(hours=1)
    any_scene.set_back_log(timedelta(minutes=minutes))

    numbers = any_scene.find().numbers()

    assert (numbers["lost_orders"], numbers["lost_customer_deliveries"]) == (1, 0)
    assert any_scene.found_events() == [("order_create", lost)]


def test_a_search_that_breaks_has_changed_nothing(any_scene: Scene) -> None:
    """UltraCart gives 500 orders and refuses the next call: the next run finds all of them."""
    any_scene.webhook.resource["maximum_events"] = 600
    ids = [any_scene.place_order() for _ in range(503)]
    any_scene.deliver(STRANGER)
    any_scene.let_pass(hours=1)
    any_scene.ultracart.limit_calls(per_hour=3)

    with pytest.raises(RemoteUnavailable, match="rate of 3 per 3600"):
        any_scene.find()
    assert (any_scene.watermark, any_scene.found_events(), any_scene.told("reason")) == (None, [], [])

    any_scene.ultracart.limit_calls()
    numbers = any_scene.find().numbers()

    assert (numbers["lost_orders"], numbers["recovered"]) == (503, 503)
    assert sorted(id for _, id in any_scene.found_events()) == ids


def test_a_search_goes_on_where_the_last_one_ended(any_scene: Scene) -> None:
    """Less the overlap: an old loss that was told is not even read from the log."""
    any_scene.place_order()
    any_scene.deliver(STRANGER)
    any_scene.let_pass(hours=2)
    any_scene.find()
    any_scene.let_pass(hours=2)

    account = any_scene.find()

    assert account.numbers()["deliveries"] == 0
    reach = datetime.now(UTC) - account.findings.window.start
    assert timedelta(hours=2, minutes=59) < reach < timedelta(hours=3, minutes=1)


def test_times_given_by_hand_leave_the_watermark(any_scene: Scene) -> None:
    """Whoever looks at last week again does not make the next run skip what lies between."""
    order_id = any_scene.place_order()
    any_scene.deliver(STRANGER)
    any_scene.let_pass(days=5)

    any_scene.find(start=datetime.now(UTC) - timedelta(days=6))

    assert any_scene.watermark is None
    assert any_scene.found_events() == [("order_create", order_id)]


def test_a_search_reaches_no_further_back_than_the_inbox_remembers(any_scene: Scene) -> None:
    """What was pruned would look lost, and be brought to Thiio once more."""
    any_scene.place_order()
    any_scene.deliver(STRANGER)
    any_scene.let_pass(days=91)

    account = any_scene.find(start=datetime.now(UTC) - timedelta(days=200))

    assert (account.numbers()["deliveries"], any_scene.found_events()) == (0, [])


def test_tries_under_one_request_id_are_each_read(any_scene: Scene) -> None:
    """Whether UltraCart's retry has an id of its own is not published: the one that was taken must count."""
    any_scene.place_order()
    any_scene.deliver(BUSY)
    any_scene.set_back_log(timedelta(minutes=1))
    any_scene.deliver()
    for log in any_scene.webhook.logs:
        log["request_id"] = "THE-SAME"
    any_scene.let_pass(hours=1)

    numbers = any_scene.find().numbers()

    assert (numbers["deliveries"], numbers["failed"], numbers["lost_orders"]) == (2, 1, 0)


def test_each_webhook_has_its_own_watermark(any_scene: Scene) -> None:
    """A webhook that was registered anew has a log of its own, which is read from its beginning."""
    any_scene.let_pass(hours=1)
    any_scene.find()
    any_scene.ultracart.move_webhooks(any_scene.url, "ultracart", "a made-up secret")
    order_id = any_scene.place_order()
    any_scene.deliver(STRANGER)
    any_scene.set_back_log(timedelta(days=2))

    any_scene.find()

    assert any_scene.found_events() == [("order_create", order_id)]


def test_customers_that_were_lost_are_counted_apart(any_scene: Scene) -> None:
    """Their log names nobody: the delivery is told, once, with what will find them."""
    any_scene.ultracart.create_customer(NORA)
    any_scene.deliver(BUSY)
    any_scene.webhook.queue.clear()
    any_scene.let_pass(minutes=40)

    first, second = any_scene.find(), any_scene.find()

    assert second.numbers()["deliveries"] == 1
    assert (first.numbers()["lost_orders"], first.numbers()["lost_customer_deliveries"]) == (0, 1)
    assert (first.is_alarm(), second.is_alarm()) == (True, False)
    assert any_scene.told("entity", "entity_id", "http_status") == [("customer", None, 503)]
    assert "pull-records finds them" in any_scene.told("reason")[0]


def test_customers_that_ultracart_sent_again_are_not_lost(any_scene: Scene) -> None:
    """A later delivery with the same events was taken."""
    any_scene.ultracart.create_customer(NORA)
    any_scene.deliver(BUSY)
    any_scene.deliver()
    any_scene.let_pass(hours=1)

    assert not any_scene.find().is_alarm()


def test_customers_that_came_once_more_are_not_lost(any_scene: Scene) -> None:
    """The same event of weeks ago, delivered again: the inbox counts it and keeps when it first came."""
    any_scene.ultracart.create_customer(NORA)
    queued = list(any_scene.webhook.queue)
    any_scene.deliver()
    any_scene.let_pass(days=20)
    any_scene.webhook.queue += queued
    any_scene.deliver()
    any_scene.let_pass(hours=1)

    account = any_scene.find()

    assert read_events(any_scene.engine, "deliveries") == [2]
    assert (account.numbers()["deliveries"], account.is_alarm()) == (1, False)


def test_customers_that_something_else_took_are_lost(any_scene: Scene) -> None:
    """UltraCart calls it delivered, but no event of a customer came at that time."""
    any_scene.ultracart.create_customer(NORA)
    any_scene.deliver()
    any_scene.let_pass(minutes=30)
    any_scene.ultracart.create_customer("someone@example.com")
    any_scene.deliver(STRANGER)
    any_scene.let_pass(hours=1)

    assert any_scene.find().numbers()["lost_customer_deliveries"] == 1
    assert any_scene.told("http_status") == [200]


def test_without_a_webhook_there_is_nothing_to_compare(any_scene: Scene) -> None:
    """The sentence says what to do."""
    with pytest.raises(
        SetupError, match=r"no webhook that delivers to https://other.*`ultrathiio check --fix`"
    ):
        any_scene.look(url="https://other.example.com/webhooks/ultracart")
