"""Who may send: HTTP Basic credentials, and an address that nobody guesses."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from starlette.requests import Request

from tasks.inbox.delivery import Turned
from tasks.settings import ReceiverSettings, require


class Callers:
    """Knows callers by hashes: comparing takes the same time however much of a guess is right.

    While a password is changed, the previous one counts as well. Raises `SetupError` without credentials.
    """

    def __init__(self, settings: ReceiverSettings) -> None:
        username = require(settings.username, "receiver", "username")
        passwords = [
            require(settings.password, "receiver", "password"),
            settings.previous_password.get_secret_value(),
        ]
        # Joined by a character that a user name cannot hold (RFC 7617), and compared as a whole.
        self._known = [_hash(f"{username}:{password}".encode()) for password in passwords if password]
        token = settings.path_token.get_secret_value()
        self._token = _hash(token.encode()) if token else None

    @property
    def path_ending(self) -> str:
        """What the route of a webhook ends with."""
        return "" if self._token is None else "/{token}"

    def check_credentials(self, request: Request) -> None:
        """Raise `Turned` (401) for other credentials than ours, whatever the address."""
        given = _hash(_basic(request.headers.get("authorization", "")))
        # All are compared, always: the time must not tell which one it was.
        if not any([hmac.compare_digest(given, known) for known in self._known]):
            raise Turned(
                401,
                "HTTP Basic credentials are missing or wrong. Give the webhook the user name and password "
                "that ULTRATHIIO_RECEIVER__USERNAME and __PASSWORD hold.",
                **{"WWW-Authenticate": 'Basic realm="ultrathiio"'},
            )

    def check_path(self, request: Request) -> None:
        """Raise `Turned` (404) for another address than ours; to be asked of a route with `path_ending`."""
        if self._token is None:
            return
        given = _hash(request.path_params["token"].encode("utf-8", "surrogateescape"))
        if not hmac.compare_digest(given, self._token):
            raise Turned(404, "Nothing is taken at this address.")


def _basic(header: str) -> bytes:
    scheme, _, packed = header.partition(" ")
    if scheme.casefold() != "basic":
        return b""
    try:
        return base64.b64decode(packed.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _hash(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
