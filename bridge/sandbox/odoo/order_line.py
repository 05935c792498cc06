"""Lines of sales orders: defaults, amounts, and the prices that Odoo resets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.sandbox.odoo.amounts import line_amounts
from bridge.sandbox.odoo.fault import user_error, validation_error
from bridge.sandbox.odoo.lowering import follow_lead, take_off
from bridge.sandbox.odoo.pricing import cut_discount, cut_price, priced, rounding_of
from bridge.sandbox.odoo.records import NOT_COMPUTED, Model
from bridge.sandbox.odoo.sale import Order
from bridge.sandbox.odoo.tables import Row

#: Fields of a line that a locked order protects, with their labels.
LOCKED_FIELDS = {
    "product_id": "Product",
    "name": "Description",
    "price_unit": "Unit Price",
    "product_uom_qty": "Quantity",
    "tax_id": "Taxes",
    "tax_ids": "Taxes",
}


class OrderLine(Model):
    """``sale.order.line``."""

    order = "order_id, sequence, id"
    required = ("order_id",)

    def create(self, values: Row) -> int:
        """Store a line and bring the order's amounts up to date."""
        record_id = super().create(values)
        self._update_order(record_id)
        return record_id

    def _update_order(self, record_id: int) -> None:
        """Bring the order's amounts up to date, unless the order is being made and will do so itself."""
        order = self.env["sale.order"]
        assert isinstance(order, Order)
        order_id = self.table.rows[record_id]["order_id"]
        if "amount_total" in order.table.rows[order_id]:
            order.recompute(order_id)

    def prepare(self, values: Row, record_id: int | None) -> Row:
        """Cut the discount, keep the price aside for the first amounts of 16."""
        if values.get("discount"):
            values["discount"] = cut_discount(self.env, float(values["discount"]))
        return values

    def defaults(self, values: Row) -> Row:
        """Return name, price, taxes and unit of the product for what is left out."""
        row: Row = {
            "sequence": 10,
            "discount": 0.0,
            "state": "draft",
            "company_id": 1,
            "product_uom_qty": 1.0,
            "customer_lead": 0.0,
        }
        if values.get("display_type"):
            return row | {"product_uom_qty": 0.0}
        product_id = values.get("product_id")
        products = self.env["product.product"]
        if not isinstance(product_id, int) or isinstance(product_id, bool) or not product_id:
            raise validation_error("Missing required fields on accountable sale order line.")
        products.ensure([product_id])
        product = products.table.rows[product_id]
        about = products.value(product, "description_sale")
        shown = products.display_name(product)
        row["name"] = f"{shown}\n{about}" if about else shown
        row["price_unit"] = float(products.value(product, "list_price") or 0.0)
        row["customer_lead"] = float(products.value(product, "sale_delay") or 0.0)
        row[self.env.dialect.tax_field] = [[6, 0, products.value(product, "taxes_id") or []]]
        row[self.env.dialect.uom_field] = products.value(product, "uom_id")
        return row

    def created(self, record_id: int, values: Row) -> None:
        """Cut the price and compute: 16 from the uncut price, later versions from the stored one."""
        price = float(values.get("price_unit") or 0.0)
        changes: Row = {"price_unit": cut_price(self.env, price)}
        if self.env.dialect.has_technical_price and "technical_price_unit" not in values:
            changes["technical_price_unit"] = price
        self.table.update(record_id, changes)
        self._compute_amounts(record_id, price if self.env.dialect.major < 18 else None)

    def write(self, ids: Sequence[int], values: Row) -> bool:
        """Change lines; a locked order protects them."""
        self._check_lock(ids, values)
        return super().write(ids, values)

    def _check_lock(self, ids: Sequence[int], values: Row) -> None:
        orders = self.env.db.table("sale.order").rows
        touched = [label for name, label in LOCKED_FIELDS.items() if name in values]
        for one in self.exists(ids):
            order = orders[self.table.rows[one]["order_id"]]
            if touched and (order.get("locked") or order["state"] == "done"):
                raise user_error(
                    "It is forbidden to modify the following fields in a locked order:\n" + "\n".join(touched)
                )

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """Reset the price where Odoo does, then compute again; deliver less where units were taken off."""
        if "customer_lead" in values:
            follow_lead(self.env, record_id)
        lowered = (old.get("product_uom_qty") or 0.0) - self.table.rows[record_id]["product_uom_qty"]
        if lowered > 0:
            take_off(self.env, record_id, lowered)
        price: float | None = None
        if "price_unit" in values:
            # The technical price stays: a price that now differs from it counts as set by hand.
            price = float(values["price_unit"] or 0.0)
            self.table.update(record_id, {"price_unit": cut_price(self.env, price)})
        elif {"product_uom_qty", "product_id"} & values.keys() and not self._is_price_by_hand(old):
            self._reset_price(record_id)
        self._compute_amounts(record_id, price if self.env.dialect.major < 18 else None)
        self._update_order(record_id)

    def _is_price_by_hand(self, old: Row) -> bool:
        """18 and 19 keep a price that differs from the technical one."""
        if not self.env.dialect.has_technical_price:
            return False
        return float(old.get("technical_price_unit") or 0.0) != float(old.get("price_unit") or 0.0)

    def _reset_price(self, record_id: int) -> None:
        row = self.table.rows[record_id]
        if not row.get("product_id"):
            return
        price = float(self.env["product.product"].get(row["product_id"], "list_price") or 0.0)
        changes: Row = {"price_unit": cut_price(self.env, price)}
        if self.env.dialect.has_technical_price:
            changes["technical_price_unit"] = price
        self.table.update(record_id, changes)

    def update_price(self, record_id: int) -> None:
        """Take the catalog price and no discount (``action_update_prices``)."""
        self._reset_price(record_id)
        self.table.update(record_id, {"discount": 0.0})
        self._compute_amounts(record_id, None)

    def _compute_amounts(self, record_id: int, price: float | None) -> None:
        row = self.table.rows[record_id]
        order = self.env.db.table("sale.order").rows[row["order_id"]]
        how = rounding_of(self.env, order.get("currency_id"))
        amounts = line_amounts(priced(self.env, row, price=price), how)
        quantity = float(row.get("product_uom_qty") or 0.0)
        self.table.update(
            record_id,
            {
                "price_subtotal": round(amounts.subtotal, how.digits),
                "price_tax": amounts.tax,
                "price_total": round(amounts.total, how.digits),
                "price_reduce_taxexcl": amounts.subtotal / quantity if quantity else 0.0,
                "price_reduce_taxinc": amounts.total / quantity if quantity else 0.0,
            },
        )

    def before_unlink(self, ids: Sequence[int]) -> None:
        """Refuse for lines of confirmed orders."""
        orders = self.env.db.table("sale.order").rows
        if any(orders[self.table.rows[one]["order_id"]]["state"] in {"sale", "done"} for one in ids):
            if self.env.dialect.major < 18:
                raise user_error(
                    "You can not remove an order line once the sales order is confirmed.\n"
                    "You should rather set the quantity to 0."
                )
            raise user_error(
                "Once a sales order is confirmed, you can't remove one of its lines (we need to track if something "
                "gets invoiced or delivered).\n                Set the quantity to 0 instead."
            )

    def unlink(self, ids: Sequence[int]) -> bool:
        """Delete lines and bring their orders up to date."""
        touched = {self.table.rows[one]["order_id"] for one in ids if one in self.table.rows}
        super().unlink(ids)
        order = self.env["sale.order"]
        assert isinstance(order, Order)
        for one in touched:
            order.recompute(one)
        return True

    def compute(self, row: Row, name: str) -> Any:
        """Return fields that follow from others."""
        order = self.env.db.table("sale.order").rows[row["order_id"]]
        if name == "currency_id":
            return order.get("currency_id")
        if name == "warehouse_id":
            # 18 and 19 let a route of the line decide, which is not simulated.
            return order.get("warehouse_id")
        if name == "order_partner_id":
            return order.get("partner_id")
        if name == "product_template_id":
            product = self.env.db.table("product.product").rows.get(row.get("product_id") or 0, {})
            return product.get("product_tmpl_id")
        return NOT_COMPUTED
