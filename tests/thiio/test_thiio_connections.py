"""What both connections can do gives the same; what one cannot do says which one can."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tasks.errors import (
    AnswerLost,
    CredentialsRefused,
    InvalidRecord,
    RemoteRefused,
    RemoteUnavailable,
    SetupError,
)
from tasks.notifications.log import Notification, NotificationStatus
from tasks.records.models import Window
from tasks.seed import Shop
from tasks.settings import Settings
from tasks.settings import ThiioConnection as ConnectionName
from tasks.thiio.connection import ThiioConnection
from tasks.thiio.open import open_thiio
from tasks.thiio.sandbox.server import ThiioSandbox
from tests.builders import NOON, make_customer, make_order

EMAIL = "new.customer@example.com"


@pytest.fixture
def mapping_file(tmp_path: Path, shop: Shop) -> Path:
    """The file in which an operator of the connection `api` lists products and gateways."""
    path = tmp_path / "thiio.yaml"
    products = [
        {"id": 300 + index, "name": item.name, "metadata": {"ultracart_item_id": item.item_id}}
        for index, item in enumerate(shop.items)
    ]
    gateways = [
        {"id": 1 + index, "name": name, "gateway_code": code, "payment_methods_store": True}
        for index, (code, name) in enumerate(shop.gateways)
    ]
    path.write_text(yaml.safe_dump({"products": products, "gateways": gateways}))
    return path


def settings_for(settings: Settings, connection: str, mapping_file: Path) -> Settings:
    """Choose a connection."""
    changed = {"connection": ConnectionName(connection), "mapping_file": mapping_file}
    return settings.model_copy(update={"thiio": settings.thiio.model_copy(update=changed)})


@pytest.fixture
def database(settings: Settings, told: list[Notification]) -> Iterator[ThiioConnection]:
    """The connection `database` to the stand-in."""
    connection = open_thiio(settings, told.append)
    yield connection
    connection.close()


@pytest.fixture
def api(settings: Settings, mapping_file: Path, told: list[Notification]) -> Iterator[ThiioConnection]:
    """The connection `api` to the stand-in."""
    connection = open_thiio(settings_for(settings, "api", mapping_file), told.append)
    yield connection
    connection.close()


@pytest.fixture(params=["database", "api"])
def either(request: pytest.FixtureRequest) -> ThiioConnection:
    """Each connection in turn."""
    connection: ThiioConnection = request.getfixturevalue(request.param)
    return connection


def test_a_sound_set_up_passes(either: ThiioConnection) -> None:
    """`check` says nothing if there is nothing to say."""
    either.check()


def test_products_and_gateways_are_the_same(
    either: ThiioConnection, database: ThiioConnection, shop: Shop
) -> None:
    """The mapping file says what the tables say."""
    assert either.list_products() == database.list_products()
    assert either.list_gateways() == database.list_gateways()
    assert [product.metadata for product in either.list_products()] == [
        {"ultracart_item_id": item.item_id} for item in shop.items
    ]


def test_a_new_customer_reaches_thiio(either: ThiioConnection, thiio: ThiioSandbox) -> None:
    """Name, e-mail, phone and address stand in Thiio afterwards."""
    either.deliver_customer(make_customer(email=EMAIL, email_key=EMAIL), None)

    row = thiio.read_customer("5241")
    assert (row["email"], row["first_name"], row["phone"], row["city"], row["postal_code"]) == (
        EMAIL,
        "Ada",
        "+12093839870",
        "San Jose",
        "95131",
    )


def test_a_new_order_reaches_thiio(
    either: ThiioConnection, thiio: ThiioSandbox, database: ThiioConnection
) -> None:
    """Amounts, date and lines stand in Thiio afterwards, to the cent, and one notification tells of it."""
    either.deliver_order(make_order(phone="+12093839870"), "order_create", None)

    [order] = database.find_orders([str(thiio.find_order("DEMO-1")["id"])])
    assert (order.placed_at, order.total_cents, order.tax_cents) == (NOON, 2363, 160)
    [line] = order.lines or ()
    assert (line.item_id, line.quantity, line.unit_price_cents) == ("BONE", 2, 500)


def test_each_delivery_makes_one_notification(either: ThiioConnection, told: list[Notification]) -> None:
    """Whom it was about, what was sent, and that it was successful."""
    either.deliver_order(make_order(phone="+12093839870"), "order_create", None)

    [note] = told
    assert (note.direction, note.system, note.entity, note.entity_id, note.status) == (
        "out",
        "thiio",
        "order",
        "DEMO-1",
        NotificationStatus.SUCCESSFUL,
    )
    assert note.sent
    assert note.received
    assert "0b6e7c" not in note.operation  # the inbound webhook's address is its secret


@pytest.mark.parametrize(
    "call",
    [
        lambda thiio: thiio.iter_customers(Window(NOON, NOON)),
        lambda thiio: thiio.iter_orders(Window(NOON, NOON)),
        lambda thiio: thiio.find_orders(["1"]),
        lambda thiio: thiio.iter_unsynced_orders(),
        lambda thiio: thiio.mark_synced("1", "DEMO-1"),
    ],
    ids=["iter_customers", "iter_orders", "find_orders", "iter_unsynced_orders", "mark_synced"],
)
def test_what_the_api_cannot_do_names_the_database(api: ThiioConnection, call) -> None:
    """The error says which settings to change."""
    with pytest.raises(SetupError, match="ULTRATHIIO_THIIO__CONNECTION=database"):
        call(api)


def test_a_refund_by_api_is_noted_as_not_delivered(
    api: ThiioConnection, thiio: ThiioSandbox, told: list[Notification]
) -> None:
    """No documented call takes it; a second lead would be wrong, silence too."""
    api.deliver_order(make_order(refunded_cents=500), "order_refund", None)

    assert thiio.leads == []
    assert [(note.status, note.entity_id) for note in told] == [(NotificationStatus.SKIPPED, "DEMO-1")]


def test_a_customer_without_phone_is_set_aside(api: ThiioConnection, thiio: ThiioSandbox) -> None:
    """Thiio requires it: the record is named with the remedy, and nothing is sent."""
    with pytest.raises(InvalidRecord, match=r"customer 1 has no phone number.*Add it in UltraCart"):
        api.deliver_customer(make_customer(phone=None), None)

    assert thiio.requests == []


def test_a_country_without_code_is_left_out(api: ThiioConnection, thiio: ThiioSandbox) -> None:
    """Thiio takes two or three letters: the phone is read as one of our region, the address is not sent."""
    api.deliver_customer(make_customer(country="Atlantis"), None)

    [lead] = thiio.leads
    assert lead["phone"]["country"] == "US"
    assert "billing_address" not in lead


@pytest.mark.parametrize(
    ("status", "error"), [(503, AnswerLost), (429, RemoteUnavailable), (422, RemoteRefused)]
)
def test_a_failed_delivery_is_sent_once_and_told(
    api: ThiioConnection, thiio: ThiioSandbox, told: list[Notification], status: int, error: type[Exception]
) -> None:
    """Whether it may be sent again is the caller's decision."""
    thiio.fail_next(status)

    with pytest.raises(error) as caught:
        api.deliver_customer(make_customer(), None)

    assert type(caught.value) is error
    assert len(thiio.requests) == 1
    assert told[0].status in (NotificationStatus.FAILED, NotificationStatus.IN_DOUBT)
    assert told[0].http_status == status


def test_a_cut_connection_leaves_the_delivery_in_doubt(api: ThiioConnection, thiio: ThiioSandbox) -> None:
    """Thiio may have it: here it does."""
    thiio.cut_next()

    with pytest.raises(AnswerLost) as caught:
        api.deliver_customer(make_customer(), None)

    assert len(thiio.leads) == 1
    assert "0b6e7c" not in str(caught.value)


def test_a_wrong_password_is_a_set_up_error(
    settings: Settings, mapping_file: Path, thiio: ThiioSandbox, told: list[Notification]
) -> None:
    """The message names the variables; the notification hides the password."""
    thiio.password = "another"
    api = open_thiio(settings_for(settings, "api", mapping_file), told.append)

    with pytest.raises(CredentialsRefused, match="ULTRATHIIO_THIIO__EMAIL and __PASSWORD"):
        api.check()


def test_the_api_asks_for_the_mapping_file(settings: Settings, tmp_path: Path) -> None:
    """Products and gateways must come from somewhere."""
    empty = tmp_path / "empty.yaml"
    empty.write_text("")

    with pytest.raises(SetupError, match="ULTRATHIIO_THIIO__MAPPING_FILE"):
        open_thiio(settings_for(settings, "api", empty), lambda _: None).check()


def test_an_account_that_does_not_answer_is_a_set_up_error(
    settings: Settings, mapping_file: Path, thiio: ThiioSandbox
) -> None:
    """`check` says which address to correct."""
    thiio.fail_next(400)

    with pytest.raises(SetupError, match="Check ULTRATHIIO_THIIO__BASE_URL"):
        open_thiio(settings_for(settings, "api", mapping_file), lambda _: None).check()


@pytest.mark.parametrize("variable", ["database_url", "inbound_webhook_url"])
def test_an_empty_setting_is_named(settings: Settings, mapping_file: Path, variable: str) -> None:
    """Each connection names what it needs."""
    chosen = settings_for(
        settings, "database" if variable == "database_url" else "api", mapping_file
    ).model_dump()
    chosen["thiio"][variable] = ""

    with pytest.raises(SetupError, match=f"ULTRATHIIO_THIIO__{variable.upper()} is empty"):
        open_thiio(Settings(**chosen), lambda _: None)


def test_a_token_that_ran_out_is_renewed(settings: Settings, mapping_file: Path, thiio: ThiioSandbox) -> None:
    """A login ends after a while; the next call logs in again."""
    api = open_thiio(settings_for(settings, "api", mapping_file), lambda _: None)
    thiio.token_seconds = 61
    api.check()
    api.check()
    thiio.token_seconds = 30
    api = open_thiio(settings_for(settings, "api", mapping_file), lambda _: None)
    api.check()
    api.check()

    assert [call for call in thiio.requests if call == "POST /api/login"] == ["POST /api/login"] * 3
