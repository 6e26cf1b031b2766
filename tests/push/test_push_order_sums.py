"""Amounts: what is sent adds up to what the customer was told, to the cent, or is not sent."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.push.order_body import draft_import
from tasks.push.problem import Problem
from tasks.records.models import PhoneLine
from tests.push.phone_orders import make_mapping, make_phone_line, make_phone_order

CORRECT = "Correct the order in Thiio. The order goes out by itself with the next run."
CENT = Decimal("0.01")

cents = st.integers(0, 1_000_000)
quantities = st.one_of(
    st.integers(1, 500).map(Decimal), st.decimals("0.001", "50", places=3, allow_nan=False)
)
sold_lines = st.lists(
    st.builds(
        lambda price, quantity: make_phone_line(unit_price_cents=price, quantity=quantity), cents, quantities
    ),
    min_size=1,
    max_size=6,
)


def whole_cents(amount: Decimal) -> Decimal:
    """Half a cent is rounded up, as everywhere in our records."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def sum_of(body: dict[str, Any]) -> Decimal:
    """Add up a body as it arrives at UltraCart."""
    sent = msgspec.json.Decoder(float_hook=Decimal).decode(
        msgspec.json.Encoder(decimal_format="number").encode(body)
    )
    items = sum(whole_cents(item["arbitrary_unit_cost"] * item["quantity"]) for item in sent["items"])
    shipping, tax = sent["arbitrary_shipping_handling_total"], sent["arbitrary_tax"]
    return Decimal(items - sent.get("arbitrary_subtotal_discount", 0) + shipping + tax)


@given(lines=sold_lines, discount=cents, shipping=cents, tax=cents)
def test_the_amounts_of_a_body_add_up_to_the_total(
    lines: list[PhoneLine], discount: int, shipping: int, tax: int
) -> None:
    """For any prices, quantities, discount, shipping and tax: exactly, and a cent more or less is held."""
    sold = sum(whole_cents(Decimal(line.unit_price_cents or 0) / 100 * line.quantity) for line in lines)
    total = int(sold * 100) - discount + shipping + tax

    def draft(total_cents: int) -> Any:
        order = make_phone_order(
            lines=tuple(lines), discount_cents=discount, shipping_cents=shipping, tax_cents=tax,
            total_cents=total_cents,
        )  # fmt: skip
        return draft_import(order, make_mapping(), "THIIO-")

    assert draft(total).problems == ()
    assert sum_of(draft(total).body) == Decimal(total) / 100
    assert [len(draft(total + off).problems) for off in (-1, 1)] == [1, 1]


@pytest.mark.parametrize(
    ("price", "quantity", "total"),
    [
        pytest.param(500, "2", 1000, id="2 at 5.00 are 10.00"),
        pytest.param(333, "3", 999, id="3 at 3.33 are 9.99"),
        pytest.param(333, "1.5", 500, id="1.5 at 3.33 are 4.995, so 5.00"),
        pytest.param(5, "0.5", 3, id="0.5 at 0.05 are 0.025, so 0.03"),
        pytest.param(1, "0.4", 0, id="0.4 at 0.01 are 0.004, so 0.00"),
        pytest.param(0, "7", 0, id="7 for nothing"),
    ],
)
def test_half_a_cent_is_rounded_up(price: int, quantity: str, total: int) -> None:
    """As everywhere in our records."""
    line = make_phone_line(unit_price_cents=price, quantity=Decimal(quantity))
    order = make_phone_order(lines=(line,), shipping_cents=0, tax_cents=0, total_cents=total)

    assert draft_import(order, make_mapping(), "THIIO-").problems == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param(
            {"total_cents": 1983},
            "The total is 19.83 USD, but its parts (lines 10.00 USD, discount 0.00 USD, shipping 8.99 USD, "
            "tax 0.83 USD) make 19.82 USD.",
            id="a cent too much",
        ),
        pytest.param(
            {"discount_cents": 100},
            "The total is 19.82 USD, but its parts (lines 10.00 USD, discount -1.00 USD, shipping 8.99 USD, "
            "tax 0.83 USD) make 18.82 USD.",
            id="discount not taken off",
        ),
        pytest.param(
            {"tax_cents": None},
            "The total is 19.82 USD, but its parts (lines 10.00 USD, discount 0.00 USD, shipping 8.99 USD, "
            "tax 0.00 USD) make 18.99 USD.",
            id="tax not told",
        ),
        pytest.param(
            {"total_cents": None},
            "The total is –, but its parts (lines 10.00 USD, discount 0.00 USD, shipping 8.99 USD, "
            "tax 0.83 USD) make 19.82 USD.",
            id="no total",
        ),
    ],
)
def test_a_wrong_total_names_all_parts(changes: dict[str, Any], reason: str) -> None:
    """A person sees which of them is wrong."""
    made = draft_import(make_phone_order(**changes), make_mapping(), "THIIO-")

    assert made.problems == (Problem(reason, CORRECT),)
