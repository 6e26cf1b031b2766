"""The body of an import: complete, in UltraCart's words, and as the vendor's own model takes it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from ultracart.exceptions import ApiValueError

from tasks.push.order_body import Draft, draft_import
from tasks.records.models import Address, PhoneOrder
from tests.push.phone_orders import GRACE, PIER, make_mapping, make_phone_line, make_phone_order
from tests.push.vendor_model import check_by_vendor

FIXED: dict[str, Any] = {
    "channel_partner_order_id": "THIIO-17",
    "email": "grace.hopper@example.com",
    "associate_with_customer_profile_if_present": True,
    "treat_warnings_as_errors": True,
    "store_completed": False,
    "shipping_method": "UPS: Ground",
}
BONES = {"merchant_item_id": "BONE", "quantity": 2, "arbitrary_unit_cost": Decimal("5.00")}
AMOUNTS = {"arbitrary_shipping_handling_total": Decimal("8.99"), "arbitrary_tax": Decimal("0.83")}
BY_CARD = {"payment_method": "Credit Card", "rotating_transaction_gateway_code": "STRIPE1"}
PAID = {
    "skip_payment_processing": True,
    "transaction": {
        "successful": True,
        "details": [
            {"name": "Authorization Code", "value": "A12345"},
            {"name": "Transaction ID", "value": "ch_1"},
        ],
    },
}
TO_COLLECT = {"no_realtime_payment_processing": True}


def to_grace(kind: str) -> dict[str, str]:
    """Grace's address under the import's names."""
    return {
        f"{kind}_first_name": "Grace",
        f"{kind}_last_name": "Hopper",
        f"{kind}_address1": "1 Harbor Way",
        f"{kind}_city": "San Francisco",
        f"{kind}_state_region": "CA",
        f"{kind}_postal_code": "94107",
        f"{kind}_country_code": "US",
        f"{kind}_day_phone": "+14155550132",
    }


def draft(phone: PhoneOrder) -> Draft:
    """Draft the import of an order."""
    return draft_import(phone, make_mapping(), "THIIO-")


def test_a_paid_order_goes_in_with_the_proof_of_its_charge() -> None:
    """UltraCart charges nothing, and ships; tax and shipping are those that the customer was told."""
    assert draft(make_phone_order()) == Draft(
        partner_order_id="THIIO-17",
        body={
            **FIXED, **AMOUNTS, **BY_CARD, **PAID, "items": [BONES], **to_grace("billto"),
            **to_grace("shipto"),
        },
        problems=(),
    )  # fmt: skip


def test_an_unpaid_order_goes_in_as_to_be_collected() -> None:
    """UltraCart charges nothing either, and puts it under Accounts Receivable."""
    unpaid = make_phone_order(paid_at=None, transaction={})

    assert draft(unpaid) == Draft(
        partner_order_id="THIIO-17",
        body={
            **FIXED, **AMOUNTS, **BY_CARD, **TO_COLLECT, "items": [BONES], **to_grace("billto"),
            **to_grace("shipto"),
        },
        problems=(),
    )  # fmt: skip


def test_discount_and_fractional_quantity_are_sent_to_the_cent() -> None:
    """One and a half bats at 49.98 are 74.97; less 10.00, with shipping and tax 74.79."""
    order = make_phone_order(
        lines=(
            make_phone_line(product_id="301", quantity=Decimal("1.500"), unit_price_cents=4998),
            make_phone_line(position=2, quantity=Decimal("1.000"), unit_price_cents=0),
        ),
        discount_cents=1000,
        total_cents=7479,
        shipping_method=None,
    )
    body = draft(order).body

    assert draft(order).problems == ()
    assert body == {
        **{name: value for name, value in FIXED.items() if name != "shipping_method"},
        **AMOUNTS,
        "arbitrary_subtotal_discount": Decimal("10.00"),
        **BY_CARD,
        **PAID,
        "items": [
            {
                "merchant_item_id": "Baseball Bat",
                "quantity": Decimal("1.5"),
                "arbitrary_unit_cost": Decimal("49.98"),
            },
            {"merchant_item_id": "BONE", "quantity": 1, "arbitrary_unit_cost": Decimal("0.00")},
        ],
        **to_grace("billto"),
        **to_grace("shipto"),
    }


def test_components_of_a_kit_are_left_out() -> None:
    """UltraCart adds them itself; here they need no mapping and count for no sum."""
    component = make_phone_line(position=2, product_id=None, unit_price_cents=None, is_component=True)
    order = make_phone_order(lines=(make_phone_line(), component))

    assert (draft(order).body["items"], draft(order).problems) == ([BONES], ())


@pytest.mark.parametrize(
    ("shipping", "shipped_to"),
    [
        pytest.param(Address(), to_grace("shipto"), id="none: to the billing address"),
        pytest.param(
            Address(first_name="Howard", city="Oakland"), to_grace("shipto"), id="no street: the same"
        ),
        pytest.param(
            PIER,
            {
                "shipto_first_name": "Howard", "shipto_last_name": "Aiken", "shipto_company": "Mark I",
                "shipto_address1": "2 Pier St", "shipto_address2": "Floor 3", "shipto_city": "Oakland",
                "shipto_state_region": "CA", "shipto_postal_code": "94607", "shipto_country_code": "US",
            },
            id="its own, with company and second line",
        ),
    ],
)  # fmt: skip
def test_where_it_is_shipped_to(shipping: Address, shipped_to: dict[str, str]) -> None:
    """What is empty is left out; the billing address stays what it is."""
    made = draft(make_phone_order(shipping=shipping))
    addresses = {name: value for name, value in made.body.items() if "to_" in name}

    assert made.problems == ()
    assert addresses == {**to_grace("billto"), **shipped_to}


@pytest.mark.parametrize(
    ("method", "gateway_id", "payment"),
    [
        pytest.param("credit card", "1", BY_CARD, id="card in another case"),
        pytest.param("PayPal", None, {"payment_method": "PayPal"}, id="PayPal without gateway"),
        pytest.param("paypal", "1", {"payment_method": "PayPal"}, id="PayPal names no code"),
        pytest.param("Check", "77", {"payment_method": "Check"}, id="check, gateway of no matter"),
        pytest.param("Wire Transfer", None, {"payment_method": "Wire Transfer"}, id="transfer"),
    ],
)
def test_only_cards_name_a_gateway(method: str, gateway_id: str | None, payment: dict[str, str]) -> None:
    """The method is spelt as UltraCart does."""
    made = draft(make_phone_order(payment_method=method, gateway_id=gateway_id))

    assert made.problems == ()
    assert {name: made.body[name] for name in (*BY_CARD, *PAID) if name in made.body} == {**payment, **PAID}


def test_amounts_are_written_as_they_are() -> None:
    """19.82 stays 19.82: no amount passes a float."""
    written = msgspec.json.Encoder(decimal_format="number").encode(
        draft(make_phone_order(tax_cents=10, total_cents=1909)).body
    )

    assert b'"arbitrary_unit_cost":5.00' in written
    assert b'"arbitrary_shipping_handling_total":8.99,"arbitrary_tax":0.10,' in written


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(make_phone_order(), id="paid"),
        pytest.param(make_phone_order(paid_at=None, transaction={}), id="to be collected"),
        pytest.param(make_phone_order(shipping=PIER), id="shipped elsewhere"),
        pytest.param(make_phone_order(shipping=Address()), id="without shipping address"),
        pytest.param(make_phone_order(payment_method="Check", gateway_id=None), id="check"),
        pytest.param(
            make_phone_order(lines=(make_phone_line(quantity=Decimal("1.5")),), total_cents=1732),
            id="fractional quantity",
        ),
        pytest.param(make_phone_order(discount_cents=82, total_cents=1900), id="discount"),
        pytest.param(
            make_phone_order(
                billing=replace(
                    GRACE, first_name="x" * 30, last_name="x" * 30, company="x" * 50, line1="x" * 50,
                    line2="x" * 50, city="x" * 32, state="x" * 32, postal_code="x" * 20, phone="5" * 25,
                ),
                email=f"{'x' * 60}@{'y' * 35}.com",
            ),
            id="everything as long as it may be",
        ),
    ],
)  # fmt: skip
def test_the_vendors_model_takes_what_has_no_problem(order: PhoneOrder) -> None:
    """It checks types, words and lengths of order and items, and reads the same order out of it."""
    made = draft(order)
    model = check_by_vendor(made.body)

    assert made.problems == ()
    assert (model.channel_partner_order_id, model.email) == ("THIIO-17", order.order.email)
    assert model.payment_method == order.order.payment_method
    assert [item.merchant_item_id for item in model["items"]] == ["BONE"]
    assert [item.quantity for item in model["items"]] == [float(made.body["items"][0]["quantity"])]


def test_the_vendors_model_is_a_judge() -> None:
    """It refuses a word and a length that UltraCart does not take: the test above can fail."""
    body = draft(make_phone_order()).body

    for wrong in ({"payment_method": "Cash"}, {"billto_city": "x" * 33}, {"shipto_country_code": "USA"}):
        with pytest.raises(ApiValueError):
            check_by_vendor({**body, **wrong})


def test_the_proof_of_a_charge_is_all_that_thiio_knows() -> None:
    """The details stand in the order of their names, whatever Thiio's order is."""
    proof = {"Transaction ID": "ch_2", "AVS Code": "Y", "Authorization Code": "B7"}
    details = draft(make_phone_order(transaction=proof)).body["transaction"]["details"]

    assert details == [
        {"name": "AVS Code", "value": "Y"},
        {"name": "Authorization Code", "value": "B7"},
        {"name": "Transaction ID", "value": "ch_2"},
    ]
