"""What is wrong in Thiio's products and gateways is told by name, with the page that puts it right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from sqlalchemy import update

from tasks.settings import ThiioConnection
from tasks.setup_check.checks import CheckStatus
from tests.setup_check.account import Account, Plant, assert_line, names_of

WARNING, FAILED, UNKNOWN = CheckStatus.WARNING, CheckStatus.FAILED, CheckStatus.UNKNOWN
KEY = "ultracart_item_id"
PRODUCTS, GATEWAYS = "Thiio's product list, under Metadata", "Thiio's gateway settings"


def plant_item_id(value: str | None) -> Plant:
    """Write another item ID, or none, on product 301."""
    return lambda account: account.thiio.set_product_metadata("301", KEY, value)


def plant_gateway(**columns: object) -> Plant:
    """Change gateway 2."""
    return lambda account: account.thiio.edit_gateway("2", **columns)


def many_without(account: Account) -> None:
    """Seven products lost their item ID."""
    for number in range(300, 307):
        account.thiio.set_product_metadata(str(number), KEY, None)


def deactivate_item(account: Account) -> None:
    """UltraCart's item of product 300 is no longer sold."""
    account.ultracart.store.items["BONE"]["inactive"] = True


def edit_products(**columns: object) -> Plant:
    """Change all products."""

    def edit(account: Account) -> None:
        with account.thiio.engine.begin() as connection:
            connection.execute(update(account.thiio.tables.products).values(columns))

    return edit


def edit_gateways(**columns: object) -> Plant:
    """Change all gateways."""
    return lambda account: [account.thiio.edit_gateway(id, **columns) for id in "123"]


@pytest.mark.parametrize(
    ("plant", "name", "status", "words"),
    [
        pytest.param(
            plant_item_id(None), "Products: item ID", FAILED,
            ["1 without", "301 (Baseball bat, ash)", KEY, PRODUCTS], id="no item ID",
        ),
        pytest.param(plant_item_id("  "), "Products: item ID", FAILED, ["301"], id="blank item ID"),
        pytest.param(
            many_without, "Products: item ID", FAILED,
            ["7 without", "304 (Collar, small) and 2 more", "ULTRATHIIO_THIIO__ITEM_ID_KEY"], id="many",
        ),
        pytest.param(
            plant_item_id("GONE"), "Products: item exists", FAILED,
            ["301 (Baseball bat, ash): GONE is unknown", KEY, PRODUCTS, "UltraCart's item list"],
            id="unknown item",
        ),
        pytest.param(
            deactivate_item, "Products: item exists", FAILED, ["300 (Rawhide bone): BONE is inactive"],
            id="inactive item",
        ),
        pytest.param(
            plant_item_id(" bone "), "Products: item named once", WARNING,
            ["BONE by 300 (Rawhide bone) and 301 (Baseball bat, ash)", KEY, PRODUCTS], id="an item twice",
        ),
        pytest.param(
            plant_gateway(gateway_code="STRANGE"), "Gateways: code", FAILED,
            ["2 (Authorize.Net) has STRANGE", "UltraCart has AUTHNET, NMI-BACKUP, STRIPE1", GATEWAYS],
            id="unknown code",
        ),
        pytest.param(
            plant_gateway(gateway_code=" "), "Gateways: code", FAILED,
            ["2 (Authorize.Net) has none", "Multiple (rotating) gateways", GATEWAYS], id="no code",
        ),
        pytest.param(
            plant_gateway(payment_methods_store=False), "Gateways: payment methods store", FAILED,
            ["2 (Authorize.Net)", '"payment methods store"', GATEWAYS], id="store off",
        ),
    ],
)  # fmt: skip
def test_one_thing_wrong_costs_one_line(
    account: Account, plant: Plant, name: str, status: CheckStatus, words: list[str]
) -> None:
    """The line names the product or gateway and the page; no other line fails."""
    plant(account)
    lines = account.lines()

    assert_line(lines[name], status, words)
    assert names_of(lines, FAILED, WARNING, UNKNOWN) == {name}


@pytest.mark.parametrize(
    ("plant", "warnings", "unknowns"),
    [
        pytest.param(
            plant_gateway(payment_methods_store=None), set(), {"Gateways: payment methods store"},
            id="store not told",
        ),
        pytest.param(
            edit_products(is_sold=False), {"Products: item ID"},
            {"Products: item exists", "Products: item named once"}, id="nothing sold",
        ),
        pytest.param(
            edit_gateways(is_active=False), {"Gateways: code"}, {"Gateways: payment methods store"},
            id="no active gateway",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_told(account: Account, plant: Plant, warnings: set[str], unknowns: set[str]) -> None:
    """Nothing to look at is not a pass."""
    plant(account)
    lines = account.lines()

    assert (names_of(lines, WARNING), names_of(lines, UNKNOWN)) == (warnings, unknowns)
    assert names_of(lines, FAILED) == set()


def test_what_is_not_sold_needs_no_mapping(account: Account) -> None:
    """Inactive products and gateways are left alone."""
    with account.thiio.engine.begin() as connection:
        table = account.thiio.tables.products
        connection.execute(update(table).where(table.c.id == 301).values(is_active=False))
    plant_item_id(None)(account)
    plant_gateway(gateway_code=None, payment_methods_store=False, is_active=False)(account)

    assert names_of(account.lines(), FAILED, WARNING, UNKNOWN) == set()


def write_mapping(account: Account, folder: Path, **values: Any) -> None:
    """Let the settings name a mapping file."""
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump(values))
    account.change("thiio", mapping_file=path)


def test_the_mapping_file_may_name_another_key(account: Account, tmp_path: Path) -> None:
    """Its key wins over that of the settings."""
    write_mapping(account, tmp_path, item_id_key="uc_item")
    account.thiio.set_product_metadata("300", "uc_item", "BONE")
    found = account.lines()["Products: item ID"]

    assert_line(found, FAILED, ["24 without uc_item", "Add the key uc_item"])


def use_api(account: Account, folder: Path) -> None:
    """Choose the connection `api`; the file lists a product without item ID and a gateway."""
    gateway = {"id": 1, "gateway_code": "STRIPE1", "payment_methods_store": True}
    write_mapping(account, folder, products=[{"id": 300, "name": "Bone"}], gateways=[gateway])
    account.change("thiio", connection=ThiioConnection.API)


def test_the_documented_http_is_told_with_its_gaps(account: Account, tmp_path: Path) -> None:
    """It works, but cannot do everything; and a product is corrected in the file as well."""
    use_api(account, tmp_path)
    lines = account.lines()

    assert_line(lines["Thiio connection: gaps"], WARNING, ["cannot be listed", "CONNECTION=database"])
    assert_line(lines["Products: item ID"], FAILED, ["300 (Bone)", "ULTRATHIIO_THIIO__MAPPING_FILE"])
    assert names_of(lines, FAILED) == {"Products: item ID"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password": SecretStr("wrong")}, ["refused the login", "ULTRATHIIO_THIIO__EMAIL"]),
        ({"base_url": "http://127.0.0.1:9"}, ["ULTRATHIIO_THIIO__BASE_URL"]),
        ({"base_url": "http://[::1"}, ["ULTRATHIIO_THIIO__BASE_URL"]),
        ({"inbound_webhook_url": ""}, ["ULTRATHIIO_THIIO__INBOUND_WEBHOOK_URL is empty"]),
    ],
    ids=["wrong password", "closed port", "no address", "no inbound webhook"],
)
def test_the_documented_http_is_away(
    account: Account, tmp_path: Path, values: dict[str, object], words: list[str]
) -> None:
    """The connection's line names the settings."""
    use_api(account, tmp_path)
    account.change("thiio", **values)

    assert_line(account.lines()["Thiio connection"], FAILED, words)
