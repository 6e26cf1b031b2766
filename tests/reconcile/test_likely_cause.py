"""Why a field most likely differs: a row a piece of evidence, from the certain to the vague."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.reconcile.causes import ADVICE, Cause
from tasks.reconcile.explain import explain_pairs
from tasks.reconcile.fields import Tolerances
from tasks.reconcile.likely_cause import Evidence, RecordPair
from tasks.records.models import Entity, OrderStatus
from tests.builders import NOON, make_line
from tests.reconcile.other_tables import add_event, add_push
from tests.reconcile.two_sides import make_customer_pair, make_pair, reconcile, store

HOUR = timedelta(hours=1)
TOLERANCES = Tolerances(cents=1, time=timedelta(minutes=10))
SYNCED = Evidence(event="done", synced_at=NOON + HOUR)
"""Both records were last changed at noon, and brought over an hour later."""
PUSHED = Evidence(synced_at=NOON + HOUR, is_pushed=True)
TOUCHED = {"as_of": NOON + 2 * HOUR}
UNMAPPED = make_line(item_id=None, product_id="302")

Case = tuple[dict[str, Any], Evidence, dict[str, Cause]]
CASES: dict[str, Case] = {
    "a word without translation": ({"status": OrderStatus.UNKNOWN}, SYNCED, {"status": Cause.UNKNOWN_STATUS}),
    "a product without mapping": ({"lines": (UNMAPPED,)}, SYNCED, {"lines": Cause.ITEM_MAPPING}),
    "a component without mapping is none": (
        {"lines": (make_line(item_id="TOY"), replace(UNMAPPED, position=2, is_component=True))},
        Evidence(),
        {"lines": Cause.ITEMS_EDITED},
    ),
    "a gateway's code": ({"gateway_code": "PAYPAL"}, SYNCED, {"gateway_code": Cause.GATEWAY_CODE}),
    "a test order": ({"is_test": True}, SYNCED, {"is_test": Cause.TEST_ORDER}),
    "deleted": ({"is_deleted": True} | TOUCHED, SYNCED, {"is_deleted": Cause.DELETED}),
    "tax computed anew": (
        {"tax_cents": 100, "total_cents": 2303},
        PUSHED,
        {"tax_cents": Cause.TAX_RECOMPUTED, "total_cents": Cause.TAX_RECOMPUTED},
    ),
    "tax of an order we did not push": (
        {"tax_cents": 100, "total_cents": 2303},
        Evidence(),
        {"tax_cents": Cause.EDITED, "total_cents": Cause.EDITED},
    ),
    "tax and total by different amounts": (
        {"tax_cents": 100, "total_cents": 2302},
        PUSHED,
        {"tax_cents": Cause.EDITED_IN_ULTRACART, "total_cents": Cause.EDITED_IN_ULTRACART},
    ),
    "tax, total and shipping": (
        {"tax_cents": 100, "total_cents": 2303, "shipping_cents": 9},
        PUSHED,
        dict.fromkeys(("tax_cents", "total_cents", "shipping_cents"), Cause.EDITED_IN_ULTRACART),
    ),
    "another time zone": ({"placed_at": NOON - 5 * HOUR}, SYNCED, {"placed_at": Cause.TIME_ZONE}),
    "a zone of quarters of an hour": (
        {"placed_at": NOON + 5 * HOUR + HOUR * 3 / 4},
        Evidence(),
        {"placed_at": Cause.TIME_ZONE},
    ),
    "hours that no zone explains": ({"placed_at": NOON + 15 * HOUR}, Evidence(), {"placed_at": Cause.DATE}),
    "some minutes": (
        {"placed_at": NOON + timedelta(minutes=17)}, SYNCED, {"placed_at": Cause.EDITED_IN_ULTRACART}
    ),
    "refunded in Thiio": ({"refunded_cents": 500}, SYNCED, {"refunded_cents": Cause.REFUND_IN_THIIO}),
    "its event waits": (
        {"total_cents": 1}, Evidence(event="waiting", synced_at=NOON), {"total_cents": Cause.EVENT_WAITS}
    ),
    "its event is worked on": ({"city": "Rome"}, Evidence(event="leased"), {"city": Cause.EVENT_WAITS}),
    "its event is dead": ({"city": "Rome"}, Evidence(event="dead"), {"city": Cause.EVENT_DEAD}),
    "a price edited in Thiio": (
        {"lines": (make_line(unit_price_cents=900),)} | TOUCHED, SYNCED, {"lines": Cause.EDITED_IN_THIIO}
    ),
    "a status changed in Thiio": (
        {"status": OrderStatus.UNPAID} | TOUCHED, SYNCED, {"status": Cause.EDITED_IN_THIIO}
    ),
    "Thiio's order is as it was brought over": (
        {"total_cents": 1}, SYNCED, {"total_cents": Cause.EDITED_IN_ULTRACART}
    ),
    "nothing is known of an edit": ({"total_cents": 1}, Evidence(), {"total_cents": Cause.EDITED}),
    "a status whose event was lost": (
        {"status": OrderStatus.UNPAID}, SYNCED, {"status": Cause.STATUS_EVENT_LOST}
    ),
    "a shipment whose event was lost": (
        {"tracking_numbers": ("1Z1",)}, SYNCED, {"tracking_numbers": Cause.SHIPMENT_EVENT_LOST}
    ),
    "an order of which no event ever came": (
        {"status": OrderStatus.UNPAID}, Evidence(), {"status": Cause.NO_EVENT}
    ),
    "a pushed order needs no event": (
        {"status": OrderStatus.UNPAID}, PUSHED, {"status": Cause.STATUS_EVENT_LOST}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "evidence", "expected"), CASES.values(), ids=CASES)
def test_the_evidence_tells_the_cause(
    changes: dict[str, Any], evidence: Evidence, expected: dict[str, Cause]
) -> None:
    """Of an order that Thiio shows with these changes, each field that differs has this cause."""
    ultracart, thiio = make_pair()
    pair = RecordPair(ultracart, replace(thiio, **changes), evidence)

    found = explain_pairs(Entity.ORDER, [pair], TOLERANCES)

    assert {each.field: each.cause for each in found} == expected


@pytest.mark.parametrize(
    ("refunded_at", "cause"),
    [
        pytest.param(NOON + 3 * HOUR, Cause.REFUND_LATE, id="after the last event"),
        pytest.param(NOON, Cause.REFUND_EVENT_LOST, id="before it"),
        pytest.param(None, Cause.REFUND_EVENT_LOST, id="at an unknown time"),
    ],
)
def test_a_refund_after_the_last_event_is_told(refunded_at: Any, cause: Cause) -> None:
    """UltraCart refunded more than Thiio knows: later than the last news that came over, or not."""
    ultracart, thiio = make_pair()
    refunded = replace(ultracart, refunded_cents=500, refunded_at=refunded_at)

    found = explain_pairs(Entity.ORDER, [RecordPair(refunded, thiio, SYNCED)], TOLERANCES)

    assert [(each.field, each.cause) for each in found] == [("refunded_cents", cause)]


def test_the_evidence_is_read_from_events_and_pushes(any_engine: Engine) -> None:
    """The newest event decides; the last one that was done, or the push, tells when news came over."""
    changed = [
        ("waiting", {"total_cents": 9999}, Cause.EVENT_WAITS),
        ("dead", {"total_cents": 9999}, Cause.EVENT_DEAD),
        ("done", {"total_cents": 9999} | TOUCHED, Cause.EDITED_IN_THIIO),
        ("done", {"total_cents": 9999}, Cause.EDITED_IN_ULTRACART),
        (None, {"total_cents": 9999}, Cause.EDITED),
    ]
    with any_engine.begin() as connection:
        for number, (state, _, _) in enumerate(changed):
            if state:
                add_event(connection, f"DEMO-{number}", "skipped", digest=f"{number} older")
                add_event(connection, f"DEMO-{number}", state, f"{number}", closed_at=NOON + HOUR)
        add_push(connection, "80009", "confirmed", ultracart_order_id="DEMO-9", closed_at=NOON)
    for number, (_, changes, _) in enumerate(changed):
        ultracart, thiio = make_pair(number)
        store(any_engine, ultracart, replace(thiio, **changes))
    ultracart, thiio = make_pair(9)
    store(any_engine, ultracart, replace(thiio, tax_cents=100, total_cents=2303, placed_at=NOON - 9 * HOUR))

    reconcile(any_engine)

    causes = [cause for _, _, cause in changed] + [Cause.TAX_RECOMPUTED] * 2
    assert read_causes(any_engine) == [ADVICE[cause].cause for cause in causes]


def test_a_customer_has_evidence_too(engine: Engine) -> None:
    """An event about a customer counts for them, not for an order of the same id."""
    shop, crm = make_customer_pair(1)
    other, copy = make_customer_pair(2)
    store(engine, shop, replace(crm, city="Rome"), other, replace(copy, city="Rome"))
    with engine.begin() as connection:
        add_event(connection, "1", "dead", "1", entity="customer", name="customer_update")
        add_event(connection, "2", "dead", "2")

    reconcile(engine, Entity.CUSTOMER)

    assert read_causes(engine) == [ADVICE[cause].cause for cause in (Cause.EVENT_DEAD, Cause.CUSTOMER_EDITED)]


def read_causes(engine: Engine) -> list[str]:
    """Read the causes of all mismatches, in order of their records."""
    table = tables.mismatches
    with engine.connect() as connection:
        return list(connection.scalars(select(table.c.cause).order_by(table.c.ultracart_id, table.c.field)))
