"""The command line, as a child process: what it prints, what it serves, with which code it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import msgspec
import psutil
import pytest

from flows.__main__ import app
from flows.commands.local_prefect import free_port
from tasks.database.engine import is_current, open_engine

SECONDS = 60


def command(*words: str) -> list[str]:
    """Give the command line of `ultrathiio …`."""
    return [sys.executable, "-m", "flows", *words]


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = os.environ | settings
    return subprocess.run(command(*words), env=environment, capture_output=True, text=True, timeout=SECONDS)


@contextmanager
def running(*words: str, settings: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a command that serves, for a block, and interrupt it at the end: it must end well."""
    environment = os.environ | dict(settings or {}) | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command(*words), env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield process
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def answered(url: str) -> httpx.Response:
    """Wait until a server answers 200."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if (response := httpx.get(url)).is_success:
                return response
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def ask_across(url: str, origin: str) -> str | None:
    """Ask, as a browser does, whether pages of an origin may call; give the origin that is allowed."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    return httpx.options(url, headers=headers).headers.get("access-control-allow-origin")


def first_line(stream: IO[str] | None) -> str:
    """Read the first line that a command prints."""
    assert stream is not None
    return stream.readline()


def test_the_sandbox_tells_its_addresses_in_one_line_of_json(tmp_path: Path) -> None:
    """A script can use them at once; an order that was placed is there after a restart."""
    with running("sandbox", "--json", "--folder", str(tmp_path)) as process:
        told = msgspec.json.decode(first_line(process.stdout))
        root = told["ultracart"]["base_url"].removesuffix("/rest/v2")
        placed = httpx.post(f"{root}/_sandbox/actions/place_order", json={"email": "ada@example.com"}).json()
    with running("sandbox", "--json", "--folder", str(tmp_path)) as process:
        again = msgspec.json.decode(first_line(process.stdout))["ultracart"]
        headers = {
            "x-ultracart-simple-key": again["simple_key"],
            "x-ultracart-api-version": "2017-03-01",
        }
        kept = httpx.get(f"{again['base_url']}/order/orders/{placed['result']}", headers=headers)

    assert set(told) == {"ultracart", "thiio"}
    assert set(told["ultracart"]) == {"base_url", "simple_key", "merchant_id", "channel_partner_code"}
    assert kept.json()["order"]["order_id"] == placed["result"]


def test_the_version_is_the_installed_one() -> None:
    """On the command line as in the project's own description."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]

    assert run("--version").stdout.strip() == project["version"]


def test_the_receiver_serves_from_the_settings(fresh_sqlite_url: str) -> None:
    """It makes its tables, is ready, takes a delivery, and ends well when it is interrupted."""
    port = free_port()
    settings = {
        "ULTRATHIIO_DATABASE_URL": fresh_sqlite_url,
        "ULTRATHIIO_RECEIVER__PORT": str(port),
        "ULTRATHIIO_RECEIVER__USERNAME": "u",
        "ULTRATHIIO_RECEIVER__PASSWORD": "p",
    }

    with running("receiver", settings=settings):
        assert answered(f"http://127.0.0.1:{port}/ready").json() == {"status": "ready"}
        answer = httpx.post(
            f"http://127.0.0.1:{port}/webhooks/ultracart", json=[{"item_update": {}}], auth=("u", "p")
        )

    assert answer.json() == {"stored": 1, "duplicates": 0}


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        (("receiver",), {}, "ULTRATHIIO_RECEIVER__USERNAME is empty"),
        (("migrate",), {"ULTRATHIIO_DATABASE_URL": "nonsense"}, "sqlite:///path/to/file"),
        (("migrate",), {"ULTRATHIIO_RECEIVER__PORT": "x"}, "ULTRATHIIO_RECEIVER__PORT"),
        (("demo", "full"), {}, "holds files that are not of a demo"),
    ],
    ids=["no credentials", "wrong URL", "wrong setting", "foreign folder"],
)
def test_what_must_be_changed_first_ends_with_2(
    words: tuple[str, ...], settings: dict[str, str], told: str, tmp_path: Path
) -> None:
    """The message names the setting or the folder, without a traceback."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").write_text("dear reader")

    done = run(*words, **settings)

    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert (tmp_path / "full/letter.txt").exists()


def test_serve_does_not_take_another_server_for_its_own() -> None:
    """A port that somebody listens on is named, with the remedy."""
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        port = str(somebody.getsockname()[1])

        done = run("serve", "data", "--sandbox", "--ui-port", port)

    assert (done.returncode, f"127.0.0.1:{port}" in done.stderr) == (2, True)
    assert "--ui-port" in done.stderr


def test_migrate_makes_the_tables_and_may_be_repeated(fresh_sqlite_url: str) -> None:
    """The second time it finds them up to date."""
    codes = [run("migrate", ULTRATHIIO_DATABASE_URL=fresh_sqlite_url).returncode for _ in range(2)]

    assert codes == [0, 0]
    assert is_current(open_engine(fresh_sqlite_url))


@pytest.mark.timeout(180)
def test_serve_runs_everything_until_one_of_it_ends(tmp_path: Path) -> None:
    """Receiver, UI and deployments come up; a worker that is killed is told, and nothing is left behind."""
    receiver_port, ui_port = free_port(), free_port()
    settings = {"ULTRATHIIO_RECEIVER__PORT": str(receiver_port)}

    words = command("serve", "data", "--sandbox", "--ui-port", str(ui_port))
    environment = os.environ | settings | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("Stop with Ctrl-C" in line for line in process.stdout)
        answered(f"http://127.0.0.1:{receiver_port}/ready")
        found = httpx.post(f"http://127.0.0.1:{ui_port}/api/deployments/filter", json={}).json()
        asked = [
            ask_across(f"http://127.0.0.1:{ui_port}/api/flow_runs/", origin)
            for origin in (f"http://localhost:{ui_port}", "https://elsewhere.example.com")
        ]
        for child in psutil.Process(process.pid).children():
            if "worker" in child.cmdline():
                child.kill()
        told = process.stdout.read()
    assert (process.returncode, "The worker ended by itself" in told) == (1, True)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{ui_port}/api/health")

    assert asked == [f"http://localhost:{ui_port}", None]
    assert len(found) == 17
    assert (tmp_path / "data/ultrathiio.sqlite3").exists()


def test_every_command_is_explained_in_the_list() -> None:
    """Whoever asks for help reads a line for each, and what the exit codes mean."""
    shown = run("--help").stdout
    commands = re.findall(r"^│ (\w+) +(.*?) *│$", shown, flags=re.MULTILINE)

    assert {name for name, text in commands if text} >= {name for name in app if not name.startswith("-")}
    assert "Exit codes: 0 good" in shown
