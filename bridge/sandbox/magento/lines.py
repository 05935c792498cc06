"""Cart lines of every product type, drawn from the simulated catalog."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.magento.cart import CartLine, Part
from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.shelf import product

_SIMPLE = ("SIM-01", "SIM-02", "SIM-04", "SIM-06", "SIM-07", "SIM-10", "SIM-11", "SIM-13", "SIM-15", "SIM-20")
_REDUCED = ("SIM-03", "SIM-09")
_COLORS: Mapping[str, int] = {"Red": 7, "Blue": 8}
_SIZES: Mapping[str, int] = {"S": 4, "M": 5, "L": 6}
#: Price of the options of the engraved mug, and of the selections of the fixed bundle (``orders/005``, ``019``).
_ENGRAVING = 6.0
_SELECTIONS = 13.33


class Shelf:
    """Chooses lines at random; the generator that it is given decides."""

    def __init__(self, catalog: Catalog, chance: random.Random) -> None:
        self._catalog = catalog
        self._random = chance

    def _quantity(self, most: int = 5) -> int:
        return self._random.randint(1, most)

    def simple(self, sku: str | None = None) -> CartLine:
        """Return a simple product."""
        chosen = product(self._catalog, sku or self._random.choice(_SIMPLE))
        return CartLine(product=chosen, quantity=self._quantity(9))

    def chosen(self, lines: Mapping[str, float]) -> list[CartLine]:
        """Return these quantities of simple products by SKU."""
        return [
            CartLine(product=product(self._catalog, sku), quantity=quantity)
            for sku, quantity in lines.items()
        ]

    def simples(self, most: int) -> list[CartLine]:
        """Return one to ``most`` lines of different simple products (two at the least where ``most`` allows)."""
        count = self._random.randint(min(2, most), min(most, len(_SIMPLE)))
        return [self.simple(sku) for sku in self._random.sample(_SIMPLE, count)]

    def reduced(self) -> CartLine:
        """Return a product with the reduced tax, some of them of a few cents."""
        return CartLine(
            product=product(self._catalog, self._random.choice(_REDUCED)), quantity=self._quantity(10)
        )

    def configurable(self) -> CartLine:
        """Return a configurable with the child that was chosen."""
        base = self._random.choice(("TSHIRT", "HOODIE"))
        color, size = self._random.choice(tuple(_COLORS)), self._random.choice(tuple(_SIZES))
        options = [
            {"option_id": "93", "option_value": _COLORS[color]},
            {"option_id": "137", "option_value": _SIZES[size]},
        ]
        return CartLine(
            product=product(self._catalog, base),
            quantity=self._quantity(),
            kind="configurable",
            parts=[Part(product=product(self._catalog, f"{base}-{color}-{size}"))],
            option=_option(configurable_item_options=options),
        )

    def bundle_dynamic(self) -> CartLine:
        """Return a bundle whose parts carry the prices."""
        first, selection = self._random.choice((("SIM-10", 1), ("SIM-11", 2)))
        parts = [(first, 1), ("SIM-02", 2), ("SIM-12", 3)]
        options = [
            {"option_id": 1, "option_qty": 1, "option_selections": [selection]},
            {"option_id": 2, "option_qty": 1, "option_selections": [3, 4]},
        ]
        return self._bundle("BUN-DYN", parts, options)

    def bundle_together(self) -> CartLine:
        """Return a bundle with dynamic prices that is shipped as one."""
        options = [
            {"option_id": 5, "option_qty": 1, "option_selections": [7]},
            {"option_id": 6, "option_qty": 1, "option_selections": [8]},
        ]
        return self._bundle("BUN-TOG", [("SIM-17", 1), ("SIM-18", 1)], options)

    def _bundle(self, sku: str, parts: list[tuple[str, int]], options: list[dict[str, Any]]) -> CartLine:
        return CartLine(
            product=product(self._catalog, sku),
            quantity=self._quantity(3),
            kind="bundle_dynamic",
            parts=[Part(product=product(self._catalog, child), quantity=count) for child, count in parts],
            option=_option(bundle_options=options),
        )

    def bundle_fixed(self) -> CartLine:
        """Return a bundle with a price of its own."""
        options = [
            {"option_id": 3, "option_qty": 1, "option_selections": [5]},
            {"option_id": 4, "option_qty": 1, "option_selections": [6]},
        ]
        return CartLine(
            product=product(self._catalog, "BUN-FIX"),
            quantity=self._quantity(3),
            kind="bundle_fixed",
            parts=[
                Part(product=product(self._catalog, "SIM-13")),
                Part(product=product(self._catalog, "SIM-14"), quantity=2),
            ],
            surcharge=_SELECTIONS,
            option=_option(bundle_options=options),
        )

    def virtual(self) -> CartLine:
        """Return something that is not shipped."""
        return CartLine(product=product(self._catalog, "VIRT-01"), quantity=self._quantity(), kind="virtual")

    def downloadable(self) -> CartLine:
        """Return a file to download."""
        return CartLine(
            product=product(self._catalog, "DOWN-01"),
            quantity=1,
            kind="downloadable",
            option=_option(downloadable_option={"downloadable_links": [1]}),
        )

    def grouped(self) -> list[CartLine]:
        """Return the parts of a grouped product: lines of their own, without a parent."""
        return [
            CartLine(product=product(self._catalog, sku), quantity=self._quantity(3), kind="grouped")
            for sku in ("SIM-15", "SIM-16")
        ]

    def custom_options(self) -> CartLine:
        """Return a product with custom options: its SKU on the line is in no catalog."""
        words = self._random.choice(
            ("F\u00fcr Omi", "\u05de\u05d6\u05dc \u05d8\u05d5\u05d1", "\U0001f382 40!")
        )
        options = [{"option_id": "1", "option_value": words}, {"option_id": "2", "option_value": "2"}]
        return CartLine(
            product=product(self._catalog, "SIM-OPT"),
            quantity=self._quantity(),
            surcharge=_ENGRAVING,
            sku="SIM-OPT-ENGR-RH",
            option=_option(custom_options=options),
        )

    def backorder(self) -> CartLine:
        """Return more than there is in stock."""
        quantity = self._random.randint(4, 12)
        return CartLine(
            product=product(self._catalog, "NEG-TAXFREE"), quantity=quantity, backordered=quantity - 2
        )

    def fraction(self) -> CartLine:
        """Return a product that is sold in fractions of a unit."""
        quantity = self._random.choice((0.5, 1.5, 2.5, 7.5))
        return CartLine(product=product(self._catalog, "SIM-08"), quantity=quantity)


def _option(**extension: Any) -> dict[str, Any]:
    return {"extension_attributes": extension}
