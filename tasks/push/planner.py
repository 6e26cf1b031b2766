"""Decide what becomes of every unsynced order of Thiio, and write it down before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Engine

from tasks.database.lease import Lease
from tasks.push import outbox
from tasks.push.eligibility import EVER, why_not_due
from tasks.push.fingerprint import fingerprint_of
from tasks.push.mapping import Mapping
from tasks.push.order_body import Draft, draft_import
from tasks.push.outbox import PushState
from tasks.push.problem import join_reasons, join_remedies
from tasks.records.models import PhoneOrder
from tasks.settings import PushSettings
from tasks.thiio.connection import ThiioConnection

_numbers = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOrder:
    """What is to become of one unsynced order, for people. `body` is the exact JSON, where there is one."""

    thiio_order_id: str
    outcome: str  # planned, held, not_due, or the state that an earlier run left it in
    reason: str = ""
    remedy: str = ""
    placed_at: datetime | None = None
    total_cents: int | None = None
    currency: str | None = None
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which orders to plan, and how. `retry_rejected` and `release` count only for orders named by id.

    `release`: an order goes out in spite of its age, from now on.
    """

    order_ids: Sequence[str] | None = None
    dry_run: bool = True
    with_tests: bool = False
    retry_rejected: bool = False
    release: bool = False

    @property
    def retries(self) -> bool:
        """Tell whether rejected orders are planned again."""
        return self.retry_rejected and self.order_ids is not None

    @property
    def releases(self) -> bool:
        """Tell whether orders are let go in spite of their age."""
        return self.release and self.order_ids is not None


class Planner:
    """Plans, holds and withdraws. The caller holds the lease."""

    def __init__(
        self,
        engine: Engine,
        settings: PushSettings,
        thiio: ThiioConnection,
        lease: Lease,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._thiio = thiio
        self._lease = lease
        self._clock = clock

    def plan(self, mapping: Mapping, choice: Choice) -> list[PlannedOrder]:
        """Plan or hold every unsynced order that is due; a dry run says the same and writes nothing."""
        planned: list[PlannedOrder] = []
        for page in self._thiio.iter_unsynced_orders(choice.order_ids):
            ids = [phone.order.id for phone in page]
            with self._engine.begin() as connection:
                self._lease.renew(connection)
                released = outbox.find_released(connection, ids)
            for phone in page:
                is_released = choice.releases or phone.order.id in released
                planned.append(self._plan_order(phone, mapping, choice, is_released))
        return planned

    def _plan_order(
        self, phone: PhoneOrder, mapping: Mapping, choice: Choice, is_released: bool
    ) -> PlannedOrder:
        now = self._clock()
        since = EVER if is_released else now - timedelta(days=self._settings.max_age_days)
        problem = why_not_due(phone, now=now, pushable_since=since, with_tests=choice.with_tests)
        if problem is None:
            settings = self._settings
            draft = draft_import(phone, mapping, settings.partner_order_prefix, settings.theme_code)
            return self._write(phone, draft, choice)
        reason, remedy = join_reasons([problem]), join_remedies([problem])
        if not choice.dry_run:
            with self._engine.begin() as connection:
                outbox.withdraw(connection, phone.order.id, reason, remedy, now=now)
        return _describe(phone, "not_due", reason, remedy)

    def _write(self, phone: PhoneOrder, draft: Draft, choice: Choice) -> PlannedOrder:
        order, body = phone.order, _numbers.encode(draft.body).decode()
        reason, remedy = join_reasons(draft.problems), join_remedies(draft.problems)
        if draft.problems:
            described = _describe(phone, PushState.HELD, reason, remedy)
        else:
            described = _describe(phone, PushState.PLANNED, body=body)
        known: dict[str, Any] = {
            "total_cents": order.total_cents,
            "currency": order.currency,
            "now": self._clock(),
            "retry_rejected": choice.retries,
        }
        with self._engine.connect() as connection:
            if draft.problems:
                state = outbox.hold(
                    connection, order.id, draft.partner_order_id, reason=reason, remedy=remedy, **known
                )
            else:
                known["fingerprint"] = fingerprint_of(order)
                state = outbox.plan(connection, order.id, draft.partner_order_id, body, **known)
            if choice.releases:
                outbox.release(connection, order.id, now=self._clock())
            if not choice.dry_run:  # else it is rolled back, and told as it would stand
                connection.commit()
        return described if state == described.outcome else _describe(phone, state)


def _describe(
    phone: PhoneOrder, outcome: str, reason: str = "", remedy: str = "", body: str = ""
) -> PlannedOrder:
    order = phone.order
    return PlannedOrder(
        thiio_order_id=order.id,
        outcome=str(outcome),
        reason=reason,
        remedy=remedy,
        placed_at=order.placed_at,
        total_cents=order.total_cents,
        currency=order.currency,
        body=body,
    )
