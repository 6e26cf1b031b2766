"""What happens in the shop: customers sign up, orders are placed, shipped, refunded, rejected, edited.

Each makes the event that UltraCart would send, which waits until the dispatcher delivers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from tasks.ultracart.sandbox import order_book
from tasks.ultracart.sandbox.customers import add_customer, change_customer
from tasks.ultracart.sandbox.order_book import Draft, DraftLine, add_order, next_order_id
from tasks.ultracart.sandbox.serialize import Money
from tasks.ultracart.sandbox.store import Store

ADDRESS = {
    "first_name": "Nora",
    "last_name": "Newman",
    "address1": "12 Harbor Way",
    "city": "Seattle",
    "state_region": "WA",
    "postal_code": "98101",
    "country_code": "US",
    "day_phone": "(206) 555-0142",
    "day_phone_e164": "+12065550142",
}


class Actions:
    """The acts, each under the sandbox's lock; the sandbox has them as its own methods."""

    store: Store
    lock: AbstractContextManager[Any]

    def create_customer(self, email: str, **address: str) -> int:
        """Sign a customer up; `address` overrides fields of a standard one. Returns the profile oid."""
        place = ADDRESS | address
        fields = {
            "email": email,
            "billing": [place | {"default_billing": True}],
            "shipping": [place | {"default_shipping": True}],
        }
        with self.lock:
            oid: int = add_customer(self.store, fields)["customer_profile_oid"]
        return oid

    def update_customer(self, oid: int, **changes: Any) -> None:
        """Change a customer: `email`, or fields of the billing address such as `city`."""
        with self.lock:
            billing = self.store.find_customer(oid).get("billing") or [dict(ADDRESS)]
            fields: dict[str, Any] = {"email": changes.pop("email")} if "email" in changes else {}
            fields["billing"] = [billing[0] | changes, *billing[1:]]
            change_customer(self.store, oid, fields)

    def place_order(
        self,
        email: str,
        items: Sequence[tuple[str, int]] = (("BONE", 2),),
        *,
        is_paid: bool = True,
        gateway_code: str = "STRIPE1",
        is_test: bool = False,
    ) -> str:
        """Place an order over the storefront, of a known customer or of a guest; returns its id."""
        with self.lock:
            customer = self.store.customer_by_email(email)
            address, now = _address_of(customer), self.store.clock()
            lines = [DraftLine(item_id, quantity, _price(self.store, item_id)) for item_id, quantity in items]
            draft = Draft(
                order_id=next_order_id(self.store),
                placed_at=now,
                stage="Shipping Department" if is_paid else "Accounts Receivable",
                billing=address | {"email": email},
                shipping=address,
                lines=lines,
                payment_method="Credit Card" if is_paid else "Check",
                shipping_method="UPS: Ground",
                shipping_cents=899,
                tax_cents=sum(int(line.quantity) * line.cents for line in lines) // 20,
                gateway_code=gateway_code if is_paid else None,
                paid_at=now if is_paid else None,
                is_test=is_test,
                customer=customer,
            )
            return add_order(self.store, draft)

    def ship_order(self, order_id: str, tracking: Sequence[str] = ("1Z999AA10123456784",)) -> None:
        """Ship an order."""
        with self.lock:
            order = self.store.find_order(order_id)
            order_book.ship(order, list(tracking), self.store.clock())
            self.store.emit("order_ship", order)

    def refund_order(self, order_id: str, cents: int | None = None, reason: str = "CustomerCancel") -> None:
        """Give `cents` back on top of what was refunded before, or all that is left."""
        with self.lock:
            order = self.store.find_order(order_id)
            before = order["summary"].get("total_refunded", Money(0)).cents
            aim = order["summary"]["total"].cents if cents is None else before + cents
            order_book.refund(order, aim, self.store.clock(), reason)
            self.store.emit("order_refund", order)

    def reject_order(self, order_id: str, reason: str = "Customer cancelled") -> None:
        """Reject an order."""
        with self.lock:
            order = self.store.find_order(order_id)
            order_book.reject(order, self.store.clock(), reason)
            self.store.emit("order_reject", order)

    def edit_order(self, order_id: str, **billing: str) -> None:
        """Change fields of an order's billing address; its event is one that the guide leaves out."""
        with self.lock:
            order = self.store.find_order(order_id)
            order["billing"] = order["billing"] | billing
            self.store.emit("order_update", order)


def _address_of(customer: dict[str, Any] | None) -> dict[str, Any]:
    if customer is None or not customer.get("billing"):
        return dict(ADDRESS)
    return {name: value for name, value in customer["billing"][0].items() if name in {*ADDRESS, "address2"}}


def _price(store: Store, item_id: str) -> int:
    cost: float = store.items[item_id]["pricing"]["cost"]
    return round(cost * 100)
