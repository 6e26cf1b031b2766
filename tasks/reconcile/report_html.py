"""The report as one HTML file: needs no network, follows the reader's light or dark, and prints well."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tasks.reconcile.report import Group, Report
from tasks.reconcile.report_details import Details
from tasks.reconcile.report_links import Links, anchor
from tasks.reconcile.report_sections import (
    draw_changes,
    draw_id,
    draw_lacks,
    draw_log,
    draw_old,
    draw_places,
    draw_rates,
    draw_trend,
)
from tasks.reconcile.report_style import STYLE
from tasks.reconcile.report_table import draw_section, draw_table, tell_rest
from tasks.reconcile.report_waiting import ROWS_SHOWN
from tasks.reconcile.report_words import (
    PUSH_WORDS,
    answer,
    describe,
    explanations,
    judge_report,
    list_numbers,
    show_number,
    show_share,
    show_sums,
    show_time,
    show_until,
)
from tasks.records.models import Side
from tasks.records.money import show_money
from tasks.version import our_version


def render_html(report: Report, details: Details, links: Links, file_names: Sequence[str]) -> str:
    """Write the report as a document that links to the files beside it and to the records' own pages."""
    body = "\n".join(
        (
            _opening(report, details),
            _numbers(report),
            draw_trend(details.trend),
            draw_changes(report, details.changes, links),
            _causes(report),
            draw_places(details),
            draw_old(report, details.changes, links),
            draw_lacks(details.lacks),
            _pushes(report, links),
            _dead_letters(report, links),
            _last_runs(report),
            _mismatches(report, links, file_names),
            _ignored(report),
        )
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(answer(report))} – UltraCart and Thiio</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n<footer>ultrathiio {our_version()}</footer>\n</body>\n</html>\n"
    )


def _opening(report: Report, details: Details) -> str:
    sentences = "<br>".join(map(escape, explanations(report)))
    return (
        f'<header class="{judge_report(report)}">\n'
        f"<p class=question>UltraCart and Thiio: are the two systems in agreement? "
        f"<time>{show_time(report.now)}</time></p>\n"
        f"<h1>{escape(answer(report))}</h1>\n<p>{sentences}</p>\n{draw_rates(report, details)}\n</header>"
    )


def _numbers(report: Report) -> str:
    cards = "\n".join(
        f"<div><dt>{label}</dt><dd>{escape(show_number(value))}</dd></div>"
        for label, value in list_numbers(report).items()
    )
    return f"<dl>\n{cards}\n</dl>"


def _last_runs(report: Report) -> str:
    rows = [
        (
            f"{standing.entity}s",
            show_time(run.start_at),
            show_time(run.end_at),
            f"{run.ultracart:,}",
            f"{run.thiio:,}",
            f"{run.paired:,}",
            f"{run.equal:,}",
            f"{run.missing:,}",
            f"{run.settling:,}",
            show_share(run.equal, run.judged),
            show_time(run.ended_at) + ("" if run.is_latest else "; a later run has not ended"),
        )
        for standing in report.standings
        if (run := standing.last_run)
    ]
    labels = (
        "Compared", "From", "Until", "UltraCart", "Thiio", "Pairs", "Equal", "Missing", "Too young",
        "In agreement", "Ended",
    )  # fmt: skip
    table = draw_table("runs", labels, rows, right=labels[3:10], whole=labels[1:3])
    return draw_section("What was compared last", table)


def _causes(report: Report) -> str:
    rows = [
        (
            describe(group.entity, group.kind, group.field),
            group.cause,
            f"{group.count:,}",
            f"{group.new:,}",
            f"{group.old:,}",
            show_sums(group.cents),
            f"{group.oldest:%Y-%m-%d}",
        )
        for group in report.groups
    ]
    labels = ("What", "Likely cause", "Open", "New", "Over 7 days", "Money", "Oldest")
    return draw_section(
        "What differs, and why", draw_table("causes", labels, rows, right=labels[2:6], whole=labels[6:])
    )


def _pushes(report: Report, links: Links) -> str:
    rows = [
        (
            anchor(links.record(Side.THIIO, "order", push.thiio_order_id), push.thiio_order_id),
            PUSH_WORDS[push.state],
            show_money(push.total_cents, push.currency),
            f"{push.planned_at:%Y-%m-%d}",
            push.reason or "–",
            push.remedy or "–",
        )
        for push in report.pushes[:ROWS_SHOWN]
    ]
    labels = ("Thiio order", "State", "Total", "Since", "Why", "What to do")
    title = "Phone orders that did not reach UltraCart"
    table = draw_table("pushes", labels, rows, right=labels[2:3], whole=labels[3:4], html=labels[:1])
    return draw_section(title, table, tell_rest(len(report.pushes), len(rows)))


def _dead_letters(report: Report, links: Links) -> str:
    rows = [
        (
            str(letter.id),
            letter.source,
            letter.name,
            anchor(
                links.log(letter.entity, letter.entity_id or ""), f"{letter.entity} {letter.entity_id or ''}"
            ),
            show_time(letter.received_at),
            letter.reason or "–",
        )
        for letter in report.dead
    ]
    labels = ("No.", "From", "Event", "About", "Received", "Why")
    advice = "<p>Remove the reason, then put them back to work with replay-events.</p>"
    note = advice + tell_rest(report.dead_count, len(rows))
    return draw_section(
        "Events nobody could handle",
        draw_table("dead", labels, rows, right=labels[:1], html=labels[3:4]),
        note,
    )


def _ignored(report: Report) -> str:
    rows = [
        (
            str(row.id),
            describe(row.entity, row.kind, row.field),
            row.ultracart_id or "–",
            row.thiio_id or "–",
            show_until(row.ignored_until),
            row.reason or "–",
        )
        for row in report.ignored_rows
    ]
    labels = ("No.", "What", "UltraCart ID", "Thiio ID", "Until", "Why")
    table = draw_table("ignored", labels, rows, right=labels[:1], whole=labels[4:5])
    return draw_section("Ignored by a person", table, tell_rest(report.ignored, len(rows)))


def _mismatches(report: Report, links: Links, file_names: Sequence[str]) -> str:
    if not report.groups:
        return ""
    groups = "\n".join(_group(number, group, links) for number, group in enumerate(report.groups))
    files = ", ".join(f'<a href="{escape(name)}">{escape(name)}</a>' for name in file_names)
    return (
        f"<section>\n<h2>The open mismatches</h2>\n<p>All of them, with every column: {files}</p>\n"
        f"{groups}\n</section>"
    )


def _group(number: int, group: Group, links: Links) -> str:
    rows = [
        (
            str(row.id),
            draw_id(row, Side.ULTRACART, links),
            draw_id(row, Side.THIIO, links),
            row.ultracart_value or "–",
            row.thiio_value or "–",
            show_money(row.amount_cents, row.currency),
            f"{row.placed_at:%Y-%m-%d}" if row.placed_at else "–",
            f"{row.first_seen_at:%Y-%m-%d}",
            *([draw_log(row, links)] if links.notifications else []),
        )
        for row in group.rows
    ]
    born = "Placed" if group.entity == "order" else "Created"
    labels = (
        "No.", "UltraCart ID", "Thiio ID", "UltraCart says", "Thiio says", "Difference", born, "Open since",
        *(["Notifications"] if links.notifications else []),
    )  # fmt: skip
    html = (*labels[1:3], *labels[8:])
    table = draw_table(
        f"group{number}", labels, rows, right=(labels[0], labels[5]), whole=labels[6:8], html=html
    )
    title = escape(describe(group.entity, group.kind, group.field))
    return (
        f"<details open>\n<summary><h3>{title}</h3> <span>{group.count:,}</span></summary>\n"
        f"<p>{escape(group.cause)}<br><b>What to do:</b> {escape(group.remedy)}</p>\n"
        f"{table}\n{tell_rest(group.count, len(rows))}\n</details>"
    )
