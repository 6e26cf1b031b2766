"""The receiver's pages for people: GET /notifications and GET /notifications/{id}, read-only.

Who may send webhooks may read them, unless the settings name credentials for readers: then only those may.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tasks.database.engine import reading
from tasks.inbox.callers import Callers
from tasks.inbox.delivery import Turned
from tasks.notifications.filters import read_filter, read_id
from tasks.notifications.page import (
    ROOT,
    page_headers,
    render_list,
    render_story,
    render_trouble,
)
from tasks.notifications.search import find_notifications, read_notification

logger = logging.getLogger(__name__)

LINES_A_PAGE = 50
PAGES_AT_ONCE = 2
"""Pages that are read at the same time: the writer of deliveries must find a connection and a core free."""
RETRY_AFTER_SECONDS = "10"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    html: str


class NotificationPages:
    """Answers with pages. Each is read and written in a thread, so that deliveries need not wait for it."""

    def __init__(self, callers: Callers, engine: Engine) -> None:
        self._callers = callers
        self._engine = engine
        self._places = asyncio.Semaphore(PAGES_AT_ONCE)

    def routes(self) -> list[Route]:
        """Give the routes of all pages."""
        return [Route(ROOT, self.show_list), Route(f"{ROOT}/{{id}}", self.show_one)]

    async def show_list(self, request: Request) -> Response:
        """Answer GET /notifications: 200, or 400 with the form as it was filled and what to write instead."""
        words = dict(request.query_params)
        return await self._answer(request, lambda: self._list(words))

    async def show_one(self, request: Request) -> Response:
        """Answer GET /notifications/{id}: 200, 400 for what is no id, or 404."""
        word: str = request.path_params["id"]
        return await self._answer(request, lambda: self._one(word))

    async def _answer(self, request: Request, make: Callable[[], _Answer]) -> Response:
        headers = page_headers()
        try:
            self._callers.check_reader(request)
            async with self._places:
                answer = await asyncio.to_thread(make)
        except Turned as turned:
            headers |= turned.headers
            answer = _Answer(
                turned.status, await asyncio.to_thread(_tell_refusal, turned.status, turned.error)
            )
        except SQLAlchemyError as error:
            logger.warning("notifications cannot be read: %s", type(error).__name__)
            headers["Retry-After"] = RETRY_AFTER_SECONDS
            answer = _Answer(503, await asyncio.to_thread(_tell_absence))
        return HTMLResponse(answer.html, answer.status, headers)

    def _list(self, words: dict[str, str]) -> _Answer:
        wanted, problems = read_filter(words, datetime.now(UTC))
        if problems:
            return _Answer(400, render_list(None, words, problems))
        with reading(self._engine) as connection:
            found = find_notifications(connection, wanted, limit=LINES_A_PAGE)
        return _Answer(200, render_list(found, words))

    def _one(self, word: str) -> _Answer:
        id = read_id(word)
        if id is None:
            told = f"“{word[:80]}” is no notification ID. Write a whole number from 1 up."
            return _Answer(400, render_trouble("No such address", told))
        with reading(self._engine) as connection:
            story = read_notification(connection, id)
        if story is None:
            told = "It was never written, or it is older than notifications are kept."
            return _Answer(404, render_trouble(f"There is no notification {id}", told))
        return _Answer(200, render_story(story))


@lru_cache(maxsize=2)
def _tell_refusal(status: int, told: str) -> str:
    return render_trouble("Too many wrong tries" if status == 429 else "User name and password, please", told)


@lru_cache(maxsize=1)
def _tell_absence() -> str:
    return render_trouble(
        "The database cannot be read now",
        "Nothing is lost: senders are told to send again. Load this page again in a moment; if it stays so, "
        "look at the database that ULTRATHIIO_DATABASE_URL names.",
    )
