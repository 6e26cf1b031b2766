"""Read a body again that nobody could read when it came: a later version may know its shape."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from tasks.errors import UnreadableEvent
from tasks.inbox import event_queue
from tasks.inbox.delivery import SPLITS
from tasks.inbox.events import Event
from tasks.settings import ReceiverSettings


def read_unreadable(engine: Engine, event: Event, settings: ReceiverSettings) -> str:
    """Put the events of a body into the inbox, if it can be read now, and say how many there were.

    Raises `UnreadableEvent` if it still cannot be read.
    """
    try:
        events = SPLITS[event.source](event.body.encode(), settings.max_body_bytes)
    except UnreadableEvent as error:
        raise UnreadableEvent(
            f"It still cannot be read. {error} Correct the sender: what it sends then is a new event."
        ) from error
    with engine.begin() as connection:
        counts = event_queue.store_events(connection, events, now=datetime.now(UTC))
    return f"Read again: {counts.stored} new events, {counts.duplicates} that were known already."
