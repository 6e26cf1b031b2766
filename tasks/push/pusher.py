"""Bring phone orders of Thiio into UltraCart, each exactly once.

Plan what is due, send what is planned, look up what is in doubt. Every step is committed before the next one,
so that a run may be killed anywhere: what it leaves in `sending` is looked up by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Engine

from tasks.errors import AnswerLost, InvalidRecord, RemoteRefused, RemoteUnavailable, UltraThiioError
from tasks.notifications.log import about
from tasks.push import outbox
from tasks.push.eligibility import why_not_due
from tasks.push.mapping import Mapping
from tasks.push.order_body import Draft, draft_import
from tasks.push.outbox import Push, PushState
from tasks.push.problem import join_reasons, join_remedies
from tasks.push.remedies import remedy_for
from tasks.records.links import link
from tasks.records.models import Entity, PhoneOrder
from tasks.settings import PushSettings
from tasks.thiio.connection import ThiioConnection
from tasks.ultracart.client import UltraCartClient

_exact = msgspec.json.Decoder(float_hook=Decimal)
_numbers = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOrder:
    """What is to become of one unsynced order, for people. `body` is the exact JSON, where there is one."""

    thiio_order_id: str
    outcome: str  # planned, held, not_due, or the state that an earlier run left it in
    reason: str = ""
    remedy: str = ""
    total_cents: int | None = None
    currency: str | None = None
    body: str = ""


@dataclass(slots=True)
class SendCounts:
    """What became of the pushes of one run; `failures` are sentences about those that need somebody."""

    confirmed: int = 0
    in_doubt: int = 0
    rejected: int = 0
    planned_again: int = 0
    failures: list[str] = field(default_factory=list)


class Pusher:
    """Plans and sends. The caller holds the lease: there is one pusher at a time."""

    def __init__(
        self,
        engine: Engine,
        settings: PushSettings,
        ultracart: UltraCartClient,
        thiio: ThiioConnection,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._ultracart = ultracart
        self._thiio = thiio
        self._wait = wait

    def plan(
        self,
        mapping: Mapping,
        order_ids: Sequence[str] | None = None,
        *,
        dry_run: bool = True,
        with_tests: bool = False,
        retry_rejected: bool = False,
    ) -> list[PlannedOrder]:
        """Plan or hold every unsynced order that is due; a dry run says the same and writes nothing.

        `retry_rejected` counts only for orders that are named in `order_ids`.
        """
        retry_rejected = retry_rejected and order_ids is not None
        since = _now() - timedelta(days=self._settings.max_age_days)
        planned: list[PlannedOrder] = []
        for page in self._thiio.iter_unsynced_orders(order_ids):
            for phone in page:
                reason = why_not_due(phone.order, pushable_since=since, with_tests=with_tests)
                if reason is None:
                    draft = draft_import(phone, mapping, self._settings.partner_order_prefix)
                    planned.append(self._write(phone, draft, dry_run, retry_rejected))
                else:
                    planned.append(self._withdraw(phone, reason, dry_run))
        return planned

    def _withdraw(self, phone: PhoneOrder, reason: str, dry_run: bool) -> PlannedOrder:
        if not dry_run:
            with self._engine.begin() as connection:
                outbox.withdraw(connection, phone.order.id, reason, now=_now())
        return _describe(phone, "not_due", reason)

    def _write(self, phone: PhoneOrder, draft: Draft, dry_run: bool, retry_rejected: bool) -> PlannedOrder:
        body = _numbers.encode(draft.body).decode()
        reason, remedy = join_reasons(draft.problems), join_remedies(draft.problems)
        if draft.problems:
            described = _describe(phone, PushState.HELD, reason, remedy)
        else:
            described = _describe(phone, PushState.PLANNED, body=body)
        order = phone.order
        common: dict[str, Any] = {
            "total_cents": order.total_cents,
            "currency": order.currency,
            "now": _now(),
            "retry_rejected": retry_rejected,
        }
        with self._engine.connect() as connection:
            if draft.problems:
                state = outbox.hold(
                    connection, order.id, draft.partner_order_id, reason=reason, remedy=remedy, **common
                )
            else:
                state = outbox.plan(connection, order.id, draft.partner_order_id, body, **common)
            if not dry_run:  # else it is rolled back, and told as it would stand
                connection.commit()
        return described if state == described.outcome else _describe(phone, state)

    def settle(self) -> SendCounts:
        """Make clear what earlier runs left unclear."""
        counts = SendCounts()
        with self._engine.begin() as connection:
            unclear = outbox.find_pushes(connection, outbox.UNCLEAR)
        for push in unclear:
            if push.state is PushState.SENDING:
                self._move(outbox.doubt, push, "The run that sent it ended before the answer came.")
            self._look_up(push, counts)
        return counts

    def send(self, order_ids: Sequence[str]) -> SendCounts:
        """Send the planned pushes of these Thiio orders, one after the other.

        Raises a set-up error at once, and `RemoteUnavailable` if UltraCart turns requests away; what was not
        sent stays planned.
        """
        counts = SendCounts()
        with self._engine.begin() as connection:
            planned = outbox.find_pushes(connection, (PushState.PLANNED,), order_ids=order_ids)
        for push in planned:
            if self._move(outbox.start_sending, push):
                self._send(push, counts)
        return counts

    def tell_thiio(self, counts: SendCounts, order_ids: Sequence[str] | None = None) -> int:
        """Mark orders as synced that UltraCart has and Thiio still shows as unsynced; returns how many.

        An order that cannot be marked goes into the failures of `counts`.
        """
        told = 0
        for page in list(self._thiio.iter_unsynced_orders(order_ids)):
            with self._engine.begin() as connection:
                ids = [phone.order.id for phone in page]
                confirmed = outbox.find_pushes(connection, (PushState.CONFIRMED,), order_ids=ids)
            for push in confirmed:
                told += self._mark_synced(push.thiio_order_id, push.ultracart_order_id or "", counts)
        return told

    def _send(self, push: Push, counts: SendCounts) -> None:
        try:
            with about(Entity.ORDER, push.thiio_order_id):
                imported = self._ultracart.import_order(_exact.decode(push.body))
        except AnswerLost as error:
            self._move(outbox.doubt, push, str(error))
            self._look_up(push, counts)
        except RemoteRefused as error:
            self._move(outbox.reject, push, str(error), remedy_for(str(error)))
            counts.rejected += 1
            counts.failures.append(f"Thiio order {push.thiio_order_id}: {error}")
        except UltraThiioError as error:
            # Turned away: a limit, a closed port, a key that is not accepted. Nothing was done.
            self._move(outbox.plan_again, push, str(error))
            raise
        else:
            self._confirm(push, imported.order_id, counts)

    def _look_up(self, push: Push, counts: SendCounts) -> None:
        """Find out whether a push in doubt arrived; it is planned again only once that is proven not so."""
        for _ in range(self._settings.lookup_attempts):
            self._wait(self._settings.lookup_wait_seconds)
            try:
                with about(Entity.ORDER, push.thiio_order_id):
                    found = self._ultracart.find_partner_order(push.partner_order_id)
            except RemoteUnavailable as error:
                counts.in_doubt += 1
                counts.failures.append(f"Thiio order {push.thiio_order_id} is in doubt: {error}")
                return
            if found is not None:
                self._confirm(push, found.order_id, counts)
                return
            self._move(outbox.count_lookup, push)
        reason = f"Not found at UltraCart in {self._settings.lookup_attempts} look-ups: it never arrived."
        self._move(outbox.plan_again, push, reason)
        counts.planned_again += 1

    def _confirm(self, push: Push, ultracart_order_id: str, counts: SendCounts) -> None:
        with self._engine.begin() as connection:
            outbox.confirm(connection, push, ultracart_order_id, now=_now())
            linked = link(connection, Entity.ORDER, ultracart_order_id, push.thiio_order_id, "push")
        counts.confirmed += 1
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

    def _move(self, transition: Callable[..., Any], push: Push, *words: str) -> Any:
        """Make one transition in a transaction of its own."""
        with self._engine.begin() as connection:
            return transition(connection, push, *words, now=_now())


def _describe(
    phone: PhoneOrder, outcome: str, reason: str = "", remedy: str = "", body: str = ""
) -> PlannedOrder:
    order = phone.order
    return PlannedOrder(
        thiio_order_id=order.id,
        outcome=str(outcome),
        reason=reason,
        remedy=remedy,
        total_cents=order.total_cents,
        currency=order.currency,
        body=body,
    )


def _now() -> datetime:
    return datetime.now(UTC)
