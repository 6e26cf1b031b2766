"""The vendor's own SDK, set up against the stand-in by the recipe that its documents leave out.

Another host than UltraCart's, no repeats of its own, and strict: it raises on every null, on every value
outside its enums and on every text that is too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import ultracart as sdk

from tasks.ultracart.sandbox.server import UltraCartSandbox

ORDER_PARTS = (
    "billing,shipping,item,summary,payment,payment.transaction,channel_partner,customer_profile,auto_order,"
    "coupon,checkout,taxes"
)


@contextmanager
def open_sdk(sandbox: UltraCartSandbox, *, is_lenient: bool = False) -> Iterator[Any]:
    """Give the vendor's client of a stand-in."""
    configuration = sdk.Configuration(
        host=sandbox.base_url,
        api_key={"ultraCartSimpleApiKey": sandbox.simple_key},
        discard_unknown_keys=is_lenient,
    )
    configuration.retries = False
    with sdk.ApiClient(
        configuration, header_name="X-UltraCart-Api-Version", header_value="2017-03-01"
    ) as client:
        yield client


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    """Make a call that must fail; gives its status and UC-REST-ERROR."""
    with pytest.raises(sdk.ApiException) as caught:
        call()
    return caught.value.status, caught.value.headers["UC-REST-ERROR"]


def missing(name: str) -> tuple[int, str]:
    """Give how the stand-in refuses what does not exist, unless switched."""
    return 400, f"Server side object '{name}' could not be found. It does not exist."
