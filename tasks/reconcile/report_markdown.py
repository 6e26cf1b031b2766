"""The report as Prefect shows it: Markdown and table rows without anybody's personal data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasks.reconcile.fields import is_personal
from tasks.reconcile.report import Report
from tasks.reconcile.report_markup import escape as _escape
from tasks.reconcile.report_markup import write_table as _table
from tasks.reconcile.report_rows import OpenRow
from tasks.reconcile.report_words import (
    PUSH_WORDS,
    answer,
    describe,
    explanations,
    list_numbers,
    show_number,
    show_share,
    show_sums,
    show_time,
    show_until,
)

TABLE_ROWS = 200
"""Prefect keeps an artifact as one value: the files hold what is more."""
PUSHES_SHOWN = 50
ELSEWHERE = "(see the report)"


def render_markdown(report: Report, places: Sequence[str], details: Sequence[str] = ()) -> str:
    """Write the report in Markdown; `places` are the files that hold all, `details` parts of Markdown."""
    parts = [
        f"# {_escape(answer(report))}",
        "\n".join(f"{_escape(sentence)}  " for sentence in explanations(report)),
        _table(("what", "how many"), _numbers(report)),
        *details,
        "## What was compared last",
        _table(("what", "window", "pairs", "equal", "without counterpart", "in agreement"), _runs(report)),
        "## What differs, and why",
        _table(
            ("what", "open", "new", "over 7 days", "money", "likely cause", "what to do"), _causes(report)
        ),
        "## Phone orders that did not reach UltraCart",
        _table(("Thiio order", "state", "since", "why", "what to do"), _pushes(report)),
        "## Ignored by a person",
        _table(("No.", "what", "UltraCart ID", "Thiio ID", "until", "why"), _ignored(report)),
        "## The whole report",
        "\n".join(f"- `{place}`" for place in places),
    ]
    return "\n\n".join(parts) + "\n"


def make_rows(report: Report) -> list[dict[str, str | int]]:
    """Give up to `TABLE_ROWS` open mismatches, some of every kind and cause, as rows of text."""
    ranked = [
        (rank, place, row) for place, group in enumerate(report.groups) for rank, row in enumerate(group.rows)
    ]
    chosen = sorted(ranked, key=lambda entry: entry[:2])[:TABLE_ROWS]
    return [_row(row) for _, _, row in sorted(chosen, key=lambda entry: (entry[1], entry[0]))]


def _row(row: OpenRow) -> dict[str, str | int]:
    hidden = is_personal(row.entity, row.field)
    return {
        "id": row.id,
        "what": describe(row.entity, row.kind, row.field),
        "UltraCart ID": row.ultracart_id,
        "Thiio ID": row.thiio_id,
        "UltraCart says": ELSEWHERE if hidden else row.ultracart_value or "",
        "Thiio says": ELSEWHERE if hidden else row.thiio_value or "",
        "open since": show_time(row.first_seen_at),
        "likely cause": row.cause,
        "what to do": row.remedy,
    }


def _numbers(report: Report) -> Iterator[tuple[str, ...]]:
    for label, value in list_numbers(report).items():
        yield label, show_number(value)


def _runs(report: Report) -> Iterator[tuple[str, ...]]:
    for standing in report.standings:
        if run := standing.last_run:
            yield (
                f"{standing.entity}s",
                f"{show_time(run.start_at)} … {show_time(run.end_at)}",
                f"{run.paired:,}",
                f"{run.equal:,}",
                f"{run.missing:,}",
                show_share(run.equal, run.judged),
            )


def _causes(report: Report) -> Iterator[tuple[str, ...]]:
    for group in report.groups:
        yield (
            describe(group.entity, group.kind, group.field),
            f"{group.count:,}",
            f"{group.new:,}",
            f"{group.old:,}",
            show_sums(group.cents),
            group.cause,
            group.remedy,
        )


def _pushes(report: Report) -> Iterator[tuple[str, ...]]:
    for push in report.pushes[:PUSHES_SHOWN]:
        # UltraCart's own words may repeat what the order says of its customer.
        reason = ELSEWHERE if push.state == "rejected" else push.reason or "–"
        yield (
            push.thiio_order_id,
            PUSH_WORDS[push.state],
            show_time(push.planned_at),
            reason,
            push.remedy or "–",
        )


def _ignored(report: Report) -> Iterator[tuple[str, ...]]:
    for row in report.ignored_rows:
        yield (
            str(row.id),
            describe(row.entity, row.kind, row.field),
            row.ultracart_id or "–",
            row.thiio_id or "–",
            show_until(row.ignored_until),
            row.reason or "–",
        )
