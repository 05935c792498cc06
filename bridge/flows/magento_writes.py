"""Writes products into Magento, once: each write is an effect with its look (RULES 2.5, 2.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from bridge.flows.context import FlowContext
from bridge.flows.doubts import has_happened
from bridge.flows.effects import Write
from bridge.flows.product_writing import SUPERSEDED, digest
from bridge.ledger import Effect
from bridge.magento import catalog, product_writes
from bridge.odoo.values import decode, encode
from bridge.translate.catalog_records import MagentoImage, MagentoProduct
from bridge.translate.product_export import body_of

CREATE = "create-magento-product"
CHANGE = "change-magento-product"
LINK = "link-magento-product"
OPTION = "add-attribute-option"
IMAGE = "add-product-image"
#: Roles of the image that a product is shown by.
IMAGE_ROLES = ("image", "small_image", "thumbnail")


def create(ctx: FlowContext, body: Mapping[str, Any], *, odoo_entity: str) -> tuple[int, dict[str, Any]]:
    """Make a product; return its id, and what was sent: after a doubt that is what was stored then.

    ``odoo_entity`` names the record of Odoo that it is made of.
    """
    sku = str(body["sku"])

    def send(stored: bytes) -> str:
        return str(product_writes.create_product(ctx.magento, decode(stored)))

    def look() -> str | None:
        row = ctx.magento.product_by_sku(sku)
        return None if row is None else str(row["id"])

    key = _create_key(ctx, odoo_entity, sku)
    product_id = int(_once(ctx, key=key, kind=CREATE, target="/products", request=body, send=send, look=look))
    effect = ctx.ledger.effects.get(key)
    stored = effect.request if effect is not None else None
    return product_id, dict(body) if stored is None else decode(stored)


def is_ours(ctx: FlowContext, odoo_entity: str, sku: str) -> bool:
    """Return whether the bridge made a product of a record of Odoo, or may have."""
    key = _create_key(ctx, odoo_entity, sku)
    return ctx.writer.is_open(key) or ctx.writer.is_done(key)


def change(
    ctx: FlowContext, product: MagentoProduct, values: Mapping[str, Any], *, store_code: str, version: str
) -> None:
    """Write the given values of a product in one scope. ``version`` is the state that they were compared with.

    Raises:
        DoubtfulEffect: an earlier write to it may still be under way, and would come after this one.
    """

    def send(stored: bytes) -> str:
        sent = decode(stored)
        body = body_of(sent["values"])
        product_writes.change_product(ctx.magento, product.sku, body, store_code=sent["store"])
        return str(product.product_id)

    def look() -> str | None:
        there = _is_there(ctx, product.product_id, store_code, values)
        return str(product.product_id) if there else None

    shown = {name: str(value) for name, value in values.items()}
    key = ctx.effect_key("magento-product-change", digest([product.product_id, store_code, shown, version]))
    target = f"/products/{product.product_id}"
    _wait_for_others(ctx, target, key)
    request = {"store": store_code, "values": dict(values)}
    _once(ctx, key=key, kind=CHANGE, target=target, request=request, send=send, look=look)


def settle_changes(ctx: FlowContext) -> None:
    """End the doubt about changes that an earlier attempt of this job sent and that need no sending again.

    Raises:
        DoubtfulEffect: what was sent is not there, and may still come.
    """
    if ctx.job.attempt < 2:
        return
    for effect in ctx.ledger.effects.for_job(ctx.job.id):
        if effect.kind == CHANGE:
            _settle(ctx, effect)


def add_option(
    ctx: FlowContext, code: str, label: str, *, odoo_value: int, find: Callable[[], str | None]
) -> str:
    """Add an option to an attribute for a value of Odoo, and return its id; ``find`` looks for it."""

    def send(stored: bytes) -> str:
        sent = decode(stored)
        return product_writes.add_attribute_option(ctx.magento, sent["code"], sent["label"])

    key = _option_key(ctx, code, label, odoo_value)
    request = {"code": code, "label": label}
    target = "/products/attributes"
    return _once(ctx, key=key, kind=OPTION, target=target, request=request, send=send, look=find)


def link(
    ctx: FlowContext,
    *,
    name: str,
    parent: MagentoProduct,
    request: Mapping[str, Any],
    send: Callable[[Mapping[str, Any]], None],
    is_there: Callable[[], bool],
) -> None:
    """Give a configurable an option or a child, once; a second one is refused by Magento, which is as good."""

    def send_it(stored: bytes) -> str:
        send(decode(stored))
        return name

    _once(
        ctx,
        key=_link_key(ctx, parent, name),
        kind=LINK,
        target="/configurable-products",
        request=request,
        send=send_it,
        look=lambda: name if is_there() else None,
    )


def add_image(ctx: FlowContext, product: MagentoProduct, entry: Mapping[str, Any], *, digest: str) -> None:
    """Add an image whose file is named by the digest of its content, once."""

    def send(stored: bytes) -> str:
        product_writes.add_image(ctx.magento, product.sku, decode(stored))
        return digest

    def look() -> str | None:
        row = catalog.products_by_id(ctx.magento, [product.product_id]).get(product.product_id, {})
        files = [str(one.get("file")) for one in row.get("media_gallery_entries") or ()]
        return digest if any(digest in file for file in files) else None

    key = ctx.effect_key("magento-image", f"{product.product_id}-{digest}")
    _once(ctx, key=key, kind=IMAGE, target="/products/media", request=entry, send=send, look=look)


def give_image_roles(ctx: FlowContext, product: MagentoProduct, image: MagentoImage, *, version: str) -> None:
    """Let an image that a product has be the one that it is shown by. ``version`` is the state that asks for it."""

    def send(stored: bytes) -> str:
        product_writes.change_image(ctx.magento, product.sku, decode(stored))
        return image.file

    def look() -> str | None:
        row = catalog.products_by_id(ctx.magento, [product.product_id]).get(product.product_id, {})
        rows = row.get("media_gallery_entries") or ()
        is_it = any(one.get("file") == image.file and "image" in (one.get("types") or ()) for one in rows)
        return image.file if is_it else None

    entry = {
        "id": image.entry_id,
        "media_type": "image",
        "label": image.label,
        "position": image.position,
        "disabled": False,
        "types": list(IMAGE_ROLES),
    }
    key = ctx.effect_key("magento-image-roles", digest([product.product_id, image.entry_id, version]))
    _once(ctx, key=key, kind=IMAGE, target="/products/media", request=entry, send=send, look=look)


def is_linked(ctx: FlowContext, parent: MagentoProduct, name: str, *, is_there: bool) -> bool:
    """Return whether nothing is to be done about ``name`` of a configurable.

    It is there, or was given once: what somebody took away since stays away. A link in doubt is settled first.
    """
    key = _link_key(ctx, parent, name)
    return (is_there or ctx.writer.is_done(key)) and not ctx.writer.is_open(key)


def is_adding(ctx: FlowContext, code: str, label: str, *, odoo_value: int) -> bool:
    """Return whether it is not known yet what became of adding an option."""
    return ctx.writer.is_open(_option_key(ctx, code, label, odoo_value))


def _option_key(ctx: FlowContext, code: str, label: str, odoo_value: int) -> str:
    return ctx.effect_key("magento-option", digest([code, odoo_value, label]))


def _create_key(ctx: FlowContext, odoo_entity: str, sku: str) -> str:
    return ctx.effect_key("magento-product", digest([odoo_entity, sku]))


def _link_key(ctx: FlowContext, parent: MagentoProduct, name: str) -> str:
    return ctx.effect_key("magento-product-link", digest([parent.product_id, name]))


def _once(
    ctx: FlowContext,
    *,
    key: str,
    kind: str,
    target: str,
    request: Mapping[str, Any],
    send: Callable[[bytes], str],
    look: Callable[[], str | None],
) -> str:
    return ctx.writer.once(
        Write(
            key=key,
            system="magento",
            kind=kind,
            target=target,
            request=encode(dict(request)),
            send=send,
            look=look,
        )
    )


def _wait_for_others(ctx: FlowContext, target: str, key: str) -> None:
    """Wait while another write to a product may be under way; what is over is ended: this one takes its place."""
    for effect in ctx.ledger.effects.open_for_target(ctx.instance.name, target):
        if effect.key != key:
            _settle(ctx, effect)


def _settle(ctx: FlowContext, effect: Effect) -> None:
    if effect.state not in {"sent", "doubtful"} or effect.request is None:
        return
    sent, product_id = decode(effect.request), int(effect.target.rpartition("/")[2])
    has_happened(
        ctx,
        effect,
        lambda _: _is_there(ctx, product_id, sent["store"], sent["values"]),
        what="change of this product",
    )
    ctx.ledger.effects.confirm(ctx.job, effect.key, SUPERSEDED)


def _is_there(ctx: FlowContext, product_id: int, store_code: str, values: Mapping[str, Any]) -> bool:
    row = catalog.products_by_id(ctx.magento, [product_id], store_code=store_code).get(product_id)
    return row is not None and _has(row, values)


def _has(row: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    custom = {one.get("attribute_code"): one.get("value") for one in row.get("custom_attributes") or ()}
    return all(_same(row.get(name, custom.get(name)), value) for name, value in values.items())


def _same(there: Any, wanted: Any) -> bool:
    if isinstance(wanted, Decimal | int):
        return there is not None and Decimal(str(there)) == wanted
    return str(there or "") == str(wanted)
