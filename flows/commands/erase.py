"""`ultrathiio erase EMAIL`: tell where a person's data is held, and erase it from our tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from flows.commands.our_tables import our_tables
from tasks.database.engine import open_database
from tasks.erasure.erase import count_held, erase, look
from tasks.erasure.files import find_files
from tasks.erasure.holdings import Holdings
from tasks.errors import SetupError
from tasks.records.identity import email_key, is_email
from tasks.settings import load_settings

BECOMES: Mapping[str, str] = {
    "customers": "id and dates stay; name, address, phone and e-mail go",
    "orders": "id, amounts, status and dates stay; the person, tracking numbers and texts of lines go",
    "payloads of inbox events": "deleted; these events cannot be replayed",
    "reasons of inbox events": "replaced by a note",
    "notifications": "status and dates stay; what was sent and received is replaced by a note",
    "pushes": "ids, state and dates stay; the body goes",
    "mismatches": "ids, amounts and dates stay; the values go",
}
OUTSIDE = (
    "UltraCart and Thiio are left alone: erase the person there first, or the next pull-records, webhook or "
    "backfill brings the data back. Backups made before, and exports of other programs, still hold it."
)


def erase_person(email: str, /, *, yes: bool = False) -> int:
    """List where a person's data is held, and with --yes erase it from our tables.

    Exits with 1 while something of the person is still worked on: nothing can be erased then.

    Parameters
    ----------
    email
        The person's e-mail address.
    yes
        Erase it. Without it the rows are only counted.
    """
    key = email_key(email)
    if key is None or not is_email(key):
        raise SetupError(f"{email!r} is no e-mail address. Write the address of the person: ada@example.com")
    console = Console()
    settings = load_settings()
    with our_tables() as connection:
        person, held = look(connection, key)
    _print_held(console, held)
    _print_files(console, find_files(settings.report.folder, person))
    if held.open_events or held.open_pushes:
        console.print(
            f"{len(held.open_events)} inbox events and {len(held.open_pushes)} pushes of this person are "
            "still worked on, and would bring the data back. Nothing was changed. Run process-inbox and "
            "push-orders until they are closed, then erase again."
        )
        return 1
    if held.is_empty():
        return 0
    if not yes:
        console.print(f"Nothing was changed; add --yes to erase it. {OUTSIDE}")
        return 0
    engine = open_database(settings.database_url.get_secret_value())
    try:
        erase(engine, key)
    finally:
        engine.dispose()
    console.print(f"Erased from our tables. {OUTSIDE}")
    return 0


def _print_held(console: Console, held: Holdings) -> None:
    if held.is_empty():
        console.print("Our tables hold nothing under this address.")
        return
    table = Table(
        Column("what", no_wrap=True), Column("rows", justify="right"), Column("what becomes of them", ratio=1)
    )
    for name, count in count_held(held).items():
        if count:
            table.add_row(name, str(count), BECOMES[name])
    console.print(table)


def _print_files(console: Console, files: Sequence[Path]) -> None:
    if files:
        console.print("Files of reports that may tell of the person, to be deleted by hand:")
        for file in files:
            console.print(f"  {file}", highlight=False, soft_wrap=True)
