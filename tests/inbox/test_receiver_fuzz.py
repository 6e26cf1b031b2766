"""Whatever is sent, the receiver answers as documented, and what it answers 200 for is in its table."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from tasks.database import tables
from tasks.database.engine import open_engine
from tests.inbox.running_receiver import THIIO, ULTRACART, serve_receiver, url_of

DOCUMENTED = {200, 400, 401, 413, 415}
"""503 is documented too; with a database that is well, nobody shall see it."""
MOST = 20_000
MEMORY, LONG = 40_000_000, 1_000_000
"""Bytes that a process may grow by, and bytes of a long body."""

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
)
names = st.sampled_from(["order_create", "customer_update", "order_id", "events", "item_update"]) | st.text()
objects = st.dictionaries(st.sampled_from(["order_id", "customer_profile_oid", "x"]), values, max_size=3)
entries = st.lists(st.dictionaries(names, objects | values, max_size=3), max_size=4)


def pack(value: object) -> str:
    """As compress_events packs it."""
    return base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()


shapes = st.one_of(
    entries,
    entries.map(lambda value: {"events": value}),
    entries.map(pack),
    entries.map(lambda value: {"events": pack(value)}),
    values,
)
good = shapes.map(lambda value: json.dumps(value).encode())
bodies = st.one_of(
    good,
    st.binary(max_size=200),
    st.tuples(good, st.integers(0, 200), st.binary(max_size=3)).map(
        lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :]
    ),
    st.tuples(st.sampled_from([b"[", b'{"a":', b"9", b" ", b"\\u0000"]), st.integers(1, 9_000)).map(
        lambda t: t[0] * t[1]
    ),
)
header_values = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40).map(str.strip)
headers = st.dictionaries(
    st.sampled_from(
        ["content-type", "content-encoding", "authorization", "x-forwarded-for", "expect", "range"]
    ),
    header_values | st.sampled_from(["application/json", "identity", "gzip", "Basic !", "100-continue"]),
    max_size=2,
)


@pytest.fixture(scope="module")
def fuzzed(
    tmp_path_factory: pytest.TempPathFactory, empty_file: Path
) -> Iterator[tuple[httpx.Client, Engine]]:
    """A receiver that takes all of them, and its database."""
    file = tmp_path_factory.mktemp("fuzz") / "ours.sqlite3"
    copyfile(empty_file, file)
    engine = open_engine(f"sqlite:///{file}")
    with serve_receiver(url_of(engine), max_body_bytes=MOST) as client:
        yield client, engine
    engine.dispose()


def deliveries_in(engine: Engine) -> tuple[int, int]:
    """How often events were delivered, and how many are there."""
    table = tables.inbox_events
    with engine.connect() as connection:
        row = connection.execute(select(func.coalesce(func.sum(table.c.deliveries), 0), func.count())).one()
    return int(row[0]), int(row[1])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from([ULTRACART, THIIO]), body=bodies, headers=headers)
def test_any_request_gets_a_documented_answer(
    fuzzed: tuple[httpx.Client, Engine], path: str, body: bytes, headers: dict[str, str]
) -> None:
    """Never 500. 200 counts the rows that are new and those that were there; 400 keeps the body."""
    client, engine = fuzzed
    before = deliveries_in(engine)
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    answer = client.post(path, content=body, headers=encoded)

    added, new = (now - then for now, then in zip(deliveries_in(engine), before, strict=True))
    assert answer.status_code in DOCUMENTED
    told = answer.json()
    if answer.status_code == 200:
        assert (told["stored"], told["stored"] + told["duplicates"]) == (new, added)
    elif answer.status_code == 400 and body.strip():
        assert added == 1
    else:
        assert (added, list(told)) == (0, ["error"])


def test_long_bodies_leave_nothing_behind_in_memory(engine: Engine) -> None:
    """A hundred of them, each another, take no more than a few do."""
    process = psutil.Process(os.getpid())
    with serve_receiver(url_of(engine), max_body_bytes=LONG) as client:

        def send(numbers: range) -> set[int]:
            bodies = (
                json.dumps([{"order_create": {"order_id": f"{n}", "x": "y" * 990_000}}]) for n in numbers
            )
            return {client.post(ULTRACART, content=body).status_code for body in bodies}

        first = send(range(20))
        before = process.memory_info().rss
        second = send(range(20, 120))
        grown = process.memory_info().rss - before

    assert (first, second) == ({200}, {200})
    assert grown < MEMORY
