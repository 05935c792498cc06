"""Attributes of products: their values, the lines of templates, and the templates' own values."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.odoo.product import Template
from bridge.sandbox.odoo.records import NOT_COMPUTED, Model
from bridge.sandbox.odoo.tables import Row

_VALUES = "product.template.attribute.value"


class Attribute(Model):
    """``product.attribute``."""

    required = ("name",)

    def defaults(self, values: Row) -> Row:
        """Return what an attribute has when it is not said."""
        return {"create_variant": "always", "display_type": "radio"}


class AttributeLine(Model):
    """``product.template.attribute.line``: which values of an attribute a template has."""

    def created(self, record_id: int, values: Row) -> None:
        """Make the template's own attribute values."""
        self._follow(record_id)

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """Follow a change of the values, the variants too (``catalog/variants-after-add``, ``-remove``)."""
        if "value_ids" in values:
            self._follow(record_id)
            template = self.env["product.template"]
            assert isinstance(template, Template)
            template.complete(self.table.rows[record_id]["product_tmpl_id"])

    def _follow(self, record_id: int) -> None:
        row = self.table.rows[record_id]
        table = self.env.db.table(_VALUES)
        own = {
            table.rows[one]["product_attribute_value_id"]: one
            for one in table.lookup("attribute_line_id", [record_id])
        }
        wanted = row.get("value_ids") or []
        for value_id in wanted:
            if value_id not in own:
                self.env[_VALUES].create(
                    {
                        "attribute_line_id": record_id,
                        "product_attribute_value_id": value_id,
                        "attribute_id": row["attribute_id"],
                        "product_tmpl_id": row["product_tmpl_id"],
                        "ptav_active": True,
                    }
                )
        self.env[_VALUES].unlink([one for value_id, one in own.items() if value_id not in wanted])


class TemplateAttributeValue(Model):
    """``product.template.attribute.value``."""

    def compute(self, row: Row, name: str) -> Any:
        """Return the value's name, and the variants that have it."""
        if name == "name":
            return self.env["product.attribute.value"].get(row["product_attribute_value_id"], "name")
        if name == "ptav_product_variant_ids":
            table = self.env.db.table("product.product")
            return sorted(
                one
                for one in table.lookup("product_tmpl_id", [row["product_tmpl_id"]])
                if row["id"] in (table.rows[one].get("product_template_attribute_value_ids") or [])
                and table.rows[one].get("active", True)
            )
        return NOT_COMPUTED

    def display_name(self, row: Row) -> str:
        """Return ``Attribute: Value``."""
        return self.env["product.attribute.value"].display_name(
            self.env.db.table("product.attribute.value").rows[row["product_attribute_value_id"]]
        )


class AttributeValue(Model):
    """``product.attribute.value``."""

    required = ("name", "attribute_id")

    def created(self, record_id: int, values: Row) -> None:
        """16 refuses a second value of the same name (``16/errors/unique-attribute-value``)."""
        rows = self.table.rows
        name, attribute = rows[record_id]["name"], rows[record_id]["attribute_id"]
        same = [
            one for one in self.table.lookup("attribute_id", [attribute]) if rows[one].get("name") == name
        ]
        if self.env.dialect.major < 18 and len(same) > 1:
            raise self.env.dialect.check_constraint("You cannot create two values with the same name")

    def display_name(self, row: Row) -> str:
        """Return ``Attribute: Value``."""
        attribute = self.env.db.table("product.attribute").rows.get(row.get("attribute_id") or 0, {})
        return f"{attribute.get('name')}: {row.get('name')}"
