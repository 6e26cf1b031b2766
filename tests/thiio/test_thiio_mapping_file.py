"""The mapping file fits another schema without code, and says by field and value what is wrong in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from tasks.database.engine import open_engine
from tasks.errors import SetupError
from tasks.records.digest import digest_of
from tasks.records.models import OrderStatus, Window
from tasks.thiio.database.schema import build_tables
from tasks.thiio.mapping_file import ThiioMapping, load_mapping
from tasks.thiio.sandbox.agents import PhoneLine
from tests.builders import make_order
from tests.thiio.conftest import connect, make_agents

EVER = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

OTHER_NAMES = """
tables: {orders: sales, order_lines: sale items}
columns:
  orders: {external_order_id: uc_order, status: state, total: grand_total}
  order_lines: {order_id: sale_id}
status_words:
  open: unpaid
  stopped: on_hold
  Paid: processing
  done: completed
  void: rejected
  offer: quote
item_id_key: uc_item
"""


def write(tmp_path: Path, content: str) -> Path:
    """Put a mapping file into a test's folder."""
    path = tmp_path / "thiio.yaml"
    path.write_text(content)
    return path


def test_other_tables_columns_and_words_are_used(tmp_path: Path) -> None:
    """A delivery stands in the installation's own columns and words, and reads back the same."""
    mapping = load_mapping(write(tmp_path, OTHER_NAMES))
    engine = open_engine(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    build_tables(mapping.tables, mapping.columns).metadata.create_all(engine)
    thiio = connect(engine, [], mapping)
    thiio.check()

    thiio.deliver_order(make_order(gateway_code=None), "order_create", None)

    with engine.connect() as connection:
        row = connection.execute(text("SELECT uc_order, state, grand_total FROM sales")).one()
        lines = connection.execute(text('SELECT sale_id, quantity, unit_price FROM "sale items"')).all()
    assert tuple(row) == ("DEMO-1", "paid", "23.63")
    assert [tuple(line) for line in lines] == [(1, "2", "5.00")]
    [[order]] = thiio.iter_orders(EVER)
    assert digest_of(order) == digest_of(make_order(gateway_code=None))
    engine.dispose()


def test_without_a_file_the_defaults_hold() -> None:
    """Every status has a word."""
    mapping = load_mapping(None)

    assert mapping == ThiioMapping()
    assert set(mapping.status_words.values()) == set(OrderStatus)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tables: {order: sales}", r"tables.order \('order'\): .*'orders'"),
        ("colums: {}", r"colums: Extra inputs"),
        ("columns: {orders: {totl: x}}", r"columns: orders has no column 'totl'; its columns are id, source"),
        ("status_words: {open: unpayd}", r"status_words.open \('unpayd'\): Input should be 'unpaid'"),
        ("status_words: {open: unpaid}", r"status_words: no word means on_hold, processing"),
        ("gateways: [{name: Stripe}]", r"gateways.0.id: Field required"),
        ("products: [{id: 1}, {id: 1}]", r"products: id 1 is listed twice"),
        ("products: [{id: 1, metadata: {uc: yes}}]", r"products.0.metadata.uc \(True\): .*string"),
        ("- 1", r"the file: Input should be"),
        ("{", r"is not YAML"),
    ],
    ids=lambda value: value if "{" in value or "-" in value else "",
)
def test_a_mistake_is_named_with_field_and_value(tmp_path: Path, content: str, message: str) -> None:
    """The operator reads which line to correct, and what it may say."""
    with pytest.raises(SetupError, match=message) as caught:
        load_mapping(write(tmp_path, content))

    assert str(caught.value).startswith("ULTRATHIIO_THIIO__MAPPING_FILE: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The variable and the path are told."""
    with pytest.raises(SetupError, match=r"ULTRATHIIO_THIIO__MAPPING_FILE: .*none.yaml cannot be read"):
        load_mapping(tmp_path / "none.yaml")


def test_words_for_paying_and_shipping_are_translated_both_ways(tmp_path: Path) -> None:
    """An agent's "visa" is UltraCart's Credit Card, and stays "visa" when UltraCart says Credit Card."""
    paying, shipping = "{card: Credit Card, Visa: Credit Card}", '{Express: "UPS: Next Day"}'
    content = f"payment_methods: {paying}\nshipping_methods: {shipping}"
    mapping = load_mapping(write(tmp_path, content))
    agents = make_agents(f"sqlite:///{tmp_path / 'crm.sqlite3'}")
    thiio = connect(agents.engine, [], mapping)
    taken = agents.place_phone_order(
        [PhoneLine(product_id="1")], payment_method="VISA", shipping_method="express"
    )

    [[phone]] = thiio.iter_unsynced_orders()
    said = {"payment_method": "Credit Card", "shipping_method": "UPS: Next Day"}
    thiio.deliver_order(make_order("DEMO-1", **said), "order_create", taken)
    thiio.deliver_order(make_order("DEMO-2", **said), "order_create", None)
    thiio.deliver_order(make_order("DEMO-3", payment_method="Check"), "order_create", None)

    shown = [
        (row["payment_method"], row["shipping_method"])
        for row in map(agents.find_order, ("DEMO-1", "DEMO-2", "DEMO-3"))
    ]
    assert (phone.order.payment_method, phone.order.shipping_method) == ("Credit Card", "UPS: Next Day")
    assert shown == [("VISA", "express"), ("card", "express"), ("Check", None)]
    agents.engine.dispose()
