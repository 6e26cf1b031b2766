"""Each documented filter of orders and customers finds what it names, or says that there is no such thing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tasks.ultracart.sandbox.document import load_document, schema_of
from tasks.ultracart.sandbox.order_filters import FILTERS
from tasks.ultracart.sandbox.server import UltraCartSandbox

PHONE_ORDER: dict[str, Any] = {
    "channel_partner_order_id": "THIIO-1",
    "email": "nora@example.com",
    "cc_email": "boss@example.com",
    "payment_method": "Purchase Order",
    "purchase_order_number": "PO-17",
    "screen_branding_theme_code": "CSTM",
    "ship_on_date": "2026-12-24T00:00:00-05:00",
    "custom_field1": "agent 7",
    "custom_field7": "y",
    "items": [{"merchant_item_id": "BONE", "quantity": 1}],
}
CARD_ORDER: dict[str, Any] = {
    **PHONE_ORDER,
    "channel_partner_order_id": "THIIO-2",
    "payment_method": "Credit Card",
    "skip_payment_processing": True,
    "rotating_transaction_gateway_code": "STRIPE1",
    "transaction": {"successful": True, "details": [{"name": "Transaction ID", "value": "T-1"}]},
}
GATEWAY = {"name": "rotatingTransactionGatewayCode", "value": "STRIPE1"}
PROOF = {"name": "Transaction ID", "value": "T-1"}
UNKNOWN_HERE = {"rma", "card_bin", "card_last4"}

Import = Callable[[dict[str, Any]], str]


@pytest.fixture
def take(http: httpx.Client) -> Import:
    """Import an order; gives its id."""
    return lambda order: str(http.post("/channel_partner/import", json=order).json()["order_id"])


def query(http: httpx.Client, **wanted: Any) -> list[str]:
    """The ids of the orders that a query finds."""
    answer = http.post("/order/orders/query", params={"_limit": 200}, json=wanted).json()
    return [order["order_id"] for order in answer["orders"]]


@pytest.mark.parametrize(
    ("fitting", "other"),
    [
        ({"cc_email": "BOSS@example.com"}, {"cc_email": "nora@example.com"}),
        ({"purchase_order_number": "PO-17"}, {"purchase_order_number": "PO-1"}),
        ({"screen_branding_theme_code": "CSTM"}, {"screen_branding_theme_code": "DFLT"}),
        ({"custom_field_1": "agent 7"}, {"custom_field_1": "agent"}),
        ({"custom_field_7": "Y"}, {"custom_field_10": "Y"}),
        (
            {"shipped_on_date_begin": "2026-12-24T00:00:00-05:00"},
            {"shipped_on_date_begin": "2026-12-24T00:00:01-05:00"},
        ),
        (
            {"shipped_on_date_end": "2026-12-24T05:00:00Z"},
            {"shipped_on_date_end": "2026-12-24T04:59:59Z"},
        ),
    ],
)
def test_an_order_is_found_by(
    http: httpx.Client, take: Import, fitting: dict[str, str], other: dict[str, str]
) -> None:
    """Alone among all the orders of the shop, and not by another value."""
    order_id = take(PHONE_ORDER)

    assert (query(http, **fitting), query(http, **other)) == ([order_id], [])


def test_every_documented_filter_is_answered_or_refused_as_unknown_here() -> None:
    """By GET and by query; none is forgotten, and none is made up."""
    parameters = load_document()["paths"]["/order/orders"]["get"]["parameters"]
    names = {each["name"] for each in parameters} | set(schema_of("OrderQuery")["properties"])
    documented = {name for name in names if not name.startswith("_")}

    assert documented - FILTERS.keys() == UNKNOWN_HERE | {"query_target", "payment_transaction_filters"}
    assert FILTERS.keys() <= documented


@pytest.mark.parametrize("name", sorted(UNKNOWN_HERE))
def test_what_the_shop_does_not_have_is_a_501(http: httpx.Client, name: str) -> None:
    """An empty list would tell that there is no such order."""
    answer = http.post("/order/orders/query", json={name: "1234", "query_target": "cache"})

    assert (answer.status_code, answer.headers["uc-rest-error"]) == (
        501, f"This stand-in does not filter orders by {name}.",
    )  # fmt: skip


def test_an_order_is_found_by_its_transaction(
    http: httpx.Client, take: Import, ultracart: UltraCartSandbox
) -> None:
    """All pairs must be of one transaction, of which the gateway is one; the origin cannot tell."""
    order_id, other_id = take(CARD_ORDER), ultracart.place_order("nora@example.com")
    now = ultracart.store.clock()
    ultracart.store.clock = lambda: now + timedelta(minutes=10)
    since = {"creation_date_begin": now.isoformat(), "query_target": "cache"}

    def found(*pairs: dict[str, str]) -> list[str]:
        return query(http, payment_transaction_filters=list(pairs), **since)

    assert found(GATEWAY) == [order_id, other_id]
    assert found(GATEWAY, PROOF) == found(PROOF) == [order_id]
    assert found(PROOF | {"value": "T-2"}) == found(GATEWAY | {"value": "NMI-BACKUP"}) == []
    refused = http.post("/order/orders/query", json={"payment_transaction_filters": [GATEWAY]})
    assert (refused.status_code, refused.headers["uc-rest-error"]) == (
        400, "payment_transaction_filters requires query_target=cache.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fitting", "other"),
    [
        ({"all_tags": ["vip", "dog"]}, {"all_tags": ["vip", "cat"]}),
        ({"any_tags": ["cat", "dog"]}, {"any_tags": ["cat"]}),
        ({"pricing_tier_oid": 12}, {"pricing_tier_oid": 1}),
        ({"pricing_tier_name": "Wholesale"}, {"pricing_tier_name": "Retail"}),
    ],
)
def test_a_customer_is_found_by(http: httpx.Client, fitting: dict[str, Any], other: dict[str, Any]) -> None:
    """Alone among all the customers of the shop, and not by another value."""
    customer = {
        "email": "tagged@example.com",
        "tags": [{"tag_value": "vip"}, {"tag_value": "dog"}],
        "pricing_tiers": [{"pricing_tier_oid": 12, "name": "Wholesale"}],
    }
    http.post("/customer/customers", json=customer).raise_for_status()

    def found(wanted: dict[str, Any]) -> list[str]:
        answer = http.post("/customer/customers/query", params={"_limit": 200}, json=wanted).json()
        return [each["email"] for each in answer["customers"]]

    assert (found(fitting), found(other)) == (["tagged@example.com"], [])


def test_a_time_that_no_calendar_has_everywhere_is_refused(http: httpx.Client) -> None:
    """The year 1 in UTC is before the first year in New York."""
    order = PHONE_ORDER | {"ship_on_date": "0001-01-01T00:00:00+00:00"}
    answer = http.post("/channel_partner/import", json=order)

    assert (answer.status_code, answer.headers["uc-rest-error"]) == (400, "ship_on_date is not of our time.")


def test_a_refund_names_its_amounts_or_changes_nothing(http: httpx.Client, take: Import) -> None:
    """An amount without value is refused before anything is given back."""
    order_id = take(CARD_ORDER)
    body = {"summary": {"total_refunded": {"value": 1}}, "items": [{"item_index": 1, "total_refunded": {}}]}
    refused = http.put(f"/order/orders/{order_id}/refund", json=body)

    assert (refused.status_code, refused.headers["uc-rest-error"]) == (
        400, "total_refunded of item BONE has no value.",
    )  # fmt: skip
    assert "refund_dts" not in http.get(f"/order/orders/{order_id}").json()["order"]


@pytest.mark.parametrize(("said", "stage"), [("True", "Rejected"), ("false", "Shipping Department")])
def test_a_refund_may_reject_the_order(http: httpx.Client, take: Import, said: str, stage: str) -> None:
    """The vendor's SDK writes the switch with a capital."""
    order_id = take(CARD_ORDER)
    body = {"summary": {"total_refunded": {"value": 1}}}
    answer = http.put(f"/order/orders/{order_id}/refund", params={"reject_after_refund": said}, json=body)

    assert answer.json()["order"]["current_stage"] == stage
