"""Thiio's real connection behind a door: a test says what happens before each delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tasks.inbox.apply import Applier
from tasks.inbox.readers import ultracart_readers
from tasks.notifications.log import notifier
from tasks.records.models import Customer, Order
from tasks.thiio.connection import ThiioConnection
from tasks.thiio.open import open_thiio
from tests.inbox.workplace import Workplace


class FussyThiio:
    """Delivers as `real` does, unless `before` raises; `asked` are the records of which it was told."""

    def __init__(
        self, real: ThiioConnection, before: Callable[[str], None], repeats_safely: bool = True
    ) -> None:
        self._real = real
        self._before = before
        self.repeats_safely = repeats_safely
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        """All else is the real connection's."""
        return getattr(self._real, name)

    def deliver_order(self, order: Order, event: str, thiio_id: str | None) -> str | None:
        """Deliver an order, if nothing comes between."""
        self.asked.append(order.id)
        self._before(order.id)
        return self._real.deliver_order(order, event, thiio_id)

    def deliver_customer(self, customer: Customer, thiio_id: str | None) -> str | None:
        """Deliver a customer, if nothing comes between."""
        self.asked.append(customer.id)
        self._before(customer.id)
        return self._real.deliver_customer(customer, thiio_id)


def fuss(workplace: Workplace, before: Callable[[str], None], *, repeats_safely: bool = True) -> FussyThiio:
    """Let something come before each delivery of a workplace's worker."""
    thiio = FussyThiio(workplace.connection, before, repeats_safely)
    workplace.applier = worker(workplace, thiio)
    return thiio


def worker(workplace: Workplace, thiio: Any, run_id: str = "run-1") -> Applier:
    """One more worker of a workplace."""
    readers = ultracart_readers(workplace.settings, workplace.engine, notifier(workplace.engine))
    return Applier(workplace.engine, workplace.settings, thiio, readers, run_id=run_id)


@contextmanager
def another(workplace: Workplace, run_id: str) -> Iterator[Workplace]:
    """The same workplace in the hands of a worker with a connection to Thiio of its own."""
    thiio = open_thiio(workplace.settings, notifier(workplace.engine))
    try:
        yield replace(workplace, applier=worker(workplace, thiio, run_id), connection=thiio)
    finally:
        thiio.close()


def failing(errors: dict[str, Exception]) -> Callable[[str], None]:
    """What raises the error that is named for a record."""

    def before(id: str) -> None:
        if id in errors:
            raise errors[id]

    return before
