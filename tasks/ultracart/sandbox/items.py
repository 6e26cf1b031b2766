"""The stand-in's items, gateways and channel partners."""

from __future__ import annotations

from typing import Any

from tasks.ultracart.sandbox.call import Call, cut_page, read_time, single
from tasks.ultracart.sandbox.serialize import show_item
from tasks.ultracart.sandbox.store import Store

PAGE_CAP = 2_000
PARTNER_OID = 4_711


def list_items(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /item/items."""
    items = list(store.items.values())
    if since := call.query.get("_since"):
        items = [item for item in items if item["last_modified_dts"] >= read_time(since, "_since")]
    rows = [show_item(item, call.expand) for item in items]
    return cut_page(call, rows, "items", PAGE_CAP, clamps=store.clamps_limit)


def get_item(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /item/items/merchant_item_id/{merchant_item_id}."""
    item_id = call.parts["merchant_item_id"]
    if item_id not in store.items:
        raise store.missing("item")
    return single("item", show_item(store.items[item_id], call.expand))


def get_item_by_oid(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /item/items/{merchant_item_oid}."""
    for item in store.items.values():
        if str(item["merchant_item_oid"]) == call.parts["merchant_item_oid"]:
            return single("item", show_item(item, call.expand))
    raise store.missing("item")


def list_lookup_values(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /fraud/lookup_values, where the public API names the gateways."""
    return single("fraud_lookup_values", {"rotating_transaction_gateways": store.gateways})


def list_channel_partners(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /channel_partner/channel_partners."""
    partner = {
        "channel_partner_oid": PARTNER_OID,
        "code": store.channel_partner_code,
        "name": "Thiio call centre",
        "merchant_id": store.merchant_id,
        "inactive": False,
    }
    return single("channelPartners", [partner])


ROUTES = (
    ("GET", "/item/items", list_items),
    ("GET", "/item/items/merchant_item_id/{merchant_item_id}", get_item),
    ("GET", "/item/items/{merchant_item_oid}", get_item_by_oid),
    ("GET", "/fraud/lookup_values", list_lookup_values),
    ("GET", "/channel_partner/channel_partners", list_channel_partners),
)
