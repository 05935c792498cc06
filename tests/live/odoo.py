"""A real Odoo in the shape of the sandbox's, so that the same shops and checks work on both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from bridge.odoo import OdooClient
from tests.live.fields import FIELDS, OURS
from tests.live.given import given
from tests.live.goods import LiveGoods

Row = dict[str, Any]

#: Sales taxes made for these tests by name, on top of the price and, with " incl", inside it.
TAXES = {"DE-19": "19", "DE-7": "7", "FR-20": "20", "US-NY": "8.375"}
CURRENCIES = ("EUR", "USD")
_ALL = {"active_test": False}
_DONE = ["state", "=", "done"]


class LiveOdoo(LiveGoods):
    """One database, worked on by the bridge's user and looked into by an administrator."""

    def __init__(self) -> None:
        self.url, self.database = given("ODOO_URL"), given("ODOO_DB")
        self.user, self.key = given("ODOO_USER"), given("ODOO_KEY")
        self.admin = OdooClient.connect(
            url=self.url,
            db=self.database,
            user=given("ODOO_ADMIN_USER"),
            key=given("ODOO_ADMIN_KEY"),
            deadline_seconds=120,
        )
        self.version = self.admin.version.family
        self._kinds: dict[str, dict[str, str]] = {}
        self._newest = {model: self._last_id(model) for model in (*OURS, "product.product")}
        profile = self.admin.profile()
        #: The currency of the company.
        self.currency = profile.currency
        company_id = profile.company_id
        (self._company,) = self.admin.read("res.company", [company_id], ["tax_calculation_rounding_method"])
        (self._precision,) = self.admin.search_read(
            "decimal.precision", [["name", "=", "Product Price"]], ["digits"]
        )
        self._taxes = self._make_taxes()
        self._make_pricelists()

    # What the sandbox's has too.

    def records(self, model: str) -> list[Row]:
        """Return the records of a model: many2one as plain ids, empty fields as None."""
        domain: list[Any] = []
        if model in OURS:
            domain = [["id", ">", self._newest[model]]]
        elif model == "account.tax":
            domain = [["id", "in", sorted(self._taxes.values())]]
        kinds = self._kinds_of(model)
        rows = self.admin.search_read(model, domain, sorted(kinds), order="id", context=_ALL)
        found = [
            {"id": row["id"], **{name: _plain(row[name], kind) for name, kind in kinds.items()}}
            for row in rows
        ]
        if model == "res.partner" and self.version < 18:
            self._only_chosen_pricelists(found)
        return found

    def create(self, model: str, values: Mapping[str, Any]) -> int:
        """Create a record as an administrator."""
        (made,) = self.admin.call(model, "create", args={"vals_list": [dict(values)]})
        return int(made)

    def write(self, model: str, record_id: int, values: Mapping[str, Any], *, language: str = "") -> None:
        """Change a record as an administrator, of a language where one is given."""
        self.admin.write(model, [record_id], values, context={"lang": language} if language else None)

    def find(self, model: str, **equal: Any) -> int | None:
        """Return the id of the first record whose fields equal those given; taxes go by the names of ``TAXES``."""
        if model == "account.tax" and "name" in equal:
            return self._taxes.get(equal["name"])
        domain = [[name, "=", value] for name, value in equal.items()]
        return next(iter(self.admin.search(model, domain, limit=1, order="id", context=_ALL)), None)

    def delete(self, model: str, record_id: int) -> None:
        """Delete a record as a person would, orders after cancelling them."""
        if model == "sale.order":
            self._cancel([record_id])
        self.admin.call(model, "unlink", [record_id])

    def merge_partners(self, old: int, into: int) -> None:
        """Merge a partner into another by Odoo's own wizard."""
        wizard = "base.partner.merge.automatic.wizard"
        context = {"active_model": "res.partner", "active_ids": [old, into]}
        values = {"partner_ids": [[6, 0, [old, into]]], "dst_partner_id": into, "state": "selection"}
        (made,) = self.admin.call(wizard, "create", args={"vals_list": [values]}, context=context)
        self.admin.call(wizard, "action_merge", [made], context=context)

    def seed_products(self, skus: Iterable[str] | Mapping[str, float]) -> dict[str, int]:
        """Make a storable product for each SKU that there is none of; return the ids by SKU."""
        wanted = list(dict.fromkeys(skus))
        known = self._by_sku(wanted)
        storable = dict(self.admin.names.storable)
        missing = [
            {"name": sku, "default_code": sku, "list_price": 1.0, **storable}
            for sku in wanted
            if sku not in known
        ]
        if missing:
            self.admin.call("product.product", "create", args={"vals_list": missing})
        return self._by_sku(wanted)

    def set_price_precision(self, digits: int) -> None:
        """Set the digits of *Product Price*."""
        self.admin.write("decimal.precision", [self._precision["id"]], {"digits": digits})

    def set_rounding(self, method: str) -> None:
        """Set the company's ``tax_calculation_rounding_method``."""
        self.admin.write("res.company", [self._company["id"]], {"tax_calculation_rounding_method": method})

    @contextmanager
    def granted(self, group: str) -> Iterator[None]:
        """Give the bridge's user a right by the external id of its group, for a while."""
        module, _, name = group.partition(".")
        found = self.admin.check_reference(module, name)
        assert found is not None, group
        field = self.admin.names.user_groups
        (user,) = self.admin.search_read("res.users", [["login", "=", self.user]], [field])
        had = found[1] in user[field]
        if not had:
            self.admin.write("res.users", [user["id"]], {field: [[4, found[1], 0]]})
        try:
            yield
        finally:
            if not had:
                # What it brought along goes with it.
                self.admin.write("res.users", [user["id"]], {field: [[6, 0, user[field]]]})

    def install(self, module: str) -> None:
        """Install an app unless it is there."""
        (row,) = self.admin.search_read("ir.module.module", [["name", "=", module]], ["state"])
        if row["state"] != "installed":
            self.admin.within(600).call("ir.module.module", "button_immediate_install", [int(row["id"])])

    # The end.

    def close(self) -> None:
        """Delete what the bridge made, give the settings back, and close the connections.

        Products, warehouses, taxes and pricelists of these tests stay, for the next run.
        """
        try:
            self._clean()
        finally:
            self.set_price_precision(int(self._precision["digits"]))
            self.set_rounding(str(self._company["tax_calculation_rounding_method"]))
            self.admin.close()

    def _clean(self) -> None:
        orders = self._new("sale.order")
        self._cancel(orders)
        # What was delivered stays, and so do its order with its services and its customer.
        moved = self.admin.search_read("stock.picking", [["sale_id", "in", orders], _DONE], ["sale_id"])
        kept = sorted({int(row["sale_id"][0]) for row in moved})
        roles = ["partner_id", "partner_invoice_id", "partner_shipping_id"]
        customers = self.admin.read("sale.order", kept, roles)
        stay = sorted({int(row[role][0]) for row in customers for role in roles})
        orders = sorted(set(orders) - set(kept))
        pickings = self.admin.search("stock.picking", [["sale_id", "in", orders]])
        for model, ids in (("sale.order", orders), ("stock.picking", pickings)):
            if ids:
                self.admin.call(model, "unlink", ids)
        lines = self.admin.search_read("sale.order.line", [["order_id", "in", kept]], ["product_id"])
        sold = sorted({int(row["product_id"][0]) for row in lines if row["product_id"]})
        services = self._new("product.product", ["name", "like", "(Magento)"], ["id", "not in", sold])
        contacts = self._new("res.partner", ["parent_id", "!=", False], ["id", "not in", stay])
        for model, ids in (("product.product", services), ("res.partner", contacts)):
            if ids:
                self.admin.call(model, "unlink", ids)
        if partners := self._new("res.partner", ["id", "not in", stay]):
            self.admin.call("res.partner", "unlink", partners)

    def _cancel(self, orders: list[int]) -> None:
        rows = self.admin.read("sale.order", orders, ["state"])
        if open_ones := [int(row["id"]) for row in rows if row["state"] != "cancel"]:
            self.cancel(*open_ones)

    def _only_chosen_pricelists(self, partners: list[Row]) -> None:
        """Leave the pricelists that were chosen: 16 shows the default where none was."""
        by_reference = {f"res.partner,{row['id']}": row for row in partners}
        name = "property_product_pricelist"
        rows = self.admin.search_read(
            "ir.property",
            [["name", "=", name], ["res_id", "in", list(by_reference)]],
            ["res_id", "value_reference"],
        )
        chosen = {row["res_id"]: int(row["value_reference"].partition(",")[2]) for row in rows}
        for reference, partner in by_reference.items():
            partner[name] = chosen.get(reference)

    # What the tests need before.

    def _make_taxes(self) -> dict[str, int]:
        wanted = {f"{name}{more}": (amount, more) for name, amount in TAXES.items() for more in ("", " incl")}
        names = {f"Live {name}": name for name in wanted}
        found = self.admin.search_read("account.tax", [["name", "in", list(names)]], ["name"])
        taxes = {names[row["name"]]: int(row["id"]) for row in found}
        for name, (amount, more) in wanted.items():
            if name in taxes:
                continue
            inside = bool(more)
            field = self.admin.names.tax_included
            # From 18 on an empty field means the company's own way, so both are said.
            value: Any = (
                inside if field == "price_include" else ("tax_included" if inside else "tax_excluded")
            )
            values = {"name": f"Live {name}", "amount": Decimal(amount), "type_tax_use": "sale", field: value}
            taxes[name] = self.create("account.tax", {**values, "amount": float(amount)})
        return taxes

    def _make_pricelists(self) -> None:
        for code in CURRENCIES:
            (currency,) = self.admin.search("res.currency", [["name", "=", code]], context=_ALL)
            self.admin.write("res.currency", [currency], {"active": True})
            if not self.admin.search("product.pricelist", [["currency_id", "=", currency]]):
                self.create("product.pricelist", {"name": f"Live {code}", "currency_id": currency})

    def _by_sku(self, skus: list[str]) -> dict[str, int]:
        rows = self.admin.search_read(
            "product.product", [["default_code", "in", skus]], ["default_code"], order="id desc"
        )
        return {str(row["default_code"]): int(row["id"]) for row in rows}

    def _new(self, model: str, *more: list[Any]) -> list[int]:
        domain = [["id", ">", self._newest[model]], *more]
        return self.admin.search(model, domain, context=_ALL)

    def _last_id(self, model: str) -> int:
        return max(self.admin.search(model, [], order="id desc", limit=1, context=_ALL), default=0)

    def _kinds_of(self, model: str) -> dict[str, str]:
        if model not in self._kinds:
            options = {"allfields": list(FIELDS[model]), "attributes": ["type"]}
            found = self.admin.call(model, "fields_get", named=options)
            self._kinds[model] = {name: facts["type"] for name, facts in found.items()}
        return self._kinds[model]


def _plain(value: Any, kind: str) -> Any:
    if kind == "boolean":
        return value
    if kind in {"float", "monetary"}:
        return float(value)
    if kind == "many2one":
        return value[0] if value else None
    return None if value is False else value
