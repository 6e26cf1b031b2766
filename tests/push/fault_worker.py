"""A pusher as a process of its own, to be killed at any moment; and one in this process, killed by plan."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import stamina
from sqlalchemy import Engine, event

from tasks.database.engine import open_engine
from tasks.database.lease import hold_lease
from tasks.errors import LeaseHeld, RemoteUnavailable
from tasks.notifications.log import notifier, tell_exchange
from tasks.push.look_up import LookUp
from tasks.push.mapping import read_mapping
from tasks.push.planner import Choice, Planner
from tasks.push.pusher import Pusher
from tasks.records.item_rules import ItemKeys
from tasks.settings import Settings, load_settings
from tasks.thiio.open import open_thiio
from tasks.ultracart.client import UltraCartClient

LEASE_SECONDS = 1
ABSENCE_SECONDS = 2.0
"""An import that is given up on is finished long before this: see `faults.LATE_SECONDS`."""
TIMEOUT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the worker finds everything."""

    database_url: str
    thiio_url: str
    ultracart_url: str
    simple_key: str
    channel_partner_code: str

    def settings(self) -> Settings:
        """The settings of an installation whose UltraCart is fast to give up on, and to trust again."""
        return load_settings(
            database_url=self.database_url,
            thiio={"database_url": self.thiio_url},
            ultracart={
                "base_url": self.ultracart_url,
                "simple_key": self.simple_key,
                "channel_partner_code": self.channel_partner_code,
                "timeout_seconds": TIMEOUT_SECONDS,
            },
            push={
                "lookup_wait_seconds": 0,
                "lookup_again_seconds": 0.1,
                "absence_minutes": ABSENCE_SECONDS / 60,
                "unclear_limit": 5,
            },
        )


# A kill passes through the pool on its way out, and each repeated read is logged: a thousand lines of no use.
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
logging.getLogger("stamina").setLevel(logging.CRITICAL)


class Killed(BaseException):
    """The process is gone: nothing of ours may catch this."""


class KillSwitch:
    """Kills at the n-th step: right before or right after one of our transactions is committed.

    Between two of those lies at most one call, so that every place between two steps is met.
    """

    def __init__(self, steps: int | None) -> None:
        self._left = steps

    def __call__(self, *_: Any) -> None:
        """Count a step."""
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._left = None
                raise Killed


@contextmanager
def armed(engine: Engine, switch: Callable[..., None]) -> Iterator[None]:
    """Let a switch see every commit for a block, before ("commit") and after it ("reset" of the pool)."""
    event.listen(engine, "commit", switch)
    event.listen(engine, "reset", switch)
    try:
        yield
    finally:
        event.remove(engine, "commit", switch)
        event.remove(engine, "reset", switch)


def push_once(settings: Settings, kill: Callable[..., None] = lambda *_: None) -> None:
    """Do what a run of the flow does after reading the catalogues; what stops it is left to the next one.

    Raises `LeaseHeld` and `Killed`. What a kill leaves of a transaction is gone, as with a process.
    """
    url = settings.database_url.get_secret_value()
    with (
        _engine(url) as keeper,
        hold_lease(keeper, "push-orders", seconds=LEASE_SECONDS) as lease,
        _engine(url) as engine,
        closing(open_thiio(settings, notifier(engine))) as thiio,
        suppress(RemoteUnavailable),
        UltraCartClient.connect(settings.ultracart, tell_exchange(notifier(engine))) as client,
        armed(engine, kill),
    ):
        look_up = LookUp(client, settings.ultracart.channel_partner_code)
        pusher = Pusher(engine, settings.push, client, thiio, look_up, lease)
        settled = pusher.settle()
        pusher.tell_thiio(settled)
        if not settled.is_away:
            with engine.connect() as connection:
                mapping = read_mapping(connection, ItemKeys())
            planner = Planner(engine, settings.push, thiio, lease)
            planned = planner.plan(mapping, Choice(dry_run=False))
            pusher.send([order.thiio_order_id for order in planned if order.outcome == "planned"])


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def work(addresses: Addresses, seconds: float) -> None:
    """Push for a while, in a process of its own; the next one may be at it already."""
    settings = addresses.settings()
    until = time.monotonic() + seconds
    with stamina.set_testing(True, attempts=2, cap=True):
        while time.monotonic() < until:
            with suppress(LeaseHeld):
                push_once(settings)
            time.sleep(0.02)
