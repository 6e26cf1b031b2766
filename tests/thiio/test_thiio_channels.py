"""Our receiver subscribes to Thiio's events as documented, and its credentials stay secret."""

from __future__ import annotations

import pytest

from tasks.errors import AnswerLost, CredentialsRefused, RemoteChanged, RemoteRefused, SetupError
from tasks.notifications.log import Notification, NotificationStatus, as_text
from tasks.thiio.channels import ThiioChannels
from tasks.thiio.sandbox.server import ThiioSandbox
from tests.thiio.subscriber import PASSWORD, Receiver, settings_of


def test_a_channel_is_made_as_documented(
    channels: ThiioChannels, thiio: ThiioSandbox, receiver: Receiver
) -> None:
    """Method and alias are those of the page's sample; the address carries the receiver's credentials."""
    channels.subscribe("transaction-declined")

    [metadata] = thiio.channels.show()
    address = receiver.url.replace("//", "//thiio:p%40ss%2Fword%3A%201@")
    assert metadata == {
        "alias": "Zapier - Transaction declined",
        "method": "zapier",
        "url": address,
        "event": "transaction-declined",
    }
    assert thiio.requests == [
        "POST /api/login",
        f"POST /api/integrations/{thiio.integration_uuid}/channels",
    ]


def test_no_notification_holds_the_credentials(channels: ThiioChannels, told: list[Notification]) -> None:
    """They stand in the address that is sent and that Thiio repeats."""
    channel = channels.subscribe("order-completed")
    channels.unsubscribe(channel.id)

    assert [note.status for note in told] == [NotificationStatus.SUCCESSFUL] * 3
    texts = [as_text(body) or "" for note in told for body in (note.sent, note.received)]
    assert sum("[redacted]@127.0.0.1" in text for text in texts) == 2
    assert not [text for text in [*texts, repr(told)] if "p%40ss" in text or PASSWORD in text]


def test_ending_a_channel_twice_is_no_error(
    channels: ThiioChannels, thiio: ThiioSandbox, told: list[Notification]
) -> None:
    """A lost answer, or an operator who was faster."""
    channel = channels.subscribe("order-completed")
    thiio.cut_next()

    channels.unsubscribe(channel.id)

    assert thiio.channels.show() == []
    assert [note.http_status for note in told[2:]] == [None, 404]


def test_a_lost_answer_to_a_subscription_is_not_sent_again(
    channels: ThiioChannels, thiio: ThiioSandbox
) -> None:
    """The channel may exist: here it does."""
    channels.unsubscribe("unknown")  # logs in
    thiio.cut_next()

    with pytest.raises(AnswerLost) as caught:
        channels.subscribe("order-completed")

    assert len(thiio.channels.show()) == 1
    assert PASSWORD not in str(caught.value)


def test_refusals_keep_their_meaning(channels: ThiioChannels, thiio: ThiioSandbox) -> None:
    """An event that Thiio does not take, an answer without id, a login that is wrong."""
    with pytest.raises(RemoteRefused):
        channels.subscribe("")
    thiio.fail_next(422)
    with pytest.raises(RemoteRefused):
        channels.unsubscribe("some channel")
    thiio.fail_next(200)
    with pytest.raises(RemoteChanged, match="A channel may exist"):
        channels.subscribe("order-completed")
    thiio.integration_uuid = "another"
    with pytest.raises(RemoteRefused):
        channels.subscribe("order-completed")
    thiio.fail_next(401)
    with pytest.raises(CredentialsRefused):
        channels.subscribe("order-completed")
    assert thiio.channels.show() == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "ULTRATHIIO_THIIO__WEBHOOK_URL is empty"),
        ("hooks.example.com/webhooks/thiio", "must be an address"),
        ("https://user:secret@hooks.example.com/webhooks/thiio", "without user name and password"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_set_up_error(
    thiio: ThiioSandbox, url: str, message: str
) -> None:
    """Before Thiio is asked; the message names the variable and no secret."""
    with pytest.raises(SetupError, match=message) as caught:
        ThiioChannels(settings_of(thiio, url), lambda _: None)

    assert "secret" not in str(caught.value)
    assert thiio.requests == []


def test_a_receiver_without_credentials_is_a_set_up_error(thiio: ThiioSandbox) -> None:
    """Without them the receiver takes nothing."""
    with pytest.raises(SetupError, match="ULTRATHIIO_RECEIVER__PASSWORD is empty"):
        ThiioChannels(settings_of(thiio, "https://hooks.example.com/", password=""), lambda _: None)
