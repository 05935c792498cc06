"""Brings Odoo's pictures of products to Magento, where Odoo is master of images: each content once (RULES 2.6).

Magento makes another entry of whatever it is sent (``catalog/111``), so the name of a file holds the digest of its content,
and one that is there is not sent again. What Magento has besides stays; the roles go to the picture that Odoo has. Whether a
picture changed is told from its small form, so that the large one is read only then. One that the import brought is
Magento's own, also where Odoo has made it smaller since, and does not go back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence

from bridge.flows import magento_writes, product_source
from bridge.flows.context import FlowContext
from bridge.flows.export_goods import Exported, Goods, with_refusals
from bridge.flows.picture_edits import SENT, edits_in_magento
from bridge.flows.picture_targets import BYTES, ENTRY, PICTURE_BINDING
from bridge.flows.product_writing import GOODS, TEMPLATES
from bridge.ledger import Binding, Pair
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_images import base_picture, is_what_odoo_made
from bridge.translate.product_plan import mark_of, read_marks, write_marks

#: What is remembered of the picture that was sent.
IMAGE_MARK = "odoo:image"
#: Length of the digest that tells it in Magento.
_MARK = 16
#: How files of the kinds that Magento takes begin.
_KINDS = (
    (b"\x89PNG", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF8", "gif", "image/gif"),
)


def export_images(ctx: FlowContext, goods: Sequence[Goods], outcome: Exported) -> None:
    """Send the pictures that changed of products that stand alone and of templates; both must be bound by now."""
    if not ctx.settings.export_products or ctx.settings.master("images") != "odoo":
        return
    bound = _bound(ctx, [one for one in goods if not one.is_variant])
    small = _read(ctx, [template_of(one) for one, _ in bound], "image_128")
    changed = [
        (one, binding)
        for one, binding in bound
        if (image := small.get(template_of(one)))
        and read_marks(binding.fingerprint).get(IMAGE_MARK) != mark_of(image)
    ]
    if not changed:
        return
    whole = _read(ctx, [template_of(one) for one, _ in changed], "image_1920")
    products = product_source.catalog_of(ctx).products_by_id([int(one.magento_id) for _, one in changed])
    brought = _brought(ctx, [binding for _, binding in changed])
    for one, binding in changed:
        product = products.get(int(binding.magento_id))
        if product is None or template_of(one) not in whole:
            continue

        def act(one: Goods = one, binding: Binding = binding, product: MagentoProduct = product) -> None:
            content, own = whole[template_of(one)], brought.get(binding.magento_id, {})
            mark = mark_of(small[template_of(one)])
            if _is_brought(content, own.get(BYTES, "")):
                remember_sent(ctx, binding, {IMAGE_MARK: mark, SENT: own.get(ENTRY, "")})
                return
            known = read_marks(binding.fingerprint).get(SENT, "")
            edits = edits_in_magento(product, known, is_overwritten=True)
            # Kept before the write that takes its place.
            ctx.ledger.conflicts.note(ctx.instance.name, PICTURE_BINDING, edits)
            sent = send_image(ctx, product, content, version=binding.updated_at.isoformat())
            if not sent:
                outcome.no_place.setdefault("image", []).append(product.sku)
                return
            remember_sent(ctx, binding, {IMAGE_MARK: mark, SENT: sent})

        with_refusals(outcome, one, act)


def template_of(one: Goods) -> int:
    """Return the template, which has the picture."""
    return one.odoo_id if one.shelf is TEMPLATES else int(one.row["product_tmpl_id"][0])


def _bound(ctx: FlowContext, goods: Sequence[Goods]) -> list[tuple[Goods, Binding]]:
    # Read anew: what was just made is bound by now, and the marks are those after the writes before.
    found: list[tuple[Goods, Binding]] = []
    for shelf in (GOODS, TEMPLATES):
        own = {one.odoo_id: one for one in goods if one.shelf is shelf}
        bindings = ctx.ledger.bindings.by_odoo_many(ctx.instance.name, shelf.kind, own)
        found += [(own[binding.odoo_id], binding) for binding in bindings]
    return found


def _read(ctx: FlowContext, templates: Sequence[int], field: str) -> dict[int, str]:
    rows = ctx.odoo.read(TEMPLATES.model, sorted(set(templates)), [field])
    return {int(row["id"]): str(row[field]) for row in rows if row[field]}


def _brought(ctx: FlowContext, bindings: Sequence[Binding]) -> dict[str, Mapping[str, str]]:
    """Return the marks of the pictures that the import brought to products that have sent none yet."""
    new = [one.magento_id for one in bindings if IMAGE_MARK not in read_marks(one.fingerprint)]
    known = ctx.ledger.bindings.get_many(ctx.instance.name, PICTURE_BINDING, new)
    return {entity: read_marks(one.fingerprint) for entity, one in known.items()}


def _is_brought(encoded: str, known: str) -> bool:
    try:
        return bool(known) and is_what_odoo_made(base64.b64decode(encoded), known)
    except binascii.Error:
        return False


def send_image(ctx: FlowContext, product: MagentoProduct, encoded: str, *, version: str) -> str:
    """Let a product be shown by a picture, sent unless Magento has it; return its mark, or nothing.

    Other kinds of files Magento does not take. ``version`` is the state that asks for it.
    """
    try:
        content = base64.b64decode(encoded)
    except binascii.Error:
        return ""
    kind = next(((ending, mime) for start, ending, mime in _KINDS if content.startswith(start)), None)
    if kind is None:
        return ""
    digest = hashlib.sha256(content).hexdigest()[:32]
    there = next((image for image in product.images if digest in image.file), None)
    if there is not None:
        if base_picture(product) != there:
            magento_writes.give_image_roles(ctx, product, there, version=version)
        return digest[:_MARK]
    ending, mime = kind
    entry = {
        "media_type": "image",
        "label": product.name,
        "position": 0,
        "disabled": False,
        "types": list(magento_writes.IMAGE_ROLES),
        "content": {"base64_encoded_data": encoded, "type": mime, "name": f"{digest}.{ending}"},
    }
    magento_writes.add_image(ctx, product, entry, digest=digest)
    return digest[:_MARK]


def remember_sent(ctx: FlowContext, binding: Binding, marks: Mapping[str, str]) -> None:
    """Write down what both sides have of a picture, on the binding of the product."""
    pair = Pair(
        magento_id=binding.magento_id,
        odoo_model=binding.odoo_model,
        odoo_id=binding.odoo_id,
        fingerprint=write_marks({**read_marks(binding.fingerprint), **marks}),
    )
    ctx.ledger.bindings.bind_many(ctx.instance.name, binding.kind, [pair])
