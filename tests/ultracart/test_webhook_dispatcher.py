"""The stand-in delivers webhooks as UltraCart does, and badly when told to."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tasks.loopback import serve_on_loopback
from tasks.records.models import Order
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.dispatcher import BodyShape, DeliveryReport, SendOrder
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tasks.ultracart.webhook_body import read_event, split_body


class Inbox:
    """A receiver that keeps what came and answers as told."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.status = 200
        self.url = ""

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Keep a request."""
        self.requests.append(request)
        return httpx.Response(self.status)

    def deliveries(self) -> list[list[str]]:
        """The event names of each delivery."""
        return [[event.name for event in split_body(each.content, 10**6)] for each in self.requests]


@pytest.fixture
def inbox(ultracart: UltraCartSandbox) -> Iterator[Inbox]:
    """A receiver that is registered as the guide says."""
    inbox = Inbox()
    with serve_on_loopback(inbox.respond) as inbox.url:
        ultracart.register_webhook(inbox.url, "user", "secret")
        yield inbox


def make_history(ultracart: UltraCartSandbox) -> str:
    """A customer signs up, and an order of hers is placed, edited, shipped and refunded."""
    oid = ultracart.create_customer("nora@example.com")
    ultracart.update_customer(oid, city="Tacoma")
    order_id = ultracart.place_order("nora@example.com")
    ultracart.edit_order(order_id, city="Tacoma")
    ultracart.ship_order(order_id)
    ultracart.refund_order(order_id, 500)
    return order_id


NAMES = ["customer_create", "customer_update", "order_create", "order_ship", "order_refund"]


def test_what_happens_is_delivered_in_order_with_basic_authentication(
    ultracart: UltraCartSandbox, inbox: Inbox
) -> None:
    """All but the edit, which the guide does not subscribe to, in one delivery; a second one is empty."""
    make_history(ultracart)

    first, second = ultracart.deliver(), ultracart.deliver()

    assert (first, second) == (DeliveryReport(delivered=5, requests=1), DeliveryReport())
    assert inbox.deliveries() == [NAMES]
    assert inbox.requests[0].headers["authorization"] == "Basic " + base64.b64encode(b"user:secret").decode()


@pytest.mark.parametrize("shape", BodyShape)
def test_every_shape_is_read_by_our_receiver(
    ultracart: UltraCartSandbox, inbox: Inbox, shape: BodyShape
) -> None:
    """The records are those of the moment each event happened."""
    order_id = make_history(ultracart)
    ultracart.dispatcher.body_shape = shape
    ultracart.deliver()

    events = split_body(inbox.requests[0].content, 10**6)
    orders = [read_event(event.name, event.object_json, "US") for event in events if event.entity == "order"]

    assert [
        (order.id, order.stage, order.refunded_cents) for order in orders if isinstance(order, Order)
    ] == [
        (order_id, "Shipping Department", 0),
        (order_id, "Completed Order", 0),
        (order_id, "Completed Order", 500),
    ]


def test_a_webhook_that_compresses_is_sent_packed_events(ultracart: UltraCartSandbox, inbox: Inbox) -> None:
    """The resource's own setting counts."""
    next(iter(ultracart.store.webhooks.values())).resource["compress_events"] = True
    make_history(ultracart)
    ultracart.deliver()

    assert inbox.requests[0].content.startswith(b'"H4sI')
    assert inbox.deliveries() == [NAMES]


def test_a_delivery_holds_at_most_ten_events(ultracart: UltraCartSandbox, inbox: Inbox) -> None:
    """25 events come in three deliveries."""
    for _ in range(25):
        ultracart.place_order("nora@example.com")
    report = ultracart.deliver()

    assert [len(names) for names in inbox.deliveries()] == [10, 10, 5]
    assert report == DeliveryReport(delivered=25, requests=3)


def test_a_lost_event_never_comes(ultracart: UltraCartSandbox, inbox: Inbox) -> None:
    """Only the one meant is lost."""
    ultracart.dispatcher.lose_next("order_ship")
    make_history(ultracart)
    first, second = ultracart.deliver(), ultracart.deliver()

    assert inbox.deliveries() == [["customer_create", "customer_update", "order_create", "order_refund"]]
    assert (first.lost, second) == (1, DeliveryReport())


def test_a_duplicate_is_the_same_body_again(ultracart: UltraCartSandbox, inbox: Inbox) -> None:
    """Though the first one was taken."""
    ultracart.dispatcher.duplicate_next("order_create")
    make_history(ultracart)
    report = ultracart.deliver()

    assert (report.delivered, report.requests, report.duplicate_requests) == (5, 2, 1)
    assert inbox.requests[0].content == inbox.requests[1].content


def test_an_event_that_is_held_back_comes_later(ultracart: UltraCartSandbox, inbox: Inbox) -> None:
    """Its successors overtake it."""
    ultracart.dispatcher.hold_back_next("order_create")
    make_history(ultracart)
    ultracart.deliver()
    ultracart.deliver()

    names = ["customer_create", "customer_update", "order_ship", "order_refund"]
    assert inbox.deliveries() == [names, ["order_create"]]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (SendOrder.AS_HAPPENED, NAMES),
        (SendOrder.REVERSED, NAMES[::-1]),
    ],
)
def test_events_leave_in_the_order_chosen(
    ultracart: UltraCartSandbox, inbox: Inbox, order: SendOrder, expected: list[str]
) -> None:
    """As they happened, or the newest first."""
    ultracart.dispatcher.send_order = order
    make_history(ultracart)
    ultracart.deliver()

    assert inbox.deliveries() == [expected]


def test_a_shuffled_delivery_holds_the_same_events(ultracart: UltraCartSandbox, inbox: Inbox) -> None:
    """Nothing is added, nothing is missing."""
    ultracart.dispatcher.send_order = SendOrder.SHUFFLED
    make_history(ultracart)
    ultracart.deliver()

    assert sorted(inbox.deliveries()[0]) == sorted(NAMES)


def test_a_delivery_that_is_not_taken_is_sent_again(ultracart: UltraCartSandbox, inbox: Inbox) -> None:
    """The events wait, and the next round brings the same ones."""
    make_history(ultracart)
    inbox.status = 503
    failed = ultracart.deliver()
    inbox.status = 200
    taken = ultracart.deliver()

    assert (failed, taken) == (
        DeliveryReport(failed=5, requests=1),
        DeliveryReport(delivered=5, requests=1),
    )
    assert inbox.requests[0].content == inbox.requests[1].content


def test_a_webhook_that_always_fails_is_disabled(ultracart: UltraCartSandbox, inbox: Inbox) -> None:
    """After ten failures in a row nothing is sent any more."""
    make_history(ultracart)
    inbox.status = 500
    for _ in range(12):
        ultracart.deliver()
    webhook = next(iter(ultracart.store.webhooks.values()))

    assert (len(inbox.requests), webhook.resource["disabled"], len(webhook.queue)) == (10, True, 5)


def test_the_log_tells_what_was_delivered(
    ultracart: UltraCartSandbox, inbox: Inbox, client: UltraCartClient
) -> None:
    """Failed and successful deliveries, newest first, with the order ids that a comparison needs."""
    since = datetime.now(UTC) - timedelta(minutes=1)
    order_id = ultracart.place_order("nora@example.com")
    inbox.status = 500
    ultracart.deliver()
    inbox.status = 200
    ultracart.deliver()
    (webhook,) = client.list_webhooks()
    logs = client.list_webhook_logs(webhook.webhook_oid, since)

    assert [(log.success, log.status_code, log.event_names, log.order_ids) for log in logs] == [
        (True, 200, ["order_create"], [order_id]),
        (False, 500, ["order_create"], [order_id]),
    ]
    assert client.list_webhook_logs(webhook.webhook_oid, datetime.now(UTC) + timedelta(minutes=1)) == []
