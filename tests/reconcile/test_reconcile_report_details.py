"""The report's rates, changes and places, on ledgers of which every figure is known."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, insert

from tasks.database import tables
from tasks.reconcile.report_breakdown import TOP, Share, read_gateways, read_items
from tasks.reconcile.report_changes import read_changes
from tasks.reconcile.report_details import read_details
from tasks.reconcile.report_money import MoneyAgreement, read_money
from tasks.reconcile.report_rates import list_rates
from tasks.records.mirror import save_orders
from tasks.records.models import Side
from tests.builders import make_line, make_order
from tests.reconcile.planted_ledger import DAY, plant_mismatch, plant_pair
from tests.reconcile.two_sides import NOW, report_of

MINUTE = timedelta(minutes=1)


def test_money_agrees_by_currency(any_engine: Engine) -> None:
    """A total counts once, however much of its order differs; without total, link or decision it agrees."""
    with any_engine.begin() as connection:
        for number, total in enumerate((1000, 2000, 3000, 4000)):
            plant_pair(connection, number, total_cents=total)
        plant_pair(connection, 10, currency="JPY", total_cents=500)
        plant_pair(connection, 11, total_cents=None)
        save_orders(connection, [make_order("DEMO-12", total_cents=9999)])
        plant_mismatch(connection, 1)
        plant_mismatch(connection, 1, "currency")
        plant_mismatch(connection, 2, "status")
        plant_mismatch(connection, 2, closed_at=NOW)
        plant_mismatch(connection, 3, state="ignored")
        plant_mismatch(connection, 11)

        assert read_money(connection) == [
            MoneyAgreement("USD", known=10_000, agreeing=8_000),
            MoneyAgreement("JPY", known=500, agreeing=500),
        ]


def test_the_rates_are_said_in_one_number_each(engine: Engine) -> None:
    """Orders first, then money; what is not whole is never rounded up to 100 %."""
    with engine.begin() as connection:
        for number in range(3):
            plant_pair(connection, number, total_cents=1_000_000)
        plant_pair(connection, 3, total_cents=1)
        plant_mismatch(connection, 3)
    report = report_of(engine)
    with engine.connect() as connection:
        details = read_details(connection, report)

    assert [rate[:3] for rate in list_rates(report, details)] == [
        ("orders", "75.0 %", "3 of 4 agree"),
        ("money in USD", "99.9 %", "30,000.00 of 30,000.01 USD agree"),
    ]


def test_nothing_is_known_of_empty_tables(any_engine: Engine) -> None:
    """No rate, no place, no change and no day is made up."""
    report = report_of(any_engine)
    with any_engine.connect() as connection:
        details = read_details(connection, report)

    assert list_rates(report, details) == []
    assert (details.trend, details.gateways, details.items, details.lacks) == ([], [], [], [])
    assert [age.count for age in details.changes.ages] == [0, 0, 0, 0]


def test_what_is_new_gone_and_old(any_engine: Engine) -> None:
    """The last 24 hours are "since yesterday"; what was resolved is listed with how; each age is counted."""
    with any_engine.begin() as connection:
        ages = (DAY, DAY + MINUTE, 7 * DAY, 8 * DAY, 40 * DAY)
        for number, age in enumerate(ages):
            plant_pair(connection, number, currency="EUR")
            plant_mismatch(connection, number, first_seen_at=NOW - age, amount_cents=-(10**number))
        plant_mismatch(connection, 0, "status", first_seen_at=NOW)
        plant_mismatch(connection, 5, closed_at=NOW - MINUTE, reason="the sides agree again")
        plant_mismatch(connection, 6, closed_at=NOW - DAY - MINUTE)
        plant_mismatch(connection, 7, state="ignored", closed_at=NOW)

        changes = read_changes(connection, NOW)

    assert [(row.ultracart_id, row.field) for row in changes.new] == [
        ("DEMO-0", "total_cents"),
        ("DEMO-0", "status"),
    ]
    assert [(each.row.ultracart_id, each.closed_at, each.how) for each in changes.resolved] == [
        ("DEMO-5", NOW - MINUTE, "the sides agree again")
    ]
    assert [row.ultracart_id for row in changes.oldest] == ["DEMO-4", "DEMO-3", "DEMO-2", "DEMO-1"]
    assert [(age.label, age.count, dict(age.cents)) for age in changes.ages] == [
        ("up to 1 day", 2, {"EUR": 1}),
        ("1 to 7 days", 2, {"EUR": 110}),
        ("7 to 30 days", 1, {"EUR": 1000}),
        ("over 30 days", 1, {"EUR": 10000}),
    ]


def test_mismatches_by_gateway(any_engine: Engine) -> None:
    """UltraCart's gateway counts, else Thiio's; a subtotal adds no money; the first ten are told."""
    with any_engine.begin() as connection:
        plant_pair(connection, 1, gateway_code="A")
        plant_pair(connection, 2, gateway_code="A", currency="JPY")
        save_orders(connection, [make_order("80003", Side.THIIO, gateway_code="B")])
        plant_mismatch(connection, 1, amount_cents=-100)
        plant_mismatch(connection, 1, "subtotal_cents", amount_cents=100)
        plant_mismatch(connection, 1, "status", closed_at=NOW)
        plant_mismatch(connection, 2, amount_cents=7)
        lone = {"kind": "missing_in_ultracart", "ultracart_id": "", "amount_cents": 50}
        plant_mismatch(connection, 3, "", **lone)
        plant_mismatch(connection, 4, "status")

        first, *rest = read_gateways(connection)
        for number in range(TOP):
            plant_pair(connection, 100 + number, gateway_code=f"G{number}")
            plant_mismatch(connection, 100 + number)
        many = read_gateways(connection)

    assert (first.id, first.orders, first.mismatches, dict(first.cents)) == (
        "A",
        2,
        3,
        {"USD": 100, "JPY": 7},
    )
    assert [(share.id, share.orders, dict(share.cents)) for share in rest] == [
        ("", 1, {}),
        ("B", 1, {"USD": 50}),
    ]
    assert (len(many), many[0].id) == (TOP, "A")


def test_mismatches_by_item(any_engine: Engine) -> None:
    """An order counts for each of its items once; parts of a kit and agreeing orders don't; with name."""
    bone, boot = make_line(), make_line(position=2, item_id="BOOT")
    again = make_line(position=3, item_id="BOOT")
    part = make_line(position=4, item_id="PART", is_component=True)
    name = {"side": "ultracart", "id": "BOOT", "name": "Winter boots", "stored_at": NOW}
    with any_engine.begin() as connection:
        connection.execute(insert(tables.products).values(name))
        plant_pair(connection, 1, lines=(bone, boot, again, part))
        plant_pair(connection, 2, lines=(boot,))
        plant_pair(connection, 3, lines=(bone,))
        only_thiio = make_order("80004", Side.THIIO, lines=(make_line(item_id=None),))
        save_orders(connection, [only_thiio])
        plant_mismatch(connection, 1)
        plant_mismatch(connection, 1, "lines")
        plant_mismatch(connection, 2)
        plant_mismatch(connection, 4, "", kind="missing_in_ultracart", ultracart_id="")

        assert read_items(connection) == [
            Share("BOOT", "Winter boots", 2, 3),
            Share("BONE", "", 1, 2),
            Share("", "", 1, 1),
        ]
