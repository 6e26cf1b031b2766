"""The flow `check-setup`: go through the set-up checklist of both systems."""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import BaseModel, Field

from tasks.setup_check.report import count_statuses, fail_if_wrong, read_rows, write_changes, write_checklist
from tasks.setup_check.steps import check_everything, put_webhook_right


class CheckSetup(BaseModel):
    """What is put right first, and what makes the run end Failed."""

    fix_webhook: bool = Field(
        False,
        title="Fix webhook",
        description="On: the webhook in UltraCart is registered, or repaired, before the checks, without "
        "asking; the artifact shows what changed. Off: both systems are only read.",
    )

    warnings_fail: bool = Field(
        False,
        title="Warnings fail",
        description="On: a warning ends the run Failed too. Off: only a failed line does.",
    )


@flow(name="check-setup", flow_run_name="check-setup")
async def check_setup(options: CheckSetup = CheckSetup()) -> dict[str, int]:
    """Look at both systems as they are set up now, and write each line with what to do about it.

    The artifact `setup-checklist` has all lines, after what was changed at the webhook if that was wanted.
    The run ends Failed if one of the lines failed.
    """
    fixed = put_webhook_right(options.fix_webhook)
    checks = read_rows([*fixed["lines"], *check_everything()])
    written = write_checklist(checks) + write_changes(fixed["changes"])
    await acreate_markdown_artifact(key="setup-checklist", markdown=written)
    fail_if_wrong(checks, warnings_fail=options.warnings_fail)
    return count_statuses(checks)
