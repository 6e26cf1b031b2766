"""`python -m tests.topology`: what runs on several machines, run on this one, with two of its parts killed.

A Postgres with a database for each, Prefect's server, two workers, two receivers, both stand-ins. The exit
code is 0 only if everything was seen that must be. It takes two to four minutes; --folder keeps the logs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tests.topology.site import open_site


def main() -> int:
    """Run it, print what was seen, and give 0 if nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="keeps the logs there; it must not exist")
    given = parser.parse_args()
    console, started = Console(), time.monotonic()
    with TemporaryDirectory(prefix="ultrathiio-topology-") as temporary:
        folder = (given.folder or Path(temporary) / "run").resolve()
        folder.mkdir(parents=True)
        console.print("Starting Postgres, Prefect, receivers and workers …")
        with open_site(folder) as site:
            console.print(f"All is up after {time.monotonic() - started:.0f} s.")
            # Imported here: Prefect reads its settings from the environment when it is imported.
            from tests.topology.story import Story

            seen = []
            for finding in Story(site).tell():
                seen.append(finding)
                console.print(f"{time.monotonic() - started:4.0f} s  {finding.what}: {finding.seen}")
    table = Table("", "what", "expected", "seen")
    for finding in seen:
        mark = "[green]yes[/]" if finding.is_good else "[red]NO[/]"
        table.add_row(mark, finding.what, finding.expected, finding.seen)
    console.print(table)
    console.print(f"{time.monotonic() - started:.0f} seconds.")
    return 0 if all(finding.is_good for finding in seen) else 1


if __name__ == "__main__":
    os.environ.update({"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"})
    sys.exit(main())
