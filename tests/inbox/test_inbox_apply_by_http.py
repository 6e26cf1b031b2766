"""The same over Thiio's documented HTTP: what it refuses, what it cannot, and a login that is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tasks.errors import CredentialsRefused
from tasks.inbox.outcomes import ApplyCounts
from tasks.records.models import Entity
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.workplace import Workplace, event

NORA = "nora@example.com"


@pytest.fixture
def workplace(engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox) -> Iterator[Workplace]:
    """A workplace that reaches Thiio by its inbound webhook."""
    http = {"connection": "api", "inbound_webhook_url": thiio.inbound_webhook_url, "base_url": thiio.base_url}
    with Workplace.open(engine, ultracart, thiio, **http) as workplace:
        yield workplace


def test_a_new_order_becomes_a_lead(workplace: Workplace) -> None:
    """Thiio tells no id, so there is no link; the event is done."""
    id = workplace.ultracart.place_order(NORA)

    counts = workplace.receive_and_work(*workplace.happened())

    assert counts == ApplyCounts(claimed=1, done=1)
    assert [lead["order"]["id"] for lead in workplace.thiio.leads] == [id]
    assert workplace.link_of(Entity.ORDER, id) is None
    assert read_events(workplace.engine, "state") == ["done"]


def test_a_set_up_error_burns_nothing(workplace: Workplace) -> None:
    """The run ends with the error; what was not closed waits a moment as if it had never been taken."""
    for _ in range(2):
        workplace.ultracart.place_order(NORA)
    workplace.receive(event("order_stage_change", {"order_id": "DEMO-1"}), *workplace.happened())
    workplace.thiio.fail_next(401)

    with pytest.raises(CredentialsRefused, match="Thiio refused the login") as raised:
        workplace.work()

    assert read_events(workplace.engine, "state", "attempts", "lease_token")[1:] == [("waiting", 0, None)] * 2
    assert read_events(workplace.engine, "reason")[1:] == [str(raised.value)] * 2
    assert read_events(workplace.engine, "state", "attempts")[0] == ("skipped", 1)
    assert workplace.thiio.leads == []
    assert workplace.work() == ApplyCounts()
    assert workplace.work(wait_seconds=61) == ApplyCounts(claimed=2, done=2)
    assert read_events(workplace.engine, "state", "attempts")[1:] == [("done", 1)] * 2


def test_what_thiio_refuses_is_dead_and_what_follows_is_done(workplace: Workplace) -> None:
    """The same request would be refused again."""
    ids = [workplace.ultracart.place_order(NORA) for _ in range(2)]
    workplace.thiio.fail_next(422)

    counts = workplace.receive_and_work(*workplace.happened())

    reason = "Thiio refused the request (422). The notification shows what was sent and answered."
    assert counts == ApplyCounts(
        claimed=2, done=1, dead=1, failures=[f"inbox event 1 (order_create {ids[0]}) is dead: {reason}"]
    )
    assert read_events(workplace.engine, "state", "reason") == [("dead", reason), ("done", None)]
    assert [lead["order"]["id"] for lead in workplace.thiio.leads] == ids[1:]
    assert read_notifications(workplace.engine, "event_id", "status") == [(1, "failed"), (2, "successful")]


def test_an_error_of_thiios_server_passes(workplace: Workplace) -> None:
    """The event waits, and is delivered when it is due."""
    workplace.ultracart.place_order(NORA)
    workplace.thiio.fail_next(503)

    first = workplace.receive_and_work(*workplace.happened())
    second = workplace.work(wait_seconds=60)

    assert (first.retried, second) == (1, ApplyCounts(claimed=1, done=1))
    assert len(workplace.thiio.leads) == 1
