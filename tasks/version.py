"""Which version of this project runs."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version


@cache
def our_version() -> str:
    """Give the version that was installed: 0.1.0."""
    return version("ultrathiio")
