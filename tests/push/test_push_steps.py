"""The steps build what they need from the settings alone, and there is one pusher at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.database.lease import hold_lease
from tasks.errors import LeaseHeld, SetupError
from tasks.push import steps
from tasks.push.account import planned_ids
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.thiio.steps import pull_thiio_catalogue
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tasks.ultracart.steps import pull_ultracart_catalogue
from tests.push.desk import IMPORT, LOOK_UP

NOTHING = {
    "confirmed": 0, "in_doubt": 0, "rejected": 0, "planned_again": 0, "unsent": 0, "unclear": 0,
    "is_away": False, "failures": [],
}  # fmt: skip
SETTLED = {**NOTHING, "told": 0, "changed": []}


@pytest.fixture(autouse=True)
def _settings(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """The environment of a worker, and both catalogues read."""
    for name, value in {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "ULTRACART__BASE_URL": ultracart.base_url,
        "ULTRACART__SIMPLE_KEY": ultracart.simple_key,
        "ULTRACART__CHANNEL_PARTNER_CODE": ultracart.channel_partner_code,
        "THIIO__DATABASE_URL": thiio.database_url,
        "PUSH__LOOKUP_WAIT_SECONDS": "0",
    }.items():
        monkeypatch.setenv(f"ULTRATHIIO_{name}", value)
    pull_ultracart_catalogue.fn()
    pull_thiio_catalogue.fn()


def plan(order_ids: list[str] | None = None, dry_run: bool = False) -> list[dict[str, Any]]:
    """Call the planning step."""
    return steps.plan_pushes.fn(order_ids, dry_run, False, False)


def read_states(engine: Engine) -> dict[str, str]:
    """Thiio's id → where the push stands."""
    with engine.connect() as connection:
        pushes = connection.execute(select(tables.pushes))
        return {push.thiio_order_id: push.state for push in pushes}


def test_the_steps_push_an_order(engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox) -> None:
    """Settle, plan, send: plain values come out of each."""
    id = thiio.place_phone_order()
    settled, planned = steps.settle_pushes.fn(), plan()
    sent = steps.send_pushes.fn(planned_ids(planned))

    assert settled == SETTLED
    assert [(each["thiio_order_id"], each["outcome"], each["total_cents"]) for each in planned] == [
        (id, "planned", 1399)
    ]
    assert sent == {**NOTHING, "confirmed": 1}
    assert (read_states(engine), ultracart.imports) == ({id: "confirmed"}, {f"THIIO-{id}": 1})
    assert plan() == []


def test_a_dry_run_writes_nothing(engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox) -> None:
    """It tells the same as the run that follows."""
    thiio.place_phone_order()
    thiio.place_phone_order(email="")
    dry = plan(dry_run=True)

    assert (read_states(engine), ultracart.imports) == ({}, {})
    assert [each["outcome"] for each in dry] == ["planned", "held"]
    assert plan() == dry


def test_the_next_run_settles_what_was_in_doubt(
    engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """And tells Thiio of it."""
    id = thiio.place_phone_order()
    ultracart.faults.add(method="POST", path=IMPORT, cut="after")
    ultracart.faults.add(path=LOOK_UP, status=503, times=4)
    sent = steps.send_pushes.fn(planned_ids(plan()))
    settled = steps.settle_pushes.fn()

    assert (sent["in_doubt"], len(sent["failures"])) == (1, 1)
    assert settled == {**SETTLED, "confirmed": 1}
    assert thiio.read_order(id)["external_order_id"] is not None
    assert ultracart.imports == {f"THIIO-{id}": 1}


def test_thiio_is_told_of_what_it_missed(ultracart: UltraCartSandbox, thiio: ThiioSandbox) -> None:
    """The order lost its mark after the push; the step counts it, and what cannot be marked is a failure."""
    first, second = thiio.place_phone_order(), thiio.place_phone_order()
    steps.send_pushes.fn(planned_ids(plan()))
    taken = thiio.read_order(second)["external_order_id"]
    for id in (first, second):
        thiio.edit_order(id, external_order_id=None)
    thiio.place_phone_order(external_order_id=taken)
    settled = steps.settle_pushes.fn()

    [failure] = settled["failures"]
    assert {**settled, "failures": []} == {**SETTLED, "told": 1}
    assert failure.startswith(
        f"Thiio order {second} is not marked as synced: UltraCart order {taken} came of"
    )


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(steps.settle_pushes.fn, id="settle"),
        pytest.param(plan, id="plan"),
        pytest.param(lambda: plan(dry_run=True), id="dry run"),
        pytest.param(lambda: steps.send_pushes.fn(["1"]), id="send"),
    ],
)
def test_a_second_pusher_ends_at_once(
    engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox, step: Any
) -> None:
    """While another run holds the lease nothing is planned, looked up or sent; afterwards it works."""
    id = thiio.place_phone_order()
    with hold_lease(engine, "push-orders"), pytest.raises(LeaseHeld, match="push-orders is running at"):
        step()

    assert (read_states(engine), ultracart.imports) == ({}, {})
    step()
    assert (plan()[0]["thiio_order_id"], plan()[0]["outcome"]) == (id, "planned")


def test_the_lease_is_given_back_after_a_failure(
    engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """The next run need not wait for it to run out."""
    id = thiio.place_phone_order()
    planned = planned_ids(plan())
    ultracart.faults.add(path=IMPORT, status=429)
    with pytest.raises(Exception, match="answered 429"):
        steps.send_pushes.fn(planned)

    assert read_states(engine) == {id: "planned"}
    assert steps.send_pushes.fn(planned) == {**NOTHING, "confirmed": 1}


@pytest.mark.parametrize(
    "name", ["ULTRACART__SIMPLE_KEY", "ULTRACART__CHANNEL_PARTNER_CODE", "THIIO__DATABASE_URL"]
)
def test_a_missing_setting_is_named_before_anything_is_sent(
    engine: Engine,
    ultracart: UltraCartSandbox,
    thiio: ThiioSandbox,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """Without the channel partner code no look-up would find anything: a lost answer would be sent again."""
    id = thiio.place_phone_order()
    planned = planned_ids(plan())
    monkeypatch.delenv(f"ULTRATHIIO_{name}")
    for step in (steps.settle_pushes.fn, plan, lambda: steps.send_pushes.fn(planned)):
        with pytest.raises(SetupError, match=f"ULTRATHIIO_{name} is empty"):
            step()

    assert (read_states(engine), ultracart.imports) == ({id: "planned"}, {})


def test_the_metadata_key_and_the_prefix_are_settings(
    ultracart: UltraCartSandbox, thiio: ThiioSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shop may keep the item ID under a key of its own."""
    monkeypatch.setenv("ULTRATHIIO_THIIO__ITEM_ID_KEY", "sku")
    monkeypatch.setenv("ULTRATHIIO_PUSH__PARTNER_ORDER_PREFIX", "CALL-")
    id = thiio.place_phone_order()
    [held] = plan()
    thiio.set_product_metadata("300", "sku", "BONE")
    pull_thiio_catalogue.fn()
    sent = steps.send_pushes.fn(planned_ids(plan()))

    assert (held["outcome"], held["reason"]) == (
        "held",
        "Product 300 (Rawhide bone) has no UltraCart item ID.",
    )
    assert "Add the metadata key sku with the item ID to product 300" in held["remedy"]
    assert (sent["confirmed"], ultracart.imports) == (1, {f"CALL-{id}": 1})


def test_the_storefronts_theme_code_is_sent_if_it_is_set(
    ultracart: UltraCartSandbox, thiio: ThiioSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the setting no body names one; with it the order belongs to that StoreFront."""
    id = thiio.place_phone_order()
    [without] = plan(dry_run=True)
    monkeypatch.setenv("ULTRATHIIO_PUSH__THEME_CODE", "SF1986")
    sent = steps.send_pushes.fn(planned_ids(plan()))
    [order] = [each for each in ultracart.store.orders.values() if "channel_partner" in each]

    assert "screen_branding_theme_code" not in without["body"]
    assert (sent["confirmed"], ultracart.imports) == (1, {f"THIIO-{id}": 1})
    assert order["checkout"]["screen_branding_theme_code"] == "SF1986"


def test_a_key_in_the_mapping_file_counts_before_the_setting(
    ultracart: UltraCartSandbox, thiio: ThiioSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As it does wherever else products are read."""
    file = tmp_path / "mapping.yaml"
    file.write_text("item_id_key: sku\n")
    monkeypatch.setenv("ULTRATHIIO_THIIO__MAPPING_FILE", str(file))
    thiio.place_phone_order()
    [held] = plan()
    thiio.set_product_metadata("300", "sku", "BALL-3")
    pull_thiio_catalogue.fn()
    [planned] = plan()

    assert (held["outcome"], planned["outcome"]) == ("held", "planned")
    assert '"merchant_item_id":"BALL-3"' in planned["body"]
