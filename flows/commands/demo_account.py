"""The demo's closing words: what came in, went out, is held, differs, and where to look."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, func, select

from flows.commands.demo_expectations import Finding
from tasks.database import tables
from tasks.reconcile.fields import label_of


def print_account(console: Console, connection: Connection, findings: list[Finding]) -> None:
    """Print what the tables hold after the demo, and each planted trouble with its verdict."""
    console.print()
    console.print(_counts(connection))
    console.print(_held(connection))
    console.print(_differences(connection))
    console.print(_verdicts(findings))


def print_places(console: Console, folder: Path) -> None:
    """Print where report, database and run history are, and what to try next."""
    console.print(f"Report:    {folder / 'reports/latest.html'}", highlight=False, soft_wrap=True)
    console.print(f"Database:  {folder / 'ultrathiio.sqlite3'}", highlight=False, soft_wrap=True)
    console.print(
        f"Runs, forms and artifacts in Prefect's UI:  ultrathiio serve {folder} --sandbox",
        highlight=False,
        soft_wrap=True,
    )


def _counts(connection: Connection) -> Table:
    table = Table(title="What happened", title_justify="left")
    for heading in ("what", "state", "how many"):
        table.add_column(heading, justify="right" if heading == "how many" else "left")
    for what, source, column in (
        ("inbox event", tables.inbox_events, tables.inbox_events.c.state),
        ("push to UltraCart", tables.pushes, tables.pushes.c.state),
        ("mismatch", tables.mismatches, tables.mismatches.c.state),
        ("notification", tables.notifications, tables.notifications.c.status),
    ):
        rows = connection.execute(select(column, func.count()).select_from(source).group_by(column))
        for state, count in sorted(map(tuple, rows)):
            table.add_row(what, state, str(count))
    return table


def _held(connection: Connection) -> Table:
    table = Table("Thiio order", "why it waits", "what to do", title="Held pushes", title_justify="left")
    query = select(tables.pushes).where(tables.pushes.c.state.in_(["held", "rejected", "in_doubt"]))
    for row in connection.execute(query.order_by(tables.pushes.c.thiio_order_id)):
        table.add_row(row.thiio_order_id, row.reason, row.remedy)
    return table


def _differences(connection: Connection) -> Table:
    table = Table(title="Open mismatches", title_justify="left")
    table.add_column("record", no_wrap=True)
    for heading in ("what", "UltraCart", "Thiio"):
        table.add_column(heading)
    query = select(tables.mismatches).where(tables.mismatches.c.state == "open")
    for row in connection.execute(query.order_by(tables.mismatches.c.id).limit(20)):
        record = f"{row.entity} {row.ultracart_id or row.thiio_id}"
        what = f"{label_of(row.entity, row.field)} differs" if row.field else row.kind.replace("_", " ")
        table.add_row(record, what, row.ultracart_value, row.thiio_value)
    return table


def _verdicts(findings: list[Finding]) -> Table:
    table = Table(title="Planted trouble", title_justify="left")
    for heading in ("", "planted", "expected", "seen in"):
        table.add_column(heading)
    for finding in findings:
        mark = "[green]found[/]" if finding.found else "[red]MISSED[/]"
        table.add_row(mark, finding.trouble, finding.expected, finding.where)
    return table
