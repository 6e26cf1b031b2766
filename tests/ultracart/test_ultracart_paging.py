"""A list that moves while it is read loses nothing: whatever was there all the time comes exactly once."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.loopback import serve_on_loopback
from tasks.records.models import Window
from tasks.seed import Shop, ultracart_customer_id, ultracart_order_id
from tasks.settings import UltraCartSettings
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.envelopes import ResultSet
from tasks.ultracart.paging import Fetched, iter_pages
from tasks.ultracart.sandbox.server import UltraCartSandbox

Change = tuple[tuple[int, ...], tuple[int, ...]]
"""Places in the list, whose rows go, and numbers of new rows, between one page and the next."""

# Rows are even numbers at first; what is inserted is odd, so a row that went never comes back.
CHANGES = st.lists(
    st.tuples(
        st.lists(st.integers(0, 59), max_size=6).map(tuple),
        st.lists(st.integers(-10, 65).map(lambda n: 2 * n + 1), max_size=6).map(tuple),
    ),
    max_size=12,
)


def fetched(rows: list[int], at: ResultSet, told: list[list[int]]) -> Fetched[int]:
    """A page as it comes; `told` is the notification log."""
    return Fetched(at, len(rows), lambda: rows[0], lambda: rows, lambda: told.append(rows))


class MovingList:
    """A sorted list that is changed after each page, as a busy store is, for as long as there are changes."""

    def __init__(self, rows: int, page: int, changes: list[Change], *, counts: bool) -> None:
        self.rows = [2 * number for number in range(rows)]
        self.always = set(self.rows)
        self.fetches = 0
        self.told: list[list[int]] = []
        self._page = page
        self._changes = list(changes)
        self._counts = counts

    def fetch(self, offset: int, when_sent: Callable[[], None]) -> Fetched[int]:
        """Give the page at an offset, as UltraCart does, and change the list."""
        self.fetches += 1
        rows = self.rows[offset : offset + self._page]
        following = offset + len(rows)
        more = following < len(self.rows)
        total = len(self.rows) if self._counts else None
        at = ResultSet(len(rows), more, following if more else 0, total)
        if self._changes:
            self._change(*self._changes.pop(0))
        return fetched(rows, at, self.told)

    def _change(self, places: tuple[int, ...], new: tuple[int, ...]) -> None:
        gone = {self.rows[place] for place in places if place < len(self.rows)}
        self.rows = [row for row in self.rows if row not in gone]
        self.always -= gone
        for row in set(new) - set(self.rows):
            insort(self.rows, row)


@given(
    rows=st.integers(0, 60),
    page=st.integers(2, 9),
    changes=CHANGES,
    counts=st.booleans(),
)
# One goes and one comes: the list counts as many as before, but a row has moved to the first page.
@example(rows=4, page=2, changes=[((0,), (99,))], counts=True)
# The end of the list moves to before the next page.
@example(rows=10, page=4, changes=[((0, 1, 2, 3, 4, 5), ())], counts=False)
@settings(max_examples=50, deadline=None)
def test_what_was_there_all_the_time_comes_once(
    rows: int, page: int, changes: list[Change], counts: bool
) -> None:
    """Whether or not the list says how many rows it has; and no row at all comes twice."""
    moving = MovingList(rows, page, changes, counts=counts)
    came = [row for rows in iter_pages(moving.fetch, lambda row: row, "a list") for row in rows]

    assert len(came) == len(set(came))
    assert len(moving.told) == moving.fetches
    assert moving.always - set(came) == set()


@given(rows=st.integers(1, 60), page=st.integers(2, 9))
@settings(max_examples=50, deadline=None)
def test_a_list_that_stands_still_costs_one_row_a_page(rows: int, page: int) -> None:
    """Each page begins with the last row of the one before; nothing is read again."""
    still = MovingList(rows, page, [], counts=True)
    came = [row for rows in iter_pages(still.fetch, lambda row: row, "a list") for row in rows]

    assert came == still.rows
    assert still.fetches == max(1, -(-(rows - 1) // (page - 1)))


def test_a_page_is_on_record_before_it_is_given_and_even_if_nobody_wants_it() -> None:
    """The exchange is told while the next page travels; the one still under way is told at the end."""
    still = MovingList(20, 5, [], counts=True)
    pages = iter_pages(still.fetch, lambda row: row, "a list")

    assert (next(pages), still.told) == ([0, 2, 4, 6, 8], [[0, 2, 4, 6, 8]])
    pages.close()
    assert (still.fetches, len(still.told)) == (2, 2)


def test_a_list_without_any_order_comes_to_an_end() -> None:
    """Each page holds rows that nobody saw: nothing can be made sure of, and nothing runs for ever."""
    numbers = iter(range(10**6))
    fetches = 0

    def fetch(offset: int, when_sent: Callable[[], None]) -> Fetched[int]:
        nonlocal fetches
        fetches += 1
        more = offset + 5 < 50
        rows = [next(numbers) for _ in range(5)]
        return fetched(rows, ResultSet(5, more, offset + 5 if more else 0, 50), [])

    assert sum(len(rows) for rows in iter_pages(fetch, lambda row: row, "a list")) >= 50
    assert fetches < 200


@contextmanager
def read_while(shop: Shop, change: Callable[[UltraCartSandbox], None]) -> Iterator[UltraCartClient]:
    """Give a client of a stand-in that changes between the first page that it gives and the second."""
    sandbox = UltraCartSandbox(shop)
    changes = [change]

    def respond(request: httpx.Request) -> httpx.Response:
        response = sandbox.respond(request)
        if changes:
            changes.pop()(sandbox)
        return response

    with serve_on_loopback(respond) as url:
        settings = UltraCartSettings(base_url=f"{url}/rest/v2", simple_key=sandbox.simple_key)
        with UltraCartClient.connect(settings, lambda _: None) as client:
            yield client


@pytest.mark.parametrize("goes", [1, 5, 50, 199, 200, 250])
def test_orders_that_go_and_come_between_pages_hide_no_other(shop: Shop, goes: int) -> None:
    """Over HTTP: as many are placed as are deleted, so that the count stays the same."""
    ids = [ultracart_order_id(order.number) for order in shop.orders]

    def change(sandbox: UltraCartSandbox) -> None:
        for order_id in ids[:goes]:
            del sandbox.store.orders[order_id]
            sandbox.place_order("nora@example.com")

    with read_while(shop, change) as client:
        window = Window(shop.orders[0].placed_at, shop.now + timedelta(days=1))
        came = [order.order_id for page in client.iter_orders(window) for order in page]

    assert len(came) == len(set(came))
    assert set(ids[goes:]) - set(came) == set()


@pytest.mark.parametrize("goes", [1, 150])
def test_customers_that_go_and_come_between_pages_hide_no_other(shop: Shop, goes: int) -> None:
    """Over HTTP: some profiles are deleted while others sign up."""
    oids = [ultracart_customer_id(customer.number) for customer in shop.customers]

    def change(sandbox: UltraCartSandbox) -> None:
        for number, oid in enumerate(oids[:goes]):
            del sandbox.store.customers[oid]
            sandbox.create_customer(f"late{number}@example.com")

    with read_while(shop, change) as client:
        came = [customer.customer_profile_oid for page in client.iter_customers(None) for customer in page]

    assert len(came) == len(set(came))
    assert set(oids[goes:]) - set(came) == set()
