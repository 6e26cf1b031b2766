"""Thiio's stand-in keeps to what is documented, and says where the documents end."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tasks.thiio.sandbox.server import ThiioSandbox

ACCEPT = {"accept": "application/json"}
LIST_NAMES = (
    "customers", "orders", "shippings", "subscriptions", "surveys", "transactions", "transaction-histories",
)  # fmt: skip


def test_the_stand_in_answers_as_documented(thiio: ThiioSandbox) -> None:
    """Login, check, subscribing to an event, unsubscribing; 501 for what could not be read."""
    with httpx.Client(base_url=thiio.base_url, headers=ACCEPT) as client:
        login = {"email": thiio.email, "password": thiio.password, "integration": "zapier"}
        answer = client.post("/api/login", json=login).json()["data"]
        assert set(answer) == {"user", "token", "expires", "setup_finished", "integration_uuid"}
        assert client.get("/api/check").status_code == 401

        client.headers["authorization"] = f"Bearer {answer['token']}"
        assert client.get("/api/check").json()["user"]["email"] == thiio.email

        channel = {
            "url": "https://receiver.example.com/webhooks/thiio",
            "method": "zapier",
            "alias": "Declined",
            "event": "transaction-declined",
        }
        made = client.post(f"/api/integrations/{answer['integration_uuid']}/channels", json=channel).json()
        assert made["message"] == "Integration Channel created"
        assert made["data"]["metadata"] == channel
        gone = client.delete(f"/api/channels/{made['data']['id']}").json()
        assert gone == {"message": "Integration Channel deleted", "data": None}

        for name in LIST_NAMES:
            unknown = client.get(f"/api/{name}")
            assert (unknown.status_code, unknown.json()["message"]) == (
                501,
                f"GET /api/{name} is not in what Thiio documents.",
            )


def test_the_stand_in_refuses_what_the_page_forbids(thiio: ThiioSandbox) -> None:
    """Required fields and lengths; the answer names each field."""
    body = {
        "event": "invoice",
        "source": "UltraCart",
        "contact": {"first_name": "Ada", "last_name": "Byron", "email": "not an address"},
        "phone": {"country": "US"},
        "billing_address": {"state": "California", "country": "US"},
    }

    answer = httpx.post(thiio.inbound_webhook_url, json=body)

    assert answer.status_code == 422
    assert sorted(answer.json()["errors"]) == [
        "billing_address.state",
        "contact.email",
        "event",
        "phone.number",
    ]


def order_body(**order: Any) -> dict[str, Any]:
    """The page's sample, with changes to its order."""
    item = {"name": "Product one", "title": "Product one Red", "quantity": 1, "price": 50}
    sample = {
        "id": 123, "type": "success", "user_id": 10, "date": "2024-07-01 17:23:54", "shipping": 10,
        "taxes": 10, "total": 70.5, "items": [item],
    }  # fmt: skip
    return {
        "event": "order",
        "source": "Thiio Custom",
        "contact": {"first_name": "John", "last_name": "Doe", "email": "john.doe@example.com"},
        "phone": {"country": "US", "number": "+15124713434"},
        "order": sample | order,
    }


def test_the_sample_of_the_page_is_taken(thiio: ThiioSandbox) -> None:
    """Fields that the page does not name are ignored; a phone without country is taken."""
    body = order_body()
    body["contact"]["nickname"] = "Jo"
    body["phone"] = {"number": "+15124713434"}
    body["billing_address"] = {"line1": "11801 Stonehollow Drive", "state": "TX", "country": "US", "floor": 2}

    assert httpx.post(thiio.inbound_webhook_url, json=body).status_code == 200
    assert thiio.find_order("123")["total"] == Decimal("70.50")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"date": "yyyy-mm-dd h:m:s"}, "order.date"),
        ({"id": None}, "order.id"),
        ({"total": "70.50"}, "order.total"),
        ({"items": [{"name": "Product one", "quantity": 1, "price": 50}]}, "order.items"),
    ],
)
def test_an_order_that_cannot_be_kept_is_refused(
    thiio: ThiioSandbox, change: dict[str, Any], field: str
) -> None:
    """By field, and without a lead."""
    answer = httpx.post(thiio.inbound_webhook_url, json=order_body(**change))

    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert thiio.leads == []


def test_a_body_that_is_no_object_is_refused(thiio: ThiioSandbox) -> None:
    """The stand-in answers, whatever comes."""
    channels = f"/api/integrations/{thiio.integration_uuid}/channels"
    with httpx.Client(base_url=thiio.base_url, headers=ACCEPT) as client:
        assert client.post(thiio.inbound_webhook_path, json=[1]).status_code == 422
        assert client.post(thiio.inbound_webhook_path, content=b"{").status_code == 422
        assert client.post("/api/login", json=["admin"]).status_code == 401
        login = {"email": thiio.email, "password": thiio.password, "integration": "zapier"}
        token = client.post("/api/login", json=login).json()["data"]["token"]
        answer = client.post(channels, json=[], headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, list(answer.json()["errors"])) == (
            422,
            ["alias", "method", "url", "event"],
        )


@pytest.mark.parametrize(
    "change", [{"password": "wrong"}, {"email": "x@example.com"}, {"integration": "web"}]
)
def test_a_wrong_login_is_refused(thiio: ThiioSandbox, change: dict[str, str]) -> None:
    """E-mail, password and the word `zapier` must all be right."""
    login = {"email": thiio.email, "password": thiio.password, "integration": "zapier"} | change

    assert httpx.post(f"{thiio.base_url}/api/login", json=login, headers=ACCEPT).status_code == 401


def test_the_api_asks_for_the_header_accept(thiio: ThiioSandbox) -> None:
    """The page calls it required; the inbound webhook, another page's, does not know it."""
    login = {"email": thiio.email, "password": thiio.password, "integration": "zapier"}

    assert httpx.post(f"{thiio.base_url}/api/login", json=login).status_code == 406
    assert httpx.post(thiio.inbound_webhook_url, json=order_body()).status_code == 200


def test_failures_are_planted_for_the_next_calls(thiio: ThiioSandbox) -> None:
    """A status, a delay, a connection that breaks before or after the effect; then all is well again."""
    thiio.fail_next(503, times=2)
    assert [httpx.post(thiio.inbound_webhook_url, json=order_body()).status_code for _ in range(2)] == [
        503
    ] * 2
    assert len(thiio.leads) == 0

    thiio.cut_next(before=True)
    with pytest.raises(httpx.TransportError):
        httpx.post(thiio.inbound_webhook_url, json=order_body())
    assert len(thiio.leads) == 0

    thiio.cut_next()
    with pytest.raises(httpx.TransportError):
        httpx.post(thiio.inbound_webhook_url, json=order_body())
    assert len(thiio.leads) == 1

    thiio.delay_next(0.2)
    started = time.monotonic()
    assert httpx.post(thiio.inbound_webhook_url, json=order_body()).status_code == 200
    assert time.monotonic() - started >= 0.2
    assert len(thiio.leads) == 2
