"""deployments/roles.sql: each role can do its work, and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, insert, make_url, select, text
from sqlalchemy.exc import ProgrammingError

from tasks.database import tables
from tasks.database.engine import is_current, migrate, open_database, open_engine
from tasks.database.lease import hold_lease
from tasks.erasure.erase import erase
from tasks.inbox.prune import Cuts, delete_old
from tests.builders import NOON
from tests.conftest import execute, url_of
from tests.database.old_schema import migrate_to
from tests.inbox.running_receiver import ULTRACART, orders, serve_receiver
from tests.notifications.log_rows import put_notification
from tests.reconcile.two_sides import make_pair, reconcile, store

ROLES = (Path(__file__).resolve().parents[2] / "deployments/roles.sql").read_text()
INSUFFICIENT_PRIVILEGE = "42501"
"""SQLSTATE of a refusal (Postgres, appendix A)."""
LoginAs = Callable[[str], str]


def apply_roles(engine: Engine) -> None:
    """Run the file, as psql does."""
    raw = engine.raw_connection()
    try:
        raw.cursor().execute(ROLES)
        raw.commit()
    finally:
        raw.close()


@pytest.fixture
def login_as(postgres_url: str, postgres_database_url: str) -> Iterator[LoginAs]:
    """Make a login that is a member of a role, and give its URL; the file has been applied twice."""
    admin = open_database(postgres_database_url)
    apply_roles(admin)
    apply_roles(admin)
    admin.dispose()
    names: list[str] = []

    def make(role: str) -> str:
        name = f"login_{secrets.token_hex(4)}"
        execute(postgres_url, f"CREATE ROLE {name} LOGIN IN ROLE ultrathiio_{role}")
        names.append(name)
        return make_url(postgres_database_url).set(username=name).render_as_string(hide_password=False)

    yield make
    for name in names:
        execute(postgres_url, f"DROP ROLE {name}")


def refused(url: str, *statements: str) -> list[str]:
    """Give those of the statements that a login is not allowed."""
    engine = create_engine(url)
    found = [statement for statement in statements if not is_allowed(engine, statement)]
    engine.dispose()
    return found


def is_allowed(engine: Engine, statement: str) -> bool:
    """Tell whether a statement is carried out, or is refused for want of a right."""
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        return False
    return True


def test_the_receiver_works_as_its_role(login_as: LoginAs) -> None:
    """It stores, counts a duplicate, keeps what is unreadable, shows its pages and its figures."""
    with serve_receiver(login_as("receiver")) as client:
        ready = client.get("/ready").status_code
        stored = [client.post(ULTRACART, json=orders(1)).json() for _ in range(2)]
        unreadable = client.post(ULTRACART, content="unreadable").status_code
        pages = [client.get(path).status_code for path in ("/notifications", "/notifications/1")]
        figures = client.get("/metrics").text

    assert stored == [{"stored": 1, "duplicates": 0}, {"stored": 0, "duplicates": 1}]
    assert (ready, unreadable, pages) == (200, 400, [200, 200])
    assert "ultrathiio_database_up 1" in figures


def test_the_receiver_can_do_nothing_else(login_as: LoginAs) -> None:
    """Whoever takes it over reads no customer, sends no push, and rewrites no history."""
    statements = (
        "SELECT * FROM customers",
        "SELECT * FROM orders",
        "SELECT body FROM pushes",
        "UPDATE pushes SET state = 'planned'",
        "UPDATE inbox_events SET state = 'done'",
        "UPDATE inbox_payloads SET body = ''",
        "UPDATE notifications SET status = 'successful'",
        "DELETE FROM inbox_events",
        "DELETE FROM notifications",
        "INSERT INTO watermarks VALUES ('w', now(), now())",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE TABLE mine (id integer)",
        "DROP TABLE inbox_payloads",
    )

    assert refused(login_as("receiver"), *statements) == list(statements)


def test_the_worker_works_as_its_role(login_as: LoginAs) -> None:
    """It mirrors, compares, holds a lease, prunes and erases."""
    engine = open_database(login_as("worker"))
    ultracart, thiio = make_pair(1)
    store(engine, ultracart, thiio)
    put_notification(engine)
    with hold_lease(engine, "push-orders"):
        counts = reconcile(engine)
    far = NOON + timedelta(days=9_999)
    deleted = delete_old(engine, Cuts(payloads=far, events=far, dead=None))
    erase(engine, "ada@example.com")
    engine.dispose()

    assert (counts.paired, deleted["notifications"]) == (1, 1)


def test_the_worker_changes_no_table(login_as: LoginAs) -> None:
    """Only the owner does, by migrating."""
    statements = (
        "ALTER TABLE orders ADD COLUMN more text",
        "DROP TABLE orders",
        "CREATE TABLE mine (id integer)",
        "UPDATE alembic_version SET version_num = '0001'",
        "TRUNCATE notifications",
    )

    assert refused(login_as("worker"), *statements) == list(statements)


def test_the_reader_sees_no_person(login_as: LoginAs) -> None:
    """Counts, amounts, dates and states are for everybody; names, bodies and texts are not."""
    url = login_as("reader")
    allowed = (
        "SELECT side, id, placed_at, status, total_cents, country FROM orders",
        "SELECT state, count(*) FROM inbox_events GROUP BY state",
        "SELECT kind, field, ultracart_id, amount_cents, first_seen_at FROM mismatches",
        "SELECT status, operation, created_at FROM notifications",
        "SELECT thiio_order_id, state, total_cents FROM pushes",
        "SELECT * FROM reconcile_runs",
    )
    statements = (
        "SELECT email FROM orders",
        "SELECT * FROM customers",
        "SELECT last_name FROM customers",
        "SELECT body FROM inbox_payloads",
        "SELECT sent FROM notifications",
        "SELECT body FROM pushes",
        "SELECT ultracart_value FROM mismatches",
        "SELECT token FROM leases",
        "UPDATE orders SET total_cents = 0",
        "DELETE FROM links",
    )

    assert refused(url, *allowed) == []
    assert refused(url, *statements) == list(statements)


def test_every_personal_column_is_kept_from_the_reader(login_as: LoginAs, postgres_database_url: str) -> None:
    """What the reader sees is written here: a new column is a decision."""
    login_as("reader")
    admin = create_engine(postgres_database_url)
    query = (
        "SELECT table_name || '.' || column_name FROM information_schema.column_privileges "
        "WHERE grantee = 'ultrathiio_reader'"
    )
    with admin.connect() as connection:
        seen = set(connection.scalars(text(query)))
    admin.dispose()
    all_texts = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.tables.values()
        for column in table.columns
        if column.type.python_type is str and getattr(column.type, "length", None) is None
    }

    assert len(seen) > 80
    # Texts without a bound are names of things that are sold, and nothing else.
    assert seen & all_texts == {"products.name", "product_metadata.value", "gateways.name"}


def test_the_owner_migrates(login_as: LoginAs, postgres_url: str) -> None:
    """A database of the first release, under the roles of this file, is brought up to date by its owner."""
    name = f"old_{secrets.token_hex(4)}"
    execute(postgres_url, f"CREATE DATABASE {name}")
    admin = open_engine(url_of(postgres_url, name))
    migrate_to(admin, "0001")
    apply_roles(admin)
    owner, worker = (make_url(login_as(role)).set(database=name) for role in ("owner", "worker"))

    of_worker = open_engine(worker.render_as_string(hide_password=False))
    with pytest.raises(ProgrammingError):
        migrate(of_worker)
    of_owner = open_database(owner.render_as_string(hide_password=False))
    apply_roles(admin)

    assert is_current(of_worker)
    with of_worker.begin() as connection:
        connection.execute(insert(tables.links).values(
            entity="order", ultracart_id="1", thiio_id="2", rule="r", linked_at=NOON
        ))  # fmt: skip
        assert connection.scalar(select(tables.links.c.thiio_id)) == "2"
    for engine in (of_worker, of_owner, admin):
        engine.dispose()
    execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")
