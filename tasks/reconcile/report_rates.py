"""How far the two systems agree, as shares of all orders and of all money, and what those shares mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tasks.reconcile.report import Report
from tasks.reconcile.report_details import Details
from tasks.reconcile.report_words import show_share
from tasks.records.models import Entity
from tasks.records.money import to_major

ORDERS_MEANING = (
    "Of the orders that are linked, or missing on one side: those without an open mismatch of any field."
)
MONEY_MEANING = (
    "Of the totals of linked orders, as UltraCart tells them: those without an open mismatch of total or "
    "currency. Orders that are missing on one side are not in it."
)
IGNORED = "What a person ignores with a reason counts as agreeing."


class Rate(NamedTuple):
    """A share in words: "money in USD", "99.9 %", "746.00 of 747.10 USD agree", and of what it is a share."""

    what: str
    share: str
    amount: str
    meaning: str


def list_rates(report: Report, details: Details) -> list[Rate]:
    """Give the agreement of orders, then of money by currency; what is not known is left out."""
    return [*_orders(report), *_money(details)]


def _orders(report: Report) -> Iterator[Rate]:
    for standing in report.standings:
        if standing.entity == Entity.ORDER and standing.known:
            amount = f"{standing.agreeing:,} of {standing.known:,} agree"
            yield Rate("orders", show_share(standing.agreeing, standing.known), amount, ORDERS_MEANING)


def _money(details: Details) -> Iterator[Rate]:
    for money in details.money:
        if money.known > 0:
            agreeing, known = (to_major(cents, money.currency) for cents in (money.agreeing, money.known))
            amount = f"{agreeing:,} of {known:,} {money.currency} agree"
            share = show_share(money.agreeing, money.known)
            yield Rate(f"money in {money.currency}", share, amount, MONEY_MEANING)
