"""UltraCart's stand-in, our receiver, and a door between them that can be shut: what was lost is searched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import Engine, select, update

from tasks.database import tables
from tasks.inbox.gaps.account import Account
from tasks.inbox.gaps.recover import recover
from tasks.inbox.gaps.search import Findings, Search, search
from tasks.loopback import CutConnection, serve_on_loopback
from tasks.notifications.log import notifier, tell_exchange
from tasks.settings import UltraCartSettings
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.running_receiver import PASSWORD, ULTRACART, USERNAME

NORA = "nora@example.com"
AWAY, BUSY, STRANGER = 0, 503, 200
"""What the door answers: nothing; that it cannot store; that all is well, and stores nothing."""
TIMES = {
    tables.inbox_events: ("received_at", "last_received_at"),
    tables.notifications: ("created_at",),
    tables.watermarks: ("reached_at", "moved_at"),
}


@dataclass(slots=True)
class Door:
    """What stands before the receiver: it lets deliveries in, or answers them itself with `status`.

    A status of 0 breaks the connection: nobody is there.
    """

    receiver: httpx.Client
    status: int | None = None
    refused: list[bytes] = field(default_factory=list)

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Hand a delivery on, or keep it out."""
        if self.status is None:
            answer = self.receiver.post(request.url.path, content=request.content, headers=_headers(request))
            return httpx.Response(answer.status_code, content=answer.content)
        self.refused.append(request.content)
        if self.status == 0:
            raise CutConnection
        return httpx.Response(self.status)


@dataclass(slots=True)
class Scene:
    """The stand-in delivers to `url`, behind which the door is."""

    engine: Engine
    ultracart: UltraCartSandbox
    door: Door
    url: str

    def deliver(self, status: int | None = None) -> None:
        """Send what waits, with the door open or shut."""
        self.door.status = status
        self.ultracart.deliver()

    def place_order(self) -> str:
        """Let something happen that UltraCart tells of by an `order_create`."""
        return self.ultracart.place_order(NORA)

    @property
    def webhook(self) -> Any:
        """The stand-in's one webhook, with its log."""
        [webhook] = self.ultracart.store.webhooks.values()
        return webhook

    @property
    def watermark(self) -> datetime | None:
        """How far the search has come."""
        table = tables.watermarks
        name = f"find-gaps:{self.webhook.resource['webhook_oid']}"
        with self.engine.connect() as connection:
            return connection.scalar(select(table.c.reached_at).where(table.c.name == name))

    def let_pass(self, **time: float) -> None:
        """Let time pass: all that is on record, here and at UltraCart, was so much longer ago."""
        delta = timedelta(**time)
        self.set_back_log(delta)
        with self.engine.begin() as connection:
            for table, names in TIMES.items():
                [key] = table.primary_key
                for row in connection.execute(select(table)).mappings().all():
                    earlier = {name: row[name] - delta for name in names}
                    connection.execute(update(table).where(key == row[key.name]).values(earlier))

    def set_back_log(self, delta: timedelta) -> None:
        """Set the clock of UltraCart's log back, as if its deliveries had been so much earlier."""
        for log in self.webhook.logs:
            log["delivery_dts"] -= delta

    def look(self, **how: Any) -> Findings:
        """Search as the flow does with the settings' defaults; nothing is written."""
        with self._client() as client:
            return search(self.engine, client, self._how(**how), now=datetime.now(UTC))

    def find(self, **how: Any) -> Account:
        """Search and recover as the flow does."""
        with self._client() as client:
            findings = search(self.engine, client, self._how(**how), now=datetime.now(UTC))
            return Account(findings, recover(self.engine, client, findings, "run-1"), calls=0)

    def found_events(self) -> list[tuple[str, str]]:
        """Give (name, order id) of what the search put into the inbox."""
        events = read_events(self.engine, "found_by", "name", "entity_id")
        return [(name, id) for found_by, name, id in events if found_by == "gap"]

    def told(self, *names: str) -> list[Any]:
        """Give the notifications of losses: the named columns, or the one column."""
        rows = read_notifications(self.engine, "operation", *names)
        told = [row[1:] for row in rows if row[0] == "webhook lost"]
        return [row[0] for row in told] if len(names) == 1 else told

    def _client(self) -> UltraCartClient:
        settings = UltraCartSettings(
            base_url=self.ultracart.base_url, simple_key=self.ultracart.simple_key, read_attempts=2
        )
        return UltraCartClient.connect(settings, tell_exchange(notifier(self.engine)))

    def _how(self, **how: Any) -> Search:
        minutes = {
            "grace": 30,
            "tolerance": 5,
            "overlap": 30,
            "first": 3 * 24 * 60,
            "remembered": 90 * 24 * 60,
        }
        times = {name: timedelta(minutes=value) for name, value in minutes.items()}
        return Search(**{"url": self.url, **times, **how})


@contextmanager
def open_scene(engine: Engine, ultracart: UltraCartSandbox, receiver: httpx.Client) -> Iterator[Scene]:
    """Register a webhook that delivers through a door to the receiver."""
    door = Door(receiver)
    with serve_on_loopback(door.respond) as root:
        url = f"{root}{ULTRACART}"
        ultracart.register_webhook(url, USERNAME, PASSWORD)
        yield Scene(engine, ultracart, door, url)


def _headers(request: httpx.Request) -> dict[str, str]:
    return {"content-type": request.headers["content-type"]}
