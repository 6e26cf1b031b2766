"""Check of what UltraCart's log says about its deliveries to us."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.errors import UltraThiioError
from tasks.setup_check import pages
from tasks.setup_check.checks import Check, failed, ok, unknown, warning
from tasks.ultracart import wire

DELIVERIES = "Webhook: deliveries"
LOG = f"Open the log of the webhook at {pages.WEBHOOKS}"
PASSWORD = (
    "Enter ULTRATHIIO_RECEIVER__USERNAME and ULTRATHIIO_RECEIVER__PASSWORD once more on the webhook at "
    f"{pages.WEBHOOKS}."
)
REMEDIES = {
    401: PASSWORD,
    403: PASSWORD,
    404: "Check the path of ULTRATHIIO_ULTRACART__WEBHOOK_URL: the receiver answers at /webhooks/ultracart.",
    413: "Raise ULTRATHIIO_RECEIVER__MAX_BODY_BYTES, or lower the maximum size of the webhook.",
    503: "Check ULTRATHIIO_DATABASE_URL on the receiver: it cannot store what is delivered.",
}
"""What the receiver's answer means for its operator."""
NO_ANSWER = (
    "Start the receiver (ultrathiio receiver), and see that the internet reaches it at "
    "ULTRATHIIO_ULTRACART__WEBHOOK_URL within 30 seconds."
)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def check_deliveries(
    webhook: wire.Webhook, deliveries: list[wire.WebhookLogSummary] | UltraThiioError | None
) -> Check:
    """Check that deliveries arrive: none failed lately, and the last one was taken."""
    if deliveries is None:
        return unknown(DELIVERIES, "the webhook is enabled", "See the line Webhook: enabled.")
    if isinstance(deliveries, UltraThiioError):
        return unknown(DELIVERIES, "the webhook's log can be read", f"{LOG} in UltraCart. {deliveries}")
    if not deliveries:
        return _nothing_delivered(webhook)
    last = max(deliveries, key=lambda delivery: delivery.delivery_dts or LONG_AGO)
    failures = [delivery for delivery in deliveries if not delivery.success]
    counted = f"{len(failures)} of {len(deliveries)} recent deliveries failed"
    if not last.success:
        return failed(DELIVERIES, f"{counted}, the last one with {_answer(last)}.", _remedy(last))
    if failures:
        remedy = f"{LOG}: UltraCart sends failed deliveries again. If more fail: {_remedy(failures[0])}"
        return warning(
            DELIVERIES, f"{counted}, one with {_answer(failures[0])}; the last one was taken.", remedy
        )
    return ok(DELIVERIES, f"All of {len(deliveries)} recent deliveries were taken.")


def _nothing_delivered(webhook: wire.Webhook) -> Check:
    if webhook.consecutive_failures:
        found = f"The last {webhook.consecutive_failures} deliveries failed."
        return failed(DELIVERIES, found, f"{LOG} to see why. {NO_ANSWER}")
    until = "UltraCart has delivered something within a day"
    return unknown(DELIVERIES, until, f"{LOG} and press its test button, or wait for an order.")


def _answer(delivery: wire.WebhookLogSummary) -> str:
    return f"answer {delivery.status_code}" if delivery.status_code else "no answer"


def _remedy(delivery: wire.WebhookLogSummary) -> str:
    if not delivery.status_code:
        return NO_ANSWER
    return REMEDIES.get(delivery.status_code, f"{LOG}: it shows what the receiver answered.")
