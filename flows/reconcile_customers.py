"""The flow `reconcile-customers`: find the customers on which the two sides disagree."""

from __future__ import annotations

from prefect import State, flow
from prefect.states import Cancelled

from tasks.database.steps import patient
from tasks.errors import LeaseHeld
from tasks.reconcile.options import CompareOptions
from tasks.reconcile.steps import find_pulled_until, reconcile_customers_window
from tasks.records.steps import choose_whole_window, choose_window, move_watermark


@flow(name="reconcile-customers", flow_run_name="reconcile-customers {options.what}")
async def reconcile_customers(
    options: CompareOptions = CompareOptions(),
) -> dict[str, int] | State[dict[str, int]]:
    """Pair the customers that our mirror holds of both sides by e-mail address, and compare their details.

    Customers that were created or changed since the last run are compared, and every mismatch that is still
    open: what agrees again is resolved. Nothing is changed on either side, and nothing is read from them:
    that is pull-records' work. Times given by hand, or everything, leave the watermark where it is. If
    another run compares customers at this moment, this one ends as Cancelled and the next one goes on; a run
    that compares everything waits for its turn.
    """
    step = patient(reconcile_customers_window) if options.everything else reconcile_customers_window
    try:
        until = options.end or find_pulled_until()
        if options.everything:
            start, end = choose_whole_window("customer", until)
        else:
            start, end = choose_window("reconcile:customers", options.start, until)
        counts = step(start, end)
    except LeaseHeld as held:
        return Cancelled(message=str(held))
    if options.goes_on:
        move_watermark("reconcile:customers", end)
    return counts
