"""``bridge bindings rebuild``: the bindings of a lost ledger, told from the external ids in Odoo (RULES 2.2).

``ir.model.data`` needs *Access Rights*; ``search`` and ``get_external_id`` are for every user, so the records are read
through page by page. One page is one attempt; it writes bindings that are the same when it is repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from bridge.errors import InvalidRecord, OrderUnclear, PermanentError
from bridge.flows.context import FlowContext
from bridge.flows.kinds import OWN_SERVICES
from bridge.flows.order_partners import bind_buyer
from bridge.flows.order_products import PRODUCT_BINDING, SERVICE_BINDING
from bridge.flows.update_order import ORDER, QUOTE
from bridge.idempotency import fingerprint
from bridge.translate import MagentoOrder, parse_order
from bridge.translate.order_items import StoredLine, rebuilt_order_items
from bridge.translate.partners import customer_key, customer_party

#: Records of Odoo read at once. An order comes with its lines, its notes and its document from Magento.
ORDERS_AT_ONCE = 50
PRODUCTS_AT_ONCE = 500
_ALL = {"active_test": False}

Found = Counter[str]


class StoreUnknown(PermanentError):
    """Odoo has no record of this store."""

    code = "store_unknown"


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Bind one page of the records that the bridge made in Odoo; the job runs again until it is through.

    Raises:
        StoreUnknown: Odoo has no tag with this store's installation id, so nothing tells which records are its own.
    """
    rebuild = ctx.ledger.runs.of_planner(ctx.job)
    if rebuild is None:
        raise PermanentError("This run is gone from the ledger. Start a new one: bridge bindings rebuild.")
    if not ctx.take_known_installation_id():
        raise StoreUnknown(
            "Odoo does not know this store: there is no contact tag with its installation id, under the address in "
            "base_url. So nothing says which records are this store's.",
            system="odoo",
        )
    cursor = dict(rebuild.cursor or {"stage": "orders", "after": 0, "found": {}})
    stage, found = str(cursor["stage"]), Counter(cursor["found"])
    last = _STAGES[stage](ctx, int(cursor["after"]), found)
    stages = list(_STAGES)
    following = stages.index(stage) + 1
    seen = found["looked_at"] - int(cursor["found"].get("looked_at", 0))
    if last is not None:
        onward: dict[str, Any] | None = {"stage": stage, "after": last, "found": dict(found)}
    elif following < len(stages):
        onward = {"stage": stages[following], "after": 0, "found": dict(found)}
    else:
        onward = None
    ctx.ledger.runs.page(ctx.job, rebuild.id, cursor=onward, wants=[], seen=seen)
    return {"rebuilt": dict(sorted(found.items())), "is_complete": onward is None}


def _orders(ctx: FlowContext, after: int, found: Found) -> int | None:
    """Bind one page of sales orders, with their buyers and carts; return the id to go on behind."""
    rows = ctx.odoo.search_read(
        "sale.order",
        [["id", ">", after], ["client_order_ref", "!=", False]],
        ["name", "partner_id", "order_line"],
        limit=ORDERS_AT_ONCE,
        order="id",
    )
    own = _own(ctx, "sale.order", "order", rows)
    found["looked_at"] += len(rows)
    found["orders_of_others"] += len(rows) - len(own)
    if own:
        finished = _finished(ctx, own)
        lines = _lines(ctx, [row for row in rows if row["id"] in own])
        documents = ctx.magento.orders_by_id([int(entity) for entity in own.values()])
        for row in rows:
            entity = own.get(int(row["id"]))
            if entity is not None:
                document = documents.get(int(entity))
                outcome = _order(
                    ctx, row, entity, document, lines=lines.get(entity, {}), is_finished=entity in finished
                )
                found[outcome] += 1
    return int(rows[-1]["id"]) if len(rows) == ORDERS_AT_ONCE else None


def _order(
    ctx: FlowContext,
    row: Mapping[str, Any],
    entity: str,
    document: Mapping[str, Any] | None,
    *,
    lines: Mapping[str, StoredLine],
    is_finished: bool,
) -> str:
    """Bind one order and return what became of it."""
    if document is None:
        return "orders_gone_in_magento"
    if not is_finished:
        # Its next event imports it again: what is there stays, what is missing is done.
        return "orders_not_finished"
    try:
        order = parse_order(document)
        items = rebuilt_order_items(order, lines)
    except (InvalidRecord, OrderUnclear):
        return "orders_not_readable"
    order_id = int(row["id"])
    if order.quote_id is not None:
        ctx.ledger.bindings.bind_first(
            ctx.instance.name,
            QUOTE,
            magento_id=order.quote_id,
            odoo_model="sale.order",
            odoo_id=order_id,
            magento_label=order.increment_id,
        )
    _buyer(ctx, order, row)
    ctx.bind(
        ORDER,
        entity,
        "sale.order",
        order_id,
        magento_label=order.increment_id,
        odoo_label=str(row["name"]),
        items=items,
        fingerprint=fingerprint(order.updated_at),
    )
    return "orders"


def _buyer(ctx: FlowContext, order: MagentoOrder, row: Mapping[str, Any]) -> None:
    if row["partner_id"]:
        vat, company = customer_party(order)
        bind_buyer(
            ctx,
            int(row["partner_id"][0]),
            magento_customer_id=order.customer.id,
            key=customer_key(order),
            vat=vat,
            company=company,
            only_new=True,
        )


def _finished(ctx: FlowContext, own: Mapping[int, str]) -> set[str]:
    """Return the entities of the orders whose import came to its end: the note is its last write into Odoo."""
    rows = ctx.odoo.search_read(
        "mail.message",
        [["model", "=", "sale.order"], ["res_id", "in", sorted(own)], ["message_type", "=", "comment"]],
        ["res_id"],
    )
    return set(_own(ctx, "mail.message", "order_note", rows).values())


def _lines(ctx: FlowContext, rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, StoredLine]]:
    """Return the lines of orders by entity and key."""
    ids = [int(line_id) for row in rows for line_id in row["order_line"]]
    names = ctx.odoo.external_ids("sale.order.line", ids)
    found: dict[str, dict[str, StoredLine]] = {}
    for row in ctx.odoo.read("sale.order.line", ids, ["product_uom_qty"]):
        line_id = int(row["id"])
        entity, _, key = (ctx.entity_of("order_line", names.get(line_id, "")) or "").partition("_")
        if key:
            quantity = Decimal(str(row["product_uom_qty"]))
            found.setdefault(entity, {})[key] = StoredLine(id=line_id, quantity=quantity)
    return found


def _products(ctx: FlowContext, after: int, found: Found) -> int | None:
    """Bind one page of products and services; return the id to go on behind."""
    rows = ctx.odoo.search_read(
        "product.product",
        [["id", ">", after]],
        ["default_code"],
        limit=PRODUCTS_AT_ONCE,
        order="id",
        context=_ALL,
    )
    found["looked_at"] += len(rows)
    names = ctx.odoo.external_ids("product.product", [int(row["id"]) for row in rows])
    for row in rows:
        product_id, name = int(row["id"]), names.get(int(row["id"]), "")
        service, entity = ctx.entity_of("service", name), ctx.entity_of("product", name)
        if service is not None and service in OWN_SERVICES:
            ctx.bind(
                SERVICE_BINDING, service, "product.product", product_id, odoo_label=OWN_SERVICES[service]
            )
            found["services"] += 1
        elif entity is not None and entity.isdecimal():
            label = str(row["default_code"] or "") or None
            ctx.bind(
                PRODUCT_BINDING, entity, "product.product", product_id, magento_label=label, odoo_label=label
            )
            found["products"] += 1
    return int(rows[-1]["id"]) if len(rows) == PRODUCTS_AT_ONCE else None


def _own(ctx: FlowContext, model: str, kind: str, rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Return Magento's ids of the records that carry an external id of ours, by Odoo id; others are left alone."""
    names = ctx.odoo.external_ids(model, [int(row["id"]) for row in rows])
    entities = {record_id: ctx.entity_of(kind, name) for record_id, name in names.items()}
    return {record_id: one for record_id, one in entities.items() if one is not None and one.isdecimal()}


_STAGES: Mapping[str, Callable[[FlowContext, int, Found], int | None]] = {
    "orders": _orders,
    "products": _products,
}
