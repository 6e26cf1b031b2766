"""Who reads the pages need not be able to send, and the other way round."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import Engine

from tasks.errors import SetupError
from tasks.inbox.receiver import create_app
from tests.inbox.running_receiver import (
    PASSWORD,
    ULTRACART,
    USERNAME,
    orders,
    receiver_settings,
    serve_receiver,
    url_of,
)

READERS = {"reader_username": "desk", "reader_password": "a reader's secret"}
SENDER, READER = (USERNAME, PASSWORD), ("desk", "a reader's secret")


def test_without_readers_the_senders_may_read(receiver: httpx.Client) -> None:
    """As it was before there were settings for readers."""
    assert receiver.get("/notifications").status_code == 200


def test_with_readers_each_may_do_one_thing(engine: Engine) -> None:
    """The password that UltraCart and Thiio keep opens no page; the desk's sends nothing."""
    with serve_receiver(url_of(engine), previous_password="the old one", **READERS) as client:
        read = {
            auth: client.get("/notifications", auth=auth).status_code
            for auth in (SENDER, READER, (USERNAME, "the old one"), ("desk", PASSWORD))
        }
        sent = {
            auth: client.post(ULTRACART, json=orders(1), auth=auth).status_code for auth in (SENDER, READER)
        }
        told = client.get("/notifications/1", auth=SENDER).text

    assert list(read.values()) == [401, 200, 401, 401]
    assert list(sent.values()) == [200, 401]
    assert "ULTRATHIIO_RECEIVER__READER_PASSWORD" in told


@pytest.mark.parametrize(("given", "missing"), [("username", "PASSWORD"), ("password", "USERNAME")])
def test_half_of_a_readers_credentials_is_a_setup_error(engine: Engine, given: str, missing: str) -> None:
    """Nobody believes the pages to be locked that are not."""
    half = {f"reader_{given}": READERS[f"reader_{given}"]}

    with pytest.raises(SetupError, match=f"ULTRATHIIO_RECEIVER__READER_{missing} is empty"):
        create_app(receiver_settings(url_of(engine), **half))


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/openapi.json", "/metrics", ULTRACART, "/notifications"]
)
def test_every_answer_says_what_it_is(receiver: httpx.Client, path: str) -> None:
    """No browser guesses another type, and no page of ours is shown in another's frame."""
    answer = receiver.get(path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    if path == "/notifications":
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in answer.headers
