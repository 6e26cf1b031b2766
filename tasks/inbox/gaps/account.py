"""The account of a search for lost webhooks: numbers, one answer, and a page in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.inbox.gaps.judge import Outcome, Recovery
from tasks.inbox.gaps.search import Findings
from tasks.inbox.gaps.words import (
    OF_CUSTOMERS,
    describe_answer,
    describe_back_off,
    describe_outcome,
    describe_switched_off,
    minute,
    number_of,
)
from tasks.ultracart.delivery_log import Delivery

ROWS = 200
"""Prefect shows an artifact of so many rows well; the notifications hold all."""
HEADER = (
    "| UltraCart sent it (UTC) | the answer it got | order | what became of it | UltraCart's request ID |\n"
    "| --- | --- | --- | --- | --- |"
)
ADVICE = (
    "Where nobody answered, or the answer was 400 or higher, the receiver was away or could not store: run "
    "`ultrathiio check`. Where 200 was answered and nothing reached the inbox, something else answers at the "
    "receiver's address, or our database was set back to an earlier state."
)


@dataclass(frozen=True, slots=True)
class Account:
    """What a search found and what became of it; `calls` are those that UltraCart was asked."""

    findings: Findings
    recoveries: Sequence[Recovery]
    calls: int

    @property
    def lost(self) -> list[Recovery]:
        """The orders of which something was lost indeed."""
        return [recovery for recovery in self.recoveries if recovery.outcome is not Outcome.KNOWN]

    def numbers(self) -> dict[str, int]:
        """Count deliveries and losses. `came_later` are failed tries whose events are in the inbox by now."""
        failed = [delivery for delivery in self.findings.deliveries if not delivery.is_taken]
        lost = {delivery for recovery in self.lost for delivery in recovery.order.deliveries}
        lost |= set(self.findings.losses.of_customers)
        return {
            "deliveries": len(self.findings.deliveries),
            "failed": len(failed),
            "came_later": sum(delivery not in lost for delivery in failed),
            "lost_orders": len(self.lost),
            "recovered": sum(recovery.outcome is Outcome.RECOVERED for recovery in self.lost),
            "gone": sum(recovery.outcome is Outcome.GONE for recovery in self.lost),
            "lost_customer_deliveries": len(self.findings.losses.of_customers),
            "calls": self.calls,
        }

    def is_alarm(self) -> bool:
        """Tell whether anything was lost."""
        return bool(self.lost or self.findings.losses.of_customers)

    def answer(self) -> str:
        """Say in a sentence whether anything was lost."""
        numbers = self.numbers()
        since = f"since {minute(self.findings.window.start)} UTC"
        orders = number_of(numbers["lost_orders"], "order")
        customers = f"{number_of(numbers['lost_customer_deliveries'], 'delivery')} of customers' events"
        if not self.is_alarm():
            return f"Nothing was lost {since}: {number_of(numbers['deliveries'], 'delivery')} looked at."
        if not self.findings.losses.of_customers:
            return f"Lost on the way {since}: {orders}, {numbers['recovered']} of them recovered."
        return (
            f"Lost on the way {since}: {orders}, {numbers['recovered']} of them recovered, and {customers}."
        )

    def failures(self) -> list[str]:
        """Give what somebody must put right before anything can arrive again."""
        trouble = describe_switched_off(self.findings.webhook)
        return [] if trouble is None else [f"{trouble}. {self.answer().rstrip('.')}"]

    def markdown(self) -> str:
        """Write the artifact `lost-webhooks`."""
        webhook = self.findings.webhook
        trouble = describe_switched_off(webhook) or describe_back_off(webhook)
        rows = [*_order_rows(self.lost), *_customer_rows(self.findings.losses.of_customers)]
        table = [] if not rows else ["\n".join([HEADER, *rows[:ROWS]]), *_more(len(rows)), ADVICE]
        totals = "\n".join(f"- {line}" for line in self._totals())
        parts = ["# Lost webhooks", f"**{self.answer()}**", *([f"> **{trouble}.**"] if trouble else [])]
        return "\n\n".join([*parts, *table, totals]) + "\n"

    def _totals(self) -> Iterator[str]:
        numbers, window = self.numbers(), self.findings.window
        customers = number_of(numbers["lost_customer_deliveries"], "delivery")
        yield (
            f"Webhook {self.findings.webhook.oid}: {number_of(numbers['deliveries'], 'delivery')} looked at, "
            f"sent from {minute(window.start)} to {minute(window.end)} UTC. Younger ones wait for the next "
            "run, since UltraCart may send them again."
        )
        yield (
            f"{number_of(numbers['failed'], 'try')} failed; what {numbers['came_later']} of them held is in "
            "the inbox by now."
        )
        yield (
            f"{number_of(numbers['lost_orders'], 'order')} lost, {numbers['recovered']} recovered, "
            f"{numbers['gone']} not known to UltraCart any more."
        )
        yield (
            f"{customers} of nothing but customers' events lost. {OF_CUSTOMERS} "
            "So it does with customers whose events were lost together with an order's."
        )
        yield f"{number_of(self.calls, 'call')} to UltraCart."


def _order_rows(lost: Sequence[Recovery]) -> Iterator[str]:
    for recovery in lost:
        yield _row(recovery.order.deliveries, recovery.order.order_id, describe_outcome(recovery))


def _customer_rows(deliveries: Sequence[Delivery]) -> Iterator[str]:
    for delivery in deliveries:
        yield _row([delivery], "customers", OF_CUSTOMERS)


def _row(deliveries: Sequence[Delivery], what: str, became: str) -> str:
    last = deliveries[-1]
    tries = "" if len(deliveries) == 1 else f" ({len(deliveries)} tries)"
    cells = (f"{minute(last.sent_at)}{tries}", describe_answer(last), what, became, last.request_id)
    return f"| {' | '.join(cell.replace('|', ' ') for cell in cells)} |"


def _more(count: int) -> list[str]:
    return [] if count <= ROWS else [f"… and {count - ROWS} more: see the notifications *webhook lost*."]
