"""The flow `ignore-mismatches` through Prefect, with its form."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Engine

from flows.ignore_mismatches import IgnoreMismatches, ignore_mismatches
from tests.builders import make_order
from tests.flows.running import run
from tests.reconcile.two_sides import found_in, reconcile, store


def test_a_person_sets_mismatches_aside_and_takes_them_back(workplace: Engine) -> None:
    """The message says until when; a number that is not open fails the run, and none is changed."""
    store(workplace, make_order("D-1"), make_order("D-2"))
    reconcile(workplace)

    done = run(ignore_mismatches, IgnoreMismatches(ids=[1], reason="A sample."))
    ignored = found_in(workplace, "ignored")
    wrong = run(ignore_mismatches, IgnoreMismatches(ids=[1, 2], reason="A sample."))
    still = found_in(workplace, "ignored")
    back = run(ignore_mismatches, IgnoreMismatches(ids=[1], take_back=True))

    assert (done.is_completed(), ignored) == (True, {("missing_in_thiio", "", "D-1", "")})
    assert done.message.startswith("Ignored until ")
    assert (wrong.is_failed(), "Mismatch 1 is not open" in wrong.message, still) == (True, True, ignored)
    assert (back.is_completed(), back.message) == (True, "Open again: 1.")
    assert found_in(workplace, "ignored") == set()


@pytest.mark.parametrize(
    ("ids", "values", "told"),
    [
        ([], {"reason": "A sample."}, "at least 1 item"),
        ([1], {}, "'Reason' is empty"),
        ([1], {"reason": "A sample.", "days": 367}, "less than or equal to 366"),
    ],
)
def test_the_form_asks_for_what_it_needs(ids: Sequence[int], values: dict[str, object], told: str) -> None:
    """Numbers, a reason, a time that ends."""
    with pytest.raises(ValueError, match=told):
        IgnoreMismatches(ids=ids, **values)
