"""The made-up shop adds up, and is the same every time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import phonenumbers

from tasks.seed import Shop, make_shop

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_the_same_seed_gives_the_same_shop() -> None:
    """Two runs, one shop; another seed, another shop."""
    assert make_shop(now=NOW) == make_shop(now=NOW)
    assert make_shop(now=NOW) != make_shop(8, now=NOW)


def test_every_order_adds_up_to_the_cent(shop: Shop) -> None:
    """Lines less discount plus shipping plus tax is the total, and no more is refunded."""
    for order in shop.orders:
        assert sum(line.total_cents for line in order.lines) == order.subtotal_cents
        paid = order.subtotal_cents - order.discount_cents + order.shipping_cents + order.tax_cents
        assert paid == order.total_cents
        assert 0 <= order.refunded_cents <= order.total_cents


def test_nothing_happens_after_now_or_before_its_cause() -> None:
    """Signed up, placed, paid, shipped, refunded, rejected: in this order, until now."""
    shop = make_shop(now=NOW)
    signed_up = {customer.number: customer.signed_up_at for customer in shop.customers}
    for order in shop.orders:
        dates = [order.paid_at, order.shipped_at, order.rejected_at, *(refund.at for refund in order.refunds)]
        known = [date for date in dates if date]
        assert signed_up[order.customer_number] <= order.placed_at
        assert all(order.placed_at <= date <= NOW for date in known)
    assert min(order.placed_at for order in shop.orders) > NOW - timedelta(days=90)


def test_the_shop_holds_every_case(shop: Shop) -> None:
    """What the jobs must cope with is there."""
    stages = {order.stage for order in shop.orders}
    full = [order for order in shop.orders if order.refunded_cents == order.total_cents]
    part = [order for order in shop.orders if 0 < order.refunded_cents < order.total_cents]

    assert stages == {"completed", "processing", "unpaid", "rejected", "on_hold"}
    assert full
    assert part
    assert sum(order.is_test for order in shop.orders) == 2
    assert sum(order.rebill_of is not None for order in shop.orders) == 1
    assert {customer.country for customer in shop.customers} == {"US", "CA", "GB"}
    assert any(" " in item.item_id for item in shop.items)
    assert sum(item.is_kit for item in shop.items) == 2


def test_phone_numbers_are_valid(shop: Shop) -> None:
    """Each is one that the phone library accepts, in E.164."""
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(each.phone)) for each in shop.customers)
