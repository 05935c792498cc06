"""Works out what each product should have in a source: Odoo's figure, the open lines of Magento, the settings (RULES 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from bridge.errors import OperatorError
from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.kits import kits_of
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.stock_source import Goods
from bridge.flows.stock_watch import ORDER_BINDING
from bridge.ledger import Binding, KitParts, Pair, StockLine
from bridge.ledger import StockFigure as Known
from bridge.stock_routes import Routes
from bridge.translate.kits import Part
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


@dataclass(frozen=True, kw_only=True)
class _Sold:
    """What was sold in Magento and still counts in a source."""

    #: The lines of each product of Magento, those of its twins included.
    lines: Mapping[str, Sequence[SoldLine]] = field(default_factory=dict)
    #: Units that Odoo does not know of, by product of Odoo: those of kits as their parts.
    unknown: Mapping[int, Decimal] = field(default_factory=dict)


def work_out(ctx: FlowContext, routes: Routes, source: str, rows: Sequence[Known]) -> list[WorkedOut]:
    """Return the figure of each product, with Odoo read once for all of them."""
    bound = [row for row in rows if row.odoo_id is not None]
    if not bound:
        return [WorkedOut(known=row, sku=row.sku or "") for row in rows]
    odoo_ids = {row.odoo_id for row in bound if row.odoo_id}
    kits = kits_of(ctx, odoo_ids)
    parts = {one for units in kits.values() for one in units}
    goods = stock_source.read_goods(ctx, routes, source, odoo_ids | parts)
    sold = _sold(ctx, routes, source, bound, kits)
    rules = _rules(ctx, source, bound, goods)
    return [_one(row, goods, sold, rules, kits.get(row.odoo_id or 0, {})) for row in rows]


def _one(
    row: Known,
    known: Mapping[int, Goods],
    sold: _Sold,
    rules: Mapping[str, StockRules],
    units: Mapping[int, Decimal],
) -> WorkedOut:
    sku = row.sku or f"product {row.magento_id}"
    if row.odoo_id is None:
        # No binding any more: nothing of Odoo stands for it.
        return WorkedOut(known=row, sku=sku)
    goods = known.get(row.odoo_id)
    if goods is None:
        return _trouble(row, sku, "gone", f"The Odoo product of {sku} was deleted.")
    if not goods.is_active:
        return _trouble(row, sku, "archived", f"The Odoo product of {sku} is archived.")
    if not goods.is_tracked and not units:
        # Odoo counts none of it: its 0 does not mean sold out (Odoo FACTS 5). A kit has the stock of its parts.
        return WorkedOut(known=row, sku=sku)
    parts = {one: known[one].quantity for one in units if one in known}
    if goods.quantity is None or None in parts.values():
        return _trouble(row, sku, "quantity", f"Odoo's quantity of {sku} is no number that Magento can keep.")
    return WorkedOut(
        known=row,
        sku=sku,
        figure=figure(
            goods.quantity,
            sold.lines.get(row.magento_id, ()),
            rules[row.magento_id],
            parts=[
                Part(odoo_id=one, units=units[one], has=has, unknown=sold.unknown.get(one, ZERO))
                for one, has in sorted(parts.items())
                if has is not None
            ],
        ),
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


def _sold(ctx: FlowContext, routes: Routes, source: str, rows: Sequence[Known], kits: KitParts) -> _Sold:
    """Return the open lines that count in ``source``: of these products, of their parts, and of kits that have them."""
    instance = ctx.instance.name
    if ctx.settings.stock_formula == "plain":
        return _Sold()
    odoo_ids = {row.odoo_id for row in rows if row.odoo_id}
    leaves = (odoo_ids - kits.keys()) | {one for units in kits.values() for one in units}
    kits = {**kits, **ctx.ledger.kits.with_parts(instance, leaves)}
    twins = ctx.ledger.stock.products_of(instance, odoo_ids | leaves | kits.keys())
    odoo_of = {magento_id: odoo_id for odoo_id, ids in twins.items() for magento_id in ids}
    lines = ctx.ledger.stock_lines.open(instance, odoo_of)
    if not lines:
        return _Sold()
    bound = ctx.ledger.bindings.get_many(instance, ORDER_BINDING, {line.order_id for line in lines})
    line_ids = {one for line in lines for one in _line_ids(bound, line)}
    moves = stock_source.read_moves(ctx, line_ids, kits)
    quantity_field = ctx.settings.stock_quantity_field
    by_odoo: dict[int, list[tuple[str, SoldLine]]] = {}
    unknown: dict[int, Decimal] = {}
    over: list[StockLine] = []
    stock_of = _stock_teller(ctx, source)
    for line in lines:
        known = [moves[one] for one in _line_ids(bound, line) if one in moves]
        done = _together([one.moves for one in known])
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
            lacking=done.lacking(quantity_field),
            stock_id=stock_of(line.store_id),
        )
        product_id, odoo_id = str(line.product_id), odoo_of[str(line.product_id)]
        by_odoo.setdefault(odoo_id, []).append((product_id, sold))
        if odoo_id not in kits:
            unknown[odoo_id] = unknown.get(odoo_id, ZERO) + sold.unknown
        for part, units in kits.get(odoo_id, {}).items():
            # What a kit's order holds back is missing in its parts.
            done = _together([one.by_product[part] for one in known if part in one.by_product])
            as_part = sold.of_part(units, lacking=done.lacking(quantity_field))
            unknown[part] = unknown.get(part, ZERO) + as_part.unknown
            by_odoo.setdefault(part, []).append(("", as_part))
    if not ctx.is_preview:
        ctx.ledger.stock_lines.settle(instance, over)
    return _Sold(
        lines={
            row.magento_id: [
                sold if product_id == row.magento_id else replace(sold, is_own=False)
                for product_id, sold in by_odoo.get(row.odoo_id or 0, ())
            ]
            for row in rows
        },
        unknown=unknown,
    )


def _line_ids(bound: Mapping[str, Binding], line: StockLine) -> list[int]:
    binding = bound.get(str(line.order_id))
    parts = (binding.order_items_json or {}).get(str(line.item_id), ()) if binding else ()
    return [int(part["line_id"]) for part in parts if part.get("line_id")]


def _together(moves: Sequence[OdooMoves]) -> OdooMoves:
    return OdooMoves(
        delivered=sum((one.delivered for one in moves), ZERO),
        reserved=sum((one.reserved for one in moves), ZERO),
        planned=sum((one.planned for one in moves), ZERO),
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
