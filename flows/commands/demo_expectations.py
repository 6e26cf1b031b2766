"""What the demo plants, and the questions to our tables that tell whether it was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, Table, exists, func, select

from tasks.database import tables


@dataclass(slots=True)
class Planted:
    """The ids of the records that the demo made trouble with."""

    lost_order: str = ""
    duplicated_order: str = ""
    refunded_order: str = ""
    edited_order: str = ""
    pushed_order: str = ""
    unmapped_product_order: str = ""
    unmapped_gateway_order: str = ""
    answer_lost_order: str = ""
    imports: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One planted trouble: what was expected, whether it was found, and where."""

    trouble: str
    expected: str
    found: bool
    where: str


def judge_findings(
    connection: Connection, planted: Planted, thiio_refunded_cents: int | None
) -> list[Finding]:
    """Ask the tables for each planted trouble."""

    def holds(query: Select[Any]) -> bool:
        return bool(connection.scalar(query))

    return [
        Finding(
            "a webhook that never came",
            f"order {planted.lost_order} reported as missing in Thiio",
            holds(_mismatch("missing_in_thiio", planted.lost_order)),
            "mismatches",
        ),
        Finding(
            "a webhook that came twice",
            f"order {planted.duplicated_order}: stored once, counted twice",
            holds(_stored_once(planted.duplicated_order, deliveries=2)),
            "inbox_events",
        ),
        Finding(
            "a refund before its order",
            f"order {planted.refunded_order} is refunded in Thiio",
            bool(thiio_refunded_cents),
            "Thiio",
        ),
        Finding(
            "a total changed in Thiio",
            f"order {planted.edited_order} differs in its total",
            holds(_mismatch("field_differs", planted.edited_order, "total_cents")),
            "mismatches",
        ),
        Finding(
            "a product without UltraCart item ID",
            f"Thiio order {planted.unmapped_product_order} is held, with the product named",
            holds(_push(planted.unmapped_product_order, "held")),
            "pushes",
        ),
        Finding(
            "a gateway without UltraCart code",
            f"Thiio order {planted.unmapped_gateway_order} is held, with the gateway named",
            holds(_push(planted.unmapped_gateway_order, "held")),
            "pushes",
        ),
        Finding(
            "an import whose answer was lost",
            f"Thiio order {planted.answer_lost_order} is in UltraCart once",
            holds(_push(planted.answer_lost_order, "confirmed")) and set(planted.imports.values()) == {1},
            "pushes and UltraCart's own ledger",
        ),
        Finding(
            "an ordinary phone order",
            f"Thiio order {planted.pushed_order} is in UltraCart, and its webhook made no second one",
            holds(_push(planted.pushed_order, "confirmed")) and holds(_echo(planted.pushed_order)),
            "pushes, links, inbox",
        ),
    ]


def _count(table: Table) -> Select[Any]:
    return select(func.count()).select_from(table)


def _mismatch(kind: str, ultracart_id: str, field_name: str = "") -> Select[Any]:
    table = tables.mismatches
    query = _count(table).where(table.c.kind == kind, table.c.ultracart_id == ultracart_id)
    query = query.where(table.c.state == "open")
    return query.where(table.c.field == field_name) if field_name else query


def _stored_once(ultracart_id: str, deliveries: int) -> Select[Any]:
    table = tables.inbox_events
    query = _count(table).where(table.c.entity_id == ultracart_id, table.c.name == "order_create")
    return query.having(func.count() == 1, func.sum(table.c.deliveries) == deliveries)


def _push(thiio_order_id: str, state: str) -> Select[Any]:
    table = tables.pushes
    return _count(table).where(table.c.thiio_order_id == thiio_order_id, table.c.state == state)


def _echo(thiio_order_id: str) -> Select[Any]:
    """Count the webhooks of a pushed order that were recognised: closed, and nothing delivered to Thiio."""
    links, events, told = tables.links, tables.inbox_events, tables.notifications
    is_of_order = links.c.ultracart_id == events.c.entity_id
    delivered = told.c.operation.startswith("deliver order") & (told.c.entity_id == links.c.ultracart_id)
    return (
        select(func.count())
        .select_from(links.join(events, is_of_order))
        .where(links.c.entity == "order", links.c.thiio_id == thiio_order_id)
        .where(events.c.name == "order_create", events.c.state == "done", ~exists().where(delivered))
    )
