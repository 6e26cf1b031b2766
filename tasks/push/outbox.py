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

from sqlalchemy import Connection, select, update

from tasks.database import tables
from tasks.database.upsert import insert_for

TABLE = tables.pushes


class PushState(StrEnum):
    """Where a push stands.

    planned: its body is ready; the next sending takes it. Brought back here if it surely did not arrive.
    sending: it is being sent by the run that holds the lease, or by one that died with it.
    in_doubt: sent, and no clear answer came; it is looked up at UltraCart, never sent on a guess.
    confirmed: UltraCart has the order; the id is known, the link made. Nothing moves it on.
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


def plan(
    connection: Connection,
    thiio_order_id: str,
    partner_order_id: str,
    body: str,
    *,
    total_cents: int | None,
    currency: str | None,
    now: datetime,
    retry_rejected: bool = False,
) -> PushState:
    """Write down what will be sent, unless it was sent before; returns where the push stands now."""
    values = {
        "state": PushState.PLANNED,
        "body": body,
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
        "reason": reason,
        "remedy": remedy,
        "total_cents": total_cents,
        "currency": currency,
    }
    return _write_unsent(connection, thiio_order_id, partner_order_id, values, now, retry_rejected)


def withdraw(connection: Connection, thiio_order_id: str, reason: str, *, now: datetime) -> None:
    """Hold a push whose order is not due any more, if it was planned or held and not sent yet."""
    connection.execute(
        update(TABLE)
        .where(TABLE.c.thiio_order_id == thiio_order_id, TABLE.c.state.in_(UNSENT))
        .values(state=PushState.HELD, body=None, reason=reason, remedy="Nothing, if so.", changed_at=now)
    )


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
) -> list[Push]:
    """Give the pushes in some states, oldest intent first; all, or those of some Thiio orders."""
    query = select(TABLE).where(TABLE.c.state.in_(states))
    if order_ids is not None:
        query = query.where(TABLE.c.thiio_order_id.in_(order_ids))
    rows = connection.execute(query.order_by(TABLE.c.planned_at, TABLE.c.thiio_order_id))
    return [
        Push(
            thiio_order_id=row.thiio_order_id,
            partner_order_id=row.partner_order_id,
            state=PushState(row.state),
            body=row.body or "",
            lookups=row.lookups,
            ultracart_order_id=row.ultracart_order_id,
        )
        for row in rows
    ]


def start_sending(connection: Connection, push: Push, *, now: datetime) -> bool:
    """Take a planned push for sending; commit this before the call. False if it is not planned any more."""
    values = {"attempts": TABLE.c.attempts + 1, "lookups": 0, "sent_at": now}
    return _move(connection, push, (PushState.PLANNED,), PushState.SENDING, now, **values)


def doubt(connection: Connection, push: Push, reason: str, *, now: datetime) -> bool:
    """Note that it cannot be known whether UltraCart has it."""
    remedy = "Nothing: it is looked up at UltraCart with each run until it is clear."
    return _move(connection, push, UNCLEAR, PushState.IN_DOUBT, now, reason=reason, remedy=remedy)


def count_lookup(connection: Connection, push: Push, *, now: datetime) -> None:
    """Count a look-up that found nothing."""
    _move(connection, push, UNCLEAR, PushState.IN_DOUBT, now, lookups=TABLE.c.lookups + 1)


def plan_again(connection: Connection, push: Push, reason: str, *, now: datetime) -> bool:
    """Put back what surely did not arrive."""
    values = {"reason": reason, "remedy": None, "sent_at": None}
    return _move(connection, push, UNCLEAR, PushState.PLANNED, now, **values)


def confirm(connection: Connection, push: Push, ultracart_order_id: str, *, now: datetime) -> bool:
    """Note which UltraCart order it became."""
    values = {"ultracart_order_id": ultracart_order_id, "reason": None, "remedy": None, "closed_at": now}
    return _move(connection, push, UNCLEAR, PushState.CONFIRMED, now, **values)


def reject(connection: Connection, push: Push, reason: str, remedy: str, *, now: datetime) -> bool:
    """Note that UltraCart refused it, in its own words."""
    return _move(connection, push, UNCLEAR, PushState.REJECTED, now, reason=reason, remedy=remedy)


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
