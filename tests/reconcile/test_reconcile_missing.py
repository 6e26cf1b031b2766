"""Which records without counterpart are told as missing, with what cause, and which are nobody's concern."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.reconcile.causes import ADVICE, Cause
from tasks.records.links import link
from tasks.records.models import Entity, OrderStatus, Side
from tests.builders import NOON, make_customer, make_order
from tests.reconcile.other_tables import add_event, add_push
from tests.reconcile.two_sides import NOW, WINDOW, found_in, reconcile, store

AGES_AGO = NOW - timedelta(days=400)
SHOP_ORDERS: dict[str, tuple[dict[str, Any], bool]] = {
    "an order": ({}, True),
    "a rejected order": ({"status": OrderStatus.REJECTED}, True),
    "an order without status": ({"status": None}, True),
    "a quote": ({"status": OrderStatus.QUOTE}, False),
    "a test order": ({"is_test": True}, False),
    "perhaps a test order": ({"is_test": None}, True),
    "a deleted order": ({"is_deleted": True}, False),
}
REJECTED_SHOP_ORDER = {"other_side_id": "D-2", "status": OrderStatus.REJECTED}
CRM_ORDERS: dict[str, tuple[dict[str, Any], str | None, bool]] = {
    "names an order that UltraCart does not show": ({"other_side_id": "D-1"}, None, True),
    "a phone order that nobody pushes": ({}, None, True),
    "a phone order that is being pushed": ({}, "planned", False),
    "a phone order that is held": ({}, "held", False),
    "a phone order that UltraCart confirmed": ({}, "confirmed", True),
    "a phone order too old to be pushed": ({"placed_at": AGES_AGO}, "held", True),
    "a rejected phone order": ({"status": OrderStatus.REJECTED}, None, False),
    "a rejected order of the shop": (REJECTED_SHOP_ORDER, None, True),
    "one cleared away by UltraCart": (
        REJECTED_SHOP_ORDER | {"other_side_id": "D-3", "rejected_at": AGES_AGO}, None, False
    ),
}  # fmt: skip


def test_an_order_of_the_shop_should_be_in_thiio(any_engine: Engine) -> None:
    """Every order should, but for quotes, tests and what is deleted."""
    store(any_engine, *(make_order(name, **changes) for name, (changes, _) in SHOP_ORDERS.items()))

    reconcile(any_engine)

    missing = {name for name, (_, is_missing) in SHOP_ORDERS.items() if is_missing}
    assert found_in(any_engine) == {("missing_in_thiio", "", name, "") for name in missing}


def test_an_order_of_thiio_should_be_in_ultracart(any_engine: Engine) -> None:
    """Every order should, but for what push-orders answers for, and what UltraCart would have deleted."""
    orders = [make_order(name, Side.THIIO, **changes) for name, (changes, _, _) in CRM_ORDERS.items()]
    store(any_engine, *orders)
    with any_engine.begin() as connection:
        for name, (_, push, _) in CRM_ORDERS.items():
            if push:
                add_push(connection, name, push)

    reconcile(any_engine)

    missing = {name for name, (_, _, is_missing) in CRM_ORDERS.items() if is_missing}
    assert found_in(any_engine) == {("missing_in_ultracart", "", "", name) for name in missing}


def test_what_is_missing_is_described(any_engine: Engine) -> None:
    """A missing order tells status, date and total; the amount is what UltraCart counts more than Thiio."""
    store(any_engine, make_order("D-1"), make_order("17", Side.THIIO, other_side_id="D-9", currency=None))
    store(any_engine, make_customer("1"))

    reconcile(any_engine)
    reconcile(any_engine, Entity.CUSTOMER)

    table = tables.mismatches
    names = ("ultracart_value", "thiio_value", "amount_cents", "placed_at")
    with any_engine.connect() as connection:
        rows = connection.execute(select(*(table.c[name] for name in names)).order_by(table.c.id)).all()
    order = "processing, placed 2026-11-01 12:00 UTC, 23.63 USD"
    assert list(map(tuple, rows)) == [
        (order, "missing", 2363, NOON),
        ("missing; named D-9", order, -2363, NOON),
        ("ada@example.com", "missing", None, NOON),
    ]


CAUSES = {
    "D-1": (None, Cause.NO_EVENT),
    "D-2": ("waiting", Cause.EVENT_WAITS),
    "D-3": ("leased", Cause.EVENT_WAITS),
    "D-4": ("dead", Cause.EVENT_DEAD),
    "D-5": ("done", Cause.DELIVERED_BUT_GONE),
}


def test_the_inbox_tells_why_an_order_is_missing_in_thiio(engine: Engine) -> None:
    """The newest event of the order decides."""
    store(engine, *map(make_order, CAUSES))
    with engine.begin() as connection:
        for order_id, (state, _) in CAUSES.items():
            if state:
                add_event(connection, order_id, "skipped", digest=f"{order_id} older")
                add_event(connection, order_id, state, digest=f"{order_id} newer")

    reconcile(engine)

    assert read_causes(engine) == [ADVICE[cause].cause for _, cause in CAUSES.values()]


def test_a_link_tells_why_an_order_is_missing(engine: Engine) -> None:
    """A link whose other record is gone was delivered once; the id of the other one is told."""
    store(engine, make_order("D-1"))
    with engine.begin() as connection:
        link(connection, Entity.ORDER, "D-1", "17", "delivered")

    reconcile(engine)

    assert read_causes(engine) == [ADVICE[Cause.DELIVERED_BUT_GONE].cause]
    with engine.connect() as connection:
        assert connection.scalar(select(tables.mismatches.c.thiio_value)) == "missing; was 17"


def test_why_an_order_is_missing_in_ultracart(engine: Engine) -> None:
    """Named, confirmed or never pushed; of a customer, that Thiio alone knows them."""
    store(
        engine,
        make_order("17", Side.THIIO, other_side_id="D-1"),
        make_order("18", Side.THIIO),
        make_order("19", Side.THIIO),
        make_customer("51", Side.THIIO),
    )
    with engine.begin() as connection:
        add_push(connection, "18", "confirmed")

    reconcile(engine)
    reconcile(engine, Entity.CUSTOMER)

    causes = (Cause.NAMED_BUT_UNSEEN, Cause.CONFIRMED_BUT_UNSEEN, Cause.NEVER_PUSHED, Cause.ONLY_IN_THIIO)
    assert read_causes(engine) == [ADVICE[cause].cause for cause in causes]


def test_a_window_is_half_open(engine: Engine) -> None:
    """A record of the first moment belongs to the window, one of the last moment does not."""
    for number, moment in enumerate((WINDOW.start, WINDOW.end)):
        store(engine, make_order(f"D-{number}", placed_at=moment, as_of=moment))

    counts = reconcile(engine, now=NOW + timedelta(hours=1))

    assert found_in(engine) == {("missing_in_thiio", "", "D-0", "")}
    assert counts.ultracart == 1


def read_causes(engine: Engine) -> list[str]:
    """Read the causes of all mismatches, in the order in which they were found."""
    with engine.connect() as connection:
        return list(connection.scalars(select(tables.mismatches.c.cause).order_by(tables.mismatches.c.id)))
