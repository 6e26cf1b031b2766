"""The stand-in's webhook resource: registrations, their logs, and the replay of history."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from tasks.ultracart.sandbox.call import Call, Refusal, cut_page, read_time, single
from tasks.ultracart.sandbox.serialize import CUSTOMER_EXPANSIONS, ITEM_EXPANSIONS, ORDER_EXPANSIONS
from tasks.ultracart.sandbox.store import QueuedEvent, Store, WebhookState
from tasks.ultracart.webhook_body import EXPANSIONS

LOG_CAP = 200
SUMMARY_KEYS = (
    "request_id",
    "delivery_dts",
    "duration",
    "status_code",
    "success",
    "event_names",
    "order_ids",
)
EVENTS = {
    "auto_order": (
        "auto_order_cancel", "auto_order_create", "auto_order_decline", "auto_order_disable",
        "auto_order_preshipment", "auto_order_rebill", "auto_order_update",
    ),
    "chargeback": ("chargeback_create", "chargeback_delete", "chargeback_update"),
    "checkout": ("checkout_cart_abandon", "checkout_cart_send_return_email"),
    "customer": ("customer_create", "customer_update", "customer_delete"),
    "fulfillment": ("fulfillment_hold", "fulfillment_transmit"),
    "item": ("item_create", "item_delete", "item_update"),
    "order": (
        "order_abandon_recovery", "order_create", "order_delete", "order_payment_failed",
        "order_payment_process", "order_refund", "order_reject", "order_s3_invoice", "order_s3_packing_slip",
        "order_ship", "order_ship_delivered", "order_ship_expected", "order_ship_out_for_delivery",
        "order_stage_change", "order_update",
    ),
    "screen_recording": ("screen_recording",),
}  # fmt: skip
"""36 of the vendor's 43 events (its sample insertWebhook.php): the names of the seven `user_…` and
`workflow_task_…` are not known here. The categories are read off the names, which is ours. This stand-in
sends `customer_…` and `order_{create,update,delete,refund,reject,ship}`; the others can be subscribed to, and
never come."""
AVAILABLE_EXPANSIONS = {
    "customer": CUSTOMER_EXPANSIONS, "item": ITEM_EXPANSIONS, "order": ORDER_EXPANSIONS,
}  # fmt: skip
KEPT_BY_ULTRACART = frozenset(
    {"webhook_oid", "merchant_id", "pending", "consecutive_failures", "next_retry_after"}
)
"""What a client sends back with the whole object, and cannot set (an assumption of ours)."""
LEAST_MAXIMUM_EVENTS = 10
"""UltraCart's page on webhooks. The 900K that it names for `maximum_size` are not enforced: the vendor's own
samples register 5 MB."""
REPLAYABLE = frozenset({"order_create", "item_update"})


def list_webhooks(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /webhook/webhooks."""
    rows = [_show(webhook) for webhook in store.webhooks.values()]
    return cut_page(call, rows, "webhooks", LOG_CAP, clamps=store.clamps_limit)


def insert_webhook(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /webhook/webhooks."""
    return single("webhook", _show(add_webhook(store, call.object())))


def add_webhook(store: Store, fields: dict[str, Any]) -> WebhookState:
    """Register a webhook; refused without an address, or as `_check` says."""
    if not fields.get("webhook_url"):
        raise Refusal("webhook_url is required.")
    _check(store, fields)
    oid = store.next_number("webhook", 8_001)
    resource = {
        "api_version": "2017-03-01",
        "authentication_type": "none",
        "compress_events": False,
        "maximum_events": 10,
        "maximum_size": 921_600,
        "consecutive_failures": 0,
        "disabled": False,
        "event_categories": describe_events({}),
        **{name: value for name, value in fields.items() if name not in KEPT_BY_ULTRACART},
        "webhook_oid": oid,
        "merchant_id": store.merchant_id,
    }
    _make_credentials(resource)
    store.webhooks[oid] = WebhookState(resource)
    return store.webhooks[oid]


def _check(store: Store, fields: dict[str, Any]) -> None:
    """Refuse an address without HTTPS, unless it is on this machine, and bundles that are too small."""
    if "webhook_url" in fields:
        try:
            url = urlsplit(fields["webhook_url"])
            is_local, scheme = url.hostname in LOOPBACK, url.scheme
        except ValueError:
            is_local, scheme = False, ""
        is_taken = scheme == "https" or (scheme == "http" and (is_local or not store.requires_https))
        if not is_taken:
            raise Refusal("webhook_url must begin with https://.")
    if fields.get("maximum_events", LEAST_MAXIMUM_EVENTS) < LEAST_MAXIMUM_EVENTS:
        raise Refusal(f"maximum_events must be at least {LEAST_MAXIMUM_EVENTS}.")


def _make_credentials(resource: dict[str, Any]) -> None:
    """Make up what Basic authentication lacks, as UltraCart does."""
    if resource["authentication_type"] == "basic":
        if not resource.get("basic_username"):
            resource["basic_username"] = secrets.token_hex(8)
        if not resource.get("basic_password"):
            resource["basic_password"] = secrets.token_hex(16)


def register_guided_webhook(store: Store, url: str, username: str, password: str) -> int:
    """Register a webhook as the Thiio guide says: its six events, its expansions, Basic authentication."""
    fields = {
        "webhook_url": url,
        "authentication_type": "basic",
        "basic_username": username,
        "basic_password": password,
        "event_categories": describe_events(EXPANSIONS),
    }
    oid: int = add_webhook(store, fields).resource["webhook_oid"]
    return oid


def describe_events(expansions: dict[str, str]) -> list[dict[str, Any]]:
    """Give the event categories, subscribed to the events in `expansions`."""
    return [
        {
            "event_category": category,
            "available_expansions": sorted(AVAILABLE_EXPANSIONS.get(category, ())),
            "any_subscribed": bool(expansions.keys() & set(names)),
            "subscribed": expansions.keys() >= set(names),
            "events": [_describe(name, expansions) for name in names],
        }
        for category, names in EVENTS.items()
    ]


def update_webhook(store: Store, call: Call) -> dict[str, Any]:
    """Answer PUT /webhook/webhooks/{webhookOid}: the whole object, as read before, with changes."""
    webhook = _find(store, call)
    changes = {name: value for name, value in call.object().items() if name not in KEPT_BY_ULTRACART}
    _check(store, changes)
    if webhook.resource["disabled"] and changes.get("disabled") is False:
        webhook.resource |= {"consecutive_failures": 0, "next_retry_after": None}
    webhook.resource |= changes
    _make_credentials(webhook.resource)
    return single("webhook", _show(webhook))


def delete_webhook(store: Store, call: Call) -> None:
    """Answer DELETE /webhook/webhooks/{webhookOid}."""
    del store.webhooks[_find(store, call).resource["webhook_oid"]]


def delete_webhook_by_url(store: Store, call: Call) -> dict[str, Any]:
    """Answer DELETE /webhook/webhooks, whose body names the address."""
    url = call.object().get("webhook_url")
    for oid, webhook in store.webhooks.items():
        if webhook.resource["webhook_url"] == url:
            del store.webhooks[oid]
            return single("webhook", _show(webhook))
    raise store.missing("webhook")


def list_categories(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /webhook/webhook_event_categories."""
    return single("event_categories", describe_events({}))


def list_logs(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /webhook/webhooks/{webhookOid}/logs, newest first."""
    rows = [
        {key: log[key] for key in SUMMARY_KEYS} for log in _filter_logs(_find(store, call).logs, call.query)
    ]
    return cut_page(call, rows[::-1], "webhook_log_summaries", LOG_CAP, clamps=store.clamps_limit)


def get_log(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /webhook/webhooks/{webhookOid}/logs/{requestId}."""
    for log in _find(store, call).logs:
        if log["request_id"] == call.parts["requestId"]:
            return single("webhook_log", log)
    raise store.missing("webhook log")


def reflow(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /webhook/webhooks/{webhookOid}/reflow/{eventName}: queue the whole history once more."""
    webhook, name = _find(store, call), call.parts["eventName"]
    if name not in REPLAYABLE:
        raise Refusal(f"{name} does not support reflow.")
    if name == "order_create":
        now = store.clock()
        webhook.queue += [QueuedEvent(name, order, now) for order in store.orders.values()]
    return single("reflow", {"event_name": name, "queued": True})


def _find(store: Store, call: Call) -> WebhookState:
    oid = call.parts["webhookOid"]
    if not oid.isdecimal() or int(oid) not in store.webhooks:
        raise store.missing("webhook")
    return store.webhooks[int(oid)]


def _show(webhook: WebhookState) -> dict[str, Any]:
    return webhook.resource | {"pending": len(webhook.queue)}


def _describe(name: str, expansions: dict[str, str]) -> dict[str, Any]:
    return {
        "event_name": name,
        "subscribed": name in expansions,
        "expansion": expansions.get(name),
        "supports_reflow": name in REPLAYABLE,
    }


def _filter_logs(logs: Iterable[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    wanted = [(LOG_FILTERS[name], value) for name, value in query.items() if name in LOG_FILTERS]
    return [log for log in logs if all(test(log, value) for test, value in wanted)]


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
LOG_FILTERS: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "_since": lambda log, text: log["delivery_dts"] >= read_time(text, "_since"),
    "beginDate": lambda log, text: log["delivery_dts"] >= read_time(text, "beginDate"),
    "endDate": lambda log, text: log["delivery_dts"] <= read_time(text, "endDate"),
    "requestId": lambda log, text: log["request_id"] == text,
    "status": lambda log, text: str(log["status_code"]) == text,
    "success": lambda log, text: str(log["success"]).lower() == text.lower(),
    "event": lambda log, text: text in log["event_names"],
    "orderId": lambda log, text: text in log["order_ids"],
    "request": lambda log, text: text in log["request"],
    "duration": lambda log, text: bool(log["duration"] >= int(text)),
}


ROUTES = (
    ("GET", "/webhook/webhooks", list_webhooks),
    ("POST", "/webhook/webhooks", insert_webhook),
    ("DELETE", "/webhook/webhooks", delete_webhook_by_url),
    ("GET", "/webhook/webhook_event_categories", list_categories),
    ("PUT", "/webhook/webhooks/{webhookOid}", update_webhook),
    ("DELETE", "/webhook/webhooks/{webhookOid}", delete_webhook),
    ("GET", "/webhook/webhooks/{webhookOid}/logs", list_logs),
    ("GET", "/webhook/webhooks/{webhookOid}/logs/{requestId}", get_log),
    ("POST", "/webhook/webhooks/{webhookOid}/reflow/{eventName}", reflow),
)
