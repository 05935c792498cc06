"""Pictures that were changed on the side that is not their master: shown as conflicts, as far as digests tell.

In Magento a picture that is replaced stays in the gallery. In Odoo it would be lost, and the ledger cannot keep it: so one
that a person changed there is never overwritten, but waits for a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bridge.errors import System
from bridge.flows.context import FlowContext
from bridge.flows.picture_targets import (
    HELD,
    PICTURE_BINDING,
    SMALL,
    Target,
    are_followed,
    keep,
    read_small,
)
from bridge.flows.product_writing import GOODS, TEMPLATES
from bridge.ledger import Binding, Pair, SeenEdit
from bridge.translate.catalog_records import MagentoImage, MagentoProduct
from bridge.translate.product_images import base_picture, entry_mark
from bridge.translate.product_plan import read_marks, write_marks

#: The field that a conflict names.
FIELD = "image"
#: What is remembered of Magento's picture on the binding of the product, while Odoo is the master.
SENT = "image"
_NONE = "none"


def without_edited(ctx: FlowContext, targets: Sequence[Target]) -> list[Target]:
    """Return the targets whose picture in Odoo is as the bridge left it; the others are conflicts, and wait."""
    known: dict[str, list[Target]] = {}
    for one in targets:
        if SMALL in one.marks:
            known.setdefault(one.model, []).append(one)
    edited: list[Target] = []
    seen: list[SeenEdit] = []
    for model, group in known.items():
        small = read_small(ctx, model, [one.odoo_id for one in group])
        for one in group:
            has = small.get(one.odoo_id)
            if has is not None and has != one.marks[SMALL]:
                edited.append(one)
                seen.append(_edit(one.product_id, one.sku, "magento", one.image.file, has))
    looked_at = [str(one.product_id) for group in known.values() for one in group]
    ctx.ledger.conflicts.note(ctx.instance.name, PICTURE_BINDING, seen, looked_at=looked_at)
    keep(ctx, [(one, {**one.marks, HELD: entry_mark(one.image)}) for one in edited])
    held = {one.product_id for one in edited}
    return [one for one in targets if one.product_id not in held]


def look_in_odoo(ctx: FlowContext, bound: Iterable[Binding], products: Mapping[int, MagentoProduct]) -> int:
    """Note the pictures that were changed in Odoo while Magento is their master; return how many stand."""
    if not are_followed(ctx):
        return 0
    entities = [one.magento_id for one in bound]
    kept = ctx.ledger.bindings.get_many(ctx.instance.name, PICTURE_BINDING, entities)
    groups: dict[str, list[Binding]] = {}
    for one in kept.values():
        if SMALL in read_marks(one.fingerprint) and int(one.magento_id) in products:
            groups.setdefault(one.odoo_model, []).append(one)
    seen: list[SeenEdit] = []
    freed: list[Pair] = []
    for model, group in groups.items():
        small = read_small(ctx, model, [one.odoo_id for one in group])
        for one in group:
            has, marks = small.get(one.odoo_id), read_marks(one.fingerprint)
            product = products[int(one.magento_id)]
            if has is not None and has != marks[SMALL]:
                seen.append(_edit(product.product_id, product.sku, "magento", _file(product), has))
            elif marks.pop(HELD, None):
                # Taken back: the next import brings what was held.
                freed.append(
                    Pair(
                        magento_id=one.magento_id,
                        odoo_model=model,
                        odoo_id=one.odoo_id,
                        fingerprint=write_marks(marks),
                    )
                )
    looked_at = [one.magento_id for group in groups.values() for one in group]
    ctx.ledger.conflicts.note(ctx.instance.name, PICTURE_BINDING, seen, looked_at=looked_at)
    ctx.ledger.bindings.bind_many(ctx.instance.name, PICTURE_BINDING, freed)
    return len(seen)


def look_in_magento(ctx: FlowContext, products: Sequence[MagentoProduct]) -> None:
    """Note the products that are shown by another picture in Magento than Odoo's, while Odoo is the master of pictures."""
    if ctx.settings.master("images") != "odoo" or not products:
        return
    seen: list[SeenEdit] = []
    looked_at: list[str] = []
    for shelf in (GOODS, TEMPLATES):
        entities = [str(one.product_id) for one in products]
        bound = ctx.ledger.bindings.get_many(ctx.instance.name, shelf.kind, entities)
        for product in products:
            binding = bound.get(str(product.product_id))
            known = "" if binding is None else read_marks(binding.fingerprint).get(SENT, "")
            if known:
                looked_at.append(str(product.product_id))
                seen += edits_in_magento(product, known)
    ctx.ledger.conflicts.note(ctx.instance.name, PICTURE_BINDING, seen, looked_at=looked_at)


def edits_in_magento(product: MagentoProduct, known: str, *, is_overwritten: bool = False) -> list[SeenEdit]:
    """Return the edit of a product that is shown by another picture than ``known``, if there is one."""
    if not known or is_sent(base_picture(product), known):
        return []
    return [
        _edit(product.product_id, product.sku, "odoo", _file(product), known, is_overwritten=is_overwritten)
    ]


def is_sent(image: MagentoImage | None, known: str) -> bool:
    """Return whether an image is the one that is ``known``: by the digest in its file's name, or by its entry."""
    return image is not None and (known in image.file or known == entry_mark(image))


def _file(product: MagentoProduct) -> str:
    image = base_picture(product)
    return _NONE if image is None else image.file


def _edit(
    product_id: int, sku: str, master: System, file: str, digest: str, *, is_overwritten: bool = False
) -> SeenEdit:
    return SeenEdit(
        magento_id=str(product_id),
        field=FIELD,
        master=master,
        magento_value=file,
        odoo_value=f"picture {digest}",
        label=sku,
        is_overwritten=is_overwritten,
    )
