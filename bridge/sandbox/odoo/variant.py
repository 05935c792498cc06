"""Variants: what an order, a stock figure and a price stand on. What is not their own is their template's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bridge.sandbox.odoo.fault import OdooFault, validation_error
from bridge.sandbox.odoo.pictures import stored_image
from bridge.sandbox.odoo.product import IMAGE, OWN_FIELDS, OWN_IMAGE, QUANTITIES
from bridge.sandbox.odoo.quants import named_warehouses, quantities, warehouse_key
from bridge.sandbox.odoo.records import NOT_COMPUTED, Model
from bridge.sandbox.odoo.tables import Row


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
