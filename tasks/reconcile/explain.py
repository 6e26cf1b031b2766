"""Which fields of differing pairs differ, and by how much: pandas, a column a field, a row a pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd

from tasks.reconcile.causes import Cause
from tasks.reconcile.fields import FIELDS, IS_DELETED, PLACED_AT, ComparedField, FieldKind, Tolerances
from tasks.reconcile.likely_cause import RecordPair, find_cause
from tasks.reconcile.values import show_value
from tasks.records.models import Customer, Entity, Order, OrderLine


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


def explain_pairs(entity: Entity, pairs: Sequence[RecordPair], tolerances: Tolerances) -> list[Difference]:
    """Name the fields that differ, in order of pair and field.

    A value that one side did not say (None) is not compared; money is not compared between two currencies,
    and the order date not where we pushed the order; of a record that one side deleted only that is told.
    """
    rows, columns = judge_fields(entity, pairs, tolerances).to_numpy().nonzero()
    marked = [
        (row, FIELDS[entity][column]) for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    differing: dict[int, set[str]] = {}
    for row, field in marked:
        differing.setdefault(row, set()).add(field.name)
    return [_difference(row, pairs[row], field, differing[row]) for row, field in marked]


def judge_fields(entity: Entity, pairs: Sequence[RecordPair], tolerances: Tolerances) -> pd.DataFrame:
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
            ultracart.loc[rows, field.name], thiio.loc[rows, field.name], tolerances
        )
    if "currency" in differs:
        money = [field.name for field in fields if field.kind in (FieldKind.MONEY, FieldKind.LINES)]
        differs.loc[differs["currency"], money] = False
    if PLACED_AT.name in differs:
        differs.loc[[pair.evidence.is_pushed for pair in pairs], PLACED_AT.name] = False
    others = [field.name for field in fields if field is not IS_DELETED]
    differs.loc[differs[IS_DELETED.name], others] = False
    return differs


def _frame(records: Sequence[Customer | Order], fields: Sequence[ComparedField]) -> pd.DataFrame:
    columns = {field.name: [getattr(record, field.name) for record in records] for field in fields}
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def _difference(row: int, pair: RecordPair, field: ComparedField, differing: Set[str]) -> Difference:
    ours, theirs = getattr(pair.ultracart, field.name), getattr(pair.thiio, field.name)
    return Difference(
        row=row,
        field=field.name,
        ultracart_value=show_value(field, pair.ultracart),
        thiio_value=show_value(field, pair.thiio),
        amount_cents=ours - theirs if field.kind is FieldKind.MONEY else None,
        cause=find_cause(field, pair, differing),
    )


def _text_differs(ours: pd.Series[Any], theirs: pd.Series[Any], _tolerances: Tolerances) -> pd.Series[bool]:
    return ours.str.casefold() != theirs.str.casefold()


def _money_differs(ours: pd.Series[Any], theirs: pd.Series[Any], tolerances: Tolerances) -> pd.Series[bool]:
    return (ours.astype("int64") - theirs.astype("int64")).abs() > tolerances.cents


def _time_differs(ours: pd.Series[Any], theirs: pd.Series[Any], tolerances: Tolerances) -> pd.Series[bool]:
    pairs = zip(ours, theirs, strict=True)
    apart = [abs(here - there) > tolerances.time for here, there in pairs]
    return pd.Series(apart, index=ours.index, dtype=bool)


def _value_differs(ours: pd.Series[Any], theirs: pd.Series[Any], _tolerances: Tolerances) -> pd.Series[bool]:
    return ours != theirs


def _set_differs(ours: pd.Series[Any], theirs: pd.Series[Any], _tolerances: Tolerances) -> pd.Series[bool]:
    return ours.map(_fold_set) != theirs.map(_fold_set)


def _lines_differ(ours: pd.Series[Any], theirs: pd.Series[Any], tolerances: Tolerances) -> pd.Series[bool]:
    pairs = zip(ours, theirs, strict=True)
    apart = [not same_lines(*pair, tolerances.cents) for pair in pairs]
    return pd.Series(apart, index=ours.index, dtype=bool)


DIFFERS: dict[FieldKind, Callable[[pd.Series[Any], pd.Series[Any], Tolerances], pd.Series[bool]]] = {
    FieldKind.TEXT: _text_differs,
    FieldKind.MONEY: _money_differs,
    FieldKind.SET: _set_differs,
    FieldKind.FLAG: _value_differs,
    FieldKind.STATUS: _value_differs,
    FieldKind.TIME: _time_differs,
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
    for line in lines:
        if line.is_component:
            continue
        # A product without mapping is no item of UltraCart's: it must not meet another one by chance.
        item = line.item_id.casefold() if line.item_id else f"product {line.product_id}"
        quantity, cents = sums.get(item, LineSums(Decimal(0), Decimal(0)))
        if cents is not None and line.unit_price_cents is not None:
            cents += line.unit_price_cents * line.quantity
        else:
            cents = None
        sums[item] = LineSums(quantity + line.quantity, cents)
    return sums


def _fold_set(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({value.casefold() for value in values}))
