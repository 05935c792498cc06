"""Magento's rows of prices: what they say, and the rows that make one state of prices out of another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from bridge.errors import InvalidRecord
from bridge.translate.price_records import (
    ALL_GROUPS,
    EVERYWHERE,
    PriceGroup,
    ProductPrices,
    SpecialPrice,
    Tiers,
)

Row = dict[str, Any]

#: How the price endpoints call all groups; they take it in any case (``catalog/097``, ``100``).
ALL_GROUPS_NAME = "all groups"
#: What stands for no first or last day: the contract wants a text for both.
NO_BEGIN, NO_END = date(2000, 1, 1), date(2099, 12, 31)


@dataclass(kw_only=True)
class PriceRows:
    """Rows to write for products, by call."""

    base: list[Row] = field(default_factory=list)
    special: list[Row] = field(default_factory=list)
    special_delete: list[Row] = field(default_factory=list)
    tier: list[Row] = field(default_factory=list)
    tier_delete: list[Row] = field(default_factory=list)
    #: All tier prices that the product is to have, in the place of those that it has.
    tier_put: list[Row] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        tiers = (self.tier, self.tier_delete, self.tier_put)
        return any((self.base, self.special, self.special_delete, *tiers))


@dataclass(frozen=True, kw_only=True)
class MagentoPrices:
    """What Magento has of one product."""

    base: Mapping[int, Decimal]
    #: By store, with all dates that it may have: Magento answers each store's price with the dates of all of them
    #: (tried on 2.4.7: two websites are answered as eight rows).
    special: Mapping[int, Sequence[Row]]
    tiers: Sequence[Row]

    def like(self, wanted: ProductPrices, groups: Iterable[PriceGroup]) -> ProductPrices:
        """Return those of its prices that ``wanted`` is about."""
        return ProductPrices(
            base={store: price for store, price in self.base.items() if store in wanted.base},
            special={
                store: _seen(self.special.get(store, ()), special)
                for store, special in wanted.special.items()
            },
            tiers={key: self._tiers(key, _names(groups)) for key in wanted.tiers},
        )

    def _tiers(self, key: tuple[int, int], names: Mapping[int, str | None]) -> Tiers:
        rows = self.tier_rows(key, names)
        # A discount in percent is none of ours: as a price it is nothing that we ever send.
        return tuple(
            (_decimal(row, "quantity"), _decimal(row, "price") if row.get("price_type") == "fixed" else _NONE)
            for row in rows
        )

    def tier_rows(self, key: tuple[int, int], names: Mapping[int, str | None]) -> list[Row]:
        """Return the rows of one group and website."""
        name = names.get(key[0])
        return [
            row
            for row in self.tiers
            if name is not None
            and str(row.get("customer_group", "")).casefold() == name.casefold()
            and row.get("website_id") == key[1]
        ]


_NONE = Decimal(-1)


def read_magento_prices(
    base: Iterable[Row], special: Iterable[Row], tiers: Iterable[Row]
) -> dict[str, MagentoPrices]:
    """Return what Magento has by SKU without regard to case.

    Raises:
        InvalidRecord: a row is none.
    """
    found: dict[str, tuple[dict[int, Decimal], dict[int, list[Row]], list[Row]]] = {}

    def of(row: Row) -> tuple[dict[int, Decimal], dict[int, list[Row]], list[Row]]:
        return found.setdefault(str(row.get("sku")).casefold(), ({}, {}, []))

    for row in base:
        of(row)[0][_store(row)] = _decimal(row, "price")
    for row in special:
        of(row)[1].setdefault(_store(row), []).append(row)
    for row in tiers:
        of(row)[2].append(row)
    return {sku: MagentoPrices(base=one[0], special=one[1], tiers=one[2]) for sku, one in found.items()}


def rows_between(
    sku: str, has: MagentoPrices, wanted: ProductPrices, groups: Sequence[PriceGroup], names: Iterable[str]
) -> PriceRows:
    """Return the rows that give a product the prices ``names`` (as ``ProductPrices.texts`` calls them) as ``wanted`` has them."""
    rows = PriceRows()
    group_names = _names(groups)
    names = set(names)
    if any(name.startswith("base@") for name in names) and EVERYWHERE in wanted.base:
        # The common price comes last, and always: a website's would stand for all where prices are global.
        names.add(f"base@{EVERYWHERE}")
    for name in sorted(names, reverse=True):
        kind, _, place = name.partition("@")
        if kind == "base":
            store = int(place)
            rows.base.append({"price": wanted.base[store], "store_id": store, "sku": sku})
        elif kind == "special":
            _special_rows(rows, sku, int(place), has, wanted)
        else:
            group, _, website = place.partition("@")
            key = (int(group), int(website))
            if (called := group_names.get(key[0])) is None:
                continue
            known = has.tier_rows(key, group_names)
            changed, gone = _tier_rows(sku, known, wanted.tiers[key], name=called, website=key[1])
            rows.tier += changed
            rows.tier_delete += gone
    _put_where_deleting_fails(rows, sku, has)
    return rows


def _put_where_deleting_fails(rows: PriceRows, sku: str, has: MagentoPrices) -> None:
    """Say all tiers of a product anew where Magento would delete another row than the one that is named, or none.

    It looks for group, quantity and price, whatever the website, and does not find a price of 0 (``retrievePriceId``, tried
    on 2.4.7). Where nothing is to stay the rows are deleted one after the other.
    """
    looked_for = [_looked_for(row) for row in has.tiers]
    if all(looked_for.count(_looked_for(row)) < 2 and row["price"] for row in rows.tier_delete):
        return
    new = [*rows.tier_delete, *rows.tier]
    stay = [{**row, "sku": sku} for row in has.tiers if not any(_is_same_tier(row, one) for one in new)]
    if stay or rows.tier:
        rows.tier_put = [*stay, *rows.tier]
        rows.tier, rows.tier_delete = [], []


def in_rounds(rows: Iterable[Row]) -> list[list[Row]]:
    """Return rows of tiers to delete by the calls to delete them with: of those that look alike one call deletes one."""
    rounds: list[list[Row]] = []
    for row in rows:
        alike = _looked_for(row)
        free = next((one for one in rounds if alike not in map(_looked_for, one)), None)
        if free is None:
            rounds.append([row])
        else:
            free.append(row)
    return rounds


def _special_rows(rows: PriceRows, sku: str, store: int, has: MagentoPrices, wanted: ProductPrices) -> None:
    special = wanted.special[store]
    if special is not None:
        rows.special.append(
            {
                "price": special.price,
                "store_id": store,
                "sku": sku,
                "price_from": _midnight(special.first_day or NO_BEGIN),
                "price_to": _midnight(special.last_day or NO_END),
            }
        )
    elif store in has.special:
        # As Magento has it: it deletes what is named whole (``catalog/096``).
        rows.special_delete.append({**has.special[store][0], "sku": sku})


def _tier_rows(
    sku: str, known: Sequence[Row], wanted: Tiers, *, name: str, website: int
) -> tuple[list[Row], list[Row]]:
    """Return the rows to set and those to delete, so that a group has the tiers ``wanted`` on a website."""
    new = dict(wanted)
    old = {_decimal(row, "quantity"): row for row in known}
    # With its price: else it is not found (``retrievePriceId``, tried on 2.4.7).
    gone = [{**row, "sku": sku} for quantity, row in old.items() if quantity not in new]
    changed = [
        {
            "price": price,
            "price_type": "fixed",
            "website_id": website,
            "sku": sku,
            "customer_group": name,
            "quantity": quantity,
        }
        for quantity, price in new.items()
        if quantity not in old
        or old[quantity].get("price_type") != "fixed"
        or _decimal(old[quantity], "price") != price
    ]
    return changed, gone


def _special(row: Row) -> SpecialPrice:
    first, last = _day(row, "price_from"), _day(row, "price_to")
    return SpecialPrice(
        price=_decimal(row, "price"),
        first_day=None if first == NO_BEGIN else first,
        last_day=None if last == NO_END else last,
    )


def _seen(rows: Sequence[Row], wanted: SpecialPrice | None) -> SpecialPrice | None:
    """Return the special price that ``rows`` are about: where they are several, one that is not ``wanted``.

    Which one it is cannot be told then, so it is written again, which changes nothing where it was right.
    """
    found = [_special(row) for row in rows]
    return next((one for one in found if one != wanted), wanted) if found else None


def _names(groups: Iterable[PriceGroup]) -> dict[int, str | None]:
    return {ALL_GROUPS: ALL_GROUPS_NAME, **{one.group_id: one.name for one in groups}}


def _midnight(day: date) -> str:
    return f"{day:%Y-%m-%d} 00:00:00"


def _day(row: Row, name: str) -> date | None:
    value = row.get(name)
    if not value:
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise InvalidRecord(f"Magento's {name} is no day.", system="magento", field=name) from None


def _decimal(row: Row, name: str) -> Decimal:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InvalidRecord(f"Magento's {name} is no number.", system="magento", field=name)
    return Decimal(value)


def _store(row: Row) -> int:
    value = row.get("store_id")
    if not isinstance(value, int):
        raise InvalidRecord("Magento's price has no store.", system="magento", field="store_id")
    return value


def has_rows(has: MagentoPrices | None, call: str, rows: Iterable[Row]) -> bool:
    """Return whether a product has the prices of ``rows`` that ``call`` set, or has them no more that it deleted."""
    prices, rows = has or MagentoPrices(base={}, special={}, tiers=()), list(rows)
    if call == "tier-put" and len(prices.tiers) != len(rows):
        return False
    return all(_has_row(prices, call, row) for row in rows)


def _has_row(has: MagentoPrices, call: str, row: Row) -> bool:
    match call:
        case "base":
            return has.base.get(_store(row)) == _decimal(row, "price")
        case "special" | "special-delete":
            is_it = any(_special(one) == _special(row) for one in has.special.get(_store(row), ()))
            return is_it if call == "special" else not is_it
    same = [one for one in has.tiers if all(_word(one, name) == _word(row, name) for name in _TIER)]
    is_it = any(_decimal(one, "price") == _decimal(row, "price") for one in same)
    return not is_it if call == "tier-delete" else is_it


#: What tells one tier price from another, with its kind.
_TIER = ("customer_group", "website_id", "quantity", "price_type")


def _is_same_tier(one: Row, other: Row) -> bool:
    return all(_word(one, name) == _word(other, name) for name in _TIER[:3])


def _looked_for(row: Row) -> tuple[object, ...]:
    return tuple(_word(row, name) for name in ("sku", "customer_group", "quantity", "price_type", "price"))


def _word(row: Row, name: str) -> object:
    value = row.get(name)
    return value.casefold() if isinstance(value, str) else value
