"""Where a record of the report stands on the pages of UltraCart, of Thiio and of the receiver."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode

from tasks.records.models import Entity, Side
from tasks.settings import ReportSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses with {id} for an order's id, and the receiver's public address; "" where there is none."""

    ultracart_order: str = ""
    thiio_order: str = ""
    notifications: str = ""

    def record(self, side: Side, entity: str, id: str) -> str:
        """Give the address of a record's own page; "" if there is none."""
        template = self.ultracart_order if side is Side.ULTRACART else self.thiio_order
        return template.replace("{id}", quote(id, safe="")) if id and entity == Entity.ORDER else ""

    def log(self, entity: str, id: str) -> str:
        """Give the address of the notifications about a record; "" without a receiver's address."""
        if not (self.notifications and id):
            return ""
        return f"{self.notifications.rstrip('/')}/notifications?{urlencode({'entity': entity, 'id': id})}"


def make_links(settings: ReportSettings) -> Links:
    """Take the addresses from the settings."""
    return Links(
        ultracart_order=settings.ultracart_order_url,
        thiio_order=settings.thiio_order_url,
        notifications=settings.notifications_url,
    )


def anchor(url: str, text: str) -> str:
    """Write a link as HTML; only the text if there is no address. Its page is not told where it came from."""
    if not url:
        return escape(text)
    return f'<a href="{escape(url)}" rel="noreferrer">{escape(text)}</a>'
