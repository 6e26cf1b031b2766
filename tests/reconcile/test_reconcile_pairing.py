"""Which records are paired, by which rule, and which are left to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.records.links import link
from tasks.records.models import Customer, Entity, Order, Side
from tests.builders import make_customer, make_order
from tests.reconcile.two_sides import (
    NOW,
    found_in,
    make_customer_pair,
    make_pair,
    read_links,
    reconcile,
    store,
)

SHOP, THIIO = Side.ULTRACART, Side.THIIO
SHARED = "shared@example.com"


def in_shop(id: str, partner_order_id: str | None = None, **changes: Any) -> Order:
    """An order of UltraCart, pushed by us if it has a partner order id."""
    return make_order(id, partner_order_id=partner_order_id, **changes)


def in_crm(id: str, names: str | None = None, **changes: Any) -> Order:
    """An order of Thiio that names an UltraCart order."""
    return make_order(id, THIIO, other_side_id=names, **changes)


def customer(
    id: str, side: Side, email: str | None = SHARED, phone: str | None = None, **changes: Any
) -> Customer:
    """A customer by e-mail address, and by phone."""
    return make_customer(id, side, email=email, email_key=email, phone=phone, **changes)


def caller(id: str, side: Side, phone: str = "+12025550143", **changes: Any) -> Customer:
    """A customer whom only their phone tells: the e-mail address is their own on each side."""
    return customer(id, side, f"{side}{id}@example.com", phone, **changes)


PAIRED: list[Any] = [
    pytest.param(
        [in_shop("D-1"), in_crm("17", "D-1")], {("D-1", "17", "other_side_id")}, id="named by Thiio"
    ),
    pytest.param(
        [in_shop("D-1", "THIIO-17"), in_crm("17")], {("D-1", "17", "partner_order_id")}, id="pushed by us"
    ),
    pytest.param([in_shop("D-1", "OTHER-17"), in_crm("17")], set(), id="pushed by somebody else"),
    pytest.param(
        [in_shop("D-1"), in_shop("D-2", "THIIO-17"), in_crm("17", "D-1")],
        {("D-2", "17", "partner_order_id")},
        id="the pushed one goes before the named one",
    ),
    pytest.param([in_shop("D-1"), in_crm("17", "D-1"), in_crm("18", "D-1")], set(), id="named twice"),
    pytest.param(
        [in_shop("D-1"), in_crm("17", "D-1"), in_crm("18", "D-1", is_deleted=True)],
        {("D-1", "17", "other_side_id")},
        id="named twice, once by a deleted order",
    ),
    pytest.param(
        [in_shop("D-1", "THIIO-17"), in_shop("D-2", "THIIO-17"), in_shop("D-3"), in_crm("17", "D-3")],
        set(),
        id="what an earlier rule leaves open no later rule settles",
    ),
    pytest.param([in_shop("D-1", is_deleted=True), in_crm("17", "D-1")], set(), id="deleted"),
    pytest.param(
        [customer("1", SHOP), customer("51", THIIO)], {("1", "51", "email")}, id="one address, one of each"
    ),
    pytest.param([customer("1", SHOP, None), customer("51", THIIO, None)], set(), id="no address"),
    pytest.param(
        [customer("1", SHOP), customer("51", THIIO), customer("52", THIIO)], set(), id="an address of two"
    ),
    pytest.param(
        [customer("1", SHOP), customer("2", SHOP), customer("51", THIIO)], set(), id="two of the shop's"
    ),
    pytest.param([caller("1", SHOP), caller("51", THIIO)], {("1", "51", "phone")}, id="one phone"),
    pytest.param(
        [customer("1", SHOP, None, "+12025550143"), caller("51", THIIO)],
        {("1", "51", "phone")},
        id="a phone without e-mail address",
    ),
    pytest.param(
        [caller("1", SHOP, "5550143"), caller("51", THIIO, "5550143")], set(), id="a phone that is not valid"
    ),
    pytest.param(
        [caller("1", SHOP), caller("51", THIIO), caller("52", THIIO)], set(), id="a phone of two in Thiio"
    ),
    pytest.param(
        [caller("1", SHOP), caller("2", SHOP), caller("51", THIIO)], set(), id="a phone of two in the shop"
    ),
    pytest.param(
        [customer("1", SHOP, phone="+12025550143"), customer("51", THIIO), caller("52", THIIO)],
        {("1", "51", "email")},
        id="the address goes before the phone",
    ),
    pytest.param(
        [
            customer("1", SHOP, phone="+12025550143"),
            *(customer(id, THIIO) for id in ("51", "52")),
            caller("53", THIIO),
        ],
        set(),
        id="no phone settles what an address leaves open",
    ),
    pytest.param(
        [caller("1", SHOP), caller("2", SHOP, is_deleted=True), caller("51", THIIO)],
        {("1", "51", "phone")},
        id="a phone of two, one of them deleted",
    ),
]


@pytest.mark.parametrize(("records", "expected"), PAIRED)
def test_records_are_paired_one_to_one(
    engine: Engine, records: Sequence[Order | Customer], expected: set[tuple[str, str, str]]
) -> None:
    """A rule links two records only if it means nobody else."""
    store(engine, *records)
    entity = Entity.ORDER if isinstance(records[0], Order) else Entity.CUSTOMER

    reconcile(engine, entity)

    with engine.connect() as connection:
        assert read_links(connection) == expected


def test_a_stored_link_stands_above_every_rule(engine: Engine) -> None:
    """Two records that were linked stay so, though Thiio's order names another one now."""
    store(engine, in_shop("D-1"), in_shop("D-2"), in_crm("17", "D-2"))
    with engine.begin() as connection:
        link(connection, Entity.ORDER, "D-1", "17", "delivered")

    reconcile(engine)

    with engine.connect() as connection:
        assert read_links(connection) == {("D-1", "17", "delivered")}
    # D-2 is left over by the rule that means it: a conflict, not a lone order.
    assert found_in(engine) == {("unlinked", "", "D-1", "17"), ("duplicate", "", "D-2", "")}


def test_a_pair_comes_with_the_record_in_the_window(engine: Engine) -> None:
    """A counterpart far outside of the window is found all the same."""
    ultracart, thiio = make_pair()
    long_ago = ultracart.as_of.replace(year=2020)
    old, changed = replace(ultracart, as_of=long_ago, placed_at=long_ago), replace(thiio, placed_at=long_ago)
    store(engine, old, changed)

    counts = reconcile(engine)

    assert (counts.paired, counts.equal, counts.ultracart, counts.thiio) == (1, 1, 0, 1)


def test_a_pushed_order_that_thiio_does_not_name_yet_is_told(any_engine: Engine) -> None:
    """Paired by our own partner order id, but not written back: somebody might push it again."""
    store(any_engine, in_shop("D-1", "THIIO-17"), in_crm("17"))

    reconcile(any_engine)

    assert found_in(any_engine) == {("unlinked", "", "D-1", "17")}


def test_a_conflict_is_told_with_all_candidates(any_engine: Engine) -> None:
    """Who shares an address is listed under the one record they all claim; nothing of it is "missing"."""
    linked = make_customer_pair(7)
    store(any_engine, *linked)
    reconcile(any_engine, Entity.CUSTOMER)
    email = linked[0].email
    store(any_engine, customer("51", THIIO, email), customer("52", THIIO, email))

    reconcile(any_engine, Entity.CUSTOMER)

    assert read_conflicts(any_engine) == [("7", "", "7 (linked)", "5007 (linked), 51, 52")]
    assert found_in(any_engine) == {("duplicate", "", "7", "")}


def test_a_phone_of_several_is_told_with_all_candidates(any_engine: Engine) -> None:
    """Who has no e-mail address in common but one phone is listed: nobody guesses who is meant."""
    store(any_engine, caller("1", SHOP), *(caller(id, THIIO) for id in ("51", "52")))

    reconcile(any_engine, Entity.CUSTOMER)
    again = reconcile(any_engine, Entity.CUSTOMER, now=NOW + timedelta(hours=1))

    assert read_conflicts(any_engine) == [("1", "", "1", "51, 52")]
    assert (found_in(any_engine), again.resolved) == ({("duplicate", "", "1", "")}, 0)


def test_a_phone_of_a_linked_customer_tells_nothing(any_engine: Engine) -> None:
    """A household, or a junk number: those without counterpart are missing, as if they had no phone."""
    linked = [customer("7", SHOP, phone="+12025550143"), customer("57", THIIO, phone="+12025550143")]
    store(any_engine, *linked, caller("1", SHOP), caller("51", THIIO))

    reconcile(any_engine, Entity.CUSTOMER)

    assert found_in(any_engine) == {("missing_in_thiio", "", "1", ""), ("missing_in_ultracart", "", "", "51")}


def test_a_conflict_of_many_with_many_is_told_once_a_record(engine: Engine) -> None:
    """Where no side has a single record, each of the shop's records gets the list."""
    store(engine, *(customer(id, SHOP) for id in "12"), *(customer(id, THIIO) for id in ("51", "52")))

    reconcile(engine, Entity.CUSTOMER)

    assert read_conflicts(engine) == [("1", "", "1, 2", "51, 52"), ("2", "", "1, 2", "51, 52")]


def test_a_long_list_of_candidates_is_cut(engine: Engine) -> None:
    """A junk address can be shared by thousands; twenty are spelt out."""
    store(engine, customer("1", SHOP), *(customer(str(id), THIIO) for id in range(5001, 5024)))

    reconcile(engine, Entity.CUSTOMER)

    shown = ", ".join(str(id) for id in range(5001, 5021))
    assert read_conflicts(engine) == [("1", "", "1", f"{shown}, and 3 more")]


def test_a_conflict_that_is_settled_pairs_what_is_left(engine: Engine) -> None:
    """Once a person deletes the double, the two that remain are linked and the mismatch is resolved."""
    double = customer("52", THIIO)
    store(engine, customer("1", SHOP), customer("51", THIIO), double)
    reconcile(engine, Entity.CUSTOMER)
    store(engine, replace(double, is_deleted=True))

    reconcile(engine, Entity.CUSTOMER, now=double.as_of.replace(day=3))

    with engine.connect() as connection:
        assert read_links(connection) == {("1", "51", "email")}
    assert (found_in(engine), found_in(engine, "resolved")) == (set(), {("duplicate", "", "1", "")})


def read_conflicts(engine: Engine) -> list[tuple[str, str, str, str]]:
    """Read the open conflicts: the record they are kept under, and both lists."""
    table = tables.mismatches
    query = select(table.c.ultracart_id, table.c.thiio_id, table.c.ultracart_value, table.c.thiio_value)
    query = query.where(table.c.kind == "duplicate", table.c.state == "open").order_by(table.c.id)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]
