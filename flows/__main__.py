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

from tasks.errors import SetupError

app = App(
    name="ultrathiio",
    help="Keep an UltraCart store and a Thiio CRM in agreement. Start with: ultrathiio demo",
)


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
def check(*, fix: bool = False, yes: bool = False) -> int:
    """Go through the set-up checklist; exit with 1 if a line of it failed.

    Parameters
    ----------
    fix
        First register the webhook in UltraCart, or repair it, after showing what changes and asking.
    yes
        With --fix: change it without asking, for scripts.
    """
    from flows.commands.check import fix_and_print, print_checklist

    if yes and not fix:
        raise SetupError("--yes answers what --fix asks. Run: ultrathiio check --fix --yes")
    return fix_and_print(ask=not yes) if fix else print_checklist()


@app.command
def migrate() -> int:
    """Create our tables, or bring them up to date."""
    from tasks.database.engine import open_database
    from tasks.settings import load_settings

    open_database(load_settings().database_url.get_secret_value())
    Console().print("The tables are up to date.")
    return 0


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
