"""Senders that are slow, endless or silent are cut off in time, and keep nobody else from being served."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest
from sqlalchemy import Engine

from tests.inbox.inbox_rows import read_events
from tests.inbox.raw_senders import connections, head, read_to_the_end, send_until_closed
from tests.inbox.running_receiver import ULTRACART, client_of, orders, receiver_settings, run_server, url_of
from tests.inbox.test_receiver_trouble import write_lock

HEAD_SECONDS, BODY_SECONDS = 1.0, 1.5
PATIENCE = 4.0
"""Seconds that a busy machine may take longer."""
BODY = json.dumps(orders(1)).encode()


@pytest.fixture
def url(engine: Engine):
    """The address of a receiver that is not patient."""
    limits = {"head_seconds": HEAD_SECONDS, "body_seconds": BODY_SECONDS, "max_connections": 60}
    with run_server(receiver_settings(url_of(engine), **limits)) as (_, url):
        yield url


def cut_off(url: str) -> dict[str, int]:
    """How many connections the receiver says it has cut off, by reason."""
    name = "ultrathiio_cut_off_connections_total{reason="
    lines = [line for line in httpx.get(f"{url}/metrics").text.splitlines() if line.startswith(name)]
    return {line.split('"')[1]: int(float(line.split()[-1])) for line in lines}


def test_silent_and_dripping_senders_keep_nobody_waiting(url: str, engine: Engine) -> None:
    """Among forty of them a good sender is answered at once, and each of them is cut off in time."""
    with connections(url, 40) as slow, client_of(url) as client:
        silent, begun, dripping = slow[:15], slow[15:30], slow[30:]
        for connection in begun:
            connection.sendall(b"POST /webhooks/ultr")
        for connection in dripping:
            connection.sendall(head("content-length: 100000") + b"[")
        started = time.monotonic()

        answer = client.post(ULTRACART, json=orders(1))
        answered_after = time.monotonic() - started
        with ThreadPoolExecutor(len(dripping)) as senders:
            drips = list(senders.map(lambda each: send_until_closed(each, lambda: b" "), dripping))
        read_of_others = [read_to_the_end(connection) for connection in (*silent, *begun)]
        over_after = time.monotonic() - started

        assert (answer.status_code, answered_after < HEAD_SECONDS) == (200, True)
        assert {received.split(b"\r\n")[0] for received, _ in drips} == {b"HTTP/1.1 408 Request Timeout"}
        assert {received.split(b"\r\n")[0] for received in read_of_others} == {
            b"HTTP/1.1 408 Request Timeout"
        }
        assert over_after < BODY_SECONDS + PATIENCE
        assert cut_off(url) == {"slow_head": 30}
    assert read_events(engine, "entity_id") == ["DEMO-1"]


def test_a_slow_body_hears_what_was_wrong(url: str, engine: Engine) -> None:
    """408 tells the time that there was, and nothing is stored."""
    with connections(url, 1) as [connection]:
        connection.sendall(head(f"content-length: {len(BODY)}") + BODY[:-1])

        answer = read_to_the_end(connection)

    assert b"connection: close" in answer.lower()
    assert json.loads(answer.split(b"\r\n\r\n")[1]) == {
        "error": "The body did not come within 1.5 seconds. Send it again."
    }
    assert read_events(engine, "id") == []


def test_a_body_that_nobody_reads_does_not_hold_the_connection(url: str) -> None:
    """Who was turned away for its credentials, and sends on for ever, is cut off as well."""
    with connections(url, 1) as [connection]:
        connection.sendall(head("content-length: 1000000", authorization="Basic nobody"))

        received, seconds = send_until_closed(connection, lambda: b" ")

    assert received.startswith(b"HTTP/1.1 401 ")
    assert seconds < BODY_SECONDS + PATIENCE
    assert cut_off(url) == {"slow_body": 1}


@pytest.mark.parametrize("before", [b"", head("content-length: 2") + b"[]"], ids=["at first", "between"])
def test_empty_lines_do_not_keep_a_connection_open(url: str, before: bytes) -> None:
    """The parser passes over them before a request; the clock does not."""
    with connections(url, 1) as [connection]:
        if before:
            connection.sendall(before)
            connection.recv(1_000)

        _, seconds = send_until_closed(connection, lambda: b"\r\n")

    assert seconds < HEAD_SECONDS + PATIENCE


ENDLESS = {
    "head": (head()[:-2], b"x-more: " + b"x" * 990 + b"\r\n", b"HTTP/1.1 431 "),
    "one header": (head()[:-2] + b"x-long: ", b"x" * 1_000, b"HTTP/1.1 431 "),
    "trailers": (head("transfer-encoding: chunked") + b"0\r\n", b"x-more: " + b"x" * 990_000 + b"\r\n", b""),
    "chunk extension": (head("transfer-encoding: chunked") + b"1;x=", b"x" * 1_000_000, b""),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_not_read_for_ever(engine: Engine, name: str) -> None:
    """It is cut off long before the time is up, by its length."""
    begin, more, answer = ENDLESS[name]
    settings = receiver_settings(url_of(engine), max_body_bytes=100_000, head_seconds=30, body_seconds=30)
    with run_server(settings) as (_, url), connections(url, 1) as [connection]:
        connection.sendall(begin)

        received, seconds = send_until_closed(connection, lambda: more)

        assert received.startswith(answer)
        assert seconds < 15
        assert cut_off(url) == {"too_long": 1}
    assert read_events(engine, "id") == []


def test_the_longest_idle_connection_gives_way(engine: Engine) -> None:
    """However many lie about, a good sender gets in, without waiting for a time-out."""
    settings = receiver_settings(url_of(engine), max_connections=5, head_seconds=60)
    with run_server(settings) as (_, url), connections(url, 20) as idle, client_of(url) as client:
        answer = client.post(ULTRACART, json=orders(1))

        assert answer.status_code == 200
        assert [read_to_the_end(connection) for connection in idle[:15]] == [b""] * 15
        assert cut_off(url)["no_room"] >= 16


def test_a_sender_that_is_being_served_gives_way_to_nobody(engine: Engine) -> None:
    """One more than there is room for hears 503 at once, and the others get their answer."""
    settings = receiver_settings(url_of(engine), max_connections=2)
    with run_server(settings) as (_, url), connections(url, 2) as busy:
        with write_lock(engine):
            for number, connection in enumerate(busy):
                body = json.dumps(orders(number)).encode()
                connection.sendall(head(f"content-length: {len(body)}", "connection: close") + body)
            time.sleep(0.5)  # until both are taken
            with connections(url, 1) as [late]:
                refused = read_to_the_end(late)
        answers = [read_to_the_end(connection) for connection in busy]

    assert refused.startswith(b"HTTP/1.1 503 ")
    assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 200 OK"] * 2
    assert sorted(read_events(engine, "entity_id")) == ["DEMO-0", "DEMO-1"]


def test_answers_that_nobody_reads_do_not_pile_up(engine: Engine) -> None:
    """A sender that asks on and on, and never reads, is cut off."""
    settings = receiver_settings(url_of(engine), body_seconds=BODY_SECONDS)
    with run_server(settings, send_buffer=4_096) as (_, url), closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(("127.0.0.1", int(url.rsplit(":", 1)[1])))
        asks = b"GET /metrics HTTP/1.1\r\nhost: receiver\r\n\r\n" * 200
        threading.Thread(target=send_quietly, args=(connection, asks), daemon=True).start()

        until = time.monotonic() + 15
        while not cut_off(url) and time.monotonic() < until:
            time.sleep(0.1)

        assert cut_off(url) == {"slow_reader": 1}


def send_quietly(connection: socket.socket, data: bytes) -> None:
    """Send, whatever becomes of it."""
    try:
        connection.sendall(data)
    except OSError:
        return
