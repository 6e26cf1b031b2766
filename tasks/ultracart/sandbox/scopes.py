"""Which permission a call needs: a key's read and write boxes, one pair a resource.

The names are those of the vendor's OpenAPI file (`…_read`, `…_write`). With which status UltraCart refuses a
call that the key may not make is not published, so both are offered; nor is the permission of
/fraud/lookup_values: that it is `configuration_read` is our choice.
"""

from __future__ import annotations

RESOURCES = ("channel_partner", "configuration", "customer", "item", "order", "webhook")
SCOPES = frozenset(f"{resource}_{act}" for resource in RESOURCES for act in ("read", "write"))
REFUSALS = frozenset({401, 403})
QUERIES = ("/query", "/batch")
"""Calls that only read, although they are a POST."""


def scope_of(method: str, path: str) -> str:
    """Give the permission that a call needs: GET /item/items → item_read."""
    resource = path.split("/")[1]
    if resource == "fraud":
        resource = "configuration"
    is_read = method == "GET" or (method == "POST" and path.endswith(QUERIES))
    return f"{resource}_{'read' if is_read else 'write'}"


def check_refusals(refused: dict[str, int]) -> dict[str, int]:
    """Give scope → status as it is; raises ValueError for a name or a status that UltraCart does not have."""
    if unknown := refused.keys() - SCOPES:
        raise ValueError(f"there is no permission called {', '.join(sorted(unknown))}")
    if not set(refused.values()) <= REFUSALS:
        raise ValueError("a missing permission is answered 401 or 403")
    return dict(refused)
