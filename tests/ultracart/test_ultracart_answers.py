"""Each answer of UltraCart means one error, or none."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tasks.errors import (
    AnswerLost,
    CredentialsRefused,
    RemoteChanged,
    RemoteError,
    RemoteRefused,
    RemoteUnavailable,
    SetupError,
)
from tasks.loopback import serve_on_loopback
from tasks.settings import UltraCartSettings
from tasks.ultracart.answers import judge, means_not_found
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.server import UltraCartSandbox


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    """An answer to a request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = httpx.Request("GET", "https://secure.ultracart.com/rest/v2/order/orders")
    content = {} if body is None else {"json": body}
    return httpx.Response(status, headers=named, request=request, **content)


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        (answer(200, {"success": True}), None, ""),
        (answer(204), None, ""),
        (answer(400, {"error": {"user_message": "Bad _limit"}}), RemoteRefused, "Bad _limit"),
        (answer(400, {}, uc_rest_error="Bad _limit"), RemoteRefused, "Bad _limit"),
        (answer(401, {}), CredentialsRefused, "ULTRATHIIO_ULTRACART__SIMPLE_KEY"),
        (answer(403, {}), CredentialsRefused, "permissions"),
        (answer(404, {}), RemoteRefused, "no reason given"),
        (answer(410, {}), CredentialsRefused, "disabled this application"),
        (answer(429, {}), RemoteUnavailable, "429"),
        (answer(500, {}), RemoteUnavailable, "500"),
        (answer(503), RemoteUnavailable, "503"),
        (answer(200, {"success": False, "error": {"developer_message": "No"}}), RemoteRefused, "No"),
        (answer(200, {"success": True, "import_errors": ["No such item"]}), RemoteRefused, "No such item"),
        (answer(200, {"cancel_errors": ["Too late"]}), RemoteRefused, "Too late"),
        (answer(200, ["not", "an", "object"]), RemoteChanged, "not with a JSON object"),
    ],
)
def test_an_answer_means_an_error(given: httpx.Response, kind: type[RemoteError] | None, words: str) -> None:
    """Every documented status, and the failures that hide in a 200."""
    error = judge(given)

    assert type(error) is (kind or type(None))
    assert words in str(error)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("rate of 1000 per 3600 second(s) exceeded.", 30.0),
        ("rate of 10000 per 86400 second(s) exceeded.", 3_600.0),
        ("Concurrent requests are not allowed.", None),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(words: str, seconds: float | None) -> None:
    """The hour's bucket leaks soon; the day's is for a later run."""
    error = judge(answer(429, {}, uc_rest_error=words))

    assert isinstance(error, RemoteUnavailable)
    assert error.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (400, "Server side object 'order' could not be updated. It does not exist.", True),
        (404, "", True),
        (400, "At least one parameter is required.", False),
        (401, "does not exist", False),
    ],
)
def test_not_found_is_told_by_its_words(status: int, words: str, expected: bool) -> None:
    """UltraCart answers 400 to an unknown id; other 400s are refusals."""
    assert means_not_found(RemoteRefused(words, status=status)) is expected


def client_of(url: str) -> UltraCartClient:
    """A client of any server."""
    settings = UltraCartSettings(
        base_url=url, simple_key="key", channel_partner_code="THIIO", read_attempts=1
    )
    return UltraCartClient.connect(settings, lambda exchange: None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"orders": [{"order_id": 5}]}, r"Expected `str`, got `int` - at `\$.orders\[0\].order_id`"),
        ({"orders": [{"order_id": "A", "creation_dts": "yesterday"}]}, "creation_dts"),
        ({"purchases": [], "metadata": {"result_set": {"count": 3}}}, "counts 3 rows"),
        ({"success": True}, "counts None rows"),
        ({"orders": [], "metadata": {"result_set": {"more": True, "next_offset": 0}}}, "next_offset is 0"),
    ],
)
def test_an_answer_of_another_shape_stops_the_run(body: Any, words: str) -> None:
    """What is not as documented is never taken for an empty list, and the place is named."""
    with (
        serve_on_loopback(lambda request: httpx.Response(200, json=body)) as url,
        client_of(url) as client,
        pytest.raises(RemoteChanged, match=words),
    ):
        client.find_partner_order("THIIO-1")


@pytest.mark.parametrize("body", [b"<html>", b'{"success": true}'])
def test_an_import_answered_in_another_shape_is_doubtful(body: bytes) -> None:
    """A 200 without order id may well have made the order: look it up, don't send it again."""
    with (
        serve_on_loopback(lambda request: httpx.Response(200, content=body)) as url,
        client_of(url) as client,
        pytest.raises(AnswerLost, match="looked up"),
    ):
        client.import_order({})


def test_a_wrong_key_stops_the_run(ultracart: UltraCartSandbox) -> None:
    """The error names the setting and not the key."""
    settings = UltraCartSettings(base_url=ultracart.base_url, simple_key="wrong-key")
    with (
        UltraCartClient.connect(settings, lambda exchange: None) as client,
        pytest.raises(CredentialsRefused, match="ULTRATHIIO_ULTRACART__SIMPLE_KEY") as caught,
    ):
        client.list_gateways()
    assert "wrong-key" not in str(caught.value)


def test_without_a_key_nothing_is_sent() -> None:
    """An empty key is a set-up error before the first call."""
    with pytest.raises(SetupError, match="ULTRATHIIO_ULTRACART__SIMPLE_KEY is empty"):
        UltraCartClient.connect(UltraCartSettings(), lambda exchange: None)
