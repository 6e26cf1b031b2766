"""A stand-in for UltraCart: a function from request to response, with a memory.

It speaks the REST API v2 below /rest/v2 as far as this project calls it, and answers 501 to what it does not
know. What goes wrong is planted in Python, or over HTTP below /_sandbox (see `control.py`). It behaves as the
vendor's documents and recorded samples say; where these are silent, the module says that the choice is ours.
"""

from __future__ import annotations

import hmac
import pickle
import re
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx

from tasks.faults import Faults
from tasks.loopback import CutConnection
from tasks.seed import Shop
from tasks.ultracart.sandbox import channel_partner, control, customers, items, orders, webhooks
from tasks.ultracart.sandbox.actions import Actions
from tasks.ultracart.sandbox.call import Call, Handler, Refusal, match_path, read_call
from tasks.ultracart.sandbox.dispatcher import DeliveryReport, Dispatcher
from tasks.ultracart.sandbox.document import check_call
from tasks.ultracart.sandbox.fill import fill_store
from tasks.ultracart.sandbox.rate import CallLimits
from tasks.ultracart.sandbox.scopes import check_refusals, scope_of
from tasks.ultracart.sandbox.serialize import encode
from tasks.ultracart.sandbox.store import Store

ROOT = "/rest/v2"
API_VERSION = "2017-03-01"
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    *items.ROUTES,
    *customers.ROUTES,
    *orders.ROUTES,
    *channel_partner.ROUTES,
    *webhooks.ROUTES,
)


def whole_second() -> datetime:
    """Give the time as UltraCart keeps it."""
    return datetime.now(UTC).replace(microsecond=0)


class UltraCartSandbox(Actions):
    """The stand-in. `respond` serves behind `tasks.loopback` or as an httpx.MockTransport.

    What happens in the shop are methods (`place_order`, …: see `Actions`). Public to plant trouble: `faults`,
    `dispatcher` (deliveries), `store` (switches and state), `is_disabled` (410), `refuses_concurrent_calls`
    (429, as UltraCart does).
    """

    def __init__(
        self,
        shop: Shop,
        *,
        clock: Callable[[], datetime] = whole_second,
    ) -> None:
        self.simple_key = "5a4d0b" * 10 + "cafe"
        self.merchant_id = "DEMO"
        self.channel_partner_code = "THIIO"
        self.base_url = ""
        """Where it is served, with /rest/v2; set by whoever serves it."""
        self.is_disabled = False
        self.refuses_concurrent_calls = True
        self.faults = Faults()
        self.store = Store(self.merchant_id, self.channel_partner_code, clock)
        fill_store(self.store, shop)
        self.lock = threading.RLock()
        self.dispatcher = Dispatcher(self.store, self.lock)
        self._limits = CallLimits()
        self._in_flight = threading.Lock()

    def save(self, file: Path) -> None:
        """Keep the shop in a file, for `load`; by a rename, so that the file is never half written."""
        written = file.with_suffix(".new")
        with self.lock:
            written.write_bytes(pickle.dumps(self.store))
        written.replace(file)

    def load(self, file: Path) -> None:
        """Go on with the shop that `save` left."""
        with self.lock:
            # Only a file of our own folder, made by `save`: a stand-in's made-up data.
            self.store = pickle.loads(file.read_bytes())  # noqa: S301
            self.dispatcher = Dispatcher(self.store, self.lock)

    @property
    def imports(self) -> dict[str, int]:
        """Partner order id → how many orders were made of it: the ledger that unmasks a double import."""
        with self.lock:
            return dict(self.store.imports)

    def limit_calls(self, per_hour: int | None = None, per_day: int | None = None) -> None:
        """Count the calls from now on, and refuse those beyond a limit; None takes any number."""
        self._limits = CallLimits(per_hour, per_day)

    def refuse_scope(self, scope: str, status: int = 401) -> None:
        """Take a permission such as `item_read` from the key: calls that need it get 401, or 403."""
        with self.lock:
            self.store.refused_scopes |= check_refusals({scope: status})

    def register_webhook(self, url: str, username: str, password: str) -> int:
        """Register a webhook as the Thiio guide says; returns its oid."""
        with self.lock:
            return webhooks.register_guided_webhook(self.store, url, username, password)

    def move_webhooks(self, url: str, username: str, password: str) -> int:
        """Leave one webhook, the guide's, at another address; returns its oid."""
        with self.lock:
            self.store.webhooks.clear()
            return webhooks.register_guided_webhook(self.store, url, username, password)

    def deliver(self) -> DeliveryReport:
        """Send all waiting events to the registered webhooks."""
        return self.dispatcher.deliver()

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Answer a request; raises `CutConnection` where a fault says so."""
        if request.url.path.startswith(control.ROOT):
            return control.answer(self, request)
        # Without the refusal calls are answered side by side: a look-up while an import is still at work.
        refuses = self.refuses_concurrent_calls
        if refuses and not self._in_flight.acquire(blocking=False):
            return refuse(Refusal("Concurrent requests are not allowed.", 429), self.merchant_id)
        try:
            return self._answer_with_faults(request)
        except Refusal as refusal:
            return refuse(refusal, self.merchant_id)
        finally:
            if refuses:
                self._in_flight.release()

    def _answer_with_faults(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.take(request.method, request.url.path.removeprefix(ROOT))
        if fault is None:
            return self._answer(request)
        time.sleep(fault.delay_seconds)
        if fault.cut == "before":
            raise CutConnection
        if fault.status and fault.cut != "after":
            raise Refusal("Planted failure.", fault.status)
        response = self._answer(request)
        if fault.cut == "after":
            raise Refusal("Planted failure.", fault.status) if fault.status else CutConnection
        return response

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self._check_caller(request)
        call = read_call(request, ROOT)
        for method, template, handler in ROUTES:
            parts = match_path(template, call.path)
            if parts is not None and method == call.method:
                call.parts.update(parts)
                with self.lock:
                    self._check_scope(call)
                    check_call(call, template)
                    self.store.forget_old_orders()
                    return _success(handler(self.store, call))
        raise Refusal(f"This stand-in does not know {call.method} {call.path}.", 501)

    def _check_caller(self, request: httpx.Request) -> None:
        if not request.url.path.startswith(ROOT + "/"):
            raise Refusal(f"The API is below {ROOT}.", 404)
        given = request.headers.get("x-ultracart-simple-key", "")
        if not hmac.compare_digest(given.encode(), self.simple_key.encode()):
            raise Refusal("The simple key is not valid.", 401)
        if self.is_disabled:
            raise Refusal("The application has been disabled by UltraCart.", 410)
        if too_many := self._limits.take():
            raise Refusal(too_many, 429)
        # UltraCart refuses calls without version; with which status is not published.
        if request.headers.get("x-ultracart-api-version") != API_VERSION:
            raise Refusal("The header X-UltraCart-Api-Version is required.")

    def _check_scope(self, call: Call) -> None:
        scope = scope_of(call.method, call.path)
        if status := self.store.refused_scopes.get(scope):
            raise Refusal(f"The application lacks the permission {scope}.", status)


def _success(answer: Any) -> httpx.Response:
    headers = _headers()
    if answer is None:
        return httpx.Response(204, headers=headers)
    return httpx.Response(200, headers=headers, content=encode(answer))


def refuse(refusal: Refusal, merchant_id: str) -> httpx.Response:
    """Write an error as UltraCart does: its text in the body and in UC-REST-ERROR, no `success`."""
    # A header's value is one line of ASCII, whatever the caller sent that the text repeats.
    line = re.sub("[^ -~]", "?", refusal.text)
    headers = _headers() | {"UC-REST-ERROR": line, "Connection": "close"}
    if refusal.status == 429:
        headers["UC-REST-ERROR-MERCHANT-ID"] = merchant_id
    body = {"error": {"developer_message": refusal.text, "user_message": refusal.text}, "metadata": {}}
    return httpx.Response(refusal.status, headers=headers, content=encode(body))


def _headers() -> dict[str, str]:
    return {
        "Content-Type": "application/json; charset=UTF-8",
        "X-UltraCart-Request-Id": uuid.uuid4().hex.upper(),
        "Date": format_datetime(datetime.now(UTC), usegmt=True),
    }
