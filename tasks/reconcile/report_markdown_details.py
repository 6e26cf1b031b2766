"""What Prefect shows of the report's rates, course and changes, without anybody's personal data."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence

from tasks.reconcile.report import Report
from tasks.reconcile.report_chart import draw_png
from tasks.reconcile.report_details import Details
from tasks.reconcile.report_markup import escape, write_table
from tasks.reconcile.report_rates import list_rates
from tasks.reconcile.report_sections import tell_trend
from tasks.reconcile.report_trend import TrendDay
from tasks.reconcile.report_words import describe, show_sums, show_time

ROWS_SHOWN = 20


def render_details(report: Report, details: Details) -> list[str]:
    """Write the parts that stand between the report's numbers and its list of causes, in Markdown."""
    rates = [(rate.what, rate.share, rate.amount) for rate in list_rates(report, details)]
    parts = [
        ("## How far the systems agree", write_table(("of", "agrees", "that is"), rates)),
        ("## The last days", _draw_course(details.trend)),
        (
            "## Resolved since yesterday",
            write_table(("what", "UltraCart ID", "Thiio ID", "open since", "how"), _resolved(details)),
        ),
        (
            "## What holds phone orders back",
            write_table(("to put right", "orders", "money", "what to do"), _lacks(details)),
        ),
        ("## By gateway", write_table(("gateway", "orders", "mismatches", "money"), _gateways(details))),
        ("## By item", write_table(("item", "name", "orders", "mismatches"), _items(details))),
        ("## How old", write_table(("open for", "mismatches", "money"), _ages(details))),
    ]
    return [text for part in parts if part[1] not in ("", "None.") for text in part]


def _draw_course(trend: Sequence[TrendDay]) -> str:
    told = escape(tell_trend(trend))
    if len(trend) < 2:
        return told
    # Both of Prefect's user interfaces show an image that stands in the text itself; it needs no address.
    image = b64encode(draw_png(trend)).decode()
    return f"![{told}](data:image/png;base64,{image})\n\n{told}"


def _resolved(details: Details) -> Iterator[tuple[str, ...]]:
    for row, _, how in details.changes.resolved[:ROWS_SHOWN]:
        what = describe(row.entity, row.kind, row.field)
        yield what, row.ultracart_id or "–", row.thiio_id or "–", show_time(row.first_seen_at), how


def _lacks(details: Details) -> Iterator[tuple[str, ...]]:
    for lack in details.lacks[:ROWS_SHOWN]:
        yield lack.name, f"{lack.orders:,}", show_sums(lack.cents), lack.remedy


def _gateways(details: Details) -> Iterator[tuple[str, ...]]:
    for share in details.gateways:
        name = share.id or "no gateway"
        yield name, f"{share.orders:,}", f"{share.mismatches:,}", show_sums(share.cents)


def _items(details: Details) -> Iterator[tuple[str, ...]]:
    for share in details.items:
        yield share.id or "without item ID", share.name or "–", f"{share.orders:,}", f"{share.mismatches:,}"


def _ages(details: Details) -> Iterator[tuple[str, ...]]:
    for age in details.changes.ages:
        if age.count:
            yield age.label, f"{age.count:,}", show_sums(age.cents)
