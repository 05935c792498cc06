"""Which products' pictures are to be brought to Odoo, and what both sides were last known to have of them.

The mark of a product has the gallery's entry that was brought over, the digest of its bytes, and one of the small form that
Odoo made of it: that tells whether a person changed it there. ``held`` is an entry that waits for a person's decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bridge.flows.context import FlowContext
from bridge.flows.product_batch import VARIANT_BINDING
from bridge.flows.product_writing import GOODS, TEMPLATES
from bridge.ledger import Binding, Pair
from bridge.translate.catalog_records import MagentoImage, MagentoProduct
from bridge.translate.product_images import base_picture, entry_mark
from bridge.translate.product_plan import Role, mark_of, read_marks, role_of, write_marks

#: Kind of the bindings that say which picture Odoo has of a product.
PICTURE_BINDING = "product_image"
ENTRY, BYTES, SMALL, HELD = "entry", "bytes", "small", "held"
#: The small form that Odoo makes of a picture.
_SMALL_FIELD = "image_128"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A product whose picture is not known to be in Odoo."""

    product_id: int
    sku: str
    image: MagentoImage
    model: str
    field: str
    odoo_id: int
    #: Version of the mark, empty without one, and what it says.
    version: str
    marks: Mapping[str, str]


def targets_of(ctx: FlowContext, products: Iterable[MagentoProduct]) -> list[Target]:
    """Return the products with a picture whose entry is not the one that is marked, those that are bound."""
    return find_targets(ctx, products) if are_followed(ctx) else []


def are_followed(ctx: FlowContext) -> bool:
    """Return whether pictures follow Magento."""
    return ctx.settings.import_images and ctx.settings.master("images") == "magento"


def find_targets(ctx: FlowContext, products: Iterable[MagentoProduct]) -> list[Target]:
    """Return those products, whoever is the master of pictures."""
    shown = {
        str(one.product_id): (one, image) for one in products if (image := base_picture(one)) is not None
    }
    if not shown:
        return []
    get_many = ctx.ledger.bindings.get_many
    goods = get_many(ctx.instance.name, GOODS.kind, shown)
    templates = get_many(ctx.instance.name, TEMPLATES.kind, shown)
    children = get_many(ctx.instance.name, VARIANT_BINDING, shown)
    marks = get_many(ctx.instance.name, PICTURE_BINDING, shown)
    targets: list[Target] = []
    for entity, (product, image) in shown.items():
        role = role_of(product, is_variant=entity in children)
        bound = (templates if role == "template" else goods).get(entity)
        mark = marks.get(entity)
        # One that is bound to another record now has nothing of what was sent.
        if mark is not None and bound is not None and mark.odoo_id != bound.odoo_id:
            mark = None
        known = read_marks(mark.fingerprint if mark is not None else None)
        if bound is None or role == "kit" or entry_mark(image) in {known.get(ENTRY), known.get(HELD)}:
            continue
        targets.append(_target(product, image, role, bound, mark))
    return sorted(targets, key=lambda one: one.product_id)


def _target(
    product: MagentoProduct, image: MagentoImage, role: Role, bound: Binding, mark: Binding | None
) -> Target:
    return Target(
        product_id=product.product_id,
        sku=product.sku,
        image=image,
        model=TEMPLATES.model if role == "template" else GOODS.model,
        # Of a product that stands alone Odoo itself gives the picture to the template.
        field="image_variant_1920" if role == "variant" else "image_1920",
        odoo_id=bound.odoo_id,
        version="" if mark is None else mark.updated_at.isoformat(),
        marks={} if mark is None else read_marks(mark.fingerprint),
    )


def keep(ctx: FlowContext, pictures: Iterable[tuple[Target, Mapping[str, str]]]) -> None:
    """Write down the marks of pictures."""
    ctx.ledger.bindings.bind_many(
        ctx.instance.name,
        PICTURE_BINDING,
        [
            Pair(
                magento_id=str(target.product_id),
                odoo_model=target.model,
                odoo_id=target.odoo_id,
                magento_label=target.image.file,
                fingerprint=write_marks(marks),
            )
            for target, marks in pictures
        ],
    )


def brought(target: Target, content: str, small: str | None) -> dict[str, str]:
    """Return the marks of an entry that Odoo has: a digest of its bytes, empty where it is another picture, and its small form."""
    marks = {ENTRY: entry_mark(target.image), BYTES: content, SMALL: small or ""}
    return {name: mark for name, mark in marks.items() if mark}


def without_small(target: Target) -> dict[str, str]:
    """Return the marks of a picture that is being replaced in Odoo."""
    return {name: mark for name, mark in target.marks.items() if name != SMALL}


def read_small(ctx: FlowContext, model: str, ids: Iterable[int]) -> dict[int, str]:
    """Return a digest of the small form of records' pictures; empty where there is none."""
    context = {"active_test": False}
    rows = ctx.odoo.read(model, sorted(set(ids)), [_SMALL_FIELD], context=context)
    return {int(row["id"]): mark_of(str(row[_SMALL_FIELD] or "")) for row in rows}
