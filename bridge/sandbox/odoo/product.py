"""Templates and variants. Identity is the variant; a template makes its variants unless they are dynamic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product as combinations
from typing import Any

from bridge.sandbox.odoo.fault import OdooFault, validation_error
from bridge.sandbox.odoo.pictures import stored_image
from bridge.sandbox.odoo.quants import named_warehouses, quantities, warehouse_key
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
        if name == "cost_method":
            category = self.env.db.table("product.category").rows.get(row.get("categ_id") or 0, {})
            return category.get("property_cost_method") or "standard"
        if name in SHARED and len(variants) == 1:
            return self.env["product.product"].get(variants[0], name)
        return NOT_COMPUTED

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


class Variant(Model):
    """``product.product``."""

    order = "default_code, name, id"

    def read(self, ids: Iterable[int], names: Sequence[str] | None = None) -> list[Row]:
        """Answer; for a warehouse that is not there 18 and 19 answer no row (``stock/qty-context-warehouse-unknown``)."""
        asks = names is not None and QUANTITIES.intersection(names)
        if asks and self.env.dialect.major >= 18 and self.env.context.get(warehouse_key(self.env)):
            ids = ids if named_warehouses(self.env) else ()
        return super().read(ids, names)

    def create(self, values: Row) -> int:
        """Store a variant; without a template it makes one."""
        self._check_names(values, "create")
        values = self.prepare(dict(values), None)
        own = {name: value for name, value in values.items() if name in OWN_FIELDS}
        if not own.get("product_tmpl_id"):
            env = self.env
            shared = {name: value for name, value in values.items() if name not in OWN_FIELDS}
            before = env.context
            env.context = {**before, "_variant_follows": True}
            try:
                own["product_tmpl_id"] = env["product.template"].create(shared)
            finally:
                env.context = before
        return super().create(own)

    def defaults(self, values: Row) -> Row:
        """Return what a variant has when it is not said."""
        return {"active": True, "standard_price": 0.0}

    def created(self, record_id: int, values: Row) -> None:
        """Check the barcode and the combination."""
        self._check_barcode(record_id)
        row = self.table.rows[record_id]
        chosen = sorted(row.get("product_template_attribute_value_ids") or [])
        for other in self.table.lookup("product_tmpl_id", [row["product_tmpl_id"]]):
            rows = self.table.rows
            same = sorted(rows[other].get("product_template_attribute_value_ids") or []) == chosen
            if other != record_id and same and rows[other].get("active", True):
                raise self._combination_taken(row["product_tmpl_id"], chosen)

    def _combination_taken(self, template_id: int, chosen: list[int]) -> OdooFault:
        if self.env.dialect.major < 18:
            text = "current transaction is aborted, commands ignored until end of transaction block\n"
            return OdooFault("psycopg2.errors.InFailedSqlTransaction", text)
        key = ",".join(str(one) for one in chosen)
        return OdooFault(
            "psycopg2.errors.UniqueViolation",
            'duplicate key value violates unique constraint "product_product_combination_unique"\n'
            f"DETAIL:  Key (product_tmpl_id, combination_indices)=({template_id}, {key}) already exists.\n",
        )

    def _write_one(self, record_id: int, values: Row) -> None:
        values = self._image_moved(record_id, values)
        own = {name: value for name, value in values.items() if name in OWN_FIELDS}
        shared = {name: value for name, value in values.items() if name not in OWN_FIELDS}
        super()._write_one(record_id, own)
        if shared:
            self.env["product.template"].write([self.table.rows[record_id]["product_tmpl_id"]], shared)

    def _image_moved(self, record_id: int, values: Row) -> Row:
        """Let the picture of a variant be its own where its template has one and further variants (source)."""
        pictures = {name: stored_image(values[name]) for name in (IMAGE, OWN_IMAGE) if name in values}
        values = {**values, **pictures}
        template_id = self.table.rows[record_id]["product_tmpl_id"]
        if IMAGE not in values:
            return values
        template = self.env.db.table("product.template").rows[template_id]
        siblings = self.children(template_id, "product.product", "product_tmpl_id")
        if len(siblings) <= 1 or not template.get(IMAGE):
            return {**values, OWN_IMAGE: False}
        own = {name: value for name, value in values.items() if name != IMAGE}
        return {**own, OWN_IMAGE: values[IMAGE]}

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """Check the barcode."""
        if "barcode" in values:
            self._check_barcode(record_id)

    def _check_barcode(self, record_id: int) -> None:
        rows = self.table.rows
        code = rows[record_id].get("barcode")
        if not code:
            return
        same = [rows[one] for one in self.table.lookup("barcode", [code]) if rows[one]["barcode"] == code]
        if len(same) < 2:
            return
        names = [self.display_name(row) for row in same]
        text = f'Barcode(s) already assigned:\n\n- Barcode "{code}" already assigned to product(s): '
        if self.env.dialect.major < 18:
            raise validation_error(text + ", ".join(names))
        text += ", ".join(names[:-1]) + f" and {names[-1]}"
        raise validation_error(
            f"{text}\n\nNote: products that you don't have access to will not be shown above."
        )

    def before_unlink(self, ids: Sequence[int]) -> None:
        """Refuse where an order line needs the product."""
        lines = self.env.db.table("sale.order.line").rows.values()
        if any(line.get("product_id") in ids for line in lines):
            raise validation_error(
                "The operation cannot be completed: another model requires the record being deleted. "
                "If possible, archive it instead.\n\nModel: Sales Order Line (sale.order.line)\n"
                "Constraint: sale_order_line_product_id_fkey\n"
            )

    def compute(self, row: Row, name: str) -> Any:
        """Return what the template has."""
        template = self.env["product.template"]
        parent = template.table.rows.get(row.get("product_tmpl_id") or 0)
        if name in QUANTITIES:
            return quantities(self.env, row["id"])[name]
        chosen = row.get("product_template_attribute_value_ids") or []
        values = self.env.db.table("product.template.attribute.value").rows
        if name == "combination_indices":
            return ",".join(str(one) for one in sorted(chosen))
        if name == "product_template_variant_value_ids":
            return list(chosen)
        if name in {"price_extra", "lst_price"}:
            extra = sum(values[one].get("price_extra") or 0.0 for one in chosen if one in values)
            return (
                extra
                if name == "price_extra" or parent is None
                else (parent.get("list_price") or 0.0) + extra
            )
        if name == IMAGE and row.get(OWN_IMAGE):
            return row[OWN_IMAGE]
        if name in OWN_FIELDS or parent is None or name not in template.fields:
            return NOT_COMPUTED
        return template.value(parent, name)

    def display_name(self, row: Row) -> str:
        """Return ``[CODE] Name (values)``."""
        template = self.env.db.table("product.template").rows.get(row.get("product_tmpl_id") or 0, {})
        values = self.env.db.table("product.template.attribute.value").rows
        own = self.env.db.table("product.attribute.value").rows
        shown = ", ".join(
            str(own[values[one]["product_attribute_value_id"]].get("name"))
            for one in row.get("product_template_attribute_value_ids") or []
            if one in values
        )
        name = f"{template.get('name') or ''} ({shown})" if shown else template.get("name") or ""
        return f"[{row['default_code']}] {name}" if row.get("default_code") else name


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
