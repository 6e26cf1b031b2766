"""Prefect steps of the push; each holds the lease while it works, so that there is one pusher at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from sqlalchemy import Connection, Engine

from tasks.database.engine import opened
from tasks.database.lease import Lease, held_until, hold_lease
from tasks.errors import LeaseHeld
from tasks.notifications.log import Notify, notifier
from tasks.push import outbox
from tasks.push.account import describe_waiting
from tasks.push.look_up import LookUp
from tasks.push.mapping import Mapping, read_mapping
from tasks.push.mapping_report import describe_mapping
from tasks.push.planner import Choice, Planner
from tasks.push.pusher import Pusher, SendCounts
from tasks.push.watch import watch_pushed
from tasks.settings import Settings, load_settings, require
from tasks.thiio.connection import ThiioConnection
from tasks.thiio.mapping_file import load_mapping
from tasks.thiio.open import open_thiio
from tasks.ultracart.open import open_ultracart

LEASE = "push-orders"
LEASE_SECONDS = 600
"""Renewed before each call; a read that UltraCart lets wait, with its repetitions, takes less than this."""
APPROVAL = "push-orders, approval"


@task(cache_policy=NO_CACHE, persist_result=False)
def settle_pushes(at_once: list[str] | None = None) -> dict[str, Any]:
    """Look up what earlier runs left unclear, tell Thiio what UltraCart has, see what was changed since."""
    with _desk() as desk, desk.pusher() as pusher:
        counts = pusher.settle(at_once or ())
        told = pusher.tell_thiio(counts)
        days = desk.settings.push.watch_days
        changed = watch_pushed(desk.engine, desk.thiio, now=datetime.now(UTC), days=days)
        return asdict(counts) | {"told": told, "changed": changed}


@task(cache_policy=NO_CACHE, persist_result=False)
def plan_pushes(
    order_ids: list[str] | None, dry_run: bool, with_tests: bool, retry_rejected: bool, release: bool = False
) -> list[dict[str, Any]]:
    """Plan or hold every unsynced order of Thiio that is due; see `Planner.plan`."""
    with _desk() as desk:
        settings = desk.settings
        with desk.engine.connect() as connection:
            mapping = _read_mapping(connection, settings)
        planner = Planner(desk.engine, settings.push, desk.thiio, desk.lease)
        choice = Choice(
            order_ids=order_ids,
            dry_run=dry_run,
            with_tests=with_tests,
            retry_rejected=retry_rejected,
            release=release,
        )
        return [asdict(order) for order in planner.plan(mapping, choice)]


@task(cache_policy=NO_CACHE, persist_result=False)
def send_pushes(order_ids: list[str]) -> dict[str, Any]:
    """Send the planned pushes of these Thiio orders; see `Pusher.send`.

    Raises `LeaseHeld` while another run waits for a person's yes: nothing goes out meanwhile.
    """
    with _desk() as desk, desk.pusher() as pusher:
        with desk.engine.begin() as connection:
            _refuse_before_answer(held_until(connection, APPROVAL))
        counts = SendCounts()
        return asdict(pusher.send(order_ids, counts))


@task(cache_policy=NO_CACHE, persist_result=False)
def describe_outbox() -> str:
    """Write what waits for UltraCart, and why, as Markdown."""
    with opened(load_settings()) as engine, engine.connect() as connection:
        return describe_waiting(outbox.read_waiting(connection), datetime.now(UTC))


@task(cache_policy=NO_CACHE, persist_result=False)
def describe_catalogues() -> str:
    """Write what is wrong with the mapping of products and gateways, as Markdown."""
    settings = load_settings()
    with opened(settings) as engine, engine.connect() as connection:
        return describe_mapping(_read_mapping(connection, settings))


@contextmanager
def waiting_for_approval(minutes: int) -> Iterator[None]:
    """Say for a block that a run waits for a person's yes; raise `LeaseHeld` if another one does.

    It is no lease on the work: other runs may plan and look up, and send nothing.
    """
    with opened(load_settings()) as engine:
        with engine.connect() as connection:
            _refuse_before_answer(held_until(connection, APPROVAL))
        with hold_lease(engine, APPROVAL, seconds=minutes * 60 + LEASE_SECONDS):
            yield


def _read_mapping(connection: Connection, settings: Settings) -> Mapping:
    keys = load_mapping(settings.thiio.mapping_file).item_keys(settings.thiio)
    return read_mapping(connection, keys, sends_options=settings.push.send_options)


def _refuse_before_answer(until: datetime | None) -> None:
    if until is not None:
        raise LeaseHeld(
            f"Another run of push-orders waits for a person's yes, at most until {until:%Y-%m-%d %H:%M} UTC: "
            "look for the run that is paused in Prefect's UI and answer it. Nothing was sent."
        )


@dataclass(frozen=True, slots=True)
class _Desk:
    settings: Settings
    engine: Engine
    lease: Lease
    thiio: ThiioConnection
    notify: Notify

    @contextmanager
    def pusher(self) -> Iterator[Pusher]:
        # Without it every query comes back empty.
        code = require(self.settings.ultracart.channel_partner_code, "ultracart", "channel_partner_code")
        with open_ultracart(self.settings.ultracart, self.engine, self.notify) as ultracart:
            look_up = LookUp(ultracart, code)
            yield Pusher(self.engine, self.settings.push, ultracart, self.thiio, look_up, self.lease)


@contextmanager
def _desk() -> Iterator[_Desk]:
    settings = load_settings()
    require(settings.ultracart.simple_key, "ultracart", "simple_key")
    require(settings.ultracart.channel_partner_code, "ultracart", "channel_partner_code")
    with (
        opened(settings) as engine,
        hold_lease(engine, LEASE, seconds=LEASE_SECONDS) as lease,
    ):
        notify = notifier(engine, None if flow_run.id is None else str(flow_run.id))
        thiio = open_thiio(settings, notify)
        try:
            yield _Desk(settings, engine, lease, thiio, notify)
        finally:
            thiio.close()
