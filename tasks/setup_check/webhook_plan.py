"""What must change at the webhook in UltraCart, said so that a person can agree to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tasks.errors import SetupError
from tasks.settings import Settings, require
from tasks.setup_check.checks import host_of
from tasks.setup_check.webhook_checks import VARIABLE, parts_of, subscriptions_of
from tasks.ultracart.webhook_body import EXPANSIONS
from tasks.ultracart.webhook_registration import (
    Receiving,
    Registration,
    find_registration,
    wish_registration,
)

NOTHING = "—"
PASSWORD = "ULTRATHIIO_RECEIVER__PASSWORD"  # noqa: S105  # its name, which is all that is ever shown of it


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what it is about, what is there, and what will be."""

    what: str
    is_now: str
    will_be: str


@dataclass(frozen=True, slots=True)
class WebhookPlan:
    """The webhook that was found, if any, the object to send for it, and the difference in words."""

    found: Registration | None
    wished: dict[str, Any]
    changes: tuple[Change, ...]


def plan_webhook(settings: Settings, registrations: Iterable[Registration]) -> WebhookPlan:
    """Compare the webhook with what the guide and the settings want; without changes all is well.

    Raises `SetupError` that names the setting without which nobody can tell.
    """
    receiving = receiving_of(settings)
    found = find_registration(receiving.url, registrations)
    return WebhookPlan(found, wish_registration(found, receiving), _changes(found, receiving))


def receiving_of(settings: Settings) -> Receiving:
    """Give where we take webhooks; raises `SetupError` if a setting of it is empty or no address."""
    url = require(settings.ultracart.webhook_url.strip(), "ultracart", "webhook_url")
    try:
        is_address = urlsplit(url).scheme in ("http", "https") and host_of(url) != "?"
    except ValueError:
        is_address = False
    if not is_address:
        raise SetupError(f"{VARIABLE} is no address. Write it as https://<your host>/webhooks/ultracart.")
    return Receiving(
        url=url,
        username=require(settings.receiver.username, "receiver", "username"),
        password=require(settings.receiver.password, "receiver", "password"),
    )


def _changes(found: Registration | None, receiving: Receiving) -> tuple[Change, ...]:
    wished_sign_in = f"Basic as {receiving.username}, with {PASSWORD}"
    if found is None:
        return (
            Change("address", "no webhook is registered", _shown(receiving.url)),
            Change("sign-in", NOTHING, wished_sign_in),
            *(Change(f"event {name}", NOTHING, parts) for name, parts in EXPANSIONS.items()),
        )
    changes = [
        _address_change(found, receiving),
        Change("state", "disabled", "enabled") if found.webhook.disabled else None,
        _sign_in_change(found, receiving, wished_sign_in),
        *(_event_change(found, name) for name in EXPANSIONS),
    ]
    return tuple(change for change in changes if change is not None)


def _address_change(found: Registration, receiving: Receiving) -> Change | None:
    registered = found.webhook.webhook_url or ""
    if registered == receiving.url:
        return None
    is_now = f"{_shown(registered)}, spelled otherwise"
    return Change("address", is_now, f"{_shown(receiving.url)}, as {VARIABLE}")


def _sign_in_change(found: Registration, receiving: Receiving, wished: str) -> Change | None:
    kind = found.webhook.authentication_type or "none"
    if kind != "basic":
        return Change("sign-in", kind, wished)
    if found.webhook.basic_username != receiving.username:
        return Change("sign-in", "Basic, as another user", wished)
    if found.password not in (None, receiving.password):
        return Change("sign-in", f"Basic as {receiving.username}, with another password", wished)
    return None


def _event_change(found: Registration, name: str) -> Change | None:
    parts = subscriptions_of(found.webhook).get(name)
    if parts == parts_of(EXPANSIONS[name]):
        return None
    is_now = "not subscribed" if parts is None else ",".join(sorted(parts)) or "no expansions"
    return Change(f"event {name}", is_now, EXPANSIONS[name])


def _shown(url: str) -> str:
    """Show an address without its path, which may be a secret."""
    return f"{urlsplit(url).scheme}://{host_of(url)}/…"
