"""Each documented payload gives exactly this record; each stage this status."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.errors import InvalidRecord
from tasks.records.models import Customer, Order, OrderLine, OrderStatus, Product, Side
from tasks.ultracart import wire
from tasks.ultracart.translate import STATUS_OF_STAGE, to_customer, to_order, to_product
from tasks.ultracart.webhook_body import read_event, split_body

PAYLOADS = Path(__file__).parent.parent / "payloads"
WEBHOOK_PARTS = frozenset({"core", "billing", "shipping", "items", "summary", "payment"})

CREATED = Customer(
    side=Side.ULTRACART,
    id="1234567",
    as_of=datetime(2026, 10, 30, 13, 15, tzinfo=UTC),
    created_at=datetime(2026, 10, 30, 13, 15, tzinfo=UTC),
    email="Ada.Byron@example.com",
    email_key="ada.byron@example.com",
    first_name="Ada",
    last_name="Byron",
    phone="+14085550123",
    line1="1 Main St",
    city="San Jose",
    state="CA",
    postal_code="95131",
    country="US",
)
UNPAID = Order(
    side=Side.ULTRACART,
    id="DEMO-0009104420",
    as_of=datetime(2026, 11, 2, 17, 10, 19, tzinfo=UTC),
    parts=WEBHOOK_PARTS | {"customer"},
    placed_at=datetime(2026, 11, 2, 17, 10, 19, tzinfo=UTC),
    status=OrderStatus.UNPAID,
    stage="Accounts Receivable",
    customer_id="1234567",
    email="Ada.Byron@example.com",
    email_key="ada.byron@example.com",
    first_name="Ada",
    last_name="Byron",
    phone="+14085550123",
    line1="1 Main St",
    city="San Jose",
    state="CA",
    postal_code="95131",
    country="US",
    currency="USD",
    subtotal_cents=500,
    discount_cents=0,
    shipping_cents=1203,
    tax_cents=160,
    total_cents=1863,
    refunded_cents=0,
    payment_method="Check",
    payment_status="Unprocessed",
    is_test=False,
    tracking_numbers=(),
    shipping_method="USPS: Priority Mail",
    lines=(
        OrderLine(
            position=1,
            item_id="BONE",
            description="Rawhide bone",
            quantity=Decimal(1),
            unit_price_cents=500,
            total_cents=500,
        ),
    ),
)
PAID = replace(UNPAID, payment_method="Credit Card", payment_status="Processed", gateway_code="STRIPE1")
SHIPPED_AT = datetime(2026, 11, 3, 20, 20, tzinfo=UTC)
REFUNDED_AT = datetime(2026, 11, 4, 16, 39, 11, tzinfo=UTC)
REJECTED_AT = datetime(2026, 11, 3, 13, tzinfo=UTC)

EXPECTED: dict[str, Customer | Order] = {
    "customer_create": CREATED,
    "customer_update": replace(
        CREATED, as_of=datetime(2026, 11, 2, 23, 0, 30, tzinfo=UTC), phone="+14085550199", line2="Apt 4"
    ),
    "order_create": UNPAID,
    "order_create_imported": replace(
        PAID,
        id="DEMO-0009104421",
        as_of=datetime(2026, 11, 2, 17, 10, 25, tzinfo=UTC),
        parts=WEBHOOK_PARTS | {"partner"},
        status=OrderStatus.PROCESSING,
        stage="Shipping Department",
        customer_id=None,
        subtotal_cents=2000,
        discount_cents=200,
        shipping_cents=296,
        tax_cents=0,
        total_cents=2096,
        is_test=True,
        partner_order_id="THIIO-8812",
        lines=(
            OrderLine(
                position=1,
                item_id="KIT-PUPPY",
                description="Puppy starter kit",
                quantity=Decimal(2),
                unit_price_cents=1000,
                total_cents=2000,
            ),
            OrderLine(
                position=2,
                item_id="COLLAR-S",
                description="Collar, small",
                quantity=Decimal(2),
                unit_price_cents=0,
                total_cents=0,
                is_component=True,
            ),
        ),
    ),
    "order_refund": replace(
        PAID,
        as_of=REFUNDED_AT,
        status=OrderStatus.COMPLETED,
        stage="Completed Order",
        payment_status="Refunded",
        refunded_cents=1863,
        refunded_at=REFUNDED_AT,
    ),
    "order_reject": Order(
        side=Side.ULTRACART,
        id="DEMO-0009104420",
        as_of=REJECTED_AT,
        parts=frozenset({"core"}),
        placed_at=UNPAID.placed_at,
        status=OrderStatus.REJECTED,
        stage="Rejected",
        currency="USD",
        rejected_at=REJECTED_AT,
    ),
    "order_ship": replace(
        PAID,
        as_of=SHIPPED_AT,
        status=OrderStatus.COMPLETED,
        stage="Completed Order",
        shipped_at=SHIPPED_AT,
        tracking_numbers=("1Z999AA10123456784",),
    ),
}


@pytest.mark.parametrize(("file", "expected"), EXPECTED.items(), ids=EXPECTED)
def test_a_payload_gives_this_record(file: str, expected: Customer | Order) -> None:
    """From the body as delivered to the record, nothing left out."""
    body = json.dumps(json.loads((PAYLOADS / f"{file}.json").read_text())["body"]).encode()
    (event,) = split_body(body, 100_000)

    assert read_event(event.name, event.object_json, "US") == expected
    assert event.entity_id == expected.id


def stages_of_the_vendor() -> list[str]:
    """All stages that an order of the vendor's SDK may have."""
    from ultracart.model.order import Order as VendorOrder

    return list(VendorOrder.allowed_values[("current_stage",)].values())


@pytest.mark.parametrize("stage", stages_of_the_vendor())
def test_every_stage_has_a_status(stage: str) -> None:
    """No stage that the vendor knows today is unknown to us."""
    assert stage in STATUS_OF_STAGE


def order_from(**parts: Any) -> Order:
    """An order of a wire object with some parts."""
    given = {"order_id": "DEMO-1", "creation_dts": "2026-11-01T08:00:00-04:00", **parts}
    return to_order(msgspec.json.decode(json.dumps(given), type=wire.Order), "US")


@pytest.mark.parametrize(
    ("parts", "field", "expected"),
    [
        ({"current_stage": "Some New Stage"}, "status", OrderStatus.UNKNOWN),
        ({"summary": {"total": {"value": 20}}}, "total_cents", 2000),
        ({"summary": {"total": {"value": 0.1}}}, "total_cents", 10),
        ({"summary": {"total": {"value": 22.955}}}, "total_cents", 2296),
        ({"summary": {}}, "refunded_cents", 0),
        ({"summary": {}}, "total_cents", None),
        (
            {
                "summary": {
                    "shipping_handling_total": {"value": 9},
                    "shipping_handling_total_discount": {"value": 4},
                }
            },
            "shipping_cents",
            500,
        ),
        ({"payment": {}}, "is_test", False),
        ({"billing": {"day_phone": "020 7946 0123", "country_code": "GB"}}, "phone", "+442079460123"),
        ({"billing": {"day_phone": "", "evening_phone": "408 555 0101"}}, "phone", "+14085550101"),
        ({"billing": {"state_region": "Ontario", "country_code": "CA"}}, "state", "ON"),
        ({"billing": {"email": " Zoë@Example.COM "}}, "email_key", "zoë@example.com"),
        ({"billing": {"address2": "  "}}, "line2", None),
        ({"shipping": {"tracking_numbers": ["", " 1Z1 "]}}, "tracking_numbers", ("1Z1",)),
        ({"auto_order": {"original_order_id": "DEMO-0"}}, "original_order_id", "DEMO-0"),
        ({"auto_order": {"original_order_id": "DEMO-1"}}, "original_order_id", None),
    ],
)
def test_a_value_is_read_as(parts: dict[str, Any], field: str, expected: object) -> None:
    """One row a rule."""
    assert getattr(order_from(**parts), field) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, {"core"}),
        ({"billing": {}}, {"core", "billing"}),
        ({"items": []}, {"core", "items"}),
        ({"customer_profile": {"customer_profile_oid": 5}}, {"core", "customer"}),
        ({"auto_order": {}}, {"core", "rebill"}),
    ],
)
def test_a_part_that_was_not_sent_is_not_known(parts: dict[str, Any], expected: set[str]) -> None:
    """Absent means "not asked", so it must not overwrite what is known."""
    assert order_from(**parts).parts == expected


def test_fractions_of_a_quantity_are_kept() -> None:
    """UltraCart's quantities may be fractions; the line's total is rounded once."""
    order = order_from(items=[{"merchant_item_id": "ROPE", "quantity": 2.5, "cost": {"value": 1.01}}])

    assert order.lines == (
        OrderLine(position=1, item_id="ROPE", quantity=Decimal("2.5"), unit_price_cents=101, total_cents=253),
    )


@pytest.mark.parametrize("read", [lambda: to_customer(wire.Customer(customer_profile_oid=7), "US")])
def test_a_record_without_date_is_set_aside(read: Callable[[], Customer]) -> None:
    """Without a date it cannot be told from older news."""
    with pytest.raises(InvalidRecord, match="customer 7 carries no date"):
        read()


def test_an_item_becomes_a_product() -> None:
    """An item of kits only is not sold by itself."""
    item = wire.Item(merchant_item_id="STRAP", description=" Strap ", inactive=True, kit_component_only=True)

    assert to_product(item) == Product(
        side=Side.ULTRACART, id="STRAP", name="Strap", is_active=False, is_sold=False
    )
