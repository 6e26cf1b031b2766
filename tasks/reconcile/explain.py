"""Which fields of differing pairs differ, and by how much: pandas, a column a field, a row a pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd

from tasks.reconcile.causes import Cause
from tasks.reconcile.fields import FIELDS, IS_DELETED, ComparedField, FieldKind
from tasks.reconcile.values import show_value
from tasks.records.models import Customer, Entity, Order, OrderLine, OrderStatus


class RecordPair(NamedTuple):
    """Both records of a pair, of one entity."""

    ultracart: Customer | Order
    thiio: Customer | Order


class LineSums(NamedTuple):
    """What an order holds of one item; money is None if some line did not say its price."""

    quantity: Decimal
    cents: Decimal | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of the pair number `row` on which the sides disagree; `amount_cents`: UltraCart − Thiio."""

    row: int
    field: str
    ultracart_value: str
    thiio_value: str
    amount_cents: int | None
    cause: Cause


def explain_pairs(entity: Entity, pairs: Sequence[RecordPair], tolerance_cents: int) -> list[Difference]:
    """Name the fields that differ, in order of pair and field.

    A value that one side did not say (None) is not compared; money is not compared between two currencies;
    of a record that one side deleted only the deletion is told.
    """
    differs = judge_fields(entity, pairs, tolerance_cents)
    rows, columns = differs.to_numpy().nonzero()
    return [
        _difference(row, pairs[row], FIELDS[entity][column])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def judge_fields(entity: Entity, pairs: Sequence[RecordPair], tolerance_cents: int) -> pd.DataFrame:
    """Give a table of booleans, a row a pair, a column a compared field: True where the sides disagree."""
    fields = FIELDS[entity]
    ultracart = _frame([pair.ultracart for pair in pairs], fields)
    thiio = _frame([pair.thiio for pair in pairs], fields)
    said = ultracart.notna() & thiio.notna()
    differs = pd.DataFrame(False, index=said.index, columns=said.columns)
    for field in fields:
        rows = said.index[said[field.name]]
        rule = DIFFERS[field.kind]
        differs.loc[rows, field.name] = rule(
            ultracart.loc[rows, field.name], thiio.loc[rows, field.name], tolerance_cents
        )
    if "currency" in differs:
        money = [field.name for field in fields if field.kind in (FieldKind.MONEY, FieldKind.LINES)]
        differs.loc[differs["currency"], money] = False
    others = [field.name for field in fields if field is not IS_DELETED]
    differs.loc[differs[IS_DELETED.name], others] = False
    return differs


def _frame(records: Sequence[Customer | Order], fields: Sequence[ComparedField]) -> pd.DataFrame:
    columns = {field.name: [getattr(record, field.name) for record in records] for field in fields}
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def _difference(row: int, pair: RecordPair, field: ComparedField) -> Difference:
    ours, theirs = getattr(pair.ultracart, field.name), getattr(pair.thiio, field.name)
    return Difference(
        row=row,
        field=field.name,
        ultracart_value=show_value(field, pair.ultracart),
        thiio_value=show_value(field, pair.thiio),
        amount_cents=ours - theirs if field.kind is FieldKind.MONEY else None,
        cause=_refine_cause(field, ours, theirs),
    )


def _refine_cause(field: ComparedField, ours: Any, theirs: Any) -> Cause:
    if field.kind is FieldKind.STATUS and OrderStatus.UNKNOWN in (ours, theirs):
        return Cause.UNKNOWN_STATUS
    if field.kind is FieldKind.LINES and any(line.item_id is None for line in _counted(theirs)):
        return Cause.ITEM_MAPPING
    return field.cause


def _text_differs(ours: pd.Series[Any], theirs: pd.Series[Any], _tolerance: int) -> pd.Series[bool]:
    return ours.str.casefold() != theirs.str.casefold()


def _money_differs(ours: pd.Series[Any], theirs: pd.Series[Any], tolerance: int) -> pd.Series[bool]:
    return (ours.astype("int64") - theirs.astype("int64")).abs() > tolerance


def _value_differs(ours: pd.Series[Any], theirs: pd.Series[Any], _tolerance: int) -> pd.Series[bool]:
    return ours != theirs


def _set_differs(ours: pd.Series[Any], theirs: pd.Series[Any], _tolerance: int) -> pd.Series[bool]:
    return ours.map(_fold_set) != theirs.map(_fold_set)


def _lines_differ(ours: pd.Series[Any], theirs: pd.Series[Any], tolerance: int) -> pd.Series[bool]:
    pairs = zip(ours, theirs, strict=True)
    return pd.Series([not same_lines(*pair, tolerance) for pair in pairs], index=ours.index, dtype=bool)


DIFFERS: dict[FieldKind, Callable[[pd.Series[Any], pd.Series[Any], int], pd.Series[bool]]] = {
    FieldKind.TEXT: _text_differs,
    FieldKind.MONEY: _money_differs,
    FieldKind.SET: _set_differs,
    FieldKind.FLAG: _value_differs,
    FieldKind.STATUS: _value_differs,
    FieldKind.LINES: _lines_differ,
}


def same_lines(ours: Sequence[OrderLine], theirs: Sequence[OrderLine], tolerance_cents: int) -> bool:
    """Tell whether two orders hold the same items: quantities exactly, money within the tolerance a piece.

    Neither the order of lines nor a line split in two makes a difference; components of kits don't count.
    """
    left, right = _sum_by_item(ours), _sum_by_item(theirs)
    if left.keys() != right.keys():
        return False
    return all(_same_sums(sums, right[item], tolerance_cents) for item, sums in left.items())


def _same_sums(ours: LineSums, theirs: LineSums, tolerance_cents: int) -> bool:
    if ours.quantity != theirs.quantity:
        return False
    if ours.cents is None or theirs.cents is None:
        return True
    pieces = max(abs(ours.quantity), Decimal(1))
    return abs(ours.cents - theirs.cents) <= tolerance_cents * pieces


def _sum_by_item(lines: Sequence[OrderLine]) -> dict[str, LineSums]:
    sums: dict[str, LineSums] = {}
    for line in _counted(lines):
        # A product without mapping is no item of UltraCart's: it must not meet another one by chance.
        item = line.item_id.casefold() if line.item_id else f"product {line.product_id}"
        quantity, cents = sums.get(item, LineSums(Decimal(0), Decimal(0)))
        if cents is not None and line.unit_price_cents is not None:
            cents += line.unit_price_cents * line.quantity
        else:
            cents = None
        sums[item] = LineSums(quantity + line.quantity, cents)
    return sums


def _counted(lines: Sequence[OrderLine]) -> Iterator[OrderLine]:
    return (line for line in lines if not line.is_component)


def _fold_set(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({value.casefold() for value in values}))
