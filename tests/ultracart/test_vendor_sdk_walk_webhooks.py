"""The vendor's SDK calls each operation on webhooks: once well, once wrong; and meets every common error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import ultracart as sdk
from ultracart.apis import ItemApi, WebhookApi
from ultracart.models import Webhook

from tasks.seed import Shop
from tasks.ultracart.sandbox.serialize import CUSTOMER_EXPANSIONS, ITEM_EXPANSIONS, ORDER_EXPANSIONS
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.ultracart.vendor import missing, open_sdk, refused

NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def webhooks(ultracart: UltraCartSandbox) -> Iterator[Any]:
    """The vendor's operations on webhooks, strict."""
    with open_sdk(ultracart) as client:
        yield WebhookApi(client)


@pytest.fixture
def guided(ultracart: UltraCartSandbox) -> int:
    """The oid of a webhook that is registered as the guide says, at an address where nobody listens."""
    return ultracart.register_webhook(NOWHERE, "user", "secret")


def test_webhooks_are_listed(webhooks: Any, guided: int) -> None:
    """With what they are subscribed to; a page of more than 200 is refused."""
    (webhook,) = webhooks.get_webhooks().webhooks
    subscribed = [
        (event.event_name, bool(event.expansion))
        for category in webhook.event_categories
        for event in category.events
        if event.subscribed
    ]

    assert (webhook.webhook_oid, webhook.pending, webhook.disabled) == (guided, 0, False)
    assert subscribed == [
        ("customer_create", True), ("customer_update", True), ("order_create", True),
        ("order_refund", True), ("order_reject", True), ("order_ship", True),
    ]  # fmt: skip
    assert refused(lambda: webhooks.get_webhooks(limit=201)) == (400, "_limit must be between 1 and 200.")


def test_a_webhook_is_inserted(webhooks: Any) -> None:
    """Credentials are made up where none are given; an address there must be."""
    made = webhooks.insert_webhook(
        Webhook(webhook_url=NOWHERE, authentication_type="basic", name="ours", maximum_size=5_242_880)
    ).webhook

    assert (made.webhook_url, made.name, made.maximum_size) == (NOWHERE, "ours", 5_242_880)
    assert len(made.basic_username) > 10
    assert len(made.basic_password) > 20
    assert refused(lambda: webhooks.insert_webhook(Webhook(name="no address"))) == (
        400, "webhook_url is required.",
    )  # fmt: skip


def test_a_webhook_is_updated(webhooks: Any, guided: int, ultracart: UltraCartSandbox) -> None:
    """The whole object goes back; what UltraCart counts is not the caller's, and enabling it begins anew."""
    for _ in range(10):
        ultracart.place_order("nora@example.com")
        ultracart.deliver()
    (webhook,) = webhooks.get_webhooks().webhooks
    webhook.maximum_events = 20
    still = webhooks.update_webhook(guided, webhook).webhook
    webhook.disabled = False
    again = webhooks.update_webhook(guided, webhook).webhook

    assert (webhook.consecutive_failures, webhook.pending) == (10, 10)
    assert (still.disabled, still.maximum_events, still.consecutive_failures) == (True, 20, 10)
    assert (again.disabled, again.consecutive_failures, again.pending) == (False, 0, 10)
    assert refused(lambda: webhooks.update_webhook(1, webhook)) == missing("webhook")


def test_a_webhook_is_deleted(webhooks: Any, guided: int) -> None:
    """By its oid or by its address, once."""
    made = webhooks.insert_webhook(Webhook(webhook_url="https://hooks.example.com/")).webhook
    gone = webhooks.delete_webhook_by_url(Webhook(webhook_url="https://hooks.example.com/")).webhook

    assert gone.webhook_oid == made.webhook_oid
    assert webhooks.delete_webhook(guided) is None
    assert webhooks.get_webhooks().webhooks == []
    assert refused(lambda: webhooks.delete_webhook(guided)) == missing("webhook")
    assert refused(lambda: webhooks.delete_webhook_by_url(Webhook(webhook_url=NOWHERE))) == missing("webhook")


def test_event_categories_are_listed(webhooks: Any, ultracart: UltraCartSandbox) -> None:
    """With the expansions that their events may have, where known; a key without permission sees none."""
    categories = webhooks.get_webhook_event_categories().event_categories
    ultracart.refuse_scope("webhook_read", status=403)

    expansions = {each.event_category: set(each.available_expansions) for each in categories}
    assert {name: parts for name, parts in expansions.items() if parts} == {
        "customer": CUSTOMER_EXPANSIONS,
        "item": ITEM_EXPANSIONS,
        "order": ORDER_EXPANSIONS,
    }
    assert sum(len(each.events) for each in categories) == 36
    assert refused(webhooks.get_webhook_event_categories) == (
        403, "The application lacks the permission webhook_read.",
    )  # fmt: skip


def test_logs_are_listed_and_read(webhooks: Any, guided: int, ultracart: UltraCartSandbox) -> None:
    """Every filter that the vendor names narrows the list; the detail has both sides' headers."""
    order_id = ultracart.place_order("nora@example.com")
    ultracart.deliver()
    (summary,) = webhooks.get_webhook_log_summaries(guided).webhook_log_summaries
    before = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    after = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    fitting = {
        "request_id": summary.request_id, "begin_date": before, "end_date": after, "since": before,
        "status": "0", "success": False, "event": "order_create", "order_id": order_id, "request": order_id,
        "duration": 0,
    }  # fmt: skip
    others = {
        "request_id": "X", "begin_date": after, "end_date": before, "since": after,
        "status": "200", "success": True, "event": "order_ship", "order_id": "X", "request": "no such text",
        "duration": 60_000,
    }  # fmt: skip

    def count(**filters: Any) -> int:
        return len(webhooks.get_webhook_log_summaries(guided, **filters).webhook_log_summaries)

    assert count(**fitting) == 1
    assert {name: count(**{name: value}) for name, value in others.items()} == dict.fromkeys(others, 0)
    detail = webhooks.get_webhook_log(guided, summary.request_id).webhook_log
    assert (detail.uri, detail.status_code, detail.order_ids) == (NOWHERE, 0, [order_id])
    assert (detail.response, detail.response_headers) == ("ConnectError", [])
    names = {header.name for header in detail.request_headers}
    assert ("content-type" in names, "authorization" in names) == (True, False)
    assert refused(lambda: webhooks.get_webhook_log(guided, "X")) == missing("webhook log")
    assert refused(lambda: webhooks.get_webhook_log_summaries(1)) == missing("webhook")


def test_history_is_sent_again(webhooks: Any, guided: int, shop: Shop) -> None:
    """All of it, and of two events only."""
    reflow = webhooks.resend_event(guided, "order_create").reflow

    assert (reflow.event_name, reflow.queued) == ("order_create", True)
    assert webhooks.get_webhooks().webhooks[0].pending == len(shop.orders)
    assert refused(lambda: webhooks.resend_event(guided, "order_ship")) == (
        400, "order_ship does not support reflow.",
    )  # fmt: skip
    assert refused(lambda: webhooks.resend_event(1, "order_create")) == missing("webhook")


def lose_key(ultracart: UltraCartSandbox) -> None:
    """Change the key behind the caller's back."""
    ultracart.simple_key = "another"


@pytest.mark.parametrize(
    ("status", "spoil"),
    [
        (401, lose_key),
        (410, lambda ultracart: setattr(ultracart, "is_disabled", True)),
        (429, lambda ultracart: ultracart.limit_calls(per_hour=0)),
        (500, lambda ultracart: ultracart.faults.add(status=500)),
    ],
)
def test_the_documented_errors_come_as_errors(
    ultracart: UltraCartSandbox, status: int, spoil: Callable[[UltraCartSandbox], None]
) -> None:
    """Wrong key, disabled application, too many calls, trouble inside: each with UC-REST-ERROR and an id."""
    with open_sdk(ultracart) as client:
        spoil(ultracart)
        with pytest.raises(sdk.ApiException) as caught:
            ItemApi(client).get_items()
    headers = caught.value.headers

    assert caught.value.status == status
    assert headers["UC-REST-ERROR"] in caught.value.body
    assert headers["X-UltraCart-Request-Id"]
    assert headers.get("UC-REST-ERROR-MERCHANT-ID") == ("DEMO" if status == 429 else None)
