"""What an order and its taxes come to: as Magento says it and as the sales order stands in Odoo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.support.orders import cents, stored
from tests.support.shop import Shop

Raw = Mapping[str, Any]


def import_to_the_cent(
    shop: Shop, raws: Iterable[Raw], *, method: str, seconds: float, state: str = "draft"
) -> set[int]:
    """Import orders and insist on their totals and on the tax of each rate, as they stand in Odoo afterwards.

    Returns the entity ids of those that have rounding lines, whose prices add up to nothing.
    """
    raws = list(raws)
    job_ids = {raw["entity_id"]: shop.want_order(raw) for raw in raws}
    shop.work(seconds=seconds)
    for raw in raws:
        job = shop.job(job_ids[raw["entity_id"]])
        assert (job.state, job.error) == ("done", None), raw["increment_id"]
    adjustments = adjustment_product(shop)
    per_line = shop.box.odoo.version < 18 or method == "round_per_line"
    paired = set()
    for raw in raws:
        order = stored(shop, shop.job(job_ids[raw["entity_id"]]))
        assert order["state"] == state, raw["increment_id"]
        lines = shop.lines(order["id"])
        assert cents(order["amount_total"]) == cents(raw["grand_total"]), raw["increment_id"]
        assert cents(order["amount_untaxed"] + order["amount_tax"]) == cents(raw["grand_total"])
        assert taxes_in_odoo(shop, lines, per_line=per_line) == taxes_in_magento(raw), raw["increment_id"]
        assert cents(order["amount_tax"]) == sum(taxes_in_magento(raw).values())
        corrections = [line for line in lines if line["product_id"] == adjustments]
        if corrections:
            paired.add(int(raw["entity_id"]))
            assert sum(cents(line["price_unit"]) for line in corrections) == 0
            assert all("Tax rounding" in line["name"] for line in corrections)
    return paired


def adjustment_product(shop: Shop) -> int:
    binding = shop.ledger.bindings.get("shop", "service", "adjustment")
    assert binding is not None
    return binding.odoo_id


def taxes_in_magento(raw: Raw) -> dict[Decimal, Decimal]:
    """Return the order's tax by percentage, in cents."""
    found: dict[Decimal, Decimal] = defaultdict(Decimal)
    for tax in raw["extension_attributes"].get("applied_taxes", ()):
        found[_percent(tax["percent"])] += Decimal(str(tax["amount"]))
    return {percent: cents(rounded(amount)) for percent, amount in found.items() if rounded(amount)}


def taxes_in_odoo(shop: Shop, lines: list[dict[str, Any]], *, per_line: bool) -> dict[Decimal, Decimal]:
    """Return the tax by percentage of the stored lines: as each line keeps it, or of their sum where Odoo rounds so."""
    taxes = {row["id"]: row for row in shop.box.odoo.records("account.tax")}
    field = "tax_ids" if shop.box.odoo.version >= 19 else "tax_id"
    found: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in lines:
        if not line[field]:
            assert not line["price_tax"]
            continue
        (tax_id,) = line[field]
        percent = _percent(taxes[tax_id]["amount"])
        if per_line:
            found[percent] += cents(line["price_tax"])
            continue
        row = Decimal(str(line["price_unit"])) * Decimal(str(line["product_uom_qty"]))
        is_inside = taxes[tax_id].get("price_include_override") == "tax_included"
        found[percent] += row * percent / (100 + percent) if is_inside else row * percent / 100
    return {percent: rounded(amount) for percent, amount in found.items() if rounded(amount)}


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _percent(value: object) -> Decimal:
    # A real server answers 19 for 19.0.
    return Decimal(str(value)).normalize()
