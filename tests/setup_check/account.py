"""An account that is set up as the guide says, and the hands to spoil it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Engine

from tasks.loopback import CutConnection
from tasks.settings import Settings
from tasks.setup_check.checklist import run_checks
from tasks.setup_check.checks import Check, CheckStatus
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox

USERNAME, PASSWORD = "ultracart", "receiver-password"


@dataclass
class Receiver:
    """Plays our receiver: takes what comes with the right credentials, unless `status` says otherwise.

    It tells `health`. With `status` 0 it hangs up instead of answering.
    """

    status: int = 200
    url: str = ""
    health: Any = field(default_factory=lambda: {"status": "ok", "version": "0"})

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Answer a delivery."""
        if not self.status:
            raise CutConnection
        if request.method == "GET":
            return httpx.Response(self.status, json=self.health)
        given = request.headers.get("authorization", "")
        wanted = next(httpx.BasicAuth(USERNAME, PASSWORD).auth_flow(httpx.Request("GET", self.url)))
        return httpx.Response(self.status if given == wanted.headers["authorization"] else 401)


@dataclass
class Account:
    """Both stand-ins with our settings of them; `webhook` is the resource that is registered."""

    ultracart: UltraCartSandbox
    thiio: ThiioSandbox
    receiver: Receiver
    settings: Settings
    engine: Engine

    @property
    def webhook(self) -> dict[str, Any]:
        """Give the webhook as UltraCart keeps it."""
        return next(iter(self.ultracart.store.webhooks.values())).resource

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        """Give the webhook's events by name."""
        categories = self.webhook["event_categories"]
        return {event["event_name"]: event for category in categories for event in category["events"]}

    def change(self, section: str, **values: Any) -> None:
        """Change settings of one section."""
        changed = getattr(self.settings, section).model_copy(update=values)
        self.settings = self.settings.model_copy(update={section: changed})

    def deliver_one(self) -> None:
        """Let a customer sign up, and UltraCart tell of it."""
        number = len(self.ultracart.store.customers)
        self.ultracart.create_customer(f"new{number}@example.com")
        self.ultracart.deliver()

    def lines(self) -> dict[str, Check]:
        """Go through the checklist and give its lines by name."""
        checks = run_checks(self.settings, self.engine)
        lines = {check.name: check for check in checks}
        assert len(lines) == len(checks)
        assert all(bool(check.remedy) is (check.status is not CheckStatus.OK) for check in checks)
        return lines


Plant = Callable[[Account], object]
"""Spoils an account in one way."""


def names_of(lines: dict[str, Check], *statuses: CheckStatus) -> set[str]:
    """Name the lines that have one of these statuses."""
    return {name for name, check in lines.items() if check.status in statuses}


def texts_of(lines: dict[str, Check]) -> str:
    """Give all that the lines show."""
    return "\n".join(f"{check.name} {check.found} {check.remedy}" for check in lines.values())


def assert_line(check: Check, status: CheckStatus, words: Sequence[str]) -> None:
    """Require a line's status, and words of what was found or of what to do."""
    assert check.status is status, check
    for word in words:
        assert word in f"{check.found} {check.remedy}"


def environment(account: Account) -> dict[str, str]:
    """Give an account's settings as environment variables."""
    settings = account.settings
    ultracart, thiio, receiver = settings.ultracart, settings.thiio, settings.receiver
    return {
        "ULTRATHIIO_DATABASE_URL": settings.database_url.get_secret_value(),
        "ULTRATHIIO_ULTRACART__BASE_URL": ultracart.base_url,
        "ULTRATHIIO_ULTRACART__SIMPLE_KEY": ultracart.simple_key.get_secret_value(),
        "ULTRATHIIO_ULTRACART__MERCHANT_ID": ultracart.merchant_id,
        "ULTRATHIIO_ULTRACART__CHANNEL_PARTNER_CODE": ultracart.channel_partner_code,
        "ULTRATHIIO_ULTRACART__WEBHOOK_URL": ultracart.webhook_url,
        "ULTRATHIIO_THIIO__DATABASE_URL": thiio.database_url.get_secret_value(),
        "ULTRATHIIO_RECEIVER__USERNAME": receiver.username,
        "ULTRATHIIO_RECEIVER__PASSWORD": receiver.password.get_secret_value(),
    }


def run_command(account: Account, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run `ultrathiio check …` with an account's settings and no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "flows", "check", *words],
        env={**os.environ, **environment(account), "COLUMNS": "240", **changes},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
