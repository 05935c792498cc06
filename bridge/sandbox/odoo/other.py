"""The small models around orders: external ids, messages, users, taxes, categories, places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.sandbox.odoo.attributes import (
    Attribute,
    AttributeLine,
    AttributeValue,
    TemplateAttributeValue,
)
from bridge.sandbox.odoo.fault import user_error, validation_error
from bridge.sandbox.odoo.kits import Bill, BillLine
from bridge.sandbox.odoo.moves import Move
from bridge.sandbox.odoo.order_line import OrderLine
from bridge.sandbox.odoo.partner import Partner
from bridge.sandbox.odoo.pricelist import Pricelist, PricelistItem
from bridge.sandbox.odoo.product import Template
from bridge.sandbox.odoo.quants import Quant
from bridge.sandbox.odoo.records import NOT_COMPUTED, Model
from bridge.sandbox.odoo.sale import Order
from bridge.sandbox.odoo.stock import Activity, Picking, ReturnPicking
from bridge.sandbox.odoo.tables import Row
from bridge.sandbox.odoo.variant import Variant
from bridge.sandbox.odoo.warehouse import Location, PickingType, Warehouse


class ExternalId(Model):
    """``ir.model.data``: module and name are unique together."""

    order = "module, model, name"
    required = ("module", "name", "model")

    def defaults(self, values: Row) -> Row:
        """Return the flags of a new external id."""
        return {"noupdate": False, "res_id": 0}

    def find(self, module: str, name: str) -> int | None:
        """Return the id of the row with this external id."""
        rows = self.table.rows
        for one in self.table.lookup("name", [name]):
            if rows[one]["name"] == name and rows[one]["module"] == module:
                return one
        return None

    def created(self, record_id: int, values: Row) -> None:
        """Refuse a second row with the same external id."""
        row = self.table.rows[record_id]
        same = [
            one
            for one in self.table.lookup("name", [row["name"]])
            if self.table.rows[one]["name"] == row["name"] and self.table.rows[one]["module"] == row["module"]
        ]
        if len(same) > 1:
            raise validation_error(
                "The operation cannot be completed: duplicate key value violates unique constraint "
                '"ir_model_data_module_name_uniq_index"\n'
                f"DETAIL:  Key (module, name)=({row['module']}, {row['name']}) already exists.\n"
            )

    def display_name(self, row: Row) -> str:
        """Return the external id."""
        return f"{row.get('module')}.{row.get('name')}"


class Message(Model):
    """``mail.message``: the chatter."""

    order = "id desc"

    def defaults(self, values: Row) -> Row:
        """Return author, date and kind."""
        user = self.env.db.table("res.users").rows.get(self.env.uid, {})
        return {
            "date": self.env.now(),
            "author_id": user.get("partner_id"),
            "message_type": "email",
            "is_internal": False,
        }

    def prepare(self, values: Row, record_id: int | None) -> Row:
        """Keep the body as HTML."""
        body = values.get("body")
        if isinstance(body, str) and body and not body.lstrip().startswith("<"):
            values["body"] = f"<p>{body}</p>"
        return values


class User(Model):
    """``res.users``."""

    order = "name, login"
    required = ("login",)

    def created(self, record_id: int, values: Row) -> None:
        """Refuse a login that is taken; make the user's contact."""
        row = self.table.rows[record_id]
        if sum(one.get("login") == row["login"] for one in self.table.rows.values()) > 1:
            raise self.env.dialect.check_constraint("You can not have two users with the same login!")
        if not row.get("partner_id"):
            partner = self.env["res.partner"].create({"name": row.get("name"), "email": row.get("login")})
            self.table.update(record_id, {"partner_id": partner})

    def shown(self, row: Row, name: str) -> Any:
        """Never show a password (``errors/access-error-field``)."""
        return "" if name == "password" else super().shown(row, name)


class AccountTax(Model):
    """``account.tax``: since 18 ``price_include`` is computed and a written one ignored."""

    order = "sequence, id"
    required = ("name",)

    def prepare(self, values: Row, record_id: int | None) -> Row:
        """Drop the old field where it is computed."""
        if self.env.dialect.major >= 18:
            values.pop("price_include", None)
        return values

    def defaults(self, values: Row) -> Row:
        """Return what a tax has when it is not said."""
        company = self.env.company()
        return {
            "amount": 0.0,
            "amount_type": "percent",
            "type_tax_use": "sale",
            "sequence": 1,
            "active": True,
            "company_id": 1,
            "country_id": company.get("_fiscal_country_id"),
            "include_base_amount": False,
            "is_base_affected": True,
        }

    def compute(self, row: Row, name: str) -> Any:
        """Return whether the tax is inside the price."""
        if name == "price_include":
            override = row.get("price_include_override")
            override = override or self.env.company().get("account_price_include")
            return override == "tax_included"
        return NOT_COMPUTED


class Currency(Model):
    """``res.currency``: its rate is the newest, the company's own counts as 1."""

    def compute(self, row: Row, name: str) -> Any:
        """Return the rate to the company's currency, or its inverse."""
        if name not in {"rate", "inverse_rate"}:
            return NOT_COMPUTED
        rate = self._rate(row["id"]) / self._rate(self.env.company()["currency_id"])
        return rate if name == "rate" else 1 / rate

    def _rate(self, currency_id: int) -> float:
        rows = self.env.db.table("res.currency.rate").rows.values()
        known = [(row["name"], row["rate"]) for row in rows if row["currency_id"] == currency_id]
        return float(max(known)[1]) if known else 1.0


class State(Model):
    """``res.country.state``."""

    order = "code"

    def display_name(self, row: Row) -> str:
        """Return ``Name (CC)``."""
        country = self.env.db.table("res.country").rows.get(row.get("country_id") or 0, {})
        return f"{row.get('name')} ({country.get('code')})"


class Category(Model):
    """``product.category``."""

    required = ("name",)

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """Refuse a category below itself (source: ``_parent_store_update``)."""
        above = self.table.rows[record_id].get("parent_id")
        while above:
            if above == record_id:
                raise user_error("Recursion Detected.")
            above = self.table.rows[above].get("parent_id")

    def before_unlink(self, ids: Sequence[int]) -> None:
        """Delete what is below the categories (source: ``parent_id`` has ``ondelete='cascade'``)."""
        rows = self.table.rows
        if below := [one for one, row in rows.items() if row.get("parent_id") in ids and one not in ids]:
            self.unlink(below)

    def display_name(self, row: Row) -> str:
        """Return ``Parent / Name``."""
        parent = self.table.rows.get(row.get("parent_id") or 0)
        name = row.get("name") or ""
        return f"{self.display_name(parent)} / {name}" if parent else name

    def compute(self, row: Row, name: str) -> Any:
        """Return the whole path, as names and as ids."""
        if name == "complete_name":
            return self.display_name(row)
        if name == "parent_path":
            parent = self.table.rows.get(row.get("parent_id") or 0)
            return f"{self.compute(parent, name) if parent else ''}{row['id']}/"
        return NOT_COMPUTED


class Country(Model):
    """``res.country``."""

    order = "name, id"


class Group(Model):
    """``res.groups``."""

    order = "full_name"


#: The models that add something to plain records.
CLASSES: dict[str, type[Model]] = {
    "account.tax": AccountTax,
    "ir.model.data": ExternalId,
    "mrp.bom": Bill,
    "mrp.bom.line": BillLine,
    "mail.activity": Activity,
    "mail.message": Message,
    "product.attribute": Attribute,
    "product.attribute.value": AttributeValue,
    "product.category": Category,
    "product.pricelist": Pricelist,
    "product.pricelist.item": PricelistItem,
    "product.product": Variant,
    "product.template": Template,
    "product.template.attribute.line": AttributeLine,
    "product.template.attribute.value": TemplateAttributeValue,
    "res.country": Country,
    "res.country.state": State,
    "res.currency": Currency,
    "res.groups": Group,
    "res.partner": Partner,
    "res.users": User,
    "sale.order": Order,
    "sale.order.line": OrderLine,
    "stock.location": Location,
    "stock.move": Move,
    "stock.picking": Picking,
    "stock.picking.type": PickingType,
    "stock.quant": Quant,
    "stock.return.picking": ReturnPicking,
    "stock.warehouse": Warehouse,
}
