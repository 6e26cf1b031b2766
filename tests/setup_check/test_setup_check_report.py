"""The checklist reaches people: as a table, as counts, as a failed run, and on the command line."""

from __future__ import annotations

import pytest

from tasks.errors import SetupError
from tasks.setup_check.checks import Check, failed, ok, unknown, warning
from tasks.setup_check.report import (
    count_statuses,
    fail_if_wrong,
    read_rows,
    write_changes,
    write_checklist,
    write_rows,
)
from tasks.setup_check.steps import check_everything
from tests.setup_check.account import Account, environment, run_command

CHECKS = [
    ok("Good", "It is good."),
    warning("So-so", "<b>[/x] | y", "Look\nat it."),
    failed("Bad", "It is bad.", "Set ULTRATHIIO_X."),
    unknown("Dark", "light is made", "See the line Bad."),
]


def test_rows_survive_the_way_to_the_flow() -> None:
    """What a step gives is plain text, and is read back as it was."""
    rows = write_rows(CHECKS)

    assert [type(value) for row in rows for value in row.values()] == [str] * 16
    assert read_rows(rows) == CHECKS


def test_the_artifact_has_a_tick_a_line() -> None:
    """Texts of other systems cannot break the table."""
    assert write_checklist(CHECKS) == (
        "# Set-up\n\n1 ok, 1 warning, 1 failed, 1 unknown\n\n"
        "| | check | found | what to do |\n| --- | --- | --- | --- |\n"
        "| ✓ ok | Good | It is good. |  |\n"
        "| ! **warning** | So-so | &lt;b>[/x] \\| y | Look at it. |\n"
        "| ✗ **failed** | Bad | It is bad. | Set ULTRATHIIO_X. |\n"
        "| ? unknown | Dark | This cannot be told until light is made. | See the line Bad. |\n"
    )
    assert count_statuses(CHECKS) == {"ok": 1, "warning": 1, "failed": 1, "unknown": 1}


def test_what_changed_stands_under_the_lines() -> None:
    """A value cannot break that table either; without changes there is none."""
    changes = [{"what": "state", "is_now": "a|b", "will_be": "enabled"}]

    assert write_changes([]) == ""
    assert write_changes(changes) == (
        "\n## Webhook in UltraCart\n\n"
        "| what | was | will be |\n| --- | --- | --- |\n"
        "| state | a\\|b | enabled |\n"
    )


@pytest.mark.parametrize(
    ("checks", "warnings_fail", "named"),
    [
        (CHECKS, False, "Bad"),
        (CHECKS, True, "So-so, Bad"),
        (CHECKS[:2], False, None),
        (CHECKS[:2], True, "So-so"),
        (CHECKS[3:], True, None),
    ],
)
def test_a_run_fails_for_what_is_wrong(checks: list[Check], warnings_fail: bool, named: str | None) -> None:
    """It names the lines; what cannot be told fails no run."""
    if named is None:
        fail_if_wrong(checks, warnings_fail=warnings_fail)
        return
    with pytest.raises(SetupError, match=rf"must be: {named}\. First: "):
        fail_if_wrong(checks, warnings_fail=warnings_fail)


def test_the_next_step_is_that_of_the_first_failure() -> None:
    """It can be done without opening the artifact."""
    with pytest.raises(SetupError, match=r"First: Set ULTRATHIIO_X\."):
        fail_if_wrong(CHECKS, warnings_fail=False)


def test_the_step_builds_all_from_the_environment(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes nothing and gives plain rows."""
    for name, value in environment(account).items():
        monkeypatch.setenv(name, value)

    assert {row["status"] for row in check_everything.fn()} == {"ok"}


def test_the_command_prints_the_table(account: Account) -> None:
    """It exits with 0, and quietly."""
    done = run_command(account)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Webhook: deliveries" in done.stdout
    assert "failed" not in done.stdout


def test_the_command_fails_if_a_line_does(account: Account) -> None:
    """It exits with 1; in a narrow window too the setting to change can be read."""
    account.thiio.add_product("[/red] Bone [bold]")
    done = run_command(account, ULTRATHIIO_ULTRACART__MERCHANT_ID="OTHER")
    narrow = run_command(account, ULTRATHIIO_ULTRACART__MERCHANT_ID="OTHER", COLUMNS="80")

    assert (done.returncode, narrow.returncode) == (1, 1)
    assert "ULTRATHIIO_ULTRACART__MERCHANT_ID=DEMO" in done.stdout
    assert "[/red] Bone [bold]" in done.stdout
    assert "…" not in narrow.stdout
