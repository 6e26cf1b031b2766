"""What is wrong in the UltraCart account or its webhook is told, with the setting or page to change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from tasks.settings import UltraCartSettings
from tasks.setup_check.checks import CheckStatus
from tasks.setup_check.delivery_checks import check_deliveries
from tasks.setup_check.ultracart_checks import check_merchant, check_partner
from tasks.setup_check.ultracart_findings import UltraCartFindings
from tasks.setup_check.webhook_checks import check_registered
from tasks.ultracart import wire
from tests.setup_check.account import PASSWORD, USERNAME, Account, Plant, assert_line, names_of

OK, WARNING, FAILED, UNKNOWN = CheckStatus.OK, CheckStatus.WARNING, CheckStatus.FAILED, CheckStatus.UNKNOWN
KEYS, HOOKS = "Development > API Keys", "Development > Webhooks"
NOTHING = UltraCartFindings(items=[], orders=[], customers=[], webhooks=[], partners=[], gateways=[])


def plant(section: str, **values: object) -> Plant:
    """Change a setting."""
    return lambda account: account.change(section, **values)


def plant_webhook(**fields: object) -> Plant:
    """Change the registered webhook."""
    return lambda account: account.webhook.update(fields)


def plant_event(name: str, **fields: object) -> Plant:
    """Change one event of the webhook."""
    return lambda account: account.events[name].update(fields)


def no_webhook(account: Account) -> None:
    """Nobody has registered one."""
    account.ultracart.store.webhooks.clear()


def second_webhook(account: Account) -> None:
    """Somebody has registered it twice."""
    account.ultracart.register_webhook(account.receiver.url, USERNAME, PASSWORD)


@pytest.mark.parametrize(
    ("plant", "name", "status", "words"),
    [
        pytest.param(
            plant("ultracart", merchant_id="OTHER"), "Merchant ID", FAILED,
            ["DEMO", "OTHER", "ULTRATHIIO_ULTRACART__MERCHANT_ID=DEMO"], id="wrong merchant",
        ),
        pytest.param(
            plant("ultracart", merchant_id=""), "Merchant ID", FAILED,
            ["ULTRATHIIO_ULTRACART__MERCHANT_ID=DEMO"], id="no merchant",
        ),
        pytest.param(
            plant("ultracart", channel_partner_code="NOBODY"), "Channel partner", FAILED,
            ["it has THIIO", "ULTRATHIIO_ULTRACART__CHANNEL_PARTNER_CODE", "Custom Channel Partners"],
            id="unknown partner",
        ),
        pytest.param(
            plant("ultracart", channel_partner_code=""), "Channel partner", FAILED,
            ["ULTRATHIIO_ULTRACART__CHANNEL_PARTNER_CODE is empty"], id="no partner",
        ),
        pytest.param(
            plant_webhook(disabled=True, consecutive_failures=10), "Webhook: enabled", FAILED,
            ["10 failures", "GET /ready", HOOKS], id="disabled",
        ),
        pytest.param(
            plant_webhook(authentication_type="none"), "Webhook: sign-in", FAILED,
            ["authentication is none", "Choose Basic", HOOKS, "RECEIVER__USERNAME"], id="no authentication",
        ),
        pytest.param(
            plant_webhook(basic_username="another"), "Webhook: sign-in", FAILED,
            ["ULTRATHIIO_RECEIVER__USERNAME", HOOKS], id="another user",
        ),
        pytest.param(
            plant_event("order_refund", subscribed=False), "Webhook: events", FAILED,
            ["Not subscribed: order_refund.", "Tick order_refund", HOOKS], id="missing event",
        ),
        pytest.param(
            plant_event("order_ship", expansion="item,shipping"), "Webhook: expansions", FAILED,
            ["order_ship lacks billing", "add what an event lacks", HOOKS],
            id="wrong expansion",
        ),
        pytest.param(
            plant_event("customer_create", expansion=None), "Webhook: expansions", FAILED,
            ["customer_create lacks billing, customer_profile, shipping"], id="no expansion",
        ),
        pytest.param(
            plant_event("customer_update", expansion="shipping, billing"), "Webhook: expansions", WARNING,
            ["customer_update lacks customer_profile"], id="a part that has no effect",
        ),
        pytest.param(
            plant_event("customer_update", expansion="billing,shipping,customer_profile,cards"),
            "Webhook: expansions", WARNING, ["customer_update also brings cards"], id="a part too many",
        ),
        pytest.param(
            second_webhook, "Webhook: registered", WARNING, ["2 times", "Delete", HOOKS], id="two webhooks"
        ),
        pytest.param(
            plant("receiver", password=SecretStr("")), "Receiver's credentials", FAILED,
            ["Set ULTRATHIIO_RECEIVER__PASSWORD"], id="no receiver password",
        ),
    ],
)  # fmt: skip
def test_one_thing_wrong_costs_one_line(
    account: Account, plant: Plant, name: str, status: CheckStatus, words: list[str]
) -> None:
    """The line says what is wrong and what puts it right; no other line fails."""
    plant(account)
    lines = account.lines()

    assert_line(lines[name], status, words)
    assert names_of(lines, FAILED, WARNING) == {name}


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        pytest.param(no_webhook, ["none", "Register", HOOKS, "ULTRATHIIO_ULTRACART__WEBHOOK_URL"], id="none"),
        pytest.param(plant_webhook(webhook_url="https://x.example.com/h"), ["x.example.com"], id="elsewhere"),
        pytest.param(
            plant("ultracart", webhook_url=""), ["ULTRATHIIO_ULTRACART__WEBHOOK_URL is empty"], id="not set"
        ),
    ],
)
def test_no_webhook(account: Account, plant: Plant, words: list[str]) -> None:
    """Without a webhook at our address, its other lines cannot be told."""
    plant(account)
    lines = account.lines()

    assert_line(lines["Webhook: registered"], FAILED, words)
    assert names_of(lines, UNKNOWN) - {"Receiver reachable"} == {
        f"Webhook: {name}" for name in ("enabled", "sign-in", "events", "expansions", "deliveries")
    }


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        pytest.param(plant("ultracart", simple_key=SecretStr("wrong")), ["401", KEYS], id="wrong"),
        pytest.param(plant("ultracart", simple_key=SecretStr("")), ["SIMPLE_KEY is empty", KEYS], id="empty"),
        pytest.param(plant("ultracart", simple_key=SecretStr("ab\u200bcd")), ["character"], id="no ASCII"),
        pytest.param(
            lambda account: setattr(account.ultracart, "is_disabled", True), ["410", "support"], id="disabled"
        ),
    ],
)
def test_the_key_is_refused(account: Account, plant: Plant, words: list[str]) -> None:
    """The key's line fails; what it opens cannot be told."""
    plant(account)
    lines = account.lines()

    assert_line(lines["API key"], FAILED, words)
    assert names_of(lines, FAILED) == {"API key"}
    assert {name for name in lines if name.startswith(("Permission", "Merchant", "Channel", "Webhook"))} <= (
        names_of(lines, UNKNOWN)
    )


@pytest.mark.parametrize(
    ("path", "what", "box", "status"),
    [
        ("/order", "orders", "Order", 401),
        ("/customer", "customers", "Customer", 403),
        ("/item", "items", "Item", 401),
        ("/webhook", "webhooks", "Webhook", 403),
        ("/channel_partner", "channel partners", "Channel Partner", 401),
    ],
)
def test_a_permission_is_missing(account: Account, path: str, what: str, box: str, status: int) -> None:
    """The key is good; one line names the box to tick, whichever status UltraCart answers."""
    account.ultracart.faults.add(path=path, status=status)
    lines = account.lines()

    assert_line(lines[f"Permission: {what}"], FAILED, [f"Tick read for {box} ", KEYS])
    assert names_of(lines, FAILED, WARNING) == {f"Permission: {what}"}


def test_gateways_may_not_be_read(account: Account) -> None:
    """The jobs do without, so it is a warning."""
    account.ultracart.faults.add(path="/fraud", status=401)
    lines = account.lines()

    assert_line(lines["Permission: gateways"], WARNING, ["stored orders", "support", KEYS])
    assert_line(lines["Gateways: code"], UNKNOWN, ["Permission: gateways"])


def fail_then_succeed(account: Account) -> None:
    """One delivery was refused, its repetition was taken."""
    account.receiver.status = 503
    account.deliver_one()
    account.receiver.status = 200
    account.ultracart.deliver()


def fail_with(status: int) -> Plant:
    """The last delivery was answered so; 0 is no answer."""

    def fail(account: Account) -> None:
        account.receiver.status = status
        account.deliver_one()

    return fail


def other_password(account: Account) -> None:
    """The webhook signs in with another password than the receiver's."""
    account.webhook["basic_password"] = "another"
    account.deliver_one()


def delivered(ago: timedelta) -> Plant:
    """Nothing was delivered for a while."""

    def age(account: Account) -> None:
        for log in next(iter(account.ultracart.store.webhooks.values())).logs:
            log["delivery_dts"] = datetime.now(UTC) - ago

    return age


@pytest.mark.parametrize(
    ("plant", "status", "words"),
    [
        pytest.param(
            other_password, FAILED, ["answer 401", "ULTRATHIIO_RECEIVER__PASSWORD", HOOKS], id="401"
        ),
        pytest.param(fail_with(0), FAILED, ["no answer", "ultrathiio receiver"], id="no answer"),
        pytest.param(fail_with(503), FAILED, ["answer 503", "ULTRATHIIO_DATABASE_URL"], id="503"),
        pytest.param(fail_with(418), FAILED, ["answer 418", "log of the webhook"], id="another answer"),
        pytest.param(fail_then_succeed, WARNING, ["1 of 3", "sends failed deliveries again"], id="recovered"),
        pytest.param(delivered(timedelta(hours=5)), OK, ["All of 1"], id="hours ago"),
        pytest.param(delivered(timedelta(days=2)), UNKNOWN, ["test button", HOOKS], id="days ago"),
    ],
)
def test_deliveries(account: Account, plant: Plant, status: CheckStatus, words: list[str]) -> None:
    """The log of UltraCart tells what arrives."""
    plant(account)

    assert_line(account.lines()["Webhook: deliveries"], status, words)


def test_failures_without_a_log() -> None:
    """The webhook's own count of failures is enough."""
    webhook = wire.Webhook(webhook_oid=1, consecutive_failures=3)

    assert_line(
        check_deliveries(webhook, []), FAILED, ["The last 3 deliveries failed", "ultrathiio receiver"]
    )


def test_an_address_without_https() -> None:
    """Customers' data and the password would travel in clear text; on this machine they don't travel."""
    for url, status in (
        ("http://hooks.example.com/webhooks/ultracart", WARNING),
        ("http://127.0.0.1:8088/webhooks/ultracart", OK),
        ("https://hooks.example.com/webhooks/ultracart", OK),
    ):
        webhook = wire.Webhook(webhook_oid=1, webhook_url=url)
        assert check_registered(url, [webhook], [webhook]).status is status


def test_an_inactive_partner() -> None:
    """A partner that was switched off cannot import."""
    findings = replace(NOTHING, partners=[wire.ChannelPartner(code="THIIO", inactive=True)])
    settings = UltraCartSettings(channel_partner_code="THIIO")

    assert_line(check_partner(settings, findings), FAILED, ["inactive", "Custom Channel Partners"])


@pytest.mark.parametrize(
    ("order_ids", "status"), [(["DEMO-0009100001"], OK), (["ELSE-0009100001"], FAILED), ([], UNKNOWN)]
)
def test_without_items_orders_name_the_merchant(order_ids: list[str], status: CheckStatus) -> None:
    """An order id begins with the merchant ID; with neither it cannot be told."""
    findings = replace(NOTHING, orders=[wire.Order(order_id=order_id) for order_id in order_ids])

    assert check_merchant(UltraCartSettings(merchant_id="DEMO"), findings).status is status
