"""Thiio's tables are read by windows and pages, and a database that does not fit is explained."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from tasks.database.engine import open_engine
from tasks.errors import RemoteUnavailable, SetupError
from tasks.records import mirror
from tasks.records.models import Order, OrderStatus, Side, Window
from tasks.seed import Shop
from tasks.thiio import pull
from tasks.thiio.database import read
from tasks.thiio.database.connection import DatabaseThiio
from tasks.thiio.database.schema import build_tables
from tasks.thiio.mapping_file import ThiioMapping
from tasks.thiio.sandbox.agents import Agents, PhoneLine
from tasks.thiio.sandbox.server import ThiioSandbox
from tests.builders import NOON, make_order
from tests.thiio.conftest import connect

HOUR = timedelta(hours=1)


@pytest.fixture
def shop_thiio(thiio: ThiioSandbox) -> DatabaseThiio:
    """The connection `database` to the filled stand-in."""
    return connect(thiio.engine, [])


@pytest.mark.parametrize("column", ["placed_at", "created_at", "updated_at"])
def test_a_window_is_half_open(connection: DatabaseThiio, agents: Agents, column: str) -> None:
    """Its start belongs to it and its end does not, for each date that can bring an order into it."""
    long_ago = {name: NOON - 1_000 * HOUR for name in ("placed_at", "created_at", "updated_at")}
    id = agents.place_phone_order([PhoneLine(product_id="1")], **{**long_ago, column: NOON})

    def found(window: Window) -> list[str]:
        return [order.id for page in connection.iter_orders(window) for order in page]

    assert found(Window(NOON, NOON + HOUR)) == [id]
    assert found(Window(NOON - HOUR, NOON)) == []


def test_all_pages_come_once(shop_thiio: DatabaseThiio, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pages give each record once, also where the last page is full."""
    monkeypatch.setattr(read, "PAGE", 60)
    monkeypatch.setattr("tasks.thiio.database.transactions.PAGE", 60)
    ever = Window(shop.now - timedelta(days=400), shop.now + HOUR)

    orders = [order.id for page in shop_thiio.iter_orders(ever) for order in page]
    customers = [customer.id for page in shop_thiio.iter_customers(ever) for customer in page]

    assert orders == [str(80_000 + order.number) for order in shop.orders]
    assert customers == [str(5_000 + customer.number) for customer in shop.customers]


def test_the_caller_may_write_between_pages(connection: DatabaseThiio, agents: Agents) -> None:
    """Nothing is held open while the caller works on a page: SQLite would block for half a minute."""
    agents.place_phone_order([PhoneLine(product_id="1")])

    for page in connection.iter_unsynced_orders():
        connection.mark_synced(page[0].order.id, "DEMO-1")

    assert list(connection.iter_unsynced_orders()) == []


def test_amounts_pass_no_float(connection: DatabaseThiio, agents: Agents) -> None:
    """A sum that a float cannot hold comes back to the cent."""
    id = agents.place_phone_order([PhoneLine(product_id="1")], total=Decimal("90071992547409.93"))

    assert [order.total_cents for order in connection.find_orders([id])] == [9007199254740993]


@pytest.mark.parametrize(
    ("amount", "message"),
    [("18.63", r"floating-point numbers.*NUMERIC"), ("'eighteen'", r"text that is no number")],
    ids=["float", "text"],
)
def test_a_column_that_holds_no_exact_amounts_is_refused(
    sqlite_agents: Agents, amount: str, message: str
) -> None:
    """A float is not read as money; the error tells what to declare."""
    id = sqlite_agents.place_phone_order([PhoneLine(product_id="1")])
    with sqlite_agents.engine.begin() as connection:
        connection.execute(text(f"CREATE VIEW sales AS SELECT *, {amount} AS other_total FROM thiio_orders"))
    mapping = ThiioMapping(tables={"orders": "sales"}, columns={"orders": {"total": "other_total"}})

    with pytest.raises(SetupError, match=message):
        connect(sqlite_agents.engine, [], mapping).find_orders([id])


def test_an_unknown_status_word_is_unknown(connection: DatabaseThiio, agents: Agents) -> None:
    """It is not guessed; the word itself stays readable."""
    id = agents.place_phone_order([PhoneLine(product_id="1")], status="On the moon")

    [order] = connection.find_orders([id])

    assert (order.status, order.stage) == (OrderStatus.UNKNOWN, "On the moon")


def test_a_pull_fills_the_mirror_and_may_be_repeated(
    shop_thiio: DatabaseThiio, engine: Engine, shop: Shop
) -> None:
    """Everything of the window is stored, counted, and the same after a second pull."""
    ever = Window(shop.now - timedelta(days=400), shop.now + HOUR)
    ids = [str(80_000 + order.number) for order in shop.orders]
    stored: list[dict[str, Order]] = []

    for _ in range(2):
        counts = pull.pull_catalogue(shop_thiio, engine) | {
            "customers": pull.pull_customers(shop_thiio, engine, ever),
            "orders": pull.pull_orders(shop_thiio, engine, ever),
        }
        assert counts == {"thiio_products": 25, "thiio_gateways": 3, "customers": 240, "orders": 360}
        with engine.connect() as connection:
            stored.append(mirror.find_orders(connection, Side.THIIO, ids))

    assert len(stored[0]) == 360
    assert stored[0] == stored[1]


def test_check_names_every_missing_table_and_column(agents: Agents) -> None:
    """One message tells all that is missing, by the database's name and by ours."""
    with agents.engine.begin() as connection:
        connection.execute(text("ALTER TABLE thiio_orders RENAME COLUMN note TO remark"))
        connection.execute(text("DROP TABLE thiio_product_metadata"))

    with pytest.raises(SetupError) as caught:
        connect(agents.engine, []).check()

    assert "thiio_orders has no column note (columns.orders.note)" in str(caught.value)
    assert "no table thiio_product_metadata (tables.product_metadata)" in str(caught.value)
    assert "ULTRATHIIO_THIIO__MAPPING_FILE" in str(caught.value)


def test_a_database_that_is_away_is_told_from_one_that_does_not_fit() -> None:
    """`check` names the setting and hides the password; work raises what is tried again later."""
    thiio = connect(open_engine("postgresql+psycopg://agent:hunter2@127.0.0.1:1/crm"), [])

    with pytest.raises(SetupError, match="ULTRATHIIO_THIIO__DATABASE_URL") as caught:
        thiio.check()
    with pytest.raises(RemoteUnavailable):
        thiio.list_products()

    assert "hunter2" not in str(caught.value)


def test_times_without_zone_are_utc_wherever_the_server_is(postgres_database_url: str) -> None:
    """A CRM in New York that keeps UTC without saying so is read and compared as UTC."""
    engine = open_engine(postgres_database_url)
    tables = build_tables()
    tables.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text("SET TIME ZONE 'UTC'"))
        for name in ("placed_at", "created_at", "updated_at"):
            connection.execute(
                text(f"ALTER TABLE thiio_orders ALTER {name} TYPE timestamp without time zone")
            )
        connection.execute(
            text(f"ALTER DATABASE \"{engine.url.database}\" SET timezone TO 'America/New_York'")
        )
    engine.dispose()
    engine = open_engine(postgres_database_url)
    thiio = connect(engine, [])

    thiio.deliver_order(make_order(gateway_code=None, lines=()), "order_create", None)

    assert [order.placed_at for page in thiio.iter_orders(Window(NOON, NOON + HOUR)) for order in page] == [
        NOON
    ]
    engine.dispose()
