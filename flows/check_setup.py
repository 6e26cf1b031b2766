"""The flow `check-setup`: go through the set-up checklist of both systems."""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import BaseModel, Field

from tasks.setup_check.report import count_statuses, fail_if_wrong, read_rows, write_checklist
from tasks.setup_check.steps import check_everything


class CheckSetup(BaseModel):
    """What makes the run end Failed."""

    warnings_fail: bool = Field(
        False,
        title="Warnings fail",
        description="On: a warning ends the run Failed too. Off: only a failed line does.",
    )


@flow(name="check-setup", flow_run_name="check-setup")
async def check_setup(options: CheckSetup = CheckSetup()) -> dict[str, int]:
    """Look at both systems as they are set up now, and write each line with what to do about it.

    The artifact `setup-checklist` has all lines. The run ends Failed if one of them failed.
    """
    checks = read_rows(check_everything())
    await acreate_markdown_artifact(key="setup-checklist", markdown=write_checklist(checks))
    fail_if_wrong(checks, warnings_fail=options.warnings_fail)
    return count_statuses(checks)
