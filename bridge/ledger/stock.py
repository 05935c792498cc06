"""Stock figures: what is to be exported, what was, and what Magento had.

A figure is dirty while it was marked more often than it was exported, as a job runs again while it was wanted more often
than it was claimed: a mark that is set while the figure is being read is not lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from bridge.ledger.database import Database, Session
from bridge.ledger.dialects import clean_text
from bridge.ledger.records import Want, Wanted
from bridge.ledger.shapes import Shape, moment
from bridge.ledger.stock_marks import LEFT, PRODUCT_KIND, Wake, mark_in, routes_of, settings_in, wake_in
from bridge.ledger.stock_records import Exported, SafetyScope, SafetyStock, StockFigure
from bridge.ledger.wants import want_in
from bridge.stock_routes import Routes

_PAGE = 1000
_FIGURE = Shape(StockFigure, magento_id="f.magento_id", odoo_id="b.odoo_id", sku="b.magento_label")
_SAFETY = Shape(SafetyStock)

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
            return routes_of(settings_in(session, instance), session, instance)

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
            wake_in(session, [wake(source) for source in sorted(sources)], leave=(*LEFT, "blocked"))
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
