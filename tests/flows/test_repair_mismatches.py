"""The repair as a whole, between both stand-ins over HTTP: what it mends is proven by the next comparison."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from flows.process_inbox import process_inbox
from flows.pull_records import pull_records
from flows.push_orders import PushOrders, push_orders
from flows.reconcile_customers import reconcile_customers
from flows.reconcile_orders import reconcile_orders
from flows.repair_mismatches import RepairMismatches, repair_mismatches
from tasks.database import tables
from tasks.database.lease import hold_lease
from tasks.inbox.steps import put_back_records
from tasks.push.steps import plan_pushes
from tasks.reconcile.repair.decide import Act
from tasks.reconcile.repair.steps import plan_repairs
from tasks.reconcile.steps import reconcile_customers_window, reconcile_orders_window
from tasks.records.models import Entity
from tasks.seed import Shop, make_shop
from tasks.thiio.sandbox.agents import PhoneLine
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.thiio.steps import (
    mark_orders_synced,
    pull_thiio_catalogue,
    pull_thiio_customers,
    pull_thiio_orders,
)
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tasks.ultracart.steps import (
    pull_ultracart_catalogue,
    pull_ultracart_customers,
    pull_ultracart_orders,
)
from tests.flows.running import newest_artifact, result_of, run

REPAIR = RepairMismatches(dry_run=False)
OLD = datetime.now(UTC) - timedelta(days=45)
"""Longer ago than push-orders sends by itself."""
TWIN = "twin@example.com"
"""An address that two customers of Thiio have."""
EDITED, EDITED_TWICE, UNLINKED = "DEMO-0009100100", "DEMO-0009100101", "DEMO-0009100102"


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A small shop."""
    return make_shop(customers=20, orders=120, now=datetime.now(UTC))


def compare_at_once() -> None:
    """Do what the flows of `compare` do, without a run of each."""
    end = datetime.now(UTC)
    start = end - timedelta(days=120)
    for pull_catalogue in (pull_ultracart_catalogue, pull_thiio_catalogue):
        pull_catalogue.fn()
    for step in (
        pull_ultracart_customers, pull_ultracart_orders, pull_thiio_customers, pull_thiio_orders,
        reconcile_customers_window, reconcile_orders_window,
    ):  # fmt: skip
        step.fn(start, end)


def compare() -> None:
    """Read both sides anew and compare them."""
    result_of(pull_records)
    result_of(reconcile_customers)
    result_of(reconcile_orders)


def ledger_of(engine: Engine, state: str = "open") -> dict[tuple[str, str, str], str | None]:
    """Read the ledger: kind, field and the record → reason."""
    table = tables.mismatches
    query = select(table).where(table.c.state == state)
    with engine.connect() as connection:
        return {
            (row.kind, row.field, row.ultracart_id or row.thiio_id): row.reason
            for row in connection.execute(query)
        }


KEPT = ("inbox_events", "pushes", "links", "notifications")


def rows_of(engine: Engine, name: str) -> list[dict[str, Any]]:
    """Read all rows of one of our tables."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(tables.metadata.tables[name])).mappings()]


def count_rows(engine: Engine, name: str) -> int:
    """Count the rows of one of our tables."""
    return len(rows_of(engine, name))


@pytest.fixture
def trouble(
    workplace: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Differences of every kind, found by a comparison; gives the ids by what is wrong with them."""
    monkeypatch.setenv("ULTRATHIIO_RECONCILE__ULTRACART_OWNED_FIELDS", '["total_cents"]')
    monkeypatch.setenv("ULTRATHIIO_RECONCILE__THIIO_OWNED_FIELDS", '["phone"]')
    compare_at_once()
    ids = {
        "lost order": ultracart.place_order("new@example.com"),
        "lost customer": str(ultracart.create_customer("lost@example.com")),
        "old phone order": thiio.place_phone_order(placed_at=OLD),
        "unmapped phone order": thiio.place_phone_order(
            [PhoneLine(product_id=thiio.add_product("Boots"))], placed_at=OLD
        ),
        "twin": str(ultracart.create_customer(TWIN)),
        "named but unseen": thiio.place_phone_order(external_order_id="DEMO-NEVER"),
    }
    with thiio.engine.begin() as connection:
        born = {"email": TWIN, "created_at": datetime.now(UTC), "updated_at": datetime.now(UTC)}
        connection.execute(insert(thiio.tables.customers), [born, born])
    edited = {name: str(thiio.find_order(name)["id"]) for name in (EDITED, EDITED_TWICE, UNLINKED)}
    thiio.edit_order_total(edited[EDITED], 1)
    thiio.edit_order_total(edited[EDITED_TWICE], 2)
    thiio.edit_order(edited[EDITED_TWICE], billing_phone="+12025550199", billing_city="Elsewhere")
    thiio.edit_order(edited[UNLINKED], external_order_id=None)
    compare_at_once()
    return ids | {"unlinked": edited[UNLINKED]}


ASIDE = {
    ("field_differs", "phone", EDITED_TWICE),
    ("field_differs", "city", EDITED_TWICE),
    ("field_differs", "total_cents", EDITED_TWICE),
}
"""A record that is not delivered again: not all of its differing fields are UltraCart's."""


def test_the_ledger_empties_but_for_what_says_why(
    workplace: Engine, trouble: dict[str, str], ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """What was repaired is closed with the act as its reason; of the rest the account tells why it stays."""
    named = ("missing_in_ultracart", "", trouble["named but unseen"])
    held = ("missing_in_ultracart", "", trouble["unmapped phone order"])
    repaired = {
        ("missing_in_thiio", "", trouble["lost order"]): "put back into the inbox",
        ("missing_in_thiio", "", trouble["lost customer"]): "put back into the inbox",
        ("field_differs", "total_cents", EDITED): "put back into the inbox",
        ("missing_in_ultracart", "", trouble["old phone order"]): "released to push-orders",
        ("unlinked", "", UNLINKED): "linked: UltraCart's order ID was written on Thiio's order",
    }
    opened = set(ledger_of(workplace))
    twins = {key for key in opened if key[0] == "duplicate"}
    assert len(twins) == 1
    assert opened == {*ASIDE, *twins, named, held, *repaired}

    numbers = result_of(repair_mismatches, REPAIR)
    account = newest_artifact("repair-account")
    worked, pushed = result_of(process_inbox), result_of(push_orders, PushOrders(dry_run=False))
    compare()

    assert numbers == {
        "put_back": 3, "released": 1, "linked": 1, "not_done": 1, "would_be_done": 0,
        "told": 5, "left": 0,
    }  # fmt: skip
    assert (worked["done"], pushed["sent"]["confirmed"]) == (3, 1)
    assert set(ledger_of(workplace)) == {*ASIDE, *twins, named, held}
    closed = ledger_of(workplace, "resolved")
    assert {key: str(reason).split(" on 2")[0] for key, reason in closed.items()} == {
        key: f"repaired: {act}" for key, act in repaired.items()
    }
    for words in (
        "Thiio's phone counts. By hand in UltraCart: correct the phone of order DEMO-0009100101.",
        "No setting says whose city counts.",
        "also differs in city, phone, where UltraCart's word does not count",
        "Thiio's order names UltraCart order DEMO-NEVER: it is not pushed a second time.",
        "Several records could be meant",
        "(Boots) has no UltraCart item ID.",
    ):
        assert words in account
    assert "+12025550199" not in account
    assert thiio.find_order(EDITED_TWICE)["billing_city"] == "Elsewhere"
    assert ultracart.imports == {f"THIIO-{trouble['old phone order']}": 1}


def test_a_dry_run_says_the_same_and_does_nothing(
    workplace: Engine, trouble: dict[str, str], ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """The form begins with it: no event, no push, no write, no call to UltraCart."""
    before = [count_rows(workplace, name) for name in KEPT]
    ledger = rows_of(workplace, "mismatches")

    numbers = result_of(repair_mismatches)

    assert numbers == {
        "put_back": 0, "released": 0, "linked": 0, "not_done": 1, "would_be_done": 5, "told": 5, "left": 0,
    }  # fmt: skip
    account = newest_artifact("repair-account")
    assert "Dry run: nothing was done." in account
    assert "## What would be done: 5" in account
    assert [count_rows(workplace, name) for name in KEPT] == before
    assert rows_of(workplace, "mismatches") == ledger
    assert thiio.read_order(trouble["unlinked"])["external_order_id"] is None


def test_a_second_run_does_nothing_twice(
    workplace: Engine, trouble: dict[str, str], ultracart: UltraCartSandbox
) -> None:
    """One event a record, one release, before and after they were worked off; each says that it waits."""
    result_of(repair_mismatches, REPAIR)
    first = {name: rows_of(workplace, name) for name in ("inbox_events", "pushes", "mismatches")}

    again = result_of(repair_mismatches, REPAIR)
    account = newest_artifact("repair-account")

    assert {name: rows_of(workplace, name) for name in first} == first
    assert (again["put_back"], again["released"], again["linked"], again["told"]) == (0, 0, 0, 10)
    assert "It was put back into the inbox on" in account
    assert "no comparison has looked since" in account

    result_of(process_inbox)
    result_of(push_orders, PushOrders(dry_run=False))
    result_of(repair_mismatches, REPAIR)
    assert result_of(process_inbox)["claimed"] == 0
    result_of(push_orders, PushOrders(dry_run=False))
    assert ultracart.imports == {f"THIIO-{trouble['old phone order']}": 1}


def test_a_run_that_was_killed_is_gone_on_with(
    workplace: Engine, trouble: dict[str, str], ultracart: UltraCartSandbox
) -> None:
    """Killed after its acts and before its notes: the next run finds them done, and notes them."""
    plan = plan_repairs.fn(REPAIR.choice())
    orders, customers = (plan.keys(Act.PUT_BACK, entity) for entity in (Entity.ORDER, Entity.CUSTOMER))
    plan_pushes.fn([trouble["old phone order"]], False, False, False, True)
    mark_orders_synced.fn([(trouble["unlinked"], UNLINKED)])
    put_back_records.fn(orders, customers)
    events = rows_of(workplace, "inbox_events")
    assert [row["repair"] for row in rows_of(workplace, "mismatches") if row["repair"]] == []

    numbers = result_of(repair_mismatches, REPAIR)
    result_of(process_inbox)
    result_of(push_orders, PushOrders(dry_run=False))
    compare()

    assert (numbers["put_back"], numbers["released"], numbers["linked"]) == (3, 1, 1)
    assert count_rows(workplace, "inbox_events") == len(events)
    assert ultracart.imports == {f"THIIO-{trouble['old phone order']}": 1}
    assert all(str(reason).startswith("repaired: ") for reason in ledger_of(workplace, "resolved").values())


def test_it_waits_for_a_push_that_is_at_work(workplace: Engine, trouble: dict[str, str]) -> None:
    """Cancelled before anything is done."""
    with hold_lease(workplace, "push-orders"):
        state = run(repair_mismatches, REPAIR)

    assert (state.is_cancelled(), "Nothing was repaired." in state.message) == (True, True)
    assert [row["repair"] for row in rows_of(workplace, "mismatches") if row["repair"]] == []
    assert count_rows(workplace, "inbox_events") == 0


def test_trouble_with_ultracart_stops_only_what_needs_it(
    workplace: Engine,
    trouble: dict[str, str],
    ultracart: UltraCartSandbox,
    thiio: ThiioSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Released and linked all the same. Away: the run fails; without calls left: it says when they go on."""
    ultracart.faults.add(method="POST", path="/order/orders/batch", status=503, times=4)
    failed = run(repair_mismatches, REPAIR)
    account = newest_artifact("repair-account")
    monkeypatch.setenv("ULTRATHIIO_ULTRACART__CALLS_PER_DAY", "1")
    spent = run(repair_mismatches, REPAIR)
    monkeypatch.delenv("ULTRATHIIO_ULTRACART__CALLS_PER_DAY")

    assert (failed.is_failed(), "503" in failed.message) == (True, True)
    assert "Not read: UltraCart answered 503" in account
    assert thiio.read_order(trouble["unlinked"])["external_order_id"] == UNLINKED
    assert (spent.name, spent.is_cancelled()) == ("WaitingForBudget", True)
    assert count_rows(workplace, "inbox_events") == 0
    assert result_of(repair_mismatches, REPAIR)["put_back"] == 3
