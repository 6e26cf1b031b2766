"""What a mismatch is: one thing about one record, or one pair of records, on which the two sides disagree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasks.records.models import Entity


class MismatchKind(StrEnum):
    """In which way the two sides disagree."""

    MISSING_IN_THIIO = "missing_in_thiio"  # UltraCart has the record, Thiio should and does not
    MISSING_IN_ULTRACART = "missing_in_ultracart"  # the other way round
    FIELD_DIFFERS = "field_differs"  # both have it, and one field says two things
    DUPLICATE = "duplicate"  # several records claim to be each other's counterpart: nobody guesses
    UNLINKED = "unlinked"  # the two belong together, but Thiio's order does not name UltraCart's


class MismatchState(StrEnum):
    """Where a mismatch stands.

    open: found, and brought back here if it is found again after it was resolved, or if it was ignored and
        its time is over, a value changed, or a person took it back.
    resolved: a later run judged its records and did not find it; nothing is left to do.
    ignored: a person set these two values aside with a reason, for a time.
    """

    OPEN = "open"
    RESOLVED = "resolved"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One disagreement as a run found it. `field` is empty unless the kind is `field_differs`.

    `amount_cents` is what UltraCart counts more than Thiio (negative: less), where money is concerned; over
    missing orders and differing totals it adds up to the difference of both sides' sums.
    """

    entity: Entity
    kind: MismatchKind
    field: str = ""
    ultracart_id: str = ""
    thiio_id: str = ""
    ultracart_value: str | None = None
    thiio_value: str | None = None
    amount_cents: int | None = None
    placed_at: datetime | None = None
    cause: str
    remedy: str
