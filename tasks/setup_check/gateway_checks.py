"""Checks of the gateway mapping: which UltraCart gateway is each gateway of Thiio?"""

from __future__ import annotations

from tasks.errors import UltraThiioError
from tasks.records.models import Gateway
from tasks.setup_check import pages
from tasks.setup_check.checks import Check, failed, first_few, named, ok, unknown, warning
from tasks.setup_check.thiio_findings import ThiioFindings
from tasks.setup_check.ultracart_findings import UltraCartFindings

CODES, STORE = "Gateways: code", "Gateways: payment methods store"


def check_gateways(thiio: ThiioFindings, ultracart: UltraCartFindings) -> list[Check]:
    """Check every active gateway of Thiio against UltraCart's."""
    if isinstance(thiio.gateways, UltraThiioError):
        until, see = "Thiio's gateways can be read", "See the line Thiio connection."
        return [unknown(name, until, see) for name in (CODES, STORE)]
    active = [gateway for gateway in thiio.gateways if gateway.is_active]
    if not active:
        remedy = f"See that gateways are active in {thiio.gateway_page}."
        return [
            warning(CODES, "Thiio lists no active gateway.", remedy),
            unknown(STORE, "Thiio has an active gateway", f"See the line {CODES}."),
        ]
    return [
        check_codes(active, thiio.gateway_page, ultracart),
        check_payment_store(active, thiio.gateway_page),
    ]


def check_codes(active: list[Gateway], page: str, ultracart: UltraCartFindings) -> Check:
    """Check that each gateway carries a code of UltraCart, to the letter: it is sent as it stands."""
    without = [
        f"{named(gateway.id, gateway.name)} has none" for gateway in active if not gateway.gateway_code
    ]
    remedy = f"Paste the code of {pages.GATEWAYS} for these gateways into {page}."
    if isinstance(ultracart.gateways, UltraThiioError):
        if without:
            return failed(CODES, f"{first_few(without)}.", remedy)
        return unknown(CODES, "UltraCart's gateways can be read", "See the line Permission: gateways.")
    known = sorted(gateway.code for gateway in ultracart.gateways)
    strange = [
        f"{named(gateway.id, gateway.name)} has {gateway.gateway_code}"
        for gateway in active
        if gateway.gateway_code and gateway.gateway_code not in known
    ]
    if without or strange:
        found = f"{first_few([*without, *strange])}; UltraCart has {first_few(known) or 'no gateway'}."
        return failed(CODES, found, remedy)
    return ok(CODES, f"All {len(active)} active gateways carry a code of UltraCart.")


def check_payment_store(active: list[Gateway], page: str) -> Check:
    """Check that "payment methods store" is enabled on each gateway, as the guide asks."""
    remedy = f'Enable "payment methods store" for these gateways in {page}.'
    off = [named(gateway.id, gateway.name) for gateway in active if gateway.payment_methods_store is False]
    if off:
        return failed(STORE, f"Not enabled: {first_few(off)}.", remedy)
    silent = [named(gateway.id, gateway.name) for gateway in active if gateway.payment_methods_store is None]
    if silent:
        return unknown(STORE, f"Thiio tells it of {first_few(silent)}", remedy)
    return ok(STORE, f"Enabled on all {len(active)} active gateways.")
