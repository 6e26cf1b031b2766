"""One screen about a run: what was done to it, and what it came to."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from tasks.database.tables import inbox_events, notifications
from tasks.notifications.log import NotificationStatus
from tests.inbox.crash.run import Comparison


def tell(comparison: Comparison) -> str:
    """Write the summary."""
    return "\n".join(f"{name:<14}{what}" for name, what in _lines(comparison))


def count_tried_again(comparison: Comparison) -> int:
    """Count the events that one attempt was not enough for."""
    again = select(func.count()).select_from(inbox_events).where(inbox_events.c.attempts > 1)
    with comparison.site.engine.connect() as connection:
        return connection.scalar(again) or 0


def count_repeats(comparison: Comparison) -> int:
    """Count the deliveries that were sent again because no 200 had come."""
    answers = comparison.course.sender.answers
    return answers.total() - answers["200"]


def _lines(comparison: Comparison) -> Iterator[tuple[str, str]]:
    course, site, cluster = comparison.course, comparison.site, comparison.cluster
    yield "seed", f"{comparison.seed} ({comparison.database}, {course.seconds:.0f} seconds)"
    killed = ", ".join(f"{count} {name}" for name, count in sorted(course.killed.items()))
    yield "kills", f"{course.killed.total()}: {killed}; frozen for a while: {course.frozen}"
    processes = [site.receiver, *site.workers, *([cluster.kept] if cluster else [])]
    yield "starts", ", ".join(f"{each.starts} {each.name}" for each in processes)
    ended = [f"{each.name} {each.ended.total()} times" for each in processes if each.ended]
    yield "ended itself", ", ".join(ended) or "none"
    answers = course.sender.answers
    again = count_repeats(comparison)
    taken = f"{len(comparison.deliveries)}, acknowledged {answers['200']}"
    yield "deliveries", f"{taken}, sent again {again} times"
    yield "answers", ", ".join(f"{count} {answer}" for answer, count in answers.most_common())
    yield from _counts(comparison)


def _counts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    table = inbox_events
    figures = select(func.count(), func.sum(table.c.deliveries - 1), func.max(table.c.attempts))
    out = notifications.c.direction == "out"
    skipped = func.count().filter(notifications.c.status == NotificationStatus.SKIPPED)
    calls = func.count().filter(notifications.c.system == "ultracart")
    with comparison.site.engine.connect() as connection:
        events, duplicates, attempts = connection.execute(figures).one()
        without_effect, asked = connection.execute(select(skipped, calls).where(out)).one()
    yield "events", f"{events}; {duplicates} duplicates counted"
    yield "tried again", f"{count_tried_again(comparison)} events, at most {attempts} attempts"
    yield "to UltraCart", f"{asked} calls for records in pieces or in doubt"
    yield "to Thiio", f"{without_effect} deliveries had no effect: it held that state already, or a newer one"
