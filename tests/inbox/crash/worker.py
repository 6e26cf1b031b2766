"""A worker as a process: takes what is due and applies it. `process-inbox` without Prefect.

It is started as `python -m tests.inbox.crash.worker`, with its settings in the environment. An error ends it,
as it ends a run of the flow; whoever started it starts the next.
"""

from __future__ import annotations

import os
import time

from tasks.database.engine import open_engine
from tasks.inbox.apply import Applier
from tasks.inbox.readers import ultracart_readers
from tasks.notifications.log import notifier
from tasks.settings import load_settings
from tasks.thiio.open import open_thiio
from tests.inbox.crash.processes import ENDED

READY = "worker is ready"
BATCH = 4
IDLE_SECONDS = 0.02


def work() -> None:
    """Apply claims for as long as the process that started this one lives."""
    settings = load_settings()
    engine = open_engine(settings.database_url.get_secret_value())
    notify = notifier(engine)
    thiio = open_thiio(settings, notify)
    readers = ultracart_readers(settings, engine, notify)
    applier = Applier(engine, settings, thiio, readers, run_id=f"worker-{os.getpid()}")
    parent = os.getppid()
    print(READY, flush=True)  # noqa: T201  # the log is how its keeper knows
    while os.getppid() == parent:
        claim, _ = applier.take(BATCH)
        if claim.events:
            applier.apply(claim)
        else:
            time.sleep(IDLE_SECONDS)


if __name__ == "__main__":
    try:
        work()
    except Exception as error:
        print(f"{ENDED}{type(error).__name__}", flush=True)  # noqa: T201  # the same
        raise
