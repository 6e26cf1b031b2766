"""Orders as UltraCart gives them, whole: what a webhook would have delivered, read again from the API.

`wire.Order` holds what we use of an order. An inbox event keeps all of it, so that a later version can read
more: here the text of each object stays as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from tasks.ultracart.answers import decode
from tasks.ultracart.client import ORDERS_PER_BATCH, UltraCartClient
from tasks.ultracart.envelopes import ORDERS
from tasks.ultracart.paging import read_rows
from tasks.ultracart.webhook_body import ORDER_EXPANSION

PATH = "/order/orders/batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderObject:
    """An order's JSON, and the event that fits the order as it is now; `placed_at` is aware UTC."""

    order_id: str
    object_json: bytes
    event_name: str
    placed_at: datetime | None


class OrderStanding(msgspec.Struct):
    """What tells how far an order has come; untyped, since an odd value must not hide the other orders."""

    order_id: str
    current_stage: Any = None
    creation_dts: Any = None
    reject_dts: Any = None
    refund_dts: Any = None
    shipping: Any = None


def iter_order_objects(client: UltraCartClient, order_ids: Sequence[str]) -> Iterator[OrderObject]:
    """Give orders by id as they are at the origin now, 500 a call; unknown ids are left out.

    They have the parts that the webhook is subscribed to: an order that did not change since a delivery is
    the same object.
    """
    for start in range(0, len(order_ids), ORDERS_PER_BATCH):
        body = {"order_ids": list(order_ids[start : start + ORDERS_PER_BATCH]), "query_target": "origin"}
        # The client's own connection: its pace and its retries.
        answer = client._http.read("POST", PATH, params={"_expand": ORDER_EXPANSION}, json=body)
        for raw in read_rows(decode(answer, ORDERS.skimmed, PATH), PATH):
            yield _read(bytes(raw))


def choose_event_name(order: OrderStanding) -> str:
    """Give the event that UltraCart sends last of an order in this state.

    Whoever works it off takes the state from the object, which holds all that happened before; the name is
    only what the order is told by. So it is that of the furthest step: rejected, refunded, shipped, placed.
    """
    if order.current_stage == "Rejected" or order.reject_dts:
        return "order_reject"
    if order.refund_dts:
        return "order_refund"
    if isinstance(order.shipping, dict) and order.shipping.get("shipping_date"):
        return "order_ship"
    return "order_create"


def _read(object_json: bytes) -> OrderObject:
    order = decode(object_json, OrderStanding, PATH)
    return OrderObject(
        order_id=order.order_id,
        object_json=object_json,
        event_name=choose_event_name(order),
        placed_at=_time(order.creation_dts),
    )


def _time(value: Any) -> datetime | None:
    try:
        return msgspec.convert(value, datetime).astimezone(UTC)
    except msgspec.ValidationError:
        return None
