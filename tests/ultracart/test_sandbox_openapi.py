"""The stand-in's OpenAPI document: what it says, the vendor says; what it serves, it says; it answers so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import ultracart as sdk
from ultracart import apis, models

from tasks.ultracart.sandbox.document import load_document
from tasks.ultracart.sandbox.server import ROUTES, UltraCartSandbox
from tests.openapi_run import call_all

CONFIG = Path(__file__).with_name("sandbox_openapi.toml")
KINDS = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"},
}  # fmt: skip
IMPORT = {
    "email": "nora@example.com",
    "payment_method": "Purchase Order",
    "items": [{"merchant_item_id": "BONE", "quantity": 1}],
}


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """The document's operations, by method and path."""
    return {
        (method.upper(), path): operation
        for path, operations in load_document()["paths"].items()
        for method, operation in operations.items()
    }


def vendors_type(kinds: Any) -> dict[str, Any]:
    """A type of the vendor's SDK, in the document's words."""
    (kind,) = kinds
    if isinstance(kind, list):
        return {"type": "array", "items": vendors_type(kind)}
    return dict(KINDS[kind]) if kind in KINDS else {"$ref": f"#/components/schemas/{kind.__name__}"}


def vendors_schema(name: str) -> dict[str, Any]:
    """What the vendor's SDK knows of a model's fields: type, values and length."""
    model = getattr(models, name)
    fields = {}
    for attribute, wire_name in model.attribute_map.items():
        fields[wire_name] = vendors_type(model.openapi_types[attribute])
        values = model.allowed_values.get((attribute,))
        if values:
            fields[wire_name]["enum"] = list(values.values())
        length = model.validations.get((attribute,), {}).get("max_length")
        if length:
            fields[wire_name]["maxLength"] = length
    return fields


def test_every_operation_served_is_documented_and_every_documented_one_is_served() -> None:
    """By the same names of the path's variables, too."""
    assert {(method, path) for method, path, _ in ROUTES} == set(operations())


def test_every_model_is_the_vendors() -> None:
    """Field by field; of an item's parts only those that the stand-in has are described."""
    ours = {name: model["properties"] for name, model in load_document()["components"]["schemas"].items()}
    theirs = {name: vendors_schema(name) for name in ours}
    theirs["Item"] = {field: schema for field, schema in theirs["Item"].items() if field in ours["Item"]}

    assert ours == theirs


def test_an_operations_parameters_are_the_vendors() -> None:
    """Their names, where they stand, and their types."""
    client = sdk.ApiClient(sdk.Configuration())
    groups = [getattr(apis, name)(client) for name in dir(apis) if name.endswith("Api")]
    endpoints = {
        (value.settings["http_method"], value.settings["endpoint_path"]): value
        for group in groups
        for name, value in vars(group).items()
        if name.endswith("_endpoint")
    }
    for key, operation in operations().items():
        endpoint = endpoints[key]
        ours = {(each["name"], each["in"]): each["schema"] for each in operation.get("parameters", ())}
        theirs = {
            (endpoint.attribute_map[name], place): vendors_type(endpoint.openapi_types[name])
            for name, place in endpoint.location_map.items()
            if place != "body"
        }
        assert ours == theirs, key
        assert ("requestBody" in operation) == ("body" in endpoint.location_map.values()), key


def test_it_is_told_over_http(ultracart: UltraCartSandbox) -> None:
    """Without key, below the stand-in's own address: UltraCart itself has no such call."""
    answer = httpx.get(ultracart.base_url.removesuffix("/rest/v2") + "/_sandbox/openapi.json")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == load_document()


def test_every_answer_is_a_documented_one(
    ultracart: UltraCartSandbox, http: httpx.Client, tmp_path: Path
) -> None:
    """Whatever is asked: status, headers, and a body without nulls and without values of the wrong type."""
    ultracart.register_webhook("http://127.0.0.1:9/", "user", "secret")
    for number in (1, 2, 3):
        taken = http.post(
            "/channel_partner/import", json={"channel_partner_order_id": f"THIIO-{number}"} | IMPORT
        )
        assert taken.json()["success"] is True
    ultracart.deliver()
    headers = [
        f"--header={name}:{http.headers[name]}"
        for name in ("x-ultracart-simple-key", "x-ultracart-api-version")
    ]

    report = call_all(
        ultracart.base_url.removesuffix("/rest/v2") + "/_sandbox/openapi.json",
        *headers,
        examples=4,
        config=CONFIG,
        report=tmp_path / "report.json",
    )

    assert report["operations"]["tested"] == len(ROUTES)
    assert report["test_cases"]["generated"] > 2_000


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("GET", "/order/orders?total=much", None, "total must be a number."),
        ("GET", "/order/orders?email=a%40b.c&_limit=-", None, "_limit must be a whole number."),
        ("GET", "/customer/customers/x", None, "customer_profile_oid must be a whole number."),
        ("POST", "/order/orders/query", [], "The body must be a JSON object."),
        ("POST", "/order/orders/query", {"total": "5"}, "total must be a number."),
        ("POST", "/order/orders/query", {"total": True}, "total must be a number."),
        (
            "POST", "/order/orders/query", {"current_stage": "Cancelled"},
            "current_stage Cancelled is not supported.",
        ),
        ("POST", "/order/orders/batch", {"order_ids": [1]}, "order_ids[0] must be a text."),
        (
            "POST", "/customer/customers", {"email": "a@b.c", "billing": [{"city": "x" * 33}]},
            "billing[0].city is longer than 32 characters.",
        ),
        ("POST", "/channel_partner/import", {"items": {}}, "items must be a list."),
        ("PUT", "/order/orders/DEMO-0009100001/refund", {"summary": []}, "summary must be an object."),
    ],
)  # fmt: skip
def test_what_does_not_agree_with_it_is_refused(
    http: httpx.Client, method: str, path: str, body: Any, text: str
) -> None:
    """With the place in the body where it stands."""
    answer = http.request(method, path, json=body)

    assert (answer.status_code, answer.headers["uc-rest-error"]) == (400, text)


def test_a_null_is_as_if_it_were_not_there(http: httpx.Client) -> None:
    """In any depth: what UltraCart makes of one is not published."""
    answer = http.post(
        "/customer/customers", json={"email": "a@b.c", "billing": [{"city": None}], "tags": None}
    )

    assert answer.status_code == 200


def test_an_error_is_one_line_of_ascii_in_its_header(http: httpx.Client) -> None:
    """Whatever the caller wrote; the body has it as it is."""
    answer = http.post("/order/orders/query", json={"Größe\r\nSet-Cookie: a=b": "1"})

    assert answer.status_code == 501
    assert answer.headers["uc-rest-error"].endswith("by Gr??e??Set-Cookie: a=b.")
    assert "Größe" in answer.json()["error"]["user_message"]
