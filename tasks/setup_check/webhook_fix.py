"""Register or repair the webhook in UltraCart, after somebody agreed to the difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from tasks.database.lease import hold_lease
from tasks.errors import AnswerLost, CredentialsRefused, RemoteChanged, SetupError, UltraThiioError
from tasks.notifications.log import notifier
from tasks.settings import Settings
from tasks.setup_check import pages
from tasks.setup_check.checks import Check, CheckStatus, failed, ok, split_message
from tasks.setup_check.own_checks import check_database
from tasks.setup_check.reading import attempt
from tasks.setup_check.webhook_plan import Change, WebhookPlan, plan_webhook, receiving_of
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.open import open_ultracart
from tasks.ultracart.webhook_registration import list_registrations

REPAIR = "Webhook: repair"
LEASE = "fix-webhook"
LEASE_SECONDS = 300
AGAIN = "Run again: ultrathiio check --fix"

Agree = Callable[[WebhookPlan], bool]
"""Shows a plan that has changes, and says whether they are to be made."""


@dataclass(frozen=True, slots=True)
class WebhookFix:
    """What came of it, in a sentence, and whether the webhook is right now."""

    told: str
    is_right: bool


def fix_webhook(settings: Settings, engine: Engine, agree: Agree, run_id: str | None = None) -> WebhookFix:
    """Make the webhook what the guide and the settings want, if it is not and `agree` says yes.

    Raises `SetupError` for what must be set first, and any other error of ours if UltraCart did not do it.
    """
    receiving_of(settings)
    database = check_database(engine)
    if database.status is not CheckStatus.OK:
        # What is changed at UltraCart must be on record, and its calls counted.
        raise SetupError(f"{database.name}: {database.found} {database.remedy}")
    with open_ultracart(settings.ultracart, engine, notifier(engine, run_id)) as client:
        plan = read_plan(client, settings)
        if not plan.changes:
            return WebhookFix("The webhook is as it should be; there is nothing to change.", True)
        if not agree(plan):
            return WebhookFix("Nothing was changed.", False)
        with hold_lease(engine, LEASE, seconds=LEASE_SECONDS):
            return WebhookFix(carry_out(client, settings, plan), True)


def check_fix(settings: Settings, engine: Engine, run_id: str | None) -> tuple[Check, tuple[Change, ...]]:
    """Make the webhook right without asking, and say so in a line of the checklist; nothing is raised."""
    shown: list[Change] = []

    def agree(plan: WebhookPlan) -> bool:
        shown.extend(plan.changes)
        return True

    fixed = attempt(lambda: fix_webhook(settings, engine, agree, run_id))
    if isinstance(fixed, UltraThiioError):
        found, remedy = split_message(fixed)
        return failed(REPAIR, found, remedy or AGAIN), tuple(shown)
    return ok(REPAIR, fixed.told), tuple(shown)


def read_plan(client: UltraCartClient, settings: Settings) -> WebhookPlan:
    """Ask UltraCart for its webhooks, and compare."""
    return plan_webhook(settings, list_registrations(client))


def carry_out(client: UltraCartClient, settings: Settings, agreed: WebhookPlan) -> str:
    """Make the changes that somebody agreed to, and say what was done.

    Raises `SetupError` if the webhook differs from what was agreed to, or the key may not write. If the
    answer is lost the webhooks are looked up, never written twice.
    """
    # Read once more: a person may have thought for an hour, and the whole object is replaced.
    plan = read_plan(client, settings)
    if plan.changes != agreed.changes:
        raise SetupError(f"The webhook was changed meanwhile, so nothing was done. {AGAIN}")
    try:
        return _write(client, plan)
    except CredentialsRefused as error:
        raise SetupError(
            f"UltraCart lets this key change no webhook. Tick read and write for Webhook at {pages.KEYS}."
        ) from error
    except (AnswerLost, RemoteChanged) as lost:
        return _look_up(client, settings, lost)


def _write(client: UltraCartClient, plan: WebhookPlan) -> str:
    if plan.found is None:
        return f"Webhook {client.insert_webhook(plan.wished).webhook_oid} is registered."
    client.update_webhook(plan.found.webhook.webhook_oid, plan.wished)
    return f"Webhook {plan.found.webhook.webhook_oid} is repaired."


def _look_up(client: UltraCartClient, settings: Settings, lost: AnswerLost | RemoteChanged) -> str:
    plan = attempt(lambda: read_plan(client, settings))
    if isinstance(plan, UltraThiioError):
        raise type(lost)(f"{lost} It could not be looked up. {AGAIN}", system="ultracart") from lost
    if plan.changes:
        raise type(lost)(
            f"{lost} It was looked up: {_name(plan)}, with {len(plan.changes)} differences. {AGAIN}",
            system="ultracart",
        ) from lost
    return f"UltraCart's answer was lost; it was looked up: {_name(plan)}, as it should be."


def _name(plan: WebhookPlan) -> str:
    oid = None if plan.found is None else plan.found.webhook.webhook_oid
    return "no webhook is there" if oid is None else f"webhook {oid} is there"
