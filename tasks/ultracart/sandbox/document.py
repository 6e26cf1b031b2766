"""The OpenAPI document of what this stand-in serves, and what of a call does not agree with it.

`openapi.json` beside this file is a derivation, not the vendor's own file: paths, parameters, types, enums
and lengths were read from the SDK ultracart-rest-sdk 4.1.208 (Apache-2.0) by introspection. With which words
UltraCart refuses what does not agree, and whether it does so at all, is not published: the SDK refuses it
before it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tasks.ultracart.sandbox.call import Call, Refusal

FILE = Path(__file__).with_name("openapi.json")
LEFT_TO_ITS_HANDLER = frozenset({"/channel_partner/import"})
"""Where a wrong value is no refusal, but one of the answer's errors."""
TEXT_TYPES = {
    "integer": re.compile(r"[+-]?[0-9]{1,18}"),
    "number": re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?"),
    "boolean": re.compile("true|false", re.IGNORECASE),  # the SDK writes True
}
"""How a query writes values; whole numbers fit into 64 bits, as UltraCart is written in Java."""
JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
}  # fmt: skip
GREATEST = 10**18


class Fault(NamedTuple):
    """What is wrong with a value; a wrong type cannot even be read."""

    text: str
    is_type: bool


@cache
def load_document() -> dict[str, Any]:
    """Read the document; whoever gets it must not change it."""
    document: dict[str, Any] = msgspec.json.decode(FILE.read_bytes())
    return document


def check_call(call: Call, template: str) -> None:
    """Refuse a call whose query or body does not agree with the document."""
    operation = load_document()["paths"][template][call.method.lower()]
    for parameter in operation.get("parameters", ()):
        name, kind = parameter["name"], parameter["schema"]["type"]
        given = call.parts if parameter["in"] == "path" else call.query
        if name in given and kind in TEXT_TYPES and not TEXT_TYPES[kind].fullmatch(given[name]):
            raise Refusal(f"{name} must be {_article(kind)}.")
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        for fault in find_faults(schema, call.object()):
            if fault.is_type or template not in LEFT_TO_ITS_HANDLER:
                raise Refusal(fault.text)


def find_faults(schema: dict[str, Any], value: Any, where: str = "") -> Iterator[Fault]:
    """Tell what is wrong with a value; names that the document does not know are let through."""
    schema = _resolve(schema)
    kind = schema["type"]
    if not _is_of(kind, value):
        yield Fault(f"{where or 'The body'} must be {_article(kind)}.", is_type=True)
    elif kind == "object":
        for name, inner in schema["properties"].items():
            if name in value:
                yield from find_faults(inner, value[name], f"{where}.{name}".lstrip("."))
    elif kind == "array":
        for index, each in enumerate(value):
            yield from find_faults(schema["items"], each, f"{where}[{index}]")
    elif len(str(value)) > schema.get("maxLength", GREATEST):
        yield Fault(f"{where} is longer than {schema['maxLength']} characters.", is_type=False)
    elif value not in schema.get("enum", (value,)):
        yield Fault(f"{where} {value} is not supported.", is_type=False)


def schema_of(name: str) -> dict[str, Any]:
    """Give a model's schema by its name."""
    schema: dict[str, Any] = load_document()["components"]["schemas"][name]
    return schema


def _resolve(schema: dict[str, Any]) -> dict[str, Any]:
    return schema_of(schema["$ref"].rpartition("/")[2]) if "$ref" in schema else schema


def _is_of(kind: str, value: Any) -> bool:
    if isinstance(value, bool) or kind == "boolean":
        return isinstance(value, bool) and kind == "boolean"
    if isinstance(value, int | float) and not -GREATEST < value < GREATEST:
        return False
    return isinstance(value, JSON_TYPES[kind])


def _article(kind: str) -> str:
    words = {"object": "an object", "array": "a list", "string": "a text", "boolean": "true or false"}
    return words.get(kind, "a number" if kind == "number" else "a whole number")
