"""Whatever order events come in, however often, cut into whatever claims: the same record in the end."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tasks.inbox.events import NewEvent, make_event
from tasks.records.models import Entity
from tests.inbox.inbox_rows import read_events
from tests.inbox.workplace import Workplace

NORA = "nora@example.com"
SECOND = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
LONGEST = 8


@dataclass(slots=True)
class History:
    """What happened to one record. Each example lives through it with a copy of that record."""

    workplace: Workplace
    entity: Entity
    id: str
    events: list[NewEvent]
    numbers: Iterator[int]

    def live_through(self, arrival: list[int], cuts: set[int]) -> Any:
        """Let a copy's events come in, worked off at each cut, and give how the copy ends."""
        number = next(self.numbers)
        id = self._copied(number, self.id)
        self._copy_at_ultracart(number, id)
        for at, index in enumerate(arrival):
            event = self.events[index]
            body = self._copied(number, event.body).encode()
            came = make_event(event.source, event.name, event.entity, id, body)
            # A digest of its own each time: as a replay brings an event to work once more.
            self.workplace.receive(replace(came, digest=f"{at}-{came.digest}"[:64]))
            if at in cuts:
                self.workplace.work()
        self.workplace.work()
        return self._ending(id)

    def _copied(self, number: int, text: str) -> str:
        """Give the copy's id and e-mail instead of the original's."""
        id = f"DEMO-COPY-{number}" if self.entity is Entity.ORDER else str(9_000_000 + number)
        return text.replace(self.id, id).replace(NORA, f"nora-{number}@example.com")

    def _copy_at_ultracart(self, number: int, id: str) -> None:
        store = self.workplace.ultracart.store
        email = self._copied(number, NORA)
        if self.entity is Entity.ORDER:
            order = copy.deepcopy(store.orders[self.id])
            order["billing"]["email"] = email
            store.orders[id] = order | {"order_id": id}
        else:
            customer = copy.deepcopy(store.customers[int(self.id)])
            store.customers[int(id)] = customer | {"customer_profile_oid": int(id), "email": email}

    def _ending(self, id: str) -> Any:
        same = {"id": "", "email": None, "email_key": None}
        if self.entity is Entity.ORDER:
            ours, theirs = self.workplace.mirrored(id), self.workplace.in_thiio(id)
            return replace(ours, **same), replace(theirs, **same, other_side_id=None, as_of=ours.as_of)
        row = self.workplace.thiio.read_customer(str(self.workplace.link_of(self.entity, id)))
        personal = {"id", "email", "ultracart_id", "created_at", "updated_at", "ultracart_synced_at"}
        theirs = {name: value for name, value in row.items() if name not in personal}
        return replace(self.workplace.mirrored_customer(id), **same), theirs


def live_orders(workplace: Workplace) -> str:
    """An order that was placed, shipped, refunded in two steps, and rejected."""
    shop = workplace.ultracart
    id = shop.place_order(NORA, (("BONE", 3),))
    shop.ship_order(id, ["1Z1"])
    shop.refund_order(id, 200)
    shop.refund_order(id, 300)
    shop.reject_order(id)
    return id


def live_customers(workplace: Workplace) -> str:
    """A customer that signed up and moved twice."""
    oid = workplace.ultracart.create_customer(NORA, city="Olympia")
    workplace.ultracart.update_customer(oid, city="Tacoma", address1="1 New Way")
    workplace.ultracart.update_customer(oid, city="Yakima", address2="Second floor")
    return str(oid)


@pytest.fixture(params=[Entity.ORDER, Entity.CUSTOMER])
def entity(request: pytest.FixtureRequest) -> Entity:
    """What the history is of."""
    kind: Entity = request.param
    return kind


@pytest.fixture(params=["minutes apart", "in one second"])
def history(request: pytest.FixtureRequest, workplace: Workplace, entity: Entity) -> History:
    """A history whose dates tell what is newer, and one whose dates do not."""
    if request.param == "in one second":
        workplace.ultracart.store.clock = lambda: SECOND
    else:
        workplace.let_time_pass()
    id = live_orders(workplace) if entity is Entity.ORDER else live_customers(workplace)
    return History(workplace, entity, id, workplace.happened(), count())


def test_any_arrival_in_any_claims_ends_as_the_undisturbed_one(history: History) -> None:
    """All events come at least once, some again; mirror and Thiio end as if each had come in its turn."""
    number = len(history.events)
    undisturbed = history.live_through([*range(number)], {*range(number)})
    seen = []

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # an example is short anyway, and to shrink it takes minutes
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        again = data.draw(st.lists(st.integers(0, number - 1), max_size=LONGEST - number), label="again")
        arrival = data.draw(st.permutations([*range(number), *again]), label="arrival")
        cuts = data.draw(st.sets(st.integers(0, len(arrival) - 1)), label="cuts")
        assert history.live_through(arrival, cuts) == undisturbed
        seen.append(arrival)

    check()

    assert len(seen) >= 15
    assert set(read_events(history.workplace.engine, "state", "attempts")) == {("done", 1)}
