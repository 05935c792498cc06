"""Reads what an export of stock needs: quantities and moves from Odoo, rows and the layout of sources from Magento."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from bridge.errors import InvalidRecord, MappingWrong, RecordMissing, ServiceRejected
from bridge.flows.context import FlowContext
from bridge.ledger import KitParts, KnownStores
from bridge.magento import catalog
from bridge.magento.inventory import SourceItem, source_items, sweep_source_items
from bridge.magento.stocks import Layout, stock_item
from bridge.odoo.kits import Kit
from bridge.odoo.moves import Moved, line_moves
from bridge.odoo.stock import quantity_context
from bridge.stock_routes import Routes
from bridge.translate.stock import MagentoRow, OdooMoves, checked_quantity

#: Products of Magento's catalog that may have a source item: a configurable's parts have, it has none (FACTS 6).
STOCKED_TYPES = frozenset({"simple", "virtual", "downloadable"})
#: SKUs that surely fit into one query.
_ONE_CALL = 250
#: Rows that may stand between a SKU and its own beginning.
_BETWEEN = 20
_SKU_AND_TYPE = "items[id,sku,type_id],total_count"


@dataclass(frozen=True, kw_only=True)
class Goods:
    """A product of Odoo as an export sees it."""

    odoo_id: int
    #: What the source gets of it; None where Odoo's figure is no number that Magento can keep.
    quantity: Decimal | None
    #: Untracked goods and services have quantity 0, which does not mean sold out (Odoo FACTS 5).
    is_tracked: bool
    is_active: bool
    category_id: int | None


@dataclass(frozen=True, kw_only=True)
class LineMoves:
    """What Odoo did and plans for one order line, and from which warehouse."""

    moves: OdooMoves
    warehouse_id: int | None
    #: The same by product: of a kit's line its parts.
    by_product: Mapping[int, OdooMoves] = field(default_factory=dict)


def read_goods(ctx: FlowContext, routes: Routes, source: str, odoo_ids: Collection[int]) -> dict[int, Goods]:
    """Return the products of Odoo by id, with what ``source`` gets of them; one that was deleted is missing.

    One call for all of them, kits with their parts: all of one moment. Where the source shares a warehouse, one for each of its warehouses.

    Raises:
        MappingWrong: a warehouse of the source is gone: Odoo would answer nothing, or the total of all warehouses.
    """
    warehouses = routes.warehouses(source)
    _insist_on_warehouses(ctx, source, warehouses)
    is_shared = any(one in routes.shared for one in warehouses)
    calls: Sequence[tuple[int, ...]] = [(one,) for one in warehouses] if is_shared else [warehouses]
    quantity_field, storable = ctx.settings.stock_quantity_field, ctx.odoo.names.storable
    found: dict[int, Goods] = {}
    for number, asked in enumerate(calls):
        context = {"active_test": False, **quantity_context(warehouse_ids=asked)}
        fields = [quantity_field] if number else [quantity_field, "active", "categ_id", *storable]
        for row in ctx.odoo.read("product.product", sorted(odoo_ids), fields, context=context):
            odoo_id = int(row["id"])
            part = portion(row[quantity_field], routes, source, asked[0] if is_shared else None)
            if number == 0:
                found[odoo_id] = Goods(
                    odoo_id=odoo_id,
                    quantity=part,
                    is_tracked=all(row[name] == value for name, value in storable.items()),
                    is_active=bool(row["active"]),
                    category_id=int(row["categ_id"][0]) if row["categ_id"] else None,
                )
            elif odoo_id in found:
                before = found[odoo_id].quantity
                total = None if before is None or part is None else before + part
                found[odoo_id] = replace(found[odoo_id], quantity=total)
    return found


def _insist_on_warehouses(ctx: FlowContext, source: str, warehouse_ids: Collection[int]) -> None:
    gone = set(warehouse_ids) - ctx.reference.warehouses(warehouse_ids)
    if gone:
        raise MappingWrong(
            f"The Odoo warehouse (id {min(gone)}) that fills the source {source} was deleted or archived, or the "
            "bridge's user may not see it.",
            kind="source",
            value=source,
            system="odoo",
            reason="record_gone",
        )


def portion(value: object, routes: Routes, source: str, warehouse_id: int | None) -> Decimal | None:
    """Return what ``source`` gets of a figure of Odoo, None where that is no number that Magento can keep."""
    try:
        quantity = checked_quantity(value, sku="")
    except InvalidRecord:
        return None
    return quantity if warehouse_id is None else routes.portion(source, warehouse_id, quantity)


def read_moves(ctx: FlowContext, line_ids: Collection[int], kits: KitParts) -> dict[int, LineMoves]:
    """Return what Odoo did and plans for order lines, by their ids; a line that is gone is missing."""
    if not line_ids:
        return {}
    of_product = {one: Kit(product_id=one, parts=parts) for one, parts in kits.items()}
    found = line_moves(ctx.odoo, line_ids, kits=of_product)
    return {
        line_id: LineMoves(
            moves=OdooMoves(delivered=one.delivered, reserved=one.reserved, planned=one.open),
            warehouse_id=one.warehouse_id,
            by_product={product_id: _moves(moved) for product_id, moved in one.by_product.items()},
        )
        for line_id, one in found.items()
    }


def _moves(moved: Moved) -> OdooMoves:
    return OdooMoves(delivered=moved.delivered, reserved=moved.reserved, planned=moved.open)


def read_categories(ctx: FlowContext, category_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return each category of Odoo with those above it, the nearest first, as text."""
    wanted = sorted(set(category_ids))
    rows = ctx.odoo.read("product.category", wanted, ["parent_path"])
    return {
        int(row["id"]): list(reversed([one for one in str(row["parent_path"] or "").split("/") if one]))
        for row in rows
    }


def read_catalog(ctx: FlowContext, magento_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return SKU and type of Magento's products by their ids, as the catalog has them now; one that is gone is missing."""
    wanted = {int(one) for one in magento_ids if one.isdecimal()}
    rows = catalog.products_by_id(ctx.magento, wanted, fields=_SKU_AND_TYPE)
    return {str(one): (str(row["sku"]), str(row["type_id"])) for one, row in rows.items()}


def read_rows(ctx: FlowContext, source: str, skus: Sequence[str]) -> dict[str, MagentoRow]:
    """Return what ``source`` has of these SKUs in Magento; a row that is not there is missing."""
    if ctx.settings.stock_api_mode == "classic":
        return _read_classic(ctx, skus)
    found = _read_in_order(ctx, source, skus) if len(skus) > _ONE_CALL else {}
    missing = [sku for sku in skus if sku not in found]
    found |= {sku: item for (sku, _), item in source_items(ctx.magento, missing, [source]).items()}
    return {
        sku: MagentoRow(sku=item.sku, quantity=item.quantity, status=item.status)
        for sku, item in found.items()
    }


def _read_in_order(ctx: FlowContext, source: str, skus: Sequence[str]) -> dict[str, SourceItem]:
    """Return the rows of a source from the first of these SKUs on, as many as there are SKUs: in a full export all of them.

    One call, where a list of so many SKUs would be too long for one.
    """
    first = min(skus, key=str.casefold)
    # A part of a text stands before it: the few rows between them are read as well.
    page = sweep_source_items(ctx.magento, source, after=first[:-1] or None, page_size=len(skus) + _BETWEEN)
    by_name = {item.sku.casefold(): item for item in page.items}
    return {sku: by_name[sku.casefold()] for sku in skus if sku.casefold() in by_name}


def _read_classic(ctx: FlowContext, skus: Sequence[str]) -> dict[str, MagentoRow]:
    found: dict[str, MagentoRow] = {}
    for sku in skus:
        try:
            item = stock_item(ctx.magento, sku)
        except RecordMissing:
            continue
        except ServiceRejected as error:
            if error.details.get("reason") != "slash":
                raise
            # Its write is refused as well, and told.
            continue
        # What is empty Magento switches off itself, and says so to nobody: it counts as on, and is sent as such.
        found[sku] = MagentoRow(
            sku=sku,
            quantity=item.quantity,
            status=int(item.is_in_stock or item.is_empty),
            may_be_off_by_hand=item.is_off_by_hand,
        )
    return found


def source_layout(ctx: FlowContext, *, is_enough: str | None = None) -> Layout | None:
    """Return Magento's sources and stocks, None where the classic endpoint is all there is.

    ``is_enough`` is a source that must be known, or the layout is read anew.
    """
    if ctx.settings.stock_api_mode == "classic":
        return None
    return ctx.reference.stock_layout(source=is_enough)


def stock_of_store(stores: KnownStores, known: Layout, store_id: int | None) -> int | None:
    """Return the stock that a store view sells from, None where it is not known."""
    view = stores.get("view", store_id)
    website = None if view is None else stores.website_of(view)
    stock = None if website is None else known.stock_for(website.code)
    return None if stock is None else stock.stock_id
