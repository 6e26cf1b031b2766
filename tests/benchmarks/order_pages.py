"""A store of many complete orders in a process of its own: each page is written once, and comes late."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import httpx

from tasks.seed import make_shop
from tasks.ultracart.sandbox.serialize import Money
from tasks.ultracart.sandbox.server import UltraCartSandbox

GUIDE_EXPANSIONS = "item,billing,shipping,customer_profile,summary,payment,channel_partner,checkout"
"""The parts that Thiio's guide has UltraCart send (its wiki page 2680619034, "Configure Webhook")."""

ITEM_DIMENSION = {"value": 0.394, "uom": "IN"}
BROWSER = {
    "user_agent": {"family": "Chrome", "major": "113", "minor": "0", "patch": "0"},
    "os": {"family": "Windows", "major": "10", "minor": "", "patch": "", "patch_minor": ""},
    "device": {"family": "Other"},
}


class CachedStore:
    """Answers each request once by the stand-in, then from memory: the client alone is measured.

    Whatever parts are asked for, those of Thiio's guide come, so that every client reads the same bytes.
    """

    def __init__(self, orders: int) -> None:
        self.sandbox = UltraCartSandbox(make_shop(orders=orders, now=datetime.now(UTC)))
        for order in self.sandbox.store.orders.values():
            complete(order)
        self._answers: dict[tuple[str, bytes], bytes] = {}

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        """Give all bytes of the answer to a request."""
        if (target, body) not in self._answers:
            url = httpx.URL(f"http://127.0.0.1{target}").copy_set_param("_expand", GUIDE_EXPANSIONS)
            response = self.sandbox.respond(httpx.Request(method, url, headers=headers, content=body))
            lines = [f"HTTP/1.1 {response.status_code} {response.reason_phrase}"]
            lines += [f"{name}: {value}" for name, value in response.headers.items()]
            self._answers[target, body] = "\r\n".join([*lines, "", ""]).encode() + response.content
        return self._answers[target, body]


def _handler_for(store: CachedStore, latency_seconds: float) -> type[StreamRequestHandler]:
    class Handler(StreamRequestHandler):
        """As little of HTTP as it takes: the first byte leaves the latency after the request came."""

        disable_nagle_algorithm = True

        def handle(self) -> None:
            while line := self.rfile.readline():
                due = time.perf_counter() + latency_seconds
                method, target, _ = line.decode().split()
                headers = dict(iter(self._read_header, None))
                body = self.rfile.read(int(headers.get("content-length", 0)))
                answer = store.answer(method, target, headers, body)
                time.sleep(max(0.0, due - time.perf_counter()))
                self.connection.sendall(answer)

        def _read_header(self) -> tuple[str, str] | None:
            name, _, value = self.rfile.readline().decode("latin-1").strip().partition(":")
            return (name.lower(), value.strip()) if name else None

    return Handler


def complete(order: dict[str, Any]) -> None:
    """Fill in what our client does not read, so that the stand-in has no need of it, but UltraCart sends.

    The keys are those of the orders that the vendor recorded (sdk_samples, `curl/order/getOrders.curl` and
    `getOrdersByQuery.curl`), but for options, mix-and-match groups and copies by e-mail, which not every one
    has. Those paid by card are ten years old and hold no `credit_card` any more: its keys are those of the
    vendor's SDK.
    """
    pounds = 0
    for position, item in enumerate(order["items"], start=1):
        pounds += item["quantity"]
        item |= {
            "weight": {"value": 1, "uom": "LB"},
            "discount": Money(0),
            "item_reference_oid": 104_542_439 + position,
            "accounting_code": item["merchant_item_id"],
            "length": ITEM_DIMENSION,
            "height": ITEM_DIMENSION,
            "width": ITEM_DIMENSION,
            "cogs": 3.5,
            "barcode": "078742226583",
            "country_code_of_origin": "US",
            "tax_product_type": "",
        }
        if "shipped_dts" in item:
            item["shipped_by_user"] = "demo"
    order["shipping"] |= {"weight": {"value": pounds, "uom": "LB"}, "ship_to_residential": True}
    summary, payment = order["summary"], order["payment"]
    summary |= {
        "shipping_handling_total_discount": Money(0),
        "taxable_subtotal": Money(summary["subtotal"].cents - summary["subtotal_discount"].cents),
        "taxable_subtotal_discount": summary["subtotal_discount"],
    }
    order["checkout"] |= {
        "screen_branding_theme_code": "CSTM",
        "browser": BROWSER,
        "screen_size": "large",
    }
    if payment["payment_method"] == "Credit Card":
        payment["credit_card"] = {
            "card_type": "VISA",
            "card_number": "XXXXXXXXXXXX1111",
            "card_number_truncated": True,
            "card_expiration_month": 11,
            "card_expiration_year": 2029,
            "card_auth_ticket": "60075446",
            "card_authorization_amount": summary["total"].cents / 100,
            "card_authorization_dts": order["creation_dts"],
        }


def _serve(orders: int, latency_seconds: float, pipe: Connection) -> None:
    store = CachedStore(orders)
    with ThreadingTCPServer(("127.0.0.1", 0), _handler_for(store, latency_seconds)) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        pipe.send((f"http://127.0.0.1:{server.server_address[1]}/rest/v2", store.sandbox.simple_key))
        pipe.recv()
        server.shutdown()


@contextmanager
def serve_orders(orders: int, latency_seconds: float = 0.0) -> Iterator[tuple[str, str]]:
    """Serve a store for a block; gives the base URL and the key."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(orders, latency_seconds, theirs))
    process.start()
    try:
        yield ours.recv()
        ours.send("stop")
    finally:
        process.join(5)
        process.terminate()
