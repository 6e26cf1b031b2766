"""Calls to UltraCart keep its limits over all processes: one at a time, so many an hour and a day."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine, insert, select

from tasks.database import tables
from tasks.database.engine import open_database, open_engine
from tasks.errors import AnswerLost, BudgetSpent, RemoteUnavailable
from tasks.records.models import Window
from tasks.settings import UltraCartSettings
from tasks.ultracart.budget import Budget, Limits, leak, why_wait
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.pacing import Pacer, hash_key, read_budget
from tasks.ultracart.sandbox.server import UltraCartSandbox

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LIMITS = Limits(calls_per_hour=1_000, calls_per_day=10_000)


class Clock:
    """A clock that a test sets; waiting moves it on."""

    def __init__(self) -> None:
        self.now = NOON
        self.waited: list[float] = []

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.waited.append(round(seconds, 2))
        self.now += timedelta(seconds=seconds)


def pacer_of(engine: Engine, clock: Clock, limits: Limits = LIMITS) -> Pacer:
    """A pacer on the clock of a test, for calls of at most ten seconds."""
    return Pacer(engine, "key", limits, 10.0, clock=clock, sleep=clock.sleep)


def spend_turns(pacer: Pacer, count: int) -> None:
    """Make calls that take no time."""
    for _ in range(count):
        with pacer.turn():
            pass


@pytest.mark.parametrize(
    ("changes", "seconds", "reason"),
    [
        ({}, None, ""),
        ({"hour_level": 999.0}, None, ""),
        ({"hour_level": 999.5}, 1.8, "1,000 calls an hour"),
        ({"hour_level": 1000.0}, 3.6, "1,000 calls an hour"),
        ({"day_level": 9999.0}, None, ""),
        ({"day_level": 10_000.0}, 8_640.0, "10,000 calls a day"),
        ({"blocked_until": NOON + timedelta(seconds=30)}, 30.0, "UltraCart said to wait"),
        ({"blocked_until": NOON}, None, ""),
        ({"held_until": NOON + timedelta(seconds=9)}, 9.0, "another call is in flight"),
        ({"held_until": NOON}, None, ""),
    ],
)
def test_when_a_call_may_be_made(changes: dict[str, object], seconds: float | None, reason: str) -> None:
    """The hour's bucket frees a call in 3.6 seconds; once the day's is full, a tenth of it must come free."""
    wait = why_wait(Budget(counted_at=NOON, **changes), LIMITS, NOON)

    if seconds is None:
        assert wait is None
    else:
        assert wait is not None
        assert (round(wait.seconds, 3), reason in wait.reason) == (seconds, True)


def test_buckets_leak_evenly_and_never_backwards() -> None:
    """Half an hour frees 500 of the hour's calls; a clock that was put back frees none."""
    full = Budget(hour_level=1_000, day_level=5_000, counted_at=NOON)

    later = leak(full, LIMITS, NOON + timedelta(minutes=30))
    earlier = leak(full, LIMITS, NOON - timedelta(hours=5))

    assert (round(later.hour_level, 6), round(later.day_level, 2)) == (500.0, 4_791.67)
    assert earlier == full


def test_calls_beyond_the_hour_go_on_one_by_one(any_engine: Engine) -> None:
    """A burst of the hour's calls is free; every further one waits until one has leaked out."""
    clock = Clock()
    pacer = pacer_of(any_engine, clock, Limits(calls_per_hour=90, calls_per_day=1_000))

    spend_turns(pacer, 90)
    assert clock.waited == []
    spend_turns(pacer, 2)
    assert clock.waited == [40.0, 40.0]


def test_a_wait_of_more_than_a_minute_ends_the_run(engine: Engine) -> None:
    """A key with ten calls an hour would wait six minutes: the run says when calls go on."""
    clock = Clock()
    pacer = pacer_of(engine, clock, Limits(calls_per_hour=10, calls_per_day=1_000))
    spend_turns(pacer, 10)

    with pytest.raises(BudgetSpent, match=r"10 calls an hour are used up.*12:06 UTC"):
        spend_turns(pacer, 1)


def test_the_count_outlives_the_process(any_engine: Engine) -> None:
    """A new pacer of the same key goes on counting; another key has its own budget."""
    clock = Clock()
    spend_turns(pacer_of(any_engine, clock), 7)

    with any_engine.connect() as connection:
        levels = [read_budget(connection, key, LIMITS, NOON).day_level for key in ("key", "other")]

    assert levels == [7.0, 0.0]


def test_the_day_s_limit_ends_the_run_and_says_when_calls_go_on(any_engine: Engine) -> None:
    """Nothing is called, and the time is the one at which a tenth of the day's calls is free."""
    clock = Clock()
    limits = Limits(calls_per_hour=1_000, calls_per_day=100)
    pacer = pacer_of(any_engine, clock, limits)
    spend_turns(pacer, 100)

    with pytest.raises(BudgetSpent, match=r"100 calls a day are used up.*2026-11-01 14:24 UTC") as spent:
        spend_turns(pacer, 1)
    assert spent.value.resumes_at == NOON + timedelta(seconds=8_640)

    clock.now = spent.value.resumes_at
    spend_turns(pacer, 10)


def test_a_process_that_died_with_its_turn_loses_it(any_engine: Engine) -> None:
    """The next one waits until the call would have timed out, then goes on."""
    clock = Clock()
    row = {"key_hash": hash_key("key"), "hour_level": 1.0, "day_level": 1.0, "counted_at": NOON}
    with any_engine.begin() as connection:
        held = {"holder": "dead", "held_until": NOON + timedelta(seconds=15)}
        connection.execute(insert(tables.call_budgets).values({**row, **held}))

    spend_turns(pacer_of(any_engine, clock), 1)

    assert NOON + timedelta(seconds=15) <= clock.now < NOON + timedelta(seconds=16)


def test_the_key_is_not_kept(engine: Engine) -> None:
    """The table names a hash, from which nobody can tell the key."""
    spend_turns(Pacer(engine, "very-secret-key", LIMITS, 10.0), 1)

    with engine.connect() as connection:
        row = connection.execute(select(tables.call_budgets)).one()
    assert "very-secret-key" not in str(row)
    assert row.holder is None


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database, for clients with engines of their own."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_database_url"
    url: str = request.getfixturevalue(fixture)
    open_database(url).dispose()
    return url


def test_several_workers_never_call_at_the_same_time(
    ultracart: UltraCartSandbox, settings: UltraCartSettings, database_url: str
) -> None:
    """UltraCart refuses a second call in flight with 429; forty calls of four workers get none."""
    statuses: list[int | None] = []

    def work() -> None:
        engine = open_engine(database_url)
        pacer = Pacer(engine, ultracart.simple_key, LIMITS, 10.0)
        with UltraCartClient.connect(
            settings, lambda told: statuses.append(told.http_status), pacer
        ) as client:
            for _ in range(10):
                client.list_gateways()
        engine.dispose()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert statuses == [200] * 40


def test_a_refusal_for_the_day_stops_every_other_worker_too(
    ultracart: UltraCartSandbox, settings: UltraCartSettings, engine: Engine
) -> None:
    """UltraCart's own words about the day's limit are believed, whatever we counted."""
    ultracart.limit_calls(per_day=1)
    window = Window(NOON - timedelta(days=1), NOON)

    with UltraCartClient.connect(
        settings, lambda _: None, Pacer(engine, ultracart.simple_key, LIMITS, 10.0)
    ) as client:
        client.list_gateways()
        with pytest.raises(RemoteUnavailable, match="rate of 1 per 86400 second"):
            list(client.iter_orders(window))
    other = Pacer(engine, ultracart.simple_key, LIMITS, 10.0)
    with pytest.raises(BudgetSpent, match="UltraCart said to wait"), other.turn():
        pass


def test_a_spent_budget_is_no_doubt_about_a_write(
    ultracart: UltraCartSandbox, settings: UltraCartSettings, engine: Engine
) -> None:
    """Nothing was sent, so nothing has to be looked up."""
    pacer = Pacer(engine, ultracart.simple_key, Limits(calls_per_hour=1_000, calls_per_day=1), 10.0)
    with UltraCartClient.connect(settings, lambda _: None, pacer) as client:
        client.list_gateways()
        with pytest.raises(BudgetSpent) as spent:
            client.import_order({})

    assert not isinstance(spent.value, AnswerLost)
    assert ultracart.imports == {}


def test_the_day_s_limit_of_the_stand_in_speaks_as_ultracart_does(ultracart: UltraCartSandbox) -> None:
    """429 with the limit's text in header and body, and the merchant's id."""
    ultracart.limit_calls(per_day=0)
    headers = {"x-ultracart-simple-key": ultracart.simple_key, "x-ultracart-api-version": "2017-03-01"}

    answer = httpx.get(f"{ultracart.base_url}/item/items", headers=headers)

    assert answer.status_code == 429
    assert answer.headers["uc-rest-error"] == "rate of 0 per 86400 second(s) exceeded."
    assert answer.headers["uc-rest-error-merchant-id"] == ultracart.merchant_id
