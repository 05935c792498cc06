"""The sandbox in a process of its own, so that its CPU is not counted as the bridge's. It speaks by lines of JSON."""

from __future__ import annotations

import copy
import json
import sys
from typing import Any

from bridge.ledger import Ledger
from bridge.sandbox import Sandbox
from bridge.sandbox.magento.generator import KINDS
from bridge.showcase import add_instance, map_all
from tests.bench.children import answer_requests

#: Numbers of the orders that are made: a text that stands nowhere else in an order.
FIRST_NUMBER = 7_000_001

Raw = dict[str, Any]


class Shop:
    """The shop and its Odoo, for one ledger."""

    def __init__(self, box: Sandbox, ledger: Ledger) -> None:
        self._box = box
        self._ledger = ledger
        self._templates: list[Raw] = []
        self._number = FIRST_NUMBER
        self._products: list[Raw] = []

    def answer(self, request: dict[str, Any]) -> Any:
        """Do what a request asks for, and return what it wants to know."""
        name = request.pop("do")
        return getattr(self, f"do_{name}")(**request)

    def do_address(self) -> Any:
        """Say where both systems are, and how to be let in."""
        magento, odoo = self._box.magento, self._box.odoo
        return {
            "magento": magento.url,
            "magento_token": magento.admin_token,
            "odoo": odoo.url,
            "odoo_db": odoo.database,
            "odoo_key": odoo.key,
        }

    def do_instance(self, *, name: str, settings: Raw) -> Any:
        """Add an instance to the ledger that knows all that the templates need."""
        if not self._templates:
            self._templates = self._box.magento.generate_orders(len(KINDS), kinds=tuple(KINDS))
        add_instance(self._ledger, self._box, name=name, settings=settings)
        map_all(self._ledger, self._box, self._templates, name=name)
        return len(self._templates)

    def do_orders(self, *, count: int, start: int = 0) -> Any:
        """Put ``count`` orders into the shop, of each kind in turn; each kind has one buyer, who comes again."""
        made = []
        for place in range(count):
            raw = copy.deepcopy(self._templates[(start + place) % len(self._templates)])
            number, self._number = self._number, self._number + 1
            raw |= {"entity_id": number, "increment_id": f"{number:09d}", "quote_id": number}
            self._box.magento.orders.add(raw)
            made.append([number, raw["updated_at"]])
        return made

    def do_catalog_instance(self, *, name: str, settings: Raw) -> Any:
        """Add an instance to the ledger for a catalog that is new to Odoo."""
        add_instance(self._ledger, self._box, name=name, settings={"auto_create_products": True, **settings})
        return None

    def do_products(self, *, count: int, configurable_share: float) -> Any:
        """Put ``count`` products into the shop, its configurables and their children among them."""
        self._products = self._box.magento.add_products(count, configurable_share=configurable_share)
        return len(self._box.magento.catalog.all())

    def do_simples(self, *, count: int) -> Any:
        """Put ``count`` products into the shop that are of the type ``simple``, every one."""
        self._products = self._box.magento.add_products(count, configurable_share=0)
        for raw in self._products:
            if raw["type_id"] != "simple":
                values = {"type_id": "simple", "weight": 1.0}
                self._box.magento.catalog.change(raw["sku"], values, is_silent=True)
        return None

    def do_change(self, *, count: int, is_silent: bool) -> Any:
        """Give other names to ``count`` of the products that were put in last, or to all of them if there are fewer."""
        for number, raw in enumerate(self._products[:count]):
            values = {"name": f"Renamed {number} {is_silent}"}
            self._box.magento.catalog.change(raw["sku"], values, is_silent=is_silent)
        return None

    def do_latency(self, *, seconds: float) -> Any:
        """Let every answer of both systems take ``seconds`` longer."""
        for system in (self._box.magento, self._box.odoo):
            system.faults.set(latency=seconds)
        return None

    def do_calls(self) -> Any:
        """Return how often each operation was asked for since the last time."""
        found = self._box.calls.counts()
        self._box.calls.reset()
        return {f"{system}: {method} {name}": count for (system, method, name), count in found.items()}


def main() -> None:
    """Serve until standard input ends."""
    given = json.loads(sys.stdin.readline())
    with (
        Ledger.open(given["database_url"], secret_key=given["secret_key"]) as ledger,
        Sandbox.start(odoo_version=18) as box,
    ):
        # Six digits: every kind of order can then be had to the cent without an adjustment line.
        box.odoo.set_price_precision(6)
        print("{}", flush=True)
        answer_requests(Shop(box, ledger).answer)


if __name__ == "__main__":
    main()
