"""Any records in any order: the same pairs, by the ladder as a dozen lines of Python tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from tasks.database import tables
from tasks.records.mirror import save_customers, save_orders
from tasks.records.models import Customer, Entity, Order, Side
from tests.builders import make_customer, make_order
from tests.reconcile.two_sides import found_in, read_links, reconcile

SHOP, THIIO = Side.ULTRACART, Side.THIIO
SHOP_IDS, THIIO_IDS = ("D-1", "D-2", "D-3", "D-4"), ("17", "18", "19", "20")
PARTNER_IDS = (None, None, "OTHER-17", "THIIO-17", "THIIO-18", "THIIO-19")
EMAILS = (None, "ada@example.com", "bob@example.com", "eve@example.com", "joe@example.com")
PHONES = (None, "+12025550143", "+12025550144", "+442079460958", "5550143")

Record = Order | Customer
Rule = tuple[str, Callable[[Record], str | None]]
LADDER: dict[Entity, tuple[Rule, ...]] = {
    Entity.ORDER: (
        (
            "partner_order_id",
            lambda each: each.partner_order_id if each.side is SHOP else f"THIIO-{each.id}",  # type: ignore[union-attr]
        ),
        ("other_side_id", lambda each: each.id if each.side is SHOP else each.other_side_id),  # type: ignore[union-attr]
    ),
    Entity.CUSTOMER: (
        ("email", lambda each: each.email_key),
        ("phone", lambda each: each.phone if (each.phone or "").startswith("+") else None),
    ),
}
"""Each rule by name, with the key that a record has by it."""


def pair_by_ladder(entity: Entity, records: Sequence[Record]) -> set[tuple[str, str, str]]:
    """Pair one to one: a key of one live record of each side, neither of them meant by an earlier key."""
    live = [record for record in records if not record.is_deleted]
    meant: set[tuple[Side, str]] = set()
    links: set[tuple[str, str, str]] = set()
    for rule, key_of in LADDER[entity]:
        groups: dict[str, list[Record]] = {}
        for record in live:
            if key := key_of(record):
                groups.setdefault(key, []).append(record)
        shared = [group for group in groups.values() if len({each.side for each in group}) == 2]
        for group in shared:
            if len(group) == 2 and not {(each.side, each.id) for each in group} & meant:
                ultracart, thiio = sorted(group, key=lambda each: each.side is THIIO)
                links.add((ultracart.id, thiio.id, rule))
        meant |= {(each.side, each.id) for group in shared for each in group}
    return links


@st.composite
def orders(draw: st.DrawFn) -> list[Record]:
    """Draw orders of both sides that name one another, or somebody else."""
    deleted = st.sampled_from((False, False, False, True))
    partners, named = st.sampled_from(PARTNER_IDS), st.sampled_from((None, *SHOP_IDS))
    shop: list[Record] = [
        make_order(id, SHOP, partner_order_id=draw(partners), is_deleted=draw(deleted)) for id in SHOP_IDS
    ]
    return shop + [
        make_order(id, THIIO, other_side_id=draw(named), is_deleted=draw(deleted)) for id in THIIO_IDS
    ]


@st.composite
def customers(draw: st.DrawFn) -> list[Record]:
    """Draw customers of both sides who share e-mail addresses and phones, or have their own."""
    drawn: list[Record] = []
    for side, ids in ((SHOP, SHOP_IDS), (THIIO, THIIO_IDS)):
        for id in ids:
            email, phone = draw(st.sampled_from(EMAILS)), draw(st.sampled_from(PHONES))
            is_deleted = draw(st.sampled_from((False, False, False, True)))
            drawn.append(
                make_customer(id, side, email=email, email_key=email, phone=phone, is_deleted=is_deleted)
            )
    return drawn


@pytest.mark.parametrize(("entity", "drawn"), [(Entity.ORDER, orders()), (Entity.CUSTOMER, customers())])
def test_the_order_of_arrival_makes_no_difference(
    any_engine: Engine, entity: Entity, drawn: st.SearchStrategy[list[Record]]
) -> None:
    """Links are those of the ladder, exclusive on both sides, and the ledger is the same in any order."""

    # Without the search for a smaller example: each costs two runs on a real database.
    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(records=drawn, shuffled=st.randoms(use_true_random=False))
    def holds(records: list[Record], shuffled: object) -> None:
        first = outcome(any_engine, entity, records)
        shuffled.shuffle(records)  # type: ignore[attr-defined]
        second = outcome(any_engine, entity, records)
        links, _ = first

        assert second == first
        assert links == pair_by_ladder(entity, records)
        assert len({link[0] for link in links}) == len({link[1] for link in links}) == len(links)

    holds()


def outcome(
    engine: Engine, entity: Entity, records: Sequence[Record]
) -> tuple[set[tuple[str, str, str]], set[tuple[str, str, str, str]]]:
    """Store records one by one in an empty mirror and compare: what is linked, and what is told."""
    emptied = (tables.orders, tables.order_lines, tables.customers, tables.links, tables.mismatches)
    with engine.begin() as connection:
        for table in emptied:
            connection.execute(delete(table))
        for record in records:  # each by itself: the mirror sorts what comes together
            save_orders(connection, [record] if isinstance(record, Order) else [])
            save_customers(connection, [record] if isinstance(record, Customer) else [])
    reconcile(engine, entity)
    with engine.connect() as connection:
        links = read_links(connection)
    return links, found_in(engine)
