"""The stand-in keeps UltraCart's rules, so that what works against it has met them."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tasks.loopback import serve_on_loopback
from tasks.seed import Shop, ultracart_order_id
from tasks.ultracart.sandbox.server import UltraCartSandbox

ORDER = "/order/orders/DEMO-0009100001"
IMPORT: dict[str, Any] = {
    "channel_partner_order_id": "THIIO-1",
    "email": "nora@example.com",
    "payment_method": "Purchase Order",
    "items": [{"merchant_item_id": "BONE", "quantity": 1}],
}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/order/orders", None, 400, "At least one parameter"),
        ("POST", "/order/orders/query", {}, 400, "At least one parameter"),
        ("POST", "/order/orders/query", {"query_target": "origin"}, 400, "At least one parameter"),
        ("GET", "/order/orders?email=a&_limit=201", None, 400, "between 1 and 200"),
        ("GET", "/customer/customers?_limit=201", None, 400, "between 1 and 200"),
        ("GET", "/item/items?_limit=2001", None, 400, "between 1 and 2000"),
        ("GET", "/order/orders?email=a&_sort=+creation_dts", None, 400, "_sort"),
        ("GET", "/order/orders?creation_date_begin=2026-11-01T00:00:00", None, 400, "no offset"),
        ("POST", "/order/orders/batch", {"order_ids": ["A"] * 501}, 400, "between 1 and 500"),
        ("GET", "/order/orders/DEMO-0", None, 400, "does not exist"),
        ("GET", "/customer/customers/1", None, 400, "does not exist"),
        ("GET", "/item/items/merchant_item_id/NOPE", None, 400, "does not exist"),
        ("POST", "/customer/customers", {"email": "x"}, 400, "email is required"),
        ("GET", "/order/orders?rma=1", None, 501, "does not filter"),
        ("POST", "/order/orders", {}, 501, "does not know"),
        ("GET", "/coupon/coupons", None, 501, "does not know"),
    ],
)
def test_a_wrong_call_is_refused(
    http: httpx.Client, method: str, path: str, body: Any, status: int, words: str
) -> None:
    """Status, UC-REST-ERROR and the error body say the same; there is no `success` key."""
    response = http.request(method, path, json=body)

    assert response.status_code == status
    assert words in response.headers["uc-rest-error"]
    text = response.headers["uc-rest-error"]
    assert response.json() == {"error": {"developer_message": text, "user_message": text}, "metadata": {}}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-ultracart-simple-key": "wrong"}, 401),
        ({"x-ultracart-api-version": ""}, 400),
        ({"x-ultracart-api-version": "2016-01-01"}, 400),
    ],
)
def test_every_call_needs_key_and_version(http: httpx.Client, headers: dict[str, str], status: int) -> None:
    """Both headers are checked."""
    assert http.get(ORDER, headers=headers).status_code == status


def test_a_disabled_application_is_gone(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """UltraCart answers 410 to an application that it disabled."""
    ultracart.is_disabled = True

    assert http.get(ORDER).status_code == 410


def test_only_parts_that_are_asked_for_are_sent(http: httpx.Client) -> None:
    """An order without expansion is bare, unknown expansions are ignored, nulls never appear."""
    bare = http.get(ORDER).json()["order"]
    expanded = http.get(ORDER, params={"_expand": "summary,items,payment"}).json()["order"]

    assert bare.keys() - {"refund_dts", "refund_reason"} == {
        "merchant_id", "order_id", "current_stage", "creation_dts", "language_iso_code",
    }  # fmt: skip
    assert expanded.keys() - bare.keys() == {"summary", "payment"}
    assert "null" not in http.get(ORDER, params={"_expand": "billing,shipping,item"}).text


def test_times_are_eastern_with_offset(http: httpx.Client, shop: Shop) -> None:
    """The offset follows daylight saving time."""
    text = http.get(ORDER).json()["order"]["creation_dts"]

    assert text[-6:] in ("-04:00", "-05:00")
    assert datetime.fromisoformat(text) == shop.orders[0].placed_at


def test_the_last_page_has_no_more(http: httpx.Client) -> None:
    """As recorded: a last page has next_offset 0 and no `more`."""
    last = http.get("/item/items", params={"_limit": 20, "_offset": 20}).json()["metadata"]["result_set"]

    assert last == {"count": 5, "offset": 20, "limit": 20, "total_records": 25, "next_offset": 0}


def test_a_second_call_in_flight_is_refused(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """UltraCart forbids concurrent requests of one application."""
    ultracart.faults.add(delay_seconds=0.3)
    slow = threading.Thread(target=lambda: httpx.get(f"{ultracart.base_url}{ORDER}", headers=http.headers))
    slow.start()
    while not ultracart._in_flight.locked():
        time.sleep(0.005)
    refused = http.get(ORDER)
    slow.join()

    assert (refused.status_code, http.get(ORDER).status_code) == (429, 200)
    assert refused.headers["uc-rest-error-merchant-id"] == "DEMO"


def test_the_hourly_limit_is_kept(shop: Shop) -> None:
    """The call after the last one of the hour gets UltraCart's words."""
    sandbox = UltraCartSandbox(shop)
    sandbox.limit_calls(per_hour=2)
    headers = {"x-ultracart-simple-key": sandbox.simple_key, "X-UltraCart-Api-Version": "2017-03-01"}
    with serve_on_loopback(sandbox.respond) as url, httpx.Client(headers=headers) as client:
        answers = [client.get(f"{url}/rest/v2{ORDER}") for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[2].headers["uc-rest-error"] == "rate of 2 per 3600 second(s) exceeded."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email": ""}, "email is required."),
        ({"items": []}, "items is required."),
        ({"items": [{"merchant_item_id": "NOPE", "quantity": 1}]}, "Item NOPE is unknown."),
        ({"items": [{"merchant_item_id": "BONE", "quantity": 0}]}, "quantity must be a number above 0."),
        ({"payment_method": "Cash"}, "payment_method Cash is not supported."),
        ({"payment_method": "Credit Card"}, "needs a hosted fields token"),
        ({"rotating_transaction_gateway_code": "NOPE"}, "rotating_transaction_gateway_code NOPE is unknown."),
        ({"billto_city": "x" * 33}, "billto_city is longer than 32 characters."),
        ({"creation_dts": "2026-11-01T00:00:00-05:00"}, "creation_dts is allowed with store_completed only."),
    ],
)
def test_an_import_is_checked(
    http: httpx.Client, ultracart: UltraCartSandbox, changes: dict[str, Any], words: str
) -> None:
    """What UltraCart could not take is an import error in a 200, and no order."""
    answer = http.post("/channel_partner/import", json=IMPORT | changes).json()

    assert answer["success"] is False
    assert any(words in error for error in answer["import_errors"])
    assert ultracart.imports == {}


def test_a_second_import_is_refused_or_doubled(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """Which of both UltraCart does is not published: the stand-in can do either."""
    answers = [http.post("/channel_partner/import", json=IMPORT).json()["success"] for _ in range(2)]
    before = ultracart.imports
    ultracart.store.takes_duplicate_imports = True
    answers.append(http.post("/channel_partner/import", json=IMPORT).json()["success"])

    assert answers == [True, False, True]
    assert (before, ultracart.imports) == ({"THIIO-1": 1}, {"THIIO-1": 2})


def test_import_warnings_are_errors_unless_told_otherwise(
    http: httpx.Client, ultracart: UltraCartSandbox
) -> None:
    """`treat_warnings_as_errors` is on by default."""
    ultracart.store.import_warnings = ("The shipping method is unusual.",)
    strict = http.post("/channel_partner/import", json=IMPORT).json()
    lenient = http.post("/channel_partner/import", json=IMPORT | {"treat_warnings_as_errors": False}).json()

    assert (strict["success"], strict["import_errors"]) == (False, ["The shipping method is unusual."])
    assert (lenient["success"], lenient["import_warnings"]) == (True, ["The shipping method is unusual."])


def test_a_partner_order_is_looked_up_and_cancelled(http: httpx.Client) -> None:
    """By its partner order id; the second cancellation is refused."""
    order_id = http.post("/channel_partner/import", json=IMPORT).json()["order_id"]
    found = http.get("/channel_partner/orders/by_channel_partner_order_id/THIIO-1").json()["order"]
    cancel = "/channel_partner/cancel/by_channel_partner_order_id/THIIO-1"

    assert found["order_id"] == order_id
    assert [http.delete(cancel).json()["success"] for _ in range(2)] == [True, False]
    assert http.get(f"/channel_partner/orders/{order_id}").json()["order"]["current_stage"] == "Rejected"
    assert http.get(f"/channel_partner{ORDER.removeprefix('/order')}").status_code == 400


def test_a_refund_is_cumulative_and_keeps_the_stage(http: httpx.Client, shop: Shop) -> None:
    """The body names the aim; less than before is refused; a full one marks the payment."""
    order = next(each for each in shop.orders if each.stage == "completed" and not each.refunds)
    path = f"/order/orders/{ultracart_order_id(order.number)}/refund"

    def refund(cents: int) -> httpx.Response:
        return http.put(
            path,
            params={"_expand": "summary,payment"},
            json={"summary": {"total_refunded": {"value": cents / 100}}, "refund_reason": "Damaged"},
        )

    part, less, full = refund(100), refund(50), refund(order.total_cents)

    assert (part.status_code, less.status_code, full.status_code) == (200, 400, 200)
    assert part.json()["order"]["summary"]["total_refunded"]["localized_formatted"] == "$1.00"
    assert full.json()["order"]["payment"]["payment_status"] == "Refunded"
    assert full.json()["order"]["current_stage"] == "Completed Order"


def test_a_cancellation_that_is_too_late_is_a_200_without_success(http: httpx.Client, shop: Shop) -> None:
    """A completed order stays completed."""
    order = next(each for each in shop.orders if each.stage == "completed")
    path = f"/order/orders/{ultracart_order_id(order.number)}"
    answer = http.post(f"{path}/cancel")

    assert (answer.status_code, answer.json()["success"]) == (200, False)
    assert http.get(path).json()["order"]["current_stage"] == "Completed Order"


def test_a_customer_lives_changes_is_merged_and_goes(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """Insert, refuse the same e-mail, update, merge, delete."""
    first = http.post("/customer/customers", json={"email": "New@example.com"}).json()["customer"]
    again = http.post("/customer/customers", json={"email": "new@EXAMPLE.com"})
    path = f"/customer/customers/{first['customer_profile_oid']}"
    changed = http.put(path, json={"qb_class": "A", "customer_profile_oid": 1}).json()["customer"]
    other = ultracart.create_customer("other@example.com")
    order_id = ultracart.place_order("other@example.com")
    merged = http.put(f"{path}/merge", json={"email": "other@example.com"})
    order = http.get(f"/order/orders/{order_id}", params={"_expand": "customer_profile"}).json()["order"]

    assert again.status_code == 400
    assert (changed["qb_class"], changed["customer_profile_oid"]) == ("A", first["customer_profile_oid"])
    assert (merged.status_code, merged.content) == (204, b"")
    assert order["customer_profile"]["customer_profile_oid"] == first["customer_profile_oid"]
    assert http.get(f"/customer/customers/{other}").status_code == 400
    assert http.delete(path).status_code == 204
    assert http.get("/customer/customers/by_email/new@example.com").status_code == 400


def test_faults_and_actions_can_be_planted_over_http(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """Whoever is in another process can do what Python can."""
    root = ultracart.base_url.removesuffix("/rest/v2") + "/_sandbox"
    post = httpx.post
    fault = post(f"{root}/faults", json={"method": "GET", "path": "/item/items", "status": 503, "times": 2})
    statuses = [http.get("/item/items").status_code for _ in range(3)]
    hook = post(f"{root}/webhooks", json={"url": "http://127.0.0.1:1/", "username": "u", "password": "p"})
    placed = post(f"{root}/actions/place_order", json={"email": "nora@example.com"})
    switched = post(f"{root}/switches", json={"body_shape": "events", "lose": ["order_create"]})
    ledger = httpx.get(f"{root}/ledger").json()
    delivered = post(f"{root}/deliver").json()

    assert (fault.status_code, hook.status_code, switched.status_code) == (200, 200, 200)
    assert statuses == [503, 503, 200]
    assert placed.json()["result"] in ultracart.store.orders
    assert ledger == {"imports": {}, "pending": 1}
    assert (delivered["lost"], delivered["requests"]) == (1, 0)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("nothing", {}),
        ("actions/respond", {}),
        ("switches", {"no_such": 1}),
        ("faults", {"colour": "red"}),
        ("actions/ship_order", {"order_id": "DEMO-0"}),
    ],
)
def test_a_wrong_control_call_is_refused(ultracart: UltraCartSandbox, path: str, body: Any) -> None:
    """It says what is wrong and changes nothing."""
    root = ultracart.base_url.removesuffix("/rest/v2") + "/_sandbox"

    assert httpx.post(f"{root}/{path}", json=body).status_code == 400


def test_a_new_order_is_dated_now(ultracart: UltraCartSandbox) -> None:
    """The shop ends at its own now; what happens later happens at the clock's time."""
    before = datetime.now(UTC).replace(microsecond=0)
    order = ultracart.store.orders[ultracart.place_order("nora@example.com")]

    assert before <= order["creation_dts"] <= datetime.now(UTC)
