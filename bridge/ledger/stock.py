"""Stock figures: what is to be exported, what was, and what Magento had.

A figure is dirty while it was marked more often than it was exported, as a job runs again while it was wanted more often
than it was claimed: a mark that is set while the figure is being read is not lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bridge.ledger.database import Database, Session
from bridge.ledger.dialects import clean_text, json_rows
from bridge.ledger.records import Want, Wanted
from bridge.ledger.shapes import Shape, from_json, moment
from bridge.ledger.stock_records import Exported, SafetyScope, SafetyStock, StockFigure
from bridge.ledger.wants import key_of, want_in
from bridge.stock_routes import Routes, Share, parse_routes

Wake = Callable[[str], Want]
#: Kind of the bindings of Magento's products to ``product.product``, and of the mapping of sources to warehouses.
PRODUCT_KIND, SOURCE_KIND = "product", "source"
#: The only source that Magento's classic endpoint sees.
CLASSIC_SOURCE = "default"
_PAGE = 1000
#: States of a job that will run by itself.
_LEFT = ("pending", "queued", "retry_waiting")

_FIGURE = Shape(StockFigure, magento_id="f.magento_id", odoo_id="b.odoo_id", sku="b.magento_label")
_SAFETY = Shape(SafetyStock)

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
#: As the index of the drift checks has it.
_LABEL = "lower(coalesce(magento_label, ''))"
_BOUND = f"""
SELECT {_LABEL}, magento_id FROM bindings
WHERE instance = :instance AND kind = :kind AND ({_LABEL}, magento_id) > (:label, :magento_id)
ORDER BY {_LABEL}, magento_id LIMIT :limit
"""
_FROM = """
FROM stock_figures f
LEFT JOIN bindings b ON b.instance = f.instance AND b.kind = 'product' AND b.magento_id = f.magento_id
WHERE f.instance = :instance AND f.source = :source
"""
_AGAIN = """
UPDATE stock_figures SET marked = marked + 1
WHERE instance = :instance AND source = :source AND magento_id {any ids text}
"""
#: Those of one marking are exported by SKU, so a page more than is wanted is looked at. Nothing tells PostgreSQL how many
#: are dirty: with the limit inside it reads the bindings of these, and not all of them.
_DIRTY = f"""
SELECT {_FIGURE.columns}
FROM (
    SELECT * FROM stock_figures WHERE instance = :instance AND source = :source AND marked > exported
    ORDER BY marked_at, magento_id LIMIT :most
) f
LEFT JOIN bindings b ON b.instance = :instance AND b.kind = 'product' AND b.magento_id = f.magento_id
ORDER BY f.marked_at, b.magento_label, f.magento_id LIMIT :limit
"""
_GET = f"SELECT {_FIGURE.columns} {_FROM} AND f.magento_id {{any ids text}}"
_OTHERS = """
SELECT odoo_id, magento_id FROM bindings WHERE instance = :instance AND kind = :kind AND odoo_id {any ids bigint}
ORDER BY odoo_id, magento_id
"""
_BY_SKU = f"""
SELECT magento_id, magento_label FROM bindings
WHERE instance = :instance AND kind = :kind AND {_LABEL} {{any skus text}} ORDER BY magento_id
"""
_BINDING = """
SELECT odoo_id, magento_label FROM bindings WHERE instance = :instance AND kind = :kind AND magento_id = :magento_id
"""
#: One row at a time: SQLite would read all figures of the source for a join with what was done.
_DONE = """
UPDATE stock_figures SET exported = {greatest}(exported, :marked), problem = :problem,
    target = coalesce(:target, target),
    seen_at = CASE WHEN CAST(:seen AS text) IS NULL THEN seen_at ELSE {now} END, seen = coalesce(:seen, seen),
    written_at = CASE WHEN CAST(:written AS text) IS NULL THEN written_at ELSE {now} END,
    written = coalesce(:written, written), was_on = CASE WHEN :is_on = 1 THEN true ELSE was_on END
WHERE instance = :instance AND source = :source AND magento_id = :magento_id
"""
_COUNT = """
SELECT source, count(*) FROM stock_figures WHERE instance = :instance AND marked > exported GROUP BY source
"""
_SAFETY_SET = """
INSERT INTO stock_safety (instance, scope, key, quantity, updated_by, updated_at)
VALUES (:instance, :scope, :key, :quantity, :by, {now})
ON CONFLICT (instance, scope, key) DO UPDATE SET quantity = excluded.quantity, updated_by = excluded.updated_by,
    updated_at = excluded.updated_at
"""
_SAFETY_DROP = "DELETE FROM stock_safety WHERE instance = :instance AND scope = :scope AND key = :key"
_SAFETY_LIST = f"SELECT {_SAFETY.columns} FROM stock_safety WHERE instance = :instance ORDER BY scope, key"


class Stock:
    """The stock figures of the ledger, and the safety stocks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def routes(self, instance: str) -> Routes:
        """Return which sources the bridge fills, and from which warehouses."""
        with self._database.read() as session:
            return routes_of(_settings(session, instance), session, instance)

    def mark(
        self, instance: str, magento_ids: Iterable[str | int], *, wake: Wake, by_hand: bool = False
    ) -> list[Wanted]:
        """Mark bound products dirty in every source, and want the exports; one transaction for each page of them.

        Without ``export_stock`` nothing is marked, unless a person asks for it.
        """
        ids = sorted({clean_text(str(one)) for one in magento_ids})
        wanted: list[Wanted] = []
        for start in range(0, len(ids), _PAGE):
            page = ids[start : start + _PAGE]

            def work(session: Session, page: list[str] = page) -> list[Wanted]:
                return mark_in(session, instance, wake=wake, magento_ids=page, by_hand=by_hand)

            wanted += self._database.write(work, on_conflict_again=True)
        return wanted

    def mark_all(self, instance: str, *, wake: Wake, by_hand: bool = False) -> int:
        """Mark every bound product dirty and want the exports; returns how many products.

        In the order of their SKUs, a thousand in a transaction: so they are exported, and Magento is read, in that order.
        """
        self._look_at("bindings")
        label, magento_id, marked = "", "", 0
        while True:
            after = {"label": label, "magento_id": magento_id, "limit": _PAGE}
            with self._database.read() as session:
                page = session.rows(_BOUND, instance=instance, kind=PRODUCT_KIND, **after)
            self.mark(instance, [one for _, one in page], wake=wake, by_hand=by_hand)
            marked += len(page)
            if len(page) < _PAGE:
                break
            label, magento_id = page[-1]
        self._look_at("stock_figures")
        return marked

    def _look_at(self, table: str) -> None:
        """Let PostgreSQL's planner know a table that may just have been filled.

        Until it does by itself, within minutes, it takes the table to be tiny, and reads all bindings for each figure.
        """
        if self._database.is_postgres:
            self._database.command(f"ANALYZE {table}")

    def sweep(self, instance: str, *, wake: Wake) -> int:
        """Want the exports of the sources that have dirty figures; returns of how many: a net, no wake-up is lost."""

        def work(session: Session) -> int:
            sources = [source for source, _ in session.rows(_COUNT, instance=instance)]
            # What is blocked waits for a person; a new change lets it try again, a sweep does not.
            wake_in(session, [wake(source) for source in sorted(sources)], leave=(*_LEFT, "blocked"))
            return len(sources)

        return self._database.write(work, on_conflict_again=True)

    def mark_again(self, instance: str, source: str, magento_ids: Iterable[str]) -> None:
        """Mark figures of one source once more; whoever does so runs for this source and needs no waking."""
        self._database.command(_AGAIN, instance=instance, source=source, ids=sorted(set(magento_ids)))

    def dirty(self, instance: str, source: str, *, limit: int) -> list[StockFigure]:
        """Return figures that are to be exported, those that wait longest first."""
        with self._database.read() as session:
            rows = session.rows(_DIRTY, instance=instance, source=source, limit=limit, most=limit + _PAGE)
        return _FIGURE.read_all(rows)

    def get(self, instance: str, source: str, magento_ids: Iterable[str]) -> dict[str, StockFigure]:
        """Return the figures of products in a source, dirty or not, by Magento's product."""
        with self._database.read() as session:
            rows = session.rows(_GET, instance=instance, source=source, ids=list(magento_ids))
        return {one.magento_id: one for one in _FIGURE.read_all(rows)}

    def products_of(self, instance: str, odoo_ids: Iterable[int]) -> dict[int, list[str]]:
        """Return Magento's products that are bound to each product of Odoo."""
        with self._database.read() as session:
            rows = session.rows(_OTHERS, instance=instance, kind=PRODUCT_KIND, ids=sorted(set(odoo_ids)))
        found: dict[int, list[str]] = {}
        for odoo_id, magento_id in rows:
            found.setdefault(int(odoo_id), []).append(magento_id)
        return found

    def ids_of_skus(self, instance: str, skus: Iterable[str]) -> dict[str, list[str]]:
        """Return Magento's products that are bound under these SKUs, whatever their case."""
        wanted: dict[str, list[str]] = {}
        for sku in skus:
            if sku.strip():
                wanted.setdefault(sku.strip().lower(), []).append(sku)
        with self._database.read() as session:
            rows = session.rows(_BY_SKU, instance=instance, kind=PRODUCT_KIND, skus=sorted(wanted))
        found: dict[str, list[str]] = {}
        for magento_id, label in rows:
            for sku in wanted.get(label.lower(), ()):
                found.setdefault(sku, []).append(magento_id)
        return found

    def unmarked(self, instance: str, source: str, magento_id: str) -> StockFigure:
        """Return a figure that was never marked, to explain what it would be."""
        with self._database.read() as session:
            row = session.row(_BINDING, instance=instance, kind=PRODUCT_KIND, magento_id=magento_id)
            now = moment(session.value("SELECT {clock}"))
        odoo_id, sku = row or (None, None)
        return StockFigure(
            source=source,
            magento_id=magento_id,
            marked=0,
            exported=0,
            marked_at=now,
            problem=None,
            target=None,
            seen=None,
            seen_at=None,
            written=None,
            written_at=None,
            was_on=False,
            odoo_id=odoo_id,
            sku=sku,
        )

    def exported(
        self, instance: str, source: str, done: Sequence[Exported], *, wants: Sequence[Want] = ()
    ) -> None:
        """Note what an export came to; what was marked meanwhile stays dirty. ``wants`` exist from then on."""
        rows = [_as_row(instance, source, one) for one in sorted(done, key=lambda one: one.magento_id)]

        def work(session: Session) -> None:
            session.many(_DONE, rows)
            want_in(session, wants)

        self._database.write(work, on_conflict_again=True)

    def dirty_counts(self, instance: str) -> dict[str, int]:
        """Return how many figures of each source are to be exported."""
        with self._database.read() as session:
            return dict(session.rows(_COUNT, instance=instance))

    def set_safety(self, instance: str, scope: SafetyScope, key: str, quantity: Decimal, *, by: str) -> None:
        """Give a source, a category or a product a safety stock of its own."""
        self._database.command(
            _SAFETY_SET, instance=instance, scope=scope, key=key, quantity=f"{quantity:f}", by=by
        )

    def unset_safety(self, instance: str, scope: SafetyScope, key: str) -> bool:
        """Take a safety stock back; returns whether there was one."""
        return self._database.command(_SAFETY_DROP, instance=instance, scope=scope, key=key) > 0

    def safety(self, instance: str) -> list[SafetyStock]:
        """Return the safety stocks that are not the instance's."""
        with self._database.read() as session:
            rows = session.rows(_SAFETY_LIST, instance=instance)
        return _SAFETY.read_all(rows)


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
    settings = _settings(session, instance) if ids else {}
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


def wake_in(session: Session, wants: Sequence[Want], *, leave: Sequence[str] = _LEFT) -> list[Wanted]:
    """Want exports, unless a job for the same waits to run already: it will find the marks, and is not put off."""
    if not wants:
        return []
    keys = [key_of(want) for want in wants]
    waiting = {key for (key,) in session.rows(_WAITING, keys=keys, states=list(leave))}
    return want_in(session, [want for key, want in zip(keys, wants, strict=True) if key not in waiting])


def _as_row(instance: str, source: str, one: Exported) -> dict[str, Any]:
    values = {"target": one.target, "seen": one.seen, "written": one.written}
    texts = {name: None if value is None else f"{value:f}" for name, value in values.items()}
    return {
        "instance": instance,
        "source": source,
        "magento_id": one.magento_id,
        "marked": one.marked,
        "is_on": int(one.is_on),
        "problem": one.problem,
        **texts,
    }


def _settings(session: Session, instance: str) -> Mapping[str, Any]:
    return from_json(session.value(_SETTINGS, instance=instance) or "{}")
