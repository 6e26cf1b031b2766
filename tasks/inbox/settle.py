"""Bring the records of a claim to the state that is delivered: merged, whole, and beyond doubt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, SQLAlchemyError

from tasks.errors import BudgetSpent, RecordError, RemoteRefused, RemoteUnavailable, UltraThiioError
from tasks.inbox.entity import News, find_counterparts
from tasks.inbox.outcomes import Outcomes
from tasks.records.mirror import Saved, save_customers, save_orders
from tasks.records.models import Customer, Entity, Order

logger = logging.getLogger(__name__)

REFUSED = "Our tables cannot hold a value of it: too long, too large, or no text. Correct it in UltraCart."
NOT_SHOWN = "It came in pieces and UltraCart does not show it; it is read again later."

Found = Mapping[str, Customer | Order | Exception]
Read = Callable[[Sequence[str]], Found]
Snapshots = Mapping[int, Sequence[Customer | Order]]
"""What is to be stored for each `News`, by `id(news)`: a customer and an order may have the same id."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Read records by id from UltraCart as they are now: each id's record, or why it cannot be used.

    Unknown ids are left out.
    """

    orders: Read
    customers: Read


class Settler:
    """Settles the records of one claim; what must wait or is dead goes to `outcomes`."""

    def __init__(self, engine: Engine, readers: Readers, outcomes: Outcomes) -> None:
        self._engine = engine
        self._readers = readers
        self._outcomes = outcomes

    def settle(self, groups: Sequence[News]) -> list[News]:
        """Store the snapshots, read again what is in pieces or in doubt, and give what can be delivered."""
        stored = self._mirror(groups)
        settled = [news for news in stored if not news.is_incomplete and not news.is_doubtful]
        for entity, read in (
            (Entity.ORDER, self._readers.orders),
            (Entity.CUSTOMER, self._readers.customers),
        ):
            settled += self._read_again(
                [n for n in stored if n.entity is entity and (n.is_incomplete or n.is_doubtful)], read
            )
        return settled

    def _mirror(self, groups: Sequence[News]) -> list[News]:
        """Store the snapshots of the events and give back whose were stored."""
        return self._store(groups, {id(news): news.snapshots for news in groups}, keep_on_tie=True)

    def _store(self, groups: Sequence[News], snapshots: Snapshots, *, keep_on_tie: bool) -> list[News]:
        """Store snapshots and give back whose were stored; what the database does not take is set aside."""
        if not groups:
            return []
        try:
            with self._engine.begin() as connection:
                some = [snapshot for news in groups for snapshot in snapshots[id(news)]]
                self._save(connection, groups, some, keep_on_tie=keep_on_tie)
                find_counterparts(connection, groups)
            return list(groups)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError):
                raise  # it is the database's trouble, not a record's
            if len(groups) > 1:
                half = len(groups) // 2
                parts = (groups[:half], groups[half:])
                return [n for part in parts for n in self._store(part, snapshots, keep_on_tie=keep_on_tie)]
            self._set_aside(groups[0], error)
            return []

    def _set_aside(self, news: News, error: Exception) -> None:
        match error:
            case DataError() | OverflowError():  # the latter is SQLite's word for a number too large
                self._outcomes.bury(news.events, REFUSED)
            case RecordError():
                self._outcomes.bury(news.events, str(error))
            case _:
                self._outcomes.retry(news.events, place_of(error))

    def _read_again(self, unsettled: Sequence[News], read: Read) -> list[News]:
        """Read records as they are now; what is read just now is beyond doubt."""
        if not unsettled:
            return []
        try:
            found = read([news.id for news in unsettled])
        except BudgetSpent as error:
            for news in unsettled:
                self._outcomes.pause(news.events, str(error), error.resumes_at)
            return []
        except (RemoteUnavailable, RemoteRefused, RecordError) as error:
            # Not raised: what UltraCart cannot give now must not stop all others.
            return self._retry_all(unsettled, str(error))
        except (UltraThiioError, SQLAlchemyError):
            raise
        except Exception as error:
            return self._retry_all(unsettled, place_of(error))
        return self._settle_by(found, unsettled)

    def _settle_by(self, found: Found, unsettled: Sequence[News]) -> list[News]:
        readable, snapshots = [], {}
        for news in unsettled:
            fresh = found.get(news.id)
            if isinstance(fresh, Exception):
                self._set_aside(news, fresh)
                continue
            readable.append(news)
            # What UltraCart no longer has cannot be settled: the later arrival stands.
            snapshots[id(news)] = news.snapshots if fresh is None else [fresh]
        stored = self._store(readable, snapshots, keep_on_tie=False)
        for news in stored:
            if news.is_incomplete:
                self._outcomes.retry(news.events, NOT_SHOWN)
        return [news for news in stored if not news.is_incomplete]

    def _retry_all(self, unsettled: Sequence[News], reason: str) -> list[News]:
        logger.warning("%d records cannot be read again now: %s", len(unsettled), reason)
        for news in unsettled:
            self._outcomes.retry(news.events, reason)
        return []

    @staticmethod
    def _save(
        connection: Connection,
        groups: Sequence[News],
        snapshots: Sequence[Customer | Order],
        *,
        keep_on_tie: bool,
    ) -> None:
        customers = [each for each in snapshots if isinstance(each, Customer)]
        orders = [each for each in snapshots if isinstance(each, Order)]
        saved: dict[Entity, Saved[Customer] | Saved[Order]] = {
            Entity.CUSTOMER: save_customers(connection, customers, keep_on_tie=keep_on_tie),
            Entity.ORDER: save_orders(connection, orders, keep_on_tie=keep_on_tie),
        }
        records = {(entity, record.id): record for entity, each in saved.items() for record in each.records}
        for news in groups:
            news.record = records.get((news.entity, news.id), news.record)
            news.is_doubtful = news.id in saved[news.entity].doubtful


def place_of(error: Exception) -> str:
    """Say where an unexpected error arose; its own words may hold what must not be shown."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = "" if trace is None else f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"Unexpected {type(error).__name__}{at}. If it comes again, report it with this line."
