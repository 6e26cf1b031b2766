"""Two workers at once: one record is in one worker's hands, or the slower would undo what the faster did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from tasks.inbox import event_queue
from tasks.inbox.apply import Applier
from tasks.inbox.events import make_event
from tasks.inbox.readers import ultracart_readers
from tasks.inbox.settle import Found, Readers
from tasks.notifications.log import notifier
from tests.builders import NOON
from tests.inbox.inbox_rows import read_events
from tests.inbox.workplace import Workplace, bare_event

LEASE = 60


def test_a_record_waits_until_its_worker_is_through_with_it(any_engine: Engine) -> None:
    """Other records don't; a lease that ran out holds nothing back."""
    orders = ["DEMO-1", "DEMO-1", "DEMO-2", "DEMO-1"]
    events = [
        make_event("ultracart", "order_ship", "order", id, b'{"n": %d}' % n) for n, id in enumerate(orders, 1)
    ]
    with any_engine.begin() as connection:
        event_queue.store_events(connection, events, now=NOON)

    claims = [claim(any_engine, limit=1), claim(any_engine), claim(any_engine)]
    with any_engine.begin() as connection:
        event_queue.finish(connection, claims[0].token, [1], now=NOON)
    claims.append(claim(any_engine))

    assert [[event.id for event in each.events] for each in claims] == [[1], [3], [], [2, 4]]


def test_a_slow_worker_undoes_nothing_that_a_faster_one_did(any_workplace: Workplace) -> None:
    """Two refunds of one second: the first is in a slow worker's hands when the second comes."""
    shop = any_workplace.ultracart
    any_workplace.let_time_pass()
    id, in_pieces = shop.place_order("nora@example.com"), shop.place_order("nora@example.com")
    any_workplace.receive_and_work(any_workplace.happened()[0])
    now = shop.store.clock()
    shop.store.clock = lambda: now
    shop.refund_order(id, 100)
    shop.refund_order(id)
    first, second = any_workplace.happened()

    quick = any_workplace.applier
    slow = slow_applier(any_workplace, lambda: any_workplace.receive_and_work(second))
    any_workplace.receive(first, bare_event("order_create", in_pieces))
    taken, _ = slow.take(100)
    slow.apply(taken)
    quick.apply(quick.take(100, datetime.now(UTC) + timedelta(seconds=1))[0])

    assert read_events(any_workplace.engine, "state") == ["done"] * 4
    assert any_workplace.in_thiio(id).refunded_cents == any_workplace.at_ultracart(id).refunded_cents


def claim(engine: Engine, limit: int = 10) -> event_queue.Claim:
    """Claim due events."""
    with engine.begin() as connection:
        return event_queue.claim_events(connection, limit=limit, lease_seconds=LEASE, now=NOON)


def slow_applier(workplace: Workplace, meanwhile: Callable[[], object]) -> Applier:
    """A worker that is so slow in asking UltraCart that something else happens meanwhile."""
    notify = notifier(workplace.engine)
    readers = ultracart_readers(workplace.settings, workplace.engine, notify)

    def read_orders(ids: Sequence[str]) -> Found:
        meanwhile()
        return readers.orders(ids)

    return Applier(
        workplace.engine,
        workplace.settings,
        workplace.connection,
        Readers(orders=read_orders, customers=readers.customers),
    )
