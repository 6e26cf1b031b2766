"""The stand-in delivers the subscribed events, well or badly, and our receiver takes them."""

from __future__ import annotations

import base64

import httpx
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.loopback import serve_on_loopback
from tasks.notifications.log import Notification
from tasks.thiio.channels import EVENTS, ThiioChannels
from tasks.thiio.sandbox.agents import PhoneLine
from tasks.thiio.sandbox.channels import DeliveryReport
from tasks.thiio.sandbox.server import ThiioSandbox
from tests.inbox.running_receiver import receiver_settings, run_server, url_of
from tests.thiio.subscriber import PASSWORD, USERNAME, Receiver, settings_of


def test_what_happens_in_thiio_reaches_the_subscriber(
    channels: ThiioChannels, thiio: ThiioSandbox, receiver: Receiver
) -> None:
    """A paid phone order, a declined charge, a refund, a lead; in that order, with the right credentials."""
    for event in EVENTS:
        channels.subscribe(event)
    paid = thiio.place_phone_order([PhoneLine()])
    unpaid = thiio.place_phone_order([PhoneLine()], is_paid=False)
    thiio.decline_charge(unpaid)
    thiio.refund_order(paid, 100)

    assert thiio.channels.deliver() == DeliveryReport(delivered=3)
    assert sorted(receiver.events()) == [
        ("order-completed", "order", paid),
        ("refund-applied", "order", paid),
        ("transaction-declined", "other", unpaid),
    ]
    given = {request.headers["authorization"] for request in receiver.requests}
    assert given == {"Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()}


def test_a_lead_of_the_inbound_webhook_is_an_event(
    channels: ThiioChannels, thiio: ThiioSandbox, receiver: Receiver
) -> None:
    """Our own delivery comes back as an event, as every new lead does."""
    channels.subscribe("contact-created")
    body = {
        "event": "customer",
        "source": "UltraCart",
        "contact": {"first_name": "Ada", "last_name": "Byron", "email": "ada.b@example.com"},
        "phone": {"country": "US", "number": "+12093839870"},
    }
    httpx.post(thiio.inbound_webhook_url, json=body).raise_for_status()
    thiio.channels.deliver()

    assert receiver.events() == [("contact-created", "customer", "5241")]


def test_only_what_was_subscribed_is_sent(
    channels: ThiioChannels, thiio: ThiioSandbox, receiver: Receiver
) -> None:
    """Another event is not delivered, and nothing is after the channel was ended."""
    channel = channels.subscribe("refund-applied")
    order_id = thiio.place_phone_order()
    assert thiio.channels.deliver() == DeliveryReport()

    channels.unsubscribe(channel.id)
    thiio.refund_order(order_id, 100)
    assert thiio.channels.deliver() == DeliveryReport()
    assert (receiver.requests, thiio.channels.show()) == ([], [])


def test_the_receiver_stores_each_event_once(
    thiio: ThiioSandbox, engine: Engine, told: list[Notification]
) -> None:
    """The real receiver takes what Thiio sends; two channels for one event and a repeat change nothing."""
    ours = receiver_settings(url_of(engine))
    with run_server(ours) as (_, url):
        receiver = {
            "username": ours.receiver.username,
            "password": ours.receiver.password.get_secret_value(),
        }
        channels = ThiioChannels(settings_of(thiio, f"{url}/webhooks/thiio", **receiver), told.append)
        channels.subscribe("order-completed")
        channels.subscribe("order-completed")
        order_id = thiio.place_phone_order()
        thiio.channels.duplicate_next()
        assert thiio.channels.deliver() == DeliveryReport(delivered=2, duplicates=1)

    table = tables.inbox_events
    with engine.connect() as connection:
        rows = connection.execute(select(table.c.source, table.c.name, table.c.entity, table.c.entity_id))
        assert [tuple(row) for row in rows] == [("thiio", "order-completed", "order", order_id)]


def test_a_receiver_with_other_credentials_takes_nothing(
    thiio: ThiioSandbox, engine: Engine, told: list[Notification]
) -> None:
    """The address is what proves who sends; what was not taken is tried again later."""
    with run_server(receiver_settings(url_of(engine))) as (_, url):
        settings = settings_of(thiio, f"{url}/webhooks/thiio", password="wrong")
        ThiioChannels(settings, told.append).subscribe("order-completed")
        thiio.place_phone_order()
        assert [thiio.channels.deliver().failed for _ in range(2)] == [1, 1]

    with engine.connect() as connection:
        assert connection.execute(select(tables.inbox_events.c.id)).all() == []


def test_an_event_is_lost_on_demand(channels: ThiioChannels, thiio: ThiioSandbox, receiver: Receiver) -> None:
    """It never comes, the next one does; a switch for another event waits."""
    channels.subscribe("order-completed")
    _, second = thiio.place_phone_order(), thiio.place_phone_order()
    thiio.channels.lose_next("order-completed")
    thiio.channels.lose_next("refund-applied")

    assert thiio.channels.deliver() == DeliveryReport(delivered=1, lost=1)
    assert thiio.channels.deliver() == DeliveryReport()
    assert receiver.events() == [("order-completed", "order", second)]


def test_an_event_comes_twice_on_demand(
    channels: ThiioChannels, thiio: ThiioSandbox, receiver: Receiver
) -> None:
    """The very same body."""
    channels.subscribe("order-completed")
    thiio.place_phone_order()
    thiio.channels.duplicate_next()

    assert thiio.channels.deliver() == DeliveryReport(delivered=1, duplicates=1)
    first, second = (request.content for request in receiver.requests)
    assert first == second


def test_an_event_is_overtaken_on_demand(
    channels: ThiioChannels, thiio: ThiioSandbox, receiver: Receiver
) -> None:
    """The refund arrives before its order."""
    channels.subscribe("order-completed")
    channels.subscribe("refund-applied")
    order_id = thiio.place_phone_order()
    thiio.refund_order(order_id, 100)
    thiio.channels.hold_back_next("order-completed")

    assert thiio.channels.deliver() == DeliveryReport(delivered=1, held_back=1)
    assert thiio.channels.deliver() == DeliveryReport(delivered=1)
    assert [name for name, _, _ in receiver.events()] == ["refund-applied", "order-completed"]


def test_what_was_not_taken_is_sent_again(
    channels: ThiioChannels, thiio: ThiioSandbox, receiver: Receiver
) -> None:
    """In its place: nothing overtakes it."""
    channels.subscribe("order-completed")
    first, second = thiio.place_phone_order(), thiio.place_phone_order()
    receiver.status = 503
    assert thiio.channels.deliver() == DeliveryReport(failed=1)
    receiver.status = 200
    assert thiio.channels.deliver() == DeliveryReport(delivered=2)

    assert [id for _, _, id in receiver.events()] == [first, first, second]


def test_a_receiver_that_is_gone_leaves_the_event_waiting(
    thiio: ThiioSandbox, told: list[Notification]
) -> None:
    """No connection is as good as no answer."""
    with serve_on_loopback(lambda _: httpx.Response(200)) as url:
        pass
    ThiioChannels(settings_of(thiio, url), told.append).subscribe("order-completed")
    thiio.place_phone_order()

    assert thiio.channels.deliver() == DeliveryReport(failed=1)
