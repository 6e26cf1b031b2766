"""Customers as UltraCart gives them, whole: what a webhook would have delivered, read again from the API."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from tasks.errors import RemoteRefused
from tasks.ultracart.answers import decode, means_not_found
from tasks.ultracart.client import CUSTOMER_EXPANSIONS, UltraCartClient

EVENT_NAME = "customer_update"
"""What UltraCart sends last of a customer; the object says all that happened before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerObject:
    """A customer's JSON, by the oid of its profile."""

    oid: str
    object_json: bytes


class _Answer(msgspec.Struct):
    customer: msgspec.Raw


def read_customer_object(client: UltraCartClient, oid: str) -> CustomerObject | None:
    """Give a customer as it is now, with the parts that the webhook is subscribed to; one call.

    None if UltraCart does not know it. There is no call for many customers by their oids.
    """
    path = f"/customer/customers/{quote(oid, safe='')}"
    try:
        # The client's own connection: its pace and its retries.
        answer = client._http.read("GET", path, params={"_expand": CUSTOMER_EXPANSIONS})
    except RemoteRefused as error:
        if means_not_found(error):
            return None
        raise
    return CustomerObject(oid=oid, object_json=bytes(decode(answer, _Answer, path).customer))
