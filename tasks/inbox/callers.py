"""Who may send and who may read: HTTP Basic credentials, and an address that nobody guesses."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from pydantic import SecretStr
from starlette.requests import Request

from tasks.inbox.delivery import Turned
from tasks.inbox.failed_logins import BLOCK_SECONDS, FailedLogins
from tasks.settings import ReceiverSettings, require

SENDER, READER = ("username", "password"), ("reader_username", "reader_password")


class Callers:
    """Knows callers by hashes: comparing takes the same time however much of a guess is right.

    While a password is changed, the previous one counts as well. Who sends may also read, unless readers have
    credentials of their own. Right credentials always pass; after many wrong ones an address is told to wait.
    Raises `SetupError` without credentials.
    """

    def __init__(self, settings: ReceiverSettings) -> None:
        self._senders = _hashes(settings, SENDER, settings.previous_password)
        has_readers = settings.reader_username or settings.reader_password.get_secret_value()
        self._reader_settings = READER if has_readers else SENDER
        self._readers = _hashes(settings, READER) if has_readers else self._senders
        token = settings.path_token.get_secret_value()
        self._token = _hash(token.encode()) if token else None
        self._failed = FailedLogins()

    @property
    def path_ending(self) -> str:
        """What the route of a webhook ends with."""
        return "" if self._token is None else "/{token}"

    def check_sender(self, request: Request) -> None:
        """Raise `Turned` (401, 429) for other credentials than a sender's, whatever the address."""
        self._check(request, self._senders, "Give the webhook the user name and password that", SENDER)

    def check_reader(self, request: Request) -> None:
        """Raise `Turned` (401, 429) for other credentials than a reader's."""
        self._check(request, self._readers, "Give those that", self._reader_settings)

    def check_path(self, request: Request) -> None:
        """Raise `Turned` (404) for another address than ours; to be asked of a route with `path_ending`."""
        if self._token is None:
            return
        given = _hash(request.path_params["token"].encode("utf-8", "surrogateescape"))
        if not hmac.compare_digest(given, self._token):
            raise Turned(404, "Nothing is taken at this address.")

    def _check(self, request: Request, known: Sequence[bytes], advice: str, names: tuple[str, str]) -> None:
        header = request.headers.get("authorization", "")
        given = _hash(_basic(header))
        # All are compared, always: the time must not tell which one it was.
        if any([hmac.compare_digest(given, each) for each in known]):
            return
        # A browser asks without credentials first: that is no guess.
        if header and self._failed.count(request.client.host if request.client else ""):
            raise Turned(
                429,
                "Too many wrong credentials came from this address. Wait a minute, then send the right ones; "
                "right ones are taken at any time.",
                **{"Retry-After": str(BLOCK_SECONDS)},
            )
        user, password = (f"ULTRATHIIO_RECEIVER__{name.upper()}" for name in names)
        raise Turned(
            401,
            f"HTTP Basic credentials are missing or wrong. {advice} {user} and {password} hold.",
            **{"WWW-Authenticate": 'Basic realm="ultrathiio"'},
        )


def _hashes(
    settings: ReceiverSettings, names: tuple[str, str], previous: SecretStr | None = None
) -> list[bytes]:
    """Hash user name and password, joined by a character that a user name cannot hold (RFC 7617)."""
    username, password = (require(getattr(settings, name), "receiver", name) for name in names)
    passwords = [password, previous.get_secret_value() if previous else ""]
    return [_hash(f"{username}:{password}".encode()) for password in passwords if password]


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
