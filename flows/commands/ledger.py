"""The commands on the ledger of mismatches, as the command line names them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter


def mismatches(
    *,
    state: str = "open",
    kind: str | None = None,
    entity: str | None = None,
    number: tuple[int, ...] = (),
    id: str | None = None,
    limit: int = 50,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """List what the two sides disagree about, newest first: what, since when, why, and what to do.

    Parameters
    ----------
    state
        open, ignored, resolved or any.
    kind
        missing_in_thiio, missing_in_ultracart, field_differs, duplicate or unlinked.
    entity
        customer or order.
    number
        Number of a mismatch; may be given several times.
    id
        ID of the record, of either side.
    limit
        Most lines.
    as_json
        Print one JSON object instead of a table.
    """
    from flows.commands.mismatches import print_mismatches

    return print_mismatches(
        state=state, kind=kind, entity=entity, ids=number, record=id, limit=limit, as_json=as_json
    )


def ignore(*numbers: int, reason: str = "", days: int | None = None, take_back: bool = False) -> int:
    """Set mismatches aside with a reason, until the days are over or a value changes; or take them back.

    Parameters
    ----------
    numbers
        Numbers of the mismatches, as `ultrathiio mismatches` lists them.
    reason
        Why they may differ; the report shows it.
    days
        After so many days they are open again; 30 if left out, 366 at most.
    take_back
        Open these again that were ignored.
    """
    from flows.commands.mismatches import ignore_and_print

    return ignore_and_print(numbers, reason=reason, days=days, take_them_back=take_back)
