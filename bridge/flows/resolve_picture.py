"""Carries a person's decision about a picture out: the chosen one goes to the side that shows another."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from bridge.errors import OperatorError, System
from bridge.flows import magento_writes, product_source
from bridge.flows.conflict_sides import both_sides
from bridge.flows.context import FlowContext
from bridge.flows.export_images import IMAGE_MARK, remember_sent, send_image
from bridge.flows.picture_edits import SENT
from bridge.flows.picture_targets import BYTES, PICTURE_BINDING, SMALL, read_small
from bridge.flows.product_images import bring
from bridge.ledger import Binding, Conflict, Pair
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_images import base_picture, content_mark, entry_mark
from bridge.translate.product_plan import write_marks


class PictureUnwritable(OperatorError):
    """The chosen picture cannot be brought to the other side."""

    code = "picture_unwritable"


def settle_picture(ctx: FlowContext, conflict: Conflict, use: System) -> list[str]:
    """Let both sides show the picture that a person chose; return the systems that it was brought to.

    Raises:
        PictureUnwritable: it is gone, or of a kind that the other side does not take.
        PictureUnusable, PictureUnreachable: Magento's file cannot be had.
        BoundRecordGone: the product was deleted on one side.
    """
    product, binding = both_sides(ctx, conflict)
    if use == "odoo":
        return _into_magento(ctx, conflict, product, binding)
    shown = base_picture(product)
    if conflict.overwritten_at is not None:
        image = next((one for one in product.images if one.file == conflict.magento_value), None)
        if image is None:
            raise _unwritable(conflict, f"Magento's product {product.sku} has the picture no more", "magento")
        if shown != image:
            magento_writes.give_image_roles(ctx, product, image, version=f"conflict {conflict.id}")
            product = product_source.catalog_of(ctx).products_by_id([product.product_id])[product.product_id]
            shown = base_picture(product)
    if shown is None:
        raise _unwritable(conflict, f"Magento's product {product.sku} is shown by no picture", "magento")
    # Nothing is known of Odoo's any more, so it is brought whatever is there.
    _forget_brought(ctx, binding, {})
    bring(ctx, product)
    small = read_small(ctx, binding.odoo_model, [binding.odoo_id]).get(binding.odoo_id, "")
    remember_sent(ctx, binding, {IMAGE_MARK: small, SENT: entry_mark(shown)})
    return ["odoo"]


def _into_magento(
    ctx: FlowContext, conflict: Conflict, product: MagentoProduct, binding: Binding
) -> list[str]:
    rows = ctx.odoo.read(binding.odoo_model, [binding.odoo_id], ["image_1920"])
    encoded = str(rows[0]["image_1920"] or "") if rows else ""
    sent = send_image(ctx, product, encoded, version=f"conflict {conflict.id}") if encoded else ""
    if not sent:
        raise _unwritable(conflict, f"Odoo's product {product.sku} has no picture that Magento takes", "odoo")
    small = read_small(ctx, binding.odoo_model, [binding.odoo_id]).get(binding.odoo_id, "")
    remember_sent(ctx, binding, {IMAGE_MARK: small, SENT: sent})
    # Where Magento is the master its import meets an entry whose bytes Odoo has.
    _forget_brought(ctx, binding, {BYTES: content_mark(base64.b64decode(encoded)), SMALL: small})
    return ["magento"]


def _forget_brought(ctx: FlowContext, binding: Binding, marks: Mapping[str, str]) -> None:
    pair = Pair(
        magento_id=binding.magento_id,
        odoo_model=binding.odoo_model,
        odoo_id=binding.odoo_id,
        fingerprint=write_marks(marks),
    )
    ctx.ledger.bindings.bind_many(ctx.instance.name, PICTURE_BINDING, [pair])


def _unwritable(conflict: Conflict, words: str, system: System) -> PictureUnwritable:
    return PictureUnwritable(f"{words}.", system=system, sku=conflict.label or conflict.magento_id)
