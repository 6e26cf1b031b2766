"""Wrong credentials, counted by the address they come from; only the last minute is remembered.

It is no lock: right credentials pass at any time, so nobody can shut out a sender behind the same proxy. It
tells a guesser or a sender with an old password to stop, and shows up in the metrics as status 429. What
keeps a guesser out is a long password.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

BLOCK_SECONDS = 60
MOST_FAILURES = 20
"""Wrong credentials from one address in a minute that are answered 401; after that it is 429."""
MOST_ADDRESSES = 10_000
"""Addresses that are remembered; the one that began longest ago gives way."""
IPV6_HOST_BITS = 64
"""One customer of a provider has at least a /64 to choose addresses from."""


class FailedLogins:
    """Counts failures by address; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def count(self, address: str) -> bool:
        """Count a failure, and tell whether there were too many from this address in the last minute."""
        now, key = self._clock(), _group(address)
        began, failures = self._counts.get(key, (now, 0))
        if now - began >= BLOCK_SECONDS:
            del self._counts[key]
            began, failures = now, 0
        self._counts[key] = (began, failures + 1)
        if len(self._counts) > MOST_ADDRESSES:
            self._counts.popitem(last=False)
        return failures >= MOST_FAILURES


def _group(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address  # a socket without one
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or int(parsed) >> IPV6_HOST_BITS)
