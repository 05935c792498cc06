"""Pure translation between Magento and Odoo: records and settings in, records out; no I/O, no clock."""

from __future__ import annotations

from bridge.translate.explain import Explanation, explain
from bridge.translate.magento_order import parse_order
from bridge.translate.magento_records import MagentoOrder
from bridge.translate.odoo_totals import OdooProfile, OdooTax, PricedLine, order_totals
from bridge.translate.order_book import OrderBook, OrderNeeds, OrderRules, ProductNeed
from bridge.translate.order_diff import OrderDiff, diff_order
from bridge.translate.order_plan import needs, translate_order
from bridge.translate.order_rows import order_items_json, order_rows, preview_lines
from bridge.translate.plan_records import OrderPlan, PlanLine
from bridge.translate.total_policy import judge

__all__ = [
    "Explanation",
    "MagentoOrder",
    "OdooProfile",
    "OdooTax",
    "OrderBook",
    "OrderDiff",
    "OrderNeeds",
    "OrderPlan",
    "OrderRules",
    "PlanLine",
    "PricedLine",
    "ProductNeed",
    "diff_order",
    "explain",
    "judge",
    "needs",
    "order_items_json",
    "order_rows",
    "order_totals",
    "parse_order",
    "preview_lines",
    "translate_order",
]
