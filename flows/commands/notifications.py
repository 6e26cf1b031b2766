"""`ultrathiio notifications` and `ultrathiio notification ID`: the log of exchanges, read at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from flows.commands.our_tables import our_tables
from tasks.errors import SetupError
from tasks.notifications.filters import FilterProblem, NotificationFilter, read_filter, read_id
from tasks.notifications.page import pretty, shorten, show_exactly, show_time, show_words
from tasks.notifications.search import (
    NotificationLine,
    NotificationPage,
    NotificationStory,
    find_notifications,
    read_notification,
)

MOST_LINES = 10_000
STYLES = {"successful": "green", "failed": "red", "in_doubt": "yellow", "skipped": "dim"}
OPTIONS = {"from": "since"}
"""Fields of the filter that have another name as an option."""


def print_notifications(words: Mapping[str, str | None], limit: int, *, as_json: bool) -> int:
    """Print the newest notifications that a filter asks for, at most `limit`; none is no failure.

    `words` are the fields of the filter as they were typed; None was not. Raises `SetupError` for those that
    cannot be used: it names option, value and remedy.
    """
    wanted = _read_wanted(words)
    if not 1 <= limit <= MOST_LINES:
        raise SetupError(f"--limit {limit} cannot be used. Write a number from 1 to {MOST_LINES}.")
    with our_tables() as connection:
        found = find_notifications(connection, wanted, limit=limit)
    if as_json:
        print_json({"notifications": [asdict(line) for line in found.lines], "older_than": found.older_than})
    else:
        _print_page(found)
    return 0


def print_notification(word: str, *, as_json: bool) -> int:
    """Print one notification with what was sent and received, its event and the event's story."""
    id = read_id(word)
    if id is None:
        raise SetupError(f"{word!r} is no notification ID. Write a whole number from 1 up.")
    with our_tables() as connection:
        story = read_notification(connection, id)
    if story is None:
        raise SetupError(
            f"There is no notification {id}. It was never written, or is older than notifications are kept. "
            "Run: ultrathiio notifications"
        )
    if as_json:
        print_json(asdict(story))
    else:
        _print_story(story)
    return 0


def _read_wanted(words: Mapping[str, str | None]) -> NotificationFilter:
    typed = {field: word for field, word in words.items() if word is not None}
    wanted, problems = read_filter(typed, datetime.now(UTC))
    if problems:
        raise SetupError(" ".join(map(_tell, problems)))
    return wanted


def _tell(problem: FilterProblem) -> str:
    option = OPTIONS.get(problem.field, problem.field)
    return f"--{option} {problem.value!r} cannot be used. {problem.remedy.replace('“from”', '--since')}"


def _print_page(found: NotificationPage) -> None:
    console = Console()
    if not found.lines:
        console.print("No notification matches.")
        return
    console.print(table_of_lines(found.lines))
    if found.older_than is not None:
        console.print(f"Older ones: add --before {found.older_than}", highlight=False)


def table_of_lines(lines: tuple[NotificationLine, ...]) -> Table:
    """Lay out notifications, a line each."""
    table = Table(
        Column("ID", justify="right", no_wrap=True),
        Column("time (UTC)", min_width=10),
        Column("status", no_wrap=True),
        Column("exchange", overflow="fold", ratio=1),
        Column("HTTP", justify="right", no_wrap=True),
        Column("ms", justify="right", no_wrap=True),
        Column("reason", overflow="fold", ratio=1),
    )
    for line in lines:
        table.add_row(
            str(line.id),
            show_time(line.created_at),
            _status(line.status),
            shown_text("\n".join(filter(None, (f"{_way(line)}: {line.operation}", _record(line))))),
            shown_text(line.http_status),
            shown_text(line.duration_ms),
            shown_text(shorten(line.reason) if line.reason else None),
        )
    return table


def _print_story(story: NotificationStory) -> None:
    console, line = Console(), story.line
    table = Table(title=f"Notification {line.id}", title_justify="left", show_header=False)
    table.add_row("time", show_exactly(line.created_at))
    table.add_row("status", _status(line.status))
    table.add_row("system", _way(line))
    table.add_row("operation", shown_text(line.operation))
    table.add_row("record", shown_text(_record(line)))
    for name in ("reason", "http_status", "duration_ms", "request_id", "run_id"):
        table.add_row(show_words(name), shown_text(getattr(line, name)))
    console.print(table)
    for name, body in (("Sent", story.sent), ("Received", story.received)):
        console.print(Text(name, style="bold"))
        console.print(shown_text(None if body is None else pretty(body)), soft_wrap=True)
    if line.event_id is not None:
        _print_event(console, story)


def _print_event(console: Console, story: NotificationStory) -> None:
    table = Table(title=f"Event {story.line.event_id}", title_justify="left", show_header=False)
    if story.event is None:
        table.add_row("no longer kept")
    else:
        for name, value in asdict(story.event).items():
            is_time = isinstance(value, datetime)
            table.add_row(show_words(name), show_exactly(value) if is_time else shown_text(value))
    console.print(table)
    console.print(Text("Its story", style="bold"), table_of_lines(story.attempts), sep="\n")


def _status(status: str) -> Text:
    return Text(show_words(status), style=STYLES.get(status, ""))


def _way(line: NotificationLine) -> str:
    return f"{'from' if line.direction == 'in' else 'to'} {line.system}"


def _record(line: NotificationLine) -> str | None:
    return None if line.entity is None else f"{line.entity} {line.entity_id or ''}".rstrip()


def shown_text(value: object) -> Text:
    """Make a text that a terminal shows and does not obey: control characters are written out."""
    shown = "–" if value is None else str(value)
    return Text("".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in shown))


def print_json(value: object) -> None:
    """Print one JSON value on a line of its own."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
