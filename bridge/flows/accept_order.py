"""``bridge orders accept``: a person says that an order is right as it is now, in Magento and in Odoo.

For an order of which lines, prices, taxes or the buyer were changed in Magento after its import (RULES 1.9): what the
bridge does not carry over somebody did in Odoo by hand. Nothing of the order is written; from now on it is compared with
what is there now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

from bridge.errors import OperatorError
from bridge.flows import order_writing as writing
from bridge.flows.context import FlowContext
from bridge.flows.import_order import read_order
from bridge.flows.order_cancellations import cancelled_units, remaining
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.update_order import ORDER
from bridge.flows.wants import want
from bridge.idempotency import fingerprint
from bridge.ledger import Binding
from bridge.translate import MagentoOrder, OrderDiff, diff_order, parse_order
from bridge.translate.order_agreement import (
    LineChange,
    OdooLine,
    agreed_items,
    agreed_snapshot,
    line_changes,
)
from bridge.translate.order_snapshot import marks, restored

#: Name, in what the ledger keeps of an order, of what people agreed to.
ACCEPTED = "accepted"


class NothingToAccept(OperatorError):
    """The order is not in Odoo, so there are no two sides to agree."""

    code = "order_not_imported"


class ChangedSinceShown(OperatorError):
    """What differs now is not what the person was shown."""

    code = "order_changed_meanwhile"


@dataclass(frozen=True, kw_only=True)
class Sides:
    """An order as both systems have it now, beside what was agreed last."""

    raw: Mapping[str, Any]
    order: MagentoOrder
    binding: Binding
    stored: writing.StoredOrder
    lines: Sequence[OdooLine]
    #: What the ledger keeps of the order.
    content: Mapping[str, Any]
    diff: OrderDiff
    has_other_buyer: bool
    changed_lines: Sequence[LineChange]

    @property
    def blocks(self) -> bool:
        """Whether there is something that the bridge never carries over."""
        return bool(self.diff.blocking) or self.has_other_buyer

    @property
    def digest(self) -> str:
        """Names what differs, so that a person's word counts for what was shown and nothing else."""
        return fingerprint(self.as_data())

    def as_data(self) -> dict[str, Any]:
        """Return what differs; holds no personal data."""
        magento = [{"field": one.field, "was": one.old, "now": one.new} for one in self.diff.blocking]
        if self.has_other_buyer and all(one["field"] != "customer" for one in magento):
            magento.append({"field": "customer", "was": "one customer", "now": "another customer"})
        cancelled = [
            {"field": f"items[{one.item_id}].qty_canceled", "was": "", "now": f"{one.quantity:f} more"}
            for one in self.diff.cancellations
        ]
        return {
            "increment_id": self.order.increment_id,
            "sale_order": self.stored.name,
            "sale_order_id": self.stored.id,
            "sale_order_state": self.stored.state,
            "currency": self.order.currency,
            "magento_total": self.order.grand_total,
            "odoo_total": self.stored.total,
            "difference": self.order.grand_total - self.stored.total,
            "magento": [*magento, *cancelled],
            "odoo": [
                {"line_id": one.line_id, "name": one.name, "was": one.was, "now": one.now}
                for one in self.changed_lines
            ],
        }


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Take the order whose entity id is the job's entity as agreed, and let its import go on.

    Raises:
        NothingToAccept: it was never imported.
        BoundRecordGone: the sales order was deleted.
    """
    sides = look(ctx, ctx.job.entity)
    ctx.label = sides.order.increment_id
    earlier, shown = sides.content.get(ACCEPTED, ()), sides.as_data()
    by, why = str(ctx.job.data.get("by", "")), str(ctx.job.data.get("why", ""))
    if sides.blocks:
        if ctx.job.data.get("seen") != sides.digest:
            raise ChangedSinceShown(
                f"Order {sides.order.increment_id} was changed again after what differs was shown.",
                increment_id=sides.order.increment_id,
            )
        _note(ctx, sides, number=len(earlier) + 1, by=by, why=why)
        # The lines first: they say the same whichever attempt keeps them, and the snapshot says that all is done.
        _keep_lines(ctx, sides)
        accepted = {"job": int(ctx.job.id), "at": ctx.ledger.now().isoformat(), "by": by, "why": why, **shown}
        content = {
            **sides.content,
            "snapshot": agreed_snapshot(sides.content.get("snapshot"), sides.raw, sides.order),
            ACCEPTED: [*earlier, accepted],
        }
        ctx.ledger.explanations.put(ctx.instance.name, ORDER, ctx.job.entity, content)
    elif not earlier or earlier[-1]["job"] != int(ctx.job.id):
        return {**shown, "outcome": "nothing to accept", "summary": "nothing to accept"}
    # What may be carried over still is: by the import, which goes on if it was blocked.
    wanted = want("import-order", instance=ctx.instance.name, entity=ctx.job.entity, label=ctx.label)
    (job,) = ctx.ledger.jobs.want([wanted])
    summary = f"{sides.stored.name}: accepted by {by}"
    return {**shown, "outcome": "accepted", "summary": summary, "by": by, "why": why, "job_id": job.job_id}


def look(ctx: FlowContext, entity: str) -> Sides:
    """Return the order as both systems have it, and what differs from what was agreed last. Changes nothing."""
    raw = ctx.magento.order(int(entity))
    order = read_order(raw)
    ctx.use_store(order.store_id)
    binding = ctx.ledger.bindings.get(ctx.instance.name, ORDER, entity)
    if binding is None:
        raise NothingToAccept(
            f"Order {order.increment_id} is not in Odoo yet, so there is nothing to accept.",
            system="odoo",
            increment_id=order.increment_id,
        )
    stored = writing.read_back(ctx, binding.odoo_id)
    fields = ["product_id", "name", "product_uom_qty"]
    lines = [_line(row) for row in ctx.odoo.read("sale.order.line", list(stored.line_ids), fields)]
    kept = ctx.ledger.explanations.get(ctx.instance.name, ORDER, entity)
    content = {} if kept is None else kept.content
    before = content.get("snapshot")
    old = order if before is None else parse_order(restored(before, raw))
    items = binding.order_items_json or {}
    # Units that were cancelled before are no change: what they left of each line was carried over.
    return Sides(
        raw=raw,
        order=order,
        binding=binding,
        stored=stored,
        lines=lines,
        content=content,
        diff=diff_order(old, order),
        has_other_buyer=before is not None and before["marks"].get("customer") != marks(order)["customer"],
        changed_lines=line_changes(items, lines, remaining(old, items)),
    )


def _line(row: Mapping[str, Any]) -> OdooLine:
    product = row["product_id"]
    return OdooLine(
        id=int(row["id"]),
        product_id=int(product[0]) if product else None,
        name=str(row["name"]).partition("\n")[0],
        quantity=Decimal(str(row["product_uom_qty"])),
    )


def _keep_lines(ctx: FlowContext, sides: Sides) -> None:
    order, binding = sides.order, sides.binding
    ids = {str(item.product_id) for item in order.items if item.product_id is not None}
    bound = ctx.ledger.bindings.get_many(ctx.instance.name, PRODUCT_BINDING, ids)
    products = {
        item.item_id: bound[str(item.product_id)].odoo_id
        for item in order.items
        if str(item.product_id) in bound
    }
    items = agreed_items(
        binding.order_items_json or {},
        order,
        sides.lines,
        cancelled={item.item_id: cancelled_units(order, item) for item in order.items},
        products=products,
    )
    ctx.bind(ORDER, ctx.job.entity, binding.odoo_model, binding.odoo_id, items=items)


def _note(ctx: FlowContext, sides: Sides, *, number: int, by: str, why: str) -> None:
    body = (
        f"<p>Accepted as it is in Magento and here, by {escape(by)}: {escape(why)}</p>"
        f"<p>Magento {sides.order.grand_total:f}, Odoo {sides.stored.total:f} {escape(sides.order.currency)}</p>"
    )
    writing.note(ctx, f"{ctx.job.entity}_{number}", sides.stored.id, body=body, key="accepted")
