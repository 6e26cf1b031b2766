"""Who guesses passwords is told to stop; who has the right one is never turned away."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import Engine

from tasks.inbox.failed_logins import BLOCK_SECONDS, MOST_ADDRESSES, MOST_FAILURES, FailedLogins
from tests.inbox.inbox_rows import read_events
from tests.inbox.running_receiver import ULTRACART, USERNAME, orders, serve_receiver, url_of

WRONG = (USERNAME, "a guess")


def guess(client: httpx.Client, times: int, **headers: str) -> list[int]:
    """Send wrong credentials and give the statuses."""
    return [
        client.post(ULTRACART, json=orders(9), auth=WRONG, headers=headers).status_code for _ in range(times)
    ]


def test_a_guesser_is_told_to_wait(receiver: httpx.Client, engine: Engine) -> None:
    """After twenty wrong tries in a minute the answer is 429 and says for how long, on webhooks and pages."""
    told = guess(receiver, MOST_FAILURES + 2)
    answer = receiver.post(ULTRACART, json=orders(9), auth=WRONG)
    page = receiver.get("/notifications", auth=WRONG)

    assert told == [401] * MOST_FAILURES + [429, 429]
    assert (answer.status_code, answer.headers["retry-after"]) == (429, str(BLOCK_SECONDS))
    assert "Too many wrong credentials" in answer.json()["error"]
    assert (page.status_code, "Too many wrong" in page.text) == (429, True)
    assert read_events(engine, "id") == []


def test_a_sender_behind_the_same_proxy_is_not_shut_out(receiver: httpx.Client) -> None:
    """The right credentials pass at any time; they don't let the guesser go on either."""
    guess(receiver, MOST_FAILURES + 1)

    assert receiver.post(ULTRACART, json=orders(1)).json() == {"stored": 1, "duplicates": 0}
    assert guess(receiver, 1) == [429]


def test_asking_without_credentials_is_no_guess(receiver: httpx.Client) -> None:
    """A browser does so before it asks for a password."""
    url = receiver.base_url.join("/notifications")

    assert {httpx.get(url).status_code for _ in range(MOST_FAILURES + 5)} == {401}


@pytest.mark.parametrize(
    ("trusted", "told"), [("", 429), ("127.0.0.1", 401), ("10.9.9.9", 429)], ids=["none", "ours", "another"]
)
def test_addresses_are_believed_of_a_trusted_proxy_only(engine: Engine, trusted: str, told: int) -> None:
    """Else a guesser would write another address into each request."""
    with serve_receiver(url_of(engine), trusted_proxies=trusted) as client:
        guess(client, MOST_FAILURES, **{"X-Forwarded-For": "192.0.2.1"})

        assert guess(client, 1, **{"X-Forwarded-For": "192.0.2.2"}) == [told]


def test_after_a_minute_it_begins_anew() -> None:
    """And each address has its own count; a provider's customer is one address, however long it is."""
    now = [0.0]
    failed = FailedLogins(lambda: now[0])
    for _ in range(MOST_FAILURES):
        assert not failed.count("2001:db8::1")

    assert failed.count("2001:db8::ffff")
    assert not failed.count("2001:db8:0:1::1")
    assert not failed.count("192.0.2.1")
    now[0] = BLOCK_SECONDS
    assert not failed.count("2001:db8::1")


def test_what_is_remembered_is_bounded() -> None:
    """A million addresses take no more memory than ten thousand."""
    failed = FailedLogins(lambda: 0.0)
    for number in range(MOST_ADDRESSES + 500):
        failed.count(f"10.{number // 65_536}.{number // 256 % 256}.{number % 256}")

    assert len(failed._counts) == MOST_ADDRESSES
