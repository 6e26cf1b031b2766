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
    Rows that vanish while a list is read move later ones to an earlier page, where they are missed: if fewer
    came than the list said at any time that it has, it is read once more.
    """
    seen: set[Hashable] = set()
    counted = 0
    for _ in range(PASSES):
        for rows, at in _fetch_ahead(fetch, where):
            fresh = {id_of(row): row for row in rows if id_of(row) not in seen}
            seen |= fresh.keys()
            counted = max(counted, at.total_records or 0)
            if fresh:
                yield list(fresh.values())
        if len(seen) >= counted:
            return
    logger.warning("%s: %d rows came of the %d that UltraCart counts", where, len(seen), counted)


def _fetch_ahead(
    fetch: Callable[[int], tuple[list[Row], ResultSet]], where: str
) -> Iterator[tuple[list[Row], ResultSet]]:
    with ThreadPoolExecutor(1, thread_name_prefix="next-page") as ahead:
        offset = 0
        coming: Future[tuple[list[Row], ResultSet]] | None = ahead.submit(copy_context().run, fetch, offset)
        while coming is not None:
            rows, at = coming.result()
            coming = None
            if at.more:
                offset = _next_offset(offset, at, where)
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
