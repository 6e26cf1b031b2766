"""Look an order up at UltraCart by our partner order id, in two ways, and prove that the look-up works.

One way is the query of orders at the origin, by channel partner code and id; the other one the channel
partner's own look-up, which knows the partner by the key. A wrong code, or a key of another partner, makes
one of them blind: it must not turn into a second import.
"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.errors import RemoteRefused
from tasks.push.outbox import Push
from tasks.ultracart.client import UltraCartClient

KNOWN = 3
"""So many of our latest orders are tried before the look-up counts as blind."""


class LookUp:
    """Looks orders up during one run; what the run proved of the look-up itself is remembered."""

    def __init__(self, ultracart: UltraCartClient, channel_partner_code: str) -> None:
        self._ultracart = ultracart
        self._code = channel_partner_code
        self._is_proven = False
        self._vague = ""

    def find(self, partner_order_id: str) -> str | None:
        """Give the UltraCart order id of a partner order id if either way finds it; None if both say no."""
        order = self._ultracart.find_partner_order(partner_order_id)
        if order is not None:
            return order.order_id
        return self._find_own(partner_order_id)

    def why_blind(self, known: Sequence[Push]) -> str | None:
        """Say why an empty look-up proves nothing in this run; None once it is proven to work.

        `known` are pushes that UltraCart surely has: one of them must be found in both ways. Before there is
        any, the channel partner code must be one of the store's.
        """
        if not self._is_proven:
            self._is_proven = any(map(self._is_found, known)) if known else self._is_code_known()
        if not self._is_proven:
            shown = known[0].ultracart_order_id if known else None
            return (
                f"the look-up does not find {shown}, which we pushed"
                if shown
                else f"UltraCart has no active channel partner with the code {self._code}"
            )
        return None if known else self._vague or None

    def _find_own(self, partner_order_id: str) -> str | None:
        try:
            order = self._ultracart.find_own_order(partner_order_id)
        except RemoteRefused as error:
            # Not published how an unknown id is answered. A refusal counts as "no" only in a run that saw
            # the same call find an order of ours.
            self._vague = f"an unknown order is answered in words that do not say so: {error}"
            return None
        return None if order is None else order.order_id

    def _is_found(self, push: Push) -> bool:
        order = self._ultracart.find_partner_order(push.partner_order_id)
        own = self._find_own(push.partner_order_id)
        return order is not None and order.order_id == own == push.ultracart_order_id

    def _is_code_known(self) -> bool:
        partners = self._ultracart.list_channel_partners()
        return any(partner.code == self._code and not partner.inactive for partner in partners)
