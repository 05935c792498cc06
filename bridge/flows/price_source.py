"""What the export of prices reads: where prices hold in Magento, and what Odoo has to compute them from.

Rules are read for the products at hand only, in Odoo's own order. All prices are compared anew each time: neither
``write_date`` of a product nor of a rule tells of a rule that was deleted, of an attribute's extra price, of a category,
or in 16 of the template's price (``catalog/propagation-*``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bridge.errors import SettingsWrong
from bridge.flows.context import FlowContext
from bridge.ledger import Store
from bridge.magento import read_list
from bridge.odoo.load import in_company
from bridge.overrides import held
from bridge.translate.price_records import (
    ALL_GROUPS,
    EVERYWHERE,
    PriceBook,
    PricedProduct,
    PriceGroup,
    Pricelist,
    PriceRule,
    PriceScope,
    PriceUnclear,
)

#: Kind of the mappings of customer groups to the pricelists that their customers buy by.
GROUP_PRICELIST = "customer_group_pricelist"
_PRODUCT_FIELDS = ("product_tmpl_id", "categ_id", "lst_price", "standard_price")
_RULE_FIELDS = (
    *("pricelist_id", "applied_on", "product_tmpl_id", "product_id", "categ_id", "min_quantity"),
    *("date_start", "date_end", "compute_price", "fixed_price", "percent_price", "base", "base_pricelist_id"),
    *("price_discount", "price_round", "price_surcharge", "price_min_margin", "price_max_margin"),
)
_ABOUT = {
    "0_product_variant": "product_id",
    "1_product": "product_tmpl_id",
    "2_product_category": "categ_id",
}
#: Pricelists that lean on each other.
_DEEPEST = 20
#: Magento's own back office as a website and a view.
_ADMIN = 0


@dataclass(frozen=True, kw_only=True)
class Priced:
    """Products with all that their prices are computed from."""

    book: PriceBook
    #: By Odoo's id; one that was deleted is missing.
    products: Mapping[int, PricedProduct]


@dataclass(frozen=True, kw_only=True)
class _Website:
    title: str
    website_id: int
    store_id: int
    other_views: tuple[int, ...]
    currency: str
    timezone: str
    pricelist: int | None


def scopes_of(ctx: FlowContext, before: Collection[int] = ()) -> list[PriceScope]:
    """Return where prices hold: everywhere, and on each website that has another pricelist, or had one.

    ``before`` are the store ids that prices were written for: a website's own price cannot be taken away again.

    Raises:
        PriceUnclear: prices are kept in another currency than they are in in Odoo.
        SettingsWrong: websites may have prices of their own, and the ledger knows none.
    """
    own = ctx.instance.settings.pricelist_id
    alike: tuple[int, ...] = (EVERYWHERE,)
    if ctx.instance.settings.price_scope == "website":
        websites = _websites(ctx)
        if not websites:
            raise SettingsWrong(
                "Websites may have prices of their own, and the ledger knows none of them.",
                reason="no_stores",
            )
        common = [one for one in websites if one.pricelist == own]
        scopes = [
            PriceScope(
                store_id=one.store_id,
                other_views=one.other_views,
                title=one.title,
                pricelist=one.pricelist,
                currency=one.currency,
                timezone=one.timezone,
                websites=() if one.pricelist == own else (one.website_id,),
                is_left_over=one.pricelist == own,
            )
            for one in websites
            if one.pricelist != own or one.store_id in before
        ]
        places = [(one.currency, one.timezone) for one in common or websites]
        if any(not one.is_left_over for one in scopes):
            # A tier for all websites would undercut those that have prices of their own.
            alike = tuple(one.website_id for one in common)
    else:
        scopes = []
        # Where none is known they are read here, to hear why.
        configs = ctx.reference.store_configs() or ctx.magento.store_configs()
        places = [(one.base_currency, one.timezone) for one in configs]
    currencies = {currency for currency, _ in places}
    if len(currencies) > 1:
        raise _other_currency("all websites", ", ".join(sorted(currencies)), "one currency")
    everywhere = PriceScope(
        store_id=EVERYWHERE,
        title="all websites",
        pricelist=own,
        currency=next(iter(currencies), ""),
        timezone=next((zone for _, zone in places if zone), ctx.instance.settings.store_timezone),
        websites=alike,
    )
    scopes.insert(0, everywhere)
    known = _currencies(ctx, [one.pricelist for one in scopes])
    for scope in scopes:
        currency = _currency_of(known, scope.pricelist)
        if scope.currency and currency != scope.currency:
            raise _other_currency(scope.title, scope.currency, currency)
    return scopes


def groups_of(ctx: FlowContext, scopes: Sequence[PriceScope], before: Iterable[int]) -> list[PriceGroup]:
    """Return the customer groups that have a pricelist, and those of ``before`` that have none any more.

    Raises:
        PriceUnclear: a group's pricelist is in no currency that prices are kept in.
    """
    mapped = {
        int(row.value): row.odoo_id
        for row in ctx.ledger.mappings.list(ctx.instance.name, kind=GROUP_PRICELIST, state="mapped")
        if row.value.isdecimal() and row.odoo_id is not None
    }
    others = set(before) - mapped.keys() - {ALL_GROUPS}
    if not mapped and not others:
        return []
    names = _group_names(ctx)
    currencies = _currencies(ctx, mapped.values())
    groups = [PriceGroup(group_id=one, name=names.get(one), pricelist=None) for one in sorted(others)]
    for group_id, pricelist in sorted(mapped.items()):
        currency = _currency_of(currencies, pricelist)
        if not any(one.currency in {currency, ""} for one in scopes):
            name = names.get(group_id, str(group_id))
            raise _other_currency(f"the customer group {name}", scopes[0].currency, currency)
        groups.append(
            PriceGroup(group_id=group_id, name=names.get(group_id), pricelist=pricelist, currency=currency)
        )
    return groups


def read_priced(ctx: FlowContext, ids: Sequence[int], pricelists: Iterable[int | None]) -> Priced:
    """Read products and the rules of ``pricelists`` about them, with those of the pricelists that they lean on."""
    # The cost is each company's own.
    context = in_company(ctx.settings.company_id)
    rows = ctx.odoo.read("product.product", sorted(set(ids)), _PRODUCT_FIELDS, context=context or None)
    paths = _category_paths(ctx, {int(row["categ_id"][0]) for row in rows if row["categ_id"]})
    products = {
        int(row["id"]): PricedProduct(
            variant_id=int(row["id"]),
            template_id=int(row["product_tmpl_id"][0]),
            categories=paths.get(int(row["categ_id"][0]), frozenset()) if row["categ_id"] else frozenset(),
            list_price=_decimal(row["lst_price"]),
            cost=_decimal(row["standard_price"]),
        )
        for row in rows
    }
    known: dict[int, Pricelist] = {}
    wanted = {one for one in pricelists if one is not None}
    for _ in range(_DEEPEST):
        if not wanted - known.keys():
            break
        known |= _pricelists(ctx, sorted(wanted - known.keys()), products.values())
        wanted = {
            rule.base_pricelist
            for one in known.values()
            for rule in one.rules
            if rule.base == "pricelist" and rule.method != "fixed" and rule.base_pricelist is not None
        }
    profile = ctx.reference.profile
    book = PriceBook(
        currency=profile.currency, digits=min(profile.price_digits, _MAGENTO_DIGITS), pricelists=known
    )
    return Priced(book=book, products=products)


#: Digits behind the point that Magento keeps (``catalog/041-product-get-special-price``: "5.550000").
_MAGENTO_DIGITS = 6


def _pricelists(
    ctx: FlowContext, ids: Sequence[int], products: Iterable[PricedProduct]
) -> dict[int, Pricelist]:
    listed = list(products)
    heads = ctx.odoo.read("product.pricelist", ids, ["name", "currency_id", "active"])
    templates = sorted({one.template_id for one in listed})
    variants = sorted({one.variant_id for one in listed})
    domain: list[Any] = [
        ["pricelist_id", "in", list(ids)],
        *("|", ["product_tmpl_id", "=", False], ["product_tmpl_id", "in", templates]),
        *("|", ["product_id", "=", False], ["product_id", "in", variants]),
    ]
    rules: dict[int, list[PriceRule]] = {}
    # Without an order of ours: Odoo's own is the one in which the first rule that fits counts.
    for row in ctx.odoo.search_read("product.pricelist.item", domain, _RULE_FIELDS):
        rules.setdefault(int(row["pricelist_id"][0]), []).append(_rule(row))
    return {
        int(head["id"]): Pricelist(
            id=int(head["id"]),
            name=str(head["name"]),
            currency=str(head["currency_id"][1]),
            rules=rules.get(int(head["id"]), []),
        )
        for head in heads
        if head["active"]
    }


def _rule(row: Mapping[str, Any]) -> PriceRule:
    about = row.get(_ABOUT.get(row["applied_on"], "")) or None
    return PriceRule(
        id=int(row["id"]),
        applies_to=row["applied_on"],
        about=None if about is None else int(about[0]),
        min_quantity=_decimal(row["min_quantity"]),
        start=_moment(row["date_start"]),
        end=_moment(row["date_end"]),
        method=row["compute_price"],
        fixed=_decimal(row["fixed_price"]),
        percent=_decimal(row["percent_price"]),
        base=row["base"] or "list_price",
        base_pricelist=int(row["base_pricelist_id"][0]) if row["base_pricelist_id"] else None,
        discount=_decimal(row["price_discount"]),
        rounding=_decimal(row["price_round"]),
        surcharge=_decimal(row["price_surcharge"]),
        min_margin=_decimal(row["price_min_margin"]),
        max_margin=_decimal(row["price_max_margin"]),
    )


def _category_paths(ctx: FlowContext, ids: Iterable[int]) -> dict[int, frozenset[int]]:
    rows = ctx.odoo.read("product.category", sorted(set(ids)), ["parent_path"])
    return {
        int(row["id"]): frozenset(int(one) for one in str(row["parent_path"] or "").split("/") if one)
        | {int(row["id"])}
        for row in rows
    }


def _currencies(ctx: FlowContext, pricelists: Iterable[int | None]) -> dict[int | None, str]:
    """Return the currency of each pricelist that is there and in use; of None that of the company."""
    ids = sorted({one for one in pricelists if one is not None})
    rows = ctx.odoo.read("product.pricelist", ids, ["currency_id", "active"]) if ids else []
    found: dict[int | None, str] = {
        int(row["id"]): str(row["currency_id"][1]) for row in rows if row["active"]
    }
    return {**found, None: ctx.reference.profile.currency}


def _currency_of(currencies: Mapping[int | None, str], pricelist: int | None) -> str:
    if pricelist not in currencies:
        raise PriceUnclear(
            f"Odoo has no pricelist with the id {pricelist}, or it is archived.",
            system="odoo",
            reason="pricelist",
            pricelist_id=pricelist,
        )
    return currencies[pricelist]


def _websites(ctx: FlowContext) -> list[_Website]:
    known = ctx.ledger.stores.known(ctx.instance.name)
    found: dict[int, tuple[Store, list[Store]]] = {}
    for view in known.rows:
        if view.scope != "view" or view.magento_id == _ADMIN or view.closed_at is not None:
            continue
        website = known.website_of(view)
        if website is not None and website.closed_at is None:
            found.setdefault(website.magento_id, (website, []))[1].append(view)
    return [
        _Website(
            title=website.title,
            website_id=website.magento_id,
            store_id=view.magento_id,
            other_views=tuple(one.magento_id for one in others),
            currency=str(view.config.get("base_currency") or ""),
            timezone=str(view.config.get("timezone") or ctx.instance.settings.store_timezone),
            pricelist=held(ctx.instance.settings, known.levels(website)).pricelist_id,
        )
        for website, (view, *others) in found.values()
    ]


def _group_names(ctx: FlowContext) -> dict[int, str]:
    found: dict[int, str] = {}
    after: str | int | None = None
    while True:
        page = read_list(ctx.magento, "/customerGroups/search", key="id", fields=("code",), after=after)
        found |= {int(row["id"]): str(row["code"]) for row in page.rows}
        after = page.after
        if after is None:
            return found


def _other_currency(where: str, magento: str, odoo: str) -> PriceUnclear:
    return PriceUnclear(
        f"Prices for {where} are kept in {magento} in Magento and in {odoo} in Odoo.",
        system="odoo",
        reason="currency",
        where=where,
        magento=magento,
        odoo=odoo,
    )


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value)) if value else Decimal(0)


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC) if value else None
