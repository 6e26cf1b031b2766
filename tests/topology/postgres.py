"""The machine's own Postgres, for a block: Prefect needs its extension pg_trgm, which the wheel's has not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from tasks.errors import SetupError

START_SECONDS = 30
USER = "postgres"
"""The account that Debian's package makes: Postgres does not run as root."""


@contextmanager
def run_postgres() -> Iterator[str]:
    """Start an empty server that listens at a socket in its folder; give its URL; delete all afterwards."""
    programs = _programs()
    how: dict[str, Any] = {"user": USER} if os.geteuid() == 0 else {}
    with TemporaryDirectory(prefix="ultrathiio-postgres-") as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        if how:
            Path(folder).chmod(0o711)
            shutil.chown(data, USER)
        how |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": data}
        made = ["-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run([programs / "initdb", *made], check=True, **how)
        server = subprocess.Popen([programs / "postgres", "-D", str(data), "-h", "", "-k", str(data)], **how)
        try:
            url = f"postgresql+psycopg://postgres@/postgres?host={data}"
            _wait_for(url)
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nobody needs what it holds any more
            server.wait()


def _programs() -> Path:
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        raise SetupError("There is no Postgres on this machine. Install it: apt-get install postgresql")
    return folders[-1]


def _wait_for(url: str) -> None:
    engine = create_engine(url)
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            engine.connect().close()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            engine.dispose()
            return
