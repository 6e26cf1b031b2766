"""The inbox worked off as one would first write it: an ORM session, one object merged after the other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Engine, ForeignKey, String, Text, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    """The peer's tables: the same data, in its own names."""


class OrmEvent(Base):
    """An inbox event with its payload."""

    __tablename__ = "orm_events"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(16), index=True, default="waiting")
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    body: Mapped[str] = mapped_column(Text)


class OrmCustomer(Base):
    """A customer by e-mail."""

    __tablename__ = "orm_customers"
    email: Mapped[str] = mapped_column(String(200), primary_key=True)
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(40))
    city: Mapped[str | None] = mapped_column(String(100))
    state: Mapped[str | None] = mapped_column(String(64))
    country: Mapped[str | None] = mapped_column(String(2))


class OrmOrder(Base):
    """An order with its lines."""

    __tablename__ = "orm_orders"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    stage: Mapped[str | None] = mapped_column(String(64))
    placed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    email: Mapped[str | None] = mapped_column(String(200))
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    line1: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str | None] = mapped_column(String(100))
    state: Mapped[str | None] = mapped_column(String(64))
    postal_code: Mapped[str | None] = mapped_column(String(32))
    country: Mapped[str | None] = mapped_column(String(2))
    subtotal_cents: Mapped[int | None] = mapped_column(BigInteger)
    tax_cents: Mapped[int | None] = mapped_column(BigInteger)
    shipping_cents: Mapped[int | None] = mapped_column(BigInteger)
    total_cents: Mapped[int | None] = mapped_column(BigInteger)
    payment_method: Mapped[str | None] = mapped_column(String(64))
    payment_status: Mapped[str | None] = mapped_column(String(32))
    lines: Mapped[list[OrmLine]] = relationship(cascade="all, delete-orphan")


class OrmLine(Base):
    """A line of an order."""

    __tablename__ = "orm_lines"
    order_id: Mapped[str] = mapped_column(ForeignKey("orm_orders.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[str | None] = mapped_column(String(64))
    description: Mapped[str | None] = mapped_column(Text)
    quantity: Mapped[str] = mapped_column(String(20))
    unit_price_cents: Mapped[int | None] = mapped_column(BigInteger)


class OrmNotification(Base):
    """What came, and what became of it."""

    __tablename__ = "orm_notifications"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event_id: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def fill(engine: Engine, bodies: list[str]) -> None:
    """Make the tables and store the events."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(OrmEvent(name="order_create", body=body) for body in bodies)
        session.commit()


def work_off(engine: Engine, batch: int) -> int:
    """Work off all events, a commit a batch, and count them."""
    count = 0
    with Session(engine) as session:
        while events := session.scalars(
            select(OrmEvent).where(OrmEvent.state == "waiting").order_by(OrmEvent.id).limit(batch)
        ).all():
            for event in events:
                _apply(session, event)
            session.commit()
            session.expunge_all()
            count += len(events)
    return count


def _apply(session: Session, event: OrmEvent) -> None:
    order = json.loads(event.body, parse_float=Decimal)
    billing, summary, payment = order["billing"], order["summary"], order["payment"]
    session.merge(
        OrmCustomer(
            email=billing["email"].strip().lower(),
            first_name=billing.get("first_name"),
            last_name=billing.get("last_name"),
            phone=billing.get("day_phone_e164"),
            city=billing.get("city"),
            state=billing.get("state_region"),
            country=billing.get("country_code"),
        )
    )
    session.merge(
        OrmOrder(
            id=order["order_id"],
            stage=order["current_stage"],
            placed_at=datetime.fromisoformat(order["creation_dts"]).astimezone(UTC),
            email=billing["email"].strip().lower(),
            first_name=billing.get("first_name"),
            last_name=billing.get("last_name"),
            line1=billing.get("address1"),
            city=billing.get("city"),
            state=billing.get("state_region"),
            postal_code=billing.get("postal_code"),
            country=billing.get("country_code"),
            subtotal_cents=_cents(summary["subtotal"]),
            tax_cents=_cents(summary["tax"]),
            shipping_cents=_cents(summary["shipping_handling_total"]),
            total_cents=_cents(summary["total"]),
            payment_method=payment.get("payment_method"),
            payment_status=payment.get("payment_status"),
            lines=[
                OrmLine(
                    order_id=order["order_id"],
                    position=position,
                    item_id=item["merchant_item_id"],
                    description=item.get("description"),
                    quantity=str(item["quantity"]),
                    unit_price_cents=_cents(item["cost"]),
                )
                for position, item in enumerate(order["items"])
            ],
        )
    )
    event.state, event.closed_at = "done", datetime.now(UTC)
    session.add(OrmNotification(event_id=event.id, status="successful", created_at=datetime.now(UTC)))


def _cents(amount: dict[str, Any]) -> int:
    return int(Decimal(amount["value"]) * 100)
