"""Carries changes of products from Magento over to Odoo: only fields that changed, many products in one call.

What is written is absolute. The key of a call names the products, the state of their bindings and the cells: each try is
a write of its own, with what Magento has then, once the doubt about the one before is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.errors import BoundRecordGone, BridgeError
from bridge.flows.context import FlowContext
from bridge.flows.order_writing import write_absolute
from bridge.flows.product_writing import AT_ONCE, GOODS, TEMPLATES, UPDATE, Refused, Shelf, digest, halved
from bridge.ledger import Binding, Pair
from bridge.odoo import LoadRequest
from bridge.translate.product_fields import sent_marks, under_way
from bridge.translate.product_plan import (
    ProductChange,
    ProductPlan,
    change_of,
    marks_of,
    read_marks,
    write_marks,
)


@dataclass(kw_only=True)
class Bound:
    """A product that is bound, and what of it is to be written."""

    plan: ProductPlan
    binding: Binding
    change: ProductChange
    #: Marks of what both sides have, as the writes go on.
    marks: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: ProductPlan, binding: Binding) -> Bound:
        """Return the product with its change since it was sent last."""
        known = binding.fingerprint
        return cls(plan=plan, binding=binding, change=change_of(plan, known), marks=read_marks(known))

    @property
    def entity(self) -> str:
        """Magento's entity id."""
        return self.binding.magento_id

    def note_sent(self, cells: Mapping[str, str]) -> None:
        """Remember what both sides have of fields that were written into Odoo."""
        self.marks |= marks_of(cells) | sent_marks(cells)


@dataclass(frozen=True, kw_only=True)
class _Row:
    """Cells to write to one product."""

    bound: Bound
    cells: Mapping[str, str]


def update(ctx: FlowContext, shelf: Shelf, products: Iterable[Bound], *, refused: Refused) -> set[str]:
    """Write what changed of ``products``; return the entities of those that had changes and have them in Odoo now.

    ``refused`` is told of each that Odoo does not take, or does not have any more.
    """
    changed = [one for one in products if one.change]
    failed: set[str] = set()
    # Until the answer is there nobody knows what Odoo has of these fields: whoever comes next writes them anew.
    for one in changed:
        one.marks |= under_way(one.marks, one.change.cells)
        for name in one.change.names:
            one.marks.pop(name, None)
    keep(ctx, shelf, changed)

    def fail(bound: Bound, error: BridgeError) -> None:
        failed.add(bound.entity)
        refused(bound.entity, _gone(ctx, shelf, bound) or error)

    _write(ctx, shelf, [_Row(bound=one, cells=one.change.owned) for one in changed], None, fail)
    languages = {language for one in changed for language in one.change.texts}
    for language in sorted(languages):
        rows = [
            _Row(bound=one, cells=one.change.texts.get(language, {}))
            for one in changed
            if one.entity not in failed
        ]
        _write(ctx, shelf, rows, language, fail)
    for is_active in (False, True):
        switched = [one for one in changed if one.change.is_active is is_active and one.entity not in failed]
        _switch(ctx, shelf, switched, is_active=is_active, fail=fail)
    return {one.entity for one in changed} - failed


def _write(
    ctx: FlowContext,
    shelf: Shelf,
    rows: Iterable[_Row],
    language: str | None,
    fail: Callable[[Bound, BridgeError], None],
) -> None:
    groups: dict[tuple[str, ...], list[_Row]] = {}
    for row in rows:
        if row.cells:
            groups.setdefault(tuple(row.cells), []).append(row)

    def write(batch: Sequence[_Row]) -> None:
        names = tuple(batch[0].cells)
        key = [[row.bound.entity, _version(row.bound), language, dict(row.cells)] for row in batch]
        request = LoadRequest(
            model=shelf.model,
            fields=(".id", *names),
            rows=tuple(
                (str(row.bound.binding.odoo_id), *(row.cells[name] for name in names)) for row in batch
            ),
            create_only=False,
            lang=language,
        )
        ctx.writer.load_many(
            ctx.odoo, key=ctx.effect_key("products-update", digest(key)), kind=UPDATE, request=request
        )
        for row in batch:
            at = f"@{language}" if language else ""
            row.bound.note_sent({f"{name}{at}": cell for name, cell in row.cells.items()})
        keep(ctx, shelf, [row.bound for row in batch])

    for group in groups.values():
        for start in range(0, len(group), AT_ONCE):
            halved(group[start : start + AT_ONCE], write, lambda row, error: fail(row.bound, error))


def _switch(
    ctx: FlowContext,
    shelf: Shelf,
    products: Sequence[Bound],
    *,
    is_active: bool,
    fail: Callable[[Bound, BridgeError], None],
) -> None:
    """Archive products, or take them out of the archive; those that stand alone with their templates."""
    alone = [one for one in products if one.plan.role == "single"]
    templates = _templates(ctx, alone)
    for one in alone:
        if one.entity not in templates:
            fail(
                one,
                BoundRecordGone(_gone_text(one), system="odoo", model=shelf.model, id=one.binding.odoo_id),
            )
    there = [one for one in products if one.plan.role != "single" or one.entity in templates]
    if not there:
        return
    key = digest([[one.entity, _version(one), is_active] for one in there])
    values = {"active": is_active}
    if templates:
        # Odoo archives the variants with their template, and takes out the template alone (source of all three).
        template_key = ctx.effect_key("product-templates-active", key)
        write_absolute(ctx, TEMPLATES.model, sorted(templates.values()), key=template_key, values=values)
    own = [one.binding.odoo_id for one in there if is_active or one.plan.role != "single"]
    write_absolute(ctx, shelf.model, own, key=ctx.effect_key("products-active", key), values=values)
    for one in there:
        one.note_sent({"active": "1" if is_active else "0"})
    keep(ctx, shelf, there)


def _templates(ctx: FlowContext, products: Sequence[Bound]) -> dict[str, int]:
    """Return the templates of products by entity; one that was deleted is missing."""
    rows = ctx.odoo.read(GOODS.model, [one.binding.odoo_id for one in products], ["product_tmpl_id"])
    found = {int(row["id"]): int(row["product_tmpl_id"][0]) for row in rows}
    return {one.entity: found[one.binding.odoo_id] for one in products if one.binding.odoo_id in found}


def keep(ctx: FlowContext, shelf: Shelf, products: Iterable[Bound]) -> None:
    """Write down what both sides have."""
    ctx.ledger.bindings.bind_many(
        ctx.instance.name,
        shelf.kind,
        [
            Pair(
                magento_id=one.entity,
                odoo_model=shelf.model,
                odoo_id=one.binding.odoo_id,
                magento_label=one.plan.sku,
                fingerprint=write_marks(one.marks),
            )
            for one in products
        ],
    )


def _version(bound: Bound) -> str:
    return bound.binding.updated_at.isoformat()


def _gone(ctx: FlowContext, shelf: Shelf, bound: Bound) -> BoundRecordGone | None:
    domain = [["id", "=", bound.binding.odoo_id]]
    if ctx.odoo.search(shelf.model, domain, context={"active_test": False}):
        return None
    return BoundRecordGone(_gone_text(bound), system="odoo", model=shelf.model, id=bound.binding.odoo_id)


def _gone_text(bound: Bound) -> str:
    return (
        f"The Odoo product (id {bound.binding.odoo_id}) of Magento's product {bound.plan.sku} was deleted. "
        "Archive products that are not sold any more."
    )
