"""What a backfill says before it begins, and on its way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from tasks.backfill.calls import CALL_SECONDS, Calls, count_calls, expect_calls, usual_seconds
from tasks.backfill.job import Job, write_width
from tasks.backfill.plan import Plan, write_duration
from tasks.backfill.progress import Progress
from tasks.notifications.log import Notification, NotificationStatus, notifier
from tasks.records.choices import Kinds, PullFrom
from tasks.records.mirror import save_customers, save_orders
from tasks.records.models import OrderStatus
from tasks.records.windows import PlannedWindow, cut_into_windows
from tasks.ultracart.budget import Budget, Limits
from tests.builders import make_customer, make_order

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = Limits(calls_per_hour=1_000, calls_per_day=10_000)
JOB = Job(start=NOW - 8 * DAY, end=NOW, width=2 * DAY, side=PullFrom.BOTH, kinds=Kinds.BOTH)
WINDOWS = cut_into_windows(JOB.start, JOB.end, JOB.width)


def make_plan(**values: object) -> Plan:
    """A plan of four windows, none of them done."""
    usual = {
        "job": JOB, "windows": [PlannedWindow(window) for window in WINDOWS], "again": 0,
        "calls": Calls(26, 26), "seconds_a_call": 1.0, "budget": Budget(counted_at=NOW),
        "limits": LIMITS, "now": NOW, "rejected_retention_days": 365, "is_dry_run": True,
    }  # fmt: skip
    return Plan(**{**usual, **values})  # type: ignore[arg-type]


def make_progress(done: int, **values: object) -> Progress:
    """The same four windows, of which the first ones are done: each took an hour and the next begins now."""
    windows = [PlannedWindow(window) for window in WINDOWS]
    for number in range(done):
        windows[number] = PlannedWindow(WINDOWS[number], NOW - timedelta(hours=done - number - 1), 100)
    usual = {
        "windows": windows, "calls": 6 * done, "started_at": NOW - timedelta(hours=done), "now": NOW,
        "budget": Budget(counted_at=NOW), "limits": LIMITS,
    }  # fmt: skip
    return Progress(**{**usual, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, width=DAY),
        replace(JOB, side=PullFrom.ULTRACART),
        replace(JOB, kinds=Kinds.ORDERS),
        replace(JOB, start=JOB.start - timedelta(microseconds=1)),
        replace(JOB, end=JOB.end + DAY),
    ],
    ids=["width", "side", "kinds", "start", "end"],
)
def test_another_choice_is_another_job(other: Job) -> None:
    """What one has finished says nothing about the other; a key fits its column."""
    assert other.key != JOB.key
    assert len(replace(other, side=PullFrom.ULTRACART, kinds=Kinds.CUSTOMERS).key) <= 120


def test_the_same_moments_in_another_zone_are_the_same_job() -> None:
    """A person who starts it again from elsewhere goes on with it."""
    east = JOB.start.astimezone(tz=datetime.fromisoformat("2026-11-01T00:00:00+05:00").tzinfo)

    assert replace(JOB, start=east).key == JOB.key


def test_full_pages_that_the_mirror_knows_of_are_expected(any_engine: Engine) -> None:
    """Beyond the first page of each list: customers once, orders thrice, rejected ones for every window."""
    at = JOB.start + DAY
    with any_engine.begin() as connection:
        save_customers(connection, [make_customer(str(number), as_of=at) for number in range(450)])
        save_orders(connection, [make_order(f"D-{number}", placed_at=at) for number in range(420)])
        old = [make_order(f"R-{n}", placed_at=at - 99 * DAY, status=OrderStatus.REJECTED) for n in range(200)]
        save_orders(connection, old)

        expected = expect_calls(connection, JOB, WINDOWS)
        only_orders = expect_calls(connection, replace(JOB, kinds=Kinds.ORDERS), WINDOWS[1:])
        of_thiio = expect_calls(connection, replace(JOB, side=PullFrom.THIIO), WINDOWS)

    assert expected == Calls(2 + 4 * 6, 2 + 4 * 6 + 2 + 3 * 2 + 4)
    assert only_orders == Calls(2 + 3 * 5, 2 + 3 * 5 + 3)
    assert of_thiio == Calls(0, 0)


def test_calls_are_counted_and_timed_by_the_notifications(any_engine: Engine) -> None:
    """Those of another run or system are not this run's; a failed one is."""
    started = datetime.now(UTC)
    for run, system, milliseconds in (
        ("a", "ultracart", 100),
        ("a", "ultracart", 300),
        ("b", "ultracart", 200),
        ("a", "thiio", 9_000),
    ):
        call = Notification(
            direction="out",
            system=system,
            operation="GET /order/orders",
            status=NotificationStatus.FAILED,
            duration_ms=milliseconds,
        )
        notifier(any_engine, run)(call)

    with any_engine.connect() as connection:
        assert count_calls(connection, "a", started) == 2
        assert count_calls(connection, "a", datetime.now(UTC)) == 0
        assert usual_seconds(connection) == pytest.approx(0.2)


def test_without_any_call_so_far_a_call_is_assumed_to_take_a_second(engine: Engine) -> None:
    """The plan errs on the slow side."""
    with engine.connect() as connection:
        assert usual_seconds(connection) == CALL_SECONDS


def test_a_plan_tells_the_finish_from_the_budget_that_is_left() -> None:
    """26 calls are through in half a minute; with the hour used up each waits for 3.6 seconds."""
    used = Budget(hour_level=1_000, day_level=1_000, counted_at=NOW)

    assert "| Time | about 1 minute if" in make_plan().markdown()
    assert "| Time | about 2 minutes if" in make_plan(budget=used).markdown()
    assert "of which 1,000 and 1,000 are used now" in make_plan(budget=used).markdown()
    assert "done about 2026-11-25 12:00 UTC" in make_plan().answer()


def test_a_plan_says_what_is_done_and_what_is_done_again() -> None:
    """In words that need no other page."""
    done = [PlannedWindow(WINDOWS[0], NOW, 1_234), *(PlannedWindow(window) for window in WINDOWS[1:])]

    assert "4 in all, 1 done earlier and skipped, 3 to do" in make_plan(windows=done).markdown()
    assert "| done, 1,234 records |" in make_plan(windows=done).markdown()
    assert "4 in all, 1 finished one to be done again" in make_plan(again=1).markdown()
    assert make_plan(windows=done[:1], calls=Calls(0, 0)).answer() == "0 of 1 window to do."


def test_a_long_plan_lists_its_first_windows() -> None:
    """An artifact of ten thousand lines helps nobody."""
    windows = [PlannedWindow(window) for window in cut_into_windows(JOB.start, JOB.end, timedelta(hours=1))]

    assert "… and 92 more." in make_plan(windows=windows).markdown()
    assert make_plan(windows=windows).markdown().count("| to do |") == 100


def test_progress_tells_the_finish_at_the_pace_of_the_last_windows() -> None:
    """Two of four windows took an hour each: two hours are left."""
    progress = make_progress(2)

    assert progress.finish_at() == NOW + timedelta(hours=2)
    assert progress.percent == 50.0
    assert progress.markdown().splitlines() == [
        "- 2 of 4 windows done, 2 left",
        "- 200 records read, 12 calls to UltraCart in this run",
        "- In work: 2026-11-21 12:00 … 2026-11-23 12:00 UTC",
        "- Expected finish: about 2026-11-25 14:00 UTC",
    ]


def test_progress_keeps_to_the_limits() -> None:
    """3,000 calls are left and none is free now: three hours, though the windows took one each."""
    used = Budget(hour_level=1_000, counted_at=NOW)

    finish = make_progress(2, calls=3_000, budget=used).finish_at()

    assert finish is not None
    assert finish - NOW == pytest.approx(timedelta(hours=3), abs=timedelta(minutes=1))


def test_progress_before_the_first_window_and_after_the_last() -> None:
    """Nothing is guessed, and what an earlier run did is no pace of this one."""
    earlier = make_progress(1, started_at=NOW, calls=0)

    assert (earlier.finish_at(), earlier.percent) == (None, 25.0)
    assert "- Expected finish: told after the first window" in earlier.markdown()
    assert "- Finished: 2026-11-25 12:00 UTC" in make_progress(4).markdown()


def test_a_window_that_was_left_behind_is_not_the_one_in_work() -> None:
    """It could not be read and waits for the next run."""
    first, second, *others = make_progress(2).windows
    progress = make_progress(2, windows=[PlannedWindow(first.window), second, *others])

    assert f"- In work: {WINDOWS[2].start:%Y-%m-%d}" in progress.markdown()


@pytest.mark.parametrize(
    ("width", "words"),
    [(DAY, "1 day"), (7 * DAY, "7 days"), (timedelta(hours=6), "6 hours"), (timedelta(hours=1), "1 hour")],
)
def test_a_width_is_written_for_people(width: timedelta, words: str) -> None:
    """As it was chosen."""
    assert write_width(width) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 minute"), (600, "10 minutes"), (7_200, "2.0 hours"), (360_000, "100.0 hours")],
)
def test_a_duration_is_written_for_people(seconds: int, words: str) -> None:
    """Nobody plans in seconds."""
    assert write_duration(timedelta(seconds=seconds)) == words
