"""What is told: webhooks, every job, a receiver and a worker that die in the middle, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from sqlalchemy import func, select

from deployments.apply_automations import FILE, OURS, apply
from tasks.database.engine import reading
from tasks.database.tables import inbox_events, notifications
from tasks.inbox.events import EventState
from tasks.loopback import serve_on_loopback
from tasks.notifications.log import NotificationStatus
from tasks.ultracart.sandbox.dispatcher import BodyShape, write_body
from tasks.ultracart.sandbox.serialize import plain, show_order
from tasks.ultracart.webhook_body import ORDER_EXPANSION
from tests.topology import runs
from tests.topology.senders import Senders
from tests.topology.site import LEASE_SECONDS, PROJECT, RECEIVERS, WORKERS, Site

ORDERS, PHONE_ORDERS = 240, 3
BATCH = 8
"""So few events are claimed together that a worker is seen at it."""
DEAD_AFTER_SECONDS = 50
"""Heartbeats come every 30 seconds here; every 180 with a window of 600 in production."""
PROCESS = "process-inbox/every-minute"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must be seen."""

    what: str
    expected: str
    seen: str
    is_good: bool


class Story:
    """Tells it once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._messages: list[str] = []

    def tell(self) -> Iterator[Finding]:
        """Go through all of it; each step gives what was seen."""
        with serve_on_loopback(self._take_message) as url:
            yield self._register(url)
            yield from self._receive()
            yield from self._work_off()
            yield from self._all_jobs()
            yield from self._dead_run()

    def _take_message(self, request: httpx.Request) -> httpx.Response:
        self._messages.append(request.content.decode())
        return httpx.Response(200)

    def _register(self, url: str) -> Finding:
        """The automations, with a shorter wait for the dead; no schedules: nothing starts by itself."""
        block = CustomWebhookNotificationBlock(name="operators", url=url, json_data={"text": "{{subject}}"})
        block.save("operators", overwrite=True)
        file = yaml.safe_load(FILE.read_text())
        for each in file["automations"]:
            if each["name"] == f"{OURS}a run is dead":
                each["trigger"]["within"] = DEAD_AFTER_SECONDS
        hasty = self._site.folder / "automations.yaml"
        hasty.write_text(yaml.safe_dump(file))
        asyncio.run(apply(hasty, "custom-webhook/operators"))
        wanted = len(yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"])
        count = runs.pause_schedules()
        runs.allow_at_once(PROCESS, 2)
        return Finding("deployments in Prefect", str(wanted), str(count), count == wanted)

    # ---- webhooks

    def _receive(self) -> Iterator[Finding]:
        """Every order is delivered to one receiver, every tenth to both; the first receiver dies half-way."""
        senders = Senders(self._site.urls, self._place_orders())
        senders.start()
        senders.is_half_done.wait(60)
        before = senders.acknowledged[RECEIVERS[0]]
        self._site.parts[RECEIVERS[0]].kill()
        senders.join()
        during = senders.acknowledged[RECEIVERS[0]] - before
        self._site.start(RECEIVERS[0])
        self._site.wait(RECEIVERS[0])

        stored, deliveries = self._count_events()
        both = dict(senders.acknowledged)
        yield Finding(
            "webhooks taken by both receivers at once", "both took some", str(both), min(both.values()) > 0
        )
        yield Finding(
            f"{RECEIVERS[0]} killed by SIGKILL in the middle",
            "it took some, then none; it comes back",
            f"{before} taken before, {during} while it was killed",
            0 < before < ORDERS * 0.6,
        )
        yield Finding(
            "orders in the inbox",
            f"{ORDERS}, each once",
            f"{stored}, delivered {deliveries} times",
            stored == ORDERS and deliveries >= sum(both.values()),
        )

    def _place_orders(self) -> list[bytes]:
        ultracart = self._site.sandboxes.ultracart
        expansion = frozenset(ORDER_EXPANSION.split(","))
        ids = [ultracart.place_order(f"buyer{number}@example.com") for number in range(ORDERS)]
        shown = [plain(show_order(ultracart.store.orders[id], expansion)) for id in ids]
        return [write_body([{"order_create": each}], BodyShape.ARRAY) for each in shown]

    def _count_events(self) -> tuple[int, int]:
        table = inbox_events
        with reading(self._site.engine) as connection:
            query = select(func.count(), func.coalesce(func.sum(table.c.deliveries), 0))
            count, deliveries = connection.execute(query).one()
        return int(count), int(deliveries)

    # ---- the inbox

    def _work_off(self) -> Iterator[Finding]:
        """Both workers at once; the first dies with events in its hands, the second one goes on."""
        self._runs = [runs.start(PROCESS, batch=BATCH) for _ in WORKERS]
        both = self._wait(lambda: all(self._held_by(name) for name in WORKERS), 60)
        yield Finding("process-inbox by both workers at once", "both hold events", str(both), both)

        dying = self._site.parts[WORKERS[0]]
        self._wait(lambda: self._held_by(WORKERS[0]) > 0, 10)
        pids = dying.process_ids()
        dying.kill()
        self._killed_at = datetime.now(UTC)
        left = self._count_held(pids)
        yield Finding(
            f"{WORKERS[0]} and its run killed by SIGKILL",
            "events stay in its hands",
            f"{left} events",
            left > 0,
        )
        self._dead = next(id for id in self._runs if str(id) in runs.runs_taken(dying.log))
        alive = next(id for id in self._runs if id != self._dead)
        ended = runs.wait_for(alive)
        yield Finding("the other worker's run", "goes on", ended, ended == "Completed")

        time.sleep(max(0.0, LEASE_SECONDS - (datetime.now(UTC) - self._killed_at).total_seconds()))
        ended = runs.wait_for(runs.start(PROCESS))
        states = self._states()
        yield Finding(
            f"after the lease of {LEASE_SECONDS} s the next run takes them over",
            f"{ORDERS} done",
            f"{ended}, {dict(states)}",
            states == {EventState.DONE: ORDERS},
        )
        closed = self._closed_by_run()
        by_worker = {
            name: sum(
                count for id, count in closed.items() if id in runs.runs_taken(self._site.parts[name].log)
            )
            for name in WORKERS
        }
        yield Finding(
            "events closed, by worker",
            f"{ORDERS} in all, each once",
            str(by_worker),
            sum(by_worker.values()) == ORDERS and min(by_worker.values()) > 0,
        )
        yield self._thiio()

    def _wait(self, is_so: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _held_by(self, worker: str) -> int:
        return self._count_held(self._site.parts[worker].process_ids())

    def _count_held(self, pids: set[int]) -> int:
        owner = inbox_events.c.lease_owner
        with reading(self._site.engine) as connection:
            owners = connection.scalars(select(owner).where(inbox_events.c.state == EventState.LEASED)).all()
        return sum(int(name.rpartition(":")[2]) in pids for name in owners if name)

    def _states(self) -> Counter[str]:
        with reading(self._site.engine) as connection:
            return Counter(connection.scalars(select(inbox_events.c.state)))

    def _closed_by_run(self) -> Counter[str]:
        table = notifications
        closed = select(table.c.run_id).where(
            table.c.direction == "in", table.c.status == NotificationStatus.SUCCESSFUL
        )
        with reading(self._site.engine) as connection:
            return Counter(connection.scalars(closed))

    def _thiio(self) -> Finding:
        theirs = self._site.sandboxes.thiio.tables.orders.c.external_order_id
        ids = set(self._site.sandboxes.ultracart.store.orders)
        with self._site.sandboxes.thiio.engine.connect() as connection:
            times = Counter(connection.scalars(select(theirs).where(theirs.is_not(None))))
        lost, twice = len(ids - set(times)), sum(count > 1 for count in times.values())
        return Finding(
            "orders of UltraCart in Thiio",
            "all, each once",
            f"{lost} lost, {twice} twice",
            lost == twice == 0,
        )

    # ---- every other job

    def _all_jobs(self) -> Iterator[Finding]:
        """A new worker takes the dead one's place; each job runs through its deployment."""
        self._site.start(WORKERS[0])
        thiio, ultracart = self._site.sandboxes.thiio, self._site.sandboxes.ultracart
        orders = [thiio.place_phone_order() for _ in range(PHONE_ORDERS)]
        for names in (
            ["pull-records/every-15-minutes", "push-orders/every-5-minutes"],
            ["reconcile-customers/hourly", "reconcile-orders/hourly"],
            ["report-mismatches/daily"],
        ):
            started = {name: runs.start(name) for name in names}
            for name, id in started.items():
                state = runs.wait_for(id)
                yield Finding(name, "Completed", state, state == "Completed")
        pushed = {order: ultracart.imports.get(f"THIIO-{order}", 0) for order in orders}
        yield Finding(
            "phone orders in UltraCart",
            f"{PHONE_ORDERS}, each once",
            str(pushed),
            set(pushed.values()) == {1},
        )
        report = Path(self._site.folder / "reports/latest.html")
        yield Finding("the report", "written", str(report.exists()), report.exists())

    def _dead_run(self) -> Iterator[Finding]:
        """Prefect's side: the run of the dead worker is set to Crashed, told of, and its place is free."""
        state = runs.wait_for(self._dead, DEAD_AFTER_SECONDS + 60)
        found = runs.look(self._dead).state
        seconds = (found.timestamp - self._killed_at).total_seconds() if found else 0
        yield Finding(
            "the run of the dead worker",
            "Crashed, once its heartbeats are missing",
            f"{state}, {seconds:.0f} s after the kill",
            state == "Crashed",
        )
        told = self._wait(lambda: any("process-inbox: Crashed" in each for each in self._messages), 20)
        yield Finding("the message to the operators", "process-inbox: Crashed", str(self._messages), told)
        runs.allow_at_once(PROCESS, 1)
        ended = runs.wait_for(runs.start(PROCESS))
        yield Finding("its place in Prefect's limit", "free: the next run works", ended, ended == "Completed")
