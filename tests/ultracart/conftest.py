"""A client of UltraCart's stand-in, and the documented payloads."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tasks.http_client import Exchange
from tasks.settings import UltraCartSettings
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.server import UltraCartSandbox


@pytest.fixture
def settings(ultracart: UltraCartSandbox) -> UltraCartSettings:
    """Settings that point at the stand-in."""
    return UltraCartSettings(
        base_url=ultracart.base_url,
        simple_key=ultracart.simple_key,
        merchant_id=ultracart.merchant_id,
        channel_partner_code=ultracart.channel_partner_code,
    )


@pytest.fixture
def told() -> list[Exchange]:
    """What the client tells of its exchanges."""
    return []


@pytest.fixture
def client(settings: UltraCartSettings, told: list[Exchange]) -> Iterator[UltraCartClient]:
    """A client of the stand-in."""
    with UltraCartClient.connect(settings, told.append) as client:
        yield client


@pytest.fixture
def http(ultracart: UltraCartSandbox) -> Iterator[httpx.Client]:
    """A bare HTTP client with the stand-in's key and the right version."""
    headers = {"x-ultracart-simple-key": ultracart.simple_key, "X-UltraCart-Api-Version": "2017-03-01"}
    with httpx.Client(base_url=ultracart.base_url, headers=headers) as client:
        yield client
