"""The fields that are compared, as a merchant would read them.

All but the times are covered by the digest (`tasks.records.digest`): equal digests mean that none of them
differs. A hash knows no tolerance, so times are compared by the query that looks for differing pairs
(`tasks.reconcile.times`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tasks.reconcile.causes import Cause
from tasks.records.models import Entity


class FieldKind(StrEnum):
    """How two values of a field are compared. A value that one side did not say (None) is never compared."""

    TEXT = "text"  # without regard to case
    MONEY = "money"  # minor units, equal within a tolerance
    SET = "set"  # without regard to order and case
    FLAG = "flag"
    STATUS = "status"
    TIME = "time"  # equal within a tolerance
    LINES = "lines"  # by item: quantity, and money within a tolerance; components of kits don't count


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """How far two values may differ and still be equal: money in minor units, and times."""

    cents: int
    time: timedelta


@dataclass(frozen=True, slots=True)
class ComparedField:
    """A row of the table of compared fields.

    `tolerance` names the setting of `ReconcileSettings` that says how far money or times may differ;
    `is_personal` keeps the values out of Prefect, the reports show them.
    """

    name: str
    label: str
    kind: FieldKind
    cause: Cause
    tolerance: str | None = None
    is_personal: bool = False


def _personal(name: str, label: str) -> ComparedField:
    return ComparedField(name, label, FieldKind.TEXT, Cause.CUSTOMER_EDITED, is_personal=True)


def _money(name: str, label: str, cause: Cause = Cause.EDITED) -> ComparedField:
    return ComparedField(name, label, FieldKind.MONEY, cause, "total_tolerance_cents")


def _time(name: str, label: str, cause: Cause) -> ComparedField:
    return ComparedField(name, label, FieldKind.TIME, cause, "date_tolerance_minutes")


PERSON = (
    _personal("email_key", "e-mail"),
    _personal("first_name", "first name"),
    _personal("last_name", "last name"),
    _personal("phone", "phone"),
    _personal("line1", "address line 1"),
    _personal("line2", "address line 2"),
    _personal("city", "city"),
    _personal("state", "state"),
    _personal("postal_code", "postal code"),
    _personal("country", "country"),
)
IS_DELETED = ComparedField("is_deleted", "deleted", FieldKind.FLAG, Cause.DELETED)
PLACED_AT = _time("placed_at", "order date", Cause.DATE)
"""Not compared for an order that we pushed: UltraCart has placed it when it arrived there."""

CUSTOMER_FIELDS = (*PERSON, IS_DELETED)

ORDER_FIELDS = (
    ComparedField("status", "status", FieldKind.STATUS, Cause.STATUS_EVENT_LOST),
    PLACED_AT,
    _time("rejected_at", "date of rejection", Cause.DATE),
    *PERSON,
    ComparedField("currency", "currency", FieldKind.TEXT, Cause.EDITED),
    _money("subtotal_cents", "subtotal"),
    _money("discount_cents", "discount"),
    _money("shipping_cents", "shipping"),
    _money("tax_cents", "tax"),
    _money("total_cents", "total"),
    _money("refunded_cents", "refund", Cause.REFUND_EVENT_LOST),
    _time("refunded_at", "date of the last refund", Cause.REFUND_EVENT_LOST),
    ComparedField("payment_method", "payment method", FieldKind.TEXT, Cause.EDITED),
    ComparedField("gateway_code", "gateway code", FieldKind.TEXT, Cause.GATEWAY_CODE),
    ComparedField("is_test", "test order", FieldKind.FLAG, Cause.TEST_ORDER),
    ComparedField("tracking_numbers", "tracking numbers", FieldKind.SET, Cause.SHIPMENT_EVENT_LOST),
    _time("shipped_at", "date of shipment", Cause.SHIPMENT_EVENT_LOST),
    IS_DELETED,
    ComparedField("lines", "items", FieldKind.LINES, Cause.ITEMS_EDITED, "total_tolerance_cents"),
)

FIELDS = {Entity.CUSTOMER: CUSTOMER_FIELDS, Entity.ORDER: ORDER_FIELDS}


def label_of(entity: str, name: str) -> str:
    """Give a field's label for people; a name that is not compared (any more) stays as it is."""
    labels = {field.name: field.label for field in FIELDS[Entity(entity)]}
    return labels.get(name, name)


def is_personal(entity: str, name: str) -> bool:
    """Tell whether a mismatch's values are personal: so is everything of a customer but its deletion."""
    personal = {field.name for field in FIELDS[Entity(entity)] if field.is_personal}
    return name in personal or (entity == Entity.CUSTOMER and name != IS_DELETED.name)
