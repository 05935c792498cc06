"""What became of an imported order: its job, its sales order, its lines by what they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from bridge.ledger import Job
from tests.support.orders import Raw, cents, stored
from tests.support.shop import Shop


def done(shop: Shop, raw: Mapping[str, Any]) -> Raw:
    """Import an order that has nothing against it and return its sales order, which has Magento's total."""
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    order = stored(shop, job)
    assert cents(order["amount_total"]) == cents(raw["grand_total"])
    return order


def blocked(shop: Shop, raw: Mapping[str, Any], code: str) -> Job:
    """Import an order that cannot be imported and return its job; nothing of it is in Odoo."""
    job = shop.import_order(raw)
    assert (job.state, job.error_code) == ("blocked", code), job.error
    assert shop.sale_orders(raw) == []
    return job


def retried(shop: Shop, job: Job) -> Job:
    """Retry a job as a person does, and return it as it ended."""
    shop.ledger.jobs.retry(job.id)
    shop.work()
    return shop.job(job.id)


def counts(shop: Shop) -> dict[str, int]:
    """Return how many customers, orders, lines and notes there are in Odoo."""
    models = ("res.partner", "sale.order", "sale.order.line", "mail.message")
    return {model: len(shop.box.odoo.records(model)) for model in models}


def lines_of(shop: Shop, order: Mapping[str, Any], product_id: int) -> list[Raw]:
    """Return the order's lines with a product; there are some."""
    found = [line for line in shop.lines(order["id"]) if line["product_id"] == product_id]
    assert found, product_id
    return found


def line_of(shop: Shop, order: Mapping[str, Any], product_id: int) -> Raw:
    """Return the order's only line with a product."""
    (line,) = lines_of(shop, order, product_id)
    return line


def taxes_of(shop: Shop, line: Mapping[str, Any]) -> list[int]:
    """Return the ids of a line's taxes."""
    return list(line["tax_ids" if shop.box.odoo.version >= 19 else "tax_id"] or ())


def product_of(shop: Shop, sku: str) -> int:
    """Return the id of the Odoo product with a SKU."""
    found = shop.box.odoo.find("product.product", default_code=sku)
    assert found is not None, sku
    return found


def service_of(shop: Shop, name: str) -> int:
    """Return the id of the product that the bridge made for a service."""
    binding = shop.ledger.bindings.get("shop", "service", name)
    assert binding is not None, name
    return binding.odoo_id


def template_of(shop: Shop, product_id: int) -> Raw:
    """Return the values of a product, those that stand on its template too."""
    product = next(row for row in shop.box.odoo.records("product.product") if row["id"] == product_id)
    templates = shop.box.odoo.records("product.template")
    return next(row for row in templates if row["id"] == product["product_tmpl_id"]) | {"id": product_id}


def new_tax(shop: Shop, name: str, percent: float, *, inside: bool = False) -> int:
    """Make a sales tax in Odoo."""
    values: Raw = {"name": name, "amount": percent, "type_tax_use": "sale"}
    if shop.box.odoo.version < 18:
        values["price_include"] = inside
    else:
        values["price_include_override"] = "tax_included" if inside else "tax_excluded"
    return shop.box.odoo.create("account.tax", values)


def map_to(shop: Shop, kind: str, value: str, odoo_id: int) -> None:
    """Map a value as an operator does."""
    models = {
        "tax": "account.tax",
        "zero_tax": "account.tax",
        "service": "product.product",
        "shipping_method": "product.product",
        "payment_method": "account.payment.term",
        "store": "crm.team",
        "currency": "product.pricelist",
        "customer_group": "res.partner.category",
        "customer_group_pricelist": "product.pricelist",
    }
    shop.ledger.mappings.set(
        "shop", kind, value, odoo_model=models[kind], odoo_id=odoo_id, odoo_label=value, by="test"
    )


def totals(lines: Iterable[Mapping[str, Any]]) -> Decimal:
    """Return what lines come to without tax."""
    return sum((cents(line["price_subtotal"]) for line in lines), Decimal(0))
