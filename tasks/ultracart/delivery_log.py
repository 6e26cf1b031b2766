"""What UltraCart says that it sent to our webhook: a second witness beside what came in.

Source: the webhook's log in the vendor's SDK 4.1.208 (`WebhookLogSummary`). How long UltraCart keeps the log
is not published. It names the events and the orders of a delivery, not which belong together, and no
customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tasks.errors import SetupError
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.webhook_registration import find_registration, list_registrations


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try to deliver events; `sent_at` is UltraCart's clock in UTC, `status` None if nobody answered."""

    request_id: str
    sent_at: datetime
    status: int | None
    is_taken: bool
    event_names: tuple[str, ...]
    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookStanding:
    """How the webhook stands. `pending` events wait; `retry_after` is a time as UltraCart writes it."""

    oid: int
    is_disabled: bool
    failures_in_a_row: int
    pending: int
    retry_after: str | None


def find_webhook(client: UltraCartClient, url: str) -> WebhookStanding:
    """Give the webhook that delivers to our address; raises `SetupError` if UltraCart has none."""
    found = find_registration(url, list_registrations(client))
    if found is None:
        raise SetupError(
            f"UltraCart has no webhook that delivers to {url}. Run `ultrathiio check --fix`, which registers "
            "it, or correct ULTRATHIIO_ULTRACART__WEBHOOK_URL."
        )
    webhook = found.webhook
    return WebhookStanding(
        oid=webhook.webhook_oid,
        is_disabled=webhook.disabled,
        failures_in_a_row=webhook.consecutive_failures,
        pending=webhook.pending,
        retry_after=webhook.next_retry_after,
    )


def read_deliveries(client: UltraCartClient, webhook_oid: int, since: datetime) -> list[Delivery]:
    """Give the deliveries since a time, oldest first; one without a date counts as sent at `since`."""
    newest_first = [
        Delivery(
            request_id=summary.request_id,
            sent_at=(summary.delivery_dts or since).astimezone(UTC),
            status=summary.status_code or None,  # 0 where no answer came (assumed; the field is a number)
            is_taken=summary.success,
            event_names=tuple(summary.event_names),
            order_ids=tuple(summary.order_ids),
        )
        for summary in client.list_webhook_logs(webhook_oid, since)
    ]
    return sorted(reversed(newest_first), key=lambda delivery: delivery.sent_at)
