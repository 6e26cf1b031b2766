"""The vendor's SDK calls each operation on customers, items, gateways and partners: once well, once wrong.

It is strict (see `vendor.py`), so an answer that passes holds no null and no value outside its enums.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ultracart import apis
from ultracart.apis import ChannelPartnerApi, CustomerApi, FraudApi, ItemApi
from ultracart.models import Customer, CustomerBilling, CustomerMergeRequest, CustomerQuery, CustomerShipping

from tasks.seed import Shop, ultracart_customer_id
from tasks.ultracart.sandbox.serialize import CUSTOMER_EXPANSIONS
from tasks.ultracart.sandbox.server import ROUTES, UltraCartSandbox
from tests.ultracart.vendor import missing, open_sdk, refused

ALL_PARTS = ",".join(sorted(CUSTOMER_EXPANSIONS))


@pytest.fixture
def api(ultracart: UltraCartSandbox) -> Iterator[Any]:
    """The vendor's client, strict."""
    with open_sdk(ultracart) as client:
        yield client


@pytest.fixture
def customers(api: Any) -> Any:
    """Its operations on customers."""
    return CustomerApi(api)


def route_of(method: str, template: str) -> tuple[str, str]:
    """Give method and path without the names of the path's variables, which are each author's own."""
    return method, re.sub(r"{\w+}", "{}", template)


def test_every_route_is_one_of_the_vendors(api: Any) -> None:
    """The stand-in offers no operation that the SDK does not have."""
    groups = [getattr(apis, name)(api) for name in dir(apis) if name.endswith("Api")]
    endpoints = [
        value.settings
        for group in groups
        for name, value in vars(group).items()
        if name.endswith("_endpoint")
    ]
    known = {route_of(each["http_method"], each["endpoint_path"]) for each in endpoints}

    assert {route_of(method, template) for method, template, _ in ROUTES} - known == set()


def test_customers_are_listed(customers: Any, shop: Shop) -> None:
    """By parts of an address, of which a customer has several; a page of more than 200 is refused."""
    place = shop.customers[0]
    found = customers.get_customers(
        billing_city=place.city,
        shipping_country_code=place.country,
        limit=200,
        sort="-email",
        expand=ALL_PARTS,
    )
    expected = [
        customer.email
        for customer in shop.customers
        if (customer.city, customer.country) == (place.city, place.country)
    ]

    assert [customer.email for customer in found.customers] == sorted(expected, reverse=True)
    assert found.metadata.result_set.total_records == len(expected)
    assert refused(lambda: customers.get_customers(limit=201)) == (400, "_limit must be between 1 and 200.")
    assert refused(lambda: customers.get_customers(sort="shoe_size")) == (
        400, "_sort 'shoe_size' is not possible.",
    )  # fmt: skip


def test_customers_are_queried(customers: Any, shop: Shop) -> None:
    """By several e-mails, and by what changed since; a time without offset is refused."""
    first, second = shop.customers[0].email, shop.customers[1].email
    both = customers.get_customers_by_query(CustomerQuery(emails=[first.upper(), second]), limit=200)
    changed = customers.get_customers_by_query(
        CustomerQuery(query_target="origin"), since=shop.now.isoformat(), limit=200
    )

    assert [customer.email for customer in both.customers] == [first, second]
    assert changed.customers == []
    assert refused(
        lambda: customers.get_customers_by_query(CustomerQuery(signup_dts_start="2026-11-01T00:00:00"))
    ) == (400, "signup_dts has no offset.")


def test_a_customer_is_inserted(customers: Any) -> None:
    """With addresses, which get their oids, and a password that is never shown; an e-mail is taken once."""
    address = {"first_name": "Nora", "city": "Seattle", "country_code": "US"}
    made = customers.insert_customer(
        Customer(
            email="nora@example.com",
            password="secret",
            billing=[CustomerBilling(**address, default_billing=True)],
            shipping=[CustomerShipping(**address), CustomerShipping(**address)],
        ),
        expand="billing,shipping",
    ).customer

    assert made.billing[0].customer_billing_oid > 0
    assert len({each.customer_shipping_oid for each in made.shipping}) == 2
    assert "password" not in made.to_dict()
    assert refused(lambda: customers.insert_customer(Customer(email="Nora@example.com"))) == (
        400, "A customer with this email exists already.",
    )  # fmt: skip


def test_a_customer_is_found_by_email_and_by_oid(customers: Any, shop: Shop) -> None:
    """In any case of letters, with all parts; what is not there is a 400."""
    customer, oid = shop.customers[0], ultracart_customer_id(1)
    by_email = customers.get_customer_by_email(customer.email.upper(), expand=ALL_PARTS).customer
    by_oid = customers.get_customer(oid, expand=ALL_PARTS).customer

    assert by_email.to_dict() == by_oid.to_dict()
    assert by_oid.orders_summary.order_count == sum(order.customer_number == 1 for order in shop.orders)
    assert refused(lambda: customers.get_customer_by_email("nobody@example.com")) == missing("customer")
    assert refused(lambda: customers.get_customer(42)) == missing("customer")


def test_a_customer_is_updated(customers: Any, shop: Shop) -> None:
    """The whole object goes back with changes; what the store keeps itself stays; no e-mail of another's."""
    oid = ultracart_customer_id(1)
    before = customers.get_customer(oid, expand=ALL_PARTS).customer
    before.billing[0].city = "Tacoma"
    after = customers.update_customer(oid, before, expand=ALL_PARTS).customer
    theirs = Customer(email=shop.customers[1].email)

    assert after.billing[0].city == "Tacoma"
    assert after.billing[0].customer_billing_oid == before.billing[0].customer_billing_oid
    assert (after.signup_dts, after.orders_summary) == (before.signup_dts, before.orders_summary)
    assert datetime.fromisoformat(after.last_modified_dts) > datetime.now(UTC) - timedelta(minutes=1)
    assert refused(lambda: customers.update_customer(oid, theirs)) == (
        400, "A customer with this email exists already.",
    )  # fmt: skip
    assert refused(lambda: customers.update_customer(42, before)) == missing("customer")
    assert customers.get_customer(oid).customer.email == shop.customers[0].email


def test_a_customer_is_merged(customers: Any, ultracart: UltraCartSandbox) -> None:
    """The other profile goes and its orders move; a profile is not merged with itself."""
    kept, absorbed = (ultracart.create_customer(f"{name}@example.com") for name in ("kept", "absorbed"))
    order_id = ultracart.place_order("absorbed@example.com")
    itself = CustomerMergeRequest(customer_profile_oid=kept)

    assert refused(lambda: customers.merge_customer(kept, itself)) == (
        400, "A customer cannot be merged with itself.",
    )  # fmt: skip
    assert customers.merge_customer(kept, CustomerMergeRequest(email="absorbed@example.com")) is None
    assert refused(lambda: customers.get_customer(absorbed)) == missing("customer")
    assert ultracart.store.orders[order_id]["customer_profile"] == {
        "customer_profile_oid": kept,
        "email": "kept@example.com",
        "merchant_id": "DEMO",
    }


def test_a_customer_is_deleted(customers: Any) -> None:
    """Once; the second time there is nothing to delete."""
    oid = ultracart_customer_id(1)

    assert customers.delete_customer(oid) is None
    assert refused(lambda: customers.delete_customer(oid)) == missing("customer")


def test_items_are_listed_and_got(api: Any, shop: Shop) -> None:
    """By id, which may hold a space, and by oid; a page of more than 2000 is refused."""
    items = ItemApi(api)
    expand = "pricing,kit_definition,payment_processing,options,identifiers"
    listed = items.get_items(limit=2000, expand=expand).items
    by_id = items.get_item_by_merchant_item_id("Baseball Bat", expand=expand).item
    by_oid = items.get_item(by_id.merchant_item_oid, expand=expand).item

    assert [item.merchant_item_id for item in listed] == [item.item_id for item in shop.items]
    assert by_id.to_dict() == by_oid.to_dict()
    assert refused(lambda: items.get_items(limit=2001)) == (400, "_limit must be between 1 and 2000.")
    assert refused(lambda: items.get_item_by_merchant_item_id("NOPE")) == missing("item")
    assert refused(lambda: items.get_item(1)) == missing("item")


def test_gateways_and_partners_are_listed(api: Any, ultracart: UltraCartSandbox) -> None:
    """Neither call can be made wrongly, but the key may lack the permission."""
    lookup, partners = FraudApi(api).get_fraud_lookup_values, ChannelPartnerApi(api).get_channel_partners
    gateways = lookup().fraud_lookup_values.rotating_transaction_gateways
    codes = [partner.code for partner in partners().channel_partners]
    ultracart.refuse_scope("configuration_read")
    ultracart.refuse_scope("channel_partner_read", status=403)

    assert [gateway.code for gateway in gateways] == ["STRIPE1", "AUTHNET", "NMI-BACKUP"]
    assert codes == ["THIIO"]
    assert refused(lookup) == (401, "The application lacks the permission configuration_read.")
    assert refused(partners) == (403, "The application lacks the permission channel_partner_read.")
