"""What an order line costs: digits, taxes and rounding as the database has them set."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.sandbox.odoo.amounts import PricedLine, Rounding, Tax, round_float
from bridge.sandbox.odoo.records import Env
from bridge.sandbox.odoo.tables import Row

#: Fields of an order line with the decimal precision that cuts them, as 16 and 18 have it (``orders/line-digits``).
LINE_PRECISIONS = {
    "price_unit": "Product Price",
    "product_uom_qty": "Product Unit of Measure",
    "discount": "Discount",
}


def precision(env: Env, name: str) -> int:
    """Return the digits of a decimal precision."""
    rows = env.db.table("decimal.precision").rows.values()
    return next(int(row["digits"]) for row in rows if row["name"] == name)


def line_digits(env: Env, field: str) -> int | None:
    """Return the digits to which a field of an order line is cut, None where it is not."""
    name: str | None = LINE_PRECISIONS[field]
    if env.dialect.major >= 19:
        name = {"price_unit": None, "product_uom_qty": "Product Unit"}.get(field, name)
    return precision(env, name) if name else None


def cut_price(env: Env, price: float) -> float:
    """Return ``price_unit`` as it is stored: 16 and 18 cut it to *Product Price*, 19 keeps all digits."""
    if env.dialect.major >= 19:
        return price
    return round_float(price, precision(env, "Product Price"))


def cut_discount(env: Env, discount: float) -> float:
    """Return a discount as it is stored."""
    return round_float(discount, precision(env, "Discount"))


def taxes_of(env: Env, ids: Sequence[int]) -> tuple[Tax, ...]:
    """Return the taxes in the order in which Odoo applies them."""
    taxes = env["account.tax"]
    rows = sorted((taxes.table.rows[one] for one in ids), key=lambda row: (row.get("sequence", 1), row["id"]))
    return tuple(
        Tax(row["id"], float(row.get("amount") or 0.0), bool(taxes.value(row, "price_include")))
        for row in rows
    )


def rounding_of(env: Env, currency_id: int | None) -> Rounding:
    """Return how the company rounds amounts in a currency."""
    currency = env.db.table("res.currency").rows.get(currency_id or 0, {})
    per_line = env.company()["tax_calculation_rounding_method"] == "round_per_line"
    return Rounding(env.dialect.major, per_line, int(currency.get("decimal_places", 2)))


def priced(env: Env, row: Row, *, price: float | None = None) -> PricedLine:
    """Return what the amounts of a stored line depend on."""
    return PricedLine(
        quantity=float(row.get("product_uom_qty") or 0.0),
        price_unit=float(row.get("price_unit") or 0.0) if price is None else price,
        discount=float(row.get("discount") or 0.0),
        taxes=taxes_of(env, row.get(env.dialect.tax_field) or []),
    )
