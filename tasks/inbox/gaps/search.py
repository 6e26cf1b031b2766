"""Read UltraCart's log of deliveries as far as no run has read it, and find what the inbox lacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from tasks.inbox.gaps.judge import Losses, Seen, find_losses
from tasks.inbox.gaps.seen import read_seen
from tasks.records.models import Window
from tasks.records.watermarks import next_window
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.delivery_log import Delivery, WebhookStanding, find_webhook, read_deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where and how far to look.

    `url` is our webhook's address. A delivery is judged once `grace` has passed: till then UltraCart's own
    retry may bring it. `tolerance` is how far the two clocks may differ. Without `start` the search goes on
    at the watermark, less `overlap`; the first one reaches back by `first`. None reaches back further than
    the inbox is `remembered`: what was pruned would look lost.
    """

    url: str
    grace: timedelta
    tolerance: timedelta
    overlap: timedelta
    first: timedelta
    remembered: timedelta
    start: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a search found; `deliveries` are those that were judged, `watermark` is the one that it moves."""

    webhook: WebhookStanding
    window: Window
    deliveries: tuple[Delivery, ...]
    seen: Seen
    losses: Losses
    watermark: str | None


def search(engine: Engine, client: UltraCartClient, how: Search, *, now: datetime) -> Findings:
    """Find what was lost. Nothing is written.

    Raises `SetupError` if UltraCart has no such webhook.
    """
    webhook = find_webhook(client, how.url)
    watermark = f"find-gaps:{webhook.oid}"  # of this webhook: another one has a log of its own
    # What is younger than the clocks may differ cannot be told from what came before it.
    until = now - max(how.grace, how.tolerance)
    with engine.connect() as connection:
        window = next_window(connection, watermark, now=until, overlap=how.overlap, first=how.first)
    window = Window(max(how.start or window.start, now - how.remembered), until)
    deliveries = read_deliveries(client, webhook.oid, window.start)
    with engine.connect() as connection:
        seen = read_seen(connection, deliveries, since=window.start - how.tolerance)
    return Findings(
        webhook=webhook,
        window=window,
        deliveries=tuple(delivery for delivery in deliveries if delivery.sent_at < until),
        seen=seen,
        losses=find_losses(deliveries, seen, until=until, tolerance=how.tolerance),
        watermark=None if how.start else watermark,
    )
