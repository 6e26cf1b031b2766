"""What must be true after a run under fire: nothing lost, nothing done twice, the same as without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Engine, select, text

from tasks.database.tables import inbox_events, notifications
from tasks.inbox.events import EventState
from tasks.notifications.log import NotificationStatus
from tests.inbox.crash.run import Comparison
from tests.inbox.crash.tables import Rows, read_links, read_records, read_thiio

ANSWERS = {"200", "503"}
"""What the receiver may say: taken, or come again. What is no number is a connection that broke."""
AWAY = {"OperationalError", "InterfaceError"}
"""The errors with which a worker may end, and only when its database was killed."""


def find_problems(comparison: Comparison) -> list[str]:
    """Say everything that is not as it must be, one line each; nothing if all is well."""
    return [
        *_unsettled(comparison),
        *_wrong_answers(comparison),
        *_wrong_ends(comparison),
        *_lost_events(comparison),
        *_wrong_events(comparison),
        *_wrong_notifications(comparison),
        *_wrong_records(comparison),
        *_broken_files(comparison),
    ]


def _unsettled(comparison: Comparison) -> Iterator[str]:
    if not comparison.course.is_settled:
        yield "Not all deliveries were acknowledged and worked off in time."


def _wrong_answers(comparison: Comparison) -> Iterator[str]:
    for answer, count in comparison.course.sender.answers.items():
        if answer.isdecimal() and answer not in ANSWERS:
            yield f"The receiver answered {answer}, {count} times."
    if comparison.cluster is None and comparison.course.sender.answers["503"]:
        yield "The receiver answered 503, and nobody had touched its database."


def _wrong_ends(comparison: Comparison) -> Iterator[str]:
    site = comparison.site
    if site.receiver.ended:
        yield f"The receiver ended by itself: {dict(site.receiver.ended)}"
    allowed = AWAY if comparison.cluster else set()
    for worker in site.workers:
        for error, count in worker.ended.items():
            if error not in allowed:
                yield f"{worker.name} ended by itself with {error}, {count} times."


def _lost_events(comparison: Comparison) -> Iterator[str]:
    """Compare how often each event was acknowledged, sent, and counted by the inbox."""
    sender = comparison.course.sender
    columns = (inbox_events.c.digest, inbox_events.c.deliveries)
    with comparison.site.engine.connect() as connection:
        counted = {digest: deliveries for digest, deliveries in connection.execute(select(*columns))}
    for digest, sent in sender.sent.items():
        acknowledged = sender.acknowledged[digest]
        if acknowledged and digest not in counted:
            yield f"Event {digest[:8]} was acknowledged, and is not in the inbox."
        elif not acknowledged <= counted.get(digest, 0) <= sent:
            yield (
                f"Event {digest[:8]} was sent {sent} times, acknowledged {acknowledged} times, and counted "
                f"{counted.get(digest, 0)} times."
            )
    for digest in counted.keys() - sender.sent.keys():
        yield f"Event {digest[:8]} is in the inbox, and nobody sent it."


def _wrong_events(comparison: Comparison) -> Iterator[str]:
    columns = (inbox_events.c.id, inbox_events.c.name, inbox_events.c.state, inbox_events.c.reason)
    query = select(*columns).where(inbox_events.c.state != EventState.DONE)
    with comparison.site.engine.connect() as connection:
        for id, name, state, reason in connection.execute(query):
            yield f"Event {id} ({name}) is {state}: {reason}"


def _wrong_notifications(comparison: Comparison) -> Iterator[str]:
    """Each event was closed once: it has one notification that says so."""
    table = notifications
    closed = select(table.c.event_id).where(
        table.c.direction == "in", table.c.status == NotificationStatus.SUCCESSFUL
    )
    with comparison.site.engine.connect() as connection:
        times = Counter(connection.scalars(closed))
        ids = set(connection.scalars(select(inbox_events.c.id)))
    for id in sorted(ids | times.keys()):
        if times[id] != 1:
            yield f"Event {id} has {times[id]} notifications that it was done."


def _wrong_records(comparison: Comparison) -> Iterator[str]:
    undisturbed, site = comparison.undisturbed, comparison.site
    for read in (read_records, read_links):
        expected, actual = read(undisturbed), read(site)
        for name in expected:
            yield from _differences(name, expected[name], actual[name])
    expected, actual = read_thiio(undisturbed.thiio), read_thiio(site.thiio)
    for name in expected:
        yield from _differences(f"Thiio's {name}", expected[name], actual[name])


def _differences(name: str, expected: Rows, actual: Rows) -> Iterator[str]:
    for key in sorted({*expected, *actual}, key=repr):
        wanted, found = expected.get(key, []), actual.get(key, [])
        if len(found) != len(wanted):
            yield f"{name}: {key} is there {len(found)} times, undisturbed {len(wanted)} times."
        elif wanted != found:
            [wanted_row], [found_row] = wanted, found
            names = [name for name in wanted_row if found_row[name] != wanted_row[name]]
            differing = {name: (found_row[name], wanted_row[name]) for name in names}
            yield f"{name}: {key} differs from the undisturbed one: {differing}"


def _broken_files(comparison: Comparison) -> Iterator[str]:
    for name, engine in (("our", comparison.site.engine), ("Thiio's", comparison.site.thiio.engine)):
        if (found := _check_file(engine)) != "ok":
            yield f"SQLite finds {name} file broken: {found}"


def _check_file(engine: Engine) -> str:
    if engine.dialect.name != "sqlite":
        return "ok"
    with engine.connect() as connection:
        return str(connection.scalar(text("PRAGMA integrity_check")))
