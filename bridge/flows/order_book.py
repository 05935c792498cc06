"""Looks up everything that the translation of one order needs."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.errors import MappingMissing, SettingsWrong
from bridge.flows.context import FlowContext
from bridge.flows.order_products import find_products, find_services, service_key
from bridge.ledger import MappingRow
from bridge.translate.magento_records import MagentoOrder
from bridge.translate.odoo_totals import OdooProfile, OdooTax, RoundingMethod
from bridge.translate.order_book import MappingKey, OrderBook, OrderNeeds, OrderRules

#: Odoo's methods of rounding taxes where the accounting app is not installed.
_DEFAULT_ROUNDING: RoundingMethod = "round_per_line"


def gather(ctx: FlowContext, order: MagentoOrder, needs: OrderNeeds) -> OrderBook:
    """Return the book of ``order``: mapped taxes, products, services, places, the pricelist and Odoo's profile.

    Raises:
        MappingMissing: a value of the order has no Odoo record; the value is noted for the mapping center.
        ProductUnknown, DuplicateRecord: a product cannot be told.
        SettingsWrong: no pricelist has the order's currency.
    """
    service_keys = [service_key(name) for name in needs.services]
    currency_key = ("currency", order.currency)
    mapped = ctx.ledger.mappings.resolve(ctx.instance.name, [*needs.taxes, *service_keys, currency_key])
    _note_unmapped(ctx, order, needs, mapped)
    services = {name: row.odoo_id for (_, name), row in _of(mapped, service_keys) if row.odoo_id is not None}
    countries = ctx.reference.countries()
    return OrderBook(
        profile=profile(ctx, order.currency),
        rules=rules(ctx),
        taxes=_taxes(ctx, needs, mapped),
        products=find_products(ctx, needs.products),
        services=find_services(ctx, [*needs.services, "adjustment"], services),
        countries={code: countries[code] for code in needs.countries if code in countries},
        states=_states(ctx, needs),
        lang=None,
        pricelist_id=_pricelist(ctx, order.currency, mapped.get(currency_key)),
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
        currency_digits=max(0, -int(found[1].normalize().adjusted())),
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


def _of(
    mapped: Mapping[MappingKey, MappingRow], keys: list[MappingKey]
) -> list[tuple[MappingKey, MappingRow]]:
    return [(key, mapped[key]) for key in keys if key in mapped]


def _note_unmapped(
    ctx: FlowContext, order: MagentoOrder, needs: OrderNeeds, mapped: Mapping[MappingKey, MappingRow]
) -> None:
    missing = [key for key in needs.taxes if key not in mapped]
    if missing and not ctx.is_preview:
        example = f"order {order.increment_id}"
        ctx.ledger.mappings.observe(
            ctx.instance.name,
            [(kind, value, needs.labels.get((kind, value)), example) for kind, value in missing],
        )


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
            raise MappingMissing(
                *key,
                f"The Odoo tax {mapping.odoo_id} that {key[1]} is mapped to is gone. Map it anew.",
                system="odoo",
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


def _states(ctx: FlowContext, needs: OrderNeeds) -> dict[tuple[str, str], int]:
    if not needs.states:
        return {}
    known = ctx.reference.states()
    return {key: known[key] for key in needs.states if key in known}


def _pricelist(ctx: FlowContext, currency: str, mapping: MappingRow | None) -> int | None:
    if mapping is not None and mapping.odoo_id:
        return mapping.odoo_id
    chosen = ctx.settings.pricelist_id
    lists = ctx.reference.pricelists()
    company_id = ctx.settings.company_id or ctx.reference.profile.company_id
    if chosen is not None and any(
        int(one["id"]) == chosen and one["currency_id"][1] == currency for one in lists
    ):
        return chosen
    for one in lists:
        is_ours = not one["company_id"] or int(one["company_id"][0]) == company_id
        if one["currency_id"][1] == currency and is_ours:
            return int(one["id"])
    raise SettingsWrong(
        f"Odoo has no pricelist in {currency}: an Odoo order takes its currency from the pricelist.",
        system="odoo",
        reason="pricelist",
        currency=currency,
    )
