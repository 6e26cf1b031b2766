"""Thiio's stand-in keeps to what is documented, and says where the documents end."""

from __future__ import annotations

import httpx

from tasks.thiio.sandbox.server import ThiioSandbox


def test_the_stand_in_answers_as_documented(thiio: ThiioSandbox) -> None:
    """Login, check, subscribing to an event, unsubscribing; 501 for what could not be read."""
    with httpx.Client(base_url=thiio.base_url) as client:
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

        unknown = client.get("/api/orders")
        assert (unknown.status_code, unknown.json()["message"]) == (
            501,
            "GET /api/orders is not in what Thiio documents.",
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
