"""Looks up everything that the translation of one order needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bridge.errors import MappingWrong, SettingsWrong
from bridge.flows.context import FlowContext
from bridge.flows.order_products import BUNDLE, find_products, find_services, service_key
from bridge.flows.places import states_of
from bridge.ledger import MappingRow
from bridge.translate.magento_records import MagentoOrder
from bridge.translate.odoo_totals import OdooProfile, OdooTax, RoundingMethod
from bridge.translate.order_book import MappingKey, OrderBook, OrderNeeds, OrderRules

#: Odoo's methods of rounding taxes where the accounting app is not installed.
_DEFAULT_ROUNDING: RoundingMethod = "round_per_line"


def gather(ctx: FlowContext, order: MagentoOrder, needs: OrderNeeds) -> OrderBook:
    """Return the book of ``order``: mapped taxes, products, services, places, the pricelist and Odoo's profile.

    Every value is noted for the mapping center; the translation says which of them it cannot do without a mapping.

    Raises:
        MappingWrong: a tax that a value is mapped to was deleted in Odoo.
        ProductUnknown, DuplicateRecord: a product cannot be told.
        SettingsWrong: no pricelist has the order's currency.
    """
    service_keys = [service_key(name) for name in (*needs.services, BUNDLE)]
    chosen_keys = {kind: (kind, value) for kind, value in _choices(order).items() if value}
    mapped = ctx.ledger.mappings.resolve(
        ctx.instance.name, [*needs.taxes, *service_keys, *chosen_keys.values()]
    )
    _note_values(ctx, order, needs)
    chosen = {kind: mapped[key].odoo_id for kind, key in chosen_keys.items() if key in mapped}
    services = {name: row.odoo_id for (_, name), row in _of(mapped, service_keys) if row.odoo_id is not None}
    if carrier := chosen.get("shipping_method"):
        services["shipping"] = carrier
    countries = ctx.reference.countries()
    return OrderBook(
        profile=profile(ctx, order.currency),
        rules=replace(
            rules(ctx),
            payment_term_id=chosen.get("payment_method") or ctx.settings.payment_term_id,
            team_id=chosen.get("store") or ctx.settings.team_id,
        ),
        taxes=_taxes(ctx, needs, mapped),
        products=find_products(ctx, needs.products, services),
        services=find_services(ctx, [*needs.services, "adjustment"], services),
        countries={code: countries[code] for code in needs.countries if code in countries},
        states=states_of(ctx, (order.billing, order.delivery)),
        lang=ctx.reference.language(order.store_id),
        pricelist_id=chosen.get("currency") or _pricelist(ctx, order.currency),
        versions={key: row.version for key, row in mapped.items()},
    )


def profile(ctx: FlowContext, currency: str) -> OdooProfile:
    """Return what decides how this Odoo adds up an order in ``currency``."""
    server = ctx.reference.profile
    found = ctx.reference.currency(currency)
    if found is None:
        raise SettingsWrong(
            f"The currency {currency} is not active in Odoo.",
            system="odoo",
            reason="currency",
            currency=currency,
        )
    return OdooProfile(
        major=server.version.major,
        rounding_method=server.rounding_method or _DEFAULT_ROUNDING,
        price_digits=server.price_digits,
        currency_digits=max(0, -int(found[0].normalize().adjusted())),
        currency_rate=found[1],
        quantity_digits=server.quantity_digits,
        discount_digits=server.discount_digits,
    )


def rules(ctx: FlowContext) -> OrderRules:
    """Return the settings that decide about orders."""
    settings = ctx.settings
    return OrderRules(
        order_total_policy=settings.order_total_policy,
        order_total_tolerance=settings.order_total_tolerance,
        order_adjust_max=settings.order_adjust_max,
        order_name_prefix=settings.order_name_prefix,
        company_id=settings.company_id,
        warehouse_id=settings.warehouse_id,
        team_id=settings.team_id,
        user_id=settings.user_id,
        payment_term_id=settings.payment_term_id,
    )


def _choices(order: MagentoOrder) -> Mapping[str, str]:
    """Return the values that may be mapped and need not be, by kind (RULES 1.10, 1.12)."""
    return {
        "currency": order.currency,
        "payment_method": order.payment_method,
        "shipping_method": order.shipping.method,
        "store": str(order.store_id),
    }


def _others(order: MagentoOrder) -> Mapping[str, str]:
    """Return values by kind that an order shows and that do not change its translation."""
    group = order.customer.group_id
    return {"customer_group": "" if group is None else str(group), "order_status": order.status}


def _of(
    mapped: Mapping[MappingKey, MappingRow], keys: list[MappingKey]
) -> list[tuple[MappingKey, MappingRow]]:
    return [(key, mapped[key]) for key in keys if key in mapped]


def _note_values(ctx: FlowContext, order: MagentoOrder, needs: OrderNeeds) -> None:
    """Count every value that the order uses or lacks, mapped or not, for the mapping center.

    Once an order, at its first look-up: that is before anything can block it, and it comes to the same whether the order is
    imported at once, tried again, or blocked for weeks. Later events look nothing up, so they count nothing.
    """
    if ctx.is_preview:
        return
    services = [service_key(name) for name in needs.services]
    if any(need.is_service for need in needs.products):
        services.append(service_key(BUNDLE))
    labels = {**needs.labels, **_labels(order)}
    shown = {**_choices(order), **_others(order)}
    keys = [*needs.taxes, *services, *((kind, value) for kind, value in shown.items() if value)]
    example = f"order {order.increment_id}"
    ctx.ledger.mappings.observe(
        ctx.instance.name,
        [(kind, value, labels.get((kind, value)), example) for kind, value in dict.fromkeys(keys)],
        once_for=("order", ctx.job.entity),
    )


def _labels(order: MagentoOrder) -> Mapping[MappingKey, str]:
    """Return what Magento calls the values that may be mapped; none of it is personal."""
    titles = {
        "payment_method": order.payment_title,
        "shipping_method": order.shipping.description,
        "store": ", ".join(order.store_name.split("\n")),
        "order_status": order.state,
    }
    shown = {**_choices(order), **_others(order)}
    return {(kind, shown[kind]): title for kind, title in titles.items() if title}


def _taxes(
    ctx: FlowContext, needs: OrderNeeds, mapped: Mapping[MappingKey, MappingRow]
) -> dict[MappingKey, tuple[OdooTax, ...]]:
    ids = {row.odoo_id for _, row in _of(mapped, list(needs.taxes)) if row.odoo_id}
    rows = ctx.reference.taxes(ids)
    found: dict[MappingKey, tuple[OdooTax, ...]] = {}
    for key, mapping in _of(mapped, list(needs.taxes)):
        if not mapping.odoo_id:
            found[key] = ()
            continue
        row = rows.get(mapping.odoo_id)
        if row is None:
            raise MappingWrong(
                f"The Odoo tax (id {mapping.odoo_id}) that {key[0]} {key[1]!r} is mapped to was deleted. Map it to "
                "another one.",
                system="odoo",
                reason="record_gone",
                kind=key[0],
                value=key[1],
            )
        found[key] = (
            OdooTax(
                id=mapping.odoo_id,
                amount=row["amount"] * 1,
                price_include=bool(row["price_include"]),
                kind=str(row["amount_type"]),
            ),
        )
    return found


def _pricelist(ctx: FlowContext, currency: str) -> int:
    chosen = ctx.settings.pricelist_id
    lists = ctx.reference.pricelists(currency, including=chosen)
    if chosen is not None and any(int(one["id"]) == chosen for one in lists):
        return chosen
    company_id = ctx.settings.company_id or ctx.reference.profile.company_id
    for one in lists:
        if not one["company_id"] or int(one["company_id"][0]) == company_id:
            return int(one["id"])
    raise SettingsWrong(
        f"Odoo has no pricelist in {currency}: an Odoo order takes its currency from the pricelist.",
        system="odoo",
        reason="pricelist",
        currency=currency,
    )
