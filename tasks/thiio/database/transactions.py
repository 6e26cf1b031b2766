"""Transactions on Thiio's database, with its failures in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from tasks.errors import RemoteRefused, RemoteUnavailable
from tasks.records.models import Customer, Order, PhoneOrder
from tasks.thiio.database.read import PAGE

Result = TypeVar("Result")
Item = TypeVar("Item", Customer, Order, PhoneOrder)
SYSTEM = "thiio"
SPEAK_UTC = {
    "postgresql": "SET TIME ZONE 'UTC'",
    "mysql": "SET time_zone = '+00:00'",
    "mariadb": "SET time_zone = '+00:00'",
}
"""A CRM often keeps times without zone: a server in another zone would shift every time that we compare."""


class Transactions:
    """Runs functions of a connection, each in a transaction of its own.

    Raises `RemoteUnavailable` if the database cannot answer, `RemoteRefused` if it does not accept a
    statement. The driver's own words, which may hold a customer's data, stay in the cause.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        if engine.dialect.name in SPEAK_UTC:
            event.listen(engine, "connect", partial(_speak_utc, SPEAK_UTC[engine.dialect.name]))

    def read(self, read: Callable[[Connection], Result]) -> Result:
        """Call `read` on a connection and return its result."""
        with _failures_in_our_words(), self.engine.connect() as connection:
            return read(connection)

    def write(self, write: Callable[[Connection], Result]) -> Result:
        """Call `write` in a transaction and return its result.

        If another writer was faster with the same record, `write` runs once more and finds that record.
        """
        with _failures_in_our_words():
            try:
                with self.engine.begin() as connection:
                    return write(connection)
            except IntegrityError:
                with self.engine.begin() as connection:
                    return write(connection)

    def pages(self, read_page: Callable[..., list[Item]]) -> Iterator[list[Item]]:
        """Read pages until one is not full; between pages nothing is open."""
        after_id = -1
        while True:
            page = self.read(partial(read_page, after_id=after_id))
            if page:
                yield page
            if len(page) < PAGE:
                return
            last = page[-1]
            after_id = int(last.order.id if isinstance(last, PhoneOrder) else last.id)


@contextmanager
def _failures_in_our_words() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise RemoteUnavailable(
            f"Thiio's database cannot answer now ({_kind(error)}). It is tried again by itself; "
            "if this lasts, run: ultrathiio check",
            system=SYSTEM,
        ) from error
    except DBAPIError as error:
        raise RemoteRefused(
            f"Thiio's database refused a statement ({_kind(error)}). Run: ultrathiio check",
            system=SYSTEM,
        ) from error


def _speak_utc(statement: str, connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.commit()  # or the first rollback takes it back


def _kind(error: DBAPIError) -> str:
    return type(error.orig).__name__
