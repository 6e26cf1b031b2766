"""An order goes to UltraCart once, is named on both sides, and what UltraCart says to it is kept."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from tasks.database import tables
from tasks.errors import CredentialsRefused, RemoteUnavailable
from tasks.push.planner import PlannedOrder
from tasks.push.pusher import SendCounts
from tasks.records.links import link
from tasks.records.models import Entity
from tasks.thiio.sandbox.agents import PhoneLine
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.push.desk import IMPORT, LOOK_UP, Desk

SAID = "UltraCart answered {} to POST /rest/v2/channel_partner/import: "


def test_an_ordinary_order_becomes_one_ultracart_order(desk: Desk) -> None:
    """It is imported, confirmed, linked and named in Thiio; the total is the same on both sides."""
    id = desk.thiio.place_phone_order([PhoneLine(quantity=Decimal(2))], tax_cents=83)
    planned = desk.plan()
    [before] = desk.pushes().values()
    counts = desk.send(planned)

    [(partner_order_id, times)] = desk.ultracart.imports.items()
    [order_id] = desk.links().values()
    order = desk.ultracart.store.orders[order_id]
    [push] = desk.pushes().values()
    assert planned == [
        PlannedOrder(
            thiio_order_id=id,
            outcome="planned",
            placed_at=planned[0].placed_at,
            total_cents=1982,
            currency="USD",
            body=before["body"],
        )
    ]
    assert counts == SendCounts(confirmed=1)
    assert (partner_order_id, times) == (f"THIIO-{id}", 1)
    assert (desk.links(), desk.named_in_thiio(id)) == ({id: order_id}, order_id)
    assert push == {
        **before, "state": "confirmed", "attempts": 1, "ultracart_order_id": order_id,
        "sent_at": push["sent_at"], "closed_at": push["closed_at"], "changed_at": push["closed_at"],
    }  # fmt: skip
    assert before["planned_at"] <= push["sent_at"] <= push["closed_at"]
    assert (order["current_stage"], order["summary"]["total"].cents) == ("Shipping Department", 1982)
    assert order["payment"]["rotating_transaction_gateway_code"] == "STRIPE1"
    assert order["channel_partner"]["channel_partner_order_id"] == f"THIIO-{id}"
    assert desk.waits == []


def test_a_set_with_options_reaches_ultracart_in_pieces(desk: Desk) -> None:
    """Two sets of four at 20.00 are eight bones at 5.00, with the colour that the agent noted."""
    product_id = desk.thiio.add_product("Bones, set of four", "bone")
    desk.thiio.set_product_metadata(product_id, "ultracart_quantity", "4")
    line = PhoneLine(product_id=product_id, quantity=Decimal(2), unit_price_cents=2000, options="Colour: Red")
    id = desk.thiio.place_phone_order([line])
    desk.pull_catalogues()
    desk.push()

    order = desk.ultracart.store.orders[desk.links()[id]]
    [item] = order["items"]
    assert (item["merchant_item_id"], item["quantity"], item["cost"].cents) == ("BONE", 8, 500)
    assert item["options"] == [{"label": "Colour", "value": "Red"}]
    assert order["summary"]["total"].cents == 4899


def test_the_notifications_name_the_order(desk: Desk) -> None:
    """The import by Thiio's id, the mark by UltraCart's; what was sent is on record as it was planned."""
    id = desk.thiio.place_phone_order()
    desk.push()

    [order_id] = desk.links().values()
    [push] = desk.pushes().values()
    [imported] = [row for row in desk.rows(tables.notifications) if row["operation"] == f"POST {IMPORT}"]
    assert desk.exchanges() == [
        (f"POST {IMPORT}", "successful", id),
        ("mark order synced", "successful", order_id),
    ]
    assert json.loads(imported["sent"]) == json.loads(push["body"])
    assert (imported["direction"], imported["system"], imported["entity"]) == ("out", "ultracart", "order")
    assert imported["http_status"] == 200


def test_an_unpaid_order_waits_for_its_money_at_ultracart(desk: Desk) -> None:
    """Accounts Receivable is where UltraCart collects."""
    id = desk.thiio.place_phone_order(is_paid=False)
    desk.push()

    order = desk.ultracart.store.orders[desk.links()[id]]
    assert (order["current_stage"], order["summary"]["total"].cents) == ("Accounts Receivable", 1399)


def test_running_twice_changes_nothing(desk: Desk) -> None:
    """The second run finds nothing to do; no row and no order is another one."""
    for _ in range(3):
        desk.thiio.place_phone_order()
    first = desk.run()
    before = desk.everything()
    second = desk.run()

    assert (first, second) == (SendCounts(confirmed=3), SendCounts())
    assert desk.everything() == before
    assert set(before["imports"].values()) == {1}


def test_planning_twice_before_sending_is_one_import(desk: Desk) -> None:
    """The second plan refreshes the body: an agent's change in between is what is sent."""
    id = desk.thiio.place_phone_order()
    desk.plan()
    desk.thiio.edit_order(id, shipping_city="Oakland")
    counts = desk.push()

    assert counts == SendCounts(confirmed=1)
    assert desk.ultracart.imports == {f"THIIO-{id}": 1}
    assert desk.ultracart.store.orders[desk.links()[id]]["shipping"]["city"] == "Oakland"


def test_only_named_orders_are_sent(desk: Desk) -> None:
    """Others stay planned."""
    first, second = desk.thiio.place_phone_order(), desk.thiio.place_phone_order()
    desk.plan()
    counts = desk.pusher.send([second, "no-number"])

    assert counts == SendCounts(confirmed=1)
    assert desk.states() == {first: "planned", second: "confirmed"}
    assert desk.ultracart.imports == {f"THIIO-{second}": 1}


def test_an_order_named_by_an_agent_is_not_pushed(desk: Desk) -> None:
    """Somebody entered it at UltraCart by hand and wrote its id into Thiio."""
    id = desk.thiio.place_phone_order(external_order_id="DEMO-BY-HAND")

    assert (desk.plan(), desk.run()) == ([], SendCounts())
    assert (desk.pushes(), desk.ultracart.imports) == ({}, {})
    assert desk.named_in_thiio(id) == "DEMO-BY-HAND"


def test_an_order_of_which_a_link_knows_better_is_reported(desk: Desk) -> None:
    """The link that was there stays; the failure names both orders."""
    id = desk.thiio.place_phone_order()
    with desk.engine.begin() as connection:
        link(connection, Entity.ORDER, "DEMO-0009100001", id, "partner_order_id")
    counts = desk.push()

    order_id = desk.named_in_thiio(id)
    assert counts == SendCounts(
        confirmed=1,
        failures=[
            f"Thiio order {id} became UltraCart order {order_id}, but one of the two is linked to another "
            "order; reconcile-orders shows both."
        ],
    )
    assert desk.links() == {id: "DEMO-0009100001"}
    assert desk.states() == {id: "confirmed"}


def test_a_refused_import_is_rejected_with_ultracarts_words(desk: Desk) -> None:
    """It stays so until a person names it and asks for another try; then it is sent once more."""
    id, other = desk.thiio.place_phone_order(), desk.thiio.place_phone_order()
    desk.ultracart.store.import_warnings = ("Shipping method UPS: Ground is not offered there",)
    refused = desk.push([id])
    rejected = desk.pushes()[id]
    desk.ultracart.store.import_warnings = ()
    later = [desk.run(), desk.push([id]), desk.push(None, retry_rejected=True)]
    still = desk.pushes()[id]
    again = desk.push([id], retry_rejected=True)

    words = SAID.format(200) + "Shipping method UPS: Ground is not offered there."
    assert refused == SendCounts(rejected=1, failures=[f"Thiio order {id}: {words}"])
    assert (rejected["state"], rejected["reason"]) == ("rejected", words)
    assert rejected["remedy"] == (
        "Choose a shipping method that UltraCart offers there. "
        "Then start push-orders with this order's id and 'Retry rejected'."
    )
    assert later == [SendCounts(confirmed=1), SendCounts(), SendCounts()]
    assert still == rejected
    assert again == SendCounts(confirmed=1)
    assert desk.states() == {id: "confirmed", other: "confirmed"}
    assert desk.ultracart.imports == {f"THIIO-{id}": 1, f"THIIO-{other}": 1}
    assert desk.pushes()[id]["attempts"] == 2


def test_a_retry_that_still_lacks_something_is_held(desk: Desk) -> None:
    """Then it goes out by itself, like any other held order."""
    id = desk.thiio.place_phone_order()
    desk.ultracart.store.import_warnings = ("No.",)
    desk.push()
    desk.ultracart.store.import_warnings = ()
    desk.thiio.edit_order(id, email="")
    [held] = desk.plan([id], retry_rejected=True)
    desk.thiio.edit_order(id, email="grace@example.com")

    assert (held.outcome, held.reason) == ("held", "The e-mail address is missing, wrong or too long.")
    assert desk.run() == SendCounts(confirmed=1)
    assert desk.ultracart.imports == {f"THIIO-{id}": 1}


@pytest.mark.parametrize(
    ("plant", "error", "words"),
    [
        pytest.param({"status": 429}, RemoteUnavailable, "Planted failure.", id="too many requests"),
        pytest.param({"status": 401}, CredentialsRefused, "SIMPLE_KEY", id="key not valid"),
        pytest.param({"status": 403}, CredentialsRefused, "SIMPLE_KEY", id="no permission"),
        pytest.param({"status": 410}, CredentialsRefused, "disabled", id="application disabled"),
    ],
)
def test_a_request_that_is_turned_away_stops_the_run(
    desk: Desk, plant: dict[str, int], error: type[Exception], words: str
) -> None:
    """Nothing was done: the order is planned again, the others were not touched, nothing is looked up."""
    ids = [desk.thiio.place_phone_order() for _ in range(3)]
    planned = desk.plan()
    desk.push(ids[:1])
    desk.ultracart.faults.add(method="POST", path=IMPORT, **plant)
    with pytest.raises(error, match=words):
        desk.send(planned)

    assert desk.states() == {ids[0]: "confirmed", ids[1]: "planned", ids[2]: "planned"}
    assert [desk.pushes()[id]["attempts"] for id in ids] == [1, 1, 0]
    assert desk.ultracart.imports == {f"THIIO-{ids[0]}": 1}
    assert [desk.named_in_thiio(id) for id in ids[1:]] == [None, None]
    assert f"POST {LOOK_UP}" not in [operation for operation, _, _ in desk.exchanges()]

    assert desk.run() == SendCounts(confirmed=2)
    assert desk.ultracart.imports == {f"THIIO-{id}": 1 for id in ids}


def test_a_wrong_key_leaves_the_order_planned(
    engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """The error names the setting; with the right key the same order goes out."""
    id = thiio.place_phone_order()
    with (
        Desk.open(engine, ultracart, thiio) as right,
        Desk.open(engine, ultracart, thiio, simple_key="wrong") as wrong,
    ):
        right.pull_catalogues()
        planned = wrong.plan()
        with pytest.raises(CredentialsRefused, match="Check ULTRATHIIO_ULTRACART__SIMPLE_KEY"):
            wrong.send(planned)

        assert (right.states(), ultracart.imports) == ({id: "planned"}, {})
        assert "wrong" not in right.pushes()[id]["reason"]
        assert right.run() == SendCounts(confirmed=1)


def test_a_closed_port_leaves_the_order_planned(
    engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """Without a connection nothing can have had effect: no look-up is needed."""
    id = thiio.place_phone_order()
    with (
        Desk.open(engine, ultracart, thiio) as right,
        Desk.open(engine, ultracart, thiio, base_url="http://127.0.0.1:9/rest/v2") as nowhere,
    ):
        right.pull_catalogues()
        planned = nowhere.plan()
        with pytest.raises(RemoteUnavailable, match="ConnectError"):
            nowhere.send(planned)

        assert (right.states(), nowhere.waits) == ({id: "planned"}, [])
