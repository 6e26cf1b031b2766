"""The flow `repair-mismatches`: put right what the ledger says is wrong, where a rule says how."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from prefect import State, flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelled
from pydantic import BaseModel, Field

from tasks.errors import LeaseHeld, fail_if_any
from tasks.inbox.steps import put_back_records
from tasks.push.account import planned_ids
from tasks.push.steps import plan_pushes
from tasks.reconcile.mismatch import MismatchKind
from tasks.reconcile.repair.account import Account
from tasks.reconcile.repair.decide import Act, Plan
from tasks.reconcile.repair.steps import note_repairs, plan_repairs
from tasks.records.models import Entity
from tasks.thiio.steps import mark_orders_synced


class RepairEntity(StrEnum):
    """Whose mismatches are repaired."""

    BOTH = "both"
    ORDERS = "orders"
    CUSTOMERS = "customers"

    @property
    def entities(self) -> list[Entity]:
        """Give the entities that are meant."""
        return list(Entity) if self is RepairEntity.BOTH else [Entity(self.value.removesuffix("s"))]


class RepairMismatches(BaseModel):
    """Which open mismatches to repair; every field that is given must fit."""

    ids: list[int] = Field(
        [], title="Mismatch numbers", description="Only these, as the report numbers them. Empty: all."
    )
    entity: RepairEntity = Field(
        RepairEntity.BOTH, title="Entity", description="Only mismatches of orders, or of customers."
    )
    kinds: list[MismatchKind] = Field(
        [], title="Kinds", description="Only these kinds of mismatch. Empty: all that have a rule."
    )
    limit: int = Field(
        200, title="At most", ge=1, le=10_000, description="Records that one run repairs; 500 orders a call."
    )
    customer_limit: int = Field(
        100,
        title="Customers at most",
        ge=0,
        le=1_000,
        description="Customers among them; each costs a call, and UltraCart allows 1,000 an hour.",
    )
    dry_run: bool = Field(True, title="Dry run", description="On: show what would be done, do nothing.")

    @property
    def what(self) -> str:
        """Say in a run's name what it does."""
        return f"{self.entity.value}{', dry run' if self.dry_run else ''}"

    def choice(self) -> dict[str, Any]:
        """Give which mismatches are meant, as the step wants it."""
        return {"entities": self.entity.entities, **self.model_dump(exclude={"entity", "dry_run"})}


@flow(name="repair-mismatches", flow_run_name="repair-mismatches {options.what}")
async def repair_mismatches(options: RepairMismatches = RepairMismatches()) -> dict[str, int] | State[Any]:
    """Decide what can be done about each open mismatch, do it, and tell of every one what became of it.

    What Thiio lacks is read again from UltraCart and goes through the inbox; phone orders that UltraCart
    lacks are released to push-orders; a missing link is written into Thiio; a field that differs is brought
    over only where the settings say that UltraCart's word counts. All else is told, with its reason. The
    artifact `repair-account` has each mismatch. Whatever was done is proven by the next comparison, which
    closes the mismatch and says how. Started twice, nothing is done twice. If push-orders is at work, the
    run ends as Cancelled before anything is done; without calls left at UltraCart as `WaitingForBudget`.
    """
    plan = plan_repairs(options.choice())
    try:
        answers = _look(plan) if options.dry_run else _repair(plan)
    except LeaseHeld as held:
        return Cancelled(message=f"{held} Nothing was repaired.")
    account = Account(plan, answers)
    await acreate_markdown_artifact(key="repair-account", markdown=account.markdown(dry_run=options.dry_run))
    fail_if_any("repair-mismatches", account.failures())
    if answers.get("put_back", {}).get("is_spent"):
        message = f"{answers['put_back']['trouble']} What was not read stays open; start the repair again."
        return State(type=StateType.CANCELLED, name="WaitingForBudget", message=message)
    return account.numbers()


def _look(plan: Plan) -> dict[str, Any]:
    return {"release": _look_at_pushes(plan)}


def _repair(plan: Plan) -> dict[str, Any]:
    answers: dict[str, Any] = {"release": _release(plan)}
    note_repairs(plan, Act.RELEASE, answers)
    pairs = [
        (each.candidate.thiio_id, each.candidate.ultracart_id)
        for each in plan.intended
        if each.act is Act.LINK
    ]
    answers["link"] = mark_orders_synced(pairs) if pairs else {}
    note_repairs(plan, Act.LINK, answers)
    answers["put_back"] = put_back_records(
        plan.keys(Act.PUT_BACK, Entity.ORDER), plan.keys(Act.PUT_BACK, Entity.CUSTOMER)
    )
    note_repairs(plan, Act.PUT_BACK, answers)
    return answers


def _look_at_pushes(plan: Plan) -> list[dict[str, Any]]:
    """Ask the push what would become of the phone orders; those that would be held are not let go."""
    ids = plan.keys(Act.RELEASE, Entity.ORDER)
    planned = plan_pushes(ids, True, False, False, True) if ids else []
    return [order | {"body": "", "is_released": False} for order in planned]


def _release(plan: Plan) -> list[dict[str, Any]]:
    looked_at = _look_at_pushes(plan)
    ids = planned_ids(looked_at)
    released = plan_pushes(ids, False, False, False, True) if ids else []
    others = [order for order in looked_at if order["thiio_order_id"] not in ids]
    return [*(order | {"body": "", "is_released": True} for order in released), *others]
