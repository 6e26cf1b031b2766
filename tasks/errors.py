"""Every error this project raises; the class says what happens next.

UltraThiioError
├── SetupError              an operator changes configuration; the run stops, nothing is burnt
│   └── CredentialsRefused  the remote system did not accept the key or the login
├── RemoteError             another system's answer; `.sent` tells whether the request may have had effect
│   ├── RemoteUnavailable   try again later (429, 5xx, time-out, broken connection)
│   │   ├── AnswerLost      a write was sent and no clear answer came: look it up, never send again
│   │   └── BudgetSpent     the calls that UltraCart allows are used up; stop, go on at `.resumes_at`
│   ├── RemoteRefused       the request is wrong as it stands; do not repeat it
│   └── RemoteChanged       the reply is not as documented; stop and read it
├── RecordError             set this one record aside with the reason, go on with the others
│   ├── UnreadableEvent     the body or the event cannot be read
│   └── InvalidRecord       a field's value cannot be used; names field, value and remedy
├── LeaseHeld               another run does this job now; end quietly
└── RecordsFailed           the run handled everything it could; these records failed
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


class UltraThiioError(Exception):
    """Something went wrong that this project knows by name."""


class SetupError(UltraThiioError):
    """The configuration must be changed before this can work; the message names the setting."""


class RemoteError(UltraThiioError):
    """Another system did not do what was asked.

    `system` is "ultracart" or "thiio"; `status` the HTTP status, if an answer came;
    `request_id` the remote system's own id of the exchange, for its support staff.
    """

    def __init__(
        self, message: str, *, system: str = "", status: int | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.system = system
        self.status = status
        self.request_id = request_id


class CredentialsRefused(SetupError, RemoteError):
    """The remote system refused the key, the login or the permission."""


class RemoteUnavailable(RemoteError):
    """The remote system cannot answer now; a read may be repeated.

    `retry_after_seconds` is the remote system's own wish, where it gave one.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None, **kwargs: object) -> None:
        super().__init__(message, **kwargs)  # type: ignore[arg-type]  # the keywords of RemoteError
        self.retry_after_seconds = retry_after_seconds


class AnswerLost(RemoteUnavailable):
    """A write was sent and no clear answer came back; it may have happened."""


class BudgetSpent(RemoteUnavailable):
    """The remote system takes no more calls for a while; `resumes_at` (aware UTC) is when it does again."""

    def __init__(self, message: str, *, resumes_at: datetime, wait_seconds: float, **kwargs: object) -> None:
        super().__init__(message, retry_after_seconds=wait_seconds, **kwargs)
        self.resumes_at = resumes_at


class RemoteRefused(RemoteError):
    """The remote system read the request and said no."""


class RemoteChanged(RemoteError):
    """The remote system's reply is not of the documented shape."""


class RecordError(UltraThiioError):
    """One record cannot be handled; the others can."""


class UnreadableEvent(RecordError):
    """A delivered body or event cannot be read."""


class InvalidRecord(RecordError):
    """A record's field cannot be used as it is."""


class LeaseHeld(UltraThiioError):
    """Another run holds the lease of this job."""


class RecordsFailed(UltraThiioError):
    """A run handled all it could, and some records failed.

    `failures` are sentences, one a record, each with its id and the next step.
    """

    def __init__(self, job: str, failures: Sequence[str]) -> None:
        shown = "; ".join(failures[:5])
        more = f"; and {len(failures) - 5} more" if len(failures) > 5 else ""
        super().__init__(f"{job}: {len(failures)} failed: {shown}{more}")
        self.failures = tuple(failures)


def fail_if_any(job: str, failures: Sequence[str]) -> None:
    """Raise `RecordsFailed` if there are failures: a run that could not handle everything says so."""
    if failures:
        raise RecordsFailed(job, failures)
