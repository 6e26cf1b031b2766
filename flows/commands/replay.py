"""`ultrathiio replay`: list closed inbox events, and put them back to work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from flows.commands.notifications import print_json
from tasks.database.engine import open_database
from tasks.errors import SetupError
from tasks.inbox import event_queue
from tasks.inbox.events import CLOSED
from tasks.inbox.replay import Choice, ClosedEvent, find_events
from tasks.notifications.filters import TIME_REMEDY, read_time
from tasks.settings import load_settings

ANY = "any"


def replay_and_print(
    *,
    state: str,
    ids: Sequence[int],
    record: str | None,
    name: str | None,
    reason: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    yes: bool,
    as_json: bool,
) -> int:
    """List the closed events that all conditions fit; with `yes` put them back. None is no failure.

    Raises `SetupError` for a condition that cannot be used: it names option, value and remedy.
    """
    if state not in (ANY, *CLOSED):
        raise SetupError(f"--state {state!r} cannot be used. Write one of: {', '.join((*CLOSED, ANY))}.")
    if limit < 1:
        raise SetupError(f"--limit {limit} cannot be used. Write a number from 1 up.")
    choice = Choice(
        state=None if state == ANY else state,
        ids=ids,
        entity_id=record,
        name=name,
        reason=reason,
        start=_time("since", since),
        end=_time("until", until),
        limit=limit,
    )
    engine = open_database(load_settings().database_url.get_secret_value())
    try:
        with engine.begin() as connection:
            events = find_events(connection, choice)
            if yes:
                event_queue.replay(connection, [event.id for event in events], now=datetime.now(UTC))
    finally:
        engine.dispose()
    if as_json:
        print_json({"events": [asdict(event) for event in events], "are_put_back": yes})
    else:
        _print(events, is_done=yes)
    return 0


def _time(option: str, word: str | None) -> datetime | None:
    if word is None:
        return None
    try:
        return read_time(word, datetime.now(UTC), is_end=option == "until")
    except ValueError as error:
        raise SetupError(f"--{option} {word!r} cannot be used. {TIME_REMEDY}") from error


def _print(events: Sequence[ClosedEvent], *, is_done: bool) -> None:
    console = Console()
    if not events:
        console.print("No closed event fits. (One whose payload was pruned cannot be put back.)")
        return
    table = Table(
        Column("event", justify="right", no_wrap=True),
        Column("what", no_wrap=True),
        Column("state", no_wrap=True),
        Column("received (UTC)", no_wrap=True),
        Column("reason", overflow="fold", ratio=1),
    )
    for event in events:
        state = f"{event.state}\nreplayed {event.replays}×" if event.replays else event.state
        table.add_row(
            str(event.id),
            Text("\n".join(filter(None, (event.name, event.entity_id)))),
            state,
            f"{event.received_at:%Y-%m-%d %H:%M}",
            Text(event.reason or "–"),
        )
    console.print(table)
    console.print(
        f"{len(events)} events are put back; the next run of process-inbox takes them."
        if is_done
        else f"{len(events)} events fit. Nothing was changed; add --yes to put them back."
    )
