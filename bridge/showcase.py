"""Sets an instance up against the sandbox as an operator would: for the demo, the flow tests and the benchmarks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from bridge.flows.systems import MAGENTO_SECRET, ODOO_SECRET
from bridge.ledger import Ledger
from bridge.sandbox import Sandbox
from bridge.translate import needs, parse_order
from bridge.translate.order_book import OrderNeeds

#: Service products for what stands in totals beside goods, made in the sandbox's Odoo.
_SERVICES_MADE = frozenset({"shipping", "discount", "adjustment", "bundle", "tax_rounding"})
#: Shares of requests that go wrong where faults are wanted, by system.
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "magento": {
        "latency": (0.0, 0.02),
        "error_5xx": 0.04,
        "rate_429": 0.02,
        "cut_before": 0.02,
        "stale_reads": 0.03,
    },
    "odoo": {"latency": (0.0, 0.02), "error_5xx": 0.02, "cut_before": 0.03, "cut_after": 0.04},
}


def add_instance(
    ledger: Ledger, box: Sandbox, *, name: str = "sandbox", settings: Mapping[str, Any] | None = None
) -> None:
    """Add an instance that points at ``box``."""
    ledger.instances.add(
        name,
        {
            "base_url": box.magento.url,
            "odoo_url": box.odoo.url,
            "odoo_db": box.odoo.database,
            "odoo_user": box.odoo.user,
            "max_parallel_odoo": 8,
            "max_parallel_magento": 8,
            **(settings or {}),
        },
        {MAGENTO_SECRET: json.dumps(box.magento.secret), ODOO_SECRET: box.odoo.key},
    )


def map_all(
    ledger: Ledger,
    box: Sandbox,
    orders: Iterable[Mapping[str, Any]],
    *,
    name: str = "sandbox",
    inside: bool = False,
    has_products: bool = False,
) -> None:
    """Give Odoo the products that ``orders`` need and map every value in them.

    ``inside`` maps to the taxes that are included in the price. With ``has_products`` they come from Magento's catalog.
    """
    needed = _needed(orders) if has_products else seed_products(box, orders)
    found: dict[tuple[str, str], str] = {}
    for need in needed:
        found |= _mappings(need)
    taxes = _taxes(box, inside=inside)
    for (kind, value), label in found.items():
        if kind == "service":
            model, odoo_id = (
                "product.product",
                box.odoo.seed_products([f"SERVICE-{value}"])[f"SERVICE-{value}"],
            )
        elif kind == "zero_tax":
            model, odoo_id = "account.tax", 0
        else:
            model, odoo_id = "account.tax", taxes[Decimal(value.rpartition("|")[2])]
        ledger.mappings.set(
            name, kind, value, odoo_model=model, odoo_id=odoo_id, odoo_label=label or value, by="showcase"
        )


def seed_products(box: Sandbox, orders: Iterable[Mapping[str, Any]]) -> list[OrderNeeds]:
    """Give Odoo the products that ``orders`` need; return what each order needs."""
    catalog = {product["id"]: str(product["sku"]) for product in box.magento.catalog.all()}
    needed = _needed(orders)
    goods = (product for need in needed for product in need.products if not product.is_service)
    box.odoo.seed_products({catalog.get(one.product_id, one.sku): 1.0 for one in goods})
    return needed


def _needed(orders: Iterable[Mapping[str, Any]]) -> list[OrderNeeds]:
    return [needs(parse_order(raw)) for raw in orders]


def _mappings(need: OrderNeeds) -> dict[tuple[str, str], str]:
    found = {key: need.labels.get(key, "") for key in need.taxes}
    found |= {("service", service): service for service in need.services if service not in _SERVICES_MADE}
    return found


def _taxes(box: Sandbox, *, inside: bool) -> dict[Decimal, int]:
    field = "price_include" if box.odoo.version < 18 else "price_include_override"
    wanted = {True: (True, "tax_included"), False: (False, None, "tax_excluded")}[inside]
    return {
        Decimal(str(row["amount"])): int(row["id"])
        for row in reversed(box.odoo.records("account.tax"))
        if row["type_tax_use"] == "sale" and row.get(field) in wanted
    }
