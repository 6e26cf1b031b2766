"""Push many orders through every kind of trouble, and count what UltraCart made of each.

Run: python -m tests.push.faults [--seed 1] [--orders 2000]

Each import meets a fault drawn from `IMPORT_FAULTS`, some look-ups too; the pusher is killed between any two
steps, as a process by SIGKILL or in this process by an exception that nothing catches; sometimes two are
started at once. UltraCart takes a repeated partner order id in one batch and refuses it in the next. The
stand-in's own ledger is the judge.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import stamina
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.database.engine import open_database
from tasks.errors import LeaseHeld
from tasks.faults import Faults
from tasks.loopback import serve_on_loopback
from tasks.notifications.log import notifier
from tasks.seed import make_shop
from tasks.thiio import pull as thiio_pull
from tasks.thiio.open import open_thiio
from tasks.thiio.sandbox.agents import PhoneLine
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart import pull as ultracart_pull
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.push.desk import IMPORT, LOOK_UP, OWN_LOOK_UP
from tests.push.fault_worker import (
    ABSENCE_SECONDS,
    LEASE_SECONDS,
    Addresses,
    Killed,
    KillSwitch,
    push_once,
    work,
)

BATCH = 50
LATE_SECONDS = 0.9
"""A time-out during the import: it is finished so much later, while the look-ups are answered already."""
IMPORT_FAULTS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("none", 60, {}),
    ("broken before", 8, {"cut": "before"}),
    ("answer lost after", 9, {"cut": "after"}),
    ("500 before", 6, {"status": 500}),
    ("500 after", 6, {"status": 500, "cut": "after"}),
    ("time-out, done later", 6, {"delay_seconds": LATE_SECONDS}),
    ("429", 3, {"status": 429}),
    ("refused", 2, {"status": 400}),
)
LOOK_UP_FAULTS: tuple[dict[str, Any], ...] = (
    *({},) * 12, {"status": 503, "times": 2}, {"cut": "before", "times": 2},
)  # fmt: skip
HELD_SHARE = 0.03
MOST_RUNS = 60
PATIENCE_SECONDS = 60


@dataclass(slots=True)
class Tally:
    """What was done to the pusher, and what came of the orders. `problems` must be empty."""

    seed: int
    orders: int
    trouble: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    imports: Counter[int] = field(default_factory=Counter)
    attempts: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Write the summary, one line a fact."""
        return [
            f"seed {self.seed}: {self.orders} orders in {self.seconds:.0f} s, {self.attempts} sendings",
            "trouble: " + ", ".join(f"{count} {name}" for name, count in sorted(self.trouble.items())),
            "pushes: " + ", ".join(f"{count} {state}" for state, count in sorted(self.states.items())),
            "UltraCart's ledger: "
            + ", ".join(f"{count} orders imported {times} times" for times, count in self.imports.items()),
            *self.problems,
            "every order is in UltraCart once, or held with its reason"
            if not self.problems
            else f"{len(self.problems)} PROBLEMS",
        ]


class Ordeal:
    """Both stand-ins, our database, and the trouble between them."""

    def __init__(self, folder: Path, stack: ExitStack, seed: int) -> None:
        shop = make_shop(customers=10, orders=20, now=datetime.now(UTC))
        self.random = Random(seed)  # noqa: S311  # the same trouble each time
        self.ultracart = UltraCartSandbox(shop)
        # The worst case: while it is still at work on an import, UltraCart answers look-ups.
        self.ultracart.refuses_concurrent_calls = False
        self.thiio = ThiioSandbox(folder / "thiio", shop)
        stack.callback(self.thiio.close)
        url = stack.enter_context(serve_on_loopback(self.ultracart.respond))
        self.addresses = Addresses(
            database_url=f"sqlite:///{folder / 'ours.sqlite3'}",
            thiio_url=self.thiio.database_url,
            ultracart_url=f"{url}/rest/v2",
            simple_key=self.ultracart.simple_key,
            channel_partner_code=self.ultracart.channel_partner_code,
        )
        self.settings = self.addresses.settings()
        self.engine: Engine = open_database(self.addresses.database_url)
        stack.callback(self.engine.dispose)
        self.processes = multiprocessing.get_context("forkserver")
        self.processes.set_forkserver_preload(["tests.push.fault_worker"])
        self.unmapped = self.thiio.add_product("Winter boots")
        self._pull_catalogues()

    def place_orders(self, count: int) -> list[str]:
        """Take phone orders of different customers; a few lack a mapping."""
        ids = []
        for _ in range(count):
            lacks = self.random.random() < HELD_SHARE
            line = PhoneLine(product_id=self.unmapped) if lacks else PhoneLine()
            email = f"caller{self.random.randrange(10**9)}@example.com"
            ids.append(self.thiio.place_phone_order([line], email=email))
        return ids

    def plant(self, count: int, tally: Tally) -> None:
        """Give the next imports, and some look-ups, a fault each; switch how repeats are taken."""
        self.ultracart.store.takes_duplicate_imports = self.random.random() < 0.7
        names, weights, faults = zip(*IMPORT_FAULTS, strict=True)
        for index in self.random.choices(range(len(names)), weights, k=count):
            self.ultracart.faults.add(method="POST", path=IMPORT, **faults[index])
            if index:
                tally.trouble[names[index]] += 1
        for path in (LOOK_UP, OWN_LOOK_UP):
            for _ in range(count // 4):
                self.ultracart.faults.add(path=path, **self.random.choice(LOOK_UP_FAULTS))

    def push_and_die(self, tally: Tally) -> None:
        """Run in this process; most runs are killed at a step of their own."""
        steps = self.random.choice((None, 100, 300, 600))
        if steps:
            steps = self.random.randrange(1, steps)
        try:
            with suppress(LeaseHeld):
                push_once(self.settings, KillSwitch(steps))
        except Killed:
            tally.trouble["killed between two steps"] += 1

    def push_and_kill(self, tally: Tally, pushers: int) -> None:
        """Start processes at once, and kill each by SIGKILL after a while of its own."""
        started = [self._start(3.0) for _ in range(pushers)]
        for process in started:
            process.join(0.05 + self.random.random() * 0.6)
            process.kill()
            process.join()
            tally.trouble["killed by SIGKILL"] += process.exitcode == -9
            process.close()
        tally.trouble["times two pushers were started at once"] += pushers > 1
        time.sleep(LEASE_SECONDS)  # nobody gave the lease back

    def calm_down(self) -> None:
        """Take all trouble away and run until nothing is unclear."""
        self.ultracart.faults = Faults()
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and self.states() & {"planned", "sending", "in_doubt"}:
            with suppress(LeaseHeld):
                push_once(self.settings)
            time.sleep(0.1)
        time.sleep(LATE_SECONDS + 0.1)  # an import that is finished late is one, too

    def judge(self, ids: list[str], tally: Tally) -> None:
        """Compare the outbox with UltraCart's ledger and with Thiio, order by order."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(tables.pushes)).mappings()
            pushes = {row["thiio_order_id"]: row for row in rows}
        ledger, code = self.ultracart.imports, self.settings.push.partner_order_prefix
        for id in ids:
            push, times = pushes.get(id), ledger.get(f"{code}{id}", 0)
            state = "without a push" if push is None else push["state"]
            tally.states[state] += 1
            tally.imports[times] += 1
            named = self.thiio.read_order(id)["external_order_id"]
            if push is not None and state == "confirmed":
                tally.attempts += push["attempts"]
                good = times == 1 and named == push["ultracart_order_id"]
            else:
                good = state in ("held", "rejected") and times == 0 and bool(push and push["remedy"])
            if not good:
                tally.problems.append(f"order {id}: {state}, imported {times} times, Thiio names {named}")
        if unknown := set(ledger) - {f"{code}{id}" for id in ids}:
            tally.problems.append(f"imported without an order: {sorted(unknown)}")

    def _start(self, seconds: float) -> Any:
        process = self.processes.Process(target=work, args=(self.addresses, seconds), daemon=True)
        process.start()
        return process

    def states(self) -> set[str]:
        """The states that pushes are in."""
        with self.engine.connect() as connection:
            return set(connection.scalars(select(tables.pushes.c.state).distinct()))

    def _pull_catalogues(self) -> None:
        notify = notifier(self.engine)
        with UltraCartClient.connect(self.settings.ultracart, lambda _: None) as client:
            ultracart_pull.pull_catalogue(client, self.engine)
        thiio = open_thiio(self.settings, notify)
        thiio_pull.pull_catalogue(thiio, self.engine)
        thiio.close()


def run_ordeal(folder: Path, *, seed: int, orders: int) -> Tally:
    """Push so many orders through the trouble that a seed gives; the tally says what came of them."""
    tally, started, ids = Tally(seed, orders), time.monotonic(), []
    with stamina.set_testing(True, attempts=2, cap=True), ExitStack() as stack:
        ordeal = Ordeal(folder, stack, seed)
        while len(ids) < orders:
            batch = min(BATCH, orders - len(ids))
            ids += ordeal.place_orders(batch)
            ordeal.plant(batch + batch // 2, tally)
            ordeal.push_and_kill(tally, pushers=ordeal.random.choice((1, 1, 2)))
            for _ in range(MOST_RUNS):
                ordeal.push_and_die(tally)
                if not ordeal.states() & {"planned"}:
                    break
        ordeal.calm_down()
        ordeal.judge(ids, tally)
    tally.seconds = time.monotonic() - started
    return tally


def main() -> int:
    """Run it as the command line says and print the summary; 1 if an order was lost or doubled."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=2_000)
    asked = parser.parse_args()
    assert LATE_SECONDS < ABSENCE_SECONDS
    with TemporaryDirectory() as folder:
        tally = run_ordeal(Path(folder), seed=asked.seed, orders=asked.orders)
    sys.stdout.write("\n".join(tally.lines()) + "\n")
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
