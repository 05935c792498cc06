"""Which Odoo product an order line is: by binding, else by the SKU that Magento's catalog has (RULES 1.7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from bridge.errors import BoundRecordGone, DuplicateRecord, OperatorError
from bridge.flows.context import FlowContext
from bridge.flows.kinds import OWN_SERVICES
from bridge.idempotency import fingerprint
from bridge.odoo import LoadRequest, literally
from bridge.translate.order_book import SERVICE, ProductNeed

#: Kind of the bindings of Magento products to ``product.product``.
PRODUCT_BINDING = "product"
#: Kind of the bindings of services (shipping, discount, ...) to the service product that stands for them.
SERVICE_BINDING = "service"
#: The service that carries the price of a fixed bundle.
BUNDLE = "bundle"


class ProductUnknown(OperatorError):
    """Odoo has no product for an order line."""

    code = "product_unknown"


def find_products(
    ctx: FlowContext, needs: Sequence[ProductNeed], mapped_services: Mapping[str, int]
) -> dict[int, int]:
    """Return the Odoo product ids by Magento ``item_id``.

    Raises:
        ProductUnknown: some are not in Odoo, and ``auto_create_products`` is off.
        DuplicateRecord: several Odoo products have the SKU.
    """
    goods = [need for need in needs if not need.is_service]
    ids = {str(need.product_id) for need in goods if need.product_id is not None}
    bound = ctx.ledger.bindings.get_many(ctx.instance.name, PRODUCT_BINDING, ids)
    found: dict[int, int] = {}
    unbound: list[ProductNeed] = []
    for need in needs:
        binding = bound.get(str(need.product_id))
        if need.is_service:
            found[need.item_id] = mapped_services.get(BUNDLE) or service_product(ctx, BUNDLE)
        elif binding is not None:
            found[need.item_id] = binding.odoo_id
        else:
            unbound.append(need)
    return found | _match(ctx, unbound)


def find_services(ctx: FlowContext, names: Sequence[str], mapped: Mapping[str, int]) -> dict[str, int]:
    """Return the Odoo product ids of services; ``mapped`` holds those that a mapping names."""
    own = [name for name in names if name in OWN_SERVICES and name not in mapped]
    chosen = {name: product_id for name in own if (product_id := _chosen_service(ctx, name)) is not None}
    bound = ctx.ledger.bindings.get_many(ctx.instance.name, SERVICE_BINDING, set(own) - set(chosen))
    known = {name: binding.odoo_id for name, binding in bound.items()} | chosen | dict(mapped)
    return {
        name: known[name] if name in known else service_product(ctx, name)
        for name in names
        if name in known or name in OWN_SERVICES
    }


def _chosen_service(ctx: FlowContext, name: str) -> int | None:
    """Return the product that a setting names for a service."""
    return {
        "shipping": ctx.settings.shipping_product_id,
        "discount": ctx.settings.discount_product_id,
        "adjustment": ctx.settings.adjustment_product_id,
    }.get(name)


def service_product(ctx: FlowContext, name: str) -> int:
    """Return the product of a service of our own; made once, invoiced by what is ordered (RULES 1.4)."""
    chosen = _chosen_service(ctx, name)
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


def insist_on_products(ctx: FlowContext, product_ids: Collection[int]) -> None:
    """Look whether products that Odoo refused an order with are still there.

    A binding to one that is gone is dropped, so that a retry looks for the SKU again.

    Raises:
        BoundRecordGone: some were deleted.
    """
    domain = [["id", "in", sorted(product_ids)]]
    there = set(ctx.odoo.search("product.product", domain, context={"active_test": False}))
    gone = sorted(set(product_ids) - there)
    if not gone:
        return
    names = []
    for product_id in gone:
        bindings = ctx.ledger.bindings.by_odoo(ctx.instance.name, PRODUCT_BINDING, product_id)
        for binding in bindings:
            ctx.ledger.bindings.drop(ctx.instance.name, PRODUCT_BINDING, binding.magento_id)
        skus = ", ".join(binding.magento_label or binding.magento_id for binding in bindings)
        names.append(f"{skus or 'a service'} (id {product_id})")
    raise BoundRecordGone(
        f"Products of this order were deleted in Odoo: {', '.join(names)}. Restore them, make others with the same "
        "SKU, or map the service to another product.",
        system="odoo",
        model="product.product",
        id=gone[0],
    )


def _match(ctx: FlowContext, needs: Sequence[ProductNeed]) -> dict[int, int]:
    """Return the products of lines that are not bound yet, and bind them."""
    if not needs:
        return {}
    skus = _skus(ctx, needs)
    by_sku = _by_sku(ctx, [sku for named in skus.values() for sku in named])
    found: dict[int, int] = {}
    made: dict[str, int] = {}
    unknown: list[ProductNeed] = []
    for need in needs:
        fitting = next((by_sku[sku] for sku in skus[need.item_id] if sku in by_sku), None)
        sku = skus[need.item_id][0]
        if fitting is not None:
            found[need.item_id] = fitting
        elif ctx.settings.auto_create_products and sku:
            # One product, however many lines it has.
            made[sku] = found[need.item_id] = made[sku] if sku in made else _make(ctx, need, sku)
        else:
            unknown.append(need)
    if unknown:
        raise _unknown(unknown, {need.item_id: skus[need.item_id][0] for need in unknown})
    for need in needs:
        if need.product_id is not None:
            label = skus[need.item_id][0]
            product_id = found[need.item_id]
            ctx.bind(
                PRODUCT_BINDING,
                need.product_id,
                "product.product",
                product_id,
                magento_label=label,
                odoo_label=label,
            )
    return found


def _unknown(needs: Sequence[ProductNeed], skus: Mapping[int, str]) -> ProductUnknown:
    named = {skus[need.item_id] or "(none)": need.name for need in needs}
    several = "products with the SKUs" if len(named) > 1 else "product with the SKU"
    return ProductUnknown(
        f"Odoo has no {several} {', '.join(f'{sku} ({name})' for sku, name in named.items())}.",
        system="odoo",
        sku=list(named),
    )


def _skus(ctx: FlowContext, needs: Sequence[ProductNeed]) -> dict[int, tuple[str, ...]]:
    """Return the SKUs to look for by ``item_id``: that of the product as the catalog has it, then the line's own.

    The line's is from when the order was placed, and with custom options it is in no catalog (FACTS 7).
    """
    ids = {need.product_id for need in needs if need.product_id is not None}
    current = ctx.magento.skus(sorted(ids)) if ids else {}
    found: dict[int, tuple[str, ...]] = {}
    for need in needs:
        of_catalog = current.get(need.product_id or 0)
        own = need.sku if need.is_catalog_sku or of_catalog is None else None
        named = [sku for sku in (of_catalog, own) if sku]
        found[need.item_id] = tuple(dict.fromkeys(named)) or ("",)
    return found


def _by_sku(ctx: FlowContext, skus: Iterable[str]) -> dict[str, int]:
    """Return the Odoo products by SKU; Magento's SKUs are one without regard to case, Odoo's may be typed so.

    Raises:
        DuplicateRecord: several Odoo products have one of them.
    """
    wanted = sorted({sku for sku in skus if sku})
    found = _read(ctx, [["default_code", "in", wanted]], wanted) if wanted else {}
    for sku in wanted:
        if sku not in found:
            pattern = literally(sku)
            found |= _read(ctx, [["default_code", "=ilike", pattern]], [sku])
    return found


def _read(ctx: FlowContext, domain: list[object], skus: Sequence[str]) -> dict[str, int]:
    wanted = {sku.casefold(): sku for sku in skus} | {sku: sku for sku in skus}
    rows = ctx.odoo.search_read("product.product", domain, ["default_code"], order="id")
    ids: dict[str, list[int]] = {}
    for row in rows:
        code = str(row["default_code"])
        sku = wanted.get(code) or wanted.get(code.casefold())
        if sku is not None:
            ids.setdefault(sku, []).append(int(row["id"]))
    for sku, same in ids.items():
        if len(same) > 1:
            raise DuplicateRecord(
                f"Several Odoo products have the SKU {sku}.", system="odoo", reason="sku", sku=sku, ids=same
            )
    return {sku: same[0] for sku, same in ids.items()}


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
