"""The set-up checklist, in the order in which the guide sets both systems up."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from tasks.notifications.log import Notification, notifier
from tasks.settings import Settings
from tasks.setup_check.checks import Check, CheckStatus
from tasks.setup_check.gateway_checks import check_gateways
from tasks.setup_check.own_checks import check_database, check_receiver
from tasks.setup_check.product_checks import check_products
from tasks.setup_check.reach_checks import check_budget, check_clock, check_reachable
from tasks.setup_check.thiio_checks import check_thiio
from tasks.setup_check.thiio_findings import read_thiio
from tasks.setup_check.ultracart_checks import check_account
from tasks.setup_check.ultracart_findings import read_ultracart
from tasks.setup_check.webhook_checks import check_webhook


def run_checks(settings: Settings, engine: Engine, run_id: str | None = None) -> list[Check]:
    """Go through the checklist; a line that cannot be told says so, and nothing is raised.

    Both systems are only read. `run_id` is noted on the notifications of what was asked.
    """
    database = check_database(engine)
    # Without our database there is no log and no budget; the other lines can be told all the same.
    ours = engine if database.status is CheckStatus.OK else None
    notify = notifier(ours, run_id) if ours else _tell_nobody
    ultracart = read_ultracart(settings.ultracart, ours, notify, datetime.now(UTC))
    thiio = read_thiio(settings, notify)
    return [
        database,
        *check_account(settings.ultracart, ultracart),
        check_clock(ultracart.clock_offset),
        check_budget(settings.ultracart, ours, datetime.now(UTC)),
        *check_webhook(settings, ultracart),
        check_receiver(settings.receiver),
        check_reachable(settings.ultracart.webhook_url),
        *check_thiio(settings, thiio),
        *check_products(thiio, ultracart),
        *check_gateways(thiio, ultracart),
    ]


def _tell_nobody(_notification: Notification) -> None:
    pass
