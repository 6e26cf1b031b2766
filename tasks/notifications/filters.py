"""What a search for notifications may ask, read from the words a person typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from tasks.notifications.log import NotificationStatus

CHOICES: Mapping[str, tuple[str, ...]] = {
    "status": tuple(NotificationStatus),
    "system": ("ultracart", "thiio", "ultrathiio"),
    "direction": ("in", "out"),
    "entity": ("customer", "order", "other"),
}
"""The fields that know their values."""
NUMBERS = ("event", "before")
TEXTS = ("id", "run", "operation")
TIMES = ("from", "until")
FIELDS = (*CHOICES, *NUMBERS, *TEXTS, *TIMES)

LARGEST_ID = 2**63 - 1
"""More than any column of ours holds."""
LONGEST_TEXT = 200
AGO = re.compile(r"(\d{1,6}) ?(m|h|d|w)", re.IGNORECASE)
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
TIME_REMEDY = (
    "Write a date (2026-11-25), a time in UTC (2026-11-25 18:00), or how long ago "
    "(30m, 2h, 7d, 1w: minutes, hours, days, weeks)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFilter:
    """Which notifications are wanted; None does not choose. Times are aware UTC: from_at ≤ time < until_at.

    `operation` is a part of the operation's name, in any case; `before_id` the notification after which,
    going back in time, the search goes on.
    """

    status: str | None = None
    system: str | None = None
    direction: str | None = None
    entity: str | None = None
    entity_id: str | None = None
    event_id: int | None = None
    run_id: str | None = None
    operation: str | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    before_id: int | None = None


@dataclass(frozen=True, slots=True)
class FilterProblem:
    """What was typed into a field and cannot be used, and what to write instead."""

    field: str
    value: str
    remedy: str


class _Unusable(Exception):
    """The words cannot be used; the text is the remedy."""


def read_filter(
    words: Mapping[str, str], now: datetime
) -> tuple[NotificationFilter, tuple[FilterProblem, ...]]:
    """Read a filter from `FIELDS`; an empty word does not choose. Gives every problem, not just the first.

    `now` (aware UTC) is what "2h" is counted back from. A day as `until` is meant whole. With a problem in it
    the filter is not what was asked for, and must not be used.
    """
    values: dict[str, object] = {}
    problems = []
    for field, word in words.items():
        try:
            values[field] = _read(field, word.strip(), now)
        except _Unusable as unusable:
            problems.append(FilterProblem(field, word[:LONGEST_TEXT], str(unusable)))
    names = {"id": "entity_id", "event": "event_id", "run": "run_id", "before": "before_id"}
    names |= {field: f"{field}_at" for field in TIMES}
    known = {names.get(field, field): value for field, value in values.items()}
    wanted = NotificationFilter(**known)  # type: ignore[arg-type]  # each reader gives its field's type
    if wanted.from_at and wanted.until_at and wanted.until_at <= wanted.from_at:
        remedy = "It is not after the time in “from”. Write a later one, or leave one of the two out."
        problems.append(FilterProblem("until", words["until"], remedy))
    return wanted, tuple(problems)


def read_id(word: str) -> int | None:
    """Read the number of a notification or event; None if it is none."""
    is_number = word.isascii() and word.isdecimal() and len(word) <= len(str(LARGEST_ID))
    return int(word) if is_number and 0 < int(word) <= LARGEST_ID else None


def read_time(word: str, now: datetime, *, is_end: bool) -> datetime:
    """Read a time as a person types it, aware UTC; raises ValueError, for which `TIME_REMEDY` is the remedy.

    `now` (aware UTC) is what "2h" is counted back from. A day as the end of something is meant whole.
    """
    try:
        if ago := AGO.fullmatch(word):
            return now - timedelta(**{UNITS[ago[2].lower()]: int(ago[1])})
        moment = datetime.fromisoformat(word)
        is_whole_day = moment.time() == time() and ":" not in word and "T" not in word.upper()
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment + timedelta(days=1) if is_end and is_whole_day else moment
    except OverflowError as error:
        raise ValueError(f"{word!r} is too long ago") from error


def _read(field: str, word: str, now: datetime) -> object:
    if field not in FIELDS:
        raise _Unusable(f"There is no such filter. There are: {', '.join(FIELDS)}.")
    return _READERS[field](field, word, now) if word else None


def _read_choice(field: str, word: str, _now: datetime) -> str:
    if word not in CHOICES[field]:
        raise _Unusable(f"Write one of: {', '.join(CHOICES[field])}.")
    return word


def _read_number(_field: str, word: str, _now: datetime) -> int:
    number = read_id(word)
    if number is None:
        raise _Unusable("Write a whole number from 1 up, without sign or separators.")
    return number


def _read_text(_field: str, word: str, _now: datetime) -> str:
    if len(word) > LONGEST_TEXT:
        raise _Unusable(f"Write at most {LONGEST_TEXT} characters.")
    if not word.isprintable():  # neither database takes all of the others
        raise _Unusable("It holds characters that cannot be shown. Leave them out.")
    return word


def _read_time(field: str, word: str, now: datetime) -> datetime:
    try:
        return read_time(word, now, is_end=field == "until")
    except ValueError as error:
        raise _Unusable(TIME_REMEDY) from error


_READERS: Mapping[str, Callable[[str, str, datetime], object]] = {
    **dict.fromkeys(CHOICES, _read_choice),
    **dict.fromkeys(NUMBERS, _read_number),
    **dict.fromkeys(TEXTS, _read_text),
    **dict.fromkeys(TIMES, _read_time),
}
