"""Sentences about a lost delivery, for the people of the shop: in notifications, logs and the account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tasks.inbox.gaps.judge import Outcome, Recovery
from tasks.ultracart.delivery_log import Delivery, WebhookStanding

OF_CUSTOMERS = (
    "UltraCart's log does not say which customers these were; pull-records finds them by the date of their "
    "last change."
)
OUTCOMES = {
    Outcome.RECOVERED: "Read again from UltraCart; it waits in the inbox as {events}.",
    Outcome.UNREADABLE: "Read again, but nobody can read what came: the inbox keeps it as a dead letter.",
    Outcome.GONE: "UltraCart does not know this order any more. If Thiio has it, close it there by hand.",
    Outcome.KNOWN: "The same news came another way.",
    Outcome.NOT_READ: "Not read again: this run only looked.",
}


def describe_loss(deliveries: Sequence[Delivery]) -> str:
    """Say which delivery was lost: the last try, what it was to bring, and what it was answered."""
    last = deliveries[-1]
    tries = "" if len(deliveries) == 1 else f", the last of {len(deliveries)} tries"
    names = ", ".join(dict.fromkeys(last.event_names))
    return (
        f"UltraCart sent {names} at {minute(last.sent_at)} UTC (request {last.request_id}{tries}): "
        f"{describe_answer(last)}."
    )


def describe_answer(delivery: Delivery) -> str:
    """Say what UltraCart was answered."""
    if delivery.is_taken:
        return f"{delivery.status} was answered, but nothing reached the inbox"
    return "nobody answered" if delivery.status is None else f"{delivery.status} was answered"


def describe_outcome(recovery: Recovery) -> str:
    """Say what became of an order."""
    return OUTCOMES[recovery.outcome].format(events=" and ".join(recovery.event_names))


def describe_switched_off(webhook: WebhookStanding) -> str | None:
    """Say what it means that UltraCart delivers nothing any more; None if it does."""
    if not webhook.is_disabled:
        return None
    return (
        f"UltraCart has switched off webhook {webhook.oid} after {_in_a_row(webhook)}: nothing is delivered "
        "any more, and what happens in the shop now stands in no log. Make the receiver reachable and run "
        "`ultrathiio check --fix`; then the flow backfill, from the last delivery on, lists what is missing"
    )


def describe_back_off(webhook: WebhookStanding) -> str | None:
    """Say until when UltraCart holds deliveries back after failures; None if it does not."""
    if webhook.is_disabled or webhook.retry_after is None:
        return None
    return (
        f"UltraCart holds its deliveries back until {webhook.retry_after}, after {_in_a_row(webhook)}; "
        f"{number_of(webhook.pending, 'event')} in its queue. Run `ultrathiio check`: it tells whether the "
        "receiver can be reached"
    )


def _in_a_row(webhook: WebhookStanding) -> str:
    return f"{number_of(webhook.failures_in_a_row, 'failure')} in a row"


def minute(time: datetime) -> str:
    """Write a time of UTC without its seconds."""
    return f"{time:%Y-%m-%d %H:%M}"


def number_of(count: int, noun: str) -> str:
    """Write a count with its noun: 1 try, 2 tries, 3 orders."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
