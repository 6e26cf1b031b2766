"""A stretch is cut into windows that are remembered, and the mirror knows from when to when it goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from tasks.records.mirror import save_customers, save_orders
from tasks.records.models import Entity, Side, Window
from tasks.records.span import find_span, holds_records
from tasks.records.windows import (
    PlannedWindow,
    cut_into_windows,
    finish_window,
    forget_windows,
    join_on,
    read_windows,
    write_windows,
)
from tests.builders import NOON, make_customer, make_order

DAY = timedelta(days=1)
START = datetime(2026, 11, 1, tzinfo=UTC)


def test_windows_join_without_gap_or_overlap() -> None:
    """The last one is as short as need be."""
    windows = cut_into_windows(START, START + 5 * DAY, 2 * DAY)

    assert [window.start for window in windows] == [START, START + 2 * DAY, START + 4 * DAY]
    assert [window.end for window in windows] == [START + 2 * DAY, START + 4 * DAY, START + 5 * DAY]


def test_a_finished_window_is_remembered_for_its_job_only(any_engine: Engine) -> None:
    """Written down again, it stays finished; forgotten, it is gone."""
    planned = join_on([], START, START + 4 * DAY, 2 * DAY)
    first = planned[0].window
    with any_engine.begin() as connection:
        for job in ("one", "another"):
            write_windows(connection, job, planned)
        finish_window(connection, "one", first, row_count=7, now=NOON)
        write_windows(connection, "one", planned)

        assert read_windows(connection, "one") == [PlannedWindow(first, NOON, 7), planned[1]]
        assert read_windows(connection, "another") == planned
        forget_windows(connection, "one")
        assert read_windows(connection, "one") == []
        assert read_windows(connection, "another") == planned


def test_a_job_whose_end_has_moved_on_goes_on_from_there() -> None:
    """Windows that are planned stay as they are, the shorter last one too."""
    early = join_on([], START, START + 3 * DAY, 2 * DAY)

    late = join_on(early, START, START + 6 * DAY, 2 * DAY)

    assert late[:2] == early
    assert [each.window for each in late[2:]] == cut_into_windows(START + 3 * DAY, START + 6 * DAY, 2 * DAY)
    assert join_on(late, START, START + DAY, 2 * DAY) == late


def test_the_span_goes_from_the_first_to_the_last_date_of_either_side(any_engine: Engine) -> None:
    """By when a record was made and by when it last changed; its end takes in the last record."""
    with any_engine.begin() as connection:
        assert find_span(connection, Entity.ORDER) is None
        save_orders(connection, [make_order("D-1"), make_order("D-2", placed_at=None, as_of=NOON + DAY)])
        save_orders(connection, [make_order("1", Side.THIIO, placed_at=NOON - 400 * DAY, as_of=NOON)])
        save_customers(connection, [make_customer(created_at=None)])

        orders, customers = find_span(connection, Entity.ORDER), find_span(connection, Entity.CUSTOMER)

    assert orders is not None
    assert (orders.start, orders.end - (NOON + DAY)) == (NOON - 400 * DAY, timedelta(microseconds=1))
    assert customers is not None
    assert customers.start == NOON


def test_a_window_holds_what_was_made_or_changed_in_it(any_engine: Engine) -> None:
    """Of either side; half-open, as every window."""
    with any_engine.begin() as connection:
        save_orders(connection, [make_order("1", Side.THIIO, placed_at=NOON, as_of=NOON + 9 * DAY)])

        def holds(start: datetime, end: datetime) -> bool:
            return holds_records(connection, Entity.ORDER, Window(start, end))

        assert holds(NOON, NOON + DAY)
        assert holds(NOON + 9 * DAY, NOON + 10 * DAY)
        assert not holds(NOON - DAY, NOON)
        assert not holds(NOON + DAY, NOON + 9 * DAY)
        assert not holds_records(connection, Entity.CUSTOMER, Window(NOON, NOON + DAY))
