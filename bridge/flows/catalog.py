"""The flows: what each kind of job runs. ``bridge.flows.wants`` says where it runs and what it locks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.flows import (
    accept_order,
    check_drift,
    discover_mappings,
    export_prices,
    export_product,
    export_products,
    export_stock,
    find_order,
    import_categories,
    import_customer,
    import_customers,
    import_order,
    import_orders,
    import_product,
    import_products,
    import_stock,
    import_stores,
    poll_stock,
    product_images,
    rebuild_bindings,
    resolve_conflict,
    start_price_export,
    sweep_products,
)
from bridge.flows.context import FlowContext

Run = Callable[[FlowContext], Mapping[str, Any] | None]


def _nothing(_: FlowContext) -> None:
    """Do nothing: for measuring the pipeline and for `bridge doctor`."""


FLOWS: Mapping[str, Run] = {
    "accept-order": accept_order.run,
    "discover-mappings": discover_mappings.run,
    "drift": check_drift.run,
    "export-price": export_prices.run_one,
    "export-price-batch": export_prices.run_batch,
    "export-prices": export_prices.run,
    "export-product": export_product.run,
    "export-product-batch": export_product.run_batch,
    "export-products": export_products.run,
    "find-odoo-product": export_product.find,
    "export-stock": export_stock.run,
    "export-stock-item": export_stock.run_item,
    "find-order": find_order.run,
    "import-categories": import_categories.run,
    "import-customer": import_customer.run,
    "import-customers": import_customers.run,
    "import-order": import_order.run,
    "import-orders": import_orders.run,
    "import-stock": import_stock.run,
    "import-stock-batch": import_stock.run_batch,
    "import-stores": import_stores.run,
    "find-product": import_product.find,
    "import-product": import_product.run,
    "import-product-batch": import_product.run_batch,
    "import-product-image": product_images.run,
    "import-product-images": product_images.run_batch,
    "import-products": import_products.run,
    "noop": _nothing,
    "poll-stock": poll_stock.run,
    "rebuild-bindings": rebuild_bindings.run,
    "start-price-export": start_price_export.run,
    "sweep-products": sweep_products.run,
    "resolve-conflict": resolve_conflict.run,
    "resolve-price-conflict": resolve_conflict.run,
}
