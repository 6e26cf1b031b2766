"""Money and times survive the way from the stand-in over HTTP into our records, to cent and second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tasks.records.models import Order, Window
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.serialize import Money, show_time
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tasks.ultracart.translate import to_customer, to_order

ORDER_ID = "DEMO-0009100001"
CENTS = st.integers(0, 10**12)
# A day around each change of the clocks of 2026 in New York (March 8, 7:00 UTC; November 1, 6:00 UTC).
SPRING, AUTUMN = datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)
INSTANTS = st.one_of(
    st.integers(0, 4_102_444_799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    *(
        st.integers(-43_200, 43_200).map(lambda seconds, night=night: night + timedelta(seconds=seconds))
        for night in (SPRING, AUTUMN)
    ),
)
# The fixtures are the stand-in and its client; each example puts its own values into the same order.
bounded = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_order(client: UltraCartClient) -> Order:
    """Fetch the order and translate it."""
    (order,) = client.fetch_orders([ORDER_ID])
    return to_order(order, "US")


@given(subtotal=CENTS, shipping=CENTS, tax=CENTS, refunded=CENTS, price=CENTS)
@example(subtotal=1863, shipping=1203, tax=160, refunded=0, price=1)  # 18.63 is no number of a float
@example(subtotal=10**12, shipping=10**12 - 1, tax=1, refunded=99, price=10**12 - 1)
@bounded
def test_money_survives(
    client: UltraCartClient,
    ultracart: UltraCartSandbox,
    subtotal: int,
    shipping: int,
    tax: int,
    refunded: int,
    price: int,
) -> None:
    """Any cents up to ten thousand million dollars, on the order and on a line."""
    order = ultracart.store.orders[ORDER_ID]
    order["summary"] = {
        "subtotal": Money(subtotal),
        "subtotal_discount": Money(0),
        "shipping_handling_total": Money(shipping),
        "tax": Money(tax),
        "total": Money(subtotal + shipping + tax),
        "total_refunded": Money(refunded),
    }
    order["items"] = [order["items"][0] | {"cost": Money(price), "quantity": 3}]
    record = read_order(client)

    total = subtotal + shipping + tax
    assert (record.subtotal_cents, record.shipping_cents, record.tax_cents) == (subtotal, shipping, tax)
    assert (record.total_cents, record.refunded_cents) == (total, refunded)
    assert record.lines is not None
    assert [(line.unit_price_cents, line.total_cents, line.quantity) for line in record.lines] == [
        (price, 3 * price, Decimal(3))
    ]


@given(cents=CENTS)
@example(cents=10**12 - 1)
@bounded
def test_money_survives_the_way_to_ultracart(
    http: httpx.Client, client: UltraCartClient, ultracart: UltraCartSandbox, cents: int
) -> None:
    """An imported order holds to the cent what the body named, and so does the record that is read back."""
    ultracart.store.takes_duplicate_imports = True
    body = {
        "channel_partner_order_id": "THIIO-1",
        "email": "nora@example.com",
        "payment_method": "Purchase Order",
        "items": [{"merchant_item_id": "BONE", "quantity": 1, "arbitrary_unit_cost": cents / 100}],
        "arbitrary_tax": cents / 100,
        "arbitrary_shipping_handling_total": cents / 100,
    }
    order_id = http.post("/channel_partner/import", json=body).json()["order_id"]
    record = to_order(client.fetch_orders([order_id])[0], "US")

    assert (record.subtotal_cents, record.tax_cents, record.shipping_cents, record.total_cents) == (
        cents, cents, cents, 3 * cents,
    )  # fmt: skip


@given(placed=INSTANTS, paid=INSTANTS, shipped=INSTANTS, refunded=INSTANTS, rejected=INSTANTS)
@example(
    placed=AUTUMN - timedelta(minutes=30),  # 01:30, once in summer time …
    paid=AUTUMN + timedelta(minutes=30),  # … and once more in winter time
    shipped=SPRING - timedelta(seconds=1),
    refunded=SPRING,
    rejected=AUTUMN,
)
@bounded
def test_times_of_an_order_survive(
    client: UltraCartClient,
    ultracart: UltraCartSandbox,
    placed: datetime,
    paid: datetime,
    shipped: datetime,
    refunded: datetime,
    rejected: datetime,
) -> None:
    """Any second from 1970 to 2099, in both nights on which the clocks change too; all are kept in UTC."""
    ultracart.store.deletes_old_rejected = False
    order = ultracart.store.orders[ORDER_ID]
    order |= {"creation_dts": placed, "refund_dts": refunded, "reject_dts": rejected}
    order["payment"]["payment_dts"] = paid
    order["shipping"]["shipping_date"] = shipped
    order["items"] = [item | {"shipped_dts": shipped} for item in order["items"]]
    record = read_order(client)

    assert (record.placed_at, record.shipped_at, record.refunded_at, record.rejected_at) == (
        placed, shipped, refunded, rejected,
    )  # fmt: skip
    assert record.as_of == max(placed, paid, shipped, refunded, rejected)
    assert {each.utcoffset() for each in (record.placed_at, record.as_of) if each} == {timedelta(0)}


@given(signed_up=INSTANTS, age=st.integers(0, 10**8))
@bounded
def test_times_of_a_customer_survive(
    client: UltraCartClient, ultracart: UltraCartSandbox, signed_up: datetime, age: int
) -> None:
    """The same for the dates that incremental reading depends on."""
    changed = signed_up + timedelta(seconds=age)
    ultracart.store.customers[1_000_001] |= {"signup_dts": signed_up, "last_modified_dts": changed}
    found = client.find_customer("1000001")

    assert found is not None
    record = to_customer(found, "US")
    assert (record.created_at, record.as_of) == (signed_up, changed)


@pytest.mark.parametrize("night", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_no_second_of_a_changing_night_is_written_like_another(night: datetime) -> None:
    """The offset tells apart the hour that comes twice, and the hour left out is never written."""
    instants = [night + timedelta(minutes=minutes) for minutes in range(-180, 181)]
    texts = [show_time(instant) for instant in instants]

    assert [datetime.fromisoformat(text) for text in texts] == instants
    assert len(set(texts)) == len(texts)
    assert {text[-6:] for text in texts} == {"-04:00", "-05:00"}


@given(
    placed=INSTANTS, zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
)
@bounded
def test_a_window_is_cut_at_the_second_in_any_zone(
    client: UltraCartClient, ultracart: UltraCartSandbox, placed: datetime, zone: str
) -> None:
    """An order placed at its start is in, one placed at its end is not, however the window is written."""
    only = ultracart.store.orders[ORDER_ID]
    ultracart.store.orders = {ORDER_ID: only | {"creation_dts": placed}}
    second, local = timedelta(seconds=1), placed.astimezone(ZoneInfo(zone))

    def found(window: Window) -> list[Any]:
        return [order.order_id for page in client.iter_orders(window) for order in page]

    assert found(Window(local, placed + second)) == [ORDER_ID]
    assert found(Window(placed - second, local)) == []
