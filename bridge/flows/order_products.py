"""Which Odoo product an order line is: by binding, else by the SKU that Magento's catalog has (RULES 1.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.errors import DuplicateRecord, OperatorError
from bridge.flows.context import FlowContext
from bridge.idempotency import fingerprint
from bridge.odoo import LoadRequest
from bridge.translate.order_book import SERVICE, ProductNeed

#: Kind of the bindings of Magento products to ``product.product``.
PRODUCT_BINDING = "product"
#: Kind of the bindings of services (shipping, discount, ...) to the service product that stands for them.
SERVICE_BINDING = "service"
#: Services that the bridge makes a product for, unless the settings or a mapping name one. All others are money
#: that belongs on an account somebody must choose.
OWN_SERVICES: Mapping[str, str] = {
    "shipping": "Shipping",
    "discount": "Discount",
    "adjustment": "Rounding adjustment",
    "bundle": "Bundle",
    "tax_rounding": "Tax rounding",
}


class ProductUnknown(OperatorError):
    """Odoo has no product for an order line."""

    code = "product_unknown"


def find_products(ctx: FlowContext, needs: Sequence[ProductNeed]) -> dict[int, int]:
    """Return the Odoo product ids by Magento ``item_id``.

    Raises:
        ProductUnknown: one is not in Odoo, and ``auto_create_products`` is off.
        DuplicateRecord: several Odoo products have the SKU.
    """
    goods = [need for need in needs if not need.is_service]
    ids = {str(need.product_id) for need in goods if need.product_id is not None}
    bound = ctx.ledger.bindings.get_many(ctx.instance.name, PRODUCT_BINDING, ids)
    found: dict[int, int] = {}
    for need in needs:
        if need.is_service:
            found[need.item_id] = service_product(ctx, "bundle")
            continue
        binding = bound.get(str(need.product_id))
        found[need.item_id] = binding.odoo_id if binding is not None else _match(ctx, need)
    return found


def find_services(ctx: FlowContext, names: Sequence[str], mapped: Mapping[str, int]) -> dict[str, int]:
    """Return the Odoo product ids of services; ``mapped`` holds those that a mapping names."""
    return {
        name: mapped[name] if name in mapped else service_product(ctx, name)
        for name in names
        if name in mapped or name in OWN_SERVICES
    }


def service_product(ctx: FlowContext, name: str) -> int:
    """Return the product of a service of our own; made once, invoiced by what is ordered (RULES 1.4)."""
    chosen = {
        "shipping": ctx.settings.shipping_product_id,
        "discount": ctx.settings.discount_product_id,
        "adjustment": ctx.settings.adjustment_product_id,
    }.get(name)
    if chosen is not None:
        return chosen
    binding = ctx.ledger.bindings.get(ctx.instance.name, SERVICE_BINDING, name)
    if binding is not None:
        return binding.odoo_id
    title = OWN_SERVICES[name]
    request = LoadRequest(
        model="product.product",
        fields=("id", "name", "type", "invoice_policy", "sale_ok", "list_price", "taxes_id/.id"),
        rows=((ctx.external_id("service", name), f"{title} (Magento)", "service", "order", "1", "0", ""),),
    )
    product_id = ctx.writer.load(
        ctx.odoo, key=ctx.effect_key("service", name), kind="create-service", request=request
    )
    ctx.bind(SERVICE_BINDING, name, "product.product", product_id, odoo_label=title)
    return product_id


def service_key(name: str) -> tuple[str, str]:
    """Return the mapping key of a service."""
    return (SERVICE, name)


def _match(ctx: FlowContext, need: ProductNeed) -> int:
    sku = need.sku
    if not need.is_catalog_sku and need.product_id is not None:
        product = ctx.magento.product(need.product_id)
        sku = str(product["sku"]) if product is not None else sku
    rows = ctx.odoo.search_read(
        "product.product", [["default_code", "=", sku]], ["display_name"], limit=3, order="id"
    )
    if len(rows) > 1:
        raise DuplicateRecord(
            f"Several Odoo products have the SKU {sku}.",
            system="odoo",
            reason="sku",
            sku=sku,
            ids=[int(row["id"]) for row in rows],
        )
    if rows:
        product_id, label = int(rows[0]["id"]), str(rows[0]["display_name"])
    elif ctx.settings.auto_create_products:
        product_id, label = _make(ctx, need, sku), need.name
    else:
        raise ProductUnknown(f"Odoo has no product with the SKU {sku} ({need.name}).", system="odoo", sku=sku)
    if need.product_id is not None:
        ctx.bind(
            PRODUCT_BINDING,
            need.product_id,
            "product.product",
            product_id,
            magento_label=sku,
            odoo_label=label,
        )
    return product_id


def _make(ctx: FlowContext, need: ProductNeed, sku: str) -> int:
    entity = str(need.product_id) if need.product_id is not None else fingerprint(sku.casefold())[:32]
    fields = ["id", "name", "default_code", "sale_ok"]
    row = [ctx.external_id("product", entity), need.name or sku, sku, "1"]
    for field, value in _storable(ctx, need).items():
        fields.append(field)
        row.append(value)
    request = LoadRequest(model="product.product", fields=tuple(fields), rows=(tuple(row),))
    return ctx.writer.load(
        ctx.odoo, key=ctx.effect_key("product", entity), kind="create-product", request=request
    )


def _storable(ctx: FlowContext, need: ProductNeed) -> dict[str, str]:
    if need.product_type in {"virtual", "downloadable", "giftcard"}:
        return {"type": "service", "invoice_policy": "order"}
    return {name: "1" if value is True else str(value) for name, value in ctx.odoo.names.storable.items()}
