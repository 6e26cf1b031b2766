"""What the report tells beyond the state of the ledger: its rates, its changes, its places, its course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from tasks.reconcile.report import Report
from tasks.reconcile.report_breakdown import Share, read_gateways, read_items
from tasks.reconcile.report_changes import Changes, read_changes
from tasks.reconcile.report_held import Lack, list_lacks
from tasks.reconcile.report_money import MoneyAgreement, read_money
from tasks.reconcile.report_trend import TrendDay, read_trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """All of it, read at the moment of the report."""

    money: Sequence[MoneyAgreement]
    changes: Changes
    gateways: Sequence[Share]
    items: Sequence[Share]
    lacks: Sequence[Lack]
    trend: Sequence[TrendDay]


def read_details(connection: Connection, report: Report) -> Details:
    """Read what goes with a report, in the same transaction."""
    return Details(
        money=read_money(connection),
        changes=read_changes(connection, report.now),
        gateways=read_gateways(connection),
        items=read_items(connection),
        lacks=list_lacks(report.pushes),
        trend=read_trend(connection, report.now),
    )
