"""Both stand-ins on loopback, filled with the same shop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.loopback import serve_on_loopback
from tasks.seed import make_shop
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox

ULTRACART_FILE = "ultracart.pickle"


@dataclass(frozen=True, slots=True)
class Sandboxes:
    """The two stand-ins and where they listen."""

    ultracart: UltraCartSandbox
    ultracart_url: str
    thiio: ThiioSandbox
    thiio_url: str

    def addresses(self) -> dict[str, dict[str, Any]]:
        """Give what a client needs to know of each; made-up credentials, so they may be printed."""
        return {
            "ultracart": {
                "base_url": f"{self.ultracart_url}/rest/v2",
                "simple_key": self.ultracart.simple_key,
                "merchant_id": self.ultracart.merchant_id,
                "channel_partner_code": self.ultracart.channel_partner_code,
            },
            "thiio": {
                "base_url": self.thiio_url,
                "database_url": self.thiio.database_url,
                "email": self.thiio.email,
                "password": self.thiio.password,
                "inbound_webhook_url": self.thiio_url + self.thiio.inbound_webhook_path,
            },
        }

    def environment(self) -> dict[str, str]:
        """Give the settings, as environment variables, that point at these stand-ins."""
        return {
            f"ULTRATHIIO_{system.upper()}__{name.upper()}": str(value)
            for system, values in self.addresses().items()
            for name, value in values.items()
        }


@contextmanager
def start_sandboxes(folder: Path, now: datetime | None = None, *, keep: bool = False) -> Iterator[Sandboxes]:
    """Serve both stand-ins on free ports for a block; what they hold stays in `folder`.

    With `keep` they go on from what an earlier block left in the folder; else the shop is made anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ULTRACART_FILE
    shop = make_shop(now=now or datetime.now(UTC))
    ultracart = UltraCartSandbox(shop)
    if keep and file.exists():
        ultracart.load(file)
    thiio = ThiioSandbox(folder, shop, keep=keep)
    with (
        serve_on_loopback(ultracart.respond) as ultracart_url,
        serve_on_loopback(thiio.respond) as thiio_url,
    ):
        try:
            yield Sandboxes(ultracart, ultracart_url, thiio, thiio_url)
        finally:
            ultracart.save(file)
            thiio.close()
