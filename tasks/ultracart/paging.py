"""UltraCart's lists, page by page: how far one goes, and what to do when it moves underneath."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from tasks.errors import RemoteChanged
from tasks.ultracart.envelopes import Page, ResultSet

logger = logging.getLogger(__name__)

PASSES = 2
"""A list that gave fewer rows than it says it has is read once more."""
STEPS_BACK = 50
"""So often at most a list is gone back in, so that one without any order comes to an end too."""

Row = TypeVar("Row")


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


def iter_pages(
    fetch: Callable[[int], tuple[list[Row], ResultSet]], id_of: Callable[[Row], Hashable], where: str
) -> Iterator[list[Row]]:
    """Give a list's pages without repeating an id; `fetch` takes the offset. Empty pages are left out.

    The next page travels while the caller works on this one; there is still one call in flight at a time.
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
    fetch: Callable[[int], tuple[list[Row], ResultSet]], is_seen: Callable[[Row], bool], where: str
) -> Iterator[tuple[list[Row], ResultSet]]:
    """Give the pages that join on to what was seen; a page of one row cannot show whether it does."""
    with ThreadPoolExecutor(1, thread_name_prefix="next-page") as ahead:
        offset, width, stride, steps_back = 0, 1, 1, 0
        coming: Future[tuple[list[Row], ResultSet]] | None = ahead.submit(copy_context().run, fetch, offset)
        while coming is not None:
            rows, at = coming.result()
            joins_on = offset == 0 or width == 1 or (rows and is_seen(rows[0]))
            if not joins_on and steps_back < STEPS_BACK:
                offset, stride, steps_back = max(0, offset - width * stride), stride * 2, steps_back + 1
                coming = ahead.submit(copy_context().run, fetch, offset)
                continue
            coming, width, stride = None, len(rows), 1
            if at.more:
                offset = _next_offset(offset, at, where) - (width > 1)
                coming = ahead.submit(copy_context().run, fetch, offset)
            yield rows, at


def _next_offset(offset: int, at: ResultSet, where: str) -> int:
    if at.next_offset is None or at.next_offset <= offset:
        raise RemoteChanged(
            f"UltraCart's answer to {where} says that more follows, but not where: next_offset is "
            f"{at.next_offset} after {offset}.",
            system="ultracart",
        )
    return at.next_offset
