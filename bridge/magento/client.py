"""The client of one Magento: typed calls in, records or errors of ours out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx

from bridge.errors import DuplicateRecord, InvalidRecord
from bridge.magento import scan, stores
from bridge.magento.auth import MagentoSecret, auth_for, secret_values
from bridge.magento.calls import Calls
from bridge.magento.media import Media
from bridge.magento.rows import read_record, read_rows
from bridge.magento.scan import ScanCursor, ScanPage
from bridge.magento.search import Filter, search_query
from bridge.wire import Wire

#: What a list of orders tells: enough to know which to read, and no personal data.
ORDER_FIELDS = "items[entity_id,increment_id,store_id,state,status,created_at,updated_at],total_count"
CUSTOMER_FIELDS = "items[id,updated_at],total_count"
#: Within what an input limit of Magento allows by default (``errors/027-limit-page-size-over-maximum``).
_IDS_AT_ONCE = 50


class MagentoClient(Calls):
    """Speaks Magento's REST API, 2.4.6 to 2.4.9: its records. What other modules read and write goes by its calls."""

    @classmethod
    def connect(
        cls,
        *,
        base_url: str,
        secret: MagentoSecret,
        store_code: str = "all",
        verify_ssl: bool = True,
        deadline_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> MagentoClient:
        """Return a client with a connection pool of its own; nothing is sent yet.

        Raises:
            SettingsWrong: address, store code or secret cannot be right.
        """
        wire = Wire(
            system="magento",
            base_url=base_url,
            verify_ssl=verify_ssl,
            secrets=secret_values(secret),
            deadline_seconds=deadline_seconds,
            transport=transport,
        )
        return cls(wire, auth=auth_for(secret), store_code=store_code)

    # Orders

    def order(self, entity_id: int) -> dict[str, Any]:
        """Return the whole order.

        Raises:
            RecordMissing: there is no such order.
        """
        order = read_record(self.get(f"/orders/{int(entity_id)}"), "order")
        if order.get("entity_id") != entity_id:
            raise InvalidRecord("Magento answered with another order.", system="magento", field="entity_id")
        return order

    def find_order(self, increment_id: str, *, store_id: int | None = None) -> dict[str, Any] | None:
        """Return id, store, state and dates of the order with this number, None where there is none.

        Raises:
            DuplicateRecord: several store views have this number and ``store_id`` is not given.
        """
        filters = [Filter("increment_id", increment_id)]
        if store_id is not None:
            filters.append(Filter("store_id", store_id))
        query = search_query(filters, page_size=20, sort=("entity_id",), fields=ORDER_FIELDS)
        rows = read_rows(self.get("/orders", query=query))[0]
        # The database compares without regard to case and closing blanks.
        found = [row for row in rows if row.get("increment_id") == increment_id]
        if len(found) > 1:
            stores = sorted({row["store_id"] for row in found if "store_id" in row})
            raise DuplicateRecord(
                f"{len(found)} Magento orders have the number {increment_id}, in store views {stores}: say which.",
                system="magento",
                reason="increment_id",
                increment_id=increment_id,
                stores=stores,
                entity_ids=[row.get("entity_id") for row in found],
            )
        return found[0] if found else None

    def scan_orders(
        self, *, updated_from: datetime, after: ScanCursor | None = None, page_size: int = 100
    ) -> ScanPage:
        """Return one page of the orders changed at ``updated_from`` or later, oldest change first.

        ``after`` is the cursor of the page before, or of an earlier scan. Rows may come twice, never not at all.
        """
        cursor = after or scan.begin(updated_from)
        return self.scan_list("/orders", cursor, fields=ORDER_FIELDS, page_size=page_size)

    def orders_by_id(self, entity_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the whole orders with these ids; one that is gone is missing."""
        found: dict[int, dict[str, Any]] = {}
        wanted = sorted(set(entity_ids))
        while wanted:
            asked = wanted[:_IDS_AT_ONCE]
            ids = ",".join(str(int(one)) for one in asked)
            query = search_query(
                [Filter("entity_id", ids, "in")], page_size=_IDS_AT_ONCE, sort=("entity_id",)
            )
            rows = {row.get("entity_id"): row for row in read_rows(self.get("/orders", query=query))[0]}
            new = [one for one in asked if one in rows]
            found |= {one: rows[one] for one in new}
            # Some shops cap pages without a word: what is missing is asked for once more, unless nothing came.
            done = set(new or asked)
            wanted = [one for one in wanted if one not in done]
        return found

    def set_ext_order_id(self, entity_id: int, text: str) -> None:
        """Write the other system's order name; exactly these fields, as Magento overwrites what it gets.

        Absolute, so it may be repeated. It moves ``updated_at`` (``fulfilment/122-order-post-entity-ext-id``).
        """
        self.post("/orders", {"entity": {"entity_id": int(entity_id), "ext_order_id": text}})

    # Customers

    def customer(self, customer_id: int) -> dict[str, Any]:
        """Return the account with its addresses.

        Raises:
            RecordMissing: there is no such account.
        """
        customer = read_record(self.get(f"/customers/{int(customer_id)}"), "customer")
        if customer.get("id") != customer_id:
            raise InvalidRecord("Magento answered with another customer.", system="magento", field="id")
        return customer

    def scan_customers(
        self, *, updated_from: datetime, after: ScanCursor | None = None, page_size: int = 100
    ) -> ScanPage:
        """Return one page of the accounts changed at ``updated_from`` or later, oldest change first."""
        cursor = after or scan.begin(updated_from)
        return self.scan_list("/customers/search", cursor, fields=CUSTOMER_FIELDS, page_size=page_size)

    # Products

    def product(self, entity_id: int) -> dict[str, Any] | None:
        """Return the product with this id, None where there is none. There is no path by id: a list is asked."""
        return self._product(Filter("entity_id", int(entity_id)), lambda row: row.get("id") == entity_id)

    def skus(self, entity_ids: Sequence[int]) -> dict[int, str]:
        """Return the SKUs of the products with these ids, as the catalog has them now; one that is gone is missing."""
        found: dict[int, str] = {}
        for start in range(0, len(entity_ids), _IDS_AT_ONCE):
            ids = ",".join(str(int(one)) for one in entity_ids[start : start + _IDS_AT_ONCE])
            query = search_query(
                [Filter("entity_id", ids, "in")],
                page_size=_IDS_AT_ONCE,
                sort=("entity_id",),
                fields="items[id,sku],total_count",
            )
            rows, _ = read_rows(self.get("/products", query=query))
            found |= {int(row["id"]): str(row["sku"]) for row in rows if row.get("id") and row.get("sku")}
        return found

    def product_by_sku(self, sku: str) -> dict[str, Any] | None:
        """Return the product with this SKU, without regard to case, None where there is none.

        By a list: many web servers refuse the ``%2F`` of a SKU in the path (``catalog/044``, ``045``).
        """
        wanted = sku.casefold()
        return self._product(Filter("sku", sku), lambda row: str(row.get("sku", "")).casefold() == wanted)

    def _product(self, item: Filter, is_it: Any) -> dict[str, Any] | None:
        rows, _ = read_rows(
            self.get("/products", query=search_query([item], page_size=5, sort=("entity_id",)))
        )
        found = [row for row in rows if is_it(row)]
        if len(found) > 1:
            raise DuplicateRecord(
                f"{len(found)} Magento products have the {item.field} {item.value}.",
                system="magento",
                reason=item.field,
                ids=[row.get("id") for row in found],
            )
        return found[0] if found else None

    # Stores

    def websites(self) -> list[stores.Website]:
        """Return the websites, ``admin`` (0) among them."""
        return stores.websites(self.get("/store/websites"))

    def store_groups(self) -> list[stores.StoreGroup]:
        """Return the store groups, ``Default`` (0) among them."""
        return stores.store_groups(self.get("/store/storeGroups"))

    def store_views(self) -> list[stores.StoreView]:
        """Return the store views, ``admin`` (0) among them."""
        return stores.store_views(self.get("/store/storeViews"))

    def store_configs(self) -> list[stores.StoreConfig]:
        """Return currency, time zone, locale and addresses of each store view but ``admin``."""
        return stores.store_configs(self.get("/store/storeConfigs"))

    def media(self, url: str) -> Media:
        """Return the reader of the media folder at ``url``; it is shown no credentials.

        Raises:
            PictureUnusable: the address is not a plain ``http`` or ``https`` one.
        """
        return Media.at(url, self._wire, record=self._record)
