"""The stand-in's items, gateways and channel partners."""

from __future__ import annotations

from typing import Any

from tasks.ultracart.sandbox.call import Call, Refusal, cut_page, read_time, single
from tasks.ultracart.sandbox.serialize import show_item
from tasks.ultracart.sandbox.store import Store

PAGE_CAP = 2_000
PARTNER_OID = 4_711


def list_items(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /item/items."""
    items = list(store.items.values())
    if since := call.query.get("_since"):
        items = [item for item in items if item["last_modified_dts"] >= read_time(since, "_since")]
    return cut_page(call, [show_item(item, call.expand) for item in items], "items", PAGE_CAP)


def get_item(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /item/items/merchant_item_id/{merchant_item_id}."""
    item_id = call.parts["merchant_item_id"]
    if item_id not in store.items:
        raise Refusal("Server side object 'item' could not be found. It does not exist.")
    return single("item", show_item(store.items[item_id], call.expand))


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
    ("GET", "/fraud/lookup_values", list_lookup_values),
    ("GET", "/channel_partner/channel_partners", list_channel_partners),
)
