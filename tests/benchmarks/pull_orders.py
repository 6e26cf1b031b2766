"""Read many orders page by page: our client beside the vendor's SDK, and beside what the network allows.

Run: python -m tests.benchmarks.pull_orders [--orders 10000]
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import ultracart
from rich.console import Console
from rich.table import Table
from ultracart.api.order_api import OrderApi
from ultracart.model.order_query import OrderQuery

from tasks.database.engine import open_database
from tasks.notifications.log import notifier
from tasks.records.models import Window
from tasks.settings import UltraCartSettings
from tasks.ultracart.client import ORDER_EXPANSIONS, UltraCartClient
from tasks.ultracart.open import open_ultracart
from tests.benchmarks.order_pages import serve_orders

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


def read_by_us_on_record(settings: UltraCartSettings) -> int:
    """Read all orders as the jobs do: paced, and each exchange kept in a database with full durability."""
    with TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{Path(folder) / 'ours.sqlite3'}")
        with open_ultracart(settings, engine, notifier(engine)) as client:
            return sum(len(page) for page in client.iter_orders(WINDOW))


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
        answer = api.get_orders_by_query(query, limit=PAGE, offset=offset, expand=ORDER_EXPANSIONS)
        count += len(answer.orders)
        at = answer.metadata.result_set
        more, offset = bool(at.get("more")), at.get("next_offset")
    return count


def seconds_of(read: Callable[[UltraCartSettings], int], settings: UltraCartSettings, orders: int) -> float:
    """Time a read once."""
    started = time.perf_counter()
    count = read(settings)
    seconds = time.perf_counter() - started
    assert count == orders, f"{count} orders came, not {orders}"
    return seconds


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


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=10_000)
    orders = parser.parse_args().orders
    pages = -(-orders // PAGE)
    table = Table("what", "seconds", "ratio", title=f"{orders} orders in {pages} pages of {PAGE}")

    with serve_orders(orders) as (base_url, key):
        settings = settings_of(base_url, key)
        read_by_us(settings)  # the store writes its pages
        ours = median(seconds_of(read_by_us, settings, orders) for _ in range(RUNS))
        on_record = median(seconds_of(read_by_us_on_record, settings, orders) for _ in range(RUNS))
        read_by_sdk(settings)  # the store writes its pages
        sdk = seconds_of(read_by_sdk, settings, orders)
    table.add_row("no latency: the vendor's SDK, as documented", f"{sdk:.2f}", "1")
    table.add_row("no latency: ours", f"{ours:.2f}", f"{sdk / ours:.0f} times as fast")
    table.add_row(
        "no latency: ours, paced and on record", f"{on_record:.2f}", f"{sdk / on_record:.0f} times as fast"
    )

    limit = pages * LATENCY_SECONDS
    with serve_orders(orders, LATENCY_SECONDS) as (base_url, key):
        settings = settings_of(base_url, key)
        read_by_us(settings)
        late = median(seconds_of(read_by_us, settings, orders) for _ in range(RUNS))
        late_on_record = median(seconds_of(read_by_us_on_record, settings, orders) for _ in range(RUNS))
    table.add_row("150 ms latency: the limit, one call in flight", f"{limit:.2f}", "100 %")
    table.add_row("150 ms latency: ours", f"{late:.2f}", f"{limit / late:.1%} of the limit")
    table.add_row(
        "150 ms latency: ours, paced and on record",
        f"{late_on_record:.2f}",
        f"{limit / late_on_record:.1%} of the limit",
    )

    few, many = peak_megabytes(orders // 5), peak_megabytes(orders)
    table.add_row(
        f"peak memory of {pages // 5} pages, of {pages} pages",
        f"{few:.1f}, {many:.1f} MB",
        f"{many / few:.2f}",
    )
    Console(file=sys.stdout, width=110).print(table)


if __name__ == "__main__":
    main()
