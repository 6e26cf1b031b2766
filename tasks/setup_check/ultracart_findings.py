"""Ask UltraCart once for all that the checks look at: seven calls, or a few more if the shop is large."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TypeVar

from sqlalchemy import Engine

from tasks.errors import UltraThiioError
from tasks.http_client import Exchange
from tasks.notifications.log import Notify
from tasks.records.models import Window
from tasks.settings import UltraCartSettings
from tasks.setup_check.reading import Asker, attempt
from tasks.ultracart import wire
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.open import open_ultracart

PROBE = timedelta(minutes=1)
"""Orders and customers are read of one minute: whether they may be read is all that is asked."""
LOG_SPANS = (timedelta(hours=1), timedelta(days=1))
"""Deliveries are read of the first span that has any: a busy shop's log of a day is hundreds of pages."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class UltraCartFindings:
    """What UltraCart answered; where it gave no answer, the error."""

    items: list[wire.Item] | UltraThiioError
    orders: list[wire.Order] | UltraThiioError
    customers: list[wire.Customer] | UltraThiioError
    webhooks: list[wire.Webhook] | UltraThiioError
    partners: list[wire.ChannelPartner] | UltraThiioError
    gateways: list[wire.RotatingTransactionGateway] | UltraThiioError
    deliveries: list[wire.WebhookLogSummary] | UltraThiioError | None = None
    """What our webhook delivered lately; None: not asked, as there is no such webhook or it is disabled."""
    clock_offset: timedelta | None = None
    """How far our clock is ahead of UltraCart's; None if no answer told the time."""


def read_ultracart(
    settings: UltraCartSettings, engine: Engine | None, notify: Notify, now: datetime
) -> UltraCartFindings:
    """Ask UltraCart; nothing is raised. Every call is notified, and counted if there is an engine."""
    offsets: list[timedelta] = []

    def listen(exchange: Exchange) -> None:
        if exchange.date is not None:
            offsets.append(datetime.now(UTC) - exchange.date)

    client = attempt(lambda: open_ultracart(settings, engine, notify, listen))
    if isinstance(client, UltraThiioError):
        return UltraCartFindings(
            items=client, orders=client, customers=client, webhooks=client, partners=client, gateways=client
        )
    with client:
        findings = _ask(client, settings.webhook_url, now)
    return replace(findings, clock_offset=offsets[-1] if offsets else None)


def _ask(client: UltraCartClient, webhook_url: str, now: datetime) -> UltraCartFindings:
    ask, minute = Asker(), Window(now - PROBE, now)
    items = ask(lambda: _all(client.iter_items()))
    orders = ask(lambda: _all(client.iter_orders(minute)))
    customers = ask(lambda: _all(client.iter_customers(minute)))
    webhooks = ask(client.list_webhooks)
    partners = ask(client.list_channel_partners)
    gateways = ask(client.list_gateways)
    ours = [] if isinstance(webhooks, UltraThiioError) else webhooks_at(webhook_url, webhooks)
    is_delivering = bool(ours) and not ours[0].disabled
    return UltraCartFindings(
        items=items,
        orders=orders,
        customers=customers,
        webhooks=webhooks,
        partners=partners,
        gateways=gateways,
        deliveries=ask(lambda: _read_log(client, ours[0], now)) if is_delivering else None,
    )


def webhooks_at(url: str, webhooks: Iterable[wire.Webhook]) -> list[wire.Webhook]:
    """Give the webhooks that deliver to an address, those that are not disabled first."""
    wanted = url.strip()
    found = [webhook for webhook in webhooks if wanted and (webhook.webhook_url or "").strip() == wanted]
    return sorted(found, key=lambda webhook: webhook.disabled)


def _read_log(client: UltraCartClient, webhook: wire.Webhook, now: datetime) -> list[wire.WebhookLogSummary]:
    for span in LOG_SPANS:
        if deliveries := client.list_webhook_logs(webhook.webhook_oid, now - span):
            return deliveries
    return []


def _all(pages: Iterable[list[Row]]) -> list[Row]:
    return list(chain.from_iterable(pages))
