"""The webhook is registered or repaired once somebody agreed, and never on a guess."""

from __future__ import annotations

import copy
import os
import pty
import subprocess
import sys

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.database.engine import open_engine
from tasks.database.lease import hold_lease
from tasks.errors import AnswerLost, LeaseHeld, RemoteUnavailable, SetupError
from tasks.setup_check.checks import CheckStatus
from tasks.setup_check.steps import put_webhook_right
from tasks.setup_check.webhook_fix import LEASE, LEASE_SECONDS, WebhookFix, check_fix, fix_webhook
from tasks.setup_check.webhook_plan import WebhookPlan
from tests.setup_check.account import (
    PASSWORD,
    Account,
    Plant,
    assert_line,
    environment,
    names_of,
    run_command,
)

FAILED, WARNING = CheckStatus.FAILED, CheckStatus.WARNING


@pytest.fixture
def bare(account: Account) -> Account:
    """The account, and nobody has registered a webhook."""
    account.ultracart.store.webhooks.clear()
    return account


def writes(engine: Engine) -> list[tuple[str, str]]:
    """Give each call on record that changed something at UltraCart, with how it ended."""
    table = tables.notifications
    query = select(table.c.operation, table.c.status).where(
        table.c.operation.like("%/webhook/%"), ~table.c.operation.like("GET%")
    )
    with engine.connect() as connection:
        return [(operation, status) for operation, status in connection.execute(query.order_by(table.c.id))]


def fix(account: Account) -> WebhookFix:
    """Put the webhook right, as somebody who agrees to everything."""
    return fix_webhook(account.settings, account.engine, lambda plan: True)


def answer(account: Account, typed: bytes) -> tuple[int, str]:
    """Run `ultrathiio check --fix` at a terminal, type something, and give exit code and output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows", "check", "--fix"],
        env={**os.environ, **environment(account), "COLUMNS": "240"},
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
    )
    os.write(ours, typed)
    output, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    return process.returncode, output


def test_the_command_registers_a_webhook_that_works(bare: Account) -> None:
    """Its first delivery signs in with our password; a second run finds nothing to do and exits with 0."""
    first = run_command(bare, "--fix", "--yes")
    bare.deliver_one()
    second = run_command(bare, "--fix", "--yes")

    assert (first.returncode, second.returncode) == (0, 0)
    assert "no webhook is registered" in first.stdout
    assert "is registered." in first.stdout
    assert "there is nothing to change" in second.stdout
    assert PASSWORD not in first.stdout + second.stdout
    assert len(bare.ultracart.store.webhooks) == 1
    assert names_of(bare.lines(), CheckStatus.OK) == set(bare.lines())
    assert writes(bare.engine) == [("POST /webhook/webhooks", "successful")]


def spoil_all(account: Account) -> None:
    """Nothing of the webhook is as it should be but its address."""
    account.webhook.update(disabled=True, authentication_type="none", event_categories=[])


def spoil_password(account: Account) -> None:
    """Deliveries are refused."""
    account.webhook["basic_password"] = "another"


def spoil_address(account: Account) -> None:
    """The receiver answers there too, but the settings name it otherwise."""
    account.webhook["webhook_url"] += "/?from=before"


def spoil_expansion(account: Account) -> None:
    """Orders come without their lines."""
    account.events["order_create"]["expansion"] = "billing"


@pytest.mark.parametrize("plant", [spoil_all, spoil_password, spoil_address, spoil_expansion])
def test_a_webhook_is_repaired(account: Account, plant: Plant) -> None:
    """It stays the one it was, with what others set in it, and delivers again."""
    account.webhook.update(merchant_comments="do not touch", maximum_events=25)
    before = copy.deepcopy(account.webhook)
    plant(account)
    fixed = fix(account)
    account.deliver_one()

    oid = account.webhook["webhook_oid"]
    assert fixed == WebhookFix(f"Webhook {oid} is repaired.", True)
    assert {**account.webhook, "event_categories": []} == {**before, "event_categories": []}
    assert names_of(account.lines(), FAILED, WARNING) == set()
    assert fix(account).told == "The webhook is as it should be; there is nothing to change."
    assert writes(account.engine) == [(f"PUT /webhook/webhooks/{oid}", "successful")]


def test_events_of_others_stay(account: Account) -> None:
    """Somebody subscribed one beyond the six."""
    account.events["order_update"].update(subscribed=True, expansion="coupon")
    account.events["order_ship"]["subscribed"] = False
    fix(account)

    assert account.events["order_ship"]["subscribed"]
    assert (account.events["order_update"]["subscribed"], account.events["order_update"]["expansion"]) == (
        True,
        "coupon",
    )


def test_without_a_terminal_nobody_is_asked(bare: Account) -> None:
    """The difference is shown, nothing is changed, and the exit code is 1."""
    done = run_command(bare, "--fix")

    assert (done.returncode, done.stderr) == (1, "")
    assert "event order_ship" in done.stdout
    assert "ultrathiio check --fix --yes" in done.stdout
    assert "Nothing was changed." in done.stdout
    assert not bare.ultracart.store.webhooks


@pytest.mark.parametrize(
    ("typed", "code", "count"),
    [(b"y\n", 0, 1), (b"YES\n", 0, 1), (b"n\n", 1, 0), (b"\n", 1, 0), (b"\4", 1, 0)],
)
def test_at_a_terminal_only_yes_is_yes(bare: Account, typed: bytes, code: int, count: int) -> None:
    """Enter alone is no, and so is the end of the input."""
    ended, output = answer(bare, typed)

    assert (ended, len(bare.ultracart.store.webhooks)) == (code, count)
    assert "[y/N]" in output
    assert ("Nothing was changed." in output) is (count == 0)


def test_yes_alone_answers_nothing(account: Account) -> None:
    """It would not do what somebody expects of it."""
    done = run_command(account, "--yes")

    assert (done.returncode, "--fix --yes" in done.stderr) == (2, True)


def test_a_setting_that_is_missing_is_named(account: Account) -> None:
    """The exit code is 2, and UltraCart is not asked."""
    done = run_command(account, "--fix", "--yes", ULTRATHIIO_RECEIVER__PASSWORD="")

    assert done.returncode == 2
    assert "ULTRATHIIO_RECEIVER__PASSWORD is empty" in done.stderr


def test_without_our_database_nothing_is_changed(bare: Account, fresh_sqlite_url: str) -> None:
    """What is changed must be on record."""
    bare.engine = open_engine(fresh_sqlite_url)

    with pytest.raises(SetupError, match="ultrathiio migrate"):
        fix(bare)
    assert not bare.ultracart.store.webhooks


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_write_is_told_as_such(bare: Account, status: int) -> None:
    """The box to tick is named."""
    bare.ultracart.faults.add(method="POST", path="/webhook", status=status)

    with pytest.raises(SetupError, match=r"Tick read and write for Webhook at .*API Keys"):
        fix(bare)


def test_a_lost_answer_is_looked_up(bare: Account) -> None:
    """The webhook was registered, so it is not registered twice."""
    bare.ultracart.faults.add(method="POST", path="/webhook", cut="after")
    told = fix(bare).told

    assert told == (
        f"UltraCart's answer was lost; it was looked up: webhook {bare.webhook['webhook_oid']} is there, "
        "as it should be."
    )
    assert len(bare.ultracart.store.webhooks) == 1
    assert writes(bare.engine) == [("POST /webhook/webhooks", "in_doubt")]


def test_a_write_that_never_arrived_is_told(bare: Account) -> None:
    """It is sent once; whoever asked for it may run it again."""
    bare.ultracart.faults.add(method="POST", path="/webhook", cut="before")

    with pytest.raises(AnswerLost, match=r"looked up: no webhook is there.* Run again: ultrathiio check"):
        fix(bare)
    assert writes(bare.engine) == [("POST /webhook/webhooks", "in_doubt")]


def test_a_lost_answer_that_cannot_be_looked_up_is_told(bare: Account) -> None:
    """Nobody knows what is there, and that is what is said."""
    bare.ultracart.faults.add(method="POST", path="/webhook", cut="after")

    def agree(plan: WebhookPlan) -> bool:
        # The next reading is that before the write, which must be good.
        bare.ultracart.faults.add(method="GET", path="/webhook", delay_seconds=0.001)
        bare.ultracart.faults.add(method="GET", path="/webhook", status=503, times=4)
        return True

    with pytest.raises(AnswerLost, match="could not be looked up"):
        fix_webhook(bare.settings, bare.engine, agree)


def test_the_command_tells_of_trouble_without_a_traceback(bare: Account) -> None:
    """UltraCart is in trouble: exit code 1."""
    bare.ultracart.faults.add(method="POST", path="/webhook", status=500)
    done = run_command(bare, "--fix", "--yes")

    assert (done.returncode, done.stderr) == (1, "")
    assert "UltraCart answered 500 to POST" in done.stdout


def test_what_changed_since_it_was_shown_is_not_overwritten(account: Account) -> None:
    """Somebody else was at work while the question stood there."""
    spoil_expansion(account)

    def agree(plan: WebhookPlan) -> bool:
        account.webhook["disabled"] = True
        return True

    with pytest.raises(SetupError, match="changed meanwhile"):
        fix_webhook(account.settings, account.engine, agree)
    assert writes(account.engine) == []


def test_two_at_once_register_one_webhook(bare: Account) -> None:
    """Whoever comes second is told that another run is at it."""
    with hold_lease(bare.engine, LEASE, seconds=LEASE_SECONDS), pytest.raises(LeaseHeld):
        fix(bare)
    assert not bare.ultracart.store.webhooks


def test_what_came_of_it_is_a_line(bare: Account) -> None:
    """A run of the flow shows it with the other lines, whatever happened."""
    bare.ultracart.faults.add(method="POST", path="/webhook", status=400)
    refused, shown = check_fix(bare.settings, bare.engine, None)
    done, changed = check_fix(bare.settings, bare.engine, None)
    bare.change("receiver", password=SecretStr(""))
    unset, nothing = check_fix(bare.settings, bare.engine, None)

    assert_line(refused, FAILED, ["400", "Run again: ultrathiio check --fix"])
    assert_line(done, CheckStatus.OK, ["is registered."])
    assert_line(unset, FAILED, ["ULTRATHIIO_RECEIVER__PASSWORD is empty"])
    assert (len(shown), len(changed), len(nothing)) == (8, 8, 0)


def test_an_account_that_is_away_is_a_line_too(account: Account) -> None:
    """UltraCart does not answer."""
    account.change("ultracart", base_url="http://127.0.0.1:9/rest/v2")

    assert_line(check_fix(account.settings, account.engine, None)[0], FAILED, ["ConnectError"])
    with pytest.raises(RemoteUnavailable):
        fix(account)


def test_the_step_builds_all_from_the_environment(bare: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does nothing unless it is wanted, and gives plain rows."""
    for name, value in environment(bare).items():
        monkeypatch.setenv(name, value)
    left_alone, registered = put_webhook_right.fn(False), put_webhook_right.fn(True)

    assert left_alone == {"lines": [], "changes": []}
    assert [row["name"] for row in registered["lines"]] == ["Webhook: repair"]
    assert registered["changes"][0]["is_now"] == "no webhook is registered"
    assert len(bare.ultracart.store.webhooks) == 1
