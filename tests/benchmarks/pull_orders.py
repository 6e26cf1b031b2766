"""Read many orders page by page: our client beside the vendor's SDK, and beside what the network allows.

Run: python -m tests.benchmarks.pull_orders [--orders 10000]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import ultracart
from rich.console import Console
from rich.table import Table
from ultracart.api.order_api import OrderApi
from ultracart.model.order_query import OrderQuery

from tasks.database.engine import open_database
from tasks.notifications.log import notifier
from tasks.records.models import Window
from tasks.seed import ultracart_order_id
from tasks.settings import UltraCartSettings
from tasks.ultracart.client import API_VERSION, UltraCartClient
from tasks.ultracart.open import open_ultracart
from tests.benchmarks.order_pages import GUIDE_EXPANSIONS, serve_orders

PAGE = 200
LATENCY_SECONDS = 0.150
RUNS = 3
NOW = datetime.now(UTC)
WINDOW = Window(NOW - timedelta(days=200), NOW + timedelta(hours=1))


def settings_of(base_url: str, key: str) -> UltraCartSettings:
    """Settings whose limits are out of the way: the client is measured, not the budget."""
    return UltraCartSettings(
        base_url=base_url, simple_key=key, calls_per_hour=10**9, calls_per_day=10**9, timeout_seconds=30
    )


def read_by_us(settings: UltraCartSettings) -> int:
    """Read all orders with the bare client."""
    with UltraCartClient.connect(settings, lambda _: None) as client:
        return sum(len(page) for page in client.iter_orders(WINDOW))


@contextmanager
def on_record() -> Iterator[Callable[[UltraCartSettings], int]]:
    """Give a way to read all orders as the jobs do: paced, and each exchange durable in a database."""

    def read(settings: UltraCartSettings) -> int:
        with open_ultracart(settings, engine, notifier(engine)) as client:
            return sum(len(page) for page in client.iter_orders(WINDOW))

    with TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{Path(folder) / 'ours.sqlite3'}")
        yield read
        engine.dispose()


def read_by_sdk(settings: UltraCartSettings) -> int:
    """Read all orders as the vendor's documents show."""
    configuration = ultracart.Configuration(
        host=settings.base_url,
        api_key={"ultraCartSimpleApiKey": settings.simple_key.get_secret_value()},
        discard_unknown_keys=True,
    )
    configuration.retries = False
    client = ultracart.ApiClient(
        configuration, header_name="X-UltraCart-Api-Version", header_value="2017-03-01"
    )
    query = OrderQuery(creation_date_begin=WINDOW.start.isoformat(), creation_date_end=WINDOW.end.isoformat())
    api, count, offset, more = OrderApi(client), 0, 0, True
    while more:
        answer = api.get_orders_by_query(query, limit=PAGE, offset=offset, expand=GUIDE_EXPANSIONS)
        count += len(answer.orders)
        at = answer.metadata.result_set
        more, offset = bool(at.get("more")), at.get("next_offset")
    return count


def read_wire(settings: UltraCartSettings, orders: int) -> int:
    """Read the bytes of all pages, one after the other on one connection, and look at none of them."""
    at = urlsplit(settings.base_url)
    headers = {"x-ultracart-simple-key": settings.simple_key.get_secret_value()}
    headers["X-UltraCart-Api-Version"] = API_VERSION
    query = json.dumps({"creation_date_begin": WINDOW.start.isoformat()})
    connection = HTTPConnection(at.hostname or "", at.port)
    for offset in range(0, orders, PAGE):
        path = f"{at.path}/order/orders/query?_limit={PAGE}&_offset={offset}&_sort=creation_dts"
        connection.request("POST", path, query, headers)
        connection.getresponse().read()
    connection.close()
    return orders


def seconds_of(
    reads: Mapping[str, Callable[[UltraCartSettings], int]], settings: UltraCartSettings, orders: int
) -> dict[str, float]:
    """Time some ways to read, in turns, so that what else the machine does meets all; gives the medians."""
    seconds: dict[str, list[float]] = {name: [] for name in reads}
    for turn in range(RUNS + 1):
        for name, read in reads.items():
            started = time.perf_counter()
            count = read(settings)
            if turn:  # in the first the store writes its pages
                seconds[name].append(time.perf_counter() - started)
            assert count == orders, f"{count} orders came, not {orders}"
    return {name: median(each) for name, each in seconds.items()}


def peak_megabytes(orders: int) -> float:
    """Give the most memory that Python's objects took while a store was read."""
    with serve_orders(orders) as (base_url, key):
        settings = settings_of(base_url, key)
        read_by_us(settings)
        tracemalloc.start()
        read_by_us(settings)
        peak = tracemalloc.get_traced_memory()[1] / 1_000_000
        tracemalloc.stop()
    return peak


def id_bytes(orders: int) -> float:
    """Give the memory that the id of one of so many orders takes in the set of those that came."""
    ids = {ultracart_order_id(number) for number in range(orders)}
    return (sys.getsizeof(ids) + sum(sys.getsizeof(each) for each in ids)) / orders


def measure_speed(table: Table, orders: int) -> None:
    """Read from a store that answers at once."""
    with serve_orders(orders) as (base_url, key), on_record() as read_on_record:
        reads = {
            "the vendor's SDK, as documented": read_by_sdk,
            "ours": read_by_us,
            "ours, paced and on record": read_on_record,
            "wire only, nothing decoded": partial(read_wire, orders=orders),
        }
        seconds = seconds_of(reads, settings_of(base_url, key), orders)
    slowest = next(iter(seconds.values()))
    for name, each in seconds.items():
        table.add_row(
            f"no latency: {name}",
            f"{each:.2f}",
            f"{slowest / each:.0f} times as fast" if each != slowest else "1",
        )


def measure_latency(table: Table, orders: int) -> None:
    """Read from a store whose answers take a while to come."""
    with serve_orders(orders, LATENCY_SECONDS) as (base_url, key), on_record() as read_on_record:
        reads = {
            "wire only, nothing decoded": partial(read_wire, orders=orders),
            "ours": read_by_us,
            "ours, paced and on record": read_on_record,
        }
        seconds = seconds_of(reads, settings_of(base_url, key), orders)
    limit = -(-orders // PAGE) * LATENCY_SECONDS
    # A page begins with the last row of the one before, or a list that moves would lose rows unseen.
    own_calls = -(-(orders - 1) // (PAGE - 1))
    wire = next(iter(seconds.values()))
    table.add_row("150 ms latency: the limit, one call in flight", f"{limit:.2f}", "100 %")
    for name, each in seconds.items():
        shares = f"{limit / each:.1%} of the limit"
        if each is not wire:
            own = own_calls * LATENCY_SECONDS / each
            shares += f", {wire / each:.1%} of wire only, {own:.1%} of its own {own_calls} calls"
        table.add_row(f"150 ms latency: {name}", f"{each:.2f}", shares)


def measure_memory(table: Table, orders: int) -> None:
    """Read a fifth of the orders, and all."""
    pages = -(-orders // PAGE)
    few, many = peak_megabytes(orders // 5), peak_megabytes(orders)
    grown = (many - few) * 1_000_000 / (orders - orders // 5)
    table.add_row(
        f"peak memory of {pages // 5} pages, of {pages} pages",
        f"{few:.1f}, {many:.1f} MB",
        f"{grown:.0f} bytes an order; its id, kept to see it again, takes {id_bytes(orders):.0f}",
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=10_000)
    orders = parser.parse_args().orders
    table = Table("what", "seconds", "ratio", title=f"{orders} orders in pages of {PAGE}, medians of {RUNS}")
    measure_speed(table, orders)
    measure_latency(table, orders)
    measure_memory(table, orders)
    Console(file=sys.stdout, width=150).print(table)


if __name__ == "__main__":
    main()
