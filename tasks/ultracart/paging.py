"""UltraCart's lists, page by page: how far one goes, and what to do when it moves underneath."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from threading import Event
from typing import Generic, TypeVar

from tasks.errors import RemoteChanged
from tasks.ultracart.answers import decode
from tasks.ultracart.envelopes import ListKind, Page, ResultSet

logger = logging.getLogger(__name__)

PASSES = 2
"""A list that gave fewer rows than it says it has is read once more."""
STEPS_BACK = 50
"""So often at most a list is gone back in, so that one without any order comes to an end too."""
HEAD_START_SECONDS = 0.05
"""So long at most a page waits to be taken apart until the next one is asked for.

Python runs one thread at a time: taken apart at once, a page would hold up the request for some milliseconds.
"""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[Row]):
    """A page that came, skimmed only. What is left to do is done while the next one travels."""

    at: ResultSet
    width: int
    first: Callable[[], Row]
    read: Callable[[], list[Row]]
    tell: Callable[[], None]
    """Tells the exchange to the notification log: to be called once, and before `read`."""


Fetch = Callable[[int, Callable[[], None]], Fetched[Row]]
"""Asks for the page at an offset, and calls its second argument as soon as the request is sent."""


def skim(body: bytes, tell: Callable[[], None], kind: ListKind[Row], where: str) -> Fetched[Row]:
    """Read of an answer what must be known to ask for the next page; the rest is read by `Fetched.read`."""
    try:
        page = decode(body, kind.skimmed, where)
        rows = read_rows(page, where)
    except RemoteChanged:
        tell()
        raise
    return Fetched(
        at=page.result_set(),
        width=len(rows),
        first=lambda: decode(rows[0], kind.row, where),
        read=lambda: decode(body, kind.whole, where).rows() or [],
        tell=tell,
    )


def read_rows(page: Page[Row], where: str) -> list[Row]:
    """Give the rows of a page; raises `RemoteChanged` if they are missing although there should be some."""
    rows, count = page.rows(), page.result_set().count
    if rows is None and count != 0:
        raise RemoteChanged(
            f"UltraCart's answer to {where} counts {count} rows but holds none under the documented name. "
            "Compare it with the notification log.",
            system="ultracart",
        )
    return rows or []


def iter_pages(fetch: Fetch[Row], id_of: Callable[[Row], Hashable], where: str) -> Iterator[list[Row]]:
    """Give a list's pages without repeating an id. Empty pages are left out.

    The next page travels while this one is put on record, taken apart and worked on by the caller; there is
    still one call in flight at a time.
    Rows that vanish while a list is read move later ones to an earlier page. So each page is asked for from
    the last row of the one before; if it begins with a row not seen yet, an earlier page is read instead.
    Whatever is there all the time comes, as long as rows keep their order among themselves. In case they
    don't: if fewer came than the list said at any time that it has, it is read once more.
    """
    seen: set[Hashable] = set()
    counted = 0

    def is_seen(row: Row) -> bool:
        return id_of(row) in seen

    for _ in range(PASSES):
        for rows, at in _fetch_ahead(fetch, is_seen, where):
            fresh = {id_of(row): row for row in rows if not is_seen(row)}
            seen |= fresh.keys()
            counted = max(counted, at.total_records or 0)
            if fresh:
                yield list(fresh.values())
        if len(seen) >= counted:
            return
    logger.warning("%s: %d rows came of the %d that UltraCart counts", where, len(seen), counted)


def _fetch_ahead(
    fetch: Fetch[Row], is_seen: Callable[[Row], bool], where: str
) -> Iterator[tuple[list[Row], ResultSet]]:
    """Give the pages that join on to what was seen; a page of one row cannot show whether it does."""
    with ThreadPoolExecutor(1, thread_name_prefix="next-page") as ahead:
        offset, width, stride, steps_back = 0, 1, 1, 0
        coming: Future[Fetched[Row]] | None = _ask(ahead, fetch, offset)
        try:
            while coming is not None:
                page, coming = coming.result(), None
                try:
                    joins_on = offset == 0 or width == 1 or (page.width > 0 and is_seen(page.first()))
                    if not joins_on and steps_back < STEPS_BACK:
                        offset = max(0, offset - width * stride)
                        stride, steps_back = stride * 2, steps_back + 1
                        coming = _ask(ahead, fetch, offset)
                        continue
                    width, stride = page.width, 1
                    if page.at.more:
                        offset = _next_offset(offset, page.at, where) - (width > 1)
                        coming = _ask(ahead, fetch, offset)
                finally:
                    page.tell()
                yield page.read(), page.at
        finally:
            # The caller wants no more, or something failed: what was asked for still goes on record.
            if coming is not None and coming.exception() is None:
                coming.result().tell()


def _ask(ahead: ThreadPoolExecutor, fetch: Fetch[Row], offset: int) -> Future[Fetched[Row]]:
    """Ask for a page, and return once the request is sent, or has waited for its turn for a while."""
    sent = Event()
    coming = ahead.submit(copy_context().run, fetch, offset, sent.set)
    coming.add_done_callback(lambda _: sent.set())
    sent.wait(HEAD_START_SECONDS)
    return coming


def _next_offset(offset: int, at: ResultSet, where: str) -> int:
    if at.next_offset is None or at.next_offset <= offset:
        raise RemoteChanged(
            f"UltraCart's answer to {where} says that more follows, but not where: next_offset is "
            f"{at.next_offset} after {offset}.",
            system="ultracart",
        )
    return at.next_offset
