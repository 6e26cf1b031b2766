"""Calls to Thiio's documented API under a login.

Source: thiio.atlassian.net, page 2949152778 "API documentation" (written for Zapier): `POST /api/login`,
`GET /api/check`.
"""

from __future__ import annotations

import time

import httpx
import msgspec

from tasks.errors import CredentialsRefused, RemoteChanged, RemoteError, RemoteRefused, RemoteUnavailable
from tasks.http_client import HttpClient
from tasks.notifications.log import Notify, tell_exchange
from tasks.settings import ThiioSettings, require

SYSTEM = "thiio"
READ_ATTEMPTS = 4
EXPIRY_MARGIN_SECONDS = 60


class Token(msgspec.Struct, frozen=True):
    """What a login gives; `expires` is in seconds since 1970."""

    token: str
    expires: int
    integration_uuid: str


class _LoginAnswer(msgspec.Struct):
    data: Token


class ThiioLogin:
    """Logs in when a token is needed and keeps it until it runs out."""

    def __init__(self, settings: ThiioSettings, notify: Notify) -> None:
        self._settings = settings
        self._notify = notify
        self._token: Token | None = None

    def token(self) -> Token:
        """Give a token that is good for a minute at least; raises `CredentialsRefused`."""
        if self._token is None or self._token.expires - EXPIRY_MARGIN_SECONDS < time.time():
            self._token = self._log_in()
        return self._token

    def check_user(self) -> None:
        """Ask Thiio whether the login holds; raises `CredentialsRefused` if not."""
        with self.client({"authorization": f"Bearer {self.token().token}"}) as client:
            client.read("GET", "/api/check")

    def client(self, headers: dict[str, str]) -> HttpClient:
        """Make a client of the account host."""
        return HttpClient(
            system=SYSTEM,
            base_url=require(self._settings.base_url, "thiio", "base_url"),
            headers=headers,
            timeout_seconds=self._settings.timeout_seconds,
            read_attempts=READ_ATTEMPTS,
            judge=judge,
            on_exchange=tell_exchange(self._notify),
        )

    def _log_in(self) -> Token:
        body = {
            "email": require(self._settings.email, "thiio", "email"),
            "password": require(self._settings.password, "thiio", "password"),
            "integration": "zapier",
        }
        with self.client({}) as client:
            # A login changes nothing at Thiio, so it may be repeated.
            answer = client.read("POST", "/api/login", json=body)
        try:
            return msgspec.json.decode(answer, type=_LoginAnswer).data
        except msgspec.DecodeError as error:
            raise RemoteChanged(
                f"Thiio's answer to the login is not as documented ({type(error).__name__}). "
                "Check ULTRATHIIO_THIIO__BASE_URL: it must be the account host.",
                system=SYSTEM,
            ) from error


def judge(response: httpx.Response) -> RemoteError | None:
    """Say what a status of Thiio means; its body is not quoted, since it may repeat personal data.

    Assumed: the usual meaning of each status; Thiio documents only 200.
    """
    status = response.status_code
    if response.is_success:
        return None
    if status in (401, 403):
        return CredentialsRefused(
            f"Thiio refused the login ({status}). Correct ULTRATHIIO_THIIO__EMAIL and __PASSWORD.",
            system=SYSTEM,
            status=status,
        )
    if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        seconds = response.headers.get("retry-after", "")
        wait = float(seconds) if seconds.isdecimal() else None
        return RemoteUnavailable(
            f"Thiio cannot answer now ({status}).", system=SYSTEM, status=status, retry_after_seconds=wait
        )
    if response.is_client_error:
        return RemoteRefused(
            f"Thiio refused the request ({status}). The notification shows what was sent and answered.",
            system=SYSTEM,
            status=status,
        )
    return RemoteChanged(
        f"Thiio answered {status}, which is not documented. Check ULTRATHIIO_THIIO__BASE_URL.",
        system=SYSTEM,
        status=status,
    )
