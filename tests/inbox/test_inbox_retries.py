"""What is Thiio's trouble costs no record a try; what is a record's own trouble costs only that one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from tasks.database import tables
from tasks.errors import CredentialsRefused, RemoteRefused, RemoteUnavailable
from tasks.inbox.apply import ECHO, Applier
from tasks.inbox.outcomes import ApplyCounts
from tasks.inbox.settle import Readers
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.open import limits_of
from tasks.ultracart.pacing import Pacer
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.inbox.fussy_thiio import failing, fuss
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.workplace import Workplace, bare_event

NORA = "nora@example.com"
AWAY = RemoteUnavailable("Thiio is away.", system="thiio")
NO = RemoteRefused("Thiio says no.", system="thiio")


def place(workplace: Workplace, count: int) -> list[str]:
    """Place orders whose events wait in the inbox."""
    ids = [workplace.ultracart.place_order(NORA) for _ in range(count)]
    workplace.receive(*workplace.happened())
    return ids


@pytest.fixture
def cut_off(
    any_engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox, tmp_path: Path
) -> Iterator[Workplace]:
    """A workplace that does not reach Thiio's database as long as a folder lies in its file's place."""
    (tmp_path / "crm.sqlite3").mkdir()
    url = f"sqlite:///{tmp_path / 'crm.sqlite3'}"
    with Workplace.open(any_engine, ultracart, thiio, database_url=url) as workplace:
        yield workplace


def test_an_outage_of_thiio_costs_nobody_a_try(cut_off: Workplace, tmp_path: Path) -> None:
    """After three records in a row the run ends with the reason; once Thiio is back, all are delivered."""
    ids = place(cut_off, 5)
    before = datetime.now(UTC)

    with pytest.raises(RemoteUnavailable, match=r"3 records in a row\. All others wait"):
        cut_off.work()

    assert read_events(cut_off.engine, "state", "attempts", "lease_token") == [("waiting", 0, None)] * 5
    assert all("cannot answer now" in reason for reason in read_events(cut_off.engine, "reason"))
    assert read_notifications(cut_off.engine, "id") == []
    waits = [(due - before).total_seconds() for due in read_events(cut_off.engine, "due_at")]
    assert [60 <= wait < 70 for wait in waits] == [False] * 3 + [True] * 2

    (tmp_path / "crm.sqlite3").rmdir()
    (tmp_path / "crm.sqlite3").symlink_to(cut_off.thiio.engine.url.database or "")
    # What met the outage comes last: were it at fault, the rest would get past it.
    assert cut_off.work(wait_seconds=70) == ApplyCounts(claimed=2, done=2)
    assert cut_off.work(wait_seconds=130) == ApplyCounts(claimed=3, done=3)
    assert [cut_off.thiio.find_order(id)["email"] for id in ids] == [NORA] * 5
    assert read_events(cut_off.engine, "state", "attempts", "reason") == [("done", 1, None)] * 5


def test_one_record_that_thiio_does_not_take_is_retried_and_counted(workplace: Workplace) -> None:
    """Those before and after it are done."""
    ids = place(workplace, 5)
    fuss(workplace, failing({ids[2]: AWAY}))

    counts = workplace.work()

    failure = f"inbox event 3 (order_create {ids[2]}) waits for another try: Thiio is away."
    assert counts == ApplyCounts(claimed=5, done=4, retried=1, failures=[failure])
    assert read_events(workplace.engine, "state", "attempts") == [
        *[("done", 1)] * 2,
        ("waiting", 1),
        *[("done", 1)] * 2,
    ]


@pytest.mark.parametrize("answer", [None, NO], ids=["taken", "refused"])
def test_failures_that_thiio_answers_between_are_no_outage(
    workplace: Workplace, answer: RemoteRefused | None
) -> None:
    """Two, an answer, two: each of the four loses a try, and the answer shows that Thiio is there."""
    ids = place(workplace, 5)
    errors: dict[str, Exception] = dict.fromkeys(ids, AWAY)
    del errors[ids[2]]
    fuss(workplace, failing(errors | ({ids[2]: answer} if answer else {})))

    counts = workplace.work()

    assert (counts.retried, counts.done, counts.dead) == (4, 0 if answer else 1, 1 if answer else 0)
    assert read_events(workplace.engine, "attempts") == [1] * 5


def test_a_call_budget_that_is_spent_costs_no_try(workplace: Workplace) -> None:
    """What must be read again waits until calls go on; whole orders are done; then it is read and done."""
    in_pieces = workplace.ultracart.place_order(NORA)
    workplace.happened()
    place(workplace, 1)
    workplace.receive(bare_event("order_create", in_pieces))
    shop = workplace.settings.ultracart
    before = datetime.now(UTC)
    Pacer(workplace.engine, workplace.ultracart.simple_key, limits_of(shop), 30).block(3_600)

    counts = workplace.work()

    assert counts == ApplyCounts(claimed=2, done=1, paused=1)
    [(state, attempts, reason, due_at)] = read_events(
        workplace.engine, "state", "attempts", "reason", "due_at"
    )[1:]
    assert (state, attempts) == ("waiting", 0)
    assert reason.startswith("UltraCart takes no calls now: ")
    assert 3_595 <= (due_at - before).total_seconds() <= 3_620
    assert read_notifications(workplace.engine, "event_id") == [1]  # of a pause nobody need be told
    Pacer(workplace.engine, workplace.ultracart.simple_key, limits_of(shop), 30).block(0)
    assert workplace.work(wait_seconds=3_620) == ApplyCounts(claimed=1, done=1)
    assert read_events(workplace.engine, "state", "attempts") == [("done", 1)] * 2


def test_a_key_that_ultracart_refuses_puts_all_back(workplace: Workplace) -> None:
    """The run ends with it, nothing is burnt, and once the key is right all is done."""
    in_pieces = workplace.ultracart.place_order(NORA)
    workplace.happened()
    place(workplace, 1)
    workplace.receive(bare_event("order_create", in_pieces))
    workplace.ultracart.refuse_scope("order_read")

    with pytest.raises(CredentialsRefused) as raised:
        workplace.work()

    assert (
        read_events(workplace.engine, "state", "attempts", "reason", "lease_token")
        == [("waiting", 0, str(raised.value), None)] * 2
    )
    workplace.ultracart.store.refused_scopes.clear()
    assert workplace.work(wait_seconds=70) == ApplyCounts(claimed=2, done=2)


def test_an_unexpected_error_is_its_record_s_alone(workplace: Workplace) -> None:
    """It waits for another try; what it is and where is said, and nothing of what it holds."""
    ids = place(workplace, 3)
    fuss(workplace, failing({ids[1]: ValueError(f"{NORA} is no number")}))

    counts = workplace.work()

    assert (counts.claimed, counts.done, counts.retried) == (3, 2, 1)
    [reason] = [reason for reason in read_events(workplace.engine, "reason") if reason]
    assert reason.startswith("Unexpected ValueError at fussy_thiio.py:")
    assert NORA not in reason
    assert read_events(workplace.engine, "state", "attempts") == [("done", 1), ("waiting", 1), ("done", 1)]
    assert read_notifications(workplace.engine, "event_id", "status", "reason") == [
        (1, "successful", None),
        (2, "failed", reason),
        (3, "successful", None),
    ]


def test_an_unexpected_error_while_reading_again_is_no_other_s(workplace: Workplace) -> None:
    """Of what is read by one call it hits all, since nobody can say which; whole orders are done."""
    place(workplace, 1)
    workplace.receive(bare_event("order_create", "DEMO-X"))

    def stumble(ids: object) -> dict[str, object]:
        raise ZeroDivisionError(NORA)

    readers = Readers(orders=stumble, customers=stumble)
    workplace.applier = Applier(workplace.engine, workplace.settings, workplace.connection, readers)
    counts = workplace.work()

    assert (counts.done, counts.retried) == (1, 1)
    assert "Unexpected ZeroDivisionError at test_inbox_retries.py:" in counts.failures[0]
    assert NORA not in counts.failures[0]


def test_an_echo_is_no_sign_that_thiio_is_there(workplace: Workplace) -> None:
    """Nothing is delivered of it: two failures, an echo and a third failure are an outage."""
    ids = [workplace.ultracart.place_order(NORA) for _ in range(4)]
    [queue] = [webhook.queue for webhook in workplace.ultracart.store.webhooks.values()]
    queue[2].object["channel_partner"] = {"channel_partner_order_id": "THIIO-17"}
    workplace.receive(*workplace.happened())
    now = datetime.now(UTC)
    row = {"thiio_order_id": "17", "partner_order_id": "THIIO-17", "state": "in_doubt",
           "planned_at": now, "sent_at": now, "changed_at": now}  # fmt: skip
    with workplace.engine.begin() as connection:
        connection.execute(insert(tables.pushes).values(row))
    fuss(workplace, failing(dict.fromkeys(ids, AWAY)))

    with pytest.raises(RemoteUnavailable, match="3 records in a row"):
        workplace.work()

    assert read_events(workplace.engine, "state", "attempts") == [
        ("waiting", 0),
        ("waiting", 0),
        ("done", 1),
        ("waiting", 0),
    ]
    assert read_notifications(workplace.engine, "event_id", "reason") == [(3, ECHO)]
