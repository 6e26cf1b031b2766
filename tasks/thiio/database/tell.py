"""One notification for each thing that is written to Thiio's database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tasks.errors import UltraThiioError
from tasks.notifications.log import Notification, NotificationStatus, Notify
from tasks.records.models import Entity
from tasks.thiio.database.write import Outcome


@contextmanager
def tell_delivery(
    notify: Notify, operation: str, entity: Entity, entity_id: str, sent: Any
) -> Iterator[dict[str, Any]]:
    """Tell what a block wrote: it puts what came of it, with its `outcome`, into the yielded dict.

    A block that raises is told as failed, with the reason, and raises on.
    """
    answer: dict[str, Any] = {}
    started = time.monotonic()

    def tell(status: NotificationStatus, reason: str | None) -> None:
        notify(
            Notification(
                direction="out",
                system="thiio",
                operation=operation,
                status=status,
                sent=sent,
                received=answer or None,
                reason=reason,
                entity=entity,
                entity_id=entity_id,
                duration_ms=round((time.monotonic() - started) * 1000),
            )
        )

    try:
        yield answer
    except UltraThiioError as error:
        tell(NotificationStatus.FAILED, str(error))
        raise
    match answer.get("outcome"):
        case Outcome.OLDER:
            tell(NotificationStatus.SKIPPED, "Thiio holds a newer state of this record.")
        case Outcome.UNCHANGED:
            tell(NotificationStatus.SKIPPED, "Thiio holds exactly this already.")
        case _:
            tell(NotificationStatus.SUCCESSFUL, answer.get("remark"))
