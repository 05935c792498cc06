"""Orders of every kind, computed as Magento computes them: for the demo, tests and benchmarks.

The kinds follow the recorded orders and mix what they show one by one. The same seed makes the same orders.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.sandbox.magento.cart import COUPONS, VIEWS, Address, Buyer, Cart, CartLine
from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.data import TIME_FORMAT, load_data
from bridge.sandbox.magento.lines import Shelf
from bridge.sandbox.magento.order_document import Numbers, place_order
from bridge.sandbox.magento.rest import Raw
from bridge.sandbox.magento.taxes import php_round

#: When the first generated order is placed: after the recorded ones.
FIRST_ORDER = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
#: Share of the orders that guests place, where the kind leaves it open.
_GUESTS = 0.55


class OrderGenerator:
    """Makes orders of one shop. ``kinds`` are taken in turn, so that any forty orders hold them all."""

    def __init__(self, catalog: Catalog, *, seed: int, after: list[Raw]) -> None:
        self._random = random.Random(seed)
        self._shelf = Shelf(catalog, self._random)
        self._people = load_data("people")
        self._numbers = Numbers.after(after)
        self._guests = 0
        self._moment = FIRST_ORDER

    def reseed(self, seed: int) -> None:
        """Draw what follows as ``seed`` has it, whatever was drawn before; numbers and moments go on."""
        self._random.seed(seed)

    def orders(self, count: int, *, kinds: tuple[str, ...] | None = None) -> list[Raw]:
        """Return ``count`` new orders, of the named kinds or of all."""
        turns = self._turns(kinds or tuple(KINDS))
        return [self._order(KINDS[next(turns)]) for _ in range(count)]

    def place(self, lines: Mapping[str, float], *, view: int = 1) -> Raw:
        """Return a new order of these quantities of simple products by SKU, placed in a store view."""
        return self._order(lambda make: make.cart(*make.shelf.chosen(lines), view=view))

    def customers(self) -> list[Raw]:
        """Return the customers of the generated orders in the shape of ``GET /V1/customers/ID``."""
        return [_customer(row) for row in self._people["customers"]]

    def _turns(self, kinds: tuple[str, ...]) -> Iterator[str]:
        while True:
            order = list(kinds)
            self._random.shuffle(order)
            yield from order

    def _order(self, make: Callable[[OrderGenerator], Cart]) -> Raw:
        # Several orders share a second now and then, as in a busy shop.
        self._moment += timedelta(seconds=self._random.choice((0, 1, 1, 2, 7)))
        while True:
            cart = make(self)
            before = _copy(self._numbers)
            order = place_order(cart, self._numbers, self._moment.strftime(TIME_FORMAT))
            # A fraction of a unit can leave half a cent in the total, which no customer could pay.
            if php_round(order["grand_total"]) == order["grand_total"]:
                return order
            self._numbers = before

    # What the kinds are made of.

    def cart(
        self,
        *lines: CartLine,
        view: int = 1,
        to: str = "DE",
        coupon: str | None = None,
        buyer: Buyer | None = None,
        **more: Any,
    ) -> Cart:
        """Return a cart of ``lines`` for a buyer drawn at random and an address in ``to``."""
        place = self._address(to)
        billing = place if self._random.random() < 0.7 or to != "DE" else self._address("DE")
        return Cart(
            view=VIEWS[view],
            lines=lines,
            buyer=buyer or self._buyer(billing),
            billing=billing,
            shipping=place if any(line.kind not in {"virtual", "downloadable"} for line in lines) else None,
            coupon=COUPONS[coupon] if coupon else None,
            **more,
        )

    def _address(self, country: str) -> Address:
        return Address(**self._random.choice(self._people[country]))

    def _buyer(self, billing: Address) -> Buyer:
        if self._random.random() > _GUESTS:
            return self.customer()
        # Every fourth guest comes back, and some then write their address in capitals.
        self._guests += self._random.random() < 0.75
        email = f"guest{max(self._guests, 1)}@example.com"
        return Buyer(
            email=email if self._random.random() < 0.9 else email.replace("g", "G", 1),
            firstname=billing.firstname,
            lastname=billing.lastname,
        )

    def customer(self, **wanted: Any) -> Buyer:
        """Return a registered customer, one with the ``wanted`` values if there is any."""
        rows = self._people["customers"]
        fitting = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
        return Buyer(**self._random.choice(fitting or rows))

    def abroad(self, *lines: CartLine, to: str, **more: Any) -> Cart:
        """Return a cart that is billed in Germany and shipped to ``to``."""
        cart = self.cart(*lines, to=to, **more)
        billing = self._address("DE")
        return Cart(
            view=cart.view,
            lines=cart.lines,
            buyer=self._buyer(billing),
            billing=billing,
            shipping=cart.shipping,
            coupon=cart.coupon,
        )

    @property
    def shelf(self) -> Shelf:
        """The lines to choose from."""
        return self._shelf


def _mixed(make: OrderGenerator) -> Cart:
    shelf = make.shelf
    lines = (shelf.configurable(), shelf.bundle_dynamic(), shelf.virtual(), shelf.reduced(), shelf.simple())
    return make.cart(*lines, coupon="TEN", to="FR")


def _same_sku(make: OrderGenerator) -> Cart:
    return make.cart(make.shelf.custom_options(), make.shelf.custom_options())


def _business(make: OrderGenerator) -> Cart:
    return make.cart(*make.shelf.simples(3), to="FR", buyer=make.customer(group=2))


#: Every kind of order that can be generated.
KINDS: Mapping[str, Callable[[OrderGenerator], Cart]] = {
    "simple": lambda make: make.cart(make.shelf.simple()),
    "several lines": lambda make: make.cart(*make.shelf.simples(4)),
    "many lines": lambda make: make.cart(*make.shelf.simples(12), coupon="TEN"),
    "configurable": lambda make: make.cart(make.shelf.configurable(), make.shelf.configurable()),
    "bundle, dynamic price": lambda make: make.cart(make.shelf.bundle_dynamic()),
    "bundle, fixed price": lambda make: make.cart(make.shelf.bundle_fixed()),
    "bundle, coupon": lambda make: make.cart(
        make.shelf.bundle_dynamic(), make.shelf.bundle_fixed(), coupon="TEN"
    ),
    "virtual": lambda make: make.cart(make.shelf.virtual()),
    "downloadable": lambda make: make.cart(make.shelf.downloadable()),
    "grouped": lambda make: make.cart(*make.shelf.grouped()),
    "custom options": lambda make: make.cart(make.shelf.custom_options()),
    "same SKU on two lines": _same_sku,
    "coupon, percent": lambda make: make.cart(*make.shelf.simples(3), coupon="TEN"),
    "coupon, fixed": lambda make: make.cart(*make.shelf.simples(3), coupon="CART10"),
    "coupon, with shipping": lambda make: make.cart(*make.shelf.simples(2), coupon="SHIP15"),
    "coupon, everything free": lambda make: make.cart(make.shelf.simple(), coupon="FREE100"),
    "coupon, free shipping": lambda make: make.cart(make.shelf.simple(), coupon="FREESHIP"),
    "free shipping": lambda make: make.cart(make.shelf.simple(), shipping_method="freeshipping_freeshipping"),
    "two tax rates": lambda make: make.cart(make.shelf.simple(), make.shelf.reduced()),
    "two tax rates, coupon": lambda make: make.cart(
        make.shelf.reduced(), *make.shelf.simples(2), coupon="TEN"
    ),
    "tax included": lambda make: make.cart(*make.shelf.simples(3), view=4),
    "tax included, two rates": lambda make: make.cart(make.shelf.reduced(), *make.shelf.simples(2), view=4),
    "tax included, percent": lambda make: make.cart(*make.shelf.simples(3), view=4, coupon="TEN"),
    "tax included, fixed": lambda make: make.cart(*make.shelf.simples(3), view=4, coupon="CART10"),
    "tax included, discount on shipping": lambda make: make.cart(
        *make.shelf.simples(2), view=4, coupon="SHIP15"
    ),
    "tax included, bundle": lambda make: make.cart(make.shelf.bundle_dynamic(), view=4, coupon="CART10"),
    "tax included, bundle shipped together": lambda make: make.cart(make.shelf.bundle_together(), view=4),
    "US dollars": lambda make: make.cart(*make.shelf.simples(2), view=3, to="US"),
    "US dollars, coupon": lambda make: make.cart(*make.shelf.simples(3), view=3, to="US", coupon="TEN"),
    "to France": lambda make: make.abroad(*make.shelf.simples(2), to="FR"),
    "to New York": lambda make: make.abroad(*make.shelf.simples(2), to="US"),
    "no tax, reduced goods to France": lambda make: make.abroad(
        make.shelf.simple(), make.shelf.reduced(), to="FR"
    ),
    "no tax, export": lambda make: make.cart(*make.shelf.simples(2), to="export"),
    "business customer": _business,
    "backorder": lambda make: make.cart(make.shelf.backorder()),
    "fraction of a unit": lambda make: make.cart(make.shelf.fraction(), make.shelf.simple()),
    "mixed": _mixed,
}


def _copy(numbers: Numbers) -> Numbers:
    """Return the numbers as they are now, to go back to."""
    return Numbers(
        order=numbers.order,
        line=numbers.line,
        address=numbers.address,
        taxes=type(numbers.taxes)(tax=numbers.taxes.tax, item=numbers.taxes.item),
        increment=numbers.increment.copy(),
    )


def _customer(row: Mapping[str, Any]) -> Raw:
    raw: Raw = {
        "id": row["id"],
        "group_id": row["group"],
        "created_at": "2026-11-23 15:46:27",
        "updated_at": "2026-11-23 15:46:27",
        "created_in": "Default Store View",
        "email": row["email"],
        "firstname": row["firstname"],
        "lastname": row["lastname"],
        "store_id": 1,
        "website_id": 1,
        "addresses": [],
        "disable_auto_group_change": 0,
        "extension_attributes": {"is_subscribed": False},
    }
    if row["taxvat"]:
        raw["taxvat"] = row["taxvat"]
    return raw
