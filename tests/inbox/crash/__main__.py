"""`python -m tests.inbox.crash --seed N --kills 50 --database sqlite`: one run by hand, with its summary."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.inbox.crash.run import compare
from tests.inbox.crash.summary import tell
from tests.inbox.crash.verdict import find_problems


def main() -> int:
    """Run, print, and give 0 if nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311  # dice, no secret
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--folder", type=Path, help="keeps databases and logs there; it must not exist")
    given = parser.parse_args()
    say(f"seed {given.seed}")
    with TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary) / "run"
        folder.mkdir(parents=True)
        with compare(folder, given.database, seed=given.seed, kills=given.kills) as comparison:
            say(tell(comparison))
            problems = find_problems(comparison)
    say("\n".join(problems) or "Nothing is lost, nothing is done twice, and all is as without a kill.")
    return 1 if problems else 0


def say(text: str) -> None:
    """Print something at once."""
    print(text, flush=True)  # noqa: T201  # it is a command


if __name__ == "__main__":
    sys.exit(main())
