"""An account that is well set up: webhook registered, one delivery taken, both catalogues in agreement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from tasks.loopback import Respond, serve_on_loopback
from tasks.seed import Shop, make_shop
from tasks.settings import Settings, load_settings
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.setup_check.account import PASSWORD, USERNAME, Account, Receiver


@pytest.fixture(scope="session")
def shop() -> Shop:
    """A shop with the usual catalogue and few orders, which no check reads."""
    return make_shop(customers=3, orders=3, now=datetime.now(UTC))


class Port:
    """A port that stays open from test to test: to open and close one takes longer than most tests."""

    def __init__(self) -> None:
        self.url = ""
        self.respond: Respond

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as the test's own remote does."""
        return self.respond(request)


@pytest.fixture(scope="session")
def ports() -> Iterator[list[Port]]:
    """A port each for UltraCart, Thiio and the receiver."""
    ports = [Port(), Port(), Port()]
    with ExitStack() as stack:
        for port in ports:
            port.url = stack.enter_context(serve_on_loopback(port.answer))
        yield ports


@pytest.fixture
def ultracart(shop: Shop, ports: list[Port]) -> UltraCartSandbox:
    """UltraCart's stand-in, filled with the shop."""
    sandbox = UltraCartSandbox(shop)
    ports[0].respond, sandbox.base_url = sandbox.respond, f"{ports[0].url}/rest/v2"
    return sandbox


@pytest.fixture
def thiio(tmp_path: Path, shop: Shop, ports: list[Port]) -> Iterator[ThiioSandbox]:
    """Thiio's stand-in, filled with the shop."""
    sandbox = ThiioSandbox(tmp_path / "thiio", shop)
    ports[1].respond, sandbox.base_url = sandbox.respond, ports[1].url
    yield sandbox
    sandbox.close()


@pytest.fixture
def receiver(ports: list[Port]) -> Receiver:
    """What UltraCart's stand-in delivers to."""
    receiver = Receiver(url=f"{ports[2].url}/webhooks/ultracart")
    ports[2].respond = receiver.respond
    return receiver


@pytest.fixture
def settings(
    ultracart: UltraCartSandbox, thiio: ThiioSandbox, receiver: Receiver, sqlite_url: str
) -> Settings:
    """Settings that point at both stand-ins."""
    return load_settings(
        database_url=SecretStr(sqlite_url),
        ultracart={
            "base_url": ultracart.base_url,
            "simple_key": ultracart.simple_key,
            "merchant_id": ultracart.merchant_id,
            "channel_partner_code": ultracart.channel_partner_code,
            "webhook_url": receiver.url,
        },
        thiio={
            "database_url": thiio.database_url,
            "base_url": thiio.base_url,
            "email": thiio.email,
            "password": thiio.password,
            "inbound_webhook_url": thiio.inbound_webhook_url,
        },
        receiver={"username": USERNAME, "password": PASSWORD},
    )


@pytest.fixture
def account(
    ultracart: UltraCartSandbox, thiio: ThiioSandbox, receiver: Receiver, settings: Settings, engine: Engine
) -> Account:
    """The account; a test spoils it."""
    ultracart.register_webhook(receiver.url, USERNAME, PASSWORD)
    account = Account(ultracart, thiio, receiver, settings, engine)
    account.deliver_one()
    return account
