"""The receiver's memory is bounded: by what a body unpacks to, and by what all senders send together."""

from __future__ import annotations

import base64
import gzip
import json
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import Engine

from tasks.errors import UnreadableEvent
from tasks.inbox.delivery import split_ultracart
from tests.inbox.inbox_rows import read_bodies, read_events
from tests.inbox.running_receiver import ULTRACART, orders, serve_receiver, url_of
from tests.inbox.test_receiver_trouble import write_lock

MOST = 1_000_000
"""Bytes of a body, also unpacked, in these tests."""


def packed(data: bytes) -> str:
    """Gzipped and written as base64, as compress_events does it."""
    return base64.b64encode(gzip.compress(data)).decode()


BOMB = packed(b" " * 500_000_000)
NEST = packed(b"[" * 900_000)
TWICE = packed(json.dumps(packed(b" " * 50_000_000)).encode())


@pytest.mark.parametrize(
    "value", [BOMB, {"events": BOMB}, NEST, {"events": NEST}, TWICE, {"events": {"events": BOMB}}]
)
def test_a_bomb_is_refused_fast_and_takes_no_memory(value: object) -> None:
    """Half a gigabyte in a short text: it is unpacked no further than a body may be long."""
    body = json.dumps(value).encode()
    tracemalloc.start()
    started = time.monotonic()

    with pytest.raises(UnreadableEvent):
        split_ultracart(body, MOST)

    seconds, (_, peak) = time.monotonic() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (seconds < 2, peak < 2 * len(body) + 4 * MOST) == (True, True)


def test_bombs_keep_nobody_waiting(engine: Engine) -> None:
    """While many come at once others are served; each is kept as it came, once."""
    bombs = [json.dumps({"events": packed(b" " * (20_000_000 + size))}) for size in range(8)]
    with serve_receiver(url_of(engine)) as client, ThreadPoolExecutor(8) as senders:
        calls = [senders.submit(client.post, ULTRACART, content=bomb) for bomb in bombs]
        answer = client.post(ULTRACART, json=orders(1))
        statuses = {call.result().status_code for call in calls}

    assert (answer.status_code, statuses) == (200, {400})
    assert sorted(read_events(engine, "state")) == ["dead"] * 8 + ["waiting"]
    assert sorted(body for body in read_bodies(engine) if "events" in body) == sorted(bombs)


def test_all_bodies_together_are_bounded(engine: Engine) -> None:
    """While the database is locked no more than the setting is held; others hear 503, and get in later."""
    note = "x" * 600_000
    with (
        serve_receiver(url_of(engine), max_body_bytes=MOST, max_held_bytes=MOST) as client,
        ThreadPoolExecutor(1) as sender,
    ):
        client.post(ULTRACART, json=orders(0))
        with write_lock(engine):
            first = sender.submit(client.post, ULTRACART, json=orders(1, note=note))
            wait([first], timeout=0.5)
            refused = client.post(ULTRACART, json=orders(2, note=note))
            small = sender.submit(client.post, ULTRACART, json=orders(3))
        taken = [first.result(), small.result(), client.post(ULTRACART, json=orders(2, note=note))]

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert refused.json() == {"error": "Too many bytes wait to be stored. Send this delivery again later."}
    assert [answer.status_code for answer in taken] == [200] * 3
    assert sorted(read_events(engine, "entity_id")) == ["DEMO-0", "DEMO-1", "DEMO-2", "DEMO-3"]


def test_what_is_turned_away_is_not_held(engine: Engine) -> None:
    """Unreadable, empty or too long: the memory is free again each time."""
    with serve_receiver(url_of(engine), max_body_bytes=MOST, max_held_bytes=MOST) as client:
        for number in range(5):
            assert client.post(ULTRACART, content=f"{number}" + "x" * 900_000).status_code == 400
            assert client.post(ULTRACART, content=b" " * 900_000).status_code == 400
            assert client.post(ULTRACART, content=b" " * (MOST + 1)).status_code == 413
        answer = client.post(ULTRACART, json=orders(1, note="x" * 900_000))

    assert answer.status_code == 200
