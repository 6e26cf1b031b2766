"""A web server in our receiver's place, and settings that subscribe it to the stand-in's events."""

from __future__ import annotations

import httpx

from tasks.settings import Settings, load_settings
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.thiio.webhook_body import split_body

USERNAME, PASSWORD = "thiio", "p@ss/word: 1"


class Receiver:
    """Keeps what came and answers as told."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.status = 200
        self.url = ""

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Keep a request."""
        self.requests.append(request)
        return httpx.Response(self.status)

    def events(self) -> list[tuple[str, str, str | None]]:
        """Name, entity and id of each event that was delivered."""
        return [
            (event.name, event.entity, event.entity_id)
            for request in self.requests
            for event in split_body(request.content)
        ]


def settings_of(thiio: ThiioSandbox, url: str, **credentials: str) -> Settings:
    """Settings of a login to the stand-in and of a receiver at an address."""
    login = {"base_url": thiio.base_url, "email": thiio.email, "password": thiio.password}
    return load_settings(
        thiio={**login, "webhook_url": url},
        receiver={"username": USERNAME, "password": PASSWORD, **credentials},
    )
