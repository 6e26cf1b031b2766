"""A stand-in for Thiio: our six tables in a SQLite file, and the documented HTTP over them.

Source of the HTTP: thiio.atlassian.net, pages 2949152778 and 2680193428. A documented call whose path or
body could not be read is answered with 501 and its path, never with a guess. Statuses other than 200 are
assumed. `Accept: application/json` is documented as required by every call of the API.
"""

from __future__ import annotations

import time
import uuid
from decimal import Decimal
from pathlib import Path
from threading import RLock
from typing import Any

import httpx
import msgspec

from tasks.database.engine import open_engine
from tasks.faults import Faults
from tasks.loopback import CutConnection
from tasks.seed import Shop
from tasks.thiio.database.schema import build_tables
from tasks.thiio.sandbox.agents import Agents
from tasks.thiio.sandbox.inbound import find_errors, keep
from tasks.thiio.sandbox.seed import fill

FILE = "thiio.sqlite3"
_exact_numbers = msgspec.json.Decoder(float_hook=Decimal)


class ThiioSandbox(Agents):
    """Thiio in a folder: made anew, empty or filled with a shop; or, with `keep`, as it was left there.

    Credentials are made up. `leads` holds every body that the inbound webhook accepted, `requests` every call
    as "POST /api/login". Events wait in `channels` until its `deliver()` is called; `keep` forgets them.
    """

    email = "agent@example.com"
    password = "sandbox-password"  # noqa: S105  # of a stand-in
    integration_uuid = "6f0c2f0e-5f0e-4d2b-9a52-7a3c6d1e0b11"
    inbound_webhook_path = "/webhooks/generic/0b6e7c"
    base_url = ""
    """Where it is served; set by whoever serves it."""

    def __init__(self, folder: Path, shop: Shop | None = None, *, keep: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        is_kept = keep and (folder / FILE).exists()
        for file in () if is_kept else folder.glob(f"{FILE}*"):
            file.unlink()
        self.database_url = f"sqlite:///{(folder / FILE).resolve()}"
        super().__init__(open_engine(self.database_url), build_tables())
        self.token_seconds = 3_600
        self.leads: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.faults = Faults()
        self._tokens: dict[str, float] = {}
        self._lock = RLock()
        if is_kept:
            return
        with self.engine.begin() as connection:
            self.tables.metadata.create_all(connection)
            if shop is not None:
                fill(connection, self.tables, shop)

    @property
    def inbound_webhook_url(self) -> str:
        """Address of the generic inbound webhook."""
        return self.base_url + self.inbound_webhook_path

    def fail_next(self, status: int, times: int = 1) -> None:
        """Answer the next calls with a status and do nothing else."""
        self.faults.add(status=status, times=times)

    def delay_next(self, seconds: float) -> None:
        """Answer the next call after a while."""
        self.faults.add(delay_seconds=seconds)

    def cut_next(self, *, before: bool = False) -> None:
        """Break the connection of the next call: after it was done, or before it has any effect."""
        self.faults.add(cut="before" if before else "after")

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; raises `CutConnection` where a fault says so."""
        with self._lock:
            self.requests.append(f"{request.method} {request.url.path}")
        fault = self.faults.take(request.method, request.url.path)
        if fault is not None:
            time.sleep(fault.delay_seconds)
            if fault.cut == "before":
                raise CutConnection
            if fault.status is not None:
                return _refusal(fault.status, "The stand-in was told to fail.")
        with self._lock:
            response = self._route(request)
        if fault is not None and fault.cut == "after":
            raise CutConnection
        return response

    def close(self) -> None:
        """Give back the database connections."""
        self.engine.dispose()

    def _route(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path.strip("/").split("/"):
            case _, ["api", *_] if "application/json" not in request.headers.get("accept", ""):
                return _refusal(406, "The header Accept: application/json is required.")
            case "POST", ["api", "login"]:
                return self._log_in(_json(request))
            case "POST", words if "/" + "/".join(words) == self.inbound_webhook_path:
                return self._take_in(_json(request))
            case "GET", ["api", "check"]:
                return self._with_token(request) or _ok({"user": self._user()})
            case "POST", ["api", "integrations", integration, "channels"]:
                return self._with_token(request) or self._subscribe(integration, _json(request))
            case "DELETE", ["api", "channels", id]:
                return self._with_token(request) or self._unsubscribe(id)
            case method, words:
                return _refusal(501, f"{method} /{'/'.join(words)} is not in what Thiio documents.")

    def _log_in(self, body: Any) -> httpx.Response:
        body = body if isinstance(body, dict) else {}
        given = (body.get("email"), body.get("password"), body.get("integration"))
        if given != (self.email, self.password, "zapier"):
            return _refusal(401, "These credentials do not match our records.")
        token, expires = uuid.uuid4().hex, int(time.time()) + self.token_seconds
        self._tokens[token] = expires
        data = {"user": self._user(), "token": token, "expires": expires, "setup_finished": True}
        return _ok({"data": data | {"integration_uuid": self.integration_uuid}})

    def _with_token(self, request: httpx.Request) -> httpx.Response | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._tokens.get(token, 0) > time.time():
            return None
        return _refusal(401, "Unauthenticated.")

    def _take_in(self, body: Any) -> httpx.Response:
        if errors := find_errors(body):
            return _invalid(errors)
        with self.engine.begin() as connection:
            customer_id = keep(connection, self.tables, body)
        self.leads.append(body)
        self.channels.happen("contact-created", "customer", customer_id)
        return _ok({"message": "OK"})

    def _subscribe(self, integration: str, body: Any) -> httpx.Response:
        if integration != self.integration_uuid:
            return _refusal(404, "No such integration.")
        made = self.channels.add(body)
        if isinstance(made, dict):
            return _invalid(made)
        id, metadata = made
        return _ok({"data": {"id": id, "metadata": metadata}, "message": "Integration Channel created"})

    def _unsubscribe(self, id: str) -> httpx.Response:
        if not self.channels.remove(id):
            return _refusal(404, "No such channel.")
        return _ok({"message": "Integration Channel deleted", "data": None})

    def _user(self) -> dict[str, Any]:
        return {"id": 1, "contact_id": 1, "type": "customer_employee", "email": self.email, "metadata": {}}


def _json(request: httpx.Request) -> Any:
    try:
        return _exact_numbers.decode(request.content)
    except msgspec.DecodeError:
        return {}


def _ok(body: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json=body)


def _refusal(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"message": message})


def _invalid(errors: dict[str, list[str]]) -> httpx.Response:
    return httpx.Response(422, json={"message": "The given data was invalid.", "errors": errors})
