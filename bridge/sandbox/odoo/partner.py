"""Contacts: names, addresses under a contact, VAT numbers on parent and child as each version has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.sandbox.odoo.fault import validation_error
from bridge.sandbox.odoo.records import NOT_COMPUTED, Model
from bridge.sandbox.odoo.tables import Row

#: What an address without a name is called, by its type.
TYPE_LABELS = {
    "contact": "Contact",
    "invoice": "Invoice Address",
    "delivery": "Delivery Address",
    "other": "Other Address",
}


#: The pricelist that was chosen for a contact; its own field since 18, a property before.
CHOSEN_PRICELIST = "specific_property_product_pricelist"


class Partner(Model):
    """``res.partner``."""

    order = "display_name, id desc"

    def prepare(self, values: Row, record_id: int | None) -> Row:
        """Turn ``company_type`` into ``is_company``."""
        if "company_type" in values:
            values["is_company"] = values.pop("company_type") == "company"
        if "property_product_pricelist" in values:
            values |= self._chosen(values.pop("property_product_pricelist"))
        return values

    def _chosen(self, pricelist: Any) -> Row:
        """Return what a write of the pricelist that holds comes to (``rules/partner-pricelist-emptied``).

        16 and 18 ignore an empty one; 19 takes it, and forgets one that is the default.
        """
        if self.env.dialect.major < 19 and not pricelist:
            return {}
        if CHOSEN_PRICELIST not in self.fields:
            return {"property_product_pricelist": pricelist}
        is_default = self.env.dialect.major >= 19 and pricelist == self.env.company()["_pricelist_id"]
        return {CHOSEN_PRICELIST: None if is_default or not pricelist else pricelist}

    def defaults(self, values: Row) -> Row:
        """Return the type of address, language and so on."""
        return {"type": "contact", "active": True, "is_company": False, "customer_rank": 0, "lang": "en_US"}

    def created(self, record_id: int, values: Row) -> None:
        """Check the name, and take or give the VAT number (``rules/vat-on-parent-and-child``)."""
        row = self.table.rows[record_id]
        if not row.get("name") and row.get("type") == "contact":
            raise self.env.dialect.check_constraint("Contacts require a name")
        self._check_loop(record_id)
        parent_id = row.get("parent_id")
        if parent_id and not row.get("is_company"):
            self._share_vat(record_id, self.commercial(parent_id))
        elif row.get("is_company"):
            self._spread(record_id, row.get("vat"))

    def _share_vat(self, record_id: int, head_id: int) -> None:
        """The parent's number wins; 19 gives the child's to a parent without one."""
        rows = self.table.rows
        of_head, own = rows[head_id].get("vat"), rows[record_id].get("vat")
        if self.env.dialect.major >= 19 and own and not of_head:
            self.table.update(head_id, {"vat": own})
            self._spread(head_id, own)
            return
        if own != of_head:
            self.table.update(record_id, {"vat": of_head})

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """Check, and carry a VAT number on."""
        if "parent_id" in values:
            self._check_loop(record_id)
        if "vat" not in values:
            return
        head_id = self.commercial(record_id)
        vat = self.table.rows[record_id].get("vat")
        if head_id == record_id:
            self._spread(record_id, vat)
        elif self.env.dialect.major >= 19:
            self.table.update(head_id, {"vat": vat})
            self._spread(head_id, vat)

    def _spread(self, head_id: int, vat: str | None) -> None:
        for child in self.table.lookup("parent_id", [head_id]):
            row = self.table.rows[child]
            if not row.get("is_company") and row.get("vat") != vat:
                self.table.update(child, {"vat": vat})

    def _check_loop(self, record_id: int) -> None:
        seen = {record_id}
        parent = self.table.rows[record_id].get("parent_id")
        while parent:
            if parent in seen:
                raise validation_error("You cannot create recursive Partner hierarchies.")
            seen.add(parent)
            parent = self.table.rows[parent].get("parent_id")

    def before_unlink(self, ids: Sequence[int]) -> None:
        """Refuse where an order needs the contact; children stay, without a parent."""
        orders = self.env.db.table("sale.order").rows.values()
        links = ("partner_id", "partner_invoice_id", "partner_shipping_id")
        if any(order.get(link) in ids for order in orders for link in links):
            raise validation_error(
                "The operation cannot be completed: another model requires the record being deleted. "
                "If possible, archive it instead.\n\nModel: Sales Order (sale.order)\n"
                "Constraint: sale_order_partner_id_fkey\n"
            )
        for child in self.table.lookup("parent_id", ids):
            self.table.update(child, {"parent_id": None})

    def commercial(self, record_id: int) -> int:
        """Return the commercial partner: the contact itself, or the nearest company or head above it."""
        rows = self.table.rows
        while (parent := rows[record_id].get("parent_id")) and not rows[record_id].get("is_company"):
            record_id = parent
        return record_id

    def addresses(self, record_id: int, kinds: Sequence[str]) -> dict[str, int]:
        """Return the contact to use for each kind of address (``address_get``)."""
        found = {"contact": record_id}
        for child in sorted(self.table.lookup("parent_id", [record_id])):
            row = self.table.rows[child]
            if row.get("active", True):
                found.setdefault(row.get("type") or "", child)
        return {kind: found.get(kind, record_id) for kind in dict.fromkeys([*kinds, "contact"])}

    def value(self, row: Row, name: str) -> Any:
        """Return a field; 16 keeps a chosen pricelist under the name of the one that holds."""
        if name == "property_product_pricelist" and not row.get(name):
            return self.compute(row, name)
        return super().value(row, name)

    def compute(self, row: Row, name: str) -> Any:
        """Return fields that follow from others."""
        if name == "commercial_partner_id":
            return self.commercial(row["id"])
        if name == "company_type":
            return "company" if row.get("is_company") else "person"
        if name == "complete_name":
            return self.display_name(row)
        if name == "email_normalized":
            return (row.get("email") or "").strip().lower() or None
        if name == "property_product_pricelist":
            return row.get(CHOSEN_PRICELIST) or self.env.company()["_pricelist_id"]
        if name == "country_code":
            country = self.env.db.table("res.country").rows.get(row.get("country_id") or 0, {})
            return country.get("code")
        return NOT_COMPUTED

    def display_name(self, row: Row) -> str:
        """Return ``Parent, Name`` for an address."""
        name = row.get("name") or ""
        parent = self.table.rows.get(row.get("parent_id") or 0)
        if parent is None or row.get("is_company"):
            return name
        return f"{self.display_name(parent)}, {name or TYPE_LABELS.get(row.get('type') or '', '')}"
