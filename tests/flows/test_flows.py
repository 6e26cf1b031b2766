"""Every flow through Prefect against both stand-ins: its result, its artifacts, its words when it fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from flows.check_setup import check_setup
from flows.process_inbox import process_inbox
from flows.prune import Prune, prune
from flows.pull_records import PullRecords, pull_records
from flows.push_orders import PushOrders, push_orders
from flows.reconcile_customers import reconcile_customers
from flows.reconcile_orders import reconcile_orders
from flows.replay_events import ReplayEvents, replay_events
from flows.report_mismatches import report_mismatches
from tasks.database import tables
from tasks.database.lease import hold_lease
from tasks.inbox.delivery import split_ultracart
from tasks.inbox.event_queue import store_events
from tasks.seed import Shop
from tasks.thiio.sandbox.agents import PhoneLine
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.dispatcher import BodyShape, write_body
from tasks.ultracart.sandbox.serialize import plain, show_order
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tasks.ultracart.webhook_body import ORDER_EXPANSION
from tests.flows.running import newest_artifact, result_of, run


def receive(engine: Engine, name: str, shown: object) -> None:
    """Put an event into the inbox, as the receiver does."""
    body = write_body([{name: shown}], BodyShape.ARRAY)
    with engine.begin() as connection:
        store_events(connection, split_ultracart(body, 10**6), now=datetime.now(UTC))


def order_as_sent(ultracart: UltraCartSandbox, order_id: str) -> object:
    """Give an order as UltraCart's webhook sends it."""
    return plain(show_order(ultracart.store.orders[order_id], frozenset(ORDER_EXPANSION.split(","))))


def test_two_sides_that_agree_are_pulled_compared_and_reported(workplace: Engine, shop: Shop) -> None:
    """The whole shop is read from both sides, nothing differs, and the report says so in one sentence."""
    pulled = result_of(pull_records)
    customers, orders = result_of(reconcile_customers), result_of(reconcile_orders)
    report = result_of(report_mismatches)

    assert (pulled["ultracart_orders"], pulled["thiio_orders"]) == (len(shop.orders), len(shop.orders))
    assert (customers["mismatches"], orders["mismatches"]) == (0, 0)
    assert orders["paired"] == orders["equal"] > 350
    assert report["answer"].startswith("Yes")
    assert Path(report["html"]).exists()
    assert "Yes" in newest_artifact("mismatch-report")


def test_a_second_pull_starts_where_the_first_one_ended(workplace: Engine) -> None:
    """Only the overlap is read again."""
    result_of(pull_records)

    again = result_of(pull_records)

    assert again.get("ultracart_orders", 0) < 10


def test_times_given_by_hand_leave_the_watermark(workplace: Engine) -> None:
    """Whoever reads last month again does not make the next run skip what lies between."""
    start = datetime.now(UTC) - timedelta(days=40)

    result_of(pull_records, PullRecords(start=start, end=start + timedelta(days=1)))

    with workplace.connect() as connection:
        assert connection.execute(select(tables.watermarks)).all() == []


def test_a_mismatch_is_found_reported_and_resolved(
    workplace: Engine, thiio: ThiioSandbox, shop: Shop
) -> None:
    """A total that was changed in Thiio is open until it is changed back."""
    row = thiio.find_order("DEMO-0009100100")
    cents = int(row["total"] * 100)
    thiio.edit_order_total(str(row["id"]), cents + 100)
    result_of(pull_records)

    opened = result_of(reconcile_orders)
    result_of(report_mismatches)
    rows = newest_artifact("open-mismatches")
    thiio.edit_order_total(str(row["id"]), cents)
    result_of(pull_records)
    resolved = result_of(reconcile_orders)

    assert (opened["opened"], opened["mismatches"]) == (1, 1)
    assert "DEMO-0009100100" in rows
    assert (resolved["resolved"], resolved["mismatches"]) == (1, 0)


def test_events_are_worked_off(workplace: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox) -> None:
    """An order that UltraCart told of is in Thiio; a run with nothing to do does nothing."""
    order_id = ultracart.place_order("new@example.com")
    receive(workplace, "order_create", order_as_sent(ultracart, order_id))

    first, second = result_of(process_inbox), result_of(process_inbox)

    assert (first["claimed"], first["done"]) == (1, 1)
    assert second["claimed"] == 0
    assert thiio.find_order(order_id)["email"] == "new@example.com"


def test_a_run_with_a_dead_letter_fails_after_everything_else_was_done(
    workplace: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """The message names the event and the reason; replay-events finds it, and puts it back."""
    good = ultracart.place_order("new@example.com")
    receive(workplace, "order_create", {"order_id": "DEMO-1", "creation_dts": "yesterday"})
    receive(workplace, "order_create", order_as_sent(ultracart, good))

    state = run(process_inbox)

    assert state.is_failed()
    assert "process-inbox: 1 failed" in state.message
    assert "creation_dts" in state.message
    assert thiio.find_order(good)["email"] == "new@example.com"
    assert result_of(replay_events, ReplayEvents(reason="another")) == {"found": 0, "replayed": 0}
    assert "None fits." in newest_artifact("replayed-events")
    assert result_of(replay_events, ReplayEvents(reason="CREATION_DTS")) == {"found": 1, "replayed": 0}
    plan = newest_artifact("replayed-events")
    assert "# 1 events would be put back (dry run)" in plan
    assert "| 1 | order_create | DEMO-1 | dead |" in plan
    assert result_of(replay_events, ReplayEvents(ids=[1], dry_run=False)) == {"found": 1, "replayed": 1}


def test_a_dry_push_shows_the_body_and_sends_nothing(
    workplace: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """The artifact holds the body without the person, and the held order with its remedy."""
    due = thiio.place_phone_order()
    held = thiio.place_phone_order([PhoneLine(product_id=thiio.add_product("Boots"))])

    counts = result_of(push_orders)

    assert counts == {"planned": 1, "held": 1}
    plan = newest_artifact("push-plan")
    assert f'"channel_partner_order_id": "THIIO-{due}"' in plan
    assert thiio.read_order(due)["email"] not in plan
    assert f"| {held} |" in plan
    assert ultracart.imports == {}


def test_a_held_order_goes_out_by_itself_once_it_is_mapped(
    workplace: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """Metadata added in Thiio is enough; the order is imported once."""
    product = thiio.add_product("Boots")
    order = thiio.place_phone_order([PhoneLine(product_id=product)])
    send = PushOrders(dry_run=False)

    held = result_of(push_orders, send)
    thiio.set_product_metadata(product, "ultracart_item_id", "COAT-RAIN")
    sent = result_of(push_orders, send)
    nothing = result_of(push_orders, send)

    assert held["orders"] == {"held": 1}
    assert sent["sent"]["confirmed"] == 1
    assert nothing["orders"] == {}
    assert ultracart.imports == {f"THIIO-{order}": 1}


def test_a_refused_order_fails_the_run_with_the_remedy(
    workplace: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """UltraCart's words are in the message, and the other order is sent all the same."""
    ultracart.faults.add(method="POST", path="/channel_partner/import", status=400)
    orders = [thiio.place_phone_order(), thiio.place_phone_order()]

    state = run(push_orders, PushOrders(dry_run=False))

    assert state.is_failed()
    assert f"Thiio order {orders[0]}" in state.message
    assert "Planted failure" in state.message
    assert ultracart.imports == {f"THIIO-{orders[1]}": 1}


@pytest.mark.parametrize(
    ("flow", "lease"),
    [(reconcile_orders, "reconcile:order"), (reconcile_customers, "reconcile:customer")],
    ids=["reconcile-orders", "reconcile-customers"],
)
def test_two_runs_of_a_job_do_not_overlap(workplace: Engine, flow: object, lease: str) -> None:
    """The second one ends as Cancelled and says who works."""
    with hold_lease(workplace, lease):
        state = run(flow)  # type: ignore[arg-type]

    assert (state.is_cancelled(), lease in state.message) == (True, True)


def test_two_pushes_do_not_overlap(workplace: Engine, thiio: ThiioSandbox) -> None:
    """The second one sends nothing."""
    thiio.place_phone_order()

    with hold_lease(workplace, "push-orders"):
        state = run(push_orders, PushOrders(dry_run=False))

    assert state.is_cancelled()


def test_old_rows_are_pruned_and_dead_letters_kept(workplace: Engine, tmp_path: Path) -> None:
    """A dry run counts what the real one deletes: rows, and files of reports."""
    old = datetime.now(UTC) - timedelta(days=400)
    row = {
        "source": "ultracart", "name": "order_create", "entity": "order", "found_by": "webhook",
        "attempts": 1, "deliveries": 1, "due_at": old, "received_at": old, "last_received_at": old,
        "closed_at": old,
    }  # fmt: skip
    with workplace.begin() as connection:
        rows = [row | {"digest": state, "state": state} for state in ("done", "dead")]
        connection.execute(insert(tables.inbox_events), rows)

    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/mismatches-20200101-063000.csv").touch()

    counted, deleted = result_of(prune), result_of(prune, Prune(dry_run=False))

    assert counted == deleted == {"payloads": 0, "notifications": 0, "events": 1, "report_files": 1}
    assert list((tmp_path / "reports").iterdir()) == []
    with workplace.connect() as connection:
        assert connection.scalars(select(tables.inbox_events.c.state)).all() == ["dead"]


def test_a_set_up_that_lacks_something_fails_with_the_remedy(workplace: Engine, thiio: ThiioSandbox) -> None:
    """No webhook is registered here: the run fails, and the artifact has every line."""
    state = run(check_setup)

    assert state.is_failed()
    assert "Webhook" in state.message
    assert "Gateways: code" in newest_artifact("setup-checklist")
