"""One call at a time to UltraCart, within its limits, over all processes that share our database.

The turn and both counts stand in one row a key, so that they are one decision. A process that dies with the
turn loses it when its call would have timed out.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, text, update

from tasks.database import tables
from tasks.database.upsert import insert_for
from tasks.errors import BudgetSpent
from tasks.ultracart.budget import Budget, Limits, Wait, leak, spend, why_wait

TABLE = tables.call_budgets
LOOK_AGAIN_SECONDS = 0.02
PATIENCE_SECONDS = 60.0
"""A longer wait than this ends the run: it says when calls go on."""
MARGIN_SECONDS = 5.0
"""A turn is held for a call's time-out and this."""


class Pacer:
    """Gives turns to call UltraCart with one key."""

    def __init__(
        self,
        engine: Engine,
        key: str,
        limits: Limits,
        timeout_seconds: float,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._key_hash = hash_key(key)
        self._limits = limits
        self._hold_seconds = timeout_seconds + MARGIN_SECONDS
        self._clock = clock
        self._sleep = sleep

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it for a block; each turn is one call and counts against the limits.

        Raises `BudgetSpent` instead of waiting for longer than `PATIENCE_SECONDS`.
        """
        token = self._take_turn()
        try:
            yield
        finally:
            self._give_back(token)

    def block(self, seconds: float) -> None:
        """Let nobody call for a while: UltraCart said so."""
        until = self._clock() + timedelta(seconds=seconds)
        with self._transaction() as connection:
            self._read(connection)
            self._write(connection, blocked_until=until)

    def _take_turn(self) -> str:
        token = secrets.token_hex(16)
        while True:
            wait = self._try_turn(token)
            if wait is None:
                return token
            if wait.seconds > PATIENCE_SECONDS and not wait.is_short:
                resumes_at = self._clock() + timedelta(seconds=wait.seconds)
                raise BudgetSpent(
                    f"UltraCart takes no calls now: {wait.reason}. Calls go on at "
                    f"{resumes_at:%Y-%m-%d %H:%M} UTC.",
                    system="ultracart",
                    resumes_at=resumes_at,
                    wait_seconds=wait.seconds,
                )
            self._sleep(LOOK_AGAIN_SECONDS if wait.is_short else wait.seconds)

    def _try_turn(self, token: str) -> Wait | None:
        with self._transaction() as connection:
            now = self._clock()
            budget = leak(self._read(connection), self._limits, now)
            if wait := why_wait(budget, self._limits, now):
                return wait
            spent = spend(budget, now, self._hold_seconds)
            self._write(
                connection,
                hour_level=spent.hour_level,
                day_level=spent.day_level,
                counted_at=spent.counted_at,
                holder=token,
                held_until=spent.held_until,
            )
        return None

    def _give_back(self, token: str) -> None:
        with self._transaction() as connection:
            connection.execute(
                update(TABLE)
                .where(TABLE.c.key_hash == self._key_hash, TABLE.c.holder == token)
                .values(holder=None, held_until=None)
            )

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Begin a transaction that all processes see, but that does not wait for the disk.

        It stands between one page and the next. A process that dies loses nothing by it; a power cut may
        lose the count of the last calls, and what that leaves too much UltraCart itself refuses.
        """
        with self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                with _synchronous(connection, "NORMAL"), connection.begin():
                    yield connection
            else:
                with connection.begin():
                    connection.execute(text("SET LOCAL synchronous_commit TO OFF"))
                    yield connection

    def _read(self, connection: Connection) -> Budget:
        query = select(TABLE).where(TABLE.c.key_hash == self._key_hash).with_for_update()
        row = connection.execute(query).first()
        if row is None:
            fresh = {
                "key_hash": self._key_hash,
                "hour_level": 0.0,
                "day_level": 0.0,
                "counted_at": self._clock(),
            }
            connection.execute(insert_for(connection, TABLE).values(fresh).on_conflict_do_nothing())
            row = connection.execute(query).one()
        return _budget_of(row)

    def _write(self, connection: Connection, **values: Any) -> None:
        connection.execute(update(TABLE).where(TABLE.c.key_hash == self._key_hash).values(values))


@contextmanager
def _synchronous(connection: Connection, mode: str) -> Iterator[None]:
    """Set how SQLite commits for a block; by the driver, since SQLAlchemy would begin a transaction first."""
    driver = connection.connection
    driver.cursor().execute(f"PRAGMA synchronous={mode}")
    try:
        yield
    finally:
        driver.cursor().execute("PRAGMA synchronous=FULL")


def hash_key(key: str) -> str:
    """Give the short hash under which a key's budget is kept; the key cannot be told from it."""
    return hashlib.sha256(b"ultracart:" + key.encode()).hexdigest()[:16]


def read_budget(connection: Connection, key: str, limits: Limits, now: datetime) -> Budget:
    """Give where a key stands `now`; a key that was never used has its whole budget."""
    row = connection.execute(select(TABLE).where(TABLE.c.key_hash == hash_key(key))).first()
    return leak(_budget_of(row), limits, now) if row else Budget(counted_at=now)


def _budget_of(row: Row[Any]) -> Budget:
    return Budget(
        hour_level=row.hour_level,
        day_level=row.day_level,
        counted_at=row.counted_at,
        held_until=row.held_until,
        blocked_until=row.blocked_until,
    )
