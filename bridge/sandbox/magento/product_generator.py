"""Products of many shapes for tests and benchmarks: the same seed makes the same products.

SKUs are as shops have them: with slashes, commas, blanks, other alphabets, wildcards of databases, numbers only,
as long as Magento allows. Documents have the shape of ``catalog/032`` to ``034``.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.data import TIME_FORMAT
from bridge.sandbox.magento.rest import Raw

#: When the first generated product is saved: after the recorded ones.
FIRST_PRODUCT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
#: Magento's longest SKU (``catalog/079-product-post-long-sku``).
LONGEST_SKU = 64
#: Option ids of the recorded attributes color (93) and size (137).
COLORS = (7, 8, 9)
SIZES = (4, 5, 6)
_MOST_CHILDREN = len(COLORS) * len(SIZES)
_WORDS = (
    "Lamp",
    "Chair",
    "Caf\u00e9 Table",
    "M\u00fctze",
    "Shelf",
    "Rug",
    "Vase",
    "\u0160\u00e1lek",
    "Mirror",
    "Desk",
)
_SKU_FORMS = (
    "{word}-{number:05}",
    "{word}/{number}",
    "{word} {number} & more",
    "{number:07}",
    "{word},{number}",
    "{word}_{number}%",
    "{word}.{number}+x",
    "\u00c4{number}-{word}",
)
_PRICES = (0, 0.01, 9.99, 12.5, 19.9, 24.95, 33.33, 49.123456, 100, 249.95, 1999)


class ProductGenerator:
    """Makes products of one shop."""

    def __init__(self, catalog: Catalog, *, seed: int) -> None:
        self._catalog = catalog
        self._random = random.Random(f"products {seed}")
        simple, configurable = catalog.by_sku("SIM-01"), catalog.by_sku("TSHIRT")
        assert simple is not None
        assert configurable is not None
        self._simple, self._configurable = simple, configurable
        self._moment = FIRST_PRODUCT
        self._number = 0

    def add(self, count: int, *, configurable_share: float = 0.1) -> list[Raw]:
        """Put ``count`` new products into the catalog and return them; so many of them are configurables.

        A configurable has two to nine children, which count too and come before it, as far as there are enough.
        """
        parents = round(count * configurable_share)
        rest = count - parents
        made: list[Raw] = []
        for left in range(parents, 0, -1):
            most = min(_MOST_CHILDREN, rest // left)
            family = self._family(self._random.randint(min(2, most), most))
            rest -= len(family) - 1
            made += family
        made += [self._plain() for _ in range(rest)]
        return made

    def _plain(self) -> Raw:
        kind = self._random.choice(("simple", "simple", "simple", "simple", "virtual"))
        raw = self._new(self._simple, sku=self._sku(), type_id=kind)
        if kind == "virtual":
            raw.pop("weight")
        return self._put(raw)

    def _family(self, children: int) -> list[Raw]:
        base = f"F{self._number + 1:05}-{self._random.choice(_WORDS)}"
        chosen = [(color, size) for color in COLORS for size in SIZES][:children]
        made = [
            self._put(
                self._new(
                    self._simple,
                    sku=f"{base}-{color}-{size}",
                    visibility=1,
                    attributes={"color": str(color), "size": str(size)},
                )
            )
            for color, size in chosen
        ]
        parent = self._new(self._configurable, sku=base, price=0)
        extension = parent["extension_attributes"]
        extension["configurable_product_links"] = [child["id"] for child in made]
        extension["configurable_product_options"] = list(_options(parent["id"], chosen))
        return [*made, self._put(parent)]

    def _sku(self) -> str:
        number = self._number + 1
        form = _SKU_FORMS[number % len(_SKU_FORMS)]
        sku = form.format(word=self._random.choice(_WORDS), number=number)
        return sku.ljust(LONGEST_SKU, "x") if number % 50 == 0 else sku

    def _new(self, like: Raw, *, sku: str, attributes: dict[str, str] | None = None, **values: Any) -> Raw:
        self._number += 1
        product_id = self._catalog.next_id()
        # Several products share a second, as after an import.
        self._moment += timedelta(seconds=self._random.choice((0, 0, 0, 1)))
        moment = self._moment.strftime(TIME_FORMAT)
        raw = copy.deepcopy(like)
        raw |= {
            "id": product_id,
            "sku": sku,
            "name": f"{self._random.choice(_WORDS)} No. {self._number}",
            "price": self._random.choice(_PRICES),
            "status": 2 if self._random.random() < 0.05 else 1,
            "created_at": moment,
            "updated_at": moment,
            **values,
        }
        category = str(self._random.choice((3, 4, 5)))
        extension = raw["extension_attributes"]
        extension["website_ids"] = [1, 2] if self._random.random() < 0.8 else [1]
        extension["category_links"] = [{"position": 0, "category_id": category}]
        extension["stock_item"] |= {"item_id": product_id, "product_id": product_id}
        own = {
            "url_key": f"product-{product_id}",
            "category_ids": [category],
            "description": f"<p>No. {self._number} &amp; more<br>as <b>shown</b></p>",
            **(attributes or {}),
        }
        kept = [row for row in raw["custom_attributes"] if row["attribute_code"] not in own]
        raw["custom_attributes"] = kept + [
            {"attribute_code": code, "value": value} for code, value in own.items()
        ]
        return raw

    def _put(self, raw: Raw) -> Raw:
        self._catalog.add(raw)
        return raw


def _options(product_id: int, chosen: Sequence[tuple[int, int]]) -> Iterator[Raw]:
    for position, (attribute_id, label) in enumerate(((93, "Color"), (137, "Size"))):
        values = dict.fromkeys(pair[position] for pair in chosen)
        yield {
            "id": product_id * 2 + position,
            "attribute_id": str(attribute_id),
            "label": label,
            "position": position,
            "values": [{"value_index": value} for value in values],
            "product_id": product_id,
        }
