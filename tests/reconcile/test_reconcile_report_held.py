"""What holds phone orders back, as the push itself says it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Engine

from tasks.push.mapping import Mapping
from tasks.push.problem import Problem, join_reasons, join_remedies
from tasks.reconcile.report_held import list_lacks
from tasks.records.models import Gateway, PhoneLine, Product, Side
from tests.builders import NOON
from tests.reconcile.other_tables import add_push
from tests.reconcile.two_sides import report_of

MAPPING = Mapping(
    products={
        "305": Product(side=Side.THIIO, id="305", name="Boots. Gateway 4 (red)"),
        "306": Product(side=Side.THIIO, id="306", metadata={"ultracart_item_id": "GONE"}),
    },
    items={},
    gateways={"4": Gateway(side=Side.THIIO, id="4", name="Acquirer")},
    gateway_codes=frozenset(),
)


def problem_of(product_id: str) -> Problem:
    """What the push says of a line with a product."""
    problem = MAPPING.item(PhoneLine(position=1, quantity=Decimal(1), product_id=product_id))
    assert isinstance(problem, Problem)
    return problem


def test_orders_and_money_wait_for_products_and_gateways(any_engine: Engine) -> None:
    """Each product and gateway once, with what is wrong, what to do, how many orders and how much money."""
    gateway = MAPPING.gateway_code("4")
    assert isinstance(gateway, Problem)
    held = (
        ("1", [problem_of("305")], 1000, "USD"),
        ("2", [problem_of("305"), gateway], 500, "JPY"),
        ("3", [gateway, problem_of("306"), problem_of("306")], None, None),
        ("4", [MAPPING.gateway_code(None)], 700, "USD"),
    )
    with any_engine.begin() as connection:
        for id, problems, cents, currency in held:
            add_push(
                connection, id, "held", reason=join_reasons(problems), remedy=join_remedies(problems),
                total_cents=cents, currency=currency, planned_at=NOON - timedelta(days=int(id)),
            )  # fmt: skip
        add_push(connection, "5", "rejected", reason=problem_of("305").reason, total_cents=1)

    lacks = list_lacks(report_of(any_engine).pushes)

    assert [(lack.name, lack.orders, dict(lack.cents), lack.since) for lack in lacks] == [
        ("Gateway 4", 2, {"JPY": 500}, NOON - timedelta(days=3)),
        ("Product 305", 2, {"USD": 1000, "JPY": 500}, NOON - timedelta(days=2)),
        ("Product 306", 1, {}, NOON - timedelta(days=3)),
        ("The order itself", 1, {"USD": 700}, NOON - timedelta(days=4)),
    ]
    assert [lack.what for lack in lacks[:3]] == [
        "Gateway 4 (Acquirer) has no UltraCart gateway code.",
        "Product 305 (Boots. Gateway 4 (red)) has no UltraCart item ID.",
        "Product 306 (without name) names the item GONE, which UltraCart does not have.",
    ]
    assert [lack.remedy for lack in lacks[:3]] == [
        "Paste UltraCart's code of it into the settings of gateway 4 in Thiio.",
        "Add the metadata key ultracart_item_id with the item ID to product 305 in Thiio.",
        "Correct the metadata key ultracart_item_id of product 306 in Thiio.",
    ]
