"""The receiver that one would write with FastAPI and SQLAlchemy's ORM: a session and a commit a request."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker


class Base(DeclarativeBase):
    """The models."""


class InboxEvent(Base):
    """An event that was delivered."""

    __tablename__ = "plain_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    entity_id: Mapped[str | None] = mapped_column(index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(index=True)
    deliveries: Mapped[int]
    body: Mapped[str]
    received_at: Mapped[datetime]


engine = create_engine(os.environ["PLAIN_DATABASE_URL"])
if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        """The same durability as ours."""
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")


Base.metadata.create_all(engine)
make_session = sessionmaker(engine)
app = FastAPI()


def open_session() -> Iterator[Session]:
    """Give each request a session of its own."""
    with make_session() as session:
        yield session


def check(given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> None:
    """Ask for the credentials."""
    right = os.environ["PLAIN_CREDENTIALS"].encode()
    if not secrets.compare_digest(f"{given.username}:{given.password}".encode(), right):
        raise HTTPException(401)


@app.get("/health")
def tell_health() -> dict[str, str]:
    """Tell that it lives."""
    return {"status": "ok"}


@app.post("/webhooks/ultracart", dependencies=[Depends(check)])
def take(
    delivery: dict[str, list[dict[str, dict[str, Any]]]], session: Annotated[Session, Depends(open_session)]
) -> dict[str, int]:
    """Store the events of a delivery, each once."""
    stored = duplicates = 0
    for entry in delivery["events"]:
        for name, found in entry.items():
            canonical = json.dumps(found, sort_keys=True)
            digest = hashlib.sha256(f"{name}:{canonical}".encode()).hexdigest()
            known = session.scalar(select(InboxEvent).where(InboxEvent.digest == digest))
            if known is not None:
                known.deliveries += 1
                duplicates += 1
                continue
            row = InboxEvent(name=name, entity_id=found.get("order_id"), digest=digest, state="waiting")
            row.deliveries, row.body, row.received_at = 1, json.dumps(found), datetime.now(UTC)
            session.add(row)
            stored += 1
    session.commit()
    return {"stored": stored, "duplicates": duplicates}
