"""Sales orders: defaults, currency, amounts, deletion. Their states are in ``states``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.sandbox.odoo.amounts import OrderAmounts, order_amounts
from bridge.sandbox.odoo.fault import user_error
from bridge.sandbox.odoo.lowering import promise
from bridge.sandbox.odoo.partner import Partner
from bridge.sandbox.odoo.pricing import priced, rounding_of
from bridge.sandbox.odoo.records import NOT_COMPUTED, Model
from bridge.sandbox.odoo.tables import Row


class Order(Model):
    """``sale.order``."""

    order = "date_order desc, id desc"
    required = ("partner_id", "partner_invoice_id", "partner_shipping_id")

    def prepare(self, values: Row, record_id: int | None) -> Row:
        """Drop what is accepted and ignored: the currency follows the pricelist."""
        values.pop("currency_id", None)
        return values

    def defaults(self, values: Row) -> Row:
        """Return addresses, pricelist, team and so on for a new order."""
        row: Row = {
            "state": "draft",
            "date_order": self.env.now(),
            "company_id": 1,
            "team_id": 1,
            "warehouse_id": 1,
            "user_id": self.env.uid,
            "require_signature": True,
            "require_payment": True,
            "invoice_status": "no",
            "picking_policy": "direct",
            "locked": False,
        }
        if not values.get("name") or values["name"] == "New":
            values.pop("name", None)
            row["name"] = self._next_name()
        partner_id = values.get("partner_id")
        partners = Partner(self.env, "res.partner")
        if isinstance(partner_id, int) and partner_id in partners.table.rows:
            chosen = partners.addresses(partner_id, ("invoice", "delivery"))
            row["partner_invoice_id"], row["partner_shipping_id"] = chosen["invoice"], chosen["delivery"]
            row["pricelist_id"] = partners.get(partner_id, "property_product_pricelist")
            row["fiscal_position_id"] = self._fiscal_position()
        return {name: value for name, value in row.items() if name in self.fields}

    def _next_name(self) -> str:
        company = self.env.company()
        number = company["_next_order"]
        self.env.db.table("res.company").update(1, {"_next_order": number + 1})
        return f"S{number:05d}"

    def _fiscal_position(self) -> int | None:
        """19 may choose one by itself (FACTS 6)."""
        if self.env.dialect.major < 19:
            return None
        return next(iter(sorted(self.env.db.table("account.fiscal.position").rows)), None)

    def created(self, record_id: int, values: Row) -> None:
        """Set the currency, compute, and leave Odoo's own note."""
        self._set_currency(record_id)
        self.recompute(record_id)
        self.env["mail.message"].create(
            {
                "model": self.name,
                "res_id": record_id,
                "body": "<p>Sales Order created</p>",
                "message_type": "notification",
                "subtype_id": self.env.company()["_note_subtype_id"],
                "is_internal": True,
            }
        )

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """Follow a new pricelist and a promised day."""
        if "commitment_date" in values:
            promise(self.env, record_id)
        if "pricelist_id" in values:
            self._set_currency(record_id)
        if "order_line" in values or "pricelist_id" in values:
            self.recompute(record_id)

    def _set_currency(self, record_id: int) -> None:
        pricelist = self.table.rows[record_id].get("pricelist_id")
        rows = self.env.db.table("product.pricelist").rows
        currency = rows[pricelist]["currency_id"] if pricelist else self.env.company()["currency_id"]
        self.table.update(record_id, {"currency_id": currency})

    def before_unlink(self, ids: Sequence[int]) -> None:
        """Refuse for orders that are not drafts or cancelled; delete the lines."""
        for one in ids:
            if self.table.rows[one]["state"] not in {"draft", "cancel"}:
                raise user_error(
                    "You can not delete a sent quotation or a confirmed sales order. You must first cancel it."
                )
        for one in ids:
            lines = self.children(one, "sale.order.line", "order_id")
            Model.unlink(self.env["sale.order.line"], lines)

    def recompute(self, record_id: int) -> None:
        """Sum up the lines. 16 adds what the lines hold, later versions compute anew."""
        row = self.table.rows[record_id]
        lines = self.env["sale.order.line"]
        rows = [lines.table.rows[one] for one in self.children(record_id, lines.name, "order_id")]
        how = rounding_of(self.env, row.get("currency_id"))
        if self.env.dialect.major < 18:
            untaxed = how.round(sum(line.get("price_subtotal") or 0.0 for line in rows))
            tax = how.round(sum(line.get("price_tax") or 0.0 for line in rows))
            amounts = OrderAmounts(untaxed, tax, how.round(untaxed + tax), ())
        else:
            amounts = order_amounts([priced(self.env, line) for line in rows], how)
        digits = how.digits
        self.table.update(
            record_id,
            {
                "amount_untaxed": round(amounts.untaxed, digits),
                "amount_tax": round(amounts.tax, digits),
                "amount_total": round(amounts.total, digits),
            },
        )

    def compute(self, row: Row, name: str) -> Any:
        """Return fields that follow from others."""
        if name == "message_ids":
            messages = self.env.db.table("mail.message")
            ids = [
                one
                for one in messages.lookup("res_id", [row["id"]])
                if messages.rows[one]["model"] == self.name
            ]
            return sorted(ids, reverse=True)
        if name == "duplicated_order_ids":
            ref = row.get("client_order_ref")
            same = self.table.lookup("client_order_ref", [ref]) if ref else set()
            return sorted(one for one in same if one != row["id"])
        if name == "currency_rate":
            return 1.0
        if name == "delivery_status":
            return "pending" if row["state"] in {"sale", "done"} else None
        return NOT_COMPUTED
