"""Checks of the UltraCart account: does it answer, does it take the key, whose data is it, who may import."""

from __future__ import annotations

from tasks.errors import (
    CredentialsRefused,
    RemoteError,
    RemoteRefused,
    RemoteUnavailable,
    SetupError,
    UltraThiioError,
)
from tasks.settings import UltraCartSettings
from tasks.setup_check import pages
from tasks.setup_check.checks import (
    Check,
    CheckStatus,
    failed,
    first_few,
    host_of,
    ok,
    split_message,
    unknown,
    warning,
)
from tasks.setup_check.ultracart_findings import UltraCartFindings

PERMISSIONS = {
    "orders": "Order",
    "customers": "Customer",
    "items": "Item",
    "webhooks": "Webhook",
    "channel partners": "Channel Partner",
}
"""What is read → the box to tick. Which one the list of gateways needs is not published."""
FROM_ORDERS = "Gateway codes are taken from stored orders instead."
ASK_FOR_GATEWAYS = (
    f"Ask UltraCart's support which box at {pages.KEYS} opens /fraud/lookup_values, and tick it."
)
LATER = "If it lasts, see the line UltraCart answers; then run again: ultrathiio check"


def check_account(settings: UltraCartSettings, findings: UltraCartFindings) -> list[Check]:
    """Check the account itself, from the connection to the channel partner."""
    readings = _readings(findings)
    answers = check_answers(settings, readings)
    key = check_key(readings, does_answer=answers.status is CheckStatus.OK)
    is_good = key.status is CheckStatus.OK
    permissions = [check_permission(what, reading, is_good) for what, reading in readings.items()]
    merchant, partner = check_merchant(settings, findings), check_partner(settings, findings)
    return [answers, key, *permissions, merchant, partner]


def _readings(findings: UltraCartFindings) -> dict[str, object]:
    return {
        "orders": findings.orders,
        "customers": findings.customers,
        "items": findings.items,
        "webhooks": findings.webhooks,
        "channel partners": findings.partners,
        "gateways": findings.gateways,
    }


def check_answers(settings: UltraCartSettings, readings: dict[str, object]) -> Check:
    """Check that what stands at the base URL is UltraCart, and that it has time for us."""
    name = "UltraCart answers"
    errors = _errors(readings)
    if len(errors) < len(readings) or any(map(_is_ultracarts_own, errors)):
        return ok(name, f"{host_of(settings.base_url)} answers.")
    if isinstance(errors[0], SetupError):
        return unknown(name, "there is a key to ask with", "See the line API key.")
    is_used_up = isinstance(errors[0], RemoteError) and errors[0].status == 429
    remedy = (
        "Wait an hour, and give this key to nothing else: UltraCart takes 1,000 calls an hour, one at a time."
        if is_used_up
        else "Check ULTRATHIIO_ULTRACART__BASE_URL, and that this machine reaches it. If both are right, "
        "UltraCart has trouble of its own: run again later: ultrathiio check"
    )
    return failed(name, str(errors[0]), remedy)


def check_key(readings: dict[str, object], *, does_answer: bool) -> Check:
    """Check that UltraCart takes the key for at least one call."""
    name = "API key"
    errors = _errors(readings)
    if len(errors) < len(readings):
        return ok(name, "UltraCart accepts the key.")
    refusal = next((error for error in errors if isinstance(error, SetupError)), errors[0])
    if not does_answer and not isinstance(refusal, SetupError):
        return unknown(name, "UltraCart answers", "See the line UltraCart answers.")
    is_disabled = isinstance(refusal, RemoteError) and refusal.status == 410
    remedy = (
        "Ask UltraCart's support why it disabled the application of this key, or make another key."
        if is_disabled
        else f"Set ULTRATHIIO_ULTRACART__SIMPLE_KEY to the simple key of {pages.KEYS}. If that key is bound "
        "to IP addresses, this machine's must be among them."
    )
    return failed(name, split_message(refusal)[0], remedy)


def check_permission(what: str, reading: object, is_key_good: bool) -> Check:
    """Check that the key may read one kind of thing."""
    name = f"Permission: {what}"
    match reading:
        case RemoteUnavailable():
            return unknown(name, f"UltraCart answers ({split_message(reading)[0].rstrip('.')})", LATER)
        case UltraThiioError() if not is_key_good:
            return unknown(name, "UltraCart accepts the key", "See the line API key.")
        case CredentialsRefused() | RemoteRefused() if what not in PERMISSIONS:
            return warning(name, f"{split_message(reading)[0]} {FROM_ORDERS}", ASK_FOR_GATEWAYS)
        case CredentialsRefused():
            remedy = f"Tick read for {PERMISSIONS[what]} on the key at {pages.KEYS}."
            return failed(name, split_message(reading)[0], remedy)
        case UltraThiioError():
            remedy = "Read UltraCart's answer in the notification log, and show it to UltraCart's support."
            return failed(name, str(reading), remedy)
    return ok(name, f"The key may read {what}.")


def check_merchant(settings: UltraCartSettings, findings: UltraCartFindings) -> Check:
    """Check that the data behind the key is that of the merchant in the settings."""
    name = "Merchant ID"
    seen = merchants_of(findings)
    if seen == [settings.merchant_id]:
        return ok(name, f"The data is that of merchant {settings.merchant_id}.")
    if seen:
        wanted = settings.merchant_id or "no merchant"
        other = f", or take a key of merchant {settings.merchant_id}" if settings.merchant_id else ""
        return failed(
            name,
            f"The data is that of merchant {first_few(seen)}; the settings name {wanted}.",
            f"Set ULTRATHIIO_ULTRACART__MERCHANT_ID={seen[0]}{other}.",
        )
    if not settings.merchant_id:
        remedy = "Set it to the merchant ID, which UltraCart shows at the top right of every page."
        return failed(name, "ULTRATHIIO_ULTRACART__MERCHANT_ID is empty.", remedy)
    return unknown(name, "an item or an order can be read", "See the lines Permission: items and orders.")


def merchants_of(findings: UltraCartFindings) -> list[str]:
    """Name the merchants that items carry; without items, those that order ids begin with.

    That an order id begins with the merchant ID is seen in all recorded calls, and promised nowhere.
    """
    items = [] if isinstance(findings.items, UltraThiioError) else findings.items
    orders = [] if isinstance(findings.orders, UltraThiioError) else findings.orders
    carried = {item.merchant_id for item in items if item.merchant_id}
    begun = {order.order_id.partition("-")[0] for order in orders if "-" in order.order_id}
    return sorted(carried or begun)


def check_partner(settings: UltraCartSettings, findings: UltraCartFindings) -> Check:
    """Check that the channel partner under which orders are imported exists and is active."""
    name, variable = "Channel partner", "ULTRATHIIO_ULTRACART__CHANNEL_PARTNER_CODE"
    code = settings.channel_partner_code
    correct = f"Set {variable} to the code of the partner that has this key, at {pages.PARTNERS}."
    if not code:
        return failed(name, f"{variable} is empty.", correct)
    if isinstance(findings.partners, UltraThiioError):
        until = "the channel partners can be read"
        return unknown(name, until, "See the line Permission: channel partners.")
    partner = next((each for each in findings.partners if each.code == code), None)
    if partner is None:
        others = first_few([each.code for each in findings.partners]) or "none"
        return failed(name, f"UltraCart has no channel partner {code}; it has {others}.", correct)
    if partner.inactive:
        return failed(name, f"Channel partner {code} is inactive.", f"Activate it at {pages.PARTNERS}.")
    return ok(name, f"{code} is active; that the key may import under it shows with the first push.")


def _errors(readings: dict[str, object]) -> list[UltraThiioError]:
    return [reading for reading in readings.values() if isinstance(reading, UltraThiioError)]


def _is_ultracarts_own(error: UltraThiioError) -> bool:
    """Tell whether an error is a refusal that UltraCart documents; a 404 is another server or path."""
    refused = isinstance(error, RemoteRefused) and error.status in (200, 400)
    return refused or isinstance(error, CredentialsRefused)
