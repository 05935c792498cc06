"""Reads Odoo's side of products, as the cells that the translation compares: one call for many, one more a language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from bridge.errors import System
from bridge.flows.context import FlowContext
from bridge.flows.product_writing import GOODS, Shelf
from bridge.settings import FIELD_GROUPS
from bridge.translate.product_fields import TEXTS
from bridge.translate.product_plan import number_text
from bridge.translate.raw_fields import clean_text

_SHARED = ("name", "description", "description_sale", "taxes_id", "categ_id", "active", "write_date")
#: Fields of a template, and of a variant with those of its template.
TEMPLATE_FIELDS = _SHARED
GOODS_FIELDS = (*_SHARED, "default_code", "barcode", "weight", "product_tmpl_id")

Cells = dict[str, str]


def masters_of(ctx: FlowContext) -> dict[str, System]:
    """Return the side that is master of each group of fields."""
    return {group: ctx.settings.master(group) for group in FIELD_GROUPS}


def read_cells(
    ctx: FlowContext, shelf: Shelf, odoo_ids: Iterable[int], languages: Iterable[str] = ()
) -> dict[int, Cells]:
    """Return what Odoo has of products by id; one that was deleted is missing."""
    ids = sorted(set(odoo_ids))
    fields = GOODS_FIELDS if shelf is GOODS else TEMPLATE_FIELDS
    found = {int(row["id"]): cells_of(row) for row in ctx.odoo.read(shelf.model, ids, list(fields))}
    for language in languages:
        add_texts(found, ctx.odoo.read(shelf.model, ids, list(TEXTS), context={"lang": language}), language)
    return found


def cells_of(row: Mapping[str, Any]) -> Cells:
    """Return a row of Odoo as cells; a variant has those of its template, too."""
    cells = {name: _text(row[name]) for name in TEXTS if name in row}
    if "taxes_id" in row:
        cells["taxes_id/.id"] = ",".join(str(one) for one in sorted(row["taxes_id"]))
    if "categ_id" in row:
        cells["categ_id/.id"] = str(row["categ_id"][0]) if row["categ_id"] else ""
    cells |= {name: _text(row[name]) for name in ("default_code", "barcode") if name in row}
    if "weight" in row:
        cells["weight"] = number_text(Decimal(str(row["weight"] or 0)))
    cells["active"] = "1" if row["active"] else "0"
    return cells


def add_texts(found: Mapping[int, Cells], rows: Iterable[Mapping[str, Any]], language: str) -> None:
    """Add the texts of a language; where it has none of its own they are the common ones."""
    for row in rows:
        if int(row["id"]) in found:
            found[int(row["id"])] |= {f"{name}@{language}": _text(row[name]) for name in TEXTS}


def _text(value: Any) -> str:
    return clean_text(value) if value else ""
