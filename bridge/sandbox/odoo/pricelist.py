"""Pricelists and their rules, as they are stored and read. What they come to is nobody's to ask over RPC (``catalog/pricelist-*``)."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.odoo.fault import validation_error
from bridge.sandbox.odoo.records import NOT_COMPUTED, Model
from bridge.sandbox.odoo.tables import Row

#: Which record a rule is about, by what it applies to; the others are emptied (source: ``create`` and ``write``).
_ABOUT = {
    "0_product_variant": ("product_id", "product_tmpl_id"),
    "1_product": ("product_tmpl_id",),
    "2_product_category": ("categ_id",),
    "3_global": (),
}
_RECORDS = ("product_id", "product_tmpl_id", "categ_id")


class Pricelist(Model):
    """``product.pricelist``: gives an order its currency."""

    required = ("name",)

    def defaults(self, values: Row) -> Row:
        """Return the company's currency."""
        return {"active": True, "currency_id": self.env.company()["currency_id"], "sequence": 16}

    def display_name(self, row: Row) -> str:
        """Return ``Name (CUR)``."""
        currency = self.env.db.table("res.currency").rows.get(row.get("currency_id") or 0, {})
        return f"{row.get('name')} ({currency.get('name')})"


class PricelistItem(Model):
    """``product.pricelist.item``."""

    order = "applied_on, min_quantity desc, categ_id desc, id desc"
    required = ("pricelist_id",)

    def prepare(self, values: Row, record_id: int | None) -> Row:
        """Keep only the record that the rule is about; a markup is a negative discount."""
        if (applied_on := values.get("applied_on")) in _ABOUT:
            values |= {name: None for name in _RECORDS if name not in _ABOUT[applied_on]}
        if "price_markup" in values and "price_markup" in self.fields:
            values["price_discount"] = -values.pop("price_markup")
        return values

    def defaults(self, values: Row) -> Row:
        """Return what a rule has when it is not said."""
        numbers = ("fixed_price", "percent_price", "price_discount", "price_round", "price_surcharge")
        margins = ("price_min_margin", "price_max_margin", "min_quantity")
        return {
            "applied_on": "3_global",
            "base": "list_price",
            "compute_price": "fixed",
            **dict.fromkeys((*numbers, *margins), 0.0),
        }

    def created(self, record_id: int, values: Row) -> None:
        """Check the dates; a rule about a variant names its template."""
        row = self.table.rows[record_id]
        if row.get("product_id") and not row.get("product_tmpl_id"):
            variants = self.env.db.table("product.product").rows
            self.table.update(record_id, {"product_tmpl_id": variants[row["product_id"]]["product_tmpl_id"]})
        self._check_dates(row)

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """Check the dates."""
        self._check_dates(self.table.rows[record_id])

    def _check_dates(self, row: Row) -> None:
        start, end = row.get("date_start"), row.get("date_end")
        if start and end and start >= end:
            name = self.display_name(row)
            raise validation_error(
                f"{name}: end date ({end}) should be after start date ({start})"
                if self.env.dialect.major < 18
                else f"{name}: end date ({end}) must be after start date ({start})"
            )

    def compute(self, row: Row, name: str) -> Any:
        """Return what the pricelist has, and the markup."""
        if name == "price_markup":
            return -(row.get("price_discount") or 0.0)
        pricelist = self.env.db.table("product.pricelist").rows.get(row.get("pricelist_id") or 0, {})
        if name in {"currency_id", "company_id"} or (name == "active" and "active" in self.fields):
            return pricelist.get(name)
        return NOT_COMPUTED

    def display_name(self, row: Row) -> str:
        """Return what the rule is about."""
        return "All Products" if row.get("applied_on") == "3_global" else f"Rule {row.get('id')}"

    def _sort_key(self, row: Row, name: str) -> tuple[bool, Any]:
        if name != "categ_id":
            return super()._sort_key(row, name)
        # By the category's own order, which is its whole name.
        categories = self.env["product.category"]
        category = categories.table.rows.get(row.get("categ_id") or 0)
        return (category is None, "" if category is None else categories.display_name(category))
