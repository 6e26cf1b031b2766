"""What happens in the demo, chapter by chapter: a day of a shop and its call centre, trouble included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
from prefect import Flow
from prefect.client.schemas.objects import State
from prefect.logging.handlers import APILogHandler

import flows
from flows.backfill import Backfill, backfill
from flows.check_setup import check_setup
from flows.commands.demo_expectations import Planted
from flows.find_gaps import find_gaps
from flows.process_inbox import process_inbox
from flows.prune import prune
from flows.pull_records import pull_records
from flows.push_orders import PushOrders, push_orders
from flows.reconcile_customers import reconcile_customers
from flows.reconcile_orders import reconcile_orders
from flows.repair_mismatches import repair_mismatches
from flows.replay_events import replay_events
from flows.report_mismatches import report_mismatches
from tasks.records.money import show_money
from tasks.sandbox import Sandboxes
from tasks.thiio.sandbox.agents import PhoneLine

PREFIX = "Flow run encountered an exception: SetupError: "
"""What Prefect puts before an error's own words."""
SAMPLES = Path(flows.__file__).resolve().parent.parent / "tests/payloads"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a chapter, in a line; not `is_good` if a flow ended otherwise than Completed."""

    words: str
    is_good: bool = True


Chapter = tuple[str, Callable[[], Outcome]]


class DemoStory:
    """The chapters in their order; `planted` knows afterwards with which records trouble was made."""

    def __init__(self, sandboxes: Sandboxes, receiver_url: str, credentials: tuple[str, str]) -> None:
        self._ultracart = sandboxes.ultracart
        self._thiio = sandboxes.thiio
        self._url = receiver_url
        self._credentials = credentials
        self.planted = Planted()

    def chapters(self) -> Iterator[Chapter]:
        """Give title and act of each chapter."""
        yield "Both systems, read for the first time", self._read_both
        yield "UltraCart's documented sample webhooks, through the receiver", self._send_samples
        yield "A day in the shop: one webhook lost, one sent twice, a refund before its order", self._trade
        yield "process-inbox", lambda: self._run(process_inbox)
        yield "An afternoon in the call centre: a changed total, five phone orders", self._take_calls
        yield "push-orders", self._push
        yield "UltraCart tells of the pushed orders by webhook", self._hear_echo
        yield "pull-records", lambda: self._run(pull_records)
        yield "reconcile-customers", lambda: self._run(reconcile_customers)
        yield "reconcile-orders", lambda: self._run(reconcile_orders)
        yield "backfill of the last two weeks", self._backfill
        yield "check-setup", lambda: self._run(check_setup)
        yield "find-gaps (dry run)", lambda: self._run(find_gaps)
        yield "repair-mismatches (dry run)", lambda: self._run(repair_mismatches)
        yield "replay-events (dry run)", lambda: self._run(replay_events)
        yield "prune (dry run)", lambda: self._run(prune)
        yield "report-mismatches", lambda: self._run(report_mismatches)

    def close(self) -> None:
        """Hand over what Prefect still has to log, while its server lives."""
        APILogHandler().flush()

    def refunded_in_thiio(self) -> int | None:
        """Give what Thiio says was refunded of the order whose refund came first, in cents."""
        row = self._thiio.find_order(self.planted.refunded_order)
        return None if row["refunded"] is None else int(row["refunded"] * 100)

    def _read_both(self) -> Outcome:
        self._ultracart.register_webhook(self._url, *self._credentials)
        return self._run(pull_records)

    def _send_samples(self) -> Outcome:
        samples = sorted(SAMPLES.glob("*.json"))
        for sample in samples:
            body = msgspec.json.decode(sample.read_bytes(), type=dict[str, msgspec.Raw])["body"]
            answer = httpx.post(
                self._url,
                content=bytes(body),
                auth=self._credentials,
                headers={"content-type": "application/json"},
            )
            answer.raise_for_status()
        return Outcome(f"{len(samples)} bodies taken")

    def _trade(self) -> Outcome:
        shop, post = self._ultracart, self._ultracart.dispatcher
        customer = shop.create_customer("nora.newman@example.com", first_name="Nora")
        shop.update_customer(customer, city="Tacoma")
        shop.deliver()

        post.lose_next("order_create")
        self.planted.lost_order = shop.place_order("nora.newman@example.com", [("BED-M", 1)])
        shop.deliver()

        post.duplicate_next("order_create")
        bought = shop.place_order("guest@example.com", [("KIT-PUPPY", 1), ("BONE", 3)])
        self.planted.duplicated_order = bought
        shop.deliver()
        shop.ship_order(bought)

        self.planted.edited_order = shop.place_order("nora.newman@example.com", [("TOY-DUCK", 2)])
        shop.reject_order(shop.place_order("guest@example.com", [("BRUSH", 1)]))
        shop.deliver()

        post.hold_back_next("order_create")
        self.planted.refunded_order = shop.place_order("guest@example.com", [("COAT-RAIN", 1)])
        shop.refund_order(self.planted.refunded_order)
        shop.deliver()  # the refund
        shop.deliver()  # the order, which was held back
        return Outcome("a customer, five orders, their shipments, refunds and rejects")

    def _take_calls(self) -> Outcome:
        agents, planted = self._thiio, self.planted
        edited = agents.find_order(planted.edited_order)
        cents = int(edited["total"] * 100) - 500
        agents.edit_order_total(str(edited["id"]), cents)
        planted.answer_lost_order = agents.place_phone_order()
        planted.pushed_order = agents.place_phone_order(
            [PhoneLine(product_id="302", quantity=Decimal(2), unit_price_cents=799)], tax_cents=120
        )
        agents.place_phone_order([PhoneLine(product_id="305", unit_price_cents=1499)], is_paid=False)
        unmapped = agents.add_product("Winter boots, set of four")
        planted.unmapped_product_order = agents.place_phone_order(
            [PhoneLine(product_id=unmapped, unit_price_cents=4999)]
        )
        planted.unmapped_gateway_order = agents.place_phone_order(
            gateway_id=agents.add_gateway("New acquirer, code not pasted yet")
        )
        return Outcome(
            f"order {edited['id']} is {show_money(cents)} now; one product and one gateway unmapped"
        )

    def _push(self) -> Outcome:
        self._ultracart.faults.add(method="POST", path="/channel_partner/import", cut="after")
        told = self._run(push_orders, PushOrders(dry_run=False))
        self.planted.imports = self._ultracart.imports
        return told

    def _hear_echo(self) -> Outcome:
        self._ultracart.deliver()
        return self._run(process_inbox)

    def _backfill(self) -> Outcome:
        now = datetime.now(UTC)
        return self._run(backfill, Backfill(start=now - timedelta(days=14), end=now, dry_run=False))

    def _run(self, flow: Flow[Any, Any], options: Any = None) -> Outcome:
        """Run a flow through Prefect and tell its result, or the message it failed with."""
        words = {} if options is None else {"options": options}
        running: Any = flow(**words, return_state=True)
        state: State[Any] = asyncio.run(running)
        if state.is_completed():
            return Outcome(_tell(state.result()))
        return Outcome(f"{state.name}. {(state.message or '').removeprefix(PREFIX)}", is_good=False)


def _tell(result: Any) -> str:
    """Write a flow's counts in a line, without those that are zero; of a report, its answer."""
    if "answer" in result:
        return str(result["answer"])
    parts = [
        f"{name} ({_tell(value)})" if isinstance(value, dict) else f"{value} {name}"
        for name, value in result.items()
        if name != "run" and _is_worth_telling(value)
    ]
    return ", ".join(parts).replace("_", " ") or "nothing to do"


def _is_worth_telling(value: Any) -> bool:
    return any(value.values()) if isinstance(value, dict) else bool(value)
