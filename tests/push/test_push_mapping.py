"""A product is an item and a gateway a code, or a sentence says why not and what to do."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tasks.push.mapping import MappedItem, Mapping, read_mapping
from tasks.push.problem import Problem
from tasks.records.catalogue import save_gateways, save_products
from tasks.records.item_rules import ItemKeys
from tasks.records.models import Gateway, Product, Side
from tests.push.phone_orders import make_phone_line

KEY = "ultracart_item_id"
AGAIN = "The order goes out by itself with the next run."
ITEMS = [
    Product(side=Side.ULTRACART, id="BONE"),
    Product(side=Side.ULTRACART, id="Baseball Bat"),
    Product(side=Side.ULTRACART, id="OLD-TOY", is_active=False),
]
PRODUCTS = {
    # id: (name, metadata)
    "1": ("Bone", {KEY: "BONE"}),
    "2": ("Bone", {KEY: "bone"}),
    "3": ("Bat", {KEY: " baseball BAT\n"}),
    "4": ("Ball", {}),
    "5": ("Ball", {KEY: "   "}),
    "6": ("Ball", {"item": "BONE"}),
    "7": ("Ball", {KEY: "BALL-9"}),
    "8": ("Toy", {KEY: "old-toy"}),
    "9": (None, {}),
}
GATEWAYS = [
    Gateway(side=Side.THIIO, id="1", name="Stripe", gateway_code="STRIPE1"),
    Gateway(side=Side.THIIO, id="2", name="Square"),
    Gateway(side=Side.THIIO, id="3", name="Braintree", gateway_code="BT"),
    Gateway(side=Side.THIIO, id="4", name=None),
    Gateway(side=Side.THIIO, id="5", name="Stripe again", gateway_code="stripe1"),
]
CODES = [Gateway(side=Side.ULTRACART, id=code, gateway_code=code) for code in ("STRIPE1", "AUTHNET")]


def add_key(id: str) -> str:
    """What to do about a product without item ID."""
    return f"Add the metadata key {KEY} with the item ID to product {id} in Thiio. {AGAIN}"


def paste_code(id: str) -> str:
    """What to do about a gateway without a code that UltraCart knows."""
    return f"Paste UltraCart's code of it into the settings of gateway {id} in Thiio. {AGAIN}"


@pytest.fixture
def mapping(engine: Engine) -> Mapping:
    """Both catalogues as they are read from our tables."""
    products = [
        Product(side=Side.THIIO, id=id, name=name, metadata=metadata)
        for id, (name, metadata) in PRODUCTS.items()
    ]
    with engine.begin() as connection:
        save_products(connection, Side.ULTRACART, ITEMS)
        save_products(connection, Side.THIIO, products)
        save_gateways(connection, Side.ULTRACART, CODES)
        save_gateways(connection, Side.THIIO, GATEWAYS)
        return read_mapping(connection, ItemKeys())


@pytest.mark.parametrize(
    ("product_id", "item_id"),
    [
        pytest.param("1", "BONE", id="found"),
        pytest.param("2", "BONE", id="spelt in another case"),
        pytest.param("3", "Baseball Bat", id="blanks around it, and one inside"),
    ],
)
def test_a_product_is_the_item_that_its_metadata_names(
    mapping: Mapping, product_id: str, item_id: str
) -> None:
    """Sent is UltraCart's own spelling."""
    assert mapping.item(make_phone_line(product_id=product_id)) == MappedItem(item_id)


@pytest.mark.parametrize(
    ("product_id", "reason", "remedy"),
    [
        pytest.param("4", "Product 4 (Ball) has no UltraCart item ID.", add_key("4"), id="no metadata"),
        pytest.param("5", "Product 5 (Ball) has no UltraCart item ID.", add_key("5"), id="blank"),
        pytest.param("6", "Product 6 (Ball) has no UltraCart item ID.", add_key("6"), id="another key"),
        pytest.param(
            "9", "Product 9 (without name) has no UltraCart item ID.", add_key("9"), id="product without name"
        ),
        pytest.param(
            "7",
            "Product 7 (Ball) names the item BALL-9, which UltraCart does not have.",
            f"Correct the metadata key {KEY} of product 7 in Thiio. {AGAIN}",
            id="unknown item",
        ),
        pytest.param(
            "8",
            "Product 8 (Toy) names the item OLD-TOY, which is inactive in UltraCart.",
            f"Activate the item in UltraCart, or name another one on product 8. {AGAIN}",
            id="inactive item",
        ),
        pytest.param(
            "77",
            "Rawhide bone is of no Thiio product that is known.",
            f"Choose a product for this line in Thiio. {AGAIN}",
            id="unknown product",
        ),
        pytest.param(
            None,
            "Rawhide bone is of no Thiio product that is known.",
            f"Choose a product for this line in Thiio. {AGAIN}",
            id="line without product",
        ),
    ],
)
def test_a_product_without_item_says_why(
    mapping: Mapping, product_id: str | None, reason: str, remedy: str
) -> None:
    """The reason names the product, the remedy the key."""
    assert mapping.item(make_phone_line(product_id=product_id)) == Problem(reason, remedy)


def test_a_line_without_product_and_description_is_named_by_its_position(mapping: Mapping) -> None:
    """It has nothing else."""
    problem = mapping.item(make_phone_line(product_id=None, description=None, position=3))

    assert problem == Problem(
        "line 3 is of no Thiio product that is known.", f"Choose a product for this line in Thiio. {AGAIN}"
    )


def test_the_key_of_the_metadata_is_a_setting(engine: Engine, mapping: Mapping) -> None:
    """Product 6 keeps its item under another key than the usual one."""
    with engine.connect() as connection:
        by_other_key = read_mapping(connection, ItemKeys("item"))

    assert by_other_key.item(make_phone_line(product_id="6")) == MappedItem("BONE")


def test_a_gateway_is_the_code_that_was_pasted(mapping: Mapping) -> None:
    """Gateway 1 is STRIPE1."""
    assert mapping.gateway_code("1") == "STRIPE1"


@pytest.mark.parametrize(
    ("gateway_id", "reason", "remedy"),
    [
        pytest.param(
            None,
            "The order names no gateway.",
            f"Choose the gateway of the payment in Thiio. {AGAIN}",
            id="none",
        ),
        pytest.param(
            "77",
            "The order names gateway 77, which is unknown.",
            f"Choose the gateway of the payment in Thiio. {AGAIN}",
            id="unknown",
        ),
        pytest.param(
            "2", "Gateway 2 (Square) has no UltraCart gateway code.", paste_code("2"), id="not pasted"
        ),
        pytest.param(
            "4", "Gateway 4 (without name) has no UltraCart gateway code.", paste_code("4"), id="no name"
        ),
        pytest.param(
            "3",
            "Gateway 3 (Braintree) carries the code BT, which UltraCart does not have "
            "(it has AUTHNET, STRIPE1).",
            paste_code("3"),
            id="code that UltraCart lacks",
        ),
        pytest.param(
            "5",
            "Gateway 5 (Stripe again) carries the code stripe1, which UltraCart does not have "
            "(it has AUTHNET, STRIPE1).",
            paste_code("5"),
            id="code in another case",
        ),
    ],
)
def test_a_gateway_without_code_says_why(
    mapping: Mapping, gateway_id: str | None, reason: str, remedy: str
) -> None:
    """The reason names the gateway and the codes there are, the remedy the setting."""
    assert mapping.gateway_code(gateway_id) == Problem(reason, remedy)


def test_without_catalogues_nothing_is_mapped(engine: Engine) -> None:
    """An empty database has no item for anything, and says so."""
    with engine.connect() as connection:
        mapping = read_mapping(connection, ItemKeys())

    assert mapping == Mapping(products={}, items={}, gateways={}, gateway_codes=frozenset())
    assert mapping.item(make_phone_line()) == Problem(
        "Rawhide bone is of no Thiio product that is known.",
        f"Choose a product for this line in Thiio. {AGAIN}",
    )
