"""Marks of stock: which sources the bridge fills, which figures become dirty, and the exports that are wanted for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bridge.ledger.database import Session
from bridge.ledger.dialects import json_rows
from bridge.ledger.records import Want, Wanted
from bridge.ledger.shapes import from_json
from bridge.ledger.wants import key_of, want_in
from bridge.stock_routes import Routes, Share, parse_routes

Wake = Callable[[str], Want]
#: Kind of the bindings of Magento's products to ``product.product``, and of the mapping of sources to warehouses.
PRODUCT_KIND, SOURCE_KIND = "product", "source"
#: The only source that Magento's classic endpoint sees.
CLASSIC_SOURCE = "default"
#: States of a job that will run by itself.
LEFT = ("pending", "queued", "retry_waiting")


_SETTINGS = "SELECT settings FROM instances WHERE name = :instance"
_WAREHOUSES = """
SELECT value, odoo_id FROM mappings WHERE instance = :instance AND kind = :kind AND state = 'mapped' AND odoo_id > 0
ORDER BY value
"""
_MARK = """
INSERT INTO stock_figures (instance, source, magento_id, marked, exported, marked_at)
SELECT :instance, s.source, b.magento_id, 1, 0, {now}
FROM bindings b JOIN {rows sources s(source text)} ON true
WHERE b.instance = :instance AND b.kind = :kind AND WHICH
ORDER BY s.source, b.magento_id
ON CONFLICT (instance, source, magento_id) DO UPDATE SET marked = stock_figures.marked + 1,
    marked_at = CASE WHEN stock_figures.marked > stock_figures.exported THEN stock_figures.marked_at ELSE {now} END
RETURNING source
"""
_MARK_BY_ODOO = _MARK.replace("WHICH", "b.odoo_id {any ids bigint}")
_MARK_BY_MAGENTO = _MARK.replace("WHICH", "b.magento_id {any ids text}")
#: Kits that have one of these products as a part.
_KITS_OF = "SELECT DISTINCT kit_id FROM stock_parts WHERE instance = :instance AND part_id {any ids bigint}"
#: Products of Odoo whose figures change with orders of these products of Magento: they themselves, and the parts of kits.
_TOUCHED = """
SELECT b.odoo_id FROM bindings b WHERE b.instance = :instance AND b.kind = :kind AND b.magento_id {any ids text}
UNION
SELECT p.part_id FROM bindings b JOIN stock_parts p ON p.instance = b.instance AND p.kit_id = b.odoo_id
WHERE b.instance = :instance AND b.kind = :kind AND b.magento_id {any ids text}
"""
#: Sorted, as intake locks them. A job that waits is claimed after this transaction, and sees its marks.
_WAITING = """
SELECT external_key FROM jobs WHERE external_key {any keys text} AND state {any states text}
ORDER BY external_key {for_share}
"""


def routes_of(settings: Mapping[str, Any], session: Session, instance: str) -> Routes:
    """Return the routes by the setting, else by the mappings of sources, else the one source of the settings."""
    home = str(settings.get("stock_source_code") or CLASSIC_SOURCE)
    by_source = parse_routes(str(settings.get("stock_routes") or ""))
    if not by_source:
        mapped = session.rows(_WAREHOUSES, instance=instance, kind=SOURCE_KIND)
        by_source = {source: (Share(warehouse_id=int(odoo_id)),) for source, odoo_id in mapped}
    if settings.get("stock_api_mode") == "classic":
        shares = tuple(share for shares in by_source.values() for share in shares)
        by_source, home = {CLASSIC_SOURCE: shares}, CLASSIC_SOURCE
    if not by_source:
        own = settings.get("warehouse_id")
        by_source = {home: (Share(warehouse_id=int(own)),) if own else ()}
    return Routes(by_source=by_source, home=home if home in by_source else next(iter(by_source)))


def mark_in(
    session: Session,
    instance: str,
    *,
    wake: Wake,
    odoo_ids: Iterable[int] | None = None,
    magento_ids: Iterable[str] | None = None,
    by_hand: bool = False,
    by_order: bool = False,
) -> list[Wanted]:
    """Mark products dirty within the session's transaction and want the exports of their sources.

    Products of Odoo are marked with the kits that they are parts of; what an order sells (``by_order``) with all whose
    figures it changes: twins, which are one product in Odoo, the parts of a kit, and the other kits that have them.
    """
    ids: list[Any] = sorted(set(odoo_ids if odoo_ids is not None else magento_ids or ()))
    settings = settings_in(session, instance) if ids else {}
    if not ids or not (by_hand or settings.get("export_stock")):
        return []
    if by_order and odoo_ids is None:
        ids = [one for (one,) in session.rows(_TOUCHED, instance=instance, kind=PRODUCT_KIND, ids=ids)]
        odoo_ids = ids
    if odoo_ids is not None:
        ids = sorted({*ids, *(one for (one,) in session.rows(_KITS_OF, instance=instance, ids=ids))})
    routes = routes_of(settings, session, instance)
    sql = _MARK_BY_MAGENTO if odoo_ids is None else _MARK_BY_ODOO
    rows = session.rows(
        sql,
        instance=instance,
        kind=PRODUCT_KIND,
        sources=json_rows({"source": source} for source in routes.sources),
        ids=ids,
    )
    return wake_in(session, [wake(source) for source in sorted({source for (source,) in rows})])


def wake_in(session: Session, wants: Sequence[Want], *, leave: Sequence[str] = LEFT) -> list[Wanted]:
    """Want exports, unless a job for the same waits to run already: it will find the marks, and is not put off."""
    if not wants:
        return []
    keys = [key_of(want) for want in wants]
    waiting = {key for (key,) in session.rows(_WAITING, keys=keys, states=list(leave))}
    return want_in(session, [want for key, want in zip(keys, wants, strict=True) if key not in waiting])


def settings_in(session: Session, instance: str) -> Mapping[str, Any]:
    """Return the settings of an instance, as they are kept."""
    return from_json(session.value(_SETTINGS, instance=instance) or "{}")
