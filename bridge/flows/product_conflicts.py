"""Heeds the master of each field on the way into Odoo: what Odoo is master of stays, and no edit is lost.

Odoo's side is read only of products that changed in Magento, a batch in one call. An edit in Odoo that Magento's change
takes the place of is kept as a conflict; so is an edit in Magento of what Odoo is master of.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.flows.context import FlowContext
from bridge.flows.product_sides import masters_of, read_cells
from bridge.flows.product_updates import Bound, keep
from bridge.flows.product_writing import Shelf
from bridge.ledger import SeenEdit
from bridge.translate.product_fields import Field, compare, master_of, read_in_odoo
from bridge.translate.product_plan import mark_of


def heed_odoo(ctx: FlowContext, shelf: Shelf, products: Sequence[Bound]) -> None:
    """Take out of the changes of ``products`` what is not to be written, and note the edits that were come upon."""
    changed = [one for one in products if one.change]
    masters = masters_of(ctx)
    languages = sorted({language for one in changed for language in one.change.texts})
    odoo = read_cells(ctx, shelf, [one.binding.odoo_id for one in changed], languages) if changed else {}
    seen: list[SeenEdit] = []
    settled: list[Bound] = []
    for one in changed:
        cells = odoo.get(one.binding.odoo_id)
        kept_out = {name for name in one.change.names if master_of(name, masters) == "odoo"}
        if cells is not None:
            fields = compare(one.change.cells, cells, one.marks, masters)
            before = dict(one.marks)
            for field in fields:
                kept_out |= _settled(one, field)
                if field.is_edited:
                    seen.append(seen_edit(one, field, is_overwritten=field.master == "magento"))
            if one.marks != before:
                settled.append(one)
        one.change = one.change.without(kept_out)
    ctx.ledger.conflicts.note(
        ctx.instance.name, shelf.kind, seen, looked_at=[one.entity for one in products], masters=("odoo",)
    )
    keep(ctx, shelf, settled)


def seen_edit(one: Bound, field: Field, *, is_overwritten: bool = False) -> SeenEdit:
    """Return an edit as the ledger keeps it."""
    return SeenEdit(
        magento_id=one.entity,
        field=field.name,
        master=field.master,
        magento_value=field.magento,
        odoo_value=field.odoo,
        label=one.plan.sku,
        is_overwritten=is_overwritten,
    )


def _settled(one: Bound, field: Field) -> set[str]:
    """Remember what both sides say where they agree, and what is there where nothing was known; return what needs no write."""
    is_known = field.name in one.marks
    if field.is_same and field.name != "active":
        one.marks |= {field.name: mark_of(field.magento), **read_in_odoo({field.name: field.odoo})}
        return {field.name}
    if field.master == "odoo" and not is_known:
        one.marks[field.name] = mark_of(field.magento)
    return set()
