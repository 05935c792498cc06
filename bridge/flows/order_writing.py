"""Writes one sales order into Odoo, once: the order with its lines, its confirmation, its date and its note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.errors import BoundRecordGone
from bridge.flows.context import FlowContext
from bridge.flows.effects import Write
from bridge.idempotency import canonical_json
from bridge.odoo import LoadRequest
from bridge.odoo.values import decode, encode
from bridge.translate import OrderPlan, order_items_json, order_rows

#: What is read back of an order.
READ_FIELDS = (
    "name",
    "state",
    "date_order",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "order_line",
    "partner_invoice_id",
    "partner_shipping_id",
)
#: Kind of the effects that write absolute values.
ABSOLUTE = "write"
QUOTATION_STATES = frozenset({"draft", "sent"})
CONFIRMED_STATES = frozenset({"sale", "done"})


@dataclass(frozen=True, kw_only=True)
class Partners:
    """The partners of an order in Odoo."""

    customer_id: int
    invoice_id: int
    delivery_id: int


@dataclass(frozen=True, kw_only=True)
class StoredOrder:
    """An order as Odoo has it."""

    id: int
    name: str
    state: str
    date_order: str
    untaxed: Decimal
    tax: Decimal
    total: Decimal
    line_ids: tuple[int, ...]
    invoice_id: int | None
    delivery_id: int | None

    @property
    def is_quotation(self) -> bool:
        """Whether it waits to be confirmed; neither confirmed nor cancelled in Odoo."""
        return self.state in QUOTATION_STATES

    @property
    def is_confirmed(self) -> bool:
        """Whether it is a sales order and no quotation any more."""
        return self.state in CONFIRMED_STATES


def create(ctx: FlowContext, entity: str, plan: OrderPlan, partners: Partners) -> int:
    """Create the order with all its lines, if it is not there; return its id."""
    request = order_request(ctx, entity, plan, partners)
    return ctx.writer.load(
        ctx.odoo, key=ctx.effect_key("order", entity), kind="create-order", request=request
    )


def order_request(ctx: FlowContext, entity: str, plan: OrderPlan, partners: Partners) -> LoadRequest:
    """Return the ``load`` of the order with all its lines."""
    names = ctx.odoo.names
    fields, rows = order_rows(
        plan,
        external_id=ctx.external_id("order", entity),
        line_external_id=lambda key: line_external_id(ctx, entity, key),
        partner_id=partners.customer_id,
        invoice_id=partners.invoice_id,
        delivery_id=partners.delivery_id,
        tax_field=names.order_line_tax,
        protect_prices=names.has_technical_price,
    )
    return LoadRequest(model="sale.order", fields=tuple(fields), rows=tuple(map(tuple, rows)))


def line_external_id(ctx: FlowContext, entity: str, key: str) -> str:
    """Return the external id of an order's line."""
    return ctx.external_id("order_line", f"{entity}_{key}")


def read_back(ctx: FlowContext, order_id: int) -> StoredOrder:
    """Read the order as it is stored.

    Raises:
        BoundRecordGone: it was deleted in Odoo; it is never made again silently.
    """
    rows = ctx.odoo.read("sale.order", [order_id], list(READ_FIELDS))
    if not rows:
        raise BoundRecordGone(
            f"The sales order (id {order_id}) that the bridge made for this Magento order was deleted in Odoo.",
            system="odoo",
            model="sale.order",
            id=order_id,
        )
    row = rows[0]
    return StoredOrder(
        id=order_id,
        name=str(row["name"]),
        state=str(row["state"]),
        date_order=str(row["date_order"]),
        untaxed=Decimal(str(row["amount_untaxed"])),
        tax=Decimal(str(row["amount_tax"])),
        total=Decimal(str(row["amount_total"])),
        line_ids=tuple(int(one) for one in row["order_line"]),
        invoice_id=int(row["partner_invoice_id"][0]) if row["partner_invoice_id"] else None,
        delivery_id=int(row["partner_shipping_id"][0]) if row["partner_shipping_id"] else None,
    )


def order_items(ctx: FlowContext, entity: str, plan: OrderPlan, stored: StoredOrder) -> dict[str, Any]:
    """Return for each Magento ``item_id`` its Odoo lines and quantities: what shipments will need."""
    ids = _line_ids(ctx, entity, plan, stored)
    return {
        item_id: [{**part, "line_id": ids.get(part["line"])} for part in parts]
        for item_id, parts in order_items_json(plan).items()
    }


def _line_ids(ctx: FlowContext, entity: str, plan: OrderPlan, stored: StoredOrder) -> dict[str, int]:
    if len(stored.line_ids) == len(plan.lines):
        # Odoo lists lines in the order they were made in while nobody touched them.
        return dict(zip((line.key for line in plan.lines), stored.line_ids, strict=True))
    names = ctx.odoo.external_ids("sale.order.line", stored.line_ids)
    by_name = {name: line_id for line_id, name in names.items()}
    wanted = {line.key: line_external_id(ctx, entity, line.key) for line in plan.lines}
    return {key: by_name[name] for key, name in wanted.items() if name in by_name}


def confirm(ctx: FlowContext, entity: str, order_id: int) -> None:
    """Confirm the order; a repeat is seen by its state (16 answers ``true``, 18 and 19 a ``UserError``)."""

    def send(_: bytes) -> str:
        ctx.odoo.call("sale.order", "action_confirm", [order_id])
        return str(order_id)

    def look() -> str | None:
        return str(order_id) if read_back(ctx, order_id).is_confirmed else None

    ctx.writer.once(
        Write(
            key=ctx.effect_key("order-confirm", entity),
            system="odoo",
            kind="confirm-order",
            target="sale.order",
            request=canonical_json({"method": "action_confirm", "ids": [order_id]}),
            send=send,
            look=look,
        )
    )


def write_values(
    ctx: FlowContext, entity: str, order_id: int, *, purpose: str, values: Mapping[str, Any]
) -> None:
    """Write absolute values to the order; the same again changes nothing, so it may be repeated."""
    write_absolute(
        ctx, "sale.order", [order_id], key=ctx.effect_key(f"order-{purpose}", entity), values=values
    )


def write_addresses(ctx: FlowContext, entity: str, stored: StoredOrder, partners: Partners) -> None:
    """Write other addresses to the order; ``entity`` names this change in the key of its write."""
    if (stored.invoice_id, stored.delivery_id) == (partners.invoice_id, partners.delivery_id):
        return
    values = {"partner_invoice_id": partners.invoice_id, "partner_shipping_id": partners.delivery_id}
    write_values(ctx, entity, stored.id, purpose="addresses", values=values)


def write_absolute(
    ctx: FlowContext,
    model: str,
    ids: Sequence[int],
    *,
    key: str,
    values: Mapping[str, Any],
    look: Callable[[], str | None] | None = None,
) -> None:
    """Write absolute values to records of Odoo; ``look`` says after a doubt whether that is still to be done."""
    if not ids:
        return

    def send(stored: bytes) -> str:
        # What was stored, not what is wanted now: a value worked out from a line that our lost write has already
        # changed would be applied to it twice.
        sent = decode(stored)
        ctx.odoo.write(model, sent["ids"], sent["values"])
        return ",".join(map(str, sent["ids"]))

    ctx.writer.once(
        Write(
            key=key,
            system="odoo",
            kind=ABSOLUTE,
            target=model,
            request=encode({"ids": list(ids), "values": values}),
            send=send,
            look=look,
        )
    )


def note(ctx: FlowContext, entity: str, order_id: int, *, body: str, key: str = "note") -> None:
    """Leave a note in the order's chatter, once."""
    request = LoadRequest(
        model="mail.message",
        fields=("id", "model", "res_id", "body", "message_type", "subtype_id/.id", "is_internal"),
        rows=(
            (
                ctx.external_id(f"order_{key}", entity),
                "sale.order",
                str(order_id),
                body,
                "comment",
                str(ctx.reference.note_subtype()),
                "1",
            ),
        ),
    )
    ctx.writer.load(ctx.odoo, key=ctx.effect_key(f"order-{key}", entity), kind="create-note", request=request)


def write_ext_order_id(ctx: FlowContext, entity: str, name: str) -> None:
    """Write Odoo's order name to Magento; absolute, after binding (RULES 2.6)."""

    def send(stored: bytes) -> str:
        sent = decode(stored)
        ctx.magento.set_ext_order_id(int(sent["entity_id"]), str(sent["ext_order_id"]))
        return entity

    def look() -> str | None:
        return entity if ctx.magento.order(int(entity)).get("ext_order_id") == name else None

    ctx.writer.once(
        Write(
            key=ctx.effect_key("ext-order-id", entity),
            system="magento",
            kind="write-ext-order-id",
            target="/orders",
            request=canonical_json({"entity_id": int(entity), "ext_order_id": name}),
            send=send,
            look=look,
        )
    )
