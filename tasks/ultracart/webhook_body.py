"""What UltraCart's webhooks deliver, taken apart: every documented shape of the body.

Sources: the vendor's page 38770251 "Creating a Simple Webhook" (an array), its sample receiver of 2021 (an
object with `events`), and the webhook setting `compress_events` (events gzipped, then base64). The envelope
of compressed events is not published, so both places are accepted.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from tasks.errors import UnreadableEvent
from tasks.records.models import Customer, Order

HANDLED_EVENTS = frozenset(
    {"customer_create", "customer_update", "order_create", "order_refund", "order_reject", "order_ship"}
)
"""The events that the Thiio guide (page 2680619034, "Configure Webhook") subscribes to."""

ORDER_EXPANSION = "item,billing,shipping,customer_profile,summary,payment,channel_partner,checkout"
CUSTOMER_EXPANSION = "billing,shipping,customer_profile"
EXPANSIONS = {
    name: CUSTOMER_EXPANSION if name.startswith("customer_") else ORDER_EXPANSION
    for name in sorted(HANDLED_EVENTS)
}
"""Event → expansion, as the same page says; UltraCart ignores the name that a customer does not have."""

GZIP = 16 + zlib.MAX_WBITS
DEEPEST = 4
"""Most steps to the array: `events`, packed, `events` once more, array."""
SHALLOW: Any = list[msgspec.Raw] | dict[str, msgspec.Raw] | str | float | bool | None
Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True)
class DeliveredEvent:
    """One event of a delivery. `entity` is "customer", "order" or "other"; `object_json` is as delivered."""

    name: str
    entity: str
    entity_id: str | None
    object_json: bytes


class _Identity(msgspec.Struct):
    order_id: str | None = None
    customer_profile_oid: int | None = None


def split_body(body: bytes, max_bytes: int) -> list[DeliveredEvent]:
    """Take a delivery apart into its events, in the order they came.

    `max_bytes` bounds the body, also after decompression. Raises `UnreadableEvent` that names the place, as
    `events[3].order_create`, and holds nothing of the body.
    """
    if len(body) > max_bytes:
        raise UnreadableEvent(f"The body has {len(body)} bytes, more than the {max_bytes} that are taken.")
    place, events = _find_events(body, "body", max_bytes)
    return [
        event for index, raw in enumerate(events) for event in _read_entry(bytes(raw), f"{place}[{index}]")
    ]


def read_event(name: str, object_json: str | bytes, region: str) -> Customer | Order | None:
    """Read the object of an event as a record; None for an event that we don't handle.

    Raises `UnreadableEvent` if the object is not as documented, `InvalidRecord` if a value cannot be used.
    """
    if name not in HANDLED_EVENTS:
        return None
    # Imported late: the receiver only takes bodies apart, and need not pay for phone numbers and countries.
    from tasks.ultracart import wire
    from tasks.ultracart.translate import to_customer, to_order

    try:
        if name.startswith("customer_"):
            return to_customer(msgspec.json.decode(object_json, type=wire.Customer), region)
        return to_order(msgspec.json.decode(object_json, type=wire.Order), region)
    except msgspec.DecodeError as error:
        raise UnreadableEvent(
            f"{name}: {error}. Compare the object with UltraCart's documents; if it is right, "
            "tasks/ultracart/wire.py must learn it, then run replay-events."
        ) from error


def _find_events(
    text: bytes, place: str, max_bytes: int, levels: int = DEEPEST
) -> tuple[str, list[msgspec.Raw]]:
    """Find the array of events, packed or not, bare or under `events`; give it with the name of its place."""
    if levels == 0:
        raise UnreadableEvent(f"{place} is packed into itself more often than any documented shape.")
    match _decode(text, SHALLOW, place):
        case list(events):
            return place, events
        case str(packed):
            return _find_events(_unpack(packed, place, max_bytes), f"unpacked {place}", max_bytes, levels - 1)
        case dict(members) if "events" in members:
            return _find_events(bytes(members["events"]), "events", max_bytes, levels - 1)
        case dict(members):
            names = ", ".join(sorted(members)[:5]) or "nothing"
            raise UnreadableEvent(f"{place} is an object without events; it holds {names}.")
        case _:
            raise UnreadableEvent(f"{place} is not an array of events.")


def _unpack(packed: str, place: str, max_bytes: int) -> bytes:
    try:
        inflate = zlib.decompressobj(GZIP)
        data = inflate.decompress(base64.b64decode(packed, validate=True), max_bytes + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise UnreadableEvent(f"{place} is a text, but not base64 of gzipped events: {error}.") from error
    if len(data) > max_bytes:
        raise UnreadableEvent(f"{place} unpacks to more than the {max_bytes} bytes that are taken.")
    if not inflate.eof:
        raise UnreadableEvent(f"{place} is gzipped, but its end is missing.")
    return data


def _read_entry(entry: bytes, place: str) -> list[DeliveredEvent]:
    """Read {"order_create": {…}}; each key of an entry is an event."""
    members = _decode(entry, dict[str, msgspec.Raw], place)
    if not members:
        raise UnreadableEvent(f"{place} is an empty object; it names no event.")
    return [_read_object(name, bytes(raw), f"{place}.{name}") for name, raw in members.items()]


def _read_object(name: str, object_json: bytes, place: str) -> DeliveredEvent:
    identity = _decode(object_json, _Identity, place)
    if name.startswith("customer_"):
        oid = identity.customer_profile_oid
        return DeliveredEvent(name, "customer", None if oid is None else str(oid), object_json)
    if name.startswith("order_"):
        return DeliveredEvent(name, "order", identity.order_id, object_json)
    return DeliveredEvent(name, "other", None, object_json)


def _decode(text: bytes, kind: type[Shape], place: str) -> Shape:
    try:
        decoder = _decoder(kind)  # type: ignore[arg-type]  # every type that is decoded is hashable
        return cast(Shape, decoder.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableEvent(f"{place}: {error}.") from error


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)  # to make one takes longer than to decode a delivery
