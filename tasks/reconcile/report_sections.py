"""The sections of the HTML report about rates, changes, places and the course of the last days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from tasks.reconcile.report import Report
from tasks.reconcile.report_breakdown import Share
from tasks.reconcile.report_changes import Changes
from tasks.reconcile.report_chart import draw_svg, make_charts
from tasks.reconcile.report_details import Details
from tasks.reconcile.report_held import Lack
from tasks.reconcile.report_links import Links, anchor
from tasks.reconcile.report_rates import IGNORED, MONEY_MEANING, ORDERS_MEANING, list_rates
from tasks.reconcile.report_rows import OpenRow
from tasks.reconcile.report_table import draw_section, draw_table, tell_rest
from tasks.reconcile.report_trend import TrendDay
from tasks.reconcile.report_words import count, describe, show_share, show_sums, show_time
from tasks.records.models import Side
from tasks.records.money import show_money

TOO_YOUNG = "A trend takes two days; this is the first day on which anything was compared."


def draw_rates(report: Report, details: Details) -> str:
    """Show the agreement of orders and of money as large numbers, and what they are shares of."""
    rates = list_rates(report, details)
    if not rates:
        return ""
    cells = "\n".join(
        f'<div title="{meaning}"><b>{share}</b> of {what}<small>{amount}</small></div>'
        for what, share, amount, meaning in (map(escape, rate) for rate in rates)
    )
    return (
        f"<div class=rates>\n{cells}\n</div>\n<details class=meaning><summary>What these shares are</summary>"
        f"<p>Orders: {ORDERS_MEANING}<br>Money: {MONEY_MEANING}<br>{IGNORED}</p></details>"
    )


def draw_changes(report: Report, changes: Changes, links: Links) -> str:
    """Show what is new and what was resolved in the last 24 hours."""
    new = _draw_rows("new", changes.new, links)
    labels = ("No.", "What", "UltraCart ID", "Thiio ID", "Open since", "Resolved", "How")
    rows = [
        (
            str(row.id),
            describe(row.entity, row.kind, row.field),
            *_ids(row, links),
            f"{row.first_seen_at:%Y-%m-%d}",
            show_time(closed_at),
            how,
        )
        for row, closed_at, how in changes.resolved
    ]
    resolved = draw_table("resolved", labels, rows, right=labels[:1], whole=labels[4:6], html=labels[2:4])
    return "".join(
        (
            draw_section("New since yesterday", new, tell_rest(report.new, len(changes.new))),
            draw_section("Resolved since yesterday", resolved, tell_rest(report.resolved, len(rows))),
        )
    )


def draw_old(report: Report, changes: Changes, links: Links) -> str:
    """Show how old the open mismatches are, and the oldest of them."""
    ages = [(age.label, f"{age.count:,}", show_sums(age.cents)) for age in changes.ages]
    labels = ("Open for", "Mismatches", "Money in disagreement")
    table = draw_table("ages", labels, ages if report.open else [], right=labels[1:])
    oldest = _draw_rows("oldest", changes.oldest, links)
    if oldest:
        rest = tell_rest(report.open - report.new, len(changes.oldest))
        table += f"\n<h3 class=under>The oldest</h3>\n{oldest}\n{rest}"
    return draw_section("What grows old", table)


def draw_trend(trend: Sequence[TrendDay]) -> str:
    """Show the last days as charts, with the numbers behind them; of a single day a sentence."""
    if not trend:
        return ""
    title = f"The last {len(trend)} days"
    if len(trend) == 1:
        return draw_section("The last days", f"<p>{TOO_YOUNG}</p>")
    days = [day.day for day in trend]
    charts = "\n".join(
        f"<figure>\n<figcaption>{escape(chart.title)} <b>{escape(chart.told)}</b></figcaption>\n"
        f"{draw_svg(chart, days)}\n</figure>"
        for chart in make_charts(trend)
    )
    rows = [
        (
            f"{day.day}",
            f"{day.open:,}",
            f"{day.known:,}",
            show_share(day.agreeing, day.known),
            show_sums({currency: cents for currency, cents in day.cents.items() if cents}),
        )
        for day in reversed(trend)
    ]
    labels = ("Day", "Open mismatches", "Orders known", "In agreement", "Money in disagreement")
    table = draw_table("trend", labels, rows, right=labels[1:], whole=labels[:1])
    note = (
        "Every day as it ended (UTC), the last one as it is now. A mismatch that was resolved and came back "
        "counts from its return."
    )
    return draw_section(
        title,
        f"<div class=charts>\n{charts}\n</div>",
        f"<p>{note}</p>\n<details><summary>The numbers of every day</summary>\n{table}\n</details>",
    )


def draw_places(details: Details) -> str:
    """Show the gateways and items with most mismatches of orders."""
    gateways = [
        (share.id or "no gateway", f"{share.orders:,}", f"{share.mismatches:,}", show_sums(share.cents))
        for share in details.gateways
    ]
    labels = ("Gateway", "Orders", "Mismatches", "Money in disagreement")
    tables = (
        draw_section("By gateway", draw_table("gateways", labels, gateways, right=labels[1:])),
        _draw_items(details.items),
    )
    return f"<div class=pair>\n{''.join(tables)}\n</div>" if any(tables) else ""


def _draw_items(items: Sequence[Share]) -> str:
    rows = [
        (share.id or "without item ID", share.name or "–", f"{share.orders:,}", f"{share.mismatches:,}")
        for share in items
    ]
    labels = ("Item", "Name", "Orders", "Mismatches")
    note = "<p>An order counts for each of its items.</p>"
    return draw_section("By item", draw_table("items", labels, rows, right=labels[2:]), note)


def draw_lacks(lacks: Sequence[Lack]) -> str:
    """Show the products and gateways to put right, with what waits for each."""
    rows = [
        (
            lack.name,
            f"{lack.orders:,}",
            show_sums(lack.cents),
            f"{lack.since:%Y-%m-%d}",
            lack.what,
            lack.remedy,
        )
        for lack in lacks
    ]
    labels = ("To put right", "Orders waiting", "Money waiting", "Since", "What is wrong", "What to do")
    table = draw_table("lacks", labels, rows, right=labels[1:3], whole=(labels[0], labels[3]))
    note = "<p>An order that waits for two things counts for both; it goes out once the last is there.</p>"
    return draw_section("What holds phone orders back", table, note)


def _draw_rows(id: str, rows: Sequence[OpenRow], links: Links) -> str:
    labels = (
        "No.", "What", "UltraCart ID", "Thiio ID", "UltraCart says", "Thiio says", "Difference", "Open since"
    )  # fmt: skip
    cells = [
        (
            str(row.id),
            describe(row.entity, row.kind, row.field),
            *_ids(row, links),
            row.ultracart_value or "–",
            row.thiio_value or "–",
            show_money(row.amount_cents, row.currency),
            _day(row.first_seen_at),
        )
        for row in rows
    ]
    return draw_table(id, labels, cells, right=(labels[0], labels[6]), whole=labels[7:], html=labels[2:4])


def _ids(row: OpenRow, links: Links) -> tuple[str, str]:
    return draw_id(row, Side.ULTRACART, links), draw_id(row, Side.THIIO, links)


def draw_id(row: OpenRow, side: Side, links: Links) -> str:
    """Write the id that a mismatch's record has on one side, as HTML, linked to its own page."""
    id = row.ultracart_id if side is Side.ULTRACART else row.thiio_id
    return anchor(links.record(side, row.entity, id), id or "–")


def draw_log(row: OpenRow, links: Links) -> str:
    """Write a link to the notifications about a mismatch's record, as HTML; "" without an address."""
    id = row.ultracart_id or row.thiio_id
    url = links.log(row.entity, id)
    return anchor(url, f"of {row.entity} {id}") if url else ""


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def tell_trend(trend: Sequence[TrendDay]) -> str:
    """Say how the numbers moved over the days, in one sentence."""
    if len(trend) < 2:
        return TOO_YOUNG if trend else ""
    first, last = trend[0], trend[-1]
    return (
        f"In {count(len(trend), 'day', 'days')}: open mismatches from {first.open:,} to {last.open:,}, "
        f"orders in agreement from {show_share(first.agreeing, first.known)} to "
        f"{show_share(last.agreeing, last.known)}."
    )
