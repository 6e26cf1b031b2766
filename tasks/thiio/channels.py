"""Subscriptions of our receiver to Thiio's events.

Sources: thiio.atlassian.net, page 2949152778 "API documentation", "Subscribe" and "Unsubscribe" (versions 11
and 14). The names of the events: webforce-hq.atlassian.net, page 80904202 "Webforce - Zapier Api Doc", the
same API under the vendor's older name; of Thiio's own list only `transaction-declined` could be read. What
makes an event happen: thiio.atlassian.net, page 2933882888 "Event Triggers and Their Descriptions in Thiio".

No documented call lists the channels that exist: whoever subscribes keeps the ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from tasks.errors import RemoteChanged, RemoteRefused, SetupError
from tasks.notifications.log import Notification, Notify
from tasks.settings import Settings, require
from tasks.thiio.login import SYSTEM, ThiioLogin

METHOD = "zapier"
"""The only documented way in which a channel delivers."""
ALIAS = "Zapier - {}"
"""Form of a channel's name in Thiio, by the page's sample "Zapier - Transaction declined"."""
EVENTS = (
    "contact-created",
    "order-completed",
    "approved-transaction",
    "customer-created",
    "transaction-declined",
    "refund-applied",
    "survey-completed",
    "subscription-canceled",
)
"""The documented events. Thiio may know more, so that any name may be asked for."""
HIDDEN = "[redacted]"


class Channel(msgspec.Struct, frozen=True):
    """A subscription; `id` is what ends it."""

    id: str
    event: str


class _Made(msgspec.Struct):
    id: str


class _MadeAnswer(msgspec.Struct):
    data: _Made


class ThiioChannels:
    """Makes and ends subscriptions of the receiver's address, `ULTRATHIIO_THIIO__WEBHOOK_URL`.

    A channel has an address and nothing else to prove who sends, so the receiver's user name and password are
    part of the address. Assumed: Thiio gives them as HTTP Basic credentials, as HTTP clients do. They are in
    no notification.
    """

    def __init__(self, settings: Settings, notify: Notify) -> None:
        userinfo = ":".join(
            quote(require(value, "receiver", name), safe="")
            for name, value in (
                ("username", settings.receiver.username),
                ("password", settings.receiver.password),
            )
        )
        url = require(settings.thiio.webhook_url, "thiio", "webhook_url")
        parts = urlsplit(url)
        if not parts.scheme or not parts.hostname or "@" in parts.netloc:
            raise SetupError(
                "ULTRATHIIO_THIIO__WEBHOOK_URL must be an address like "
                "https://hooks.example.com/webhooks/thiio, without user name and password: those of the "
                "receiver are added."
            )
        self._url = parts._replace(netloc=f"{userinfo}@{parts.netloc}").geturl()
        self._login = ThiioLogin(settings.thiio, _hiding(userinfo, notify))

    def subscribe(self, event: str) -> Channel:
        """Have Thiio send an event, e.g. `order-completed`, to the receiver from now on.

        Sent once. A second call makes a second channel, and each event then comes twice, which the inbox
        takes for one if the bodies are equal. `AnswerLost` means that a channel may exist whose id nobody
        knows. Raises `RemoteRefused` if Thiio does not take the event, `RemoteChanged` for an answer without
        id.
        """
        token = self._login.token()
        body = {
            "url": self._url,
            "method": METHOD,
            "alias": ALIAS.format(event.replace("-", " ").capitalize()),
            "event": event,
        }
        with self._login.client({"authorization": f"Bearer {token.token}"}) as client:
            path = f"/api/integrations/{quote(token.integration_uuid, safe='')}/channels"
            answer = client.write("POST", path, json=body)
        try:
            return Channel(msgspec.json.decode(answer, type=_MadeAnswer).data.id, event)
        except msgspec.DecodeError as error:
            raise RemoteChanged(
                f"Thiio's answer to the subscription of {event} is not as documented "
                f"({type(error).__name__}). A channel may exist; look for it in Thiio's integrations.",
                system=SYSTEM,
            ) from error

    def unsubscribe(self, channel_id: str) -> None:
        """End a subscription; safe to repeat. Assumed: a channel that is gone is answered 404."""
        with self._login.client({"authorization": f"Bearer {self._login.token().token}"}) as client:
            try:
                # Once or twice, the channel is gone afterwards: it may be repeated like a read.
                client.read("DELETE", f"/api/channels/{quote(channel_id, safe='')}")
            except RemoteRefused as error:
                if error.status != 404:
                    raise


def _hiding(userinfo: str, notify: Notify) -> Callable[[Notification], None]:
    """Tell notifications on, without the credentials that stand in the address sent and echoed."""

    def hide(body: Any) -> Any:
        match body:
            case dict():
                return {name: hide(value) for name, value in body.items()}
            case bytes():
                return body.replace(userinfo.encode(), HIDDEN.encode())
            case str():
                return body.replace(userinfo, HIDDEN)
        return body

    def tell(notification: Notification) -> None:
        notify(replace(notification, sent=hide(notification.sent), received=hide(notification.received)))

    return tell
