"""Send planned orders to UltraCart, each exactly once, and look up what is in doubt.

Every step is committed before the next one, so that a run may be killed anywhere: what it leaves in `sending`
is looked up by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Engine

from tasks.database.lease import Lease
from tasks.errors import (
    AnswerLost,
    BudgetSpent,
    InvalidRecord,
    LeaseHeld,
    RemoteRefused,
    RemoteUnavailable,
    UltraThiioError,
)
from tasks.notifications.log import about
from tasks.push import doubt, outbox
from tasks.push.look_up import KNOWN, LookUp
from tasks.push.outbox import Push, PushState
from tasks.push.remedies import remedy_for, says_twice
from tasks.records.links import link
from tasks.records.models import Entity
from tasks.settings import PushSettings
from tasks.thiio.connection import ThiioConnection
from tasks.ultracart.client import UltraCartClient

_exact = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(slots=True)
class SendCounts:
    """What became of the pushes of one run; `failures` are sentences about those that need somebody.

    `in_doubt` are those that are not clear yet. `unclear` counts the sendings without a clear answer that a
    look-up did not clear at once; with `is_away` UltraCart did not answer a look-up. Either ends the sending.
    """

    confirmed: int = 0
    in_doubt: int = 0
    rejected: int = 0
    planned_again: int = 0
    unsent: int = 0
    unclear: int = 0
    is_away: bool = False
    failures: list[str] = field(default_factory=list)


class NotPlanned(Exception):
    """The order is not planned any more: nothing was sent."""


class Pusher:
    """Sends. There is one pusher at a time: each write that a call depends on renews the lease."""

    def __init__(
        self,
        engine: Engine,
        settings: PushSettings,
        ultracart: UltraCartClient,
        thiio: ThiioConnection,
        look_up: LookUp,
        lease: Lease,
        *,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._ultracart = ultracart
        self._thiio = thiio
        self._lookup = look_up
        self._lease = lease
        self._wait = wait
        self._clock = clock

    def settle(self, at_once: Sequence[str] = ()) -> SendCounts:
        """Make clear what earlier runs left unclear, where a look-up is due.

        `at_once` names Thiio orders that are looked up whether due or not. Raises as `send` does.
        """
        counts = SendCounts()
        with self._engine.begin() as connection:
            unclear = outbox.find_pushes(connection, outbox.UNCLEAR)
        for push in unclear:
            self._renew()
            if push.state is PushState.SENDING:
                self._move(outbox.doubt, push, "The run that sent it ended before the answer came.")
            is_due = doubt.is_due(push, self._clock()) or push.thiio_order_id in at_once
            if counts.is_away or not is_due:
                self._leave(push, "", counts)
            else:
                self._look_up(push, counts)
        return counts

    def send(self, order_ids: Sequence[str], counts: SendCounts | None = None) -> SendCounts:
        """Send the planned pushes of these Thiio orders, one after the other, and count them in `counts`.

        After `unclear_limit` unclear answers, or once UltraCart is away, the others stay planned. Raises a
        set-up error at once, and `RemoteUnavailable` if UltraCart turns requests away; what was not sent
        stays planned. Raises `LeaseHeld` before anything else is sent if another run took over.
        """
        counts = SendCounts() if counts is None else counts
        with self._engine.begin() as connection:
            planned = outbox.find_pushes(connection, (PushState.PLANNED,), order_ids=order_ids)
        for left, push in zip(range(len(planned), 0, -1), planned, strict=True):
            counts.unsent = left
            if counts.is_away or counts.unclear >= self._settings.unclear_limit:
                counts.failures.append(
                    f"UltraCart gives no clear answers: {left} orders were not tried and stay planned. The "
                    "next run goes on."
                )
                return counts
            self._send(push, counts)
        counts.unsent = 0
        return counts

    def tell_thiio(self, counts: SendCounts, order_ids: Sequence[str] | None = None) -> int:
        """Mark orders as synced that UltraCart has and Thiio still shows as unsynced; returns how many.

        An order that cannot be marked goes into the failures of `counts`.
        """
        told = 0
        for page in list(self._thiio.iter_unsynced_orders(order_ids)):
            with self._engine.begin() as connection:
                self._lease.renew(connection)
                ids = [phone.order.id for phone in page]
                confirmed = outbox.find_pushes(connection, (PushState.CONFIRMED,), order_ids=ids)
            for push in confirmed:
                told += self._mark_synced(push.thiio_order_id, push.ultracart_order_id or "", counts)
        return told

    def _send(self, push: Push, counts: SendCounts) -> None:
        def take() -> None:
            # Right before the call: a run that waited for its turn past its lease sends nothing.
            with self._engine.begin() as connection:
                self._lease.renew(connection)
                if not outbox.start_sending(connection, push, now=self._clock()):
                    raise NotPlanned

        try:
            with about(Entity.ORDER, push.thiio_order_id):
                imported = self._ultracart.import_order(_exact.decode(push.body), at_turn=take)
        except NotPlanned:
            return
        except LeaseHeld:
            raise
        except AnswerLost as error:
            self._doubt(push, str(error), counts)
        except RemoteRefused as error:
            if says_twice(str(error)):
                self._doubt(push, str(error), counts)
            else:
                self._reject(push, str(error), counts)
        except UltraThiioError as error:
            # Turned away: a limit, a closed port, a key that is not accepted. Nothing was done.
            self._move(outbox.plan_again, push, str(error))
            raise
        else:
            self._confirm(push, imported.order_id, counts)

    def _doubt(self, push: Push, reason: str, counts: SendCounts) -> None:
        """Look up at once what got no clear answer: mostly it arrived."""
        self._move(outbox.doubt, push, reason)
        self._wait(self._settings.lookup_wait_seconds)
        before = counts.confirmed
        with self._engine.begin() as connection:
            sent = outbox.read_push(connection, push.thiio_order_id)
        self._look_up(sent, counts)
        counts.unclear += counts.confirmed == before

    def _look_up(self, push: Push, counts: SendCounts) -> None:
        """Find out whether a push in doubt arrived; it is planned again only once that is proven not so."""
        try:
            with about(Entity.ORDER, push.thiio_order_id):
                found = self._lookup.find(push.partner_order_id)
            if found is None:
                self._judge_absence(push, counts)
            else:
                self._confirm(push, found, counts)
        except BudgetSpent:
            raise
        except RemoteUnavailable as error:
            counts.is_away = True
            self._leave(push, str(error), counts)

    def _judge_absence(self, push: Push, counts: SendCounts) -> None:
        now = self._clock()
        with self._engine.begin() as connection:
            self._lease.renew(connection)
            outbox.count_lookup(connection, push, doubt.next_lookup_at(push, now, self._settings), now=now)
            known = outbox.find_latest_confirmed(connection, KNOWN)
            reason = outbox.read_push(connection, push.thiio_order_id).reason or ""
        if doubt.why_not_lost(push, push.lookups + 1, now, self._settings):
            self._leave(push, "", counts)
        elif blind := self._lookup.why_blind(known):
            self._leave(push, f"it cannot be told whether it arrived: {blind}.", counts)
        elif says_twice(reason):
            self._reject(push, reason, counts)
        else:
            self._plan_again(push, counts)

    def _plan_again(self, push: Push, counts: SendCounts) -> None:
        reason = (
            f"Not found at UltraCart in {push.lookups + 1} look-ups, of which the last was "
            f"{self._settings.absence_minutes:g} minutes or more after the sending: it never arrived."
        )
        with self._engine.begin() as connection:
            self._lease.renew(connection)
            outbox.plan_again(connection, push, reason, now=self._clock())
        counts.planned_again += 1

    def _leave(self, push: Push, problem: str, counts: SendCounts) -> None:
        """Leave a push in doubt; somebody is told if there is a problem, or if it takes long."""
        counts.in_doubt += 1
        if problem:
            counts.failures.append(f"Thiio order {push.thiio_order_id} is in doubt: {problem}")
        elif doubt.is_alarming(push, self._clock()):
            counts.failures.append(
                f"Thiio order {push.thiio_order_id} is in doubt since {push.sent_at:%Y-%m-%d %H:%M} UTC. See "
                f"what was tried: ultrathiio order {push.thiio_order_id}"
            )

    def _reject(self, push: Push, reason: str, counts: SendCounts) -> None:
        self._move(outbox.reject, push, reason, remedy_for(reason))
        counts.rejected += 1
        counts.failures.append(f"Thiio order {push.thiio_order_id}: {reason}")

    def _confirm(self, push: Push, ultracart_order_id: str, counts: SendCounts) -> None:
        with self._engine.begin() as connection:
            is_ours = outbox.confirm(connection, push, ultracart_order_id, now=self._clock())
            linked = link(connection, Entity.ORDER, ultracart_order_id, push.thiio_order_id, "push")
        counts.confirmed += 1
        if not is_ours:
            counts.failures.append(
                f"Thiio order {push.thiio_order_id} became UltraCart order {ultracart_order_id} after "
                "another run had settled it otherwise. Look for a second one in UltraCart and reject that."
            )
        if not linked:
            counts.failures.append(
                f"Thiio order {push.thiio_order_id} became UltraCart order {ultracart_order_id}, but one of "
                "the two is linked to another order; reconcile-orders shows both."
            )
        self._mark_synced(push.thiio_order_id, ultracart_order_id, counts)

    def _mark_synced(self, thiio_order_id: str, ultracart_order_id: str, counts: SendCounts) -> bool:
        try:
            self._thiio.mark_synced(thiio_order_id, ultracart_order_id)
        except (RemoteUnavailable, RemoteRefused, InvalidRecord) as error:
            # UltraCart has the order, and we know; the next run tells Thiio.
            counts.failures.append(f"Thiio order {thiio_order_id} is not marked as synced: {error}")
            return False
        return True

    def _renew(self) -> None:
        with self._engine.begin() as connection:
            self._lease.renew(connection)

    def _move(self, transition: Callable[..., Any], push: Push, *words: str) -> Any:
        """Make one transition in a transaction of its own."""
        with self._engine.begin() as connection:
            return transition(connection, push, *words, now=self._clock())
