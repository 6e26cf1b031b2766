"""The times an operator may choose for a comparison."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from tasks.reconcile.options import CompareOptions
from tests.reconcile.two_sides import NOW


def test_a_window_must_end_after_it_starts() -> None:
    """Times that cannot be meant are refused in words; an open end means now."""
    for start, end in (
        (NOW, NOW),
        (NOW, NOW - timedelta(days=1)),
        (datetime.now(UTC) + timedelta(hours=1), None),
    ):
        with pytest.raises(ValidationError, match="must be later than 'From'"):
            CompareOptions(start=start, end=end)


def test_a_time_has_a_zone() -> None:
    """Without one nobody knows which moment is meant."""
    with pytest.raises(ValidationError, match="timezone"):
        CompareOptions.model_validate({"start": "2026-11-01T00:00:00"})

    berlin = CompareOptions.model_validate({"start": "2026-11-01T00:00:00+01:00"})
    assert berlin.start == datetime(2026, 10, 31, 23, tzinfo=UTC)


def test_everything_leaves_no_times_to_choose() -> None:
    """The sentence names the fields as the form does."""
    with pytest.raises(ValidationError, match="leave 'From' and 'Until' empty"):
        CompareOptions(everything=True, start=NOW)


@pytest.mark.parametrize(
    ("options", "what", "goes_on"),
    [
        (CompareOptions(), "since the last run", True),
        (CompareOptions(everything=True), "everything", False),
        (CompareOptions(start=NOW, end=NOW + timedelta(days=7)), f"{NOW:%Y-%m-%d}…{NOW:%Y-%m}-", False),
        (CompareOptions(start=NOW), f"{NOW:%Y-%m-%d}…now", False),
        (CompareOptions(end=NOW), f"the last run…{NOW:%Y-%m-%d}", False),
    ],
    ids=["no choice", "everything", "both times", "a start", "an end"],
)
def test_a_run_s_name_says_what_it_compares(options: CompareOptions, what: str, goes_on: bool) -> None:
    """And only a run without a choice moves the watermark."""
    assert options.what.startswith(what)
    assert options.goes_on is goes_on
