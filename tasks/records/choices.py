"""What a person may choose in the forms of several flows."""

from __future__ import annotations

from enum import StrEnum

from tasks.records.models import Entity, Side


class PullFrom(StrEnum):
    """Which side is read."""

    BOTH = "both"
    ULTRACART = "ultracart"
    THIIO = "thiio"

    def has(self, side: Side) -> bool:
        """Tell whether a side is read."""
        return self == PullFrom.BOTH or self.value == side.value


class Kinds(StrEnum):
    """Which kind of records."""

    BOTH = "both"
    CUSTOMERS = "customers"
    ORDERS = "orders"

    @property
    def entities(self) -> tuple[Entity, ...]:
        """Give the entities that are meant, customers first."""
        chosen = {Kinds.CUSTOMERS: (Entity.CUSTOMER,), Kinds.ORDERS: (Entity.ORDER,)}
        return chosen.get(self, tuple(Entity))
