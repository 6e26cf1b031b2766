"""Two pictures of one second that disagree: UltraCart is asked which is true, and only then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine

from tasks.inbox.events import NewEvent
from tasks.inbox.outcomes import ApplyCounts
from tasks.inbox.settle import REFUSED
from tasks.loopback import serve_on_loopback
from tasks.records.digest import digest_of
from tasks.records.models import Entity
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.serialize import Money
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.workplace import Workplace, event

NORA = "nora@example.com"
BATCH = "POST /rest/v2/order/orders/batch"
SECOND = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@pytest.fixture
def calls(ultracart: UltraCartSandbox) -> Iterator[list[str]]:
    """The calls that UltraCart's stand-in gets, as they come in at its door."""
    seen: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.path}")
        return ultracart.respond(request)

    with serve_on_loopback(respond) as url:
        ultracart.base_url = f"{url}/rest/v2"
        yield seen


@pytest.fixture
def workplace(
    any_engine: Engine, ultracart: UltraCartSandbox, calls: list[str], thiio: ThiioSandbox
) -> Iterator[Workplace]:
    """A workplace whose shop does everything within one second."""
    with Workplace.open(any_engine, ultracart, thiio) as workplace:
        ultracart.store.clock = lambda: SECOND
        yield workplace


def placed_and_refunded(workplace: Workplace) -> tuple[str, list[NewEvent]]:
    """An order with two events of one second, and no other events."""
    id = workplace.ultracart.place_order(NORA)
    workplace.ultracart.refund_order(id, 200)
    return id, workplace.happened()


def agree(workplace: Workplace, id: str) -> bool:
    """Tell whether shop, mirror and Thiio hold the same order."""
    sides = (workplace.at_ultracart(id), workplace.mirrored(id), workplace.in_thiio(id))
    return len({digest_of(order) for order in sides}) == 1


@pytest.mark.parametrize("turned", [False, True], ids=["as it happened", "the other way round"])
def test_many_ties_of_a_claim_are_settled_by_one_call(
    workplace: Workplace, calls: list[str], turned: bool
) -> None:
    """Whatever came first: mirror and Thiio hold what the shop holds."""
    orders = [placed_and_refunded(workplace) for _ in range(3)]
    events = [each for _, pair in orders for each in (reversed(pair) if turned else pair)]

    counts = workplace.receive_and_work(*events)

    assert (counts, calls) == (ApplyCounts(claimed=6, done=6), [BATCH])
    assert all(agree(workplace, id) for id, _ in orders)
    assert [workplace.in_thiio(id).refunded_cents for id, _ in orders] == [200] * 3


@pytest.mark.parametrize("first", [0, 1])
def test_a_tie_over_two_claims_is_settled(workplace: Workplace, calls: list[str], first: int) -> None:
    """The second picture meets the first one in the mirror; what stood there does not win for that."""
    id = workplace.ultracart.place_order(NORA)
    workplace.ultracart.ship_order(id, ["1Z1"])
    pair = workplace.happened()

    seen = [workplace.receive_and_work(pair[first]), list(calls), workplace.receive_and_work(pair[1 - first])]

    once = ApplyCounts(claimed=1, done=1)
    assert (seen, calls) == ([once, [], once], [BATCH])
    assert agree(workplace, id)
    assert workplace.in_thiio(id).tracking_numbers == ("1Z1",)


@pytest.mark.parametrize("claims", [1, 2])
@pytest.mark.parametrize("turned", [False, True], ids=["as it happened", "the other way round"])
def test_a_tie_of_a_customer_is_settled(
    workplace: Workplace, calls: list[str], claims: int, turned: bool
) -> None:
    """By a call of its own, since UltraCart gives one customer a call."""
    oid = workplace.ultracart.create_customer(NORA, city="Olympia")
    workplace.ultracart.update_customer(oid, city="Tacoma")
    events = workplace.happened()[:: -1 if turned else 1]

    for some in [events] if claims == 1 else [[each] for each in events]:
        workplace.receive_and_work(*some)

    thiio_id = str(workplace.link_of(Entity.CUSTOMER, str(oid)))
    assert calls == [f"GET /rest/v2/customer/customers/{oid}"]
    assert (workplace.mirrored_customer(str(oid)).city, workplace.thiio.read_customer(thiio_id)["city"]) == (
        "Tacoma",
        "Tacoma",
    )
    assert read_events(workplace.engine, "state") == ["done"] * 2


def test_pictures_that_agree_need_no_call(workplace: Workplace, calls: list[str]) -> None:
    """Two events of one second that tell the same, in one claim and over two."""
    workplace.ultracart.place_order(NORA)
    [created] = workplace.happened()
    copies = [event(name, json.loads(created.body)) for name in ("order_ship", "order_refund")]

    workplace.receive_and_work(created, copies[0])
    workplace.receive_and_work(copies[1])

    assert (calls, read_events(workplace.engine, "state")) == ([], ["done"] * 3)


def test_a_newer_picture_settles_the_tie_without_a_call(workplace: Workplace, calls: list[str]) -> None:
    """It tells all that was in doubt; in any place of the claim."""
    id, pair = placed_and_refunded(workplace)
    workplace.ultracart.store.clock = lambda: SECOND + timedelta(seconds=1)
    workplace.ultracart.ship_order(id, ["1Z1"])

    counts = workplace.receive_and_work(pair[1], *workplace.happened(), pair[0])

    assert (counts, calls) == (ApplyCounts(claimed=3, done=3), [])
    assert agree(workplace, id)


def test_an_older_tie_is_no_doubt(workplace: Workplace, calls: list[str]) -> None:
    """What the mirror knows is newer than both."""
    id, pair = placed_and_refunded(workplace)
    workplace.ultracart.store.clock = lambda: SECOND + timedelta(seconds=1)
    workplace.ultracart.ship_order(id, ["1Z1"])
    workplace.receive_and_work(*workplace.happened())

    workplace.receive_and_work(*pair)

    assert calls == []
    assert agree(workplace, id)


def test_what_ultracart_no_longer_knows_stays_as_it_came_last(workplace: Workplace, calls: list[str]) -> None:
    """A customer and an order that were deleted meanwhile: nobody can say more, and nothing waits."""
    oid = workplace.ultracart.create_customer(NORA, city="Olympia")
    workplace.ultracart.update_customer(oid, city="Tacoma")
    id = workplace.ultracart.place_order(NORA)
    workplace.ultracart.ship_order(id, ["1Z1"])
    created, updated, placed, shipped = workplace.happened()
    del workplace.ultracart.store.orders[id]
    del workplace.ultracart.store.customers[oid]

    counts = workplace.receive_and_work(updated, created, placed, shipped)

    assert (counts, len(calls)) == (ApplyCounts(claimed=4, done=4), 2)
    assert workplace.mirrored_customer(str(oid)).city == "Olympia"
    assert workplace.mirrored(id).tracking_numbers == workplace.in_thiio(id).tracking_numbers == ("1Z1",)


@pytest.mark.parametrize("status", [503, 400])
def test_a_tie_waits_while_ultracart_is_away(workplace: Workplace, calls: list[str], status: int) -> None:
    """Thiio keeps what it has, another order is done, and the tie is settled later."""
    id, (created, refunded) = placed_and_refunded(workplace)
    workplace.receive_and_work(created)
    whole = workplace.ultracart.place_order(NORA)
    workplace.ultracart.faults.add(path="/order/orders/batch", status=status, times=4 if status == 503 else 1)

    first = workplace.receive_and_work(refunded, *workplace.happened())
    between = (workplace.mirrored(id).refunded_cents, workplace.in_thiio(id).refunded_cents)
    second = workplace.work(wait_seconds=60)

    assert (first.claimed, first.done, first.retried, between) == (2, 1, 1, (0, 0))
    assert second == ApplyCounts(claimed=1, done=1)
    assert read_events(workplace.engine, "attempts") == [1, 2, 1]
    assert agree(workplace, id)
    assert agree(workplace, whole)


def test_what_is_read_again_and_cannot_be_held_is_dead_alone(workplace: Workplace) -> None:
    """The other ties of the same call are settled."""
    huge, events = placed_and_refunded(workplace)
    fine, others = placed_and_refunded(workplace)
    workplace.ultracart.store.orders[huge]["summary"]["total"] = Money(10**20)

    counts = workplace.receive_and_work(*events, *others)

    assert (counts.claimed, counts.done, counts.dead) == (4, 2, 2)
    assert read_events(workplace.engine, "state", "reason") == [("dead", REFUSED)] * 2 + [("done", None)] * 2
    assert agree(workplace, fine)


def test_what_is_read_again_and_cannot_be_used_is_dead_alone(workplace: Workplace) -> None:
    """The reason is UltraCart's record; the other ties of the same call are settled."""
    wrong, events = placed_and_refunded(workplace)
    fine, others = placed_and_refunded(workplace)
    order = workplace.ultracart.store.orders[wrong]
    for place in (order, order["payment"], *order["items"]):
        for name in [name for name in place if name.endswith("_dts")]:
            del place[name]

    counts = workplace.receive_and_work(*events, *others)

    assert (counts.done, counts.dead) == (2, 2)
    assert f"UltraCart order {wrong} carries no date" in counts.failures[0]
    assert read_notifications(workplace.engine, "event_id", "status") == [
        (1, "failed"),
        (2, "failed"),
        (3, "successful"),
        (4, "successful"),
    ]
    assert agree(workplace, fine)
