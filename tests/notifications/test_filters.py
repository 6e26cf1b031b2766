"""A filter is read from what a person typed, or each problem is told with the field and the remedy."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tasks.notifications.filters import FIELDS, NotificationFilter, read_filter, read_id

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, {}),
        ({"status": "failed", "system": "", "id": "  "}, {"status": "failed"}),
        ({"id": " DEMO-1 ", "entity": "order"}, {"entity_id": "DEMO-1", "entity": "order"}),
        ({"event": "12", "run": "abc", "before": "7"}, {"event_id": 12, "run_id": "abc", "before_id": 7}),
        ({"operation": "100%_"}, {"operation": "100%_"}),
        ({"from": "2h"}, {"from_at": datetime(2026, 11, 25, 10, tzinfo=UTC)}),
        ({"from": "90 m"}, {"from_at": datetime(2026, 11, 25, 10, 30, tzinfo=UTC)}),
        ({"from": "1W"}, {"from_at": datetime(2026, 11, 18, 12, tzinfo=UTC)}),
        ({"from": "2026-11-24"}, {"from_at": datetime(2026, 11, 24, tzinfo=UTC)}),
        ({"from": "2026-11-24 18:30"}, {"from_at": datetime(2026, 11, 24, 18, 30, tzinfo=UTC)}),
        ({"from": "2026-11-24T18:30-05:00"}, {"from_at": datetime(2026, 11, 24, 23, 30, tzinfo=UTC)}),
        ({"until": "2026-11-24"}, {"until_at": datetime(2026, 11, 25, tzinfo=UTC)}),
        ({"until": "2026-11-24 00:00"}, {"until_at": datetime(2026, 11, 24, tzinfo=UTC)}),
        (
            {"from": "2026-11-24", "until": "2026-11-24"},
            {
                "from_at": datetime(2026, 11, 24, tzinfo=UTC),
                "until_at": datetime(2026, 11, 25, tzinfo=UTC),
            },
        ),
    ],
    ids=str,
)
def test_what_is_typed_is_understood(words: dict[str, str], expected: dict[str, object]) -> None:
    """Empty fields do not choose, a day as the end is meant whole, a time without offset is UTC."""
    assert read_filter(words, NOW) == (NotificationFilter(**expected), ())


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("status", "broken", "Write one of: successful, failed, in_doubt, skipped."),
        ("system", "UltraCart", "Write one of: ultracart, thiio, ultrathiio."),
        ("direction", "up", "Write one of: in, out."),
        ("entity", "item", "Write one of: customer, order, other."),
        ("event", "-1", "whole number from 1 up"),
        ("event", "0", "whole number from 1 up"),
        ("event", "1.5", "whole number from 1 up"),
        ("event", "²", "whole number from 1 up"),
        ("event", str(2**63), "whole number from 1 up"),
        ("before", "x", "whole number from 1 up"),
        ("id", "x" * 201, "at most 200 characters"),
        ("id", "a\x00b", "cannot be shown"),
        ("operation", "\ud800", "cannot be shown"),
        ("from", "yesterday", "Write a date (2026-11-25)"),
        ("from", "2026-13-01", "Write a date (2026-11-25)"),
        ("from", "999999w", "Write a date (2026-11-25)"),
        ("until", "9999-12-31", "Write a date (2026-11-25)"),
        ("from", "0001-01-01T00:00+10:00", "Write a date (2026-11-25)"),
        ("stauts", "failed", f"There are: {', '.join(FIELDS)}."),
    ],
)
def test_what_cannot_be_used_is_told(field: str, value: str, remedy: str) -> None:
    """The problem names the field, the value as it was typed, and what to write."""
    _, [problem] = read_filter({field: value}, NOW)

    assert (problem.field, problem.value) == (field, value[:200])
    assert remedy in problem.remedy


def test_every_problem_is_told_at_once() -> None:
    """Nobody has to correct one field after the other."""
    _, problems = read_filter({"status": "x", "system": "thiio", "event": "y"}, NOW)

    assert [problem.field for problem in problems] == ["status", "event"]


def test_an_end_before_the_start_is_a_problem_of_the_end() -> None:
    """Such a filter would find nothing, and not say why."""
    _, [problem] = read_filter({"from": "2026-11-25", "until": "2026-11-24"}, NOW)

    assert (problem.field, problem.value) == ("until", "2026-11-24")


@pytest.mark.parametrize(
    ("word", "id"), [("1", 1), ("007", 7), ("", None), ("-1", None), ("٣", None), ("9" * 5000, None)]
)
def test_an_id_is_a_number_from_1_up(word: str, id: int | None) -> None:
    """Whatever else stands in an address is none; a number without end does not even cost time."""
    assert read_id(word) == id
