"""Where UltraCart's documents are silent the stand-in can do either, and our client copes with both."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.errors import CredentialsRefused
from tasks.seed import Shop
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.server import UltraCartSandbox

ORDER = "/order/orders/DEMO-0009100001"
IMPORT: dict[str, Any] = {
    "channel_partner_order_id": "THIIO-1",
    "email": "nora@example.com",
    "payment_method": "Purchase Order",
    "items": [{"merchant_item_id": "BONE", "quantity": 1}],
}
# method, path, body, the permission it needs
CALLS: list[tuple[str, str, Any, str]] = [
    ("GET", "/customer/customers", None, "customer_read"),
    ("POST", "/customer/customers/query", {}, "customer_read"),
    ("POST", "/customer/customers", {"email": "new@example.com"}, "customer_write"),
    ("DELETE", "/customer/customers/1000001", None, "customer_write"),
    ("GET", ORDER, None, "order_read"),
    ("POST", "/order/orders/query", {"email": "nora@example.com"}, "order_read"),
    ("POST", "/order/orders/batch", {"order_ids": ["DEMO-1"]}, "order_read"),
    ("POST", f"{ORDER}/cancel", None, "order_write"),
    ("GET", "/item/items", None, "item_read"),
    ("GET", "/fraud/lookup_values", None, "configuration_read"),
    ("GET", "/channel_partner/channel_partners", None, "channel_partner_read"),
    ("POST", "/channel_partner/import", IMPORT, "channel_partner_write"),
    ("GET", "/webhook/webhooks", None, "webhook_read"),
    ("POST", "/webhook/webhooks", {"webhook_url": "https://hooks.example.com/"}, "webhook_write"),
]


def switch(ultracart: UltraCartSandbox, **switches: Any) -> httpx.Response:
    """Turn switches from another process."""
    return httpx.post(ultracart.base_url.removesuffix("/rest/v2") + "/_sandbox/switches", json=switches)


@pytest.mark.parametrize(
    "path",
    [
        "/order/orders/DEMO-0", "/order/orders/DEMO-0/refundable", "/customer/customers/1",
        "/customer/customers/by_email/nobody@example.com", "/item/items/merchant_item_id/NOPE",
        "/item/items/1", "/channel_partner/orders/DEMO-0",
        "/channel_partner/orders/by_channel_partner_order_id/THIIO-0", "/webhook/webhooks/1/logs",
    ],
)  # fmt: skip
def test_what_does_not_exist_is_a_400_or_a_404(
    http: httpx.Client, ultracart: UltraCartSandbox, path: str
) -> None:
    """In the same words."""
    first = http.get(path)
    ultracart.store.not_found_status = 404
    second = http.get(path)

    assert (first.status_code, second.status_code) == (400, 404)
    assert "It does not exist." in first.headers["uc-rest-error"]
    assert first.content == second.content


@pytest.mark.parametrize("status", [400, 404])
def test_our_client_takes_either_for_a_customer_that_is_not_there(
    client: UltraCartClient, ultracart: UltraCartSandbox, status: int
) -> None:
    """None, not an error."""
    ultracart.store.not_found_status = status

    assert client.find_customer("42") is None


@pytest.mark.parametrize(
    ("path", "cap"),
    [("/order/orders", 200), ("/customer/customers", 200), ("/item/items", 2000)],
)
def test_a_page_that_is_too_large_is_refused_or_clamped(
    http: httpx.Client, ultracart: UltraCartSandbox, path: str, cap: int
) -> None:
    """Clamped, the answer says which limit was kept."""
    refused = http.get(path, params={"_limit": cap + 1, "email": "nora@example.com"})
    ultracart.store.clamps_limit = True
    clamped = http.get(path, params={"_limit": cap + 1, "email": "nora@example.com"})

    assert (refused.status_code, clamped.status_code) == (400, 200)
    assert clamped.json()["metadata"]["result_set"]["limit"] == cap


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("method", "path", "body", "scope"), CALLS)
def test_a_call_needs_its_permission(
    http: httpx.Client,
    ultracart: UltraCartSandbox,
    method: str,
    path: str,
    body: Any,
    scope: str,
    status: int,
) -> None:
    """Without it the call is refused and changes nothing; it is the only permission that the call needs."""
    ultracart.refuse_scope(scope, status=status)
    refused = http.request(method, path, json=body)
    others = {each for _, _, _, each in CALLS} - {scope}
    ultracart.store.refused_scopes = dict.fromkeys(others, status)

    assert refused.status_code == status
    assert refused.headers["uc-rest-error"] == f"The application lacks the permission {scope}."
    assert http.request(method, path, json=body).is_success


@pytest.mark.parametrize("status", [401, 403])
def test_our_client_names_the_permissions(
    client: UltraCartClient, ultracart: UltraCartSandbox, status: int
) -> None:
    """An operator learns where to look, whatever the status."""
    ultracart.refuse_scope("item_read", status=status)

    with pytest.raises(
        CredentialsRefused, match=r"lacks the permission item_read\. Check .* its permissions"
    ):
        list(client.iter_items())


@pytest.mark.parametrize(("scope", "status"), [("itemread", 401), ("item_read", 404)])
def test_a_permission_that_ultracart_does_not_have_cannot_be_refused(
    ultracart: UltraCartSandbox, scope: str, status: int
) -> None:
    """A slip of the pen in a test does not go unnoticed."""
    with pytest.raises(ValueError, match="permission"):
        ultracart.refuse_scope(scope, status=status)
    assert ultracart.store.refused_scopes == {}


def test_the_cache_lacks_the_last_minutes(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """Five, unless switched; the origin has all."""
    order_id = ultracart.place_order("nora@example.com")
    now = ultracart.store.clock()

    def found(target: str) -> list[str]:
        query = {"email": "nora@example.com", "query_target": target}
        return [order["order_id"] for order in http.post("/order/orders/query", json=query).json()["orders"]]

    assert (found("origin"), found("cache")) == ([order_id], [])
    ultracart.store.clock = lambda: now + timedelta(minutes=6)
    assert found("cache") == [order_id]
    switch(ultracart, cache_lag_seconds=3_600)
    assert found("cache") == []


def test_a_rejected_order_goes_when_its_year_is_over(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """To the second, and from lists as well; an order that was not rejected stays."""
    rejected, other = (ultracart.place_order("nora@example.com") for _ in range(2))
    ultracart.reject_order(rejected)
    at = ultracart.store.orders[rejected]["reject_dts"]

    def found_after(age: timedelta) -> list[str]:
        ultracart.store.clock = lambda: at + age
        answer = http.get("/order/orders", params={"email": "nora@example.com"}).json()
        return [order["order_id"] for order in answer["orders"]]

    assert found_after(timedelta(days=365)) == [rejected, other]
    switch(ultracart, deletes_old_rejected=False)
    assert found_after(timedelta(days=365, seconds=1)) == [rejected, other]
    switch(ultracart, deletes_old_rejected=True)
    assert found_after(timedelta(days=365, seconds=1)) == [other]
    assert rejected not in ultracart.store.orders


def test_all_switches_can_be_turned_over_http(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """Whoever is in another process can do what Python can."""
    answer = switch(
        ultracart,
        not_found_status=404,
        clamps_limit=True,
        refused_scopes={"item_read": 403},
        requires_refund_reason=True,
        backs_off=True,
    )

    assert answer.status_code == 200
    assert http.get("/order/orders/DEMO-0").status_code == 404
    assert http.get("/customer/customers?_limit=500").status_code == 200
    assert http.get("/item/items").status_code == 403
    assert http.get(f"{ORDER}/refundable").json()["order_level_refund_reason_required"] is True
    assert ultracart.dispatcher.backs_off is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"not_found_status": 500},
        {"refused_scopes": {"nonsense_read": 401}},
        {"refused_scopes": {"item_read": 200}},
    ],
)
def test_a_wrong_switch_turns_none(ultracart: UltraCartSandbox, wrong: dict[str, Any]) -> None:
    """Not even those before it."""
    answer = switch(ultracart, clamps_limit=True, **wrong)

    assert answer.status_code == 400
    assert (ultracart.store.clamps_limit, ultracart.store.not_found_status) == (False, 400)
    assert ultracart.store.refused_scopes == {}


def test_a_shop_saved_by_an_earlier_version_is_read(tmp_path: Path, shop: Shop) -> None:
    """What that version did not know has its default; the orders are the saved ones."""
    old, new = UltraCartSandbox(shop), UltraCartSandbox(shop)
    placed = old.place_order("nora@example.com")
    old.store.takes_duplicate_imports = True
    del old.store.clamps_limit, old.store.refused_scopes
    old.save(tmp_path / "shop.pickle")
    new.load(tmp_path / "shop.pickle")

    assert placed in new.store.orders
    assert (new.store.takes_duplicate_imports, new.store.clamps_limit, new.store.refused_scopes) == (
        True, False, {},
    )  # fmt: skip
