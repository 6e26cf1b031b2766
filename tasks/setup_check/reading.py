"""Read what may not be readable: the value, or in its place the error that prevented it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from tasks.errors import RemoteUnavailable, SetupError, UltraThiioError

logger = logging.getLogger(__name__)

Value = TypeVar("Value")


def attempt(read: Callable[[], Value]) -> Value | UltraThiioError:
    """Give what `read` returns, or the error it ends with: a checklist tells of errors and goes on.

    Of an error that is none of ours only the kind is told: its text may quote an address or a password.
    """
    try:
        return read()
    except UltraThiioError as error:
        return error
    except UnicodeEncodeError:
        return SetupError("A key or password holds a character that cannot be sent. Copy it once more.")
    except Exception as error:
        logger.debug("a reading of the set-up check ended in an unforeseen way", exc_info=True)
        return RemoteUnavailable(f"The call could not be made ({type(error).__name__}).")


class Asker:
    """Attempts one reading after the other until the remote system is silent or has had enough of us.

    What is asked after that gets the same error at once: seven calls that each wait for a time-out help
    nobody. A 500 may be the trouble of one call alone, so the others are still tried.
    """

    def __init__(self) -> None:
        self._silence: RemoteUnavailable | None = None

    def __call__(self, read: Callable[[], Value]) -> Value | UltraThiioError:
        """Attempt a reading."""
        if self._silence is not None:
            return self._silence
        reading = attempt(read)
        if isinstance(reading, RemoteUnavailable) and reading.status != 500:
            self._silence = reading
        return reading
