"""Writes products into Magento, once: each write is an effect with its look (RULES 2.5, 2.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from bridge.errors import DoubtfulEffect
from bridge.flows.context import FlowContext
from bridge.flows.effects import Write
from bridge.flows.product_writing import SUPERSEDED, digest
from bridge.magento import catalog, product_writes
from bridge.odoo.values import decode, encode
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_export import body_of

CREATE = "create-magento-product"
CHANGE = "change-magento-product"
LINK = "link-magento-product"
OPTION = "add-attribute-option"


def create(ctx: FlowContext, body: Mapping[str, Any], *, odoo_entity: str) -> int:
    """Make a product and return its id; ``odoo_entity`` names the record of Odoo that it is made of."""
    sku = str(body["sku"])

    def send(stored: bytes) -> str:
        return str(product_writes.create_product(ctx.magento, decode(stored)))

    def look() -> str | None:
        row = ctx.magento.product_by_sku(sku)
        return None if row is None else str(row["id"])

    key = ctx.effect_key("magento-product", digest([odoo_entity, sku]))
    return int(_once(ctx, key=key, kind=CREATE, target="/products", request=body, send=send, look=look))


def change(
    ctx: FlowContext, product: MagentoProduct, values: Mapping[str, Any], *, store_code: str, version: str
) -> None:
    """Write the given values of a product in one scope. ``version`` is the state that they were compared with.

    Raises:
        DoubtfulEffect: an earlier write to it may still be under way, and would come after this one.
    """

    def send(stored: bytes) -> str:
        product_writes.change_product(
            ctx.magento, product.sku, body_of(decode(stored)), store_code=store_code
        )
        return str(product.product_id)

    def look() -> str | None:
        rows = catalog.products_by_id(ctx.magento, [product.product_id], store_code=store_code)
        row = rows.get(product.product_id)
        return str(product.product_id) if row is not None and _has(row, values) else None

    shown = {name: str(value) for name, value in values.items()}
    key = ctx.effect_key("magento-product-change", digest([product.product_id, store_code, shown, version]))
    target = f"/products/{product.product_id}"
    _wait_for_others(ctx, target, key)
    _once(ctx, key=key, kind=CHANGE, target=target, request=values, send=send, look=look)


def add_option(
    ctx: FlowContext, code: str, label: str, *, odoo_value: int, find: Callable[[], str | None]
) -> str:
    """Add an option to an attribute for a value of Odoo, and return its id; ``find`` looks for it."""

    def send(stored: bytes) -> str:
        sent = decode(stored)
        return product_writes.add_attribute_option(ctx.magento, sent["code"], sent["label"])

    key = ctx.effect_key("magento-option", digest([code, odoo_value, label]))
    request = {"code": code, "label": label}
    return _once(ctx, key=key, kind=OPTION, target="/products/attributes", request=request, send=send, look=find)  # fmt: skip


def link(
    ctx: FlowContext,
    *,
    name: str,
    parent: MagentoProduct,
    request: Mapping[str, Any],
    send: Callable[[Mapping[str, Any]], None],
    is_there: Callable[[], bool],
) -> None:
    """Give a configurable an option or a child; a second one is refused by Magento, which is as good."""

    def send_it(stored: bytes) -> str:
        send(decode(stored))
        return name

    _once(
        ctx,
        key=ctx.effect_key("magento-product-link", digest([parent.product_id, name])),
        kind=LINK,
        target="/configurable-products",
        request=request,
        send=send_it,
        look=lambda: name if is_there() else None,
    )


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
    lasts = max(ctx.settings.magento_doubt_seconds, default=0.0)
    for effect in ctx.ledger.effects.open_for_target(ctx.instance.name, target):
        if effect.key == key or effect.state not in {"sent", "doubtful"}:
            continue
        if effect.age_seconds < lasts:
            raise DoubtfulEffect(
                "Whether an earlier change of this product happened in Magento is not known yet.",
                waits_for=f"doubt:{effect.key}",
                retry_after=lasts - effect.age_seconds,
                system="magento",
            )
        ctx.ledger.effects.confirm(ctx.job, effect.key, SUPERSEDED)


def _has(row: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    custom = {one.get("attribute_code"): one.get("value") for one in row.get("custom_attributes") or ()}
    return all(_same(row.get(name, custom.get(name)), value) for name, value in values.items())


def _same(there: Any, wanted: Any) -> bool:
    if isinstance(wanted, Decimal | int):
        return there is not None and Decimal(str(there)) == wanted
    return str(there or "") == str(wanted)
