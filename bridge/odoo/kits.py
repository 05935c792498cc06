"""Kits: what Odoo sells as one and delivers as its parts, by bills of the type ``phantom`` of its app ``mrp``.

Which bill a product has, and what is in it, is Odoo's own reading (source of 16, 18 and 19: ``_bom_find`` and ``explode`` in
``mrp/models/mrp_bom.py``; ``kits/*`` of the recordings): the first by sequence, a variant's own before its template's of
the same one; lines of other variants are left out; a part that is a kit itself stands for its own parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridge.errors import AccessMissing, SettingsWrong
from bridge.odoo.client import OdooClient
from bridge.odoo.stock import AT_ONCE, batches, clean, link_of

_BILL = ("active", "sequence", "product_id", "product_tmpl_id", "product_qty", "product_uom_id")
_LINE = ("bom_id", "product_id", "product_qty", "product_uom_id", "bom_product_template_attribute_value_ids")
_ALL = {"active_test": False}
_ONE = Decimal(1)
_UNIT_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Kit:
    """A product that is sold as one and delivered as its parts."""

    product_id: int
    #: Units of each part in one kit, in the part's own unit. What Odoo keeps no stock of is left out: it limits nothing.
    parts: Mapping[int, Decimal]


@dataclass(kw_only=True)
class _Bills:
    """The bills of a database with what is needed to read them."""

    lines: dict[int, list[Mapping[str, Any]]] = field(default_factory=dict)
    products: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    #: The bill of each product that has one.
    of_product: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    #: Units by id; how many units of its kind's first one it is.
    units: dict[int, Decimal] = field(default_factory=dict)
    #: The attribute of each value that a line asks for.
    attributes: dict[int, int] = field(default_factory=dict)

    def ratio(self, from_unit: Any, to_unit: Any) -> Decimal:
        """Return how many of one unit another one is; 1 where that is not known, as Odoo takes it too."""
        if from_unit == to_unit or not from_unit or not to_unit:
            return _ONE
        have, want = self.units.get(int(from_unit[0])), self.units.get(int(to_unit[0]))
        # Odoo keeps floats: a twelfth of a dozen is one.
        return round(have / want, _UNIT_DIGITS).normalize() if have and want else _ONE

    def is_for(self, line: Mapping[str, Any], product_id: int) -> bool:
        """Return whether a line of a bill is one of this variant's (source: ``_match_all_variant_values``)."""
        asked = set(line["bom_product_template_attribute_value_ids"])
        has = asked & set(self.products[product_id]["product_template_attribute_value_ids"])
        return len(has) == len({self.attributes.get(one, one) for one in asked})


def read_kits(odoo: OdooClient) -> dict[int, Kit]:
    """Return all kits by product, with the parts that Odoo keeps stock of.

    None where the app for them is not installed, or is not this user's matter. One call where there are none; else
    about four for a thousand bills.
    """
    try:
        # 16 goes by archived bills of single variants, too (``kits/kit-quantities``).
        context = None if odoo.names.has_picked else _ALL
        bills = _pages(odoo, "mrp.bom", [["type", "=", "phantom"]], _BILL, context=context)
        bills = [row for row in bills if row["active"] or row["product_id"]]
    except AccessMissing:
        return {}
    except SettingsWrong as error:
        if error.details.get("reason") != "unknown_model":
            raise
        return {}
    if not bills:
        return {}
    found = _read(odoo, bills)
    kits: dict[int, Kit] = {}
    for product_id in sorted(found.of_product):
        parts = _parts(odoo, found, product_id, ())
        if parts:
            kits[product_id] = Kit(product_id=product_id, parts=parts)
    return kits


def _parts(
    odoo: OdooClient, bills: _Bills, product_id: int, above: Sequence[int], times: Decimal = _ONE
) -> dict[int, Decimal]:
    bill, product = bills.of_product[product_id], bills.products[product_id]
    makes = clean(bill["product_qty"]) * bills.ratio(bill["product_uom_id"], product["uom_id"])
    parts: dict[int, Decimal] = {}
    for line in bills.lines.get(int(bill["id"]), ()):
        part_id = link_of(line, "product_id")
        part = bills.products.get(part_id)
        quantity = clean(line["product_qty"])
        if part is None or quantity <= 0 or not makes or not bills.is_for(line, product_id):
            continue
        each = times * quantity * bills.ratio(line["product_uom_id"], part["uom_id"]) / makes
        if part_id in bills.of_product and part_id not in above:
            inner = _parts(odoo, bills, part_id, (*above, product_id), each)
        elif all(part[name] == value for name, value in odoo.names.storable.items()):
            inner = {part_id: each}
        else:
            inner = {}
        for one, units in inner.items():
            parts[one] = parts.get(one, Decimal(0)) + units
    return parts


def _read(odoo: OdooClient, rows: Sequence[Mapping[str, Any]]) -> _Bills:
    bills = _Bills()
    for line in _pages(odoo, "mrp.bom.line", [["bom_id.type", "=", "phantom"]], _LINE):
        bills.lines.setdefault(link_of(line, "bom_id"), []).append(line)
    lines = [line for some in bills.lines.values() for line in some]
    fields = ["product_tmpl_id", "uom_id", "type", "active", "product_template_attribute_value_ids"]
    fields += [name for name in odoo.names.storable if name not in fields]
    wanted = {"product_tmpl_id": {link_of(row, "product_tmpl_id") for row in rows}}
    wanted["id"] = {link_of(line, "product_id") for line in lines}
    for name, ids in wanted.items():
        for some in batches(ids - bills.products.keys() if name == "id" else ids):
            found = odoo.search_read("product.product", [[name, "in", some]], fields, context=_ALL)
            bills.products |= {int(row["id"]): row for row in found}
    _assign(bills, rows)
    _read_units(odoo, bills, lines)
    values = {int(one) for line in lines for one in line["bom_product_template_attribute_value_ids"]}
    for some in batches(values):
        for row in odoo.read("product.template.attribute.value", some, ["attribute_id"]):
            bills.attributes[int(row["id"])] = link_of(row, "attribute_id")
    return bills


def _assign(bills: _Bills, rows: Sequence[Mapping[str, Any]]) -> None:
    of_template: dict[int, list[int]] = {}
    for product_id, product in bills.products.items():
        of_template.setdefault(link_of(product, "product_tmpl_id"), []).append(product_id)
    for bill in sorted(rows, key=lambda row: (row["sequence"], not row["product_id"], row["id"])):
        template = of_template.get(link_of(bill, "product_tmpl_id"), [])
        for product_id in [link_of(bill, "product_id")] if bill["product_id"] else template:
            # A service is never one, whatever bill it has.
            if product_id in bills.products and bills.products[product_id]["type"] != "service":
                bills.of_product.setdefault(product_id, bill)


def _read_units(odoo: OdooClient, bills: _Bills, lines: Iterable[Mapping[str, Any]]) -> None:
    pairs = [
        *((row["product_uom_id"], bills.products[one]["uom_id"]) for one, row in bills.of_product.items()),
        *(
            (line["product_uom_id"], bills.products[part]["uom_id"])
            for line in lines
            if (part := link_of(line, "product_id")) in bills.products
        ),
    ]
    ids = {int(unit[0]) for pair in pairs if pair[0] != pair[1] for unit in pair if unit}
    for some in batches(ids):
        for row in odoo.read("uom.uom", some, ["factor"]):
            factor = Decimal(row["factor"])
            if factor:
                bills.units[int(row["id"])] = factor if odoo.names.has_absolute_units else 1 / factor


def _pages(
    odoo: OdooClient,
    model: str,
    domain: Sequence[Any],
    fields: Sequence[str],
    *,
    context: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = [["id", ">", found[-1]["id"]]] if found else []
        page = odoo.search_read(
            model, [*domain, *after], list(fields), order="id", limit=AT_ONCE, context=context
        )
        found += page
        if len(page) < AT_ONCE:
            return found
