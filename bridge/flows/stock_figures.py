"""Works out what each product should have in a source: Odoo's figure, the open lines of Magento, the settings (RULES 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bridge.errors import OperatorError
from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.stock_source import Goods, LineMoves
from bridge.flows.stock_watch import ORDER_BINDING
from bridge.ledger import Binding, Pair, StockLine
from bridge.ledger import StockFigure as Known
from bridge.stock_routes import Routes
from bridge.translate.money import ZERO
from bridge.translate.stock import OdooMoves, SoldLine, StockFigure, StockRules, figure, safety_for


class StockUnclear(OperatorError):
    """The stock of a product cannot be exported as it is."""

    code = "stock_unclear"


@dataclass(frozen=True, kw_only=True)
class WorkedOut:
    """What became of one product before Magento was asked."""

    known: Known
    sku: str
    #: None where it is not exported.
    figure: StockFigure | None = None
    #: Why not, where a person must do something; None where nothing is to be done.
    trouble: StockUnclear | None = None


def work_out(ctx: FlowContext, routes: Routes, source: str, rows: Sequence[Known]) -> list[WorkedOut]:
    """Return the figure of each product, with Odoo read once for all of them."""
    bound = [row for row in rows if row.odoo_id is not None]
    if not bound:
        return [WorkedOut(known=row, sku=row.sku or "") for row in rows]
    goods = stock_source.read_goods(ctx, routes, source, {row.odoo_id for row in bound if row.odoo_id})
    sold = _sold_lines(ctx, routes, source, bound)
    rules = _rules(ctx, source, bound, goods)
    return [_one(row, goods.get(row.odoo_id or 0), sold, rules) for row in rows]


def _one(
    row: Known,
    goods: Goods | None,
    sold: Mapping[str, Sequence[SoldLine]],
    rules: Mapping[str, StockRules],
) -> WorkedOut:
    sku = row.sku or f"product {row.magento_id}"
    if row.odoo_id is None:
        # No binding any more: nothing of Odoo stands for it.
        return WorkedOut(known=row, sku=sku)
    if goods is None:
        return _trouble(row, sku, "gone", f"The Odoo product of {sku} was deleted.")
    if not goods.is_active:
        return _trouble(row, sku, "archived", f"The Odoo product of {sku} is archived.")
    if not goods.is_tracked:
        # Odoo counts none of it: its 0 does not mean sold out (Odoo FACTS 5).
        return WorkedOut(known=row, sku=sku)
    if goods.quantity is None:
        return _trouble(row, sku, "quantity", f"Odoo's quantity of {sku} is no number that Magento can keep.")
    return WorkedOut(
        known=row,
        sku=sku,
        figure=figure(goods.quantity, sold.get(row.magento_id, ()), rules[row.magento_id]),
    )


def _trouble(row: Known, sku: str, reason: str, message: str) -> WorkedOut:
    error = StockUnclear(message, system="odoo", reason=reason, sku=sku, odoo_id=row.odoo_id)
    return WorkedOut(known=row, sku=sku, trouble=error)


def _rules(
    ctx: FlowContext, source: str, rows: Sequence[Known], goods: Mapping[int, Goods]
) -> dict[str, StockRules]:
    settings = ctx.settings
    overrides = {(one.scope, one.key): one.quantity for one in ctx.ledger.stock.safety(ctx.instance.name)}
    chains: Mapping[int, Sequence[str]] = {}
    if any(scope == "category" for scope, _ in overrides):
        ids = {one.category_id for one in goods.values() if one.category_id is not None}
        chains = stock_source.read_categories(ctx, ids)
    layout = stock_source.source_layout(ctx)
    stocks = () if layout is None else tuple(one.stock_id for one in layout.stocks_of(source))
    found: dict[str, StockRules] = {}
    for row in rows:
        known = goods.get(row.odoo_id or 0)
        category_id = None if known is None else known.category_id
        safety = safety_for(
            {(str(scope), key): quantity for (scope, key), quantity in overrides.items()},
            default=settings.safety_stock,
            source=source,
            product=row.sku or "",
            categories=chains.get(category_id or 0, ()),
        )
        found[row.magento_id] = StockRules(
            formula=settings.stock_formula,
            field=settings.stock_quantity_field,
            safety=safety.quantity,
            safety_from=safety.where,
            has_reservations=settings.stock_reservations == "on",
            stock_ids=stocks,
        )
    return found


def _sold_lines(
    ctx: FlowContext, routes: Routes, source: str, rows: Sequence[Known]
) -> dict[str, list[SoldLine]]:
    """Return the open lines that count in ``source`` by Magento's product, those of its twins included."""
    instance = ctx.instance.name
    if ctx.settings.stock_formula == "plain":
        return {}
    twins = ctx.ledger.stock.products_of(instance, {row.odoo_id for row in rows if row.odoo_id})
    odoo_of = {magento_id: odoo_id for odoo_id, ids in twins.items() for magento_id in ids}
    lines = ctx.ledger.stock_lines.open(instance, odoo_of)
    if not lines:
        return {}
    bound = ctx.ledger.bindings.get_many(instance, ORDER_BINDING, {line.order_id for line in lines})
    line_ids = {one for line in lines for one in _line_ids(bound, line)}
    moves = stock_source.read_moves(ctx, line_ids, {odoo_of[str(line.product_id)] for line in lines})
    field = ctx.settings.stock_quantity_field
    by_odoo: dict[int, list[tuple[str, SoldLine]]] = {}
    over: list[StockLine] = []
    stock_of = _stock_teller(ctx, source)
    for line in lines:
        known = [moves[one] for one in _line_ids(bound, line) if one in moves]
        done = _together(known)
        x = max(ZERO, line.shipped - line.shipped_before)
        if line.open == 0 and done.delivered >= x:
            # Nothing is held back, and Odoo has delivered what left Magento's source: that stays so.
            over.append(line)
            continue
        warehouse_id = next((one.warehouse_id for one in known if one.warehouse_id is not None), None)
        if routes.counts_in(warehouse_id, shipped_from=line.shipped_from) != source:
            continue
        sold = SoldLine(
            order=line.order_label,
            open=line.open,
            shipped=x,
            lacking=done.lacking(field),
            stock_id=stock_of(line.store_id),
        )
        by_odoo.setdefault(odoo_of[str(line.product_id)], []).append((str(line.product_id), sold))
    if not ctx.is_preview:
        ctx.ledger.stock_lines.settle(instance, over)
    return {
        row.magento_id: [
            sold if product_id == row.magento_id else replace(sold, is_own=False)
            for product_id, sold in by_odoo.get(row.odoo_id or 0, ())
        ]
        for row in rows
    }


def _line_ids(bound: Mapping[str, Binding], line: StockLine) -> list[int]:
    binding = bound.get(str(line.order_id))
    parts = (binding.order_items_json or {}).get(str(line.item_id), ()) if binding else ()
    return [int(part["line_id"]) for part in parts if part.get("line_id")]


def _together(known: Sequence[LineMoves]) -> OdooMoves:
    return OdooMoves(
        delivered=sum((one.moves.delivered for one in known), Decimal(0)),
        reserved=sum((one.moves.reserved for one in known), Decimal(0)),
        planned=sum((one.moves.planned for one in known), Decimal(0)),
    )


def _stock_teller(ctx: FlowContext, source: str) -> Callable[[int | None], int | None]:
    """Return what tells the stock that a store view sells from, where several share the source; else it does not matter."""
    layout = stock_source.source_layout(ctx)
    if layout is None or len(layout.stocks_of(source)) < 2:
        return lambda _: None
    stores = ctx.ledger.stores.known(ctx.instance.name)
    return lambda store_id: stock_source.stock_of_store(stores, layout, store_id)


def relabel(ctx: FlowContext, renamed: Sequence[WorkedOut]) -> None:
    """Keep the SKU that a product has in Magento now: under its old one its row would belong to nobody."""
    pairs = [
        Pair(
            magento_id=one.known.magento_id,
            odoo_model="product.product",
            odoo_id=one.known.odoo_id,
            magento_label=one.sku,
        )
        for one in renamed
        if one.known.odoo_id is not None
    ]
    ctx.ledger.bindings.bind_many(ctx.instance.name, PRODUCT_BINDING, pairs)
