"""Open UltraCart as the settings say, paced together with every other process, each exchange on record."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from tasks.http_client import Exchange
from tasks.notifications.log import Notify, tell_exchange
from tasks.settings import UltraCartSettings, require
from tasks.ultracart.budget import Limits
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.pacing import Pacer


def open_ultracart(
    settings: UltraCartSettings,
    engine: Engine | None,
    notify: Notify,
    listen: Callable[[Exchange], None] = lambda exchange: None,
) -> UltraCartClient:
    """Make a client, to be used in a `with` block; nothing is sent yet.

    Without our database (`engine` None) nobody counts the calls. `listen` is told each exchange too. Raises
    `SetupError` if the key is not set.
    """
    tell = tell_exchange(notify)

    def on_exchange(exchange: Exchange) -> None:
        listen(exchange)
        tell(exchange)

    key = require(settings.simple_key, "ultracart", "simple_key")
    pacer = None if engine is None else Pacer(engine, key, limits_of(settings), settings.timeout_seconds)
    return UltraCartClient.connect(settings, on_exchange, pacer)


def limits_of(settings: UltraCartSettings) -> Limits:
    """Give the limits that the settings name."""
    return Limits(calls_per_hour=settings.calls_per_hour, calls_per_day=settings.calls_per_day)
