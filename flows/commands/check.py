"""`ultrathiio check`: the set-up checklist as a table."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tasks.database.engine import open_engine
from tasks.settings import load_settings
from tasks.setup_check.checklist import run_checks
from tasks.setup_check.checks import CheckStatus

MARKS = {
    CheckStatus.OK: "[green]ok[/]",
    CheckStatus.WARNING: "[yellow]warning[/]",
    CheckStatus.FAILED: "[red]failed[/]",
    CheckStatus.UNKNOWN: "[dim]unknown[/]",
}


def print_checklist() -> int:
    """Run every check and print a line each; 1 if one failed."""
    settings = load_settings()
    engine = open_engine(settings.database_url.get_secret_value())
    checks = run_checks(settings, engine)
    engine.dispose()
    # Folded, not cut: a remedy names settings that are longer than a narrow column.
    headings = [Column(heading, overflow="fold") for heading in ("check", "found", "what to do")]
    table = Table("", *headings, title="Set-up", title_justify="left")
    for check in checks:
        table.add_row(MARKS[check.status], *map(escape, (check.name, check.found, check.remedy)))
    Console().print(table)
    return int(any(check.status is CheckStatus.FAILED for check in checks))
