"""What a line of the checklist is, and how one is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

SHOWN = 5
"""Things that a line names; the others are counted."""


class CheckStatus(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"  # it works, but somebody should know
    FAILED = "failed"  # something cannot work until it is put right
    UNKNOWN = "unknown"  # it cannot be told yet


@dataclass(frozen=True, slots=True)
class Check:
    """A line: what was looked at, what was found, and what to do about it; nothing to do if it is ok."""

    name: str
    status: CheckStatus
    found: str
    remedy: str = ""


def ok(name: str, found: str) -> Check:
    """Write a line that is as it should be."""
    return Check(name, CheckStatus.OK, found)


def warning(name: str, found: str, remedy: str) -> Check:
    """Write a line that works, but not as it should."""
    return Check(name, CheckStatus.WARNING, found, remedy)


def failed(name: str, found: str, remedy: str) -> Check:
    """Write a line that must be put right."""
    return Check(name, CheckStatus.FAILED, found, remedy)


def unknown(name: str, until: str, remedy: str) -> Check:
    """Write a line that rests on something else: it "cannot be told until" that is there."""
    return Check(name, CheckStatus.UNKNOWN, f"This cannot be told until {until}.", remedy)


def first_few(things: Sequence[str]) -> str:
    """Name up to `SHOWN` things and count the rest."""
    more = f" and {len(things) - SHOWN} more" if len(things) > SHOWN else ""
    return ", ".join(things[:SHOWN]) + more


def named(id: str, name: str | None) -> str:
    """Name a product or gateway as a person finds it."""
    return f"{id} ({name})" if name else id


def host_of(url: str | None) -> str:
    """Give the host of an address, which may be shown: the rest of it may be a secret."""
    try:
        return urlsplit(url or "").hostname or "?"
    except ValueError:
        return "?"


def split_message(error: Exception) -> tuple[str, str]:
    """Part an error's message into what happened, its first sentence, and what to do, which may be empty."""
    happened, _, next_step = str(error).partition(". ")
    return f"{happened.rstrip('.')}.", next_step
