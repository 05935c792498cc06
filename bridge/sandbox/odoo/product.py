"""Templates, and what they share with their variants. A template makes its variants unless they are dynamic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product as combinations
from typing import Any

from bridge.sandbox.odoo.fault import validation_error
from bridge.sandbox.odoo.pictures import stored_image
from bridge.sandbox.odoo.quants import quantities
from bridge.sandbox.odoo.records import NOT_COMPUTED, Model
from bridge.sandbox.odoo.tables import Row

#: Fields that the variant has for itself; all others are the template's.
OWN_FIELDS = frozenset(
    [
        "default_code",
        "barcode",
        "active",
        "product_tmpl_id",
        "standard_price",
        "product_template_attribute_value_ids",
        "combination_indices",
        "weight",
        "volume",
        "image_variant_1920",
    ]
)
#: Fields that a template with one variant shares with it.
SHARED = ("default_code", "barcode", "standard_price", "weight", "volume")
#: Fields that are computed from what lies in the places that the context names.
QUANTITIES = frozenset({"qty_available", "free_qty", "virtual_available", "incoming_qty", "outgoing_qty"})
#: Sizes that Odoo makes of a picture by itself.
SIZES = frozenset({"image_512", "image_128"})
IMAGE, OWN_IMAGE = "image_1920", "image_variant_1920"


class Template(Model):
    """``product.template``."""

    order = "name, id"
    required = ("name",)
    late_keys = frozenset({"categ_id"})

    def prepare(self, values: Row, record_id: int | None) -> Row:
        """Bring 16's two fields for the type together."""
        if values.get(IMAGE):
            values[IMAGE] = stored_image(values[IMAGE])
        if self.env.dialect.major < 18:
            kind = values.get("detailed_type") or values.get("type")
            if kind:
                values["detailed_type"] = values["type"] = kind
        return values

    def defaults(self, values: Row) -> Row:
        """Return what a product has when it is not said."""
        return self.template_defaults()

    def template_defaults(self) -> Row:
        """Return the defaults of a template, also for one made by its variant."""
        company = self.env.company()
        common: Row = {
            "active": True,
            "sale_ok": True,
            "purchase_ok": True,
            "tracking": "none",
            "list_price": 1.0,
            "uom_id": 1,
            "uom_po_id": 1,
            "categ_id": 1,
            "type": "consu",
            "invoice_policy": "order",
            "taxes_id": [[6, 0, company["_sale_tax_ids"]]],
        }
        if self.env.dialect.major < 18:
            common["detailed_type"] = "consu"
        return {name: value for name, value in common.items() if name in self.fields}

    def created(self, record_id: int, values: Row) -> None:
        """Make the variants, unless a variant is making the template."""
        if values.get("type") == "combo":
            raise validation_error("A combo product must contain at least 1 combo choice.")
        if self.env.context.get("_variant_follows"):
            return
        chosen = list(self._combinations(record_id))
        shared = {name: values[name] for name in SHARED if name in values}
        for values_of_one in chosen:
            self._make_variant(record_id, values_of_one, **(shared if len(chosen) == 1 else {}))

    def _make_variant(self, record_id: int, chosen: Sequence[int], **values: Any) -> None:
        link = [[6, 0, list(chosen)]]
        self.env["product.product"].create(
            {"product_tmpl_id": record_id, "product_template_attribute_value_ids": link, **values}
        )

    def complete(self, record_id: int) -> None:
        """Make the variants that new values ask for, and delete those whose values are gone."""
        wanted = [set(one) for one in self._combinations(record_id)]
        rows = self.env.db.table("product.product").rows
        ids = self.env.db.table("product.product").lookup("product_tmpl_id", [record_id])
        there = {one: set(rows[one].get("product_template_attribute_value_ids") or []) for one in ids}
        known = set(self.env.db.table("product.template.attribute.value").rows)
        self.env["product.product"].unlink([one for one, chosen in there.items() if chosen - known])
        for chosen in wanted:
            if chosen not in there.values():
                self._make_variant(record_id, sorted(chosen))

    def _combinations(self, record_id: int) -> Iterator[list[int]]:
        """Return the attribute values of each variant to make; none where an attribute is dynamic."""
        attributes = self.env.db.table("product.attribute").rows
        lines = self.children(record_id, "product.template.attribute.line", "product_tmpl_id")
        line_rows = self.env.db.table("product.template.attribute.line").rows
        kinds = {attributes[line_rows[line]["attribute_id"]].get("create_variant") for line in lines}
        if "dynamic" in kinds:
            return
        choices = [
            self.env["product.template.attribute.line"].get(line, "product_template_value_ids")
            for line in lines
            if attributes[line_rows[line]["attribute_id"]].get("create_variant") != "no_variant"
        ]
        for chosen in combinations(*choices):
            yield list(chosen)

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """Carry shared fields to an only variant."""
        variants = self.children(record_id, "product.product", "product_tmpl_id")
        shared = {name: values[name] for name in SHARED if name in values}
        if "active" in values:
            shared["active"] = values["active"]
        if shared and len(variants) == 1:
            self.env["product.product"].write(variants, shared)

    def before_unlink(self, ids: Sequence[int]) -> None:
        """Delete the variants with their template."""
        for one in ids:
            self.env["product.product"].unlink(self.children(one, "product.product", "product_tmpl_id"))

    def compute(self, row: Row, name: str) -> Any:
        """Return fields that follow from the variants."""
        variants = self.children(row["id"], "product.product", "product_tmpl_id")
        if name == "product_variant_id":
            return variants[0] if variants else None
        if name == "product_variant_count":
            return len(variants)
        if name in QUANTITIES and name != "free_qty":
            return sum((quantities(self.env, one)[name] for one in variants), 0.0)
        if name == "has_configurable_attributes":
            return bool(self.children(row["id"], "product.template.attribute.line", "product_tmpl_id"))
        if name == "currency_id":
            return self.env.company()["currency_id"]
        if name == "weight_uom_name":
            return "kg"
        if name in SIZES:
            return row.get("image_1920")
        if name in {"cost_method", "valuation"}:
            return self._of_category(row, name)
        if name in SHARED and len(variants) == 1:
            return self.env["product.product"].get(variants[0], name)
        return NOT_COMPUTED

    def _of_category(self, row: Row, name: str) -> Any:
        category = self.env.db.table("product.category").rows.get(row.get("categ_id") or 0, {})
        by_hand = "periodic" if self.env.dialect.major >= 19 else "manual_periodic"
        unset = "standard" if name == "cost_method" else by_hand
        return category.get(f"property_{name}") or unset

    def display_name(self, row: Row) -> str:
        """Return ``[CODE] Name``."""
        code = self.value(row, "default_code")
        return f"[{code}] {row.get('name')}" if code else row.get("name") or ""

    def value(self, row: Row, name: str) -> Any:
        """Return a field; shared ones are the only variant's."""
        if name in SHARED and name in row:
            computed = self.compute(row, name)
            return row[name] if computed is NOT_COMPUTED else computed
        return super().value(row, name)
