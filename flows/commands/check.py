"""`ultrathiio check`: the set-up checklist as a table, and the webhook put right if that is wanted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from flows.commands.notifications import print_json
from tasks.database.engine import open_engine
from tasks.errors import SetupError, UltraThiioError
from tasks.settings import load_settings
from tasks.setup_check.checklist import run_checks
from tasks.setup_check.checks import Check, CheckStatus
from tasks.setup_check.webhook_fix import WebhookFix, fix_webhook
from tasks.setup_check.webhook_plan import WebhookPlan

MARKS = {
    CheckStatus.OK: "[green]ok[/]",
    CheckStatus.WARNING: "[yellow]warning[/]",
    CheckStatus.FAILED: "[red]failed[/]",
    CheckStatus.UNKNOWN: "[dim]unknown[/]",
}


def print_checklist(*, as_json: bool = False) -> int:
    """Run every check and print a line each; 1 if one failed."""
    settings = load_settings()
    engine = open_engine(settings.database_url.get_secret_value())
    checks = run_checks(settings, engine)
    engine.dispose()
    if as_json:
        print_json({"checks": [asdict(check) for check in checks]})
        return _exit_code(checks)
    table = Table("", *_headings("check", "found", "what to do"), title="Set-up", title_justify="left")
    for check in checks:
        table.add_row(MARKS[check.status], *map(escape, (check.name, check.found, check.remedy)))
    Console().print(table)
    return _exit_code(checks)


def fix_and_print(*, ask: bool) -> int:
    """Register or repair the webhook, then print the checklist; 1 if it is not right or a line failed.

    It is shown first what changes. With `ask` nothing is changed unless somebody says yes at a terminal.
    """
    console = Console()
    fixed = _fix(console, ask=ask)
    console.print(fixed.told, markup=False, highlight=False)
    return print_checklist() if fixed.is_right else 1


def _fix(console: Console, *, ask: bool) -> WebhookFix:
    settings = load_settings()
    engine = open_engine(settings.database_url.get_secret_value())

    def agree(plan: WebhookPlan) -> bool:
        console.print(_table_of(plan))
        return _is_agreed(console) if ask else True

    try:
        return fix_webhook(settings, engine, agree)
    except SetupError:
        raise
    except UltraThiioError as error:
        return WebhookFix(str(error), is_right=False)
    finally:
        engine.dispose()


def _table_of(plan: WebhookPlan) -> Table:
    headings = _headings("what", "is", "will be")
    table = Table(*headings, title="Webhook in UltraCart", title_justify="left")
    for change in plan.changes:
        table.add_row(*map(escape, (change.what, change.is_now, change.will_be)))
    return table


def _is_agreed(console: Console) -> bool:
    if not sys.stdin.isatty():
        console.print("Nobody can be asked without a terminal. Run: ultrathiio check --fix --yes")
        return False
    try:
        answer = console.input("Change the webhook in UltraCart? [y/N] ", markup=False)
    except (EOFError, KeyboardInterrupt):
        console.print()
        return False
    return answer.strip().casefold() in ("y", "yes")


def _exit_code(checks: Sequence[Check]) -> int:
    return int(any(check.status is CheckStatus.FAILED for check in checks))


def _headings(*names: str) -> list[Column]:
    # Folded, not cut: a remedy names settings that are longer than a narrow column.
    return [Column(name, overflow="fold") for name in names]
