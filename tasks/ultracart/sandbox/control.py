"""The stand-in's own switches over HTTP, below /_sandbox, for whoever is not in its process.

POST /_sandbox/faults           {"method", "path", "status" | "delay_seconds" | "cut", "times"}
POST /_sandbox/switches         {"lose": [name | null], "duplicate": […], "hold_back": […], "body_shape",
                                 "send_order", "takes_duplicate_imports", "import_warnings",
                                 "refuses_concurrent_calls", "is_disabled", "cache_lag_seconds",
                                 "backs_off", "not_found_status": 400 | 404, "clamps_limit",
                                 "refused_scopes": {scope: 401 | 403}, "deletes_old_rejected",
                                 "requires_refund_reason", "requires_https"}
POST /_sandbox/webhooks         {"url", "username", "password"}
POST /_sandbox/actions/<name>   the arguments of a method of `Actions`
POST /_sandbox/deliver          sends the waiting events
GET  /_sandbox/openapi.json     the OpenAPI document of what is served below /rest/v2
GET  /_sandbox/ledger           {"imports": {partner order id: orders made}, "pending": events that wait}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from tasks.ultracart.sandbox.call import Refusal
from tasks.ultracart.sandbox.dispatcher import BodyShape, SendOrder
from tasks.ultracart.sandbox.document import load_document
from tasks.ultracart.sandbox.scopes import check_refusals

if TYPE_CHECKING:
    from tasks.ultracart.sandbox.server import UltraCartSandbox

ROOT = "/_sandbox"
ACTIONS = frozenset(
    {
        "create_customer", "update_customer", "place_order", "ship_order", "refund_order", "reject_order",
        "edit_order",
    }
)  # fmt: skip


def answer(sandbox: UltraCartSandbox, request: httpx.Request) -> httpx.Response:
    """Answer a control call; a wrong one is a 400 that says what is wrong."""
    name = request.url.path.removeprefix(ROOT).strip("/")
    try:
        given = msgspec.json.decode(request.content or b"{}", type=dict[str, Any])
        return _json(200, _run(sandbox, name, given))
    except (msgspec.DecodeError, Refusal, TypeError, ValueError, KeyError) as error:
        return _json(400, {"error": f"{type(error).__name__}: {error}"})


def _run(sandbox: UltraCartSandbox, name: str, given: dict[str, Any]) -> Any:
    if name.startswith("actions/"):
        return _act(sandbox, name.removeprefix("actions/"), given)
    match name:
        case "faults":
            sandbox.faults.add(**given)
            return {}
        case "switches":
            return _switch(sandbox, given)
        case "webhooks":
            return {"webhook_oid": sandbox.register_webhook(**given)}
        case "openapi.json":
            return load_document()
        case "deliver":
            return asdict(sandbox.deliver())
        case "ledger":
            waiting = sum(len(webhook.queue) for webhook in sandbox.store.webhooks.values())
            return {"imports": sandbox.imports, "pending": waiting}
    raise KeyError(f"there is no control called {name!r}")


def _act(sandbox: UltraCartSandbox, name: str, given: dict[str, Any]) -> Any:
    if name not in ACTIONS:
        raise KeyError(f"there is no action called {name!r}")
    return {"result": getattr(sandbox, name)(**given)}


def _switch(sandbox: UltraCartSandbox, given: dict[str, Any]) -> dict[str, Any]:
    dispatcher, store = sandbox.dispatcher, sandbox.store
    places: dict[str, tuple[object, str, Callable[[Any], Any]]] = {
        "lose": (dispatcher.switches, "lose", list),
        "duplicate": (dispatcher.switches, "duplicate", list),
        "hold_back": (dispatcher.switches, "hold_back", list),
        "body_shape": (dispatcher, "body_shape", BodyShape),
        "send_order": (dispatcher, "send_order", SendOrder),
        "takes_duplicate_imports": (store, "takes_duplicate_imports", bool),
        "import_warnings": (store, "import_warnings", tuple),
        "cache_lag_seconds": (store, "cache_lag", lambda seconds: timedelta(seconds=seconds)),
        "not_found_status": (store, "not_found_status", _not_found_status),
        "clamps_limit": (store, "clamps_limit", bool),
        "refused_scopes": (store, "refused_scopes", check_refusals),
        "deletes_old_rejected": (store, "deletes_old_rejected", bool),
        "requires_refund_reason": (store, "requires_refund_reason", bool),
        "requires_https": (store, "requires_https", bool),
        "backs_off": (dispatcher, "backs_off", bool),
        "refuses_concurrent_calls": (sandbox, "refuses_concurrent_calls", bool),
        "is_disabled": (sandbox, "is_disabled", bool),
    }
    chosen = []
    for name, value in given.items():
        target, attribute, convert = places[name]
        chosen.append((target, attribute, convert(value)))
    for target, attribute, converted in chosen:
        setattr(target, attribute, converted)
    return {}


def _not_found_status(status: int) -> int:
    if status not in (400, 404):
        raise ValueError("what does not exist is answered 400 or 404")
    return status


def _json(status: int, body: Any) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return httpx.Response(status, headers=headers, content=msgspec.json.encode(body))
