"""No clear answer: the order is looked up, and sent again only once it is proven that it never arrived."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from sqlalchemy import Engine

from tasks.errors import CredentialsRefused, RemoteRefused
from tasks.push.pusher import SendCounts
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.push.desk import IMPORT, LOOK_UP, OWN_LOOK_UP, Desk

SECONDS = 2.0
"""The wait before each look-up, as the settings have it."""


@pytest.fixture(autouse=True)
def takes_duplicates(request: pytest.FixtureRequest, ultracart: UltraCartSandbox) -> None:
    """Whether UltraCart refuses an id that it has is not known; here it takes it, unless a test says so."""
    ultracart.store.takes_duplicate_imports = getattr(request, "param", True)


of_either_kind = pytest.mark.parametrize(
    "takes_duplicates", [False, True], ids=["refuses duplicates", "takes duplicates"], indirect=True
)


@of_either_kind
def test_an_answer_lost_after_the_commit_is_found(desk: Desk) -> None:
    """The first look-up shows the order: confirmed, linked, named; never sent again."""
    id = desk.thiio.place_phone_order()
    desk.ultracart.faults.add(method="POST", path=IMPORT, cut="after")
    counts = desk.push()
    order_id = desk.links()[id]

    assert (counts, desk.waits) == (SendCounts(confirmed=1), [SECONDS])
    assert desk.exchanges() == [
        (f"POST {IMPORT}", "in_doubt", id),
        (f"POST {LOOK_UP}", "successful", id),
        ("mark order synced", "successful", order_id),
    ]
    assert (desk.states(), desk.named_in_thiio(id)) == ({id: "confirmed"}, order_id)
    assert (desk.run(), desk.ultracart.imports) == (SendCounts(), {f"THIIO-{id}": 1})


@pytest.mark.parametrize(
    "fault",
    [{"cut": "before"}, {"status": 500}, {"status": 502}, {"status": 503}],
    ids=["connection broken", "500", "502", "503"],
)
def test_an_order_that_never_arrived_is_sent_once_that_is_proven(desk: Desk, fault: dict[str, Any]) -> None:
    """Three empty look-ups over ten minutes prove it; until then no run sends it, whatever the run finds."""
    id = desk.thiio.place_phone_order()
    desk.ultracart.faults.add(method="POST", path=IMPORT, **fault)
    first = desk.run()
    doubtful = desk.pushes()[id]
    desk.later(minutes=5)
    second = desk.settle()
    desk.later(minutes=4)
    too_early = desk.settle()
    unsent = desk.push()
    desk.later(minutes=2)
    proven = desk.settle()
    row = desk.pushes()[id]

    assert (first, desk.waits) == (SendCounts(in_doubt=1, unclear=1), [SECONDS])
    assert (doubtful["state"], doubtful["lookups"]) == ("in_doubt", 1)
    assert [second, too_early, unsent] == [SendCounts(in_doubt=1), SendCounts(in_doubt=1), SendCounts()]
    assert proven == SendCounts(planned_again=1)
    assert (row["state"], row["attempts"]) == ("planned", 1)
    assert (row["sent_at"], row["next_lookup_at"]) == (None, None)
    assert row["reason"] == (
        f"Not found at UltraCart in {row['lookups']} look-ups, of which the last was 10 minutes or more "
        "after the sending: it never arrived."
    )
    assert (desk.ultracart.imports, desk.links(), desk.named_in_thiio(id)) == ({}, {}, None)

    assert desk.run() == SendCounts(confirmed=1)
    assert (desk.ultracart.imports, desk.pushes()[id]["attempts"]) == ({f"THIIO-{id}": 1}, 2)


def test_one_doubtful_order_does_not_stop_the_others(desk: Desk) -> None:
    """They are sent in the same run."""
    first, second, third = (desk.thiio.place_phone_order() for _ in range(3))
    desk.ultracart.faults.add(path=IMPORT, delay_seconds=0.001)
    desk.ultracart.faults.add(path=IMPORT, cut="before")
    counts = desk.push()

    assert counts == SendCounts(confirmed=2, in_doubt=1, unclear=1)
    assert desk.states() == {first: "confirmed", second: "in_doubt", third: "confirmed"}


@of_either_kind
@pytest.mark.parametrize(("cut", "arrived"), [("before", 0), ("after", 1)], ids=["never arrived", "arrived"])
def test_while_it_cannot_be_looked_up_it_is_not_sent(desk: Desk, cut: Any, arrived: int) -> None:
    """It stays in doubt from run to run, and each run says so; the look-up that works decides."""
    id = desk.thiio.place_phone_order()
    desk.ultracart.faults.add(method="POST", path=IMPORT, cut=cut)
    desk.ultracart.faults.add(path=LOOK_UP, status=503, times=8)
    first = desk.push()
    settled = desk.pusher.settle()
    planned = desk.plan()
    sent = desk.pusher.send([id])

    said = f"Thiio order {id} is in doubt: UltraCart answered 503 to POST /rest/v2/order/orders/query: "
    assert [counts.in_doubt for counts in (first, settled)] == [1, 1]
    assert [failure.startswith(said) for failure in first.failures + settled.failures] == [True, True]
    assert [order.outcome for order in planned] == ["in_doubt"]
    assert (sent, desk.states()) == (SendCounts(), {id: "in_doubt"})
    assert desk.pushes()[id]["remedy"] == (
        "Nothing: it is looked up at UltraCart until it is clear, and is not sent before."
    )
    assert (desk.pushes()[id]["attempts"], sum(desk.ultracart.imports.values())) == (1, arrived)

    desk.settle_until_clear()
    desk.run()
    assert desk.states() == {id: "confirmed"}
    assert desk.ultracart.imports == {f"THIIO-{id}": 1}


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, RemoteRefused), (401, CredentialsRefused)],
    ids=["query refused", "key not valid"],
)
def test_a_look_up_that_is_refused_stops_the_run_and_proves_nothing(
    desk: Desk, status: int, error: type[Exception]
) -> None:
    """The order stays in doubt until a look-up works."""
    id = desk.thiio.place_phone_order()
    desk.ultracart.faults.add(method="POST", path=IMPORT, cut="after")
    desk.ultracart.faults.add(path=LOOK_UP, status=status)
    with pytest.raises(error, match=f"answered {status}"):
        desk.push()

    assert (desk.states(), desk.links()) == ({id: "in_doubt"}, {})
    assert desk.pusher.settle() == SendCounts(confirmed=1)
    assert desk.ultracart.imports == {f"THIIO-{id}": 1}


def test_a_run_killed_before_the_call_is_sent_by_the_next_one(desk: Desk) -> None:
    """What it left in `sending` is looked up first."""
    id = desk.thiio.place_phone_order()
    desk.plan()
    desk.kill_before_the_call(id)
    blind = desk.pusher.send([id])
    settled = desk.settle()
    looked_up = [operation for operation, _, _ in desk.exchanges()]
    cleared = desk.settle_until_clear()

    assert (blind, settled, cleared) == (SendCounts(), SendCounts(in_doubt=1), SendCounts(planned_again=1))
    assert looked_up == [f"POST {LOOK_UP}", f"GET {OWN_LOOK_UP}THIIO-{id}"]
    assert (desk.states(), desk.ultracart.imports) == ({id: "planned"}, {})
    assert desk.run() == SendCounts(confirmed=1)
    assert desk.ultracart.imports == {f"THIIO-{id}": 1}


@of_either_kind
def test_a_run_killed_after_the_call_is_found_by_the_next_one(desk: Desk) -> None:
    """UltraCart has the order; nobody wrote that down."""
    id = desk.thiio.place_phone_order()
    desk.plan()
    push = desk.kill_before_the_call(id)
    made = desk.client.import_order(json.loads(push.body)).order_id
    settled, again = desk.pusher.settle(), desk.pusher.settle()

    assert (settled, again) == (SendCounts(confirmed=1), SendCounts())
    assert (desk.states(), desk.links(), desk.named_in_thiio(id)) == ({id: "confirmed"}, {id: made}, made)
    assert (desk.run(), desk.ultracart.imports) == (SendCounts(), {f"THIIO-{id}": 1})


def test_an_order_in_doubt_that_is_cancelled_in_thiio_stays_in_doubt(desk: Desk) -> None:
    """It may be at UltraCart: only a look-up says, and then both sides name each other."""
    id = desk.thiio.place_phone_order()
    desk.ultracart.faults.add(method="POST", path=IMPORT, cut="after")
    desk.ultracart.faults.add(path=LOOK_UP, status=503, times=4)
    desk.push()
    desk.thiio.edit_order(id, status="cancelled")
    desk.plan()

    assert desk.states() == {id: "in_doubt"}
    assert desk.pusher.settle() == SendCounts(confirmed=1)
    assert desk.named_in_thiio(id) == desk.links()[id]


def test_an_import_that_is_still_running_is_not_taken_for_lost(
    engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """While it runs UltraCart turns the look-up away: in doubt, not absent; later it is found."""
    id = thiio.place_phone_order()
    ultracart.faults.add(method="POST", path=IMPORT, delay_seconds=0.7)
    with (
        Desk.open(engine, ultracart, thiio) as patient,
        Desk.open(engine, ultracart, thiio, timeout_seconds=0.2) as hasty,
    ):
        patient.pull_catalogues()
        counts = hasty.send(patient.plan())
        state = patient.states()
        wait_for_an_import(ultracart)
        settled = patient.pusher.settle()

        assert (counts.in_doubt, counts.planned_again, state) == (1, 0, {id: "in_doubt"})
        assert settled == SendCounts(confirmed=1)
        assert (patient.run(), ultracart.imports) == (SendCounts(), {f"THIIO-{id}": 1})


def wait_for_an_import(ultracart: UltraCartSandbox) -> None:
    """Wait until the stand-in has made an order, at most ten seconds."""
    until = time.monotonic() + 10
    while not ultracart.imports and time.monotonic() < until:
        time.sleep(0.02)
    assert ultracart.imports
