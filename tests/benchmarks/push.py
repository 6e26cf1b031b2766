"""Push phone orders in calm weather: calls an order, and what share of UltraCart's calls become orders.

Run: python -m tests.benchmarks.push [--orders 500]
UltraCart allows 1,000 calls an hour, one at a time: a push is as fast as it can be if nearly every call is an
import, and our own work takes less than the 3.6 seconds that pass from call to call.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tasks.database.engine import open_database
from tasks.database.lease import hold_lease
from tasks.http_client import Exchange
from tasks.loopback import serve_on_loopback
from tasks.notifications.log import notifier
from tasks.push.look_up import LookUp
from tasks.push.mapping import read_mapping
from tasks.push.planner import Choice, Planner
from tasks.push.pusher import Pusher
from tasks.records.item_rules import ItemKeys
from tasks.seed import make_shop
from tasks.settings import load_settings
from tasks.thiio.open import open_thiio
from tasks.thiio.pull import pull_catalogue as pull_thiio
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.open import open_ultracart
from tasks.ultracart.pull import pull_catalogue as pull_ultracart
from tasks.ultracart.sandbox.server import UltraCartSandbox

CALLS_AN_HOUR = 1_000
"""What UltraCart allows (its page on rate limiting)."""


def push(folder: Path, orders: int) -> tuple[int, int, float]:
    """Push so many orders as one run does; gives confirmed pushes, calls to UltraCart, and seconds."""
    shop = make_shop(customers=10, orders=20, now=datetime.now(UTC))
    ultracart, thiio = UltraCartSandbox(shop), ThiioSandbox(folder / "thiio", shop)
    for number in range(orders):
        thiio.place_phone_order(email=f"caller{number}@example.com")
    calls: list[Exchange] = []
    with serve_on_loopback(ultracart.respond) as url:
        settings = load_settings(
            thiio={"database_url": thiio.database_url},
            ultracart={
                "base_url": f"{url}/rest/v2",
                "simple_key": ultracart.simple_key,
                "channel_partner_code": ultracart.channel_partner_code,
                "calls_per_hour": 10**6,  # the limit's own wait is left out, its turns are taken
                "calls_per_day": 10**6,
            },
        )
        engine = open_database(f"sqlite:///{folder / 'ours.sqlite3'}")
        notify = notifier(engine)
        connection = open_thiio(settings, notify)
        started = time.perf_counter()
        with (
            hold_lease(engine, "push-orders") as lease,
            open_ultracart(settings.ultracart, engine, notify, calls.append) as client,
        ):
            pull_ultracart(client, engine)
            pull_thiio(connection, engine)
            look_up = LookUp(client, settings.ultracart.channel_partner_code)
            pusher = Pusher(engine, settings.push, client, connection, look_up, lease)
            pusher.settle()
            with engine.connect() as reader:
                mapping = read_mapping(reader, ItemKeys())
            planned = Planner(engine, settings.push, connection, lease).plan(mapping, Choice(dry_run=False))
            counts = pusher.send([order.thiio_order_id for order in planned if order.outcome == "planned"])
        seconds = time.perf_counter() - started
        imported = sum(ultracart.imports.values())
        connection.close()
        engine.dispose()
    thiio.close()
    assert counts.confirmed == imported, f"{counts.confirmed} are confirmed, UltraCart has {imported}"
    return counts.confirmed, len(calls), seconds


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=500)
    orders = parser.parse_args().orders
    with TemporaryDirectory(prefix="ultrathiio-bench-") as folder:
        confirmed, calls, seconds = push(Path(folder), orders)
    room = 3_600 / CALLS_AN_HOUR
    table = Table("what", "figure", title=f"{confirmed} orders pushed in calm weather")
    table.add_row("calls to UltraCart an order", f"{calls / confirmed:.3f}")
    table.add_row("orders an hour, of the calls that the limit allows", f"{confirmed / calls:.1%}")
    table.add_row("our time an order, HTTP included", f"{seconds / confirmed * 1_000:.1f} ms")
    table.add_row(f"… of the {room:.1f} s between two calls", f"{seconds / confirmed / room:.1%}")
    Console(file=sys.stdout, width=100).print(table)


if __name__ == "__main__":
    main()
