"""What Thiio posts to a URL that is subscribed to its events, taken apart.

Source: thiio.atlassian.net, page 2949152778, "Triggers": a channel has a URL and an event such as
`transaction-declined` (the other names: `tasks/thiio/channels.py`). Assumed: the body, of which no page that
could be read tells: an object, or an array of objects, each perhaps with `event`, `type` and `id`. The same
page's sample of a listed customer has `type` ("customer") and `id`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from tasks.errors import UnreadableEvent

UNNAMED = "thiio_event"
"""The name of an event whose body does not tell one."""


@dataclass(frozen=True, slots=True)
class ThiioEvent:
    """One event of a delivery; `entity` is "customer", "order" or "other", `object_json` as delivered."""

    name: str
    entity: str
    entity_id: str | None
    object_json: bytes


class _Named(msgspec.Struct):
    event: str | None = None
    type: str | None = None
    id: int | str | None = None


def split_body(body: bytes) -> list[ThiioEvent]:
    """Take a delivery apart; raises `UnreadableEvent` that names the place and holds nothing of the body."""
    events: Any = _decode(body, list[msgspec.Raw] | dict[str, msgspec.Raw], "body")
    if isinstance(events, dict):
        return [_read_event(body, "body")]
    return [_read_event(bytes(raw), f"body[{index}]") for index, raw in enumerate(events)]


def _read_event(object_json: bytes, place: str) -> ThiioEvent:
    named: _Named = _decode(object_json, _Named, place)
    entity = named.type if named.type in ("customer", "order") else "other"
    return ThiioEvent(
        name=named.event or UNNAMED,
        entity=entity,
        entity_id=None if named.id is None else str(named.id),
        object_json=object_json,
    )


def _decode(text: bytes, kind: Any, place: str) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableEvent(f"{place}: {error}.") from error
