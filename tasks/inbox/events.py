"""What an inbox event is, and the states of its life."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import msgspec

from tasks.errors import UnreadableEvent
from tasks.notifications.redaction import redact, redact_text

MAX_NAME, MAX_ENTITY_ID = 80, 120
"""Longest texts that the columns hold; what is longer is cut, the payload tells the rest."""
UNREADABLE = "unreadable"
"""The name of an event that stands for a body nobody could read."""


class EventState(StrEnum):
    """Where an event stands.

    waiting: stored, and due at `due_at`; brought back here by a failure that may pass, by a worker that gives
        it back, and by a replay. A claim moves it on.
    leased: a worker has it until `lease_until`; after that it counts as waiting again.
    done: its record is in the mirror and Thiio has it; prune deletes it.
    skipped: understood, nothing to do, with the reason; prune deletes it, a replay brings it back.
    dead: it cannot be handled, with the reason; a person removes the reason, then replays it.
    """

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    SKIPPED = "skipped"
    DEAD = "dead"


class FoundBy(StrEnum):
    """What brought an event into the inbox."""

    WEBHOOK = "webhook"  # the sender's own delivery
    GAP = "gap"  # UltraCart's webhook log names it, the inbox did not have it
    WINDOW = "window"  # the comparison of a window missed it
    SWEEP = "sweep"  # the comparison of everything missed it
    REPAIR = "repair"  # a repair brings it to Thiio again: repair-mismatches


OPEN = (EventState.WAITING, EventState.LEASED)
CLOSED = (EventState.DONE, EventState.SKIPPED, EventState.DEAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to be stored. `body` is the object's JSON, redacted; `dead` is why it is unreadable."""

    source: str
    name: str
    entity: str
    entity_id: str | None
    digest: str
    body: str
    dead: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A stored event in a worker's hands.

    `attempts` counts this one too; `replays` is how often a person put it back.
    """

    id: int
    source: str
    name: str
    entity: str
    entity_id: str | None
    attempts: int
    replays: int
    body: str
    found_by: str = FoundBy.WEBHOOK


_exact = msgspec.json.Decoder(float_hook=Decimal)
_canonical = msgspec.json.Encoder(order="sorted", decimal_format="number")
_as_given = msgspec.json.Encoder(decimal_format="number")


def make_event(source: str, name: str, entity: str, entity_id: str | None, object_json: bytes) -> NewEvent:
    """Make an event of an object as it was delivered.

    The digest is that of name and object, whatever the order of its keys: it is how a repeated delivery is
    known. Card numbers and secrets are taken out of what is kept; without any, the text stays as it came.
    Raises `UnreadableEvent` for what JSON allows and nobody can hold: broken characters, numbers without end,
    nesting without end. (Who took the delivery apart did not look that deep.)
    """
    try:
        delivered = _exact.decode(object_json)
        clean = redact(delivered)
        body = object_json if clean == delivered else _as_given.encode(clean)
        canonical = _canonical.encode(delivered)
    except ArithmeticError as error:
        raise UnreadableEvent(f"{storable(name)}: a number is too long to be kept.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableEvent(f"{storable(name)}: {error}.") from error
    digest = hashlib.sha256(f"{source}:{name}:".encode() + canonical).hexdigest()
    return NewEvent(
        source=source,
        name=storable(name)[:MAX_NAME],
        entity=entity,
        entity_id=None if entity_id is None else storable(entity_id)[:MAX_ENTITY_ID],
        digest=digest,
        body=body.decode(),
    )


def make_unreadable(source: str, body: bytes, reason: str) -> NewEvent:
    """Make a dead event of a body that nobody can read, so that it is not lost."""
    return NewEvent(
        source=source,
        name=UNREADABLE,
        entity="other",
        entity_id=None,
        digest=hashlib.sha256(f"{source}:{UNREADABLE}:".encode() + body).hexdigest(),
        body=redact_text(storable(body.decode("utf-8", "backslashreplace"))),
        dead=reason,
    )


def event_of_object(name: str, entity: str, entity_id: str, object_json: bytes) -> NewEvent:
    """Make the event of an object of UltraCart's that was read again; a dead one if nobody can hold it."""
    try:
        return make_event("ultracart", name, entity, entity_id, object_json)
    except UnreadableEvent as error:
        # As UltraCart would deliver it: a replay reads it as a body once more.
        body = b'[{"%s":%s}]' % (name.encode(), object_json)
        return make_unreadable("ultracart", body, str(error))


def storable(text: str) -> str:
    """Write out the one character that Postgres cannot keep in a text."""
    return text.replace("\x00", "\\x00")
