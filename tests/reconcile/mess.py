"""Two sides with some of everything that a comparison can meet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tasks.records.models import Customer, Order, OrderStatus
from tests.builders import make_order
from tests.reconcile.two_sides import NOW, WINDOW, in_thiio, make_customer_pair, make_two_sides

MINUTE = timedelta(minutes=1)


def make_mess(count: int = 60) -> list[Order | Customer]:
    """Pairs, differences, lone and young records, conflicts, deletions; `count` orders a side, about."""
    ultracart, thiio = make_two_sides(count)
    for number in range(0, count, 10):
        thiio[number] = replace(thiio[number], total_cents=ultracart[number].total_cents + 99)  # type: ignore[operator]
        thiio[number + 1] = replace(thiio[number + 1], city="Oslo", status=OrderStatus.UNKNOWN)
        thiio[number + 2] = replace(thiio[number + 2], other_side_id=None)
        ultracart[number + 2] = replace(
            ultracart[number + 2], partner_order_id=f"THIIO-{thiio[number + 2].id}"
        )
        # A refund after the window's end, of an order placed in it; a change in it, of one placed before it.
        thiio[number + 3] = replace(thiio[number + 3], as_of=NOW + 9 * MINUTE, refunded_cents=500)
        thiio[number + 4] = replace(thiio[number + 4], placed_at=WINDOW.start - MINUTE, tax_cents=1)
        thiio[number + 5] = replace(thiio[number + 5], as_of=NOW - MINUTE, tax_cents=1)
        thiio[number + 6] = replace(thiio[number + 6], is_deleted=True)
    # Two Thiio orders name one of UltraCart's, in parts of the window that are far from each other.
    rivals = [in_thiio(ultracart[7], f"rival-{n}") for n in (1, 2)]
    rivals[1] = replace(rivals[1], placed_at=WINDOW.start + MINUTE, as_of=WINDOW.start + MINUTE)
    customers = [record for number in range(9) for record in make_customer_pair(number)]
    twin = replace(customers[0], id="twin")
    moved = replace(customers[3], city="Bergen", as_of=NOW - timedelta(days=2))
    return [
        *ultracart[: count - 5], *thiio[5:], *thiio[:3], *rivals, make_order("D-alone"),
        *customers[:3], moved, *customers[4:12], *customers[13:], twin,
    ]  # fmt: skip
