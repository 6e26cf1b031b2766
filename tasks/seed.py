"""The made-up shop that both stand-ins are filled from, so that they agree until something is planted.

The same seed gives the same shop, moved to end at `now`. Phone numbers are of the ranges that are kept free
for stories, e-mail addresses of domains that nobody owns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Literal

Stage = Literal["completed", "processing", "unpaid", "rejected", "on_hold"]

DAYS = 90
"""The orders are spread over so many days before `now`."""

GATEWAYS = (("STRIPE1", "Stripe main account"), ("AUTHNET", "Authorize.Net"), ("NMI-BACKUP", "NMI stand-by"))

# item id, name, price in cents, components of a kit
ITEMS: tuple[tuple[str, str, int, tuple[tuple[str, int], ...]], ...] = (
    ("BONE", "Rawhide bone", 500, ()), ("Baseball Bat", "Baseball bat, ash", 4999, ()),
    ("BALL-3", "Tennis balls, set of three", 799, ()), ("LEASH-6", "Leash, 6 feet", 1850, ()),
    ("COLLAR-S", "Collar, small", 1299, ()), ("COLLAR-L", "Collar, large", 1499, ()),
    ("BOWL-STEEL", "Steel bowl", 1125, ()), ("BOWL-TRAVEL", "Folding travel bowl", 899, ()),
    ("BED-M", "Dog bed, medium", 6495, ()), ("BED-L", "Dog bed, large", 8995, ()),
    ("BRUSH", "Grooming brush", 1375, ()), ("SHAMPOO-12", "Oat shampoo, 12 oz", 1095, ()),
    ("TREAT-CHICKEN", "Chicken treats, 1 lb", 1649, ()), ("TREAT-SALMON", "Salmon treats, 1 lb", 1799, ()),
    ("FOOD-ADULT-30", "Adult food, 30 lb", 5849, ()), ("FOOD-PUPPY-15", "Puppy food, 15 lb", 3925, ()),
    ("VITAMIN-60", "Joint vitamins, 60 pieces", 2995, ()), ("CRATE-42", "Crate, 42 inches", 10999, ()),
    ("GATE-STD", "Stair gate", 4450, ()), ("TOY-DUCK", "Squeaking duck", 949, ()),
    ("TOY-ROPE", "Knotted rope", 725, ()), ("COAT-RAIN", "Rain coat", 3299, ()),
    ("BAGS-120", "Waste bags, 120 pieces", 1199, ()),
    ("KIT-PUPPY", "Puppy starter kit", 5999, (("COLLAR-S", 1), ("BOWL-STEEL", 2), ("TOY-DUCK", 1))),
    ("KIT-TRAVEL", "Travel kit", 3499, (("BOWL-TRAVEL", 1), ("LEASH-6", 1), ("BAGS-120", 1))),
)  # fmt: skip
# city, state, postal code, country, phone with two digits open, tax in hundredths of a percent
PLACES: tuple[tuple[str, str, str, str, str, int], ...] = (
    ("San Jose", "CA", "95131", "US", "+140855501{n}", 938),
    ("Los Angeles", "CA", "90012", "US", "+121355501{n}", 950),
    ("New York", "NY", "10001", "US", "+121255501{n}", 888),
    ("Chicago", "IL", "60601", "US", "+131255501{n}", 1025),
    ("Portland", "OR", "97201", "US", "+150355501{n}", 0),
    ("Seattle", "WA", "98101", "US", "+120655501{n}", 1035),
    ("Toronto", "ON", "M5V 2T6", "CA", "+141655501{n}", 0),
    ("London", "LND", "SW1A 1AA", "GB", "+4420794601{n}", 0),
)
FIRST_NAMES = ("Ada", "Ben", "Carmen", "Daniel", "Elena", "Iris", "Liam", "María", "Quinn", "Tara", "Zoë")
LAST_NAMES = ("Adams", "Baker", "Castillo", "Fischer", "Kim", "Nguyen", "O'Brien", "Patel", "Smith-Jones")
STREETS = ("Main St", "Oak Ave", "Hill Rd", "Lake Dr", "Park Blvd", "Mill Ln", "Cedar Ct", "Station Rd")
SHIPPING = (("USPS: Priority Mail", 1203), ("UPS: Ground", 899), ("FedEx: 2Day", 1795))
REJECT_REASONS = ("Customer cancelled", "Suspected fraud", "Card declined")
REFUND_REASONS = ("CustomerCancel", "Damaged", "WrongItem")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopItem:
    """An item on sale. `components` of a kit are (item id, quantity) pairs."""

    item_id: str
    name: str
    price_cents: int
    is_kit: bool
    components: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCustomer:
    """A customer; `phone` is E.164, `modified_at` is not before `signed_up_at`."""

    number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    line1: str
    line2: str | None
    city: str
    state: str
    postal_code: str
    country: str
    tax_basis_points: int
    signed_up_at: datetime
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopLine:
    """What was bought, a kit as one line."""

    item_id: str
    name: str
    quantity: int
    unit_price_cents: int

    @property
    def total_cents(self) -> int:
        """Quantity times price."""
        return self.quantity * self.unit_price_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRefund:
    """Money given back once; the order's refunds add up."""

    at: datetime
    cents: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrder:
    """An order: subtotal − discount + shipping + tax = total, to the cent. Numbers grow with `placed_at`.

    Dates that have not come are None; `gateway_code` is None if no card was charged.
    """

    number: int
    customer_number: int
    placed_at: datetime
    lines: tuple[ShopLine, ...]
    subtotal_cents: int
    discount_cents: int
    shipping_cents: int
    tax_cents: int
    total_cents: int
    stage: Stage
    shipping_method: str
    payment_method: str
    gateway_code: str | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    tracking: tuple[str, ...] = ()
    rejected_at: datetime | None = None
    reject_reason: str | None = None
    refunds: tuple[ShopRefund, ...] = ()
    coupon_code: str | None = None
    is_test: bool = False
    rebill_of: int | None = None

    @property
    def refunded_cents(self) -> int:
        """All that was given back."""
        return sum(refund.cents for refund in self.refunds)

    @property
    def refunded_at(self) -> datetime | None:
        """When money was last given back."""
        return self.refunds[-1].at if self.refunds else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """All there is to know; `gateways` are (code, name) pairs."""

    now: datetime
    items: tuple[ShopItem, ...]
    gateways: tuple[tuple[str, str], ...]
    customers: tuple[ShopCustomer, ...]
    orders: tuple[ShopOrder, ...]


def ultracart_order_id(number: int) -> str:
    """Give UltraCart's id of an order of the shop: 1 → DEMO-0009100001."""
    return f"DEMO-{9_100_000 + number:010d}"


def ultracart_customer_id(number: int) -> int:
    """Give UltraCart's id of a customer of the shop."""
    return 1_000_000 + number


def make_shop(seed: int = 7, customers: int = 240, orders: int = 360, *, now: datetime) -> Shop:
    """Make the shop as it stands at `now` (aware); whole seconds, UTC."""
    dice = Random(seed)  # noqa: S311  # a repeatable shop is the point
    now = now.astimezone(UTC).replace(microsecond=0)
    people = [_make_customer(dice, number, now) for number in range(1, customers + 1)]
    times = sorted(now - timedelta(seconds=dice.randrange(600, DAYS * 86_400)) for _ in range(orders))
    made = [
        _make_order(dice, number, dice.choice(people), placed_at, now)
        for number, placed_at in enumerate(times, start=1)
    ]
    if orders >= 20:
        _mark_special_orders(made)
    return Shop(
        now=now,
        items=tuple(
            ShopItem(item_id=item_id, name=name, price_cents=cents, is_kit=bool(parts), components=parts)
            for item_id, name, cents, parts in ITEMS
        ),
        gateways=GATEWAYS,
        customers=tuple(people),
        orders=tuple(made),
    )


def _make_customer(dice: Random, number: int, now: datetime) -> ShopCustomer:
    city, state, postal_code, country, phone, tax = dice.choice(PLACES)
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    mailbox = "".join(letter for letter in f"{first}.{last}" if letter.isascii() and letter not in "'-")
    signed_up_at = now - timedelta(seconds=dice.randrange(DAYS * 86_400, (DAYS + 20) * 86_400))
    is_changed = dice.random() < 0.25
    changed_at = signed_up_at + timedelta(seconds=dice.randrange(3_600, (DAYS - 1) * 86_400))
    return ShopCustomer(
        number=number,
        first_name=first,
        last_name=last,
        email=f"{mailbox}{number}@{dice.choice(('example.com', 'example.net', 'Example.org'))}",
        phone=phone.format(n=f"{dice.randrange(100):02d}"),
        line1=f"{dice.randrange(1, 999)} {dice.choice(STREETS)}",
        line2=f"Apt {dice.randrange(1, 40)}" if dice.random() < 0.15 else None,
        city=city,
        state=state,
        postal_code=postal_code,
        country=country,
        tax_basis_points=tax,
        signed_up_at=signed_up_at,
        modified_at=changed_at if is_changed else signed_up_at,
    )


def _make_order(
    dice: Random, number: int, customer: ShopCustomer, placed_at: datetime, now: datetime
) -> ShopOrder:
    lines = tuple(
        ShopLine(item_id=item_id, name=name, quantity=dice.choice((1, 1, 1, 2, 3)), unit_price_cents=cents)
        for item_id, name, cents, _ in dice.sample(ITEMS, dice.choice((1, 1, 2, 2, 3)))
    )
    subtotal = sum(line.total_cents for line in lines)
    coupon = "WELCOME10" if dice.random() < 0.15 else None
    discount = subtotal // 10 if coupon else 0
    method, shipping = dice.choice(SHIPPING)
    tax = ((subtotal - discount) * customer.tax_basis_points + 5_000) // 10_000
    order = ShopOrder(
        number=number,
        customer_number=customer.number,
        placed_at=placed_at,
        lines=lines,
        subtotal_cents=subtotal,
        discount_cents=discount,
        shipping_cents=shipping,
        tax_cents=tax,
        total_cents=subtotal - discount + shipping + tax,
        coupon_code=coupon,
        **_course_of(dice, number, placed_at, now),
        shipping_method=method,
    )
    if order.stage == "completed" and dice.random() < 0.07:
        return replace(order, refunds=_make_refunds(dice, order, now))
    return order


def _course_of(dice: Random, number: int, placed_at: datetime, now: datetime) -> dict[str, Any]:
    """Decide what became of an order."""
    chance, age_days = dice.random(), (now - placed_at).days
    by_card = {"payment_method": "Credit Card", "gateway_code": dice.choice(GATEWAYS)[0]}
    if chance < 0.04:
        return by_card | {"stage": "rejected", "rejected_at": _later(dice, placed_at, now, 24),
                          "reject_reason": dice.choice(REJECT_REASONS)}  # fmt: skip
    if chance < 0.09:
        return {"stage": "unpaid", "payment_method": dice.choice(("Check", "Purchase Order"))}
    paid = (by_card if dice.random() < 0.8 else {"payment_method": "PayPal"}) | {"paid_at": placed_at}
    if chance < 0.11:
        return paid | {"stage": "on_hold"}
    if age_days < 2 or chance < 0.16:
        return paid | {"stage": "processing"}
    tracking = tuple(f"1Z999AA1{number:08d}{part:02d}" for part in range(dice.choice((1, 1, 1, 2))))
    return paid | {"stage": "completed", "shipped_at": _later(dice, placed_at, now, 47), "tracking": tracking}


def _later(dice: Random, start: datetime, now: datetime, hours: int) -> datetime:
    """Choose a time in the `hours` after `start`, but not after `now`."""
    seconds = min(hours * 3_600, int((now - start).total_seconds()))
    return start + timedelta(seconds=dice.randrange(max(seconds, 1)))


def _make_refunds(dice: Random, order: ShopOrder, now: datetime) -> tuple[ShopRefund, ...]:
    """Give back everything, the first line, or a bit twice."""
    first = _later(dice, order.shipped_at or order.placed_at, now, 9 * 24)
    reason = dice.choice(REFUND_REASONS)
    line = order.lines[0].total_cents - (order.discount_cents if len(order.lines) == 1 else 0)
    parts = dice.choice(((order.total_cents,), (line,), (order.total_cents // 10, order.total_cents // 5)))
    return tuple(
        ShopRefund(at=min(first + timedelta(hours=hours), now), cents=cents, reason=reason)
        for hours, cents in enumerate(parts)
    )


def _mark_special_orders(orders: list[ShopOrder]) -> None:
    """Make two orders test orders and one the rebill of an earlier one."""
    completed = [order for order in orders if order.stage == "completed" and not order.refunds]
    for order in completed[2:4]:
        orders[order.number - 1] = replace(order, is_test=True)
    original, later = completed[0], completed[-1]
    orders[later.number - 1] = replace(
        original, number=later.number, placed_at=later.placed_at, paid_at=later.paid_at,
        shipped_at=later.shipped_at, tracking=later.tracking, rebill_of=original.number,
    )  # fmt: skip
