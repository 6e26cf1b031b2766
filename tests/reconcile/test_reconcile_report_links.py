"""Links of the report's rows: only to addresses that the merchant named, and safe with any id."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tasks.errors import SetupError
from tasks.reconcile.report_files import write_files
from tasks.reconcile.report_links import Links, anchor, make_links
from tasks.records.models import Side
from tasks.settings import load_settings
from tests.reconcile.trouble import make_trouble
from tests.reconcile.two_sides import NOW

LINKS = Links(
    ultracart_order="https://shop.example.com/order?a=1&id={id}",
    thiio_order="https://crm.example.com/orders/{id}",
    notifications="https://hooks.example.com/",
)


def test_rows_lead_to_both_systems_and_to_their_notifications(engine: Engine, tmp_path: Path) -> None:
    """Orders have pages of their own; a customer's row leads to its notifications only."""
    make_trouble(engine)

    html = write_files(engine, tmp_path, NOW, LINKS).html.read_text()

    for address in (
        "https://shop.example.com/order?a=1&amp;id=DEMO-1",
        "https://crm.example.com/orders/80001",
        "https://crm.example.com/orders/17",
        "https://hooks.example.com/notifications?entity=order&amp;id=DEMO-1",
        "https://hooks.example.com/notifications?entity=customer&amp;id=1",
    ):
        assert f'href="{address}" rel="noreferrer"' in html, address
    assert "%3Cscript%3Ealert%28%221%22%29%3C%2Fscript%3E+%26+S%C3%B6hne" in html
    assert "orders/5001" not in html


def test_an_id_cannot_break_out_of_its_address() -> None:
    """Whatever stands in an id is a part of the address, and of the page's text."""
    id = '"><script>&id=2#/?'

    url = LINKS.record(Side.ULTRACART, "order", id)

    assert url == "https://shop.example.com/order?a=1&id=%22%3E%3Cscript%3E%26id%3D2%23%2F%3F"
    assert "<script>" not in anchor(url, id)
    assert LINKS.log("order", "a b&c").endswith("?entity=order&id=a+b%26c")
    assert anchor("", "<b>") == "&lt;b&gt;"


def test_without_an_address_there_is_no_link() -> None:
    """The defaults name no address: nobody is sent to a page that may not exist."""
    links = make_links(load_settings().report)

    assert links == Links()
    assert [links.record(side, "order", "1") for side in Side] == ["", ""]
    assert links.log("order", "1") == ""
    assert LINKS.record(Side.THIIO, "order", "") == LINKS.record(Side.THIIO, "customer", "1") == ""


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ULTRACART_ORDER_URL", "javascript:alert({id})", "start it with https"),
        ("THIIO_ORDER_URL", "https://crm.example.com/orders", "write {id} where"),
        ("NOTIFICATIONS_URL", "hooks.example.com", "start it with https"),
    ],
)
def test_an_address_that_cannot_work_is_refused(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is named, with what to write instead."""
    monkeypatch.setenv(f"ULTRATHIIO_REPORT__{name}", value)

    with pytest.raises(SetupError, match=f"{name}: .*{told}"):
        load_settings()
