"""What the receiver does not take it turns away by a status that says why, and keeps what was not lost."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from tests.inbox.inbox_rows import read_bodies, read_events, read_notifications
from tests.inbox.running_receiver import (
    PASSWORD,
    THIIO,
    ULTRACART,
    USERNAME,
    orders,
    serve_receiver,
    url_of,
)

SMALL = 10_000
"""Bytes that the receiver of these tests takes."""


@pytest.fixture
def receiver(engine: Engine) -> Iterator[httpx.Client]:
    """A client of a receiver that takes small bodies."""
    with serve_receiver(url_of(engine), max_body_bytes=SMALL) as client:
        yield client


def basic(text: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(text.encode()).decode()


WRONG = [
    "",
    "Basic",
    "Basic not base64!",
    basic(USERNAME),
    basic(f"{USERNAME}:"),
    basic(f"{USERNAME}:wrong"),
    basic(f"other:{PASSWORD}"),
    basic(f"{USERNAME}:{PASSWORD} "),
    basic(f"{USERNAME}:{PASSWORD}").replace("Basic", "Bearer"),
]


def stored(engine: Engine) -> tuple[list[int], list[int]]:
    """Ids of all events and notifications."""
    return read_events(engine, "id"), read_notifications(engine, "id")


@pytest.mark.parametrize("path", [ULTRACART, THIIO])
def test_a_caller_without_the_credentials_is_turned_away(
    receiver: httpx.Client, engine: Engine, path: str
) -> None:
    """401 with the scheme to use, which settings hold the credentials, and nothing stored."""
    receiver.auth = None

    for authorization in WRONG:
        answer = receiver.post(path, json=orders(1), headers={"authorization": authorization})
        assert (answer.status_code, answer.headers["www-authenticate"], authorization) == (
            401,
            'Basic realm="ultrathiio"',
            authorization,
        )
        assert "ULTRATHIIO_RECEIVER__USERNAME and ULTRATHIIO_RECEIVER__PASSWORD" in answer.json()["error"]
    assert stored(engine) == ([], [])


def test_the_scheme_may_be_written_in_any_case(receiver: httpx.Client) -> None:
    """RFC 7617 says so."""
    receiver.auth = None
    header = basic(f"{USERNAME}:{PASSWORD}").replace("Basic", "bAsIc")

    assert receiver.post(ULTRACART, json=[], headers={"authorization": header}).status_code == 200


UNREADABLE = [
    (ULTRACART, "hello", "body: JSON is malformed: invalid character (byte 0)."),
    (ULTRACART, '{"order_create": {}}', "body is an object without events; it holds order_create."),
    (ULTRACART, '[{"order_create": {}}, {}]', "body[1] is an empty object; it names no event."),
    (ULTRACART, '{"events": [{"a": []}]}', "events[0].a: Expected `object`, got `array`."),
    (THIIO, "[1]", "body[0]: Expected `object`, got `int`."),
]


def test_an_unreadable_body_is_kept_as_a_dead_letter(receiver: httpx.Client, engine: Engine) -> None:
    """400 names the place; body and reason stand in the inbox and in a failed notification, once each."""
    answers = [receiver.post(path, content=body) for path, body, _ in UNREADABLE]

    kept = "It is kept as a dead letter; correct the sender, or read it in the inbox."
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (400, {"error": f"{reason} {kept}"}) for _, _, reason in UNREADABLE
    ]
    assert read_events(engine, "name", "state", "attempts", "deliveries") == [
        ("unreadable", "dead", 0, 1)
    ] * len(UNREADABLE)
    assert read_events(engine, "source", "reason") == [
        (path.rsplit("/", 1)[-1], reason) for path, _, reason in UNREADABLE
    ]
    assert read_bodies(engine) == [body for _, body, _ in UNREADABLE]
    assert read_notifications(engine, "system", "operation", "status", "reason") == [
        (path.rsplit("/", 1)[-1], "webhook", "failed", reason) for path, _, reason in UNREADABLE
    ]
    assert [json.loads(text) for text in read_notifications(engine, "received")] == [
        {"body": body} for _, body, _ in UNREADABLE
    ]


def test_the_same_unreadable_body_is_kept_once(receiver: httpx.Client, engine: Engine) -> None:
    """A sender that repeats it fills no table."""
    answers = [receiver.post(ULTRACART, content="hello").status_code for _ in range(3)]

    assert (answers, read_events(engine, "state", "deliveries")) == ([400] * 3, [("dead", 3)])


UNHOLDABLE = [
    (b'[{"a": {"x": "\xff"}}]', "a: 'utf-8' codec can't decode byte 0xff"),
    (b'[{"a": {"\xff": 1}}]', "a: 'utf-8' codec can't decode byte 0xff"),
    (b'[{"a": {"x": ' + b"9" * 5_000 + b"}}]", "a: Integer value out of range"),
    (b'[{"a": {"x": 1e9999999999999999999}}]', "a: a number is too long to be kept."),
    (b'[{"a": {"x": ' + b"[" * 600 + b"]" * 600 + b"}}]", "a: maximum recursion depth exceeded"),
    (b"[" * 9_000, "body: maximum recursion depth exceeded"),
]
"""JSON by its grammar. Its trouble lies where taking a delivery apart does not look, or too deep to look."""


def test_json_that_nobody_can_hold_is_kept_and_stops_nothing(receiver: httpx.Client, engine: Engine) -> None:
    """Each is a dead letter like any other, and what comes after it is stored."""
    answers = [receiver.post(ULTRACART, content=body) for body, _ in UNHOLDABLE]
    last = receiver.post(ULTRACART, json=orders(1))

    assert [answer.status_code for answer in (*answers, last)] == [400] * 6 + [200]
    for answer, (_, words) in zip(answers, UNHOLDABLE, strict=True):
        assert answer.json()["error"].startswith(words)
    assert read_events(engine, "name", "state") == [
        *([("unreadable", "dead")] * 6),
        ("order_create", "waiting"),
    ]
    assert read_bodies(engine)[:-1] == [body.decode("utf-8", "backslashreplace") for body, _ in UNHOLDABLE]
    assert read_notifications(engine, "status") == ["failed"] * 6


def test_an_empty_body_is_refused_and_not_kept(receiver: httpx.Client, engine: Engine) -> None:
    """There is nothing to keep."""
    answers = [receiver.post(ULTRACART, content=body) for body in (b"", b" \r\n")]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [
        (400, "The body is empty. Send the events as JSON.")
    ] * 2
    assert stored(engine) == ([], [])


def in_chunks(body: bytes) -> Iterator[bytes]:
    """A body whose length nobody is told beforehand."""
    yield from (body[at : at + 4_000] for at in range(0, len(body), 4_000))


@pytest.mark.parametrize("is_chunked", [False, True], ids=["content-length", "chunked"])
def test_a_body_may_be_as_long_as_the_setting_says(
    receiver: httpx.Client, engine: Engine, is_chunked: bool
) -> None:
    """To the byte; a longer one, much longer too, hears 413 with the setting's name, and is not stored."""
    longest = json.dumps(orders(1)).encode().ljust(SMALL)

    taken, *refused = (
        receiver.post(ULTRACART, content=in_chunks(body) if is_chunked else body)
        for body in (longest, longest + b" ", longest.ljust(900_000))
    )

    assert (taken.status_code, [answer.status_code for answer in refused]) == (200, [413, 413])
    for answer in refused:
        assert "more than 10000 bytes" in answer.json()["error"]
        assert "ULTRATHIIO_RECEIVER__MAX_BODY_BYTES" in answer.json()["error"]
    assert stored(engine) == ([1], [])


def test_what_is_no_json_or_packed_on_the_way_is_refused(receiver: httpx.Client, engine: Engine) -> None:
    """415 names what is not taken, and nothing is stored."""
    body = json.dumps(orders(1)).encode()
    forms = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html"]

    answers = [receiver.post(ULTRACART, content=body, headers={"content-type": form}) for form in forms]
    answers.append(
        receiver.post(ULTRACART, content=gzip.compress(body), headers={"content-encoding": "gzip"})
    )

    assert [answer.status_code for answer in answers] == [415] * 4
    assert [answer.json()["error"].split(" is not taken")[0] for answer in answers] == [
        "Content-Type 'application/x-www-form-urlencoded'",
        "Content-Type 'multipart/form-data'",
        "Content-Type 'text/html'",
        "Content-Encoding 'gzip'",
    ]
    assert stored(engine) == ([], [])


def test_only_deliveries_are_taken(receiver: httpx.Client, engine: Engine) -> None:
    """Other methods and paths are refused as the web does it."""
    statuses = [
        receiver.get(ULTRACART).status_code,
        receiver.put(ULTRACART, json=orders(1)).status_code,
        receiver.post("/webhooks/other", json=orders(1)).status_code,
    ]

    assert (statuses, stored(engine)) == ([405, 405, 404], ([], []))
