"""What people read of lost webhooks, and what the worker does with an order that was read again."""

from __future__ import annotations

import msgspec

from tasks.inbox.gaps.account import Account
from tasks.inbox.gaps.recover import leave_lost
from tasks.thiio.sandbox.server import ThiioSandbox
from tests.inbox.inbox_rows import read_bodies, read_events
from tests.inbox.lost_webhooks import NORA, Scene
from tests.inbox.workplace import Workplace


def test_the_page_names_each_loss_and_what_became_of_it(scene: Scene) -> None:
    """A row an order with its last try, a row a delivery of customers, then the totals."""
    order_id = scene.place_order()
    scene.deliver(503)
    scene.deliver(0)
    scene.webhook.queue.clear()
    scene.ultracart.create_customer(NORA)
    scene.deliver(200)
    scene.let_pass(hours=1)
    _, tried, of_customers = scene.webhook.logs

    account = scene.find()
    page = account.markdown()

    assert "2 tries failed; what 0 of them held is in the inbox by now." in page
    when = f"{tried['delivery_dts']:%Y-%m-%d %H:%M}"
    assert (
        f"| {when} (2 tries) | nobody answered | {order_id} | Read again from UltraCart; it waits in the "
        f"inbox as order_create. | {tried['request_id']} |"
    ) in page
    assert "| 200 was answered, but nothing reached the inbox | customers | UltraCart's log does not" in page
    assert f"| {of_customers['request_id']} |" in page
    assert "1 order lost, 1 recovered, 0 not known to UltraCart any more." in page
    assert "1 delivery of nothing but customers' events lost." in page
    assert account.answer().endswith(
        "UTC: 1 order, 1 of them recovered, and 1 delivery of customers' events."
    )


def test_a_day_without_losses_is_one_sentence_and_the_totals(scene: Scene) -> None:
    """No table, and no advice that nobody needs."""
    scene.place_order()
    scene.deliver()
    scene.let_pass(hours=1)

    page = scene.find().markdown()

    assert "**Nothing was lost since " in page
    assert "1 delivery looked at" in page
    assert ("|" in page, "ultrathiio check" in page) == (False, False)


def test_a_dry_run_tells_and_leaves_everything(scene: Scene) -> None:
    """What was lost is named; neither inbox nor watermark nor notifications change."""
    order_id = scene.place_order()
    scene.deliver(200)
    scene.let_pass(hours=1)
    findings = scene.look()

    account = Account(findings, leave_lost(findings), calls=2)

    assert account.numbers()["lost_orders"] == 1
    assert f"| {order_id} | Not read again: this run only looked. |" in account.markdown()
    assert (scene.found_events(), scene.told("reason"), scene.watermark) == ([], [], None)


def test_a_webhook_that_is_switched_off_is_a_failure(scene: Scene) -> None:
    """What to do is said first; the losses are told all the same."""
    scene.place_order()
    for _ in range(10):
        scene.deliver(503)
    scene.let_pass(hours=1)

    account = scene.find()

    [failure] = account.failures()
    assert "UltraCart has switched off webhook 8001 after 10 failures in a row" in failure
    assert "`ultrathiio check --fix`" in failure
    assert "1 order, 1 of them recovered" in failure
    assert "> **UltraCart has switched off" in account.markdown()


def test_a_webhook_that_backs_off_is_told_until_when(scene: Scene) -> None:
    """It is no failure of the run: UltraCart goes on by itself."""
    scene.ultracart.dispatcher.backs_off = True
    scene.place_order()
    scene.deliver(503)
    scene.let_pass(hours=1)

    account = scene.find()

    assert account.failures() == []
    assert "> **UltraCart holds its deliveries back until 2" in account.markdown()
    assert "after 1 failure in a row; 1 event in its queue." in account.markdown()


def test_an_order_that_was_read_again_reaches_thiio(scene: Scene, thiio: ThiioSandbox) -> None:
    """The worker treats it like any other event, though it was shipped meanwhile."""
    order_id = scene.place_order()
    scene.deliver(200)
    scene.ultracart.ship_order(order_id)
    scene.webhook.queue.clear()
    scene.let_pass(hours=1)
    scene.find()
    scene.ultracart.store.webhooks.clear()

    with Workplace.open(scene.engine, scene.ultracart, thiio) as workplace:
        counts = workplace.work()
        delivered = workplace.in_thiio(order_id)

    assert (counts.claimed, counts.done) == (2, 2)
    assert read_events(scene.engine, "name", "found_by", "state") == [
        ("order_create", "gap", "done"), ("order_ship", "gap", "done"),
    ]  # fmt: skip
    assert delivered.tracking_numbers == ("1Z999AA10123456784",)


def test_what_nobody_can_read_is_kept_as_a_dead_letter(scene: Scene) -> None:
    """A number without end: the other orders are read all the same, and the page says where it is."""
    bad, good = scene.place_order(), scene.place_order()
    scene.deliver(200)
    scene.let_pass(hours=1)
    scene.ultracart.store.orders[bad]["language_iso_code"] = msgspec.Raw(b"1e99999999999999999999")

    account = scene.find()

    assert account.numbers()["recovered"] == 1
    assert scene.found_events() == [("unreadable", None), ("order_create", good)]
    assert read_events(scene.engine, "state") == ["dead", "waiting"]
    assert read_bodies(scene.engine)[0].startswith('[{"order_create":{"')
    assert f"| {bad} | Read again, but nobody can read what came" in account.markdown()
    assert scene.find().numbers()["lost_orders"] == 0
