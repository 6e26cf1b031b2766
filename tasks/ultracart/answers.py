"""What an answer of UltraCart means: which error, if any, and how a good one is read."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import httpx
import msgspec
from msgspec import Struct

from tasks.errors import CredentialsRefused, RemoteChanged, RemoteError, RemoteRefused, RemoteUnavailable

ERROR_HEADER = "uc-rest-error"
REQUEST_ID_HEADER = "x-ultracart-request-id"
RATE_EXCEEDED = re.compile(r"rate of (\d+) per (\d+) second")
HOUR_SECONDS = 3_600
HOUR_WAIT_SECONDS = 30.0
"""Wait after the hourly limit: its bucket leaks one call in 3.6 seconds, so this frees eight."""

Answer = TypeVar("Answer")


class ErrorText(Struct):
    """UltraCart's words for what is wrong."""

    developer_message: str | None = None
    user_message: str | None = None


class Envelope(Struct):
    """What tells a failure inside a 200: `success` false, or errors of an import or a cancellation."""

    success: bool = True
    error: ErrorText | None = None
    import_errors: list[str] | None = None
    cancel_errors: list[str] | None = None

    def words(self) -> str:
        """Give UltraCart's own words, or nothing."""
        said = [*(self.import_errors or ()), *(self.cancel_errors or ())]
        if self.error:
            said.append(self.error.user_message or self.error.developer_message or "")
        return "; ".join(filter(None, said))


def judge(response: httpx.Response) -> RemoteError | None:
    """Say which error an answer means, or None.

    Documented are 400, 401, 410 (application disabled), 429 and 500, each with UC-REST-ERROR; a 200 may
    still say `success: false`. Source: the vendor's C# SDK docs and recorded sample calls.
    """
    envelope = _read_envelope(response)
    status = response.status_code
    where = f"{response.request.method} {response.request.url.path}"
    words = response.headers.get(ERROR_HEADER) or (envelope.words() if envelope else "") or "no reason given"
    said = f"UltraCart answered {status} to {where}: {words.rstrip('.')}."
    told: dict[str, Any] = {
        "system": "ultracart",
        "status": status,
        "request_id": response.headers.get(REQUEST_ID_HEADER),
    }
    if status in (401, 403):
        return CredentialsRefused(
            f"{said} Check ULTRATHIIO_ULTRACART__SIMPLE_KEY and its permissions.", **told
        )
    if status == 410:
        return CredentialsRefused(f"{said} UltraCart disabled this application; ask its support.", **told)
    if status == 429:
        return RemoteUnavailable(said, retry_after_seconds=_wish(response, words), **told)
    if status >= 500:
        return RemoteUnavailable(said, **told)
    if response.is_error:
        return RemoteRefused(said, **told)
    if status != 204 and envelope is None:
        return RemoteChanged(f"UltraCart answered {status} to {where}, but not with a JSON object.", **told)
    if envelope and (not envelope.success or envelope.import_errors or envelope.cancel_errors):
        return RemoteRefused(said, **told)
    return None


def decode(body: bytes | msgspec.Raw, kind: type[Answer], where: str) -> Answer:
    """Read an answer; raises `RemoteChanged` that names the place where it is not as documented."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise RemoteChanged(
            f"UltraCart's answer to {where} is not as documented: {error}. Compare it with the "
            "notification log; tasks/ultracart/wire.py names what is read.",
            system="ultracart",
        ) from error


def means_not_found(error: RemoteError) -> bool:
    """Tell whether UltraCart says that the object does not exist; seen as a 400 with such words."""
    words = str(error).casefold()
    return error.status == 404 or (
        error.status == 400
        and ("not exist" in words or "not found" in words or "could not be found" in words)
    )


def _read_envelope(response: httpx.Response) -> Envelope | None:
    try:
        return msgspec.json.decode(response.content, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _wish(response: httpx.Response, words: str) -> float | None:
    """Read how long to wait: Retry-After (not documented, but a proxy may send it), or the limit's text."""
    named = response.headers.get("retry-after", "")
    if named.isdigit():
        return float(named)
    if exceeded := RATE_EXCEEDED.search(words):
        period = float(exceeded[2])
        return HOUR_WAIT_SECONDS if period <= HOUR_SECONDS else HOUR_SECONDS
    return None
