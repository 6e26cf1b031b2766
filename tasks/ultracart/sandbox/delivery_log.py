"""What UltraCart writes down of a delivery, and how failures in a row count against a webhook.

The resource's `consecutive_failures`, `next_retry_after` and `disabled` show that UltraCart waits ever longer
and gives up at last (vendor's SDK); after how long and how often is not published: the numbers are ours.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from tasks.ultracart.sandbox.store import QueuedEvent, WebhookState

FAILURES_BEFORE_DISABLED = 10
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=4)
LOG_TEXT = 100_000
"""So many characters of request and response are kept (vendor's SDK)."""


def write_log(
    batch: Sequence[QueuedEvent], request: httpx.Request, response: httpx.Response | str, at: datetime
) -> dict[str, Any]:
    """Describe a delivery but for its duration; `response` is the answer, or what went wrong instead."""
    answer = response if isinstance(response, httpx.Response) else None
    return {
        "request_id": uuid.uuid4().hex.upper(),
        "delivery_dts": at,
        "queue_delay": round((at - min(event.happened_at for event in batch)).total_seconds()),
        "status_code": answer.status_code if answer else 0,
        "success": answer is not None and answer.is_success,
        "event_names": [event.name for event in batch],
        "order_ids": [event.object["order_id"] for event in batch if "order_id" in event.object],
        "uri": str(request.url),
        "request": request.content.decode()[:LOG_TEXT],
        "request_headers": _headers(request.headers),
        "response": (answer.text if answer else str(response))[:LOG_TEXT],
        "response_headers": _headers(answer.headers) if answer else [],
    }


def note_delivery(webhook: WebhookState, log: dict[str, Any], *, backs_off: bool) -> None:
    """Keep a delivery's log, and count it: a success forgets all failures before it."""
    resource = webhook.resource
    webhook.logs.append(log | {"webhook_oid": resource["webhook_oid"]})
    failures = 0 if log["success"] else resource["consecutive_failures"] + 1
    resource["consecutive_failures"] = failures
    resource["disabled"] = failures >= FAILURES_BEFORE_DISABLED
    resource["next_retry_after"] = (
        log["delivery_dts"] + wait_after(failures) if failures and backs_off else None
    )


def wait_after(failures: int) -> timedelta:
    """Give the wait after so many failures in a row: 1, 2, 4, … minutes, at most 4 hours."""
    doublings: int = 2 ** (failures - 1)
    return min(FIRST_RETRY * doublings, LAST_RETRY)


def is_due(webhook: WebhookState, now: datetime) -> bool:
    """Tell whether a webhook may be sent to: it is not disabled, and its wait is over."""
    retry_at = webhook.resource.get("next_retry_after")
    return not webhook.resource["disabled"] and (retry_at is None or retry_at <= now)


def _headers(headers: httpx.Headers) -> list[dict[str, str]]:
    # Credentials are left out; whether UltraCart's own log shows them is not published.
    return [{"name": name, "value": value} for name, value in headers.items() if name != "authorization"]
