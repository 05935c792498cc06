"""Which prices Magento should have: the rules of pricelists, their days and quantities, to the cent and without a float."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.translate import price_plan
from bridge.translate.price_plan import plan_prices
from bridge.translate.price_records import (
    ALL_GROUPS,
    PriceBook,
    PricedProduct,
    PriceGroup,
    Pricelist,
    PriceRule,
    PriceScope,
    PriceUnclear,
    SpecialPrice,
    number,
)
from bridge.translate.price_rules import price_of

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PRODUCT = PricedProduct(
    variant_id=7,
    template_id=5,
    categories=frozenset({1, 3}),
    list_price=Decimal("33.33"),
    cost=Decimal(20),
)


def a_rule(**values: Any) -> PriceRule:
    plain: dict[str, Any] = {
        "id": 1,
        "applies_to": "3_global",
        "about": None,
        "min_quantity": Decimal(0),
        "start": None,
        "end": None,
        "method": "fixed",
        "fixed": Decimal(0),
        "percent": Decimal(0),
        "base": "list_price",
        "base_pricelist": None,
        "discount": Decimal(0),
        "rounding": Decimal(0),
        "surcharge": Decimal(0),
        "min_margin": Decimal(0),
        "max_margin": Decimal(0),
    }
    amounts = (
        "min_quantity",
        "fixed",
        "percent",
        "discount",
        "rounding",
        "surcharge",
        "min_margin",
        "max_margin",
    )
    given = {name: Decimal(str(value)) if name in amounts else value for name, value in values.items()}
    return PriceRule(**(plain | given))


def fixed(price: object, **values: Any) -> PriceRule:
    return a_rule(fixed=price, **values)


def a_book(*lists: list[PriceRule], currencies: tuple[str, ...] = (), digits: int = 2) -> PriceBook:
    known = {
        index: Pricelist(
            id=index,
            name=f"List {index}",
            currency=currencies[index - 1] if currencies else "EUR",
            rules=rules,
        )
        for index, rules in enumerate(lists, start=1)
    }
    return PriceBook(currency="EUR", digits=digits, pricelists=known)


def price(book: PriceBook, quantity: object = 1, at: datetime | None = None, product=PRODUCT) -> str:
    return str(price_of(book, 1, product, quantity=Decimal(str(quantity)), at=at))


def planned(book: PriceBook, *groups: PriceGroup, pricelist: int | None = 1, zone: str = "UTC", now=NOW):
    scope = PriceScope(store_id=0, title="all", pricelist=pricelist, currency="EUR", timezone=zone)
    return plan_prices(PRODUCT, book, scopes=[scope], groups=groups, now=now, sku="MUG")


# Rules


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (fixed("10.005"), "10.01"),
        (a_rule(method="percentage", percent=15), "28.33"),
        (a_rule(method="formula", discount=15), "28.33"),
        # Rounded before the surcharge: to whole tens, minus a cent.
        (a_rule(method="formula", discount=10, rounding=10, surcharge="-0.01"), "29.99"),
        # A half is rounded away from 0, as Odoo does: 33.33 / 0.05 = 666.6.
        (a_rule(method="formula", rounding="0.05"), "33.35"),
        (a_rule(method="formula", discount=50, min_margin="-10"), "23.33"),
        (a_rule(method="formula", discount="-50", max_margin=5), "38.33"),
        # A markup of the cost is a negative discount.
        (a_rule(method="formula", base="standard_price", discount="-40"), "28.00"),
        (a_rule(method="percentage", base="standard_price", percent=10), "18.00"),
    ],
)
def test_a_rule_makes_the_price_that_odoo_makes(rule: PriceRule, expected: str) -> None:
    assert price(a_book([rule])) == expected


@pytest.mark.parametrize(
    ("values", "is_about"),
    [
        ({"applies_to": "0_product_variant", "about": 7}, True),
        ({"applies_to": "0_product_variant", "about": 8}, False),
        ({"applies_to": "1_product", "about": 5}, True),
        ({"applies_to": "1_product", "about": 7}, False),
        ({"applies_to": "2_product_category", "about": 1}, True),
        ({"applies_to": "2_product_category", "about": 2}, False),
        ({"applies_to": "3_global"}, True),
    ],
)
def test_a_rule_is_about_a_variant_a_product_a_category_with_those_below_or_all(
    values, is_about: bool
) -> None:
    assert price(a_book([fixed(10, **values)])) == ("10.00" if is_about else "33.33")


def test_the_first_rule_that_fits_counts_even_if_a_later_one_is_for_more() -> None:
    rules = [fixed(20, applies_to="0_product_variant", about=7), fixed(10, min_quantity=5)]
    assert price(a_book(rules), quantity=100) == "20.00"


@pytest.mark.parametrize(("quantity", "expected"), [("4.999", "33.33"), (5, "8.00"), ("5.5", "8.00")])
def test_a_rule_holds_from_its_quantity_on(quantity: object, expected: str) -> None:
    assert price(a_book([fixed(8, min_quantity=5)]), quantity=quantity) == expected


def test_a_pricelist_may_lean_on_another_with_its_quantities_and_days() -> None:
    other = [fixed(20, min_quantity=10), fixed(30)]
    book = a_book([a_rule(method="percentage", percent=10, base="pricelist", base_pricelist=2)], other)
    assert (price(book), price(book, quantity=10)) == ("27.00", "18.00")


@pytest.mark.parametrize("base", ["list_price", "standard_price"])
def test_a_price_at_the_rate_of_the_day_is_none(base: str) -> None:
    book = a_book([a_rule(method="percentage", percent=10, base=base)], currencies=("USD",))
    with pytest.raises(PriceUnclear) as caught:
        price(book)
    assert caught.value.details["reason"] == "conversion"
    # A fixed price is in the pricelist's currency already.
    assert price(a_book([fixed(9)], currencies=("USD",))) == "9.00"


def test_a_pricelist_that_is_gone_or_leans_on_itself_is_named() -> None:
    circle = a_rule(method="percentage", base="pricelist", base_pricelist=1)
    for book in (a_book(), a_book([circle])):
        with pytest.raises(PriceUnclear) as caught:
            price(book)
        assert caught.value.details["reason"] == "pricelist"


@given(
    list_price=st.decimals(min_value=0, max_value=10**9, places=4, allow_nan=False),
    percent=st.decimals(min_value=-100, max_value=100, places=2, allow_nan=False),
    digits=st.integers(0, 6),
)
def test_a_percentage_is_exact_and_kept_to_the_digits_of_odoo(
    list_price: Decimal, percent: Decimal, digits: int
) -> None:
    book = a_book([a_rule(method="percentage", percent=percent)], digits=digits)
    found = price_of(book, 1, replace(PRODUCT, list_price=list_price), quantity=Decimal(1))
    exact = list_price - list_price * percent / 100
    assert isinstance(found, Decimal)
    assert abs(found - exact) <= Decimal(1).scaleb(-digits) / 2
    assert -int(found.as_tuple().exponent) <= digits


# Days


def berlin(day: str, clock: str = "00:00:00") -> datetime:
    """A moment of Berlin's winter, in UTC."""
    return datetime.fromisoformat(f"{day}T{clock}+01:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "end", "first", "last", "is_whole"),
    [
        (berlin("2026-12-01"), berlin("2026-12-24", "23:59:59"), "2026-12-01", "2026-12-24", True),
        # Midnight ends the day before.
        (berlin("2026-12-01"), berlin("2026-12-25"), "2026-12-01", "2026-12-24", True),
        (
            berlin("2026-12-01", "14:00:00"),
            berlin("2026-12-24", "23:59:59"),
            "2026-12-01",
            "2026-12-24",
            False,
        ),
        (berlin("2026-12-01"), berlin("2026-12-24", "12:00:00"), "2026-12-01", "2026-12-24", False),
        (None, berlin("2026-12-24", "23:59:59"), None, "2026-12-24", True),
        (berlin("2026-12-01"), None, "2026-12-01", None, True),
        # It began long ago, and has not ended.
        (berlin("2026-01-01"), berlin("2026-12-24", "23:59:59"), "2026-01-01", "2026-12-24", True),
    ],
)
def test_a_lower_price_for_a_time_is_a_special_price_for_days_of_the_store(
    start: datetime | None, end: datetime | None, first: str | None, last: str | None, is_whole: bool
) -> None:
    prices = planned(a_book([fixed(25, start=start, end=end)]), zone="Europe/Berlin")
    assert prices.base == {0: Decimal("33.33")}
    days = [None if one is None else date.fromisoformat(one) for one in (first, last)]
    assert prices.special == {0: SpecialPrice(price=Decimal("25.00"), first_day=days[0], last_day=days[1])}
    assert prices.unsaid == (frozenset() if is_whole else {price_plan.WHOLE_DAYS})


def test_what_is_over_is_nothing_and_what_began_without_an_end_is_the_base_price() -> None:
    day = timedelta(days=1)
    over = fixed(1, start=NOW - 9 * day, end=NOW - day)
    assert planned(a_book([over])).texts == {"base@0": "33.33", "special@0": "none", "tier@32000@0": ""}
    begun = planned(a_book([fixed(40, start=NOW - day)]))
    assert begun.texts == {"base@0": "40", "special@0": "none", "tier@32000@0": ""}


def test_of_several_lower_prices_the_one_of_now_or_the_next_is_said() -> None:
    day = timedelta(days=1)
    midnight = NOW.replace(hour=0)
    soon = fixed(20, id=2, start=midnight + 5 * day, end=midnight + 8 * day)
    later = fixed(15, id=3, start=midnight + 7 * day, end=midnight + 10 * day)
    # Where both hold the first of them counts, so its days end where those of the other begin only after it.
    prices = planned(a_book([soon, later]))
    assert prices.special[0] == SpecialPrice(
        price=Decimal("20.00"), first_day=date(2026, 12, 1), last_day=date(2026, 12, 3)
    )
    prices = planned(a_book([later, soon]))
    assert prices.special[0] == SpecialPrice(
        price=Decimal("20.00"), first_day=date(2026, 12, 1), last_day=date(2026, 12, 2)
    )
    prices = planned(a_book([soon, later]), now=midnight + 9 * day)
    assert prices.special[0] is not None
    assert prices.special[0].price == Decimal("15.00")


def test_a_higher_price_for_a_time_is_named_and_a_lower_one_after_it_still_said() -> None:
    day = timedelta(days=1)
    midnight = NOW.replace(hour=0)
    higher = fixed(50, start=midnight + day, end=midnight + 3 * day)
    lower = fixed(20, id=2, start=midnight + 5 * day, end=midnight + 6 * day)
    prices = planned(a_book([higher, lower]))
    assert price_plan.DATED_INCREASE in prices.unsaid
    assert prices.special[0] is not None
    assert prices.special[0].price == Decimal("20.00")


def test_a_price_of_nothing_for_a_time_is_named() -> None:
    prices = planned(a_book([fixed(0, end=NOW + timedelta(days=1))]))
    assert (prices.special, prices.unsaid) == ({0: None}, {price_plan.DATED_NOTHING})


def test_without_a_pricelist_special_prices_and_tiers_of_all_are_not_touched() -> None:
    assert planned(a_book(), pricelist=None).texts == {"base@0": "33.33"}


# Quantities and groups


def a_group(pricelist: int | None = 2, group_id: int = 4) -> PriceGroup:
    return PriceGroup(group_id=group_id, name="Wholesale", pricelist=pricelist)


def tiers(prices, group_id: int = 4) -> dict[str, str]:
    return {number(quantity): number(one) for quantity, one in prices.tiers[group_id, 0]}


def test_quantities_of_the_common_pricelist_are_tiers_of_all_groups() -> None:
    prices = planned(a_book([fixed(20, min_quantity=10), fixed("25.5", min_quantity="2.5")]))
    assert tiers(prices, ALL_GROUPS) == {"2.5": "25.5", "10": "20"}


def test_equal_prices_make_no_tiers_and_half_a_piece_none_below_one() -> None:
    rules = [fixed("33.33", min_quantity=10), fixed("33.33", min_quantity="0.5")]
    assert tiers(planned(a_book([]), a_group(1))) == {}
    assert tiers(planned(a_book([], rules), a_group())) == {}


def test_a_price_that_rises_again_with_the_quantity_is_said() -> None:
    prices = planned(a_book([], [fixed(30, min_quantity=10), fixed(20)]), a_group())
    assert tiers(prices) == {"1": "20", "10": "30"}


def test_a_group_that_is_gone_gets_nothing() -> None:
    gone = PriceScope(store_id=0, title="all", pricelist=1, currency="EUR")
    prices = plan_prices(
        PRODUCT,
        a_book([], [fixed(20)]),
        scopes=[gone],
        groups=[replace(a_group(), pricelist=None)],
        now=NOW,
        sku="MUG",
        given=["base@0", "special@0", "tier@4@0", "tier@4@3", "tier@32000@0"],
    )
    assert (prices.tiers[4, 0], prices.tiers[4, 3]) == ((), ())
    assert prices.given_up == {"tier@4@0", "tier@4@3"}


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_a_price_of_nothing_is_named(amount: str) -> None:
    with pytest.raises(PriceUnclear) as caught:
        planned(a_book([fixed(amount)]))
    assert caught.value.details == {"reason": "amount", "sku": "MUG"}


def test_websites_with_prices_of_their_own_have_tiers_of_their_own() -> None:
    common = PriceScope(store_id=0, title="all", pricelist=1, currency="EUR", websites=(1, 3))
    dear = PriceScope(store_id=4, title="dear", pricelist=2, currency="EUR", websites=(2,))
    dollars = PriceScope(store_id=5, title="dollars", pricelist=3, currency="USD", websites=(4,))
    group = PriceGroup(group_id=4, name="Wholesale", pricelist=4, currency="EUR")
    book = a_book(
        [fixed(15, min_quantity=10), fixed(20)],
        [fixed(40)],
        [fixed(9)],
        [fixed(16)],
        currencies=("EUR", "EUR", "USD", "EUR"),
    )
    prices = plan_prices(PRODUCT, book, scopes=[common, dear, dollars], groups=[group], now=NOW, sku="MUG")
    assert {
        key: " ".join(f"{number(q)}:{number(p)}" for q, p in rows) for key, rows in prices.tiers.items()
    } == {
        **dict.fromkeys([(ALL_GROUPS, 1), (ALL_GROUPS, 3)], "10:15"),
        **dict.fromkeys([(4, 1), (4, 3)], "1:16 10:16"),
        # 15 for ten would be another price than its own there, and the group's is in euros.
        (ALL_GROUPS, 2): "",
        (4, 2): "1:16",
        (ALL_GROUPS, 4): "",
    }


_PRICES = st.decimals(min_value=1, max_value=50, places=2)
_STEPS = st.lists(st.tuples(st.integers(0, 30), _PRICES), max_size=5)


def _sorted_rules(steps: list[tuple[int, Decimal]]) -> list[PriceRule]:
    by_quantity = dict(steps)
    return [fixed(by_quantity[one], min_quantity=one) for one in sorted(by_quantity, reverse=True)]


@given(common=_STEPS, own=_STEPS, quantity=st.integers(1, 40))
def test_magento_sells_to_all_for_what_odoo_says_or_the_base_price_if_that_is_lower(
    common: list[tuple[int, Decimal]], own: list[tuple[int, Decimal]], quantity: int
) -> None:
    book = a_book(_sorted_rules(common), _sorted_rules(own))
    prices = planned(book, a_group())
    base = prices.base[0]
    for group_id, pricelist in ((4, 2), (None, 1)):
        # As Magento chooses: the greatest quantity that is reached, a group's own before that of all.
        reached = [
            (at, key[0] == group_id, one)
            for key, rows in prices.tiers.items()
            for at, one in rows
            if key[0] in {ALL_GROUPS, group_id} and at <= quantity
        ]
        sold = min(base, max(reached)[2]) if reached else base
        in_odoo = price_of(book, pricelist, PRODUCT, quantity=Decimal(quantity))
        assert sold == min(in_odoo, base)
        if in_odoo > base:
            assert price_plan.ABOVE_BASE in prices.unsaid
