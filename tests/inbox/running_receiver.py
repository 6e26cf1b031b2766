"""The receiver as a real web server on a free port of this machine, and deliveries for it."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import Engine

from tasks.inbox.receiver import server_config
from tasks.settings import Settings, load_settings

PAYLOADS = Path(__file__).parent.parent / "payloads"
ULTRACART, THIIO = "/webhooks/ultracart", "/webhooks/thiio"
USERNAME, PASSWORD = "ultracart", "a made-up secret"
CALL_SECONDS = 20.0
"""Longest wait for an answer: a receiver that hangs must fail its test, not stop the suite."""


def receiver_settings(database_url: str, **receiver: Any) -> Settings:
    """Settings of a receiver with credentials; `receiver` overrides its own section."""
    section = {"username": USERNAME, "password": PASSWORD, **receiver}
    return load_settings(database_url=database_url, receiver=section)


@contextmanager
def run_server(settings: Settings, *, send_buffer: int = 0) -> Iterator[tuple[uvicorn.Server, str]]:
    """Serve the application for a block; yield the server, which can be told to stop, and its address.

    `send_buffer` bounds the bytes of an answer that the machine takes for a sender that does not read.
    """
    listener = socket.create_server(("127.0.0.1", 0))  # a call before the start-up waits in its backlog
    if send_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    config = server_config(settings)
    config.log_config = None  # as pytest has set it up
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def serve_receiver(database_url: str, **receiver: Any) -> Iterator[httpx.Client]:
    """Serve a receiver for a block and yield a client that gives the right credentials."""
    with run_server(receiver_settings(database_url, **receiver)) as (_, url), client_of(url) as client:
        yield client


def client_of(url: str) -> httpx.Client:
    """A client of a receiver, with the right credentials."""
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to load certificates would take longer than the calls
    return httpx.Client(base_url=url, auth=(USERNAME, PASSWORD), timeout=CALL_SECONDS, verify=plain)


def url_of(engine: Engine) -> str:
    """The database URL that an engine was made of."""
    return engine.url.render_as_string(hide_password=False)


def body_of(file: str) -> Any:
    """A documented payload, as the JSON value that is delivered."""
    return json.loads((PAYLOADS / f"{file}.json").read_text())["body"]


def orders(*numbers: int, **fields: Any) -> list[dict[str, Any]]:
    """A delivery of new orders, each with `fields`."""
    return [{"order_create": {"order_id": f"DEMO-{number}", **fields}} for number in numbers]
