"""An order of which an event tells too little is read again from UltraCart, or waits until it can be."""

from __future__ import annotations

import pytest

from tasks.inbox.outcomes import ApplyCounts
from tasks.inbox.settle import NOT_SHOWN
from tasks.records.digest import digest_of
from tasks.records.models import OrderStatus
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.running_receiver import body_of
from tests.inbox.workplace import Workplace, bare_event, event

NORA = "nora@example.com"
BATCH = "POST /order/orders/batch"


def rejected_order(workplace: Workplace) -> str:
    """An order that was placed and rejected, of which no event has come."""
    id = workplace.ultracart.place_order(NORA)
    workplace.ultracart.reject_order(id)
    workplace.happened()
    return id


def test_it_is_completed_from_ultracart(workplace: Workplace) -> None:
    """Several at once in one request; mirror and Thiio then hold all of each."""
    ids = [rejected_order(workplace) for _ in range(3)]

    counts = workplace.receive_and_work(*(bare_event("order_reject", id) for id in ids))

    assert counts == ApplyCounts(claimed=3, done=3)
    for id in ids:
        shop, mirror, in_thiio = workplace.at_ultracart(id), workplace.mirrored(id), workplace.in_thiio(id)
        assert digest_of(shop) == digest_of(mirror) == digest_of(in_thiio)
        assert (in_thiio.status, in_thiio.email, len(in_thiio.lines or ())) == (OrderStatus.REJECTED, NORA, 1)
    told = read_notifications(workplace.engine, "operation", direction="out")
    assert told[:4] == [BATCH, *["deliver order (order_reject)"] * 3]


def test_nothing_is_asked_if_the_mirror_knows_the_rest(workplace: Workplace) -> None:
    """The reject of a known order changes its status, and costs no request."""
    shown = body_of("order_ship")["events"][0]["order_ship"]
    [reject] = [each["order_reject"] for each in body_of("order_reject")]
    workplace.receive_and_work(event("order_ship", shown))
    shipped = workplace.in_thiio(shown["order_id"])
    reject["reject_dts"] = "2026-11-04T08:00:00-05:00"

    counts = workplace.receive_and_work(event("order_reject", reject))

    order = workplace.in_thiio(shown["order_id"])
    assert counts == ApplyCounts(claimed=1, done=1)
    assert (shipped.status, order.status) == (OrderStatus.COMPLETED, OrderStatus.REJECTED)
    assert (order.total_cents, order.lines) == (shipped.total_cents, shipped.lines)
    assert BATCH not in read_notifications(workplace.engine, "operation", direction="out")


def test_it_waits_if_ultracart_does_not_know_it(workplace: Workplace) -> None:
    """Perhaps it is too young; Thiio gets no half of it, and one beside it is done."""
    id = rejected_order(workplace)

    counts = workplace.receive_and_work(bare_event("order_reject", "DEMO-X"), bare_event("order_reject", id))

    assert counts == ApplyCounts(
        claimed=2,
        done=1,
        retried=1,
        failures=[f"inbox event 1 (order_reject DEMO-X) waits for another try: {NOT_SHOWN}"],
    )
    assert read_events(workplace.engine, "state", "attempts", "reason") == [
        ("waiting", 1, NOT_SHOWN),
        ("done", 1, None),
    ]
    assert workplace.connection.find_orders_by_ultracart_id(["DEMO-X", id]).keys() == {id}


@pytest.mark.parametrize("status", [503, 400])
def test_it_waits_if_ultracart_gives_no_answer(workplace: Workplace, status: int) -> None:
    """Whole orders of the same claim are done; later the order is read and delivered."""
    id = rejected_order(workplace)
    whole = workplace.ultracart.place_order(NORA)
    workplace.ultracart.faults.add(path="/order/orders/batch", status=status, times=4 if status == 503 else 1)

    first = workplace.receive_and_work(bare_event("order_reject", id), *workplace.happened())
    states = read_events(workplace.engine, "state")
    second = workplace.work(wait_seconds=60)

    assert (first.claimed, first.done, first.retried, states) == (2, 1, 1, ["waiting", "done"])
    assert second == ApplyCounts(claimed=1, done=1)
    assert [workplace.in_thiio(each).status for each in (id, whole)] == [
        OrderStatus.REJECTED,
        OrderStatus.PROCESSING,
    ]
