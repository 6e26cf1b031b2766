"""The flow `report-mismatches`: tell people whether the two systems agree, and what to do where not."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from pydantic import BaseModel, Field

from tasks.reconcile.steps import write_report


class ReportMismatches(BaseModel):
    """How much of the report Prefect shows."""

    table_rows: int = Field(
        200,
        title="Rows in the table",
        ge=1,
        le=200,
        description="Most open mismatches in the artifact `open-mismatches`; the files hold all.",
    )


@flow(name="report-mismatches", flow_run_name="report-mismatches")
async def report_mismatches(options: ReportMismatches = ReportMismatches()) -> dict[str, Any]:
    """Count what is open, new, resolved and getting old; write it as HTML, CSV, Parquet and Excel files.

    The files stand in the reports' folder, the newest also as latest.html and so on. Prefect shows the
    numbers (artifact `mismatch-report`) and some of every kind of mismatch (`open-mismatches`), without
    names, addresses or e-mail addresses. Held and refused pushes and dead letters of the inbox are told too.
    """
    report = write_report()
    await acreate_table_artifact(
        key="open-mismatches", table=report["rows"][: options.table_rows], description=report["answer"]
    )
    await acreate_markdown_artifact(
        key="mismatch-report", markdown=report["markdown"], description=report["answer"]
    )
    return {"answer": report["answer"], **report["numbers"], **report["files"]}
