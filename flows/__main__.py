"""The command line `ultrathiio`. Each command's work stands in `flows/commands/`, imported when it is called.

Exit codes: 0 good; 1 what was asked for was done and found something wrong; 2 the settings or the command
must be changed first.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from flows.commands import ledger
from tasks.errors import SetupError
from tasks.version import our_version

app = App(
    name="ultrathiio",
    help="Keep an UltraCart store and a Thiio CRM in agreement. Start with: ultrathiio demo",
    help_epilogue="Exit codes: 0 good; 1 done, and something was found wrong; 2 settings or command must be "
    "changed first. Completion of words by the Tab key: ultrathiio --install-completion",
    version=our_version,
)
app.register_install_completion_command()


@app.command
def demo(folder: Path = Path("ultrathiio-demo")) -> int:
    """Run everything once against stand-ins of both systems: no account, no network.

    Parameters
    ----------
    folder
        Where database, report and run history go; made new each time.
    """
    from flows.commands.demo import run_demo

    return run_demo(folder)


@app.command
def serve(folder: Path = Path("ultrathiio-data"), *, sandbox: bool = False, ui_port: int = 4200) -> int:
    """Run receiver, Prefect server with its UI, and all deployments on their schedules, until Ctrl-C.

    Parameters
    ----------
    folder
        Where Prefect keeps its history, and the stand-ins their data.
    sandbox
        Use the stand-ins of both systems instead of the accounts in the settings.
    ui_port
        Port of Prefect's server and UI.
    """
    from flows.commands.serve import run_everything

    return run_everything(folder, with_sandbox=sandbox, ui_port=ui_port)


@app.command
def receiver() -> int:
    """Run the receiver of webhooks alone, from the settings, until Ctrl-C."""
    from tasks.inbox.receiver import run_receiver
    from tasks.settings import load_settings

    run_receiver(load_settings())
    return 0


@app.command
def sandbox(
    *, folder: Path | None = None, json_line: Annotated[bool, Parameter(name="--json")] = False
) -> int:
    """Run stand-ins of UltraCart and Thiio on free ports of this machine, until Ctrl-C.

    Parameters
    ----------
    folder
        Where the stand-ins keep their data for the next time; a temporary folder if left out.
    json_line
        Print one JSON object with addresses and credentials as the first line, nothing else.
    """
    from flows.commands.sandbox import run_sandbox

    return run_sandbox(folder, json_line=json_line)


@app.command
def check(
    *, fix: bool = False, yes: bool = False, as_json: Annotated[bool, Parameter(name="--json")] = False
) -> int:
    """Go through the set-up checklist; exit with 1 if a line of it failed.

    Parameters
    ----------
    fix
        First register the webhook in UltraCart, or repair it, after showing what changes and asking.
    yes
        With --fix: change it without asking, for scripts.
    as_json
        Print one JSON object instead of a table.
    """
    from flows.commands.check import fix_and_print, print_checklist

    if yes and not fix:
        raise SetupError("--yes answers what --fix asks. Run: ultrathiio check --fix --yes")
    if fix and as_json:
        raise SetupError("--json shows what is, --fix changes it. Run one after the other.")
    return fix_and_print(ask=not yes) if fix else print_checklist(as_json=as_json)


@app.command
def notifications(
    *,
    status: str | None = None,
    system: str | None = None,
    direction: str | None = None,
    entity: str | None = None,
    id: str | None = None,
    event: str | None = None,
    run: str | None = None,
    operation: str | None = None,
    since: str | None = None,
    until: str | None = None,
    before: str | None = None,
    limit: int = 50,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """List exchanges with UltraCart and Thiio, newest first: how each ended, and why.

    Parameters
    ----------
    status
        successful, failed, in_doubt or skipped.
    system
        ultracart, thiio, or ultrathiio (what was done to our own tables).
    direction
        in (they called us) or out (we called them).
    entity
        customer, order or other.
    id
        ID of the record.
    event
        Number of the inbox event.
    run
        ID of the Prefect flow run.
    operation
        Part of the operation's name.
    since
        From when on: 2026-11-25, "2026-11-25 18:00" (UTC), or how long ago: 30m, 2h, 7d, 1w.
    until
        Before when; a day is meant whole.
    before
        Only those older than this notification, to go on where a list ended.
    limit
        Most lines.
    as_json
        Print one JSON object instead of a table.
    """
    from flows.commands.notifications import print_notifications

    words = {
        "status": status, "system": system, "direction": direction, "entity": entity, "id": id,
        "event": event, "run": run, "operation": operation, "from": since, "until": until, "before": before,
    }  # fmt: skip
    return print_notifications(words, limit, as_json=as_json)


@app.command
def notification(id: str, /, *, as_json: Annotated[bool, Parameter(name="--json")] = False) -> int:
    """Show one exchange: what was sent, what was received, its event and what became of that.

    Parameters
    ----------
    id
        Number of the notification, as `ultrathiio notifications` lists it.
    as_json
        Print one JSON object instead of text.
    """
    from flows.commands.notifications import print_notification

    return print_notification(id, as_json=as_json)


@app.command
def order(id: str, /, *, as_json: Annotated[bool, Parameter(name="--json")] = False) -> int:
    """Show one Thiio order on its way to UltraCart: where it stands, its exact body, every exchange.

    Parameters
    ----------
    id
        ID of the order in Thiio.
    as_json
        Print one JSON object instead of text.
    """
    from flows.commands.order import print_order

    return print_order(id, as_json=as_json)


@app.command
def replay(
    *,
    state: str = "dead",
    event: tuple[int, ...] = (),
    id: str | None = None,
    name: str | None = None,
    reason: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int = 1_000,
    yes: bool = False,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """List closed inbox events that fit, and with --yes put them back to work.

    Parameters
    ----------
    state
        dead, skipped, done or any.
    event
        Number of an event; may be given several times.
    id
        ID of the UltraCart order or customer.
    name
        Name of the event: order_refund.
    reason
        Words that the reason holds.
    since
        Received from when on: 2026-11-25, "2026-11-25 18:00" (UTC), or how long ago: 30m, 2h, 7d, 1w.
    until
        Received before when; a day is meant whole.
    limit
        Most events.
    yes
        Put them back. Without it they are only listed.
    as_json
        Print one JSON object instead of a table.
    """
    from flows.commands.replay import replay_and_print

    return replay_and_print(
        state=state, ids=event, record=id, name=name, reason=reason, since=since, until=until,
        limit=limit, yes=yes, as_json=as_json,
    )  # fmt: skip


app.command(ledger.mismatches)
app.command(ledger.ignore)


@app.command
def migrate() -> int:
    """Create our tables, or bring them up to date."""
    from tasks.database.engine import open_database
    from tasks.settings import load_settings

    open_database(load_settings().database_url.get_secret_value())
    Console().print("The tables are up to date.")
    return 0


# Imported when they are called; so the list of all commands has their help from here.
app.command(
    "flows.commands.erase:erase_person",
    name="erase",
    help="List where a person's data is held, and with --yes erase it from our tables.",
)
app.command(
    "flows.commands.backup:make_backup",
    name="backup",
    help="Copy our database into a file while everything runs; of a Postgres, print the command for it.",
)
app.command(
    "flows.commands.backup:restore_backup",
    name="restore",
    help="Put a backup in the place of our database; of a Postgres, print the command for it.",
)


def main() -> None:
    """Run the command that the words of the command line name."""
    try:
        code = app(result_action="return_value")
    except SetupError as error:
        Console(stderr=True).print(f"[bold red]Set-up:[/] {error}", highlight=False)
        code = 2
    sys.exit(code)


if __name__ == "__main__":
    main()
