"""``sale.order.onchange``: the total of an order that is not written, with the traps of each version.

As recorded in ``rules/onchange-*``: only the names ``["order_line"]`` give the true total; 16 needs a partner,
answers uncut floats and does not cut discounts; an amount of 0 is left out; 18 and 19 need ``order_line`` in the spec.
"""

from __future__ import annotations

from typing import Any

from bridge.sandbox.odoo.amounts import OrderAmounts, PricedLine, Rounding, line_amounts, order_amounts
from bridge.sandbox.odoo.fault import OdooFault
from bridge.sandbox.odoo.pricing import cut_discount, cut_price, rounding_of, taxes_of
from bridge.sandbox.odoo.records import Env, Model
from bridge.sandbox.odoo.tables import Row

AMOUNTS = ("amount_untaxed", "amount_tax", "amount_total")


def onchange(model: Model, values: Row, names: Any, spec: Row) -> Row:
    """Return ``{"value": ...}`` for a new order with ``values``."""
    env = model.env
    changed = [names] if isinstance(names, str) else list(names or [])
    if model.name != "sale.order":
        return {"value": {}}
    if env.dialect.major >= 18:
        for name in changed:
            if name not in spec:
                raise OdooFault("builtins.KeyError", name)
    has_partner = bool(values.get("partner_id"))
    lines = [step[2] for step in values.get("order_line") or [] if step[0] == 0]
    counts_tax = bool(changed) and (env.dialect.major >= 18 or (has_partner and changed == ["order_line"]))
    pricelist = values.get("pricelist_id") or env.company()["_pricelist_id"]
    currency = env.db.table("product.pricelist").rows[pricelist]["currency_id"]
    how = rounding_of(env, currency)
    each = [_priced(env, line, with_tax=counts_tax) for line in lines]
    amounts = _total(each, how, is_raw=env.dialect.major < 18 and not has_partner)
    answer: Row = {}
    if not changed:
        answer = _whole(env, values, each, amounts, pricelist=pricelist, currency=currency)
    elif "partner_id" in changed:
        answer = _links(env, pricelist, currency)
    shown = dict(zip(AMOUNTS, (amounts.untaxed, amounts.tax, amounts.total), strict=True))
    answer |= {name: value for name, value in shown.items() if value or not changed}
    return {"value": {name: value for name, value in answer.items() if name in spec}}


def _priced(env: Env, line: Row, *, with_tax: bool) -> PricedLine:
    products = env["product.product"]
    product = products.table.rows.get(line.get("product_id") or 0, {"id": 0})
    price = float(
        line["price_unit"] if "price_unit" in line else products.value(product, "list_price") or 0.0
    )
    discount = float(line.get("discount") or 0.0)
    if env.dialect.major >= 18:
        price, discount = cut_price(env, price), cut_discount(env, discount)
    ids: list[int] = []
    if with_tax:
        ids = _linked(line[env.dialect.tax_field]) if env.dialect.tax_field in line else []
        if env.dialect.tax_field not in line:
            ids = products.value(product, "taxes_id") or []
    return PricedLine(float(line.get("product_uom_qty", 1.0)), price, discount, taxes_of(env, ids))


def _linked(steps: Any) -> list[int]:
    ids: list[int] = []
    for step in steps or []:
        if step[0] == 6:
            ids = list(step[2])
        elif step[0] == 4:
            ids.append(step[1])
        elif step[0] == 5:
            ids = []
    return ids


def _total(lines: list[PricedLine], how: Rounding, *, is_raw: bool) -> OrderAmounts:
    if not is_raw:
        return order_amounts(lines, how)
    # Without a partner 16 has no currency to round the sum by.
    each = tuple(line_amounts(line, how) for line in lines)
    untaxed = sum(one.subtotal for one in each)
    return OrderAmounts(untaxed, 0.0, untaxed, each)


def _link(env: Env, model: str, record_id: int | None) -> Any:
    """Return a many2one as the version's onchange shows it: 16 a pair, later the id."""
    if not record_id:
        return False
    if env.dialect.major >= 18:
        return record_id
    other = env[model]
    return [record_id, other.display_name(other.table.rows[record_id])]


def _links(env: Env, pricelist: int, currency: int) -> Row:
    answer: Row = {"pricelist_id": _link(env, "product.pricelist", pricelist)}
    if env.dialect.major < 18:
        answer["currency_id"] = _link(env, "res.currency", currency)
    positions = sorted(env.db.table("account.fiscal.position").rows)
    if env.dialect.major >= 19 and positions:
        answer["fiscal_position_id"] = positions[0]
    return answer


def _whole(
    env: Env, values: Row, lines: list[PricedLine], amounts: OrderAmounts, *, pricelist: int, currency: int
) -> Row:
    """Return every field of the form: what no names, as for a form just opened, answer."""
    steps = [step for step in values.get("order_line") or [] if step[0] == 0]
    shown = [
        [0, step[1], _line(env, step[2], line, one)]
        for step, line, one in zip(steps, lines, amounts.lines, strict=True)
    ]
    position = next(iter(sorted(env.db.table("account.fiscal.position").rows)), None)
    return {
        "partner_id": _link(env, "res.partner", values.get("partner_id")),
        "pricelist_id": _link(env, "product.pricelist", pricelist),
        "currency_id": _link(env, "res.currency", currency),
        "company_id": _link(env, "res.company", 1),
        "fiscal_position_id": position if env.dialect.major >= 19 and position else False,
        "date_order": env.now(),
        "order_line": shown if env.dialect.major >= 18 else [[5, 0, 0], *shown],
    }


def _line(env: Env, values: Row, line: PricedLine, amounts: Any) -> Row:
    answer: Row = {
        "product_id": _link(env, "product.product", values.get("product_id")),
        "name": values.get("name") or False,
        "product_uom_qty": line.quantity,
        "price_unit": line.price_unit,
        "discount": line.discount,
        "price_subtotal": amounts.subtotal,
        "price_tax": amounts.tax,
        "price_total": amounts.total,
    }
    if env.dialect.major < 18:
        ids = _linked(values.get(env.dialect.tax_field))
        answer[env.dialect.tax_field] = [[5, 0, 0], *([4, one, 0] for one in ids)]
    return answer
