"""Brings Odoo's pictures of products to Magento, where Odoo is master of images: each content once (RULES 2.6).

Magento makes another entry of whatever it is sent (``catalog/111``), so the name of a file holds the digest of its content,
and one that is there is not sent again. What Magento has besides stays; the roles go to the newest picture. Whether a
picture changed is told from its small form, so that the large one is read only then. One that the import brought is
Magento's own, also where Odoo has made it smaller since, and does not go back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from bridge.flows import magento_writes, product_source
from bridge.flows.context import FlowContext
from bridge.flows.export_goods import Exported, Goods, with_refusals
from bridge.flows.product_images import PICTURE_BINDING
from bridge.flows.product_writing import GOODS, TEMPLATES
from bridge.ledger import Binding, Pair
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_images import is_what_odoo_made
from bridge.translate.product_plan import mark_of, read_marks, write_marks

#: What is remembered of the picture that was sent.
IMAGE_MARK = "odoo:image"
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
            content = whole[template_of(one)]
            if _is_brought(content, brought.get(binding.magento_id, "")):
                _remember(ctx, one, binding, small[template_of(one)])
                return
            if not _send(ctx, product, content):
                outcome.no_place.setdefault("image", []).append(product.sku)
                return
            _remember(ctx, one, binding, small[template_of(one)])

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


def _brought(ctx: FlowContext, bindings: Sequence[Binding]) -> dict[str, str]:
    """Return the marks of the pictures that the import brought to products that have sent none yet."""
    new = [one.magento_id for one in bindings if IMAGE_MARK not in read_marks(one.fingerprint)]
    known = ctx.ledger.bindings.get_many(ctx.instance.name, PICTURE_BINDING, new)
    return {entity: read_marks(one.fingerprint).get("bytes", "") for entity, one in known.items()}


def _is_brought(encoded: str, known: str) -> bool:
    try:
        return bool(known) and is_what_odoo_made(base64.b64decode(encoded), known)
    except binascii.Error:
        return False


def _send(ctx: FlowContext, product: MagentoProduct, encoded: str) -> bool:
    """Send a picture unless Magento has it; return whether it has it now. Other kinds of files it does not take."""
    try:
        content = base64.b64decode(encoded)
    except binascii.Error:
        return False
    kind = next(((ending, mime) for start, ending, mime in _KINDS if content.startswith(start)), None)
    if kind is None:
        return False
    digest = hashlib.sha256(content).hexdigest()[:32]
    if any(digest in image.file for image in product.images):
        return True
    ending, mime = kind
    entry = {
        "media_type": "image",
        "label": product.name,
        "position": 0,
        "disabled": False,
        "types": ["image", "small_image", "thumbnail"],
        "content": {"base64_encoded_data": encoded, "type": mime, "name": f"{digest}.{ending}"},
    }
    magento_writes.add_image(ctx, product, entry, digest=digest)
    return True


def _remember(ctx: FlowContext, one: Goods, binding: Binding, small: str) -> None:
    marks = read_marks(binding.fingerprint) | {IMAGE_MARK: mark_of(small)}
    pair = Pair(
        magento_id=binding.magento_id,
        odoo_model=one.shelf.model,
        odoo_id=one.odoo_id,
        fingerprint=write_marks(marks),
    )
    ctx.ledger.bindings.bind_many(ctx.instance.name, one.shelf.kind, [pair])
