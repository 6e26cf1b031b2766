"""The push between both stand-ins, and what it leaves behind in our tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Table, select, text

from tasks.database import tables
from tasks.database.lease import Lease, take_lease
from tasks.notifications.log import notifier, tell_exchange
from tasks.push import outbox
from tasks.push.look_up import LookUp
from tasks.push.mapping import read_mapping
from tasks.push.outbox import PushState
from tasks.push.planner import Choice, PlannedOrder, Planner
from tasks.push.pusher import Pusher, SendCounts
from tasks.records.item_rules import ItemKeys
from tasks.settings import Settings, load_settings
from tasks.thiio import pull as thiio_pull
from tasks.thiio.connection import ThiioConnection
from tasks.thiio.open import open_thiio
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart import pull as ultracart_pull
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.server import UltraCartSandbox

IMPORT = "/channel_partner/import"
LOOK_UP = "/order/orders/query"
OWN_LOOK_UP = "/channel_partner/orders/by_channel_partner_order_id/"
PARTNERS = "/channel_partner/channel_partners"
ITEM_ID_KEY = "ultracart_item_id"


@dataclass(slots=True)
class Desk:
    """Both stand-ins and the pusher between them.

    `waits` are the seconds that it would have slept, `ahead` is how far its clock has been put forward.
    """

    engine: Engine
    settings: Settings
    ultracart: UltraCartSandbox
    thiio: ThiioSandbox
    client: UltraCartClient
    connection: ThiioConnection
    waits: list[float] = field(default_factory=list)
    ahead: timedelta = timedelta()

    @classmethod
    @contextmanager
    def open(
        cls, engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox, **changes: Any
    ) -> Iterator[Desk]:
        """Open it for a block; `changes` are settings of UltraCart that differ."""
        code = {"channel_partner_code": ultracart.channel_partner_code}
        address = {"base_url": ultracart.base_url, "simple_key": ultracart.simple_key}
        settings = load_settings(
            thiio={"database_url": thiio.database_url}, ultracart={**address, **code, **changes}
        )
        notify = notifier(engine)
        connection = open_thiio(settings, notify)
        try:
            with UltraCartClient.connect(settings.ultracart, tell_exchange(notify)) as client:
                yield cls(engine, settings, ultracart, thiio, client, connection)
        finally:
            connection.close()

    @property
    def pusher(self) -> Pusher:
        """A pusher of its own, as each run has one: with the lease, and what it proved of the look-up."""
        look_up = LookUp(self.client, self.settings.ultracart.channel_partner_code)
        return Pusher(
            self.engine, self.settings.push, self.client, self.connection, look_up, self.take_lease(),
            wait=self.waits.append, clock=self.now,
        )  # fmt: skip

    def take_lease(self) -> Lease:
        """Take the lease from whoever has it: it runs out at once, so that the next one may take it too."""
        return take_lease(self.engine, "push-orders", seconds=-1)

    def now(self) -> datetime:
        """The pusher's time."""
        return datetime.now(UTC) + self.ahead

    def later(self, minutes: float) -> None:
        """Let time pass for the pusher."""
        self.ahead += timedelta(minutes=minutes)

    def pull_catalogues(self) -> None:
        """Read items, products and gateways of both sides anew."""
        ultracart_pull.pull_catalogue(self.client, self.engine)
        thiio_pull.pull_catalogue(self.connection, self.engine)

    def plan(
        self, order_ids: Sequence[str] | None = None, *, dry_run: bool = False, **switches: bool
    ) -> list[PlannedOrder]:
        """Plan by the catalogues that were read last."""
        with self.engine.connect() as connection:
            mapping = read_mapping(connection, ItemKeys())
        planner = Planner(self.engine, self.settings.push, self.connection, self.take_lease(), self.now)
        return planner.plan(mapping, Choice(order_ids=order_ids, dry_run=dry_run, **switches))

    def send(self, planned: Sequence[PlannedOrder]) -> SendCounts:
        """Send what was planned."""
        return self.pusher.send([each.thiio_order_id for each in planned if each.outcome == "planned"])

    def push(self, order_ids: Sequence[str] | None = None, **switches: bool) -> SendCounts:
        """Plan and send."""
        return self.send(self.plan(order_ids, **switches))

    def run(self) -> SendCounts:
        """Do what a run of the flow does, catalogues included; gives what the sending did."""
        self.pull_catalogues()
        self.settle()
        return self.push()

    def settle(self, at_once: Sequence[str] = ()) -> SendCounts:
        """Look up what is due, and tell Thiio."""
        pusher = self.pusher
        counts = pusher.settle(at_once)
        pusher.tell_thiio(counts)
        return counts

    def settle_until_clear(self) -> SendCounts:
        """Settle every five minutes, as the schedule does, until nothing is in doubt; gives the counts."""
        for _ in range(50):
            counts = self.settle()
            if not counts.in_doubt:
                return counts
            self.later(minutes=5)
        raise AssertionError(f"still in doubt after four hours: {self.states()}")

    def kill_before_the_call(self, thiio_order_id: str) -> outbox.Push:
        """Take a planned push for sending and stop there, as a run does that is killed."""
        with self.engine.begin() as connection:
            [push] = outbox.find_pushes(connection, (PushState.PLANNED,), order_ids=[thiio_order_id])
            assert outbox.start_sending(connection, push, now=self.now())
        return push

    def pushes(self) -> dict[str, dict[str, Any]]:
        """The outbox, by Thiio's id."""
        return {row["thiio_order_id"]: row for row in self.rows(tables.pushes)}

    def states(self) -> dict[str, str]:
        """Where each push stands, by Thiio's id."""
        return {id: push["state"] for id, push in self.pushes().items()}

    def links(self) -> dict[str, str]:
        """Thiio's id → UltraCart's id of the orders that are linked."""
        return {row["thiio_id"]: row["ultracart_id"] for row in self.rows(tables.links)}

    def exchanges(self) -> list[tuple[str, str, str | None]]:
        """Operation, status and order of every notification that names a record."""
        return [
            (row["operation"], row["status"], row["entity_id"])
            for row in self.rows(tables.notifications)
            if row["entity"] is not None
        ]

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """All rows of one of our tables."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def everything(self) -> dict[str, Any]:
        """All that a push may change: our tables, Thiio's orders, UltraCart's orders and imports."""
        kept = (tables.pushes, tables.links)
        with self.thiio.engine.connect() as connection:
            thiio = connection.execute(select(self.thiio.tables.orders)).mappings().all()
        return {
            **{table.name: self.rows(table) for table in kept},
            "thiio": [dict(row) for row in thiio],
            "ultracart": sorted(self.ultracart.store.orders),
            "imports": self.ultracart.imports,
        }

    def named_in_thiio(self, thiio_order_id: str) -> str | None:
        """UltraCart's id that Thiio shows on an order."""
        return self.thiio.read_order(thiio_order_id)["external_order_id"]

    @contextmanager
    def thiio_away(self) -> Iterator[None]:
        """Thiio's database cannot answer for the orders during a block."""
        with self.thiio.engine.begin() as connection:
            connection.execute(text("ALTER TABLE thiio_orders RENAME TO thiio_orders_away"))
        yield
        with self.thiio.engine.begin() as connection:
            connection.execute(text("ALTER TABLE thiio_orders_away RENAME TO thiio_orders"))
