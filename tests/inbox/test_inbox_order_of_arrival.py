"""Webhooks come in any order, late and again: the newest state stands in the end."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from tasks.inbox.events import NewEvent, make_event
from tasks.inbox.outcomes import ApplyCounts
from tasks.records.models import Order, OrderStatus
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.workplace import Workplace

NORA = "nora@example.com"


def test_a_refund_may_come_before_its_order(workplace: Workplace) -> None:
    """It makes the order as it is then; the older picture that follows changes nothing."""
    workplace.let_time_pass()
    id = workplace.ultracart.place_order(NORA)
    workplace.ultracart.refund_order(id, 500)
    created, refunded = workplace.happened()

    workplace.receive_and_work(refunded)
    before = (workplace.in_thiio(id), workplace.thiio.find_order(id), workplace.mirrored(id))
    counts = workplace.receive_and_work(created)

    assert counts == ApplyCounts(claimed=1, done=1)
    assert before == (workplace.in_thiio(id), workplace.thiio.find_order(id), workplace.mirrored(id))
    assert (before[0].refunded_cents, before[0].status) == (500, OrderStatus.PROCESSING)
    assert read_events(workplace.engine, "name", "state") == [
        ("order_refund", "done"),
        ("order_create", "done"),
    ]
    assert read_notifications(workplace.engine, "operation", "status", direction="out") == [
        ("deliver order (order_refund)", "successful"),
        ("deliver order (order_create)", "skipped"),
    ]


def test_the_newest_of_several_events_is_the_one_delivered(workplace: Workplace) -> None:
    """By the dates of their objects: what was received last may be old."""
    workplace.let_time_pass()
    id = workplace.ultracart.place_order(NORA)
    workplace.receive_and_work(*workplace.happened())
    workplace.ultracart.ship_order(id)
    workplace.ultracart.refund_order(id, 500)
    workplace.ultracart.reject_order(id)
    shipped, refunded, rejected = workplace.happened()

    counts = workplace.receive_and_work(shipped, rejected, refunded)

    assert counts == ApplyCounts(claimed=3, done=3)
    assert read_notifications(workplace.engine, "operation", direction="out") == [
        "deliver order (order_create)",
        "deliver order (order_reject)",
    ]
    assert workplace.in_thiio(id).status is OrderStatus.REJECTED


def test_an_order_that_is_new_is_told_as_new_whatever_happened_since(workplace: Workplace) -> None:
    """A connection that only takes new orders would else never hear of it; its state is the newest."""
    workplace.let_time_pass()
    id = workplace.ultracart.place_order(NORA)
    workplace.ultracart.ship_order(id)
    workplace.ultracart.refund_order(id, 500)
    created, shipped, refunded = workplace.happened()

    counts = workplace.receive_and_work(shipped, refunded, created)

    assert counts == ApplyCounts(claimed=3, done=3)
    assert read_notifications(workplace.engine, "operation", direction="out") == [
        "deliver order (order_create)"
    ]
    assert workplace.in_thiio(id).refunded_cents == 500


def test_any_order_of_arrival_ends_the_same(workplace: Workplace) -> None:
    """All 24 orders of four events, each taken in two claims of any size: one final row, one final mirror."""
    workplace.let_time_pass()
    id = workplace.ultracart.place_order(NORA, (("BONE", 3),))
    workplace.ultracart.ship_order(id, ["1Z1"])
    workplace.ultracart.refund_order(id, 200)
    workplace.ultracart.reject_order(id)
    history = workplace.happened()
    workplace.receive_and_work(*history)
    expected = final_state(workplace, id, id)

    for number, arrival in enumerate(permutations(range(4))):
        copy_id = f"DEMO-COPY-{number}"
        events = [copied(history[at], id, copy_id) for at in arrival]
        cut = number % 4
        workplace.receive_and_work(*events[:cut])
        workplace.receive_and_work(*events[cut:])
        assert final_state(workplace, copy_id, id) == expected, arrival

    assert [order.refunded_cents for order in expected] == [200, 200]
    assert [order.status for order in expected] == [OrderStatus.REJECTED] * 2
    assert set(read_events(workplace.engine, "state", "attempts")) == {("done", 1)}


def copied(event: NewEvent, id: str, copy_id: str) -> NewEvent:
    """The same event of another order."""
    return make_event("ultracart", event.name, "order", copy_id, event.body.replace(id, copy_id).encode())


def final_state(workplace: Workplace, order_id: str, as_id: str) -> list[Order]:
    """An order in the mirror and in Thiio, under the ids of another."""
    mirrored, in_thiio = workplace.mirrored(order_id), workplace.in_thiio(order_id)
    return [replace(mirrored, id=as_id), replace(in_thiio, id="", other_side_id=as_id, as_of=mirrored.as_of)]


def test_an_event_that_comes_again_after_a_newer_one_changes_nothing(workplace: Workplace) -> None:
    """A replay of all there ever was leaves the last state."""
    workplace.let_time_pass()
    id = workplace.ultracart.place_order(NORA)
    workplace.ultracart.ship_order(id)
    events = workplace.happened()
    workplace.receive_and_work(*events)
    before = (workplace.thiio.find_order(id), workplace.mirrored(id))

    for event in events:
        workplace.receive_and_work(replace(event, digest=f"again-{event.digest}"[:64]))

    assert (workplace.thiio.find_order(id), workplace.mirrored(id)) == before
    assert read_events(workplace.engine, "state") == ["done"] * 4
