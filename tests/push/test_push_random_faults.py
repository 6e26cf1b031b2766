"""Whatever happens on the way, in the end every order is at UltraCart exactly once."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

import pytest

from tasks.errors import RemoteUnavailable
from tasks.push.pusher import SendCounts
from tests.push.desk import IMPORT, LOOK_UP, Desk

ORDERS = 40
MOST_RUNS = 120
FAULTS: tuple[dict[str, Any], ...] = (
    {},
    {"cut": "before"},
    {"cut": "after"},
    {"status": 500},
    {"status": 429},
    {"delay_seconds": 0.005},
)


def plant_faults(desk: Desk, random: Random) -> None:
    """Give each of the next imports a random fault, and every fifth look-up one that outlasts its tries."""
    for _ in range(4 * ORDERS):
        desk.ultracart.faults.add(method="POST", path=IMPORT, **random.choice(FAULTS))
    for _ in range(ORDERS):
        if random.random() < 0.2:
            desk.ultracart.faults.add(path=LOOK_UP, status=503, times=4)
        else:
            desk.ultracart.faults.add(path=LOOK_UP)


def run_and_die(desk: Desk, random: Random) -> None:
    """Settle, plan and send; what stops a run is left to the next one five minutes later; some are killed."""
    desk.later(minutes=5)
    with suppress(RemoteUnavailable):
        desk.settle()
        planned = [order.thiio_order_id for order in desk.plan() if order.outcome == "planned"]
        if planned and random.random() < 0.3:
            desk.kill_before_the_call(random.choice(planned))
        desk.pusher.send(planned)


@pytest.mark.parametrize(
    ("seed", "takes_duplicates"),
    [
        pytest.param(1, True, id="UltraCart takes duplicates"),
        pytest.param(2, True, id="UltraCart takes duplicates, other faults"),
        pytest.param(3, False, id="UltraCart refuses duplicates"),
    ],
)
def test_every_order_arrives_once(desk: Desk, seed: int, takes_duplicates: bool) -> None:
    """Forty orders, each import with a fault of its own, until all are confirmed."""
    random = Random(seed)  # noqa: S311  # the same faults each time
    desk.ultracart.store.takes_duplicate_imports = takes_duplicates
    ids = [desk.thiio.place_phone_order() for _ in range(ORDERS)]
    plant_faults(desk, random)

    for _ in range(MOST_RUNS):
        run_and_die(desk, random)
        if set(desk.states().values()) == {"confirmed"}:
            break

    links = desk.links()
    assert desk.states() == dict.fromkeys(ids, "confirmed")
    assert desk.ultracart.imports == {f"THIIO-{id}": 1 for id in ids}
    assert sorted(links) == sorted(ids)
    assert len(set(links.values())) == ORDERS
    assert {id: desk.named_in_thiio(id) for id in ids} == links
    assert sum(push["attempts"] for push in desk.pushes().values()) > ORDERS
    assert desk.run() == SendCounts()
