"""What must change at the webhook is told; what is not ours stays as it was."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from tasks.errors import SetupError
from tasks.settings import Settings, load_settings
from tasks.setup_check.webhook_plan import Change, WebhookPlan, plan_webhook
from tasks.ultracart import wire
from tasks.ultracart.webhook_body import CUSTOMER_EXPANSION, EXPANSIONS, ORDER_EXPANSION
from tasks.ultracart.webhook_registration import Registration

URL, USER, SECRET = "https://hooks.example.com/webhooks/ultracart", "ultracart", "receiver-password"
SIGN_IN = "Basic as ultracart, with ULTRATHIIO_RECEIVER__PASSWORD"
Raw = dict[str, Any]


def settings(**changes: str) -> Settings:
    """Give the settings of a receiver at URL."""
    given = {"webhook_url": URL, "username": USER, "password": SECRET} | changes
    url = given.pop("webhook_url")
    return load_settings(ultracart={"webhook_url": url}, receiver=given)


def good(**changes: Any) -> Raw:
    """Give a webhook as the guide wants it, with keys that we don't know and somebody's own event."""
    events = {
        kind: [
            {"event_name": name, "subscribed": True, "expansion": parts, "event_ruler": "{}"}
            for name, parts in EXPANSIONS.items()
            if name.startswith(kind)
        ]
        for kind in ("customer", "order")
    }
    events["item"] = [{"event_name": "item_update", "subscribed": True, "expansion": "content"}]
    return {
        "webhook_oid": 8001,
        "merchant_comments": "do not touch",
        "application_profile": {"name": "ours"},
        "webhook_url": URL,
        "authentication_type": "basic",
        "basic_username": USER,
        "basic_password": SECRET,
        "disabled": False,
        "event_categories": [
            {"event_category": kind, "any_subscribed": True, "available_expansions": ["x"], "events": each}
            for kind, each in events.items()
        ],
    } | changes


def plan(*raws: Raw) -> WebhookPlan:
    """Plan with these webhooks in the account; they must stay as they were read."""
    before = copy.deepcopy(raws)
    planned = plan_webhook(
        settings(), [Registration(raw, msgspec.convert(raw, wire.Webhook)) for raw in raws]
    )
    assert raws == before
    return planned


def without_event(name: str) -> list[Raw]:
    """Give the categories as UltraCart does if it lists no event that nobody subscribed."""
    categories: list[Raw] = good()["event_categories"]
    for category in categories:
        category["events"] = [event for event in category["events"] if event["event_name"] != name]
    return categories


def with_event(name: str, **fields: Any) -> list[Raw]:
    """Give the categories with one event changed."""
    categories: list[Raw] = good()["event_categories"]
    next(each for category in categories for each in category["events"] if each["event_name"] == name).update(
        fields
    )
    return categories


def test_a_good_webhook_needs_nothing() -> None:
    """The order of expansions means nothing."""
    turned = ",".join(reversed(ORDER_EXPANSION.split(",")))

    assert plan(good()).changes == ()
    assert plan(good(event_categories=with_event("order_ship", expansion=turned))).changes == ()


@pytest.mark.parametrize("shown", [None, "", "********", "••••"])
def test_a_password_that_is_not_shown_is_no_difference(shown: str | None) -> None:
    """Else every run would find the same thing to do; what is sent carries ours all the same."""
    planned = plan(good(basic_password=shown))

    assert (planned.changes, planned.wished["basic_password"]) == ((), SECRET)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"disabled": True}, Change("state", "disabled", "enabled")),
        ({"authentication_type": "none"}, Change("sign-in", "none", SIGN_IN)),
        ({"authentication_type": None}, Change("sign-in", "none", SIGN_IN)),
        ({"basic_username": "token"}, Change("sign-in", "Basic, as another user", SIGN_IN)),
        (
            {"basic_password": "token"},
            Change("sign-in", "Basic as ultracart, with another password", SIGN_IN),
        ),
        (
            {"webhook_url": f"http://HOOKS.example.com:80{URL[25:]}/?token"},
            Change(
                "address",
                "http://hooks.example.com/…, spelled otherwise",
                "https://hooks.example.com/…, as ULTRATHIIO_ULTRACART__WEBHOOK_URL",
            ),
        ),
        (
            {"event_categories": with_event("order_refund", subscribed=False)},
            Change("event order_refund", "not subscribed", ORDER_EXPANSION),
        ),
        (
            {"event_categories": without_event("order_refund")},
            Change("event order_refund", "not subscribed", ORDER_EXPANSION),
        ),
        (
            {"event_categories": with_event("order_ship", expansion="item, cards")},
            Change("event order_ship", "cards,item", ORDER_EXPANSION),
        ),
        (
            {"event_categories": with_event("customer_create", expansion=None)},
            Change("event customer_create", "no expansions", CUSTOMER_EXPANSION),
        ),
    ],
)
def test_one_difference_is_told_and_put_right(changes: Raw, told: Change) -> None:
    """No secret is shown, nothing but the difference is changed, and then there is nothing left to do."""
    planned = plan(good(**changes))

    assert planned.changes == (told,)
    assert planned.wished["event_categories"][2] == good()["event_categories"][2]
    assert planned.wished | {"event_categories": []} == good(event_categories=[])
    assert plan(planned.wished).changes == ()


@pytest.mark.parametrize("categories", [None, [], [{"event_category": "order"}]])
def test_events_that_are_not_listed_are_added(categories: list[Raw] | None) -> None:
    """A webhook without events gets the six of the guide, each in its category."""
    wished = plan(good(event_categories=categories or [])).wished["event_categories"]

    assert {
        (category["event_category"], event["event_name"], event["subscribed"], event["expansion"])
        for category in wished
        for event in category["events"]
    } == {(name.split("_")[0], name, True, parts) for name, parts in EXPANSIONS.items()}
    assert len(wished) == 2


@pytest.mark.parametrize(
    "url",
    [
        None,
        "https://other.example.com/webhooks/ultracart",
        "https://hooks.example.com:8443/webhooks/ultracart",
        "https://hooks.example.com/another",
        "https://[::1/webhooks/ultracart",
    ],
)
def test_another_address_is_not_ours(url: str | None) -> None:
    """A webhook that may be somebody's is left alone; a new one is registered, whole."""
    planned = plan(good(webhook_url=url))

    assert planned.found is None
    assert [change.what for change in planned.changes] == [
        "address", "sign-in", *(f"event {name}" for name in EXPANSIONS)
    ]  # fmt: skip
    assert "webhook_oid" not in planned.wished
    assert plan(planned.wished | {"webhook_oid": 1}).changes == ()


def test_of_several_the_best_is_taken() -> None:
    """The exact address goes before another spelling, an enabled webhook before a disabled one."""
    spelled, disabled = good(webhook_oid=1, webhook_url=f"{URL}/"), good(webhook_oid=2, disabled=True)
    planned = plan(spelled, disabled, good(webhook_oid=3))

    assert (planned.wished["webhook_oid"], planned.changes) == (3, ())
    assert plan(spelled, disabled).wished["webhook_oid"] == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"webhook_url": ""}, "ULTRATHIIO_ULTRACART__WEBHOOK_URL is empty"),
        ({"webhook_url": "hooks.example.com"}, "ULTRATHIIO_ULTRACART__WEBHOOK_URL is no address"),
        ({"webhook_url": "ftp://hooks.example.com"}, "ULTRATHIIO_ULTRACART__WEBHOOK_URL is no address"),
        ({"webhook_url": "https://[::1"}, "ULTRATHIIO_ULTRACART__WEBHOOK_URL is no address"),
        ({"username": ""}, "ULTRATHIIO_RECEIVER__USERNAME is empty"),
        ({"password": ""}, "ULTRATHIIO_RECEIVER__PASSWORD is empty"),
    ],
)
def test_what_must_be_set_first_is_named(changes: dict[str, str], named: str) -> None:
    """UltraCart would make up credentials that our receiver does not know."""
    with pytest.raises(SetupError, match=named):
        plan_webhook(settings(**changes), [])
