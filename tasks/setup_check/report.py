"""The checklist for people: as a table in an artifact, as counts, and as the sentence of a failed run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from tasks.errors import SetupError
from tasks.setup_check.checks import Check, CheckStatus

MARKS = {
    CheckStatus.OK: "✓ ok",
    CheckStatus.WARNING: "! **warning**",
    CheckStatus.FAILED: "✗ **failed**",
    CheckStatus.UNKNOWN: "? unknown",
}


def write_rows(checks: Sequence[Check]) -> list[dict[str, str]]:
    """Turn lines into plain values, which may pass between processes."""
    return [asdict(check) | {"status": check.status.value} for check in checks]


def read_rows(rows: Sequence[dict[str, str]]) -> list[Check]:
    """Turn plain values back into lines."""
    return [Check(row["name"], CheckStatus(row["status"]), row["found"], row["remedy"]) for row in rows]


def count_statuses(checks: Sequence[Check]) -> dict[str, int]:
    """Count the lines by status, also those statuses that none has."""
    return {status.value: sum(check.status is status for check in checks) for status in CheckStatus}


def write_checklist(checks: Sequence[Check]) -> str:
    """Write the lines as a Markdown table under their counts."""
    counts = ", ".join(f"{count} {status}" for status, count in count_statuses(checks).items())
    rows = "\n".join(
        f"| {MARKS[check.status]} | {_cell(check.name)} | {_cell(check.found)} | {_cell(check.remedy)} |"
        for check in checks
    )
    return f"# Set-up\n\n{counts}\n\n| | check | found | what to do |\n| --- | --- | --- | --- |\n{rows}\n"


def write_changes(changes: Sequence[dict[str, str]]) -> str:
    """Write what was to be changed at the webhook as a Markdown table; nothing if there was nothing."""
    if not changes:
        return ""
    rows = "\n".join(f"| {' | '.join(map(_cell, change.values()))} |" for change in changes)
    return f"\n## Webhook in UltraCart\n\n| what | was | will be |\n| --- | --- | --- |\n{rows}\n"


def fail_if_wrong(checks: Sequence[Check], *, warnings_fail: bool) -> None:
    """Raise `SetupError` that names the lines that failed, warnings too if they count, and the next step."""
    counted = {CheckStatus.FAILED, CheckStatus.WARNING} if warnings_fail else {CheckStatus.FAILED}
    wrong = [check for check in checks if check.status in counted]
    if wrong:
        names = ", ".join(check.name for check in wrong)
        raise SetupError(
            f"Set-up: {len(wrong)} of {len(checks)} lines are not as they must be: {names}. First: "
            f"{wrong[0].remedy}\nAll lines stand in the artifact setup-checklist; or run: ultrathiio check"
        )


def _cell(text: str) -> str:
    for character, written in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("\n", " ")):
        text = text.replace(character, written)
    return text
