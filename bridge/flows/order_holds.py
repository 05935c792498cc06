"""Keeps a confirmed order's goods in the house while Magento holds it: a warning on each open delivery (RULES 1.13).

Odoo has no hold of its own. An activity of the type *Exception* shows on the delivery and in every list of deliveries;
Odoo uses it itself where an order changes. It is named by external ids (``id`` columns): ordinary users may not read
``ir.model`` (source: ``base/security/ir.model.access.csv``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from bridge.flows.context import FlowContext
from bridge.flows.effects import Write
from bridge.flows.order_writing import StoredOrder
from bridge.idempotency import fingerprint
from bridge.odoo import LoadRequest
from bridge.odoo.values import decode, encode
from bridge.translate import MagentoOrder
from bridge.translate.order_plan import HELD, PAYMENT_REVIEW

#: Kind of the external ids of the activities.
HOLD = "picking_hold"
#: Name, in what the ledger keeps of an order, of the hold that is being carried over.
KEPT_HOLD = "hold"
_ACTIVITY, _PICKING = "mail.activity", "stock.picking"
_TYPE = "mail.mail_activity_data_warning"
_CLOSED = ["done", "cancel"]


def is_held(order: MagentoOrder) -> bool:
    """Return whether the order's goods must not leave: it is on hold, or its payment is under review."""
    return order.state in HELD | PAYMENT_REVIEW or order.status in PAYMENT_REVIEW


def follow_hold(
    ctx: FlowContext,
    order: MagentoOrder,
    stored: StoredOrder,
    content: dict[str, Any],
    *,
    entity: str,
    is_news: bool,
    is_lost: bool = False,
) -> list[str]:
    """Warn on the open deliveries of a held order, take the warnings away on its release; return what to note.

    Args:
        ctx: The attempt.
        order: The order as Magento has it.
        stored: The sales order; of a quotation nothing is delivered.
        content: What the ledger keeps of the order; the hold is noted in it.
        entity: Names this change in the keys of its writes.
        is_news: Whether the order's state has changed, so that there is something to note.
        is_lost: What the ledger knew of earlier holds was lost: Odoo is asked.
    """
    if not stored.is_confirmed:
        return []
    if is_held(order):
        return _hold(ctx, order, stored, content, entity=entity, is_news=is_news)
    if KEPT_HOLD in content or is_lost:
        return _release(ctx, stored, content, entity=entity)
    return []


def _hold(
    ctx: FlowContext,
    order: MagentoOrder,
    stored: StoredOrder,
    content: dict[str, Any],
    *,
    entity: str,
    is_news: bool,
) -> list[str]:
    if KEPT_HOLD not in content:
        # Kept before the first write: whatever changes before a retry, it writes under the same keys.
        content[KEPT_HOLD] = fingerprint(entity)[:12]
        ctx.ledger.explanations.put(ctx.instance.name, "order", ctx.job.entity, content)
    if not ctx.reference.may_use_stock:
        return ["on hold: the bridge may not use Inventory, so the deliveries carry no warning"] * is_news
    pickings = ctx.odoo.search_read(
        _PICKING, [["sale_id", "=", stored.id], ["state", "not in", _CLOSED]], ["user_id"], order="id"
    )
    warned = set(_warnings(ctx, [int(row["id"]) for row in pickings]).values())
    made = 0
    for row in pickings:
        picking_id = int(row["id"])
        name = f"{picking_id}_{content[KEPT_HOLD]}"
        key = ctx.effect_key("picking-hold", name)
        if picking_id in warned and not ctx.writer.is_open(key):
            continue
        made += not ctx.writer.is_done(key)
        ctx.writer.load(
            ctx.odoo,
            key=key,
            kind="create-activity",
            request=_warning(ctx, order, row, ctx.external_id(HOLD, name)),
        )
    if not pickings:
        return ["on hold: no delivery is open"] * is_news
    return [f"on hold: open deliveries with a warning: {len(pickings)}"] if is_news or made else []


def _warning(
    ctx: FlowContext, order: MagentoOrder, picking: Mapping[str, Any], external_id: str
) -> LoadRequest:
    what = "on hold" if order.state in HELD else "under payment review"
    user_id = int(picking["user_id"][0]) if picking["user_id"] else ctx.odoo.login()
    note = f"Order {order.increment_id} is {what} in Magento. The bridge removes this warning when it is released."
    cells = {
        "id": external_id,
        "res_model_id/id": "stock.model_stock_picking",
        "res_id": str(picking["id"]),
        "activity_type_id/id": _TYPE,
        "summary": f"Do not ship: order {order.increment_id} is {what} in Magento",
        "note": f"<p>{escape(note)}</p>",
        "date_deadline": order.updated_at[:10] or f"{order.created_at:%Y-%m-%d}",
        "user_id/.id": str(user_id),
    }
    return LoadRequest(model=_ACTIVITY, fields=tuple(cells), rows=(tuple(cells.values()),))


def _release(ctx: FlowContext, stored: StoredOrder, content: dict[str, Any], *, entity: str) -> list[str]:
    known = content.pop(KEPT_HOLD, None)
    if not ctx.reference.may_use_stock:
        return [] if known is None else ["released"]
    found = _warnings(ctx, ctx.odoo.search(_PICKING, [["sale_id", "=", stored.id]]))
    # Of the hold, not of the event: an attempt whose answer was lost is settled by the next, whatever has changed.
    key = ctx.effect_key("picking-release", entity if known is None else f"{ctx.job.entity}_{known}")
    if found or ctx.writer.is_open(key):
        _remove(ctx, sorted(found), key=key)
    if known is None and not found:
        return []
    return ["released: the warnings on its deliveries are removed"]


def _warnings(ctx: FlowContext, picking_ids: Iterable[int]) -> dict[int, int]:
    """Return the pickings of our open activities by activity; those of people are left alone."""
    ids = sorted(picking_ids)
    if not ids:
        return {}
    rows = ctx.odoo.search_read(
        _ACTIVITY, [["res_model", "=", _PICKING], ["res_id", "in", ids]], ["res_id"], order="id"
    )
    if not rows:
        return {}
    names = ctx.odoo.external_ids(_ACTIVITY, [int(row["id"]) for row in rows])
    own = {one for one, name in names.items() if ctx.entity_of(HOLD, name) is not None}
    return {int(row["id"]): int(row["res_id"]) for row in rows if int(row["id"]) in own}


def _remove(ctx: FlowContext, ids: list[int], *, key: str) -> None:
    """Delete activities: gone is gone, so it may be repeated, where to mark them as done posts a message each time."""

    def left(wanted: list[int]) -> list[int]:
        domain = [["id", "in", wanted]]
        return ctx.odoo.search(_ACTIVITY, domain, context={"active_test": False}) if wanted else []

    def send(stored: bytes) -> str:
        sent = decode(stored)["ids"]
        # Odoo reads each one before it deletes it: one that a person has deleted meanwhile would fail them all.
        if there := left(sent):
            ctx.odoo.call(_ACTIVITY, "unlink", there)
        return ",".join(map(str, sent))

    def look() -> str | None:
        return None if left(ids) else ",".join(map(str, ids))

    request = encode({"ids": ids})
    ctx.writer.once(
        Write(
            key=key,
            system="odoo",
            kind="remove-activity",
            target=_ACTIVITY,
            request=request,
            send=send,
            look=look,
        )
    )
