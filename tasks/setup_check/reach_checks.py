"""Checks of what lies between the systems: both clocks, the calls that are left, the way to our receiver."""

from __future__ import annotations

import math
import socket
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine

from tasks.errors import UltraThiioError
from tasks.settings import UltraCartSettings
from tasks.setup_check.checks import Check, failed, host_of, ok, unknown, warning
from tasks.setup_check.reading import attempt
from tasks.setup_check.webhook_checks import REGISTERED, VARIABLE
from tasks.ultracart.budget import Budget
from tasks.ultracart.open import limits_of
from tasks.ultracart.pacing import read_budget

REACHABLE, CLOCK, BUDGET = "Receiver reachable", "Clock", "API budget"
REACH_SECONDS = 5.0
CLOCK_OFF, CLOCK_WRONG = timedelta(seconds=60), timedelta(seconds=300)
"""What our clock may be off before somebody should know; and before windows miss what just happened."""
HIGH_SHARE = 0.8
"""A fuller day's budget is worth a word: the jobs wait once it is used up."""


def check_reachable(webhook_url: str) -> Check:
    """Check that our receiver answers at the address that UltraCart delivers to; tried from here only."""
    host = host_of(webhook_url.strip())
    if host == "?":
        return unknown(REACHABLE, f"{VARIABLE} is an address", f"See the line {REGISTERED}.")
    trouble = _try_health(webhook_url.strip())
    if not trouble:
        return ok(REACHABLE, f"GET /health at {host} answers, tried from this machine.")
    return warning(
        REACHABLE,
        f"GET /health at {host} {trouble}, tried from this machine ({socket.gethostname()}).",
        f"Start the receiver (ultrathiio receiver), and see that {VARIABLE} leads to it. If only this "
        "machine cannot reach it, nothing is wrong: the line Webhook: deliveries tells what UltraCart sees.",
    )


def _try_health(webhook_url: str) -> str:
    """Say what is wrong with the receiver's health; nothing if it is ours and well."""
    parts = urlsplit(webhook_url)
    try:
        answer = httpx.get(
            f"{parts.scheme}://{parts.netloc}/health", timeout=REACH_SECONDS, follow_redirects=False
        )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        # Its text may quote the address, which may hold a secret.
        return f"gives no answer ({type(error).__name__})"
    if answer.status_code != httpx.codes.OK:
        return f"answers {answer.status_code}"
    return "" if _is_ours(answer) else "answers, but is not our receiver"


def _is_ours(answer: httpx.Response) -> bool:
    try:
        told = answer.json()
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("status") == "ok" and "version" in told


def check_clock(offset: timedelta | None) -> Check:
    """Check our clock against UltraCart's: by it we choose the windows that we ask for."""
    by_hand = "compare this machine's clock with another (timedatectl)."
    if offset is None:
        see = f"See the line UltraCart answers; if that is ok, {by_hand}"
        return unknown(CLOCK, "an answer of UltraCart tells its time", see)
    seconds = round(abs(offset).total_seconds())
    found = f"Our clock is {seconds:,} s {'ahead of' if offset > timedelta() else 'behind'} UltraCart's."
    remedy = "Let this machine set its clock from the network: timedatectl set-ntp true"
    if abs(offset) > CLOCK_WRONG:
        return failed(CLOCK, found, remedy)
    if abs(offset) > CLOCK_OFF:
        return warning(CLOCK, found, remedy)
    return ok(CLOCK, "Our clock agrees with UltraCart's.")


def check_budget(settings: UltraCartSettings, engine: Engine | None, now: datetime) -> Check:
    """Check that the key has calls left for today; to use many is no fault, so this never fails."""
    key = settings.simple_key.get_secret_value()
    if engine is None:
        return unknown(BUDGET, "our database can be used", "See the line Our database.")
    if not key:
        return unknown(BUDGET, "there is a key", "See the line API key.")
    budget = attempt(lambda: _read(engine, settings, key, now))
    if isinstance(budget, UltraThiioError):
        return unknown(BUDGET, "our database can be read", "See the line Our database.")
    used = math.ceil(budget.day_level)
    found = f"{used:,} of the day's {settings.calls_per_day:,} calls are used."
    if budget.day_level > HIGH_SHARE * settings.calls_per_day:
        remedy = (
            "Put off a backfill until tomorrow; the jobs wait by themselves once all calls are used. If it "
            "is so every day, ask UltraCart for more and raise ULTRATHIIO_ULTRACART__CALLS_PER_DAY."
        )
        return warning(BUDGET, found, remedy)
    return ok(BUDGET, found)


def _read(engine: Engine, settings: UltraCartSettings, key: str, now: datetime) -> Budget:
    with engine.connect() as connection:
        return read_budget(connection, key, limits_of(settings), now)
