"""The stand-in's webhook resource: registrations, their logs, and the replay of history."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any

from tasks.ultracart.sandbox.call import Call, Refusal, cut_page, read_time, single
from tasks.ultracart.sandbox.serialize import CUSTOMER_EXPANSIONS, ORDER_EXPANSIONS
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
    "customer": ("customer_create", "customer_update", "customer_delete"),
    "order": (
        "order_create", "order_update", "order_delete", "order_refund", "order_reject", "order_ship",
    ),
}  # fmt: skip
"""The events that this stand-in sends; UltraCart has 43."""
AVAILABLE_EXPANSIONS = {"customer": CUSTOMER_EXPANSIONS, "order": ORDER_EXPANSIONS}
KEPT_BY_ULTRACART = frozenset(
    {"webhook_oid", "merchant_id", "pending", "consecutive_failures", "next_retry_after"}
)
"""What a client sends back with the whole object, and cannot set (an assumption of ours)."""
REPLAYABLE = frozenset({"order_create", "item_update"})


def list_webhooks(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /webhook/webhooks."""
    rows = [_show(webhook) for webhook in store.webhooks.values()]
    return cut_page(call, rows, "webhooks", LOG_CAP, clamps=store.clamps_limit)


def insert_webhook(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /webhook/webhooks."""
    return single("webhook", _show(add_webhook(store, call.object())))


def add_webhook(store: Store, fields: dict[str, Any]) -> WebhookState:
    """Register a webhook; with Basic authentication and no credentials UltraCart makes some up."""
    if not fields.get("webhook_url"):
        raise Refusal("webhook_url is required.")
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
    if resource["authentication_type"] == "basic" and not resource.get("basic_username"):
        resource |= {"basic_username": secrets.token_hex(8), "basic_password": secrets.token_hex(16)}
    store.webhooks[oid] = WebhookState(resource)
    return store.webhooks[oid]


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
            "available_expansions": sorted(AVAILABLE_EXPANSIONS[category]),
            "any_subscribed": bool(expansions.keys() & set(names)),
            "subscribed": expansions.keys() >= set(names),
            "events": [_describe(name, expansions) for name in names],
        }
        for category, names in EVENTS.items()
    ]


def update_webhook(store: Store, call: Call) -> dict[str, Any]:
    """Answer PUT /webhook/webhooks/{oid}: the whole object, as read before, with changes."""
    webhook = _find(store, call)
    changes = {name: value for name, value in call.object().items() if name not in KEPT_BY_ULTRACART}
    if webhook.resource["disabled"] and changes.get("disabled") is False:
        webhook.resource |= {"consecutive_failures": 0, "next_retry_after": None}
    webhook.resource |= changes
    return single("webhook", _show(webhook))


def delete_webhook(store: Store, call: Call) -> None:
    """Answer DELETE /webhook/webhooks/{oid}."""
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
    """Answer GET /webhook/webhooks/{oid}/logs, newest first."""
    rows = [
        {key: log[key] for key in SUMMARY_KEYS} for log in _filter_logs(_find(store, call).logs, call.query)
    ]
    return cut_page(call, rows[::-1], "webhook_log_summaries", LOG_CAP, clamps=store.clamps_limit)


def get_log(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /webhook/webhooks/{oid}/logs/{request_id}."""
    for log in _find(store, call).logs:
        if log["request_id"] == call.parts["request_id"]:
            return single("webhook_log", log)
    raise store.missing("webhook log")


def reflow(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /webhook/webhooks/{oid}/reflow/{event}: queue the whole history once more."""
    webhook, name = _find(store, call), call.parts["event"]
    if name not in REPLAYABLE:
        raise Refusal(f"{name} does not support reflow.")
    if name == "order_create":
        now = store.clock()
        webhook.queue += [QueuedEvent(name, order, now) for order in store.orders.values()]
    return single("reflow", {"event_name": name, "queued": True})


def _find(store: Store, call: Call) -> WebhookState:
    oid = call.parts["oid"]
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
}


ROUTES = (
    ("GET", "/webhook/webhooks", list_webhooks),
    ("POST", "/webhook/webhooks", insert_webhook),
    ("DELETE", "/webhook/webhooks", delete_webhook_by_url),
    ("GET", "/webhook/webhook_event_categories", list_categories),
    ("PUT", "/webhook/webhooks/{oid}", update_webhook),
    ("DELETE", "/webhook/webhooks/{oid}", delete_webhook),
    ("GET", "/webhook/webhooks/{oid}/logs", list_logs),
    ("GET", "/webhook/webhooks/{oid}/logs/{request_id}", get_log),
    ("POST", "/webhook/webhooks/{oid}/reflow/{event}", reflow),
)
