"""Which products and gateways keep phone orders back, and how many orders wait for each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tasks.reconcile.report_waiting import WaitingPush

HELD = "held"
SUBJECT = re.compile(
    r"(?:^|(?<=\. ))(?P<kind>Product|Gateway) (?P<id>\S+) \(.*?\)(?: \[.*?\])? (?:has|names|fits|carries)\b"
)
"""How `tasks.push.mapping` begins the reason that a product or a gateway gives; a test holds it to that."""
SENTENCE = re.compile(r"(?<=\.) ")
OTHER = ""


@dataclass(slots=True)
class Lack:
    """One thing to put right, and what waits for it. `kind`: Product, Gateway, or "" for the order itself.

    `cents` sums up the totals of the held orders, by currency; an order that waits for two things counts
    for both.
    """

    kind: str
    id: str
    what: str
    remedy: str
    since: datetime
    orders: int = 0
    cents: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """Name it as people do: Product 305."""
        return f"{self.kind} {self.id}" if self.kind else "The order itself"


def list_lacks(pushes: Iterable[WaitingPush]) -> Sequence[Lack]:
    """Sum up held pushes by the product or gateway to put right, those with most orders first."""
    lacks: dict[tuple[str, str], Lack] = {}
    for push in pushes:
        if push.state != HELD:
            continue
        for kind, id, what in _read_reason(push.reason or ""):
            lack = lacks.setdefault(
                (kind, id), Lack(kind, id, what, _remedy(push, kind, id), push.planned_at)
            )
            lack.orders += 1
            lack.since = min(lack.since, push.planned_at)
            if push.total_cents is not None:
                lack.cents[push.currency or "USD"] += push.total_cents
    return sorted(lacks.values(), key=lambda lack: (lack.kind == OTHER, -lack.orders, lack.kind, lack.id))


def _read_reason(reason: str) -> Iterator[tuple[str, str, str]]:
    found = list(SUBJECT.finditer(reason))
    starts = [match.start() for match in found]
    named = {
        (match["kind"], match["id"]): reason[start:end].strip()
        for match, start, end in zip(found, starts, [*starts[1:], len(reason)], strict=False)
    }
    for (kind, id), what in named.items():
        yield kind, id, what
    if not named:
        yield OTHER, "", "Something in the order itself; see the reason of each below."


def _remedy(push: WaitingPush, kind: str, id: str) -> str:
    if kind == OTHER:
        return "See what to do for each."
    name = re.compile(rf"\b{kind.lower()} {re.escape(id)}(?!\w)", re.IGNORECASE)
    sentences = SENTENCE.split(push.remedy or "")
    return next((sentence for sentence in sentences if name.search(sentence)), push.remedy or "–")
