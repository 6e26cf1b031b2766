"""The log of every exchange with another system: status, what was sent, what was received."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, Engine, insert

from tasks.database import tables
from tasks.errors import AnswerLost
from tasks.notifications.redaction import MASK, redact, redact_text

# The receiver keeps notifications too, and calls nobody: it need not pay for an HTTP client.
if TYPE_CHECKING:
    from tasks.http_client import Exchange

MAX_TEXT = 20_000
"""Characters of one body that are kept; of a longer one, the beginning and its size."""


LONGEST_LIST = 10
"""Entries that are kept at most of a list that is too long."""

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_entries = msgspec.json.Decoder(list[msgspec.Raw])
_encoder = msgspec.json.Encoder(decimal_format="number")
"""Amounts are shown as they were sent: they never pass a float."""


class NotificationStatus(StrEnum):
    """How an exchange ended."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"  # sent, and no clear answer came
    SKIPPED = "skipped"  # understood, and nothing to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One exchange. `sent` and `received` are JSON values or text; they are redacted when stored."""

    direction: str  # "in": they called us; "out": we called them
    system: str
    operation: str
    status: NotificationStatus
    sent: Any = None
    received: Any = None
    reason: str | None = None
    entity: str | None = None
    entity_id: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    duration_ms: int | None = None
    event_id: int | None = None
    run_id: str | None = None


Notify = Callable[[Notification], None]
"""Where a client hands over each exchange."""


_subject: ContextVar[tuple[str | None, str | None]] = ContextVar("subject", default=(None, None))


@contextmanager
def about(entity: str, entity_id: str) -> Iterator[None]:
    """Say of which record the exchanges inside a block are, where the request alone does not tell."""
    token = _subject.set((entity, entity_id))
    try:
        yield
    finally:
        _subject.reset(token)


def notifier(engine: Engine, run_id: str | None = None) -> Notify:
    """Give a function that stores each notification at once, in a transaction of its own.

    Clients use it: what was sent must be on record even if the work around it is rolled back.
    """

    def notify(notification: Notification) -> None:
        row = _row(notification, run_id)  # before the transaction: to redact takes longer than to store
        with engine.begin() as connection:
            connection.execute(insert(tables.notifications), row)

    return notify


def tell_exchange(notify: Notify) -> Callable[[Exchange], None]:
    """Turn what the HTTP client tells into outgoing notifications."""

    def on_exchange(exchange: Exchange) -> None:
        entity, entity_id = _subject.get()
        notify(
            Notification(
                direction="out",
                system=exchange.system,
                operation=exchange.operation,
                status=_status_of(exchange),
                sent=exchange.sent,
                received=exchange.received,
                reason=None if exchange.error is None else str(exchange.error),
                entity=entity,
                entity_id=entity_id,
                http_status=exchange.http_status,
                request_id=exchange.request_id,
                duration_ms=exchange.duration_ms,
            )
        )

    return on_exchange


def _status_of(exchange: Exchange) -> NotificationStatus:
    match exchange.error:
        case None:
            return NotificationStatus.SUCCESSFUL
        case AnswerLost():
            return NotificationStatus.IN_DOUBT
        case _:
            return NotificationStatus.FAILED


def save_notifications(
    connection: Connection, notifications: Sequence[Notification], *, run_id: str | None = None
) -> None:
    """Store notifications, redacted and cut to `MAX_TEXT` characters a body."""
    if notifications:
        rows = [_row(notification, run_id) for notification in notifications]
        connection.execute(insert(tables.notifications), rows)


def _row(notification: Notification, run_id: str | None) -> dict[str, Any]:
    return {
        "direction": notification.direction,
        "system": notification.system,
        "operation": notification.operation[:160],
        "entity": notification.entity,
        "entity_id": notification.entity_id,
        "status": notification.status,
        "http_status": notification.http_status,
        "request_id": notification.request_id,
        "duration_ms": notification.duration_ms,
        "sent": as_text(notification.sent),
        "received": as_text(notification.received),
        "reason": None if notification.reason is None else redact_text(notification.reason),
        "event_id": notification.event_id,
        "run_id": notification.run_id or run_id,
        "created_at": datetime.now(UTC),
    }


def as_text(body: Any) -> str | None:
    """Write a body as redacted text, cut to `MAX_TEXT`; None stays None."""
    if body is None:
        return None
    text = _redacted(_parsed(body) if isinstance(body, str | bytes) else body)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text)} characters)"


def _redacted(body: Any) -> str:
    if isinstance(body, str):
        return redact_text(body)
    try:
        return _encoder.encode(redact(body)).decode()
    except RecursionError:
        return MASK  # nested without end: nobody can tell what is in it


def _parsed(body: str | bytes) -> Any:
    try:
        return _take_apart(body)
    except (msgspec.DecodeError, RecursionError, ArithmeticError):
        return body if isinstance(body, str) else body.decode(errors="replace")
    except UnicodeDecodeError:
        return MASK


def _take_apart(body: str | bytes) -> Any:
    try:
        members = _members.decode(body)
    except msgspec.ValidationError:
        return _decoder.decode(body)  # JSON, but no object
    return {name: _first_entries(bytes(raw)) for name, raw in members.items()}


def _first_entries(member: bytes) -> Any:
    """Parse a member of a body; of a list that is too long to be kept, as a page of orders is, its beginning.

    The rest would be cut from the text anyway, and to take it apart takes longer than the exchange did.
    """
    if len(member) <= MAX_TEXT or not member.startswith(b"["):
        return _decoder.decode(member)
    entries = _entries.decode(member)
    sizes = accumulate(len(bytes(entry)) for entry in entries[:LONGEST_LIST])
    fitting = max(1, sum(size <= MAX_TEXT for size in sizes))
    first = [_decoder.decode(entry) for entry in entries[:fitting]]
    return [*first, f"… and {len(entries) - len(first)} more"] if len(entries) > len(first) else first
