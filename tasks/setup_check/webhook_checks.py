"""Checks of the webhook by which UltraCart tells us of its events."""

from __future__ import annotations

from tasks.errors import UltraThiioError
from tasks.settings import ReceiverSettings, Settings
from tasks.setup_check import pages
from tasks.setup_check.checks import Check, failed, first_few, host_of, ok, unknown, warning
from tasks.setup_check.delivery_checks import DELIVERIES, check_deliveries
from tasks.setup_check.ultracart_findings import UltraCartFindings, webhooks_at
from tasks.ultracart import wire
from tasks.ultracart.webhook_body import EXPANSIONS

VARIABLE = "ULTRATHIIO_ULTRACART__WEBHOOK_URL"
REGISTERED, ENABLED, SIGN_IN, EVENTS, PARTS = (
    "Webhook: registered",
    "Webhook: enabled",
    "Webhook: sign-in",
    "Webhook: events",
    "Webhook: expansions",
)
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
REGISTER = (
    f"Register that address by ultrathiio check --fix or at {pages.WEBHOOKS}, or correct {VARIABLE}. A key "
    "sees only the webhooks of its own application: one that was registered otherwise does not show here."
)
OR_FIX = "Or run: ultrathiio check --fix"
WITHOUT_EFFECT = {name: {"customer_profile"} for name in EXPANSIONS if name.startswith("customer_")}
"""A customer has no such part: the guide names it, UltraCart ignores it."""


def check_webhook(settings: Settings, findings: UltraCartFindings) -> list[Check]:
    """Check that the webhook of the guide is there as the guide wants it, and that it delivers."""
    if isinstance(findings.webhooks, UltraThiioError):
        until = "UltraCart's webhooks can be read"
        rest = (REGISTERED, ENABLED, SIGN_IN, EVENTS, PARTS, DELIVERIES)
        return [unknown(name, until, "See the line Permission: webhooks.") for name in rest]
    ours = webhooks_at(settings.ultracart.webhook_url, findings.webhooks)
    registered = check_registered(settings.ultracart.webhook_url, ours, findings.webhooks)
    if not ours:
        until, see = "the webhook is registered", f"See the line {REGISTERED}."
        return [
            registered,
            *(unknown(name, until, see) for name in (ENABLED, SIGN_IN, EVENTS, PARTS, DELIVERIES)),
        ]
    return [
        registered,
        check_enabled(ours[0]),
        check_sign_in(ours[0], settings.receiver),
        check_events(ours[0]),
        check_expansions(ours[0]),
        check_deliveries(ours[0], findings.deliveries),
    ]


def check_registered(url: str, ours: list[wire.Webhook], every: list[wire.Webhook]) -> Check:
    """Check that one webhook delivers to our address; of other addresses only the host is shown."""
    if not url:
        remedy = f"Set it to the public address of the receiver, as registered at {pages.WEBHOOKS}."
        return failed(REGISTERED, f"{VARIABLE} is empty.", remedy)
    if not ours:
        hosts = first_few(sorted({host_of(each.webhook_url) for each in every})) or "none"
        found = f"No webhook delivers to {VARIABLE}. The key sees webhooks to these hosts: {hosts}."
        return failed(REGISTERED, found, REGISTER)
    if len(ours) > 1:
        found = f"{len(ours)} webhooks deliver to our address, so each event comes {len(ours)} times."
        return warning(REGISTERED, found, f"Delete all but one of them at {pages.WEBHOOKS}.")
    if not url.strip().startswith("https:") and host_of(url) not in LOOPBACK:
        remedy = f"Put the receiver behind HTTPS; change the address at {pages.WEBHOOKS} and in {VARIABLE}."
        return warning(REGISTERED, "The webhook delivers without encryption, its password included.", remedy)
    return ok(REGISTERED, f"Webhook {ours[0].webhook_oid} delivers to {VARIABLE}.")


def check_enabled(webhook: wire.Webhook) -> Check:
    """Check that UltraCart has not switched the webhook off, as it does after many failures."""
    if webhook.disabled:
        remedy = (
            f"See that the receiver runs (GET /ready), then enable the webhook at {pages.WEBHOOKS}. {OR_FIX}"
        )
        return failed(ENABLED, f"It is disabled, after {webhook.consecutive_failures} failures.", remedy)
    return ok(ENABLED, "It is enabled.")


def check_sign_in(webhook: wire.Webhook, receiver: ReceiverSettings) -> Check:
    """Check that the webhook signs in as the receiver expects; whether its password fits, deliveries tell."""
    remedy = (
        f"Choose Basic at {pages.WEBHOOKS}, with ULTRATHIIO_RECEIVER__USERNAME and its password. {OR_FIX}"
    )
    if webhook.authentication_type != "basic":
        return failed(SIGN_IN, f"Its authentication is {webhook.authentication_type or 'none'}.", remedy)
    if not receiver.username:
        until = "ULTRATHIIO_RECEIVER__USERNAME is set"
        return unknown(SIGN_IN, until, "See the line Receiver's credentials.")
    if webhook.basic_username != receiver.username:
        return failed(SIGN_IN, "Its user name is not ULTRATHIIO_RECEIVER__USERNAME.", remedy)
    return ok(SIGN_IN, f"It signs in as {receiver.username}.")


def check_events(webhook: wire.Webhook) -> Check:
    """Check that the webhook is subscribed to all events of the guide."""
    missing = sorted(EXPANSIONS.keys() - subscriptions_of(webhook).keys())
    if missing:
        remedy = f"Tick {', '.join(missing)} on the webhook at {pages.WEBHOOKS}. {OR_FIX}"
        return failed(EVENTS, f"Not subscribed: {', '.join(missing)}.", remedy)
    return ok(EVENTS, f"Subscribed: {', '.join(EXPANSIONS)}.")


def check_expansions(webhook: wire.Webhook) -> Check:
    """Check that each event brings the parts of the guide: without one, a field is never compared."""
    given = {name: parts for name, parts in subscriptions_of(webhook).items() if name in EXPANSIONS}
    if not given:
        return unknown(PARTS, "an event is subscribed", f"See the line {EVENTS}.")
    differing = {name: parts for name, parts in given.items() if parts != parts_of(EXPANSIONS[name])}
    if not differing:
        return ok(PARTS, "Each event brings the parts that the guide names.")
    found = "; ".join(_difference(name, parts) for name, parts in differing.items()) + "."
    remedy = (
        f"Edit the expansions of the webhook at {pages.WEBHOOKS}: add what an event lacks, take out what it "
        f"also brings. {OR_FIX}"
    )
    is_lacking = any(
        _lacking(name, parts) - WITHOUT_EFFECT.get(name, set()) for name, parts in differing.items()
    )
    return failed(PARTS, found, remedy) if is_lacking else warning(PARTS, found, remedy)


def subscriptions_of(webhook: wire.Webhook) -> dict[str, set[str]]:
    """Give the events that a webhook is subscribed to, each with the parts that it brings."""
    return {
        event.event_name: parts_of(event.expansion or "")
        for category in webhook.event_categories
        for event in category.events
        if event.subscribed
    }


def parts_of(expansion: str) -> set[str]:
    """Take an expansion apart: the order of its parts means nothing."""
    return {part.strip() for part in expansion.split(",") if part.strip()}


def _lacking(name: str, parts: set[str]) -> set[str]:
    return parts_of(EXPANSIONS[name]) - parts


def _difference(name: str, parts: set[str]) -> str:
    told = [
        f"{verb} {', '.join(sorted(differing))}"
        for verb, differing in (
            ("lacks", _lacking(name, parts)),
            ("also brings", parts - parts_of(EXPANSIONS[name])),
        )
        if differing
    ]
    return f"{name} {' and '.join(told)}"
