"""The receiver's OpenAPI document: it names every route, and every answer is one that it names."""

from __future__ import annotations

import base64
import json
from importlib.metadata import version
from pathlib import Path

import httpx
from sqlalchemy import Engine
from starlette.routing import Route

from tasks.inbox.openapi import FILE
from tasks.inbox.receiver import create_app
from tests.inbox.running_receiver import (
    PASSWORD,
    THIIO,
    ULTRACART,
    USERNAME,
    orders,
    receiver_settings,
    serve_receiver,
    url_of,
)
from tests.openapi_run import call_all

CONFIG = Path(__file__).with_name("receiver_openapi.toml")
DOCUMENT = json.loads(FILE.read_text())


def test_every_route_is_documented_and_no_other(engine: Engine) -> None:
    """But for the document's own; a HEAD is a GET without the body."""
    routes = {
        (route.path, method.lower())
        for route in create_app(receiver_settings(url_of(engine))).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    documented = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}

    assert routes - {("/openapi.json", "get")} == documented


def test_it_is_told_to_anybody(receiver: httpx.Client) -> None:
    """It holds no setting; its version is the project's."""
    answer = httpx.get(receiver.base_url.join("/openapi.json"))

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == DOCUMENT
    assert DOCUMENT["info"]["version"] == version("ultrathiio")


def test_every_answer_is_a_documented_one(receiver: httpx.Client, tmp_path: Path) -> None:
    """Whatever is asked, with or without credentials: status, headers, content type and body."""
    receiver.post(ULTRACART, json=orders(1)).raise_for_status()
    receiver.post(THIIO, content=b"neither JSON nor empty")
    credentials = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()

    report = call_all(
        str(receiver.base_url.join("/openapi.json")),
        f"--header=Authorization:Basic {credentials}",
        examples=5,
        config=CONFIG,
        report=tmp_path / "report.json",
    )

    assert report["operations"]["tested"] == sum(len(methods) for methods in DOCUMENT["paths"].values())
    assert report["test_cases"]["generated"] > 200


def test_the_statuses_that_made_up_calls_do_not_reach_are_documented(engine: Engine) -> None:
    """Too long, of a type that is no JSON, at a wrong address, and with the database away."""
    documented = DOCUMENT["paths"][ULTRACART]["post"]["responses"].keys()
    with serve_receiver(url_of(engine), max_body_bytes=10_000) as receiver:
        too_long = receiver.post(ULTRACART, content=b" " * 20_000)
        wrong_type = receiver.post(ULTRACART, data={"a": "form"})
    with serve_receiver(url_of(engine), path_token="a-token-of-24-characters") as receiver:
        wrong_token = receiver.post(f"{ULTRACART}/another", json=orders(1))
    with serve_receiver("postgresql+psycopg://nobody@127.0.0.1:9/none") as receiver:
        is_away = receiver.post(ULTRACART, json=orders(1))
        is_not_ready = receiver.get("/ready")
    turned = [too_long, wrong_type, wrong_token, is_away]

    assert [answer.status_code for answer in turned] == [413, 415, 404, 503]
    assert {str(answer.status_code) for answer in turned} <= documented
    assert all(answer.json().keys() == {"error"} for answer in turned)
    assert int(is_away.headers["retry-after"]) > 0
    assert (is_not_ready.status_code, is_not_ready.json().keys()) == (503, {"status", "reason"})
