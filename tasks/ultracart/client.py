"""UltraCart's REST API v2, as far as the jobs need it.

Whether a time filter includes its ends is not published: windows are asked a second wider, and cut here where
it matters. There is no filter for changed orders at all: see `iter_changed_orders`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

from msgspec import Struct, field

from tasks.errors import AnswerLost, RemoteChanged, RemoteRefused
from tasks.http_client import Exchange, HttpClient
from tasks.records.models import Window
from tasks.settings import UltraCartSettings, require
from tasks.ultracart import wire
from tasks.ultracart.answers import REQUEST_ID_HEADER, decode, judge, means_not_found
from tasks.ultracart.envelopes import (
    CUSTOMERS,
    ITEMS,
    LOG_SUMMARIES,
    ORDERS,
    WEBHOOKS,
    CustomerAnswer,
    ListKind,
    LookupAnswer,
    OrderAnswer,
    PartnersAnswer,
    WebhookAnswer,
)
from tasks.ultracart.pacing import Pacer
from tasks.ultracart.paging import Fetched, iter_pages, read_rows, skim

API_VERSION = "2017-03-01"
ORDER_EXPANSIONS = "billing,shipping,item,summary,payment,channel_partner,customer_profile,auto_order"
CUSTOMER_EXPANSIONS = "billing,shipping"
ROWS_PER_PAGE = 200
ITEMS_PER_PAGE = 2_000
ORDERS_PER_BATCH = 500
CACHE_LAG = timedelta(minutes=15)
"""UltraCart's query cache is faster, but lacks the last minutes (vendor's sample get_orders_by_query.py)."""
MARGIN = timedelta(seconds=1)

Row = TypeVar("Row")


class ImportedOrder(Struct, frozen=True):
    """What UltraCart says about an import that it took, in spite of any `warnings`."""

    order_id: str
    warnings: tuple[str, ...] = field(name="import_warnings", default=())


class UltraCartClient:
    """Reads the store and imports orders into it. Errors are those of `tasks/errors.py`."""

    def __init__(self, http: HttpClient, channel_partner_code: str) -> None:
        self._http = http
        self._channel_partner_code = channel_partner_code

    @classmethod
    def connect(
        cls,
        settings: UltraCartSettings,
        on_exchange: Callable[[Exchange], None],
        pacer: Pacer | None = None,
    ) -> UltraCartClient:
        """Make a client; nothing is sent yet. Raises `SetupError` if the key is not set.

        Without a pacer nothing keeps UltraCart's limits: every job goes through `open_ultracart`.
        """
        http = HttpClient(
            system="ultracart",
            base_url=settings.base_url,
            headers={
                "x-ultracart-simple-key": require(settings.simple_key, "ultracart", "simple_key"),
                "X-UltraCart-Api-Version": API_VERSION,
            },
            timeout_seconds=settings.timeout_seconds,
            read_attempts=settings.read_attempts,
            judge=judge,
            on_exchange=on_exchange,
            pacer=pacer,
            request_id_header=REQUEST_ID_HEADER,
        )
        return cls(http, settings.channel_partner_code)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def iter_customers(self, modified: Window | None) -> Iterator[list[wire.Customer]]:
        """Give the customers that were created or changed in a window, or all of them."""
        params = {"_expand": CUSTOMER_EXPANSIONS}
        if modified:
            params |= {
                "last_modified_dts_start": _text(modified.start - MARGIN),
                "last_modified_dts_end": _text(modified.end + MARGIN),
            }
        for page in self._list("/customer/customers", CUSTOMERS, params=params):
            yield [each for each in page if modified is None or _is_in(modified, each.last_modified_dts)]

    def find_customer(self, oid: str) -> wire.Customer | None:
        """Give a customer by its profile oid; None if UltraCart does not know it."""
        path = f"/customer/customers/{quote(oid, safe='')}"
        try:
            body = self._http.read("GET", path, params={"_expand": CUSTOMER_EXPANSIONS})
        except RemoteRefused as error:
            if means_not_found(error):
                return None
            raise
        return decode(body, CustomerAnswer, path).customer

    def iter_orders(self, placed: Window) -> Iterator[list[wire.Order]]:
        """Give the orders that were placed in a window."""
        for page in self._query(_between("creation_date", placed), placed.end):
            yield [order for order in page if _is_in(placed, order.creation_dts)]

    def iter_changed_orders(self, window: Window) -> Iterator[list[wire.Order]]:
        """Give the orders that were placed, paid, shipped, refunded or rejected in a window, each once.

        UltraCart keeps no date of other edits, so those don't show here. Orders near the window's ends may
        come too: one too many does no harm, one too few does.
        """
        seen: set[str] = set()
        for happened in ("creation_date", "payment_date", "shipment_date", "refund_date"):
            for page in self._query(_between(happened, window), window.end):
                yield [order for order in page if order.order_id not in seen]
                seen |= {order.order_id for order in page}
        # No filter knows the date of a rejection, and an order of any age may be rejected today.
        # That UltraCart keeps rejected orders for a year only (its page 1376806) bounds what comes.
        rejected = {"current_stage": "Rejected", "creation_date_end": _text(window.end + MARGIN)}
        for page in self._query(rejected, window.end):
            yield [
                order
                for order in page
                if order.order_id not in seen and (not order.reject_dts or _is_in(window, order.reject_dts))
            ]

    def fetch_orders(self, order_ids: Sequence[str]) -> list[wire.Order]:
        """Give orders by id as they are at the origin now; unknown ids are left out."""
        orders: list[wire.Order] = []
        for start in range(0, len(order_ids), ORDERS_PER_BATCH):
            body = {"order_ids": list(order_ids[start : start + ORDERS_PER_BATCH]), "query_target": "origin"}
            answer = self._http.read(
                "POST", "/order/orders/batch", params={"_expand": ORDER_EXPANSIONS}, json=body
            )
            page = decode(answer, ORDERS.whole, "/order/orders/batch")
            orders += read_rows(page, "/order/orders/batch")
        return orders

    def find_partner_order(self, partner_order_id: str) -> wire.Order | None:
        """Give the order that was imported under our id; of several the first. Asked at the origin."""
        filters = {
            "channel_partner_code": self._channel_partner_code,
            "channel_partner_order_id": partner_order_id,
        }
        found = [
            order
            for page in self._query(filters, None)
            for order in page
            if order.channel_partner and order.channel_partner.channel_partner_order_id == partner_order_id
        ]
        return min(found, key=lambda order: order.order_id, default=None)

    def find_own_order(self, partner_order_id: str) -> wire.Order | None:
        """Give the order that this key imported under our id, whatever the channel partner's code is.

        How UltraCart answers for an unknown id is not published: what does not say so in words is raised as
        `RemoteRefused`.
        """
        id = quote(partner_order_id, safe="")
        path = f"/channel_partner/orders/by_channel_partner_order_id/{id}"
        try:
            body = self._http.read("GET", path, params={"_expand": "channel_partner"})
        except RemoteRefused as error:
            if means_not_found(error):
                return None
            raise
        return decode(body, OrderAnswer, path).order

    def import_order(self, body: dict[str, Any], at_turn: Callable[[], None] | None = None) -> ImportedOrder:
        """Import an order by the channel partner call, sent exactly once.

        `at_turn` is called right before it is sent; what it raises ends the call unsent. Raises
        `RemoteRefused` with UltraCart's words if it did not take the order, and `AnswerLost` if it cannot be
        known: then look it up with `find_partner_order`.
        """
        path = "/channel_partner/import"
        try:
            return decode(self._http.write("POST", path, json=body, at_turn=at_turn), ImportedOrder, path)
        except RemoteChanged as error:
            raise AnswerLost(
                f"{error} The order may have been imported; it will be looked up, not sent again.",
                system="ultracart",
                status=error.status,
                request_id=error.request_id,
            ) from error

    def iter_items(self) -> Iterator[list[wire.Item]]:
        """Give all items."""
        return self._list("/item/items", ITEMS, limit=ITEMS_PER_PAGE)

    def list_gateways(self) -> list[wire.RotatingTransactionGateway]:
        """Give the store's gateways; the public API lists them as values for its fraud rules."""
        path = "/fraud/lookup_values"
        answer = decode(self._http.read("GET", path), LookupAnswer, path)
        return answer.fraud_lookup_values.rotating_transaction_gateways

    def list_channel_partners(self) -> list[wire.ChannelPartner]:
        """Give the channel partners of the store."""
        path = "/channel_partner/channel_partners"
        return decode(self._http.read("GET", path), PartnersAnswer, path).partners

    def list_webhooks(self) -> list[wire.Webhook]:
        """Give the webhooks that this key's application registered."""
        pages = self._list("/webhook/webhooks", WEBHOOKS)
        return [webhook for page in pages for webhook in page]

    def insert_webhook(self, webhook: dict[str, Any]) -> wire.Webhook:
        """Register a webhook."""
        path = "/webhook/webhooks"
        return decode(self._http.write("POST", path, json=webhook), WebhookAnswer, path).webhook

    def update_webhook(self, oid: int, webhook: dict[str, Any]) -> wire.Webhook:
        """Replace a webhook's registration by the whole object given."""
        path = f"/webhook/webhooks/{oid}"
        return decode(self._http.write("PUT", path, json=webhook), WebhookAnswer, path).webhook

    def list_webhook_logs(self, webhook_oid: int, since: datetime) -> list[wire.WebhookLogSummary]:
        """Give the deliveries of a webhook since a time, failed ones too."""
        path = f"/webhook/webhooks/{webhook_oid}/logs"
        pages = self._list(path, LOG_SUMMARIES, params={"_since": _text(since)})
        return [summary for page in pages for summary in page]

    def _query(self, filters: dict[str, str], window_end: datetime | None) -> Iterator[list[wire.Order]]:
        """Query orders, at the origin unless the window ended long enough ago for the cache."""
        is_settled = window_end is not None and window_end < datetime.now(UTC) - CACHE_LAG
        return self._list(
            "/order/orders/query",
            ORDERS,
            params={"_expand": ORDER_EXPANSIONS, "_sort": "creation_dts"},
            json={**filters, "query_target": "cache" if is_settled else "origin"},
        )

    def _list(
        self,
        path: str,
        kind: ListKind[Row],
        *,
        params: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
        limit: int = ROWS_PER_PAGE,
    ) -> Iterator[list[Row]]:
        method = "GET" if json is None else "POST"

        def fetch(offset: int, when_sent: Callable[[], None]) -> Fetched[Row]:
            asked = {**(params or {}), "_limit": limit, "_offset": offset}
            body, tell = self._http.read_untold(method, path, params=asked, json=json, when_sent=when_sent)
            return skim(body, tell, kind, path)

        return iter_pages(fetch, kind.id_of, path)


def _between(name: str, window: Window) -> dict[str, str]:
    return {
        f"{name}_begin": _text(window.start - MARGIN),
        f"{name}_end": _text(window.end + MARGIN),
    }


def _text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")


def _is_in(window: Window, time: datetime | None) -> bool:
    return time is None or window.start <= time < window.end
