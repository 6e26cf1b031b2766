"""Checks of the way to Thiio: does it work, and what can it not do."""

from __future__ import annotations

from tasks.errors import SetupError
from tasks.settings import Settings, ThiioConnection
from tasks.setup_check.checks import Check, failed, ok, split_message, unknown, warning
from tasks.setup_check.thiio_findings import ThiioFindings

CONNECTION = "Thiio connection"
SETTINGS_OF = {
    ThiioConnection.DATABASE: (
        "Check ULTRATHIIO_THIIO__DATABASE_URL, that its user may read Thiio's tables, and "
        "ULTRATHIIO_THIIO__MAPPING_FILE if the tables are named otherwise."
    ),
    ThiioConnection.API: (
        "Check ULTRATHIIO_THIIO__BASE_URL, ULTRATHIIO_THIIO__EMAIL, ULTRATHIIO_THIIO__PASSWORD and "
        "ULTRATHIIO_THIIO__INBOUND_WEBHOOK_URL."
    ),
}
"""What a connection rests on, for an error that names no setting."""


def check_thiio(settings: Settings, findings: ThiioFindings) -> list[Check]:
    """Check the connection that the settings choose."""
    return [check_connection(settings, findings), check_gaps(settings, findings)]


def check_connection(settings: Settings, findings: ThiioFindings) -> Check:
    """Check that Thiio can be reached and is shaped as the connection expects."""
    connection = settings.thiio.connection
    if findings.trouble is None:
        return ok(CONNECTION, f"The connection `{connection}` works.")
    found, next_step = split_message(findings.trouble)
    if isinstance(findings.trouble, SetupError) and "ULTRATHIIO_" in next_step:
        return failed(CONNECTION, found, next_step)
    return failed(CONNECTION, found, SETTINGS_OF[connection])


def check_gaps(settings: Settings, findings: ThiioFindings) -> Check:
    """Tell what this connection cannot see or do even when it works."""
    name, connection = "Thiio connection: gaps", settings.thiio.connection
    if findings.trouble:
        return unknown(name, "the connection to Thiio works", f"See the line {CONNECTION}.")
    if findings.gaps:
        remedy = "If you can reach Thiio's database, set ULTRATHIIO_THIIO__CONNECTION=database."
        return warning(name, " ".join(findings.gaps), remedy)
    return ok(name, f"The connection `{connection}` can do all that the jobs need.")
