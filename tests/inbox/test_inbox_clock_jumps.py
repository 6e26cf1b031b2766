"""A clock that jumps by an hour, forwards or backwards, loses no event and closes none twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from tasks.records.digest import digest_of
from tests.inbox.fussy_thiio import another, fuss
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.workplace import Workplace

NORA = "nora@example.com"
HOUR = 3_600
PLACES = ["before the claim", "after the claim", "while delivering", "before the end"]


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forwards", "backwards"])
@pytest.mark.parametrize("place", PLACES)
def test_a_jump_loses_nothing_and_closes_nothing_twice(
    any_workplace: Workplace, place: str, jump: int
) -> None:
    """A second worker takes what it can get right after the jump, the first one goes on as if nothing was."""
    workplace = any_workplace
    ids = [workplace.ultracart.place_order(NORA) for _ in range(3)]
    workplace.ultracart.ship_order(ids[0])
    workplace.receive(*workplace.happened())

    with time_machine.travel(datetime.now(UTC)) as clock, another(workplace, "run-2") as other:

        def jump_at(here: str) -> None:
            if here == place:
                clock.shift(jump)
                other.work(limit=2)

        def before(id: str) -> None:
            jump_at("while delivering" if id == ids[1] else "before the end" if id == ids[2] else "")

        fuss(workplace, before)
        jump_at("before the claim")
        claim, _ = workplace.applier.take(100)
        jump_at("after the claim")
        workplace.applier.apply(claim)
        clock.shift(2 * HOUR)
        workplace.work()
        other.work()

    assert read_events(workplace.engine, "state") == ["done"] * 4
    told = read_notifications(workplace.engine, "event_id", "status")
    assert sorted(id for id, status in told if status == "successful") == [1, 2, 3, 4]
    for id in ids:
        sides = (workplace.at_ultracart(id), workplace.mirrored(id), workplace.in_thiio(id))
        assert len({digest_of(order) for order in sides}) == 1
