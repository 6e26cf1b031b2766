"""One call to the stand-in: what was asked, how it is refused, how a list is cut into pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import httpx
import msgspec

DEFAULT_LIMIT = 100
YEARS = (1900, 9000)
"""Outside of these a time cannot be told in every time zone."""


class Refusal(Exception):
    """The call is answered with an error status and UC-REST-ERROR."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


@dataclass(frozen=True, slots=True)
class Call:
    """A call, taken apart. `parts` are the path's variables, unquoted."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def expand(self) -> frozenset[str]:
        """The expansions asked for; unknown ones are ignored, as by UltraCart."""
        return frozenset(name.strip() for name in self.query.get("_expand", "").split(","))

    def says(self, name: str) -> bool:
        """Tell whether the query sets a switch, in any case of letters."""
        return self.query.get(name, "").casefold() == "true"

    def object(self) -> dict[str, Any]:
        """Give the body, which must be an object."""
        if not isinstance(self.body, dict):
            raise Refusal("The body must be a JSON object.")
        return self.body


def read_call(request: httpx.Request, root: str) -> Call:
    """Read a request below `root`; raises `Refusal` for a body that is no JSON.

    A null in the body is as if its key were not there. What UltraCart makes of one is not published.
    """
    path = request.url.raw_path.decode().split("?")[0].removeprefix(root)
    try:
        body = msgspec.json.decode(request.content) if request.content else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("The body is not JSON.") from None
    return Call(request.method, path, dict(request.url.params), _without_nulls(body))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def match_path(template: str, path: str) -> dict[str, str] | None:
    """Give the variables of `/order/orders/{order_id}` in a path, or None if it is another path."""
    expected, given = template.split("/"), path.split("/")
    if len(expected) != len(given):
        return None
    parts = {}
    for name, value in zip(expected, given, strict=True):
        if name.startswith("{"):
            parts[name.strip("{}")] = unquote(value)
        elif name != value:
            return None
    return parts


def cut_page(
    call: Call, rows: Sequence[Any], payload_name: str, cap: int, *, clamps: bool = False
) -> dict[str, Any]:
    """Give the page that a call asks for, in UltraCart's envelope.

    A `_limit` above `cap` is refused, or with `clamps` taken for `cap`: the vendor only says that it may
    answer 400.
    """
    limit = _whole_number(call, "_limit", DEFAULT_LIMIT)
    offset = _whole_number(call, "_offset", 0)
    if clamps:
        limit = min(limit, cap)
    if not 1 <= limit <= cap:
        raise Refusal(f"_limit must be between 1 and {cap}.")
    page = rows[offset : offset + limit]
    following = offset + len(page)
    result_set: dict[str, Any] = {
        "count": len(page),
        "offset": offset,
        "limit": limit,
        "total_records": len(rows),
    }
    if following < len(rows):
        result_set |= {"more": True, "next_offset": following}
    else:
        result_set["next_offset"] = 0  # the recorded last page has this, and no `more`
    return {
        payload_name: list(page),
        "success": True,
        "metadata": {"result_set": result_set, "payload_name": payload_name},
    }


def single(payload_name: str, value: Any) -> dict[str, Any]:
    """Give one object in UltraCart's envelope."""
    return {payload_name: value, "success": True, "metadata": {"payload_name": payload_name}}


DONE: dict[str, Any] = {"success": True, "metadata": {}}
"""The answer of an action without payload."""


def read_time(text: str, name: str) -> datetime:
    """Read a time with offset, as UltraCart's queries take it."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{name} is not an ISO 8601 time.") from None
    if time.tzinfo is None:
        raise Refusal(f"{name} has no offset.")
    if not YEARS[0] <= time.year <= YEARS[1]:
        raise Refusal(f"{name} is not of our time.")
    return time


def _whole_number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not text.isdecimal():
        raise Refusal(f"{name} must be a whole number.")
    return int(text)


Handler = Callable[[Any, Call], Any]
"""Takes the store and a call, gives the answer's JSON; None is a 204."""
