"""`ultrathiio mismatches` and `ultrathiio ignore`: the ledger at the terminal, and a person's word on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from flows.commands.notifications import print_json, shown_text
from flows.commands.our_tables import our_tables
from tasks.database.engine import open_database
from tasks.errors import InvalidRecord, SetupError
from tasks.notifications.page import shorten
from tasks.reconcile.ignoring import DAYS, set_aside, take_back
from tasks.reconcile.listing import MismatchLine, Wanted, find_mismatches
from tasks.reconcile.mismatch import MismatchKind, MismatchState
from tasks.reconcile.report_words import describe
from tasks.records.models import Entity
from tasks.settings import load_settings

ANY = "any"
MOST_LINES = 10_000
STYLES = {"open": "red", "resolved": "green", "ignored": "dim"}


def print_mismatches(
    *,
    state: str,
    kind: str | None,
    entity: str | None,
    ids: Sequence[int],
    record: str | None,
    limit: int,
    as_json: bool,
) -> int:
    """List mismatches, the newest numbers first; none is no failure.

    Raises `SetupError` for a condition that cannot be used: it names option, value and remedy.
    """
    _require_one_of("state", state, (*MismatchState, ANY))
    _require_one_of("kind", kind, tuple(MismatchKind))
    _require_one_of("entity", entity, tuple(Entity))
    if not 1 <= limit <= MOST_LINES:
        raise SetupError(f"--limit {limit} cannot be used. Write a number from 1 to {MOST_LINES}.")
    wanted = Wanted(
        state=None if state == ANY else state, kind=kind, entity=entity, ids=ids, record=record, limit=limit
    )
    with our_tables() as connection:
        found = find_mismatches(connection, wanted)
    if as_json:
        print_json({"mismatches": [asdict(line) for line in found]})
    else:
        _print(found)
    return 0


def ignore_and_print(ids: Sequence[int], *, reason: str, days: int | None, take_them_back: bool) -> int:
    """Set mismatches aside, or take them back, and say so.

    Raises `SetupError`, and changes nothing, for a number, a reason or days that cannot be used.
    """
    if take_them_back and (reason or days is not None):
        raise SetupError("--take-back goes without --reason and --days: it ends the ignoring now.")
    engine = open_database(load_settings().database_url.get_secret_value())
    try:
        with engine.begin() as connection:
            if take_them_back:
                said = take_back(connection, ids)
            else:
                now = datetime.now(UTC)
                said = set_aside(connection, ids, reason, DAYS if days is None else days, now=now)
    except InvalidRecord as error:
        raise SetupError(str(error)) from error
    finally:
        engine.dispose()
    Console().print(shown_text(said))
    return 0


def _require_one_of(option: str, value: str | None, known: Collection[str]) -> None:
    if value is not None and value not in known:
        raise SetupError(f"--{option} {value!r} cannot be used. Write one of: {', '.join(known)}.")


def _print(found: Sequence[MismatchLine]) -> None:
    console = Console()
    if not found:
        console.print("No mismatch fits.")
        return
    table = Table(
        Column("No.", justify="right", no_wrap=True),
        Column("state", no_wrap=True),
        Column("what", overflow="fold", ratio=2),
        Column("UltraCart", overflow="fold", ratio=2),
        Column("Thiio", overflow="fold", ratio=2),
        Column("since (UTC)", no_wrap=True),
        Column("why, and what to do", overflow="fold", ratio=3),
    )
    for line in found:
        table.add_row(
            str(line.id),
            _state(line),
            shown_text(describe(line.entity, line.kind, line.field)),
            _side(line.ultracart_id, line.ultracart_value),
            _side(line.thiio_id, line.thiio_value),
            f"{line.first_seen_at:%Y-%m-%d %H:%M}",
            _words(line),
        )
    console.print(table)


def _state(line: MismatchLine) -> Text:
    until = f"\nuntil {line.ignored_until:%Y-%m-%d}" if line.ignored_until else ""
    return Text(line.state + until, style=STYLES[line.state])


def _side(id: str, value: str | None) -> Text:
    return shown_text("\n".join(filter(None, (id, shorten(value) if value else None))) or None)


def _words(line: MismatchLine) -> Text:
    """Give the reason; of what is open also what a repair did, and what to do."""
    if line.state != MismatchState.OPEN:
        return shown_text(line.reason)
    repair = f"It was {line.repair}." if line.repair else None
    return shown_text("\n".join(filter(None, (line.reason, repair, line.cause, line.remedy))) or None)
