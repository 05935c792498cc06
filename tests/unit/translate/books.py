"""Recorded orders, small made-up ones, and the books to translate them with."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path

from bridge.translate.magento_order import parse_order
from bridge.translate.odoo_totals import OdooProfile, OdooTax
from bridge.translate.order_book import OrderBook, OrderRules
from bridge.translate.order_plan import needs

RECORDINGS = Path(__file__).parents[2] / "recordings"
ORDERS = RECORDINGS / "magento" / "orders"

#: The 31 orders as they were placed.
RECORDED = [path for path in sorted(ORDERS.glob("0*.json")) if int(path.name[:3]) <= 31]

PROFILE = OdooProfile(major=18, price_digits=6)


def load(path):
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def recorded(number):
    """Return the raw recorded order whose file begins with ``number``."""
    (path,) = ORDERS.glob(f"{number:03}-*.json")
    return load(path)["response"]["json"]


def tax_id(key):
    """Return an id that is the same for the same tax."""
    return sum(ord(sign) * (place + 1) for place, sign in enumerate("|".join(key)))


def mapped_tax(key, *, included):
    """Map a Magento tax to an Odoo tax of its rate, and what bears no tax to the decision: no tax."""
    kind, value = key
    rate = value.rpartition("|")[2]
    if kind == "zero_tax" and rate in {"0", "shipping"}:
        return ()
    return (OdooTax(id=tax_id(key), amount=Decimal(rate), price_include=included),)


def book(order, *, profile=PROFILE, included=False, **changes):
    """Return a book in which everything that ``order`` needs is mapped."""
    wanted = needs(order)
    known = {
        "profile": profile,
        "rules": OrderRules(),
        "taxes": {key: mapped_tax(key, included=included) for key in wanted.taxes},
        "products": {need.item_id: 1000 + need.item_id for need in wanted.products},
        "services": {
            "shipping": 1, "discount": 2, "adjustment": 3, **{name: 10 + n for n, name in enumerate(wanted.services)},
        },
        "countries": {code: 50 + n for n, code in enumerate(wanted.countries)},
        "states": {},
    }  # fmt: skip
    return OrderBook(**(known | changes))


def raw_item(item_id=1, **changes):
    """Return a raw line: one article of 10.00 at 19 %."""
    return {
        "item_id": item_id,
        "product_id": 100 + item_id,
        "product_type": "simple",
        "sku": f"SKU-{item_id}",
        "name": f"Article {item_id}",
        "qty_ordered": 1,
        "price": 10,
        "price_incl_tax": Decimal("11.90"),
        "row_total": 10,
        "row_total_incl_tax": Decimal("11.90"),
        "tax_amount": Decimal("1.90"),
        "tax_percent": 19,
        "discount_amount": 0,
        "discount_tax_compensation_amount": 0,
        "extension_attributes": {
            "itemized_taxes": [{"tax_code": "DE-19", "tax_percent": 19, "amount": Decimal("1.90")}]
        },
    } | changes


def raw_order(*items, **changes):
    """Return a raw order without shipping; amounts are those of one ``raw_item`` unless changed."""
    raw = {
        "entity_id": 7,
        "increment_id": "000000007",
        "quote_id": 70,
        "store_id": 1,
        "store_name": "Main Website\nMain Website Store\nDefault Store View",
        "state": "new",
        "status": "pending",
        "created_at": "2026-11-23 15:47:44",
        "updated_at": "2026-11-23 15:47:44",
        "order_currency_code": "EUR",
        "base_currency_code": "EUR",
        "customer_email": "guest@example.com",
        "customer_is_guest": 1,
        "subtotal": 10,
        "discount_amount": 0,
        "shipping_amount": 0,
        "tax_amount": Decimal("1.90"),
        "grand_total": Decimal("11.90"),
        "billing_address": {
            "firstname": "Max",
            "lastname": "Mustermann",
            "street": ["Hauptstrasse 1", "2. OG"],
            "postcode": "10115",
            "city": "Berlin",
            "country_id": "DE",
            "region": "Berlin",
            "region_code": "BER",
            "telephone": "+49 30 123456",
            "email": "guest@example.com",
        },
        "items": list(items) or [raw_item()],
        "extension_attributes": {
            "applied_taxes": [{"code": "DE-19", "title": "DE-19", "percent": 19, "amount": Decimal("1.90")}],
            "item_applied_taxes": [],
        },
    }
    return copy.deepcopy(raw | changes)


def order(*items, **changes):
    """Return a made-up order, parsed."""
    return parse_order(raw_order(*items, **changes))
