"""A delivery is taken apart whatever its documented shape; a bad one is refused by place."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import UnreadableEvent
from tasks.ultracart.sandbox.dispatcher import BodyShape, write_body
from tasks.ultracart.webhook_body import EXPANSIONS, HANDLED_EVENTS, read_event, split_body

PAYLOADS = Path(__file__).parent.parent / "payloads"
LARGEST = 100_000
EVENTS = [{"order_create": {"order_id": "DEMO-1"}}, {"customer_update": {"customer_profile_oid": 7}}]


def body_of(file: str) -> bytes:
    """A payload as it would be delivered."""
    return json.dumps(json.loads((PAYLOADS / f"{file}.json").read_text())["body"]).encode()


def packed(content: bytes) -> str:
    """A text as `compress_events` makes it."""
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


@pytest.mark.parametrize("file", ["several_events", "packed", "events_packed"])
def test_several_events_are_told_apart(file: str) -> None:
    """Bare or packed, each event comes with its name and the id of its object, in order."""
    events = split_body(body_of(file), LARGEST)

    assert [(event.name, event.entity, event.entity_id) for event in events] == [
        ("customer_create", "customer", "1234567"),
        ("order_create", "order", "DEMO-0009104420"),
        ("order_stage_change", "order", "DEMO-0009104420"),
        ("item_update", "other", None),
    ]


@pytest.mark.parametrize(
    "body",
    [
        *(write_body(EVENTS, shape) for shape in BodyShape),
        json.dumps({"events": packed(json.dumps({"events": EVENTS}).encode())}).encode(),
        json.dumps(packed(json.dumps({"events": EVENTS}).encode())).encode(),
        json.dumps([{**EVENTS[0], **EVENTS[1]}]).encode(),
    ],
)
def test_every_shape_gives_the_same_events(body: bytes) -> None:
    """An array, an object with events, packed bare, packed under events, packed twice over."""
    events = split_body(body, LARGEST)

    assert [(event.name, json.loads(event.object_json)) for event in events] == [
        ("order_create", {"order_id": "DEMO-1"}),
        ("customer_update", {"customer_profile_oid": 7}),
    ]


def test_an_object_stays_as_it_was_delivered() -> None:
    """Numbers keep their text, and unknown keys stay."""
    (event,) = split_body(b'[{"order_create": {"order_id": "A", "x": 18.630, "y": null}}]', LARGEST)

    assert event.object_json == b'{"order_id": "A", "x": 18.630, "y": null}'


@pytest.mark.parametrize("body", [b"[]", b'{"events": []}'])
def test_an_empty_delivery_has_no_events(body: bytes) -> None:
    """UltraCart's test button may send nothing."""
    assert split_body(body, LARGEST) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "body: "),
        (b"hello", "body: JSON is malformed"),
        (b"\xff\xfe[]", "body: "),
        (b"null", "body is not an array of events"),
        (b"{}", "body is an object without events; it holds nothing"),
        (b'{"order_create": {}}', "it holds order_create"),
        (b'{"events": 5}', "events is not an array"),
        (b"[[]]", r"body\[0\]: Expected `object`"),
        (b'[{"order_create": {}}, {}]', r"body\[1\] is an empty object"),
        (b'{"events": [{"order_create": []}]}', r"events\[0\].order_create: Expected `object`"),
        (b'[{"order_create": {"order_id": 5}}]', r"body\[0\].order_create: Expected `str"),
        (b'"not base64!"', "body is a text, but not base64 of gzipped events"),
        (json.dumps(base64.b64encode(b"[]").decode()).encode(), "not base64 of gzipped events"),
        (json.dumps(packed(b"[1")).encode(), "unpacked body: "),
        (json.dumps(packed(b"[[]]")).encode(), r"unpacked body\[0\]: Expected `object`"),
        (json.dumps(packed(b"[]")[:20] + "====").encode(), "body is"),
        (b"[" * 50_000, "body: "),
        (b'[{"order_create": ' + b"[" * 50_000, "body: "),
    ],
)
def test_a_bad_body_is_refused_by_place(body: bytes, words: str) -> None:
    """The message names where, and repeats nothing of the values."""
    with pytest.raises(UnreadableEvent, match=words):
        split_body(body, LARGEST)


def test_a_large_body_is_refused() -> None:
    """The bound holds before anything is read."""
    with pytest.raises(UnreadableEvent, match="has 11 bytes, more than the 10"):
        split_body(b" " * 11, 10)


def test_a_bomb_is_not_unpacked() -> None:
    """A small body that unpacks to much is refused at the bound."""
    with pytest.raises(UnreadableEvent, match="unpacks to more than the 100000 bytes"):
        split_body(json.dumps(packed(b" " * 50_000_000)).encode(), LARGEST)


def test_packing_without_end_is_refused() -> None:
    """A text in a text in a text is no documented shape."""
    content = json.dumps(EVENTS).encode()
    for _ in range(5):
        content = json.dumps(packed(content)).encode()

    with pytest.raises(UnreadableEvent, match="packed into itself"):
        split_body(content, LARGEST)


def test_an_event_outside_the_six_is_not_read() -> None:
    """It is nobody's error: the account may be subscribed to more."""
    assert read_event("order_stage_change", b'{"order_id": "A"}', "US") is None


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("order_create", {}, "order_create: .*missing required field `order_id`"),
        ("order_create", {"order_id": "A", "items": {}}, r"items"),
        ("customer_update", {"customer_profile_oid": "seven"}, "customer_profile_oid"),
    ],
)
def test_an_object_of_another_shape_cannot_be_read(name: str, content: Any, words: str) -> None:
    """The place in the object is named."""
    with pytest.raises(UnreadableEvent, match=words):
        read_event(name, json.dumps(content), "US")


def test_the_six_events_have_the_guides_expansions() -> None:
    """What the guide says to enter for each event."""
    order = "item,billing,shipping,customer_profile,summary,payment,channel_partner,checkout"

    assert EXPANSIONS.keys() == HANDLED_EVENTS
    assert {EXPANSIONS[name] for name in EXPANSIONS if name.startswith("order_")} == {order}
    assert EXPANSIONS["customer_create"] == "billing,shipping,customer_profile"
