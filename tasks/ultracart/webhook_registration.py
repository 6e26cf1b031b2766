"""The webhook's registration at UltraCart, whole, and what it must be for us.

UltraCart takes back the whole object that it gave, with changes (vendor's sample update_webhook.py): so what
we do not know of it is kept as it came. A new one is made as in the vendor's sample insertWebhook.php.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tasks.errors import RemoteChanged
from tasks.ultracart import wire
from tasks.ultracart.client import API_VERSION, UltraCartClient
from tasks.ultracart.envelopes import ListKind, WebhooksPage
from tasks.ultracart.webhook_body import EXPANSIONS

PATH = "/webhook/webhooks"
DEFAULT_PORTS = frozenset({None, 80, 443})
MASKS = frozenset("*•")
CATEGORIES = ("customer", "order")
"""The categories of our events; an event's name begins with its category."""
NEW: dict[str, Any] = {
    "name": "ultrathiio",
    "api_version": API_VERSION,
    "compress_events": False,
    "maximum_events": 10,
    "maximum_size": 921_600,
}
"""The documented bounds: 10 events are the fewest, 900 KB the most that UltraCart sends at once."""

RawObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Registration:
    """A webhook: `raw` as UltraCart gave it, with its password, and what we read of it."""

    raw: RawObject
    webhook: wire.Webhook

    @property
    def password(self) -> str | None:
        """Give the password that it signs in with; None if UltraCart shows none, or a mask."""
        shown = self.raw.get("basic_password")
        return shown if isinstance(shown, str) and set(shown) - MASKS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """Where we take webhooks, and with which credentials."""

    url: str
    username: str
    password: str


REGISTRATIONS = ListKind(
    WebhooksPage[msgspec.Raw], WebhooksPage[RawObject], RawObject, lambda raw: raw.get("webhook_oid")
)
"""The list of webhooks, each whole."""


def list_registrations(client: UltraCartClient) -> list[Registration]:
    """Give the webhooks that this key's application registered, each whole."""
    # The client's own paging: a second way through UltraCart's lists would have to be kept in step.
    pages = client._list(PATH, REGISTRATIONS)
    return [_read(raw) for page in pages for raw in page]


def find_registration(url: str, registrations: Iterable[Registration]) -> Registration | None:
    """Give the webhook that delivers to an address, or to another spelling of it; an enabled one first.

    Scheme, default port, letter case of the host, closing slash and query are spelling: such a webhook was
    meant for us and is repaired. Another path or port may be another receiver.
    """
    wanted = _address(url)
    same = [each for each in registrations if wanted and _address(each.webhook.webhook_url) == wanted]
    return min(
        same,
        key=lambda each: ((each.webhook.webhook_url or "").strip() != url.strip(), each.webhook.disabled),
        default=None,
    )


def wish_registration(found: Registration | None, receiving: Receiving) -> RawObject:
    """Give the object to send: the one that was found, or a new one, as the guide wants it for us.

    Events that somebody else subscribed stay, and so does every key that we do not know.
    """
    base = NEW if found is None else found.raw
    return {
        **base,
        "webhook_url": receiving.url,
        "authentication_type": "basic",
        "basic_username": receiving.username,
        "basic_password": receiving.password,
        "disabled": False,
        "event_categories": _subscribe(base.get("event_categories") or []),
    }


def _read(raw: RawObject) -> Registration:
    try:
        return Registration(raw, msgspec.convert(raw, wire.Webhook))
    except msgspec.ValidationError as error:
        raise RemoteChanged(
            f"UltraCart's answer to {PATH} is not as documented: {error}. Compare it with the notification "
            "log; tasks/ultracart/wire.py names what is read.",
            system="ultracart",
        ) from error


def _address(url: str | None) -> tuple[str, int | None, str] | None:
    try:
        parts = urlsplit((url or "").strip())
        port = None if parts.port in DEFAULT_PORTS else parts.port
    except ValueError:
        return None
    return (parts.hostname, port, parts.path.rstrip("/")) if parts.hostname else None


def _subscribe(categories: list[RawObject]) -> list[RawObject]:
    listed = {event.get("event_name") for category in categories for event in category.get("events") or ()}
    missing = [name for name in EXPANSIONS if name not in listed]
    present = {category.get("event_category") for category in categories}
    added: list[RawObject] = [
        {"event_category": name} for name in CATEGORIES if name not in present and _of_category(name, missing)
    ]
    return [_subscribe_in(category, missing) for category in [*categories, *added]]


def _subscribe_in(category: RawObject, missing: list[str]) -> RawObject:
    added = [{"event_name": name} for name in _of_category(category.get("event_category"), missing)]
    events = [*(category.get("events") or ()), *added]
    if not any(event.get("event_name") in EXPANSIONS for event in events):
        return category
    return {**category, "any_subscribed": True, "events": [_subscribe_event(event) for event in events]}


def _of_category(category: str | None, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(f"{category}_")]


def _subscribe_event(event: RawObject) -> RawObject:
    name = event.get("event_name")
    return {**event, "subscribed": True, "expansion": EXPANSIONS[name]} if name in EXPANSIONS else event
