"""The HTTP client repeats reads, never writes, and tells every exchange; over a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tasks.errors import AnswerLost, RemoteError, RemoteRefused, RemoteUnavailable
from tasks.http_client import Exchange, HttpClient
from tasks.loopback import CutConnection, serve_on_loopback
from tasks.version import our_version

Answer = int | type[Exception]


class Remote:
    """Plays a server: gives the answers it was told, one a request, then 200."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []
        self.agents: list[str] = []

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Answer as told."""
        self.agents.append(request.headers["user-agent"])
        self.requests.append(f"{request.method} {request.url.path} {request.content.decode()}")
        answer = self.answers.pop(0) if self.answers else 200
        if not isinstance(answer, int):
            raise answer
        headers = {"retry-after": "0.01", "x-request-id": f"r{len(self.requests)}"}
        return httpx.Response(answer, json={"ok": True}, headers=headers)


def judge(response: httpx.Response) -> RemoteError | None:
    """Say what a status means, as a room would."""
    if response.status_code in (429, 500, 503):
        wait = float(response.headers["retry-after"])
        return RemoteUnavailable("busy", status=response.status_code, retry_after_seconds=wait)
    return RemoteRefused("no", status=response.status_code) if response.is_error else None


@contextmanager
def client_of(remote: Remote, told: list[Exchange] | None = None) -> Iterator[HttpClient]:
    """A client of a remote that is served on loopback."""
    on_exchange: Callable[[Exchange], None] = (told if told is not None else []).append
    with (
        serve_on_loopback(remote.respond) as url,
        HttpClient(
            system="remote",
            base_url=url,
            headers={},
            timeout_seconds=5,
            read_attempts=3,
            judge=judge,
            on_exchange=on_exchange,
        ) as client,
    ):
        yield client


def test_a_read_is_repeated_until_it_succeeds() -> None:
    """429 and 503 are waited out, as long as the server wishes."""
    remote = Remote(429, 503)

    with client_of(remote) as client:
        assert client.read("GET", "/things") == b'{"ok":true}'

    assert remote.requests == ["GET /things "] * 3


def test_a_read_gives_up_after_its_attempts() -> None:
    """The last error is raised once the attempts are used."""
    remote = Remote(503, 503, 503)

    with client_of(remote) as client, pytest.raises(RemoteUnavailable):
        client.read("GET", "/things")

    assert len(remote.requests) == 3


def test_a_refusal_is_not_repeated() -> None:
    """What was wrong stays wrong."""
    remote = Remote(400)

    with client_of(remote) as client, pytest.raises(RemoteRefused):
        client.read("GET", "/things")

    assert len(remote.requests) == 1


@pytest.mark.parametrize("answer", [CutConnection, 500, 503], ids=["cut", "500", "503"])
def test_a_write_without_a_clear_answer_is_in_doubt_and_sent_once(answer: Answer) -> None:
    """It may have had effect: nobody sends it again on a guess."""
    remote = Remote(answer)

    with client_of(remote) as client, pytest.raises(AnswerLost):
        client.write("POST", "/things", json={"a": 1})

    assert remote.requests == ['POST /things {"a":1}']


def test_a_write_that_was_turned_away_is_not_in_doubt() -> None:
    """429 says that nothing was done; so does a port where nobody listens."""
    with client_of(Remote(429)) as client, pytest.raises(RemoteUnavailable) as turned_away:
        client.write("POST", "/things", json={})
    with pytest.raises(RemoteUnavailable) as nobody:
        client_on_a_closed_port().write("POST", "/things", json={})

    assert [type(turned_away.value), type(nobody.value)] == [RemoteUnavailable, RemoteUnavailable]


def client_on_a_closed_port() -> HttpClient:
    """A client of a server that has just gone."""
    with serve_on_loopback(Remote().respond) as url:
        pass
    return HttpClient(
        system="remote",
        base_url=url,
        headers={},
        timeout_seconds=2,
        read_attempts=1,
        judge=judge,
        on_exchange=lambda _: None,
    )


def test_every_exchange_is_told() -> None:
    """Status, what was sent, what was received, the server's own id; failures too."""
    told: list[Exchange] = []

    with client_of(Remote(CutConnection), told) as client:
        with pytest.raises(AnswerLost):
            client.write("POST", "/things", json={"a": 1})
        client.read("GET", "/things", params={"page": 2})

    lost, good = told
    assert (lost.operation, lost.sent, lost.received, type(lost.error)) == (
        "POST /things",
        {"a": 1},
        None,
        AnswerLost,
    )
    assert (good.operation, good.sent, good.received) == ("GET /things", {"page": 2}, b'{"ok":true}')
    assert (good.http_status, good.request_id, good.error) == (200, "r2", None)


def test_calls_name_the_program_and_its_version() -> None:
    """So the remote system's staff can tell whose calls they are."""
    remote = Remote()
    with client_of(remote) as client:
        client.read("GET", "/")

    assert remote.agents == [f"ultrathiio/{our_version()}"]
