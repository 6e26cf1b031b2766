"""Ask Thiio once for all that the checks look at."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import UltraThiioError
from tasks.notifications.log import Notify
from tasks.records.item_rules import ItemKeys
from tasks.records.models import Gateway, Product
from tasks.settings import Settings
from tasks.setup_check import pages
from tasks.setup_check.reading import attempt
from tasks.thiio.connection import ThiioConnection
from tasks.thiio.mapping_file import load_mapping
from tasks.thiio.open import open_thiio


@dataclass(frozen=True, slots=True, kw_only=True)
class ThiioFindings:
    """What Thiio gave; where it gave nothing, the error.

    `trouble` is why the connection does not work, if it does not: it cannot be opened, its own check
    complains, or products and gateways cannot be read although their tables are there.
    """

    trouble: UltraThiioError | None
    gaps: tuple[str, ...]
    item_keys: ItemKeys
    products: list[Product] | UltraThiioError
    gateways: list[Gateway] | UltraThiioError
    product_page: str = pages.THIIO_PRODUCTS
    gateway_page: str = pages.THIIO_GATEWAYS
    """Where an operator changes a product or a gateway, so that the connection sees it."""


def read_thiio(settings: Settings, notify: Notify) -> ThiioFindings:
    """Ask Thiio; nothing is raised."""
    opened = attempt(lambda: _open(settings, notify))
    if isinstance(opened, UltraThiioError):
        return _not_read(opened)
    thiio, item_keys = opened
    try:
        trouble = attempt(thiio.check)
        return _not_read(trouble) if trouble else _read(thiio, item_keys)
    finally:
        thiio.close()


def _open(settings: Settings, notify: Notify) -> tuple[ThiioConnection, ItemKeys]:
    mapping = load_mapping(settings.thiio.mapping_file)
    return open_thiio(settings, notify), mapping.item_keys(settings.thiio)


def _read(thiio: ThiioConnection, item_keys: ItemKeys) -> ThiioFindings:
    products, gateways = attempt(thiio.list_products), attempt(thiio.list_gateways)
    also = f", and {pages.THIIO_FILE}" if thiio.name == "api" else ""
    errors = [reading for reading in (products, gateways) if isinstance(reading, UltraThiioError)]
    return ThiioFindings(
        trouble=errors[0] if errors else None,
        gaps=thiio.gaps,
        item_keys=item_keys,
        products=products,
        gateways=gateways,
        product_page=pages.THIIO_PRODUCTS + also,
        gateway_page=pages.THIIO_GATEWAYS + also,
    )


def _not_read(trouble: UltraThiioError) -> ThiioFindings:
    return ThiioFindings(trouble=trouble, gaps=(), item_keys=ItemKeys(), products=trouble, gateways=trouble)
