"""A webhook that fails is left alone for ever longer, as UltraCart's own resource shows, when switched on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tasks.loopback import serve_on_loopback
from tasks.seed import Shop
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.delivery_log import wait_after
from tasks.ultracart.sandbox.dispatcher import DeliveryReport
from tasks.ultracart.sandbox.server import UltraCartSandbox

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOTHING = DeliveryReport()


class Receiver:
    """Answers with `status`, and counts; `now` is the stand-in's clock."""

    def __init__(self) -> None:
        self.status = 503
        self.bodies: list[bytes] = []
        self.now = START

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Answer a delivery."""
        self.bodies.append(request.content)
        return httpx.Response(self.status)


@pytest.fixture
def receiver(ultracart: UltraCartSandbox) -> Iterator[Receiver]:
    """A receiver that fails, registered as the guide says; the stand-in backs off and goes by its clock."""
    receiver = Receiver()
    ultracart.store.clock = lambda: receiver.now
    ultracart.dispatcher.backs_off = True
    with serve_on_loopback(receiver.respond) as url:
        ultracart.register_webhook(url, "user", "secret")
        yield receiver


def test_waits_double_up_to_four_hours() -> None:
    """So that ten failures take most of a day."""
    assert [wait_after(failures) // timedelta(minutes=1) for failures in range(1, 11)] == [
        1, 2, 4, 8, 16, 32, 64, 128, 240, 240,
    ]  # fmt: skip


def test_a_failed_webhook_is_skipped_until_its_time(
    ultracart: UltraCartSandbox, receiver: Receiver, client: UltraCartClient
) -> None:
    """Then the same events come again, in the same body; a second failure doubles the wait."""
    ultracart.place_order("nora@example.com")
    first = ultracart.deliver()
    early = ultracart.deliver()
    (shown,) = client.list_webhooks()
    receiver.now += timedelta(minutes=1)
    second = ultracart.deliver()
    receiver.now += timedelta(minutes=1, seconds=59)
    still_early = ultracart.deliver()
    receiver.now += timedelta(seconds=1)
    third = ultracart.deliver()

    failed = DeliveryReport(failed=1, requests=1)
    assert (first, early, second, still_early, third) == (failed, NOTHING, failed, NOTHING, failed)
    assert (shown.next_retry_after, shown.consecutive_failures, shown.pending) == (
        "2026-11-01T07:01:00-05:00", 1, 1,
    )  # fmt: skip
    assert len(set(receiver.bodies)) == 1


def test_a_success_forgets_the_failures(
    ultracart: UltraCartSandbox, receiver: Receiver, client: UltraCartClient
) -> None:
    """What happened meanwhile comes too, and the next failure waits a minute again."""
    ultracart.place_order("nora@example.com")
    ultracart.deliver()
    ultracart.place_order("nora@example.com")
    receiver.now += timedelta(minutes=1)
    receiver.status = 200
    taken = ultracart.deliver()
    (shown,) = client.list_webhooks()
    receiver.status = 500
    ultracart.place_order("nora@example.com")
    ultracart.deliver()
    (again,) = client.list_webhooks()

    assert taken == DeliveryReport(delivered=2, requests=1)
    assert (shown.next_retry_after, shown.consecutive_failures, shown.pending) == (None, 0, 0)
    assert (again.next_retry_after, again.consecutive_failures) == ("2026-11-01T07:02:00-05:00", 1)


def test_one_webhook_that_fails_does_not_hold_up_another(
    ultracart: UltraCartSandbox, receiver: Receiver
) -> None:
    """Each waits by itself."""
    other = Receiver()
    other.status = 200
    with serve_on_loopback(other.respond) as url:
        ultracart.register_webhook(url, "user", "secret")
        ultracart.place_order("nora@example.com")
        first = ultracart.deliver()
        ultracart.place_order("nora@example.com")
        second = ultracart.deliver()

    assert first == DeliveryReport(delivered=1, failed=1, requests=2)
    assert second == DeliveryReport(delivered=1, requests=1)
    assert (len(receiver.bodies), len(other.bodies)) == (1, 2)


def test_a_webhook_that_fails_for_hours_is_disabled_for_good(
    ultracart: UltraCartSandbox, receiver: Receiver, client: UltraCartClient
) -> None:
    """After ten failures, until somebody enables it; then everything that waited comes."""
    ultracart.place_order("nora@example.com")
    for _ in range(24 * 4):
        ultracart.deliver()
        receiver.now += timedelta(minutes=15)
    (shown,) = client.list_webhooks()
    receiver.status = 200
    client.update_webhook(shown.webhook_oid, {"disabled": False})
    report = ultracart.deliver()

    assert (shown.disabled, shown.consecutive_failures, shown.pending) == (True, 10, 1)
    assert report == DeliveryReport(delivered=1, requests=1)
    assert len(receiver.bodies) == 11


def test_without_the_switch_every_round_is_an_attempt(
    ultracart: UltraCartSandbox, receiver: Receiver, client: UltraCartClient, shop: Shop
) -> None:
    """As it is at first: no time is named, because none is kept."""
    ultracart.dispatcher.backs_off = UltraCartSandbox(shop).dispatcher.backs_off
    ultracart.place_order("nora@example.com")
    reports = [ultracart.deliver() for _ in range(3)]
    (shown,) = client.list_webhooks()

    assert reports == [DeliveryReport(failed=1, requests=1)] * 3
    assert (shown.next_retry_after, shown.consecutive_failures) == (None, 3)


def test_a_delivery_keeps_to_its_size(ultracart: UltraCartSandbox, receiver: Receiver) -> None:
    """`maximum_size` bounds a body as `maximum_events` does; an event that is larger goes alone."""
    receiver.status = 200
    for _ in range(3):
        ultracart.place_order("nora@example.com")
    ultracart.deliver()
    (webhook,) = ultracart.store.webhooks.values()
    webhook.resource["maximum_size"] = 100
    for _ in range(3):
        ultracart.place_order("nora@example.com")
    report = ultracart.deliver()

    assert report == DeliveryReport(delivered=3, requests=3)
    assert len(receiver.bodies) == 4
