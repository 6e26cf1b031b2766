"""Several workers at once, several events a record: each is closed once, and the newest state stands."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from tasks.database.engine import open_database, open_engine
from tasks.inbox.events import NewEvent
from tasks.inbox.outcomes import ApplyCounts
from tasks.records.digest import digest_of
from tasks.records.mirror import find_customers, find_orders, save_customers, save_orders
from tasks.records.models import OrderStatus, Side
from tasks.seed import Shop
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.builders import NOON, make_customer, make_order
from tests.inbox.fussy_thiio import another
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.running_receiver import url_of
from tests.inbox.workplace import NOWHERE, Workplace

EVENTS = 44


def live_through_a_day(workplace: Workplace) -> list[NewEvent]:
    """Four new customers and ten new orders with three or four events each, in no order at all."""
    shop = workplace.ultracart
    workplace.let_time_pass()
    for number in range(4):
        oid = shop.create_customer(f"worker-{number}@example.com", city="Olympia")
        shop.update_customer(oid, city="Tacoma")
    for number in range(10):
        id = shop.place_order(f"worker-{number % 4}@example.com", (("BONE", 3),))
        shop.ship_order(id, [f"1Z{number}"])
        shop.refund_order(id, 100)
        if number < 6:
            shop.reject_order(id)
    events = workplace.happened()
    Random(1).shuffle(events)  # noqa: S311  # the same disorder each time
    return events


def mirror_of(engine: Engine, events: list[NewEvent]) -> list[Any]:
    """All that the mirror holds of the events' records."""
    ids = {kind: sorted({e.entity_id for e in events if e.entity == kind}) for kind in ("customer", "order")}
    with engine.connect() as connection:
        return [
            find_customers(connection, Side.ULTRACART, ids["customer"]),
            find_orders(connection, Side.ULTRACART, ids["order"]),
        ]


@pytest.fixture
def alone(tmp_path: Path, ultracart: UltraCartSandbox, shop: Shop) -> Iterator[Workplace]:
    """A workplace of one worker, with a database and a Thiio of its own."""
    thiio = ThiioSandbox(tmp_path / "other-thiio", shop)
    engine = open_database(f"sqlite:///{tmp_path / 'alone.sqlite3'}")
    with Workplace.open(engine, ultracart, thiio) as workplace:
        yield workplace
    thiio.close()
    engine.dispose()


def work_together(workplace: Workplace, count: int) -> ApplyCounts:
    """Let so many workers, each with engine and connection of its own, begin at once; give all they did."""
    together = threading.Barrier(count)

    def work(number: int) -> ApplyCounts:
        engine = open_engine(url_of(workplace.engine))
        total = ApplyCounts()
        with another(replace(workplace, engine=engine), f"run-{number}") as mine:
            together.wait()
            while (counts := mine.work(limit=3)).claimed:
                total.add(counts)
        engine.dispose()
        return total

    total = ApplyCounts()
    with ThreadPoolExecutor(count) as workers:
        for each in workers.map(work, range(count)):
            total.add(each)
    return total


@pytest.mark.parametrize("count", [2, 4, 8])
def test_workers_at_once_do_what_one_would(alone: Workplace, any_workplace: Workplace, count: int) -> None:
    """Three events a claim, so that the events of one record are in several hands, one after the other."""
    workplace = any_workplace
    alone.ultracart.move_webhooks(*NOWHERE)  # one webhook, though both workplaces have registered theirs
    events = live_through_a_day(alone)
    alone.receive_and_work(*events)
    workplace.receive(*events)

    total = work_together(workplace, count)

    assert total == ApplyCounts(claimed=EVENTS, done=EVENTS)
    assert read_events(workplace.engine, "state", "attempts") == [("done", 1)] * EVENTS
    assert sorted(read_notifications(workplace.engine, "event_id")) == list(range(1, EVENTS + 1))
    assert mirror_of(workplace.engine, events) == mirror_of(alone.engine, events)
    for id in sorted({each.entity_id or "" for each in events if each.entity == "order"}):
        in_thiio = [each.in_thiio(id) for each in (workplace, alone)]
        assert len({(each.status, each.tracking_numbers, each.refunded_cents) for each in in_thiio}) == 1


def test_workers_at_once_settle_what_happened_in_one_second(workplace: Workplace) -> None:
    """No worker delivers what it knew before another one asked UltraCart."""
    second = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    workplace.ultracart.store.clock = lambda: second
    ids = [workplace.ultracart.place_order("worker@example.com") for _ in range(6)]
    for id in ids:
        workplace.ultracart.ship_order(id, [f"1Z{id}"])
        workplace.ultracart.refund_order(id, 100)
    events = workplace.happened()
    Random(2).shuffle(events)  # noqa: S311  # the same disorder each time
    workplace.receive(*events)

    total = work_together(workplace, 4)

    assert total == ApplyCounts(claimed=18, done=18)
    for id in ids:
        sides = (workplace.at_ultracart(id), workplace.mirrored(id), workplace.in_thiio(id))
        assert len({digest_of(order) for order in sides}) == 1


def test_two_writers_of_one_new_record_keep_the_newer(any_engine: Engine) -> None:
    """The older one, which begins while the newer is not yet committed, waits and then sees it."""
    newer = make_order(as_of=NOON + timedelta(hours=1), status=OrderStatus.COMPLETED)
    newer_customer = make_customer(as_of=NOON + timedelta(hours=1), city="Tacoma")

    def write_older() -> None:
        with any_engine.begin() as connection:
            save_customers(connection, [make_customer()])
            save_orders(connection, [make_order()])

    with ThreadPoolExecutor(1) as other:
        with any_engine.begin() as connection:
            save_customers(connection, [newer_customer])
            save_orders(connection, [newer])
            older = other.submit(write_older)
            time.sleep(0.3)  # long enough for the other to read what is there
        older.result()

    with any_engine.connect() as connection:
        assert find_orders(connection, Side.ULTRACART, ["DEMO-1"]) == {"DEMO-1": newer}
        assert find_customers(connection, Side.ULTRACART, ["1"]) == {"1": newer_customer}
