"""Any phone order: what is sent is complete, in UltraCart's form, and comes to what Thiio says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.push import limits
from tasks.push.mapping import Mapping, read_mapping
from tasks.push.order_body import draft_import
from tasks.records.item_rules import ItemKeys
from tasks.records.models import PhoneLine, PhoneOrder
from tests.builders import NOON
from tests.push.desk import ITEM_ID_KEY, Desk
from tests.push.phone_orders import CHARGED, GRACE, make_phone_order
from tests.push.vendor_model import check_by_vendor

REQUIRED = ("channel_partner_order_id", "email", "payment_method", "items")
"""What a body must have: the vendor's guides and call-centre checklist (its pages 1376837 and 1376938)."""

cents = st.integers(0, 300_000)
quantities = st.one_of(
    st.integers(1, 40).map(Decimal),
    st.sampled_from(["0.5", "1.5", "2.5", "0.250"]).map(Decimal),
    st.decimals("0.001", "20", places=3, allow_nan=False),
)
# Also blank, longer than UltraCart takes, and with letters that are none of ASCII.
texts = st.one_of(st.sampled_from(["", "  "]), st.text(st.characters(categories=["L"]), max_size=60))
addresses = st.one_of(
    st.just(GRACE),
    st.builds(
        lambda name, text: replace(GRACE, **{name: text}), st.sampled_from([*limits.ADDRESS_FIELDS]), texts
    ),
)


@st.composite
def phone_orders(draw: st.DrawFn, product_ids: list[str], numbers: Callable[[], int]) -> PhoneOrder:
    """An order as agents take them: kits with their parts, things for nothing, discounts, any total."""
    sold = draw(st.lists(st.tuples(st.sampled_from(product_ids), quantities, cents), min_size=1, max_size=5))
    lines = [
        PhoneLine(position=at, product_id=id, quantity=quantity, unit_price_cents=price)
        for at, (id, quantity, price) in enumerate(sold, start=1)
    ]
    parts = draw(st.lists(st.sampled_from(product_ids), max_size=3))
    lines += [
        PhoneLine(position=90, product_id=id, quantity=Decimal(1), unit_price_cents=0, is_component=True)
        for id in parts
    ]
    subtotal = sum(half_up(quantity * price) for _, quantity, price in sold)
    discount, shipping, tax = draw(st.integers(0, subtotal)), draw(cents), draw(cents)
    is_paid = draw(st.booleans())
    phone = make_phone_order(
        billing=draw(addresses), shipping=draw(addresses),
        paid_at=NOON if is_paid else None, transaction=CHARGED if is_paid else {},
        payment_method=draw(st.sampled_from(["Credit Card", "check", "PayPal", "Cash"])),
        lines=tuple(lines), discount_cents=discount, shipping_cents=shipping, tax_cents=tax,
        total_cents=subtotal - discount + shipping + tax + draw(st.sampled_from([0, 0, 0, 1])),
    )  # fmt: skip
    return replace(phone, order=replace(phone.order, id=str(numbers())))


def half_up(amount: Decimal) -> int:
    """Whole cents, half a cent rounded up."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def test_whatever_has_no_problem_arrives_with_thiios_total(desk: Desk) -> None:
    """The body adds up to the cent, the vendor's model takes it, and the order made of it has its total."""
    numbers = count(1).__next__
    mapping = mapping_of(desk)
    products = sorted(id for id, product in mapping.products.items() if product.metadata.get(ITEM_ID_KEY))
    sent: list[int] = []

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
    @given(phone=phone_orders(products, numbers))
    def check(phone: PhoneOrder) -> None:
        draft = draft_import(phone, mapping, "THIIO-")
        if draft.problems:
            return
        assert_is_complete(draft.body)
        check_by_vendor(draft.body)
        assert sum_of(draft.body) == phone.order.total_cents
        order_id = desk.client.import_order(draft.body).order_id
        assert desk.ultracart.store.orders[order_id]["summary"]["total"].cents == phone.order.total_cents
        sent.append(phone.order.total_cents or 0)

    check()
    assert len(sent) > 20


def assert_is_complete(body: dict[str, Any]) -> None:
    """Nothing that is required is missing, and no text is longer than UltraCart takes."""
    assert all(body.get(name) for name in REQUIRED)
    assert all(item["merchant_item_id"] and item["quantity"] > 0 for item in body["items"])
    for prefix in ("billto_", "shipto_"):
        for ours, (theirs, longest, _) in limits.ADDRESS_FIELDS.items():
            value = body.get(prefix + theirs) or ""
            assert len(value) <= longest
            assert value.strip() or ours not in limits.REQUIRED_ADDRESS


def sum_of(body: dict[str, Any]) -> int:
    """Add up a body in cents, as it arrives."""
    sent = msgspec.json.Decoder(float_hook=Decimal).decode(
        msgspec.json.Encoder(decimal_format="number").encode(body)
    )
    lines = sum(half_up(item["arbitrary_unit_cost"] * 100 * item["quantity"]) for item in sent["items"])
    extra = sent["arbitrary_shipping_handling_total"] + sent["arbitrary_tax"]
    return lines + int((extra - sent.get("arbitrary_subtotal_discount", 0)) * 100)


def mapping_of(desk: Desk) -> Mapping:
    """The mapping by both catalogues, as a run reads it."""
    with desk.engine.connect() as connection:
        return read_mapping(connection, ItemKeys())
