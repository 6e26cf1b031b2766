"""The outbox of orders for UltraCart: one function a transition; no other code writes the state of a push.

The intent and the exact body are committed before anything is sent, so that whatever happens afterwards, the
next run knows what may have reached UltraCart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update

from tasks.database import tables
from tasks.database.upsert import insert_for

TABLE = tables.pushes


class PushState(StrEnum):
    """Where a push stands.

    planned: its body is ready; the next sending takes it. Brought back here once it is proven that it did
        not arrive.
    sending: it is being sent by the run that holds the lease, or by one that died with it.
    in_doubt: sent, and no clear answer came; it is looked up at UltraCart from `next_lookup_at` on, never
        sent on a guess.
    confirmed: UltraCart has the order; the id is known, the link made. Nothing moves it on: `reason` says if
        the Thiio order was changed since.
    held: a mapping or a value is missing; planned by itself once that is mended.
    rejected: UltraCart said no; a person corrects the order and starts a run with "retry rejected".
    """

    PLANNED = "planned"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    CONFIRMED = "confirmed"
    HELD = "held"
    REJECTED = "rejected"


UNSENT = (PushState.PLANNED, PushState.HELD)
UNCLEAR = (PushState.SENDING, PushState.IN_DOUBT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A row of the outbox, as the sending needs it."""

    thiio_order_id: str
    partner_order_id: str
    state: PushState
    body: str
    lookups: int
    ultracart_order_id: str | None
    reason: str | None = None
    fingerprint: str | None = None
    total_cents: int | None = None
    currency: str | None = None
    sent_at: datetime | None = None
    next_lookup_at: datetime | None = None


def plan(
    connection: Connection,
    thiio_order_id: str,
    partner_order_id: str,
    body: str,
    *,
    total_cents: int | None,
    currency: str | None,
    now: datetime,
    fingerprint: str | None = None,
    retry_rejected: bool = False,
) -> PushState:
    """Write down what will be sent, unless it was sent before; returns where the push stands now."""
    values = {
        "state": PushState.PLANNED,
        "body": body,
        "fingerprint": fingerprint,
        "reason": None,
        "remedy": None,
        "total_cents": total_cents,
        "currency": currency,
    }
    return _write_unsent(connection, thiio_order_id, partner_order_id, values, now, retry_rejected)


def hold(
    connection: Connection,
    thiio_order_id: str,
    partner_order_id: str,
    *,
    reason: str,
    remedy: str,
    total_cents: int | None,
    currency: str | None,
    now: datetime,
    retry_rejected: bool = False,
) -> PushState:
    """Set an order aside with its reason, unless it was sent before; returns where the push stands now."""
    values = {
        "state": PushState.HELD,
        "body": None,
        "fingerprint": None,
        "reason": reason,
        "remedy": remedy,
        "total_cents": total_cents,
        "currency": currency,
    }
    return _write_unsent(connection, thiio_order_id, partner_order_id, values, now, retry_rejected)


def withdraw(connection: Connection, thiio_order_id: str, reason: str, remedy: str, *, now: datetime) -> None:
    """Hold a push whose order is not due any more, if it was planned or held and not sent yet."""
    values = {"state": PushState.HELD, "body": None, "fingerprint": None, "reason": reason, "remedy": remedy}
    connection.execute(
        update(TABLE)
        .where(TABLE.c.thiio_order_id == thiio_order_id, TABLE.c.state.in_(UNSENT))
        .values(**values, changed_at=now)
    )


def release(connection: Connection, thiio_order_id: str, *, now: datetime) -> None:
    """Note that a person lets an order go in spite of its age; of one that is not here nothing is noted."""
    connection.execute(update(TABLE).where(TABLE.c.thiio_order_id == thiio_order_id).values(released_at=now))


def find_released(connection: Connection, order_ids: Sequence[str]) -> frozenset[str]:
    """Tell which of some Thiio orders a person let go in spite of their age."""
    query = select(TABLE.c.thiio_order_id).where(
        TABLE.c.thiio_order_id.in_(order_ids), TABLE.c.released_at.is_not(None)
    )
    return frozenset(connection.scalars(query))


def _write_unsent(
    connection: Connection,
    thiio_order_id: str,
    partner_order_id: str,
    values: Mapping[str, Any],
    now: datetime,
    retry_rejected: bool,
) -> PushState:
    may_change = (*UNSENT, PushState.REJECTED) if retry_rejected else UNSENT
    # The id that is looked up must be the one in the body, also after another prefix was chosen.
    changes = {**values, "partner_order_id": partner_order_id, "changed_at": now}
    statement = insert_for(connection, TABLE).values(
        thiio_order_id=thiio_order_id, attempts=0, lookups=0, planned_at=now, **changes
    )
    statement = statement.on_conflict_do_update(
        index_elements=["thiio_order_id"], set_=changes, where=TABLE.c.state.in_(may_change)
    )
    connection.execute(statement)
    query = select(TABLE.c.state).where(TABLE.c.thiio_order_id == thiio_order_id)
    return PushState(connection.scalars(query).one())


def find_pushes(
    connection: Connection,
    states: Sequence[PushState],
    *,
    order_ids: Sequence[str] | None = None,
    closed_since: datetime | None = None,
) -> list[Push]:
    """Give the pushes in some states, oldest intent first: all, of some Thiio orders, or closed since."""
    query = select(*_COLUMNS).where(TABLE.c.state.in_(states))
    if order_ids is not None:
        query = query.where(TABLE.c.thiio_order_id.in_(order_ids))
    if closed_since is not None:
        query = query.where(TABLE.c.closed_at >= closed_since)
    return [_push(row) for row in connection.execute(query.order_by(*_AGE))]


def read_push(connection: Connection, thiio_order_id: str) -> Push:
    """Give the push of a Thiio order as it stands; the order must have one."""
    return _push(connection.execute(select(*_COLUMNS).where(TABLE.c.thiio_order_id == thiio_order_id)).one())


def find_latest_confirmed(connection: Connection, limit: int) -> list[Push]:
    """Give the pushes that were confirmed last, the latest first."""
    query = select(*_COLUMNS).where(TABLE.c.state == PushState.CONFIRMED)
    return [_push(row) for row in connection.execute(query.order_by(TABLE.c.closed_at.desc()).limit(limit))]


def _push(row: Row[Any]) -> Push:
    values = dict(row._mapping)
    return Push(**{**values, "state": PushState(row.state), "body": row.body or ""})


_COLUMNS = tuple(TABLE.c[name] for name in Push.__slots__)
_AGE = (TABLE.c.planned_at, TABLE.c.thiio_order_id)


def start_sending(connection: Connection, push: Push, *, now: datetime) -> bool:
    """Take a planned push for sending; commit this before the call. False if it is not planned any more."""
    values = {"attempts": TABLE.c.attempts + 1, "lookups": 0, "next_lookup_at": None, "sent_at": now}
    return _move(connection, push, (PushState.PLANNED,), PushState.SENDING, now, **values)


def doubt(connection: Connection, push: Push, reason: str, *, now: datetime) -> bool:
    """Note that it cannot be known whether UltraCart has it."""
    remedy = "Nothing: it is looked up at UltraCart until it is clear, and is not sent before."
    return _move(connection, push, UNCLEAR, PushState.IN_DOUBT, now, reason=reason, remedy=remedy)


def count_lookup(connection: Connection, push: Push, next_lookup_at: datetime, *, now: datetime) -> None:
    """Count a look-up that found nothing, and note when the next one is due."""
    values = {"lookups": TABLE.c.lookups + 1, "next_lookup_at": next_lookup_at}
    _move(connection, push, UNCLEAR, PushState.IN_DOUBT, now, **values)


def plan_again(connection: Connection, push: Push, reason: str, *, now: datetime) -> bool:
    """Put back what surely did not arrive."""
    values = {"reason": reason, "remedy": None, "sent_at": None, "next_lookup_at": None}
    return _move(connection, push, UNCLEAR, PushState.PLANNED, now, **values)


def confirm(connection: Connection, push: Push, ultracart_order_id: str, *, now: datetime) -> bool:
    """Note which UltraCart order it became."""
    values = {"ultracart_order_id": ultracart_order_id, "reason": None, "remedy": None, "closed_at": now}
    return _move(connection, push, UNCLEAR, PushState.CONFIRMED, now, next_lookup_at=None, **values)


def note_change(
    connection: Connection, push: Push, reason: str | None, remedy: str | None, *, now: datetime
) -> bool:
    """Note on a confirmed push how its Thiio order differs from what was sent, or that it does not."""
    confirmed = PushState.CONFIRMED
    return _move(connection, push, (confirmed,), confirmed, now, reason=reason, remedy=remedy)


def reject(connection: Connection, push: Push, reason: str, remedy: str, *, now: datetime) -> bool:
    """Note that UltraCart refused it, in its own words."""
    values = {"reason": reason, "remedy": remedy, "next_lookup_at": None}
    return _move(connection, push, UNCLEAR, PushState.REJECTED, now, **values)


def _move(
    connection: Connection,
    push: Push,
    before: Sequence[PushState],
    after: PushState,
    now: datetime,
    **values: Any,
) -> bool:
    result = connection.execute(
        update(TABLE)
        .where(TABLE.c.thiio_order_id == push.thiio_order_id, TABLE.c.state.in_(before))
        .values(state=after, changed_at=now, **values)
    )
    return result.rowcount == 1


def read_waiting(connection: Connection) -> list[dict[str, Any]]:
    """Give every push that waits for something, and those changed in Thiio since; oldest intent first."""
    changed = and_(TABLE.c.state == PushState.CONFIRMED, TABLE.c.reason.is_not(None))
    query = select(TABLE).where(or_(TABLE.c.state != PushState.CONFIRMED, changed)).order_by(*_AGE)
    return [dict(row) for row in connection.execute(query).mappings()]
