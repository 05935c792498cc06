"""What the simulated Magento holds: orders with their older versions, catalog, customers, stores, switches.

The records come from the recordings (``bridge/sandbox/data/magento``); orders and products that were not
recorded one by one are built in the recorded shape.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.category_state import Attributes, Categories
from bridge.sandbox.magento.data import load_data, moved
from bridge.sandbox.magento.fulfil_state import Fulfilment
from bridge.sandbox.magento.inventory_state import Inventory
from bridge.sandbox.magento.media import MediaFolder
from bridge.sandbox.magento.oauth import Guard, Integration
from bridge.sandbox.magento.reservations import Reservations
from bridge.sandbox.magento.rest import Raw


class Orders:
    """The orders, by entity id. A change keeps the older version for stale reads."""

    def __init__(self, *, stale_seconds: float = 10.0) -> None:
        self._lock = threading.RLock()
        self._rows: dict[int, Raw] = {}
        self._by_increment: dict[str, int] = {}
        self._older: dict[int, tuple[Raw, float]] = {}
        #: How long after a change a stale read may answer the older version.
        self.stale_seconds = stale_seconds
        #: Told of each order that is placed (the first is None) or changed.
        self.followers: list[Callable[[Raw | None, Raw], None]] = []

    def add(self, raw: Raw) -> Raw:
        """Add an order, or put a new version in the place of the one with the same ``entity_id``."""
        with self._lock:
            entity_id = int(raw["entity_id"])
            old = self._rows.get(entity_id)
            if old is not None:
                self._older[entity_id] = (old, time.monotonic())
            self._rows[entity_id] = raw
            for follow in self.followers:
                follow(old, raw)
            self._by_increment[raw["increment_id"]] = entity_id
        return raw

    def get(self, entity_id: int, *, is_stale: bool = False) -> Raw | None:
        """Return an order, or None. A stale read gets the version before the last change, for a while."""
        with self._lock:
            if is_stale and entity_id in self._older:
                raw, changed = self._older[entity_id]
                if time.monotonic() - changed < self.stale_seconds:
                    return raw
            return self._rows.get(entity_id)

    def by_increment(self, increment_id: str) -> Raw | None:
        """Return the order with this increment id, or None."""
        with self._lock:
            return self._rows.get(self._by_increment.get(increment_id, -1))

    def all(self) -> list[Raw]:
        """Return all orders in the order of their ids."""
        with self._lock:
            return [self._rows[entity_id] for entity_id in sorted(self._rows)]

    def change(self, entity_id: int, values: Mapping[str, Any]) -> Raw | None:
        """Set fields of an order and move its ``updated_at``, by a second at the least. None if there is none."""
        with self._lock:
            old = self._rows.get(entity_id)
            if old is None:
                return None
            return self.add({**copy.deepcopy(old), **values, "updated_at": moved(old["updated_at"])})

    def remove(self, entity_id: int) -> None:
        """Delete an order, as only a database script can."""
        with self._lock:
            raw = self._rows.pop(entity_id, None)
            if raw is not None:
                self._by_increment.pop(raw["increment_id"], None)
                self._older.pop(entity_id, None)

    def __len__(self) -> int:
        return len(self._rows)


@dataclass
class Switches:
    """Settings of the shop that change how its REST API answers. May be changed while it runs."""

    #: ``webapi/validation/input_limit_enabled``: page sizes have a default of 20 and a maximum of 50.
    input_limits: bool = False
    #: ``catalog/price/scope``: websites may have prices of their own.
    website_prices: bool = False
    #: Whether the consumer of Magento's queue runs: bulk calls are done at once then.
    queue_runs: bool = False
    #: Whether the web server before it refuses addresses with a slash inside a name, as Apache does unless told otherwise.
    refuses_slashes: bool = False
    #: Whether the shop has Magento's inventory modules; without them only the classic endpoints are there.
    has_inventory: bool = True
    #: What an extension makes of the answers of ``/store/...``, by the list's name: ``storeViews``.
    store_answers: dict[str, Any] = field(default_factory=dict)


class MagentoState:
    """One simulated shop."""

    def __init__(self, *, integration: Integration, guard: Guard | None = None) -> None:
        self.guard = guard or Guard(integration)
        self.switches = Switches()
        self.orders = Orders()
        self.catalog = Catalog(load_data("products"))
        self.attributes = Attributes(load_data("attributes"))
        self.categories = Categories(load_data("categories"))
        self.media = MediaFolder()
        self.customers: dict[int, Raw] = {raw["id"]: raw for raw in load_data("customers")}
        self.stores: dict[str, Any] = load_data("stores")
        self.inventory = Inventory(self.stores, self.catalog)
        self.reservations = Reservations(self.inventory, self.catalog, self.website_of)
        self.orders.followers.append(self.reservations.follow)
        self.fulfilment = Fulfilment(self.inventory, self.reservations, self.catalog)
        #: Bulk calls by their id (``bulk_api``).
        self.bulks: dict[str, Any] = {}
        #: User names and passwords of administrators and customers, for the token endpoints.
        self.admins: dict[str, str] = {}
        self.customer_passwords: dict[str, str] = {}

    def website_of(self, store_id: int) -> str | None:
        """Return the code of the website that a store view belongs to."""
        website_id = next(
            (row["website_id"] for row in self.stores["storeViews"] if row["id"] == store_id), None
        )
        codes = (row["code"] for row in self.stores["websites"] if row["id"] == website_id)
        return next(codes, None)

    def store_codes(self) -> set[str]:
        """Return the codes that may stand in a path: every store view, and ``all``."""
        return {view["code"] for view in self.stores["storeViews"]} | {"all"}
