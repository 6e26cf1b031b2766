"""What UltraCart documents of a webhook's registration, the stand-in demands."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tasks.ultracart.sandbox.server import UltraCartSandbox

HOOK = "https://hooks.example.com/"


def register(http: httpx.Client, **fields: Any) -> httpx.Response:
    """Register a webhook."""
    return http.post("/webhook/webhooks", json={"webhook_url": HOOK, **fields})


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "hooks.example.com", "http://[::1",
        "http://127.0.0.1.example.com/",
    ],
)  # fmt: skip
def test_an_address_without_https_is_refused(http: httpx.Client, url: str) -> None:
    """When it is registered and when it is changed; the webhook stays as it was."""
    oid = register(http).json()["webhook"]["webhook_oid"]
    answers = [
        register(http, webhook_url=url),
        http.put(f"/webhook/webhooks/{oid}", json={"webhook_url": url}),
    ]

    assert [(each.status_code, each.headers["uc-rest-error"]) for each in answers] == [
        (400, "webhook_url must begin with https://.")
    ] * 2
    assert [each["webhook_url"] for each in http.get("/webhook/webhooks").json()["webhooks"]] == [HOOK]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", HOOK])
def test_https_and_this_machine_are_taken(http: httpx.Client, url: str) -> None:
    """A receiver on this machine has no certificate."""
    assert register(http, webhook_url=url).status_code == 200


def test_plain_http_is_taken_if_switched_so(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """For a receiver in a container beside this one; another scheme is refused all the same."""
    switches = ultracart.base_url.removesuffix("/rest/v2") + "/_sandbox/switches"
    httpx.post(switches, json={"requires_https": False}).raise_for_status()

    assert register(http, webhook_url="http://receiver:8088/webhooks/ultracart").status_code == 200
    assert register(http, webhook_url="ftp://receiver/").status_code == 400


def test_a_bundle_has_ten_events_or_more(http: httpx.Client) -> None:
    """The documented minimum of `maximum_events`."""
    oid = register(http, maximum_events=10).json()["webhook"]["webhook_oid"]
    answers = [
        register(http, maximum_events=9),
        http.put(f"/webhook/webhooks/{oid}", json={"maximum_events": 0}),
    ]

    assert [(each.status_code, each.headers["uc-rest-error"]) for each in answers] == [
        (400, "maximum_events must be at least 10.")
    ] * 2


def test_credentials_are_made_up_when_basic_is_chosen_later(http: httpx.Client) -> None:
    """As on registration, each that is missing; what was given stays."""
    oid = register(http, basic_username="ours").json()["webhook"]["webhook_oid"]
    changed = http.put(f"/webhook/webhooks/{oid}", json={"authentication_type": "basic"}).json()["webhook"]

    assert (changed["basic_username"], len(changed["basic_password"])) == ("ours", 32)


def test_an_event_without_name_is_no_subscription(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """The others of the same body are."""
    events = [{"subscribed": True}, {"event_name": "order_create", "subscribed": True}]
    register(http, event_categories=[{"event_category": "order", "events": events}]).raise_for_status()
    ultracart.place_order("nora@example.com")

    assert http.get("/webhook/webhooks").json()["webhooks"][0]["pending"] == 1


def test_the_documented_events_can_be_subscribed_to(http: httpx.Client) -> None:
    """By category, each event once; those that Thiio's guide leaves out are among them."""
    categories = http.get("/webhook/webhook_event_categories").json()["event_categories"]
    names = [event["event_name"] for category in categories for event in category["events"]]

    assert {category["event_category"]: len(category["events"]) for category in categories} == {
        "auto_order": 7, "chargeback": 3, "checkout": 2, "customer": 3, "fulfillment": 2, "item": 3,
        "order": 15, "screen_recording": 1,
    }  # fmt: skip
    assert len(set(names)) == len(names)
    assert {"order_payment_process", "order_stage_change", "customer_delete", "chargeback_create"} <= set(
        names
    )
    assert [
        event["event_name"]
        for category in categories
        for event in category["events"]
        if event["supports_reflow"]
    ] == ["item_update", "order_create"]


def test_logs_are_filtered_by_duration(http: httpx.Client, ultracart: UltraCartSandbox) -> None:
    """Deliveries that took at least so many milliseconds; text is refused."""
    oid = ultracart.register_webhook("http://127.0.0.1:9/", "user", "secret")
    ultracart.place_order("nora@example.com")
    ultracart.deliver()
    ultracart.store.webhooks[oid].logs[0]["duration"] = 250

    def count(duration: int) -> int:
        answer = http.get(f"/webhook/webhooks/{oid}/logs", params={"duration": duration}).json()
        return len(answer["webhook_log_summaries"])

    assert [count(duration) for duration in (0, 250, 251)] == [1, 1, 0]
    assert http.get(f"/webhook/webhooks/{oid}/logs?duration=long").status_code == 400
