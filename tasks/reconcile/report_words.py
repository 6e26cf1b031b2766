"""The report's words: what is said the same way in the HTML file, in the CSV file and in Prefect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from tasks.reconcile.fields import FIELDS, FieldKind, label_of
from tasks.reconcile.mismatch import MismatchKind
from tasks.reconcile.report import A_DAY, Report
from tasks.records.money import to_major

KIND_WORDS = {
    MismatchKind.MISSING_IN_THIIO: "missing in Thiio",
    MismatchKind.MISSING_IN_ULTRACART: "missing in UltraCart",
    MismatchKind.DUPLICATE: "with several candidates",
    MismatchKind.UNLINKED: "whose UltraCart ID Thiio does not name",
}
FLAGS = {field.name for fields in FIELDS.values() for field in fields if field.kind is FieldKind.FLAG}
PUSH_WORDS = {"held": "held", "rejected": "refused by UltraCart", "in_doubt": "in doubt"}


class Verdict(StrEnum):
    """How the question is answered."""

    UNKNOWN = "unknown"
    YES = "yes"
    ALMOST = "almost"
    NO = "no"


def judge_report(report: Report) -> Verdict:
    """Answer in one word: are the two systems in agreement?"""
    if report.open:
        return Verdict.NO
    if all(standing.last_run is None for standing in report.standings):
        return Verdict.UNKNOWN
    return Verdict.ALMOST if report.pushes or report.dead_count else Verdict.YES


def answer(report: Report) -> str:
    """Answer in a sentence: are the two systems in agreement?"""
    match judge_report(report):
        case Verdict.NO:
            return f"No: {count(report.open, 'mismatch is', 'mismatches are')} open."
        case Verdict.UNKNOWN:
            return "Nothing was compared yet."
        case Verdict.ALMOST:
            return f"Almost: what was compared agrees, but {waiting(report)}."
        case Verdict.YES:
            return "Yes: what was compared agrees."


def waiting(report: Report) -> str:
    """Tell of pushes and events that wait for a person; empty if there are none."""
    parts = []
    if report.pushes:
        orders = count(len(report.pushes), "phone order", "phone orders")
        parts.append(f"{orders} did not reach UltraCart")
    if report.dead_count:
        parts.append(f"{count(report.dead_count, 'event', 'events')} could not be handled")
    return " and ".join(parts)


def explanations(report: Report) -> list[str]:
    """Give the sentences that go with the answer: how much agrees, and what was not compared lately."""
    sentences = [
        f"{standing.entity.title()}s in agreement: {standing.agreeing:,} of {standing.known:,} "
        f"({show_share(standing.agreeing, standing.known)})."
        for standing in report.standings
        if standing.known
    ]
    if report.open and (waits := waiting(report)):
        sentences.append(f"Besides, {waits}.")
    for standing in report.standings:
        flow = f"reconcile-{standing.entity}s"
        run = standing.last_run
        if run is None:
            sentences.append(f"No {standing.entity} was compared yet: start {flow}.")
        elif run.ended_at < report.now - A_DAY:
            last = show_time(run.ended_at)
            sentences.append(f"The {standing.entity}s were last compared on {last}: start {flow}.")
    return sentences


def list_numbers(report: Report) -> dict[str, int | str]:
    """Name the numbers of the report; money is text."""
    return {
        "open mismatches": report.open,
        "new in 24 hours": report.new,
        "older than 7 days": report.old,
        "resolved in 24 hours": report.resolved,
        "money in disagreement": show_sums(report.cents),
        "phone orders not in UltraCart": len(report.pushes),
        "events not handled": report.dead_count,
        "ignored with a reason": report.ignored,
    }


def show_number(value: int | str) -> str:
    """Write one of these numbers."""
    return f"{value:,}" if isinstance(value, int) else value


def describe(entity: str, kind: str, field: str) -> str:
    """Say what is wrong, e.g. "Order with different total"."""
    label = label_of(entity, field)
    differs = f"marked as {label} on one side only" if field in FLAGS else f"with different {label}"
    return f"{entity.capitalize()} {KIND_WORDS.get(MismatchKind(kind), differs)}"


def count(number: int, singular: str, plural: str) -> str:
    """Write a number with its noun: 1 order, 1,200 orders."""
    return f"{number:,} {singular if number == 1 else plural}"


def show_share(part: int, whole: int) -> str:
    """Write a share in per cent, rounded down: only all is "100.0 %"; nothing of nothing is "–"."""
    if whole == 0:
        return "–"
    per_mille = part * 1_000 // whole
    return f"{per_mille // 10}.{per_mille % 10} %"


def show_sums(cents: Mapping[str, int]) -> str:
    """Write sums of money by currency: "1,012.50 USD, 300 JPY"; without any "–"."""
    sums = [f"{to_major(sum_, currency):,} {currency}" for currency, sum_ in sorted(cents.items())]
    return ", ".join(sums) or "–"


def show_time(moment: datetime | None) -> str:
    """Write a time to the minute, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "–"


def show_until(moment: datetime | None) -> str:
    """Write until when something is ignored; without a time, until a person takes it back."""
    return f"{moment:%Y-%m-%d}" if moment else "taken back"
