"""Drift: what a check of Magento's stock found, line by line, and its figures for each source.

Lines that are ok are only counted. Lines are kept for some days, the figures of each check for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from bridge.ledger.database import Database, Session
from bridge.ledger.dialects import clean_text, json_rows
from bridge.ledger.drift_records import DriftCounts, DriftLine, DriftSummary, SeenDrift
from bridge.ledger.records import Lengths, RunId
from bridge.ledger.shapes import Shape, moment, to_json
from bridge.ledger.stock_marks import PRODUCT_KIND
from bridge.ledger.stock_records import StockFigure

#: Where a page of bound products begins: the SKU as the ledger sorts it, and Magento's product.
Place = tuple[str, str]
_START: Place = ("", "")


_LINE = Shape(DriftLine)
_SUMMARY = Shape(DriftSummary)
_FIGURE = Shape(
    StockFigure,
    source="CAST(:source AS text)",
    magento_id="b.magento_id",
    marked="coalesce(f.marked, 0)",
    exported="coalesce(f.exported, 0)",
    marked_at="coalesce(f.marked_at, b.updated_at)",
    was_on="coalesce(f.was_on, false)",
    odoo_id="b.odoo_id",
    sku="b.magento_label",
)
_LABEL = "lower(coalesce(b.magento_label, ''))"
_BOUND_FROM = f"""
SELECT {_LABEL}, {_FIGURE.columns}
FROM bindings b LEFT JOIN stock_figures f
    ON f.instance = b.instance AND f.source = :source AND f.magento_id = b.magento_id
WHERE b.instance = :instance AND b.kind = :kind
"""
_BOUND = f"""
{_BOUND_FROM} AND ({_LABEL}, b.magento_id) > (:label, :magento_id) ORDER BY {_LABEL}, b.magento_id LIMIT :limit
"""
_FIGURES = f"{_BOUND_FROM} AND b.magento_id {{any ids text}} ORDER BY {_LABEL}, b.magento_id"
_KNOWN_SKUS = f"""
SELECT b.magento_label FROM bindings b
WHERE b.instance = :instance AND b.kind = :kind AND {_LABEL} {{any skus text}}
"""
_SHIPPED = """
SELECT product_id, updated_at, shipped, shipped_before FROM stock_lines
WHERE instance = :instance AND product_id {any ids text}
"""
_SAFETY_CHANGED = """
SELECT scope, key, updated_at FROM stock_safety WHERE instance = :instance
UNION ALL SELECT 'instance', '', updated_at FROM instances WHERE name = :instance
"""
_FORGET = "DELETE FROM drift_lines WHERE run_id = :run_id AND source = :source AND magento_id {any ids text}"
_NOTE = """
INSERT INTO drift_lines (run_id, source, sku, magento_id, severity, target, found, difference, details, checked_at)
SELECT :run_id, :source, l.sku, l.magento_id, l.severity, l.target, l.found, l.difference, l.details, {now}
FROM {rows lines l(sku text, magento_id text, severity text, target text, found text, difference text, details text)}
WHERE true
ON CONFLICT (run_id, source, sku, magento_id) DO UPDATE SET severity = excluded.severity, target = excluded.target,
    found = excluded.found, difference = excluded.difference, details = excluded.details,
    checked_at = excluded.checked_at
"""
_COUNTS = ("checked", "ok", "warning", "critical", "not_found", "not_in_odoo", "skipped")
#: Absolute: a page that is done twice counts once.
_SUM = f"""
INSERT INTO drift_summaries (run_id, source, instance, {", ".join(_COUNTS)}, too_many, too_few, started_at)
VALUES (:run_id, :source, :instance, {", ".join(f":{name}" for name in _COUNTS)}, :too_many, :too_few, {{now}})
ON CONFLICT (run_id, source) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COUNTS)},
    too_many = excluded.too_many, too_few = excluded.too_few
"""
_END = "UPDATE drift_summaries SET ended_at = {now} WHERE run_id = :run_id AND ended_at IS NULL"
_LATEST = """
SELECT max(run_id) FROM drift_summaries WHERE instance = :instance AND ended_at IS NOT NULL
"""
_SUMMARIES = f"SELECT {_SUMMARY.columns} FROM drift_summaries"
_OF_RUN = f"{_SUMMARIES} WHERE instance = :instance AND run_id = :run_id ORDER BY source"
_HISTORY = f"""
{_SUMMARIES} WHERE instance = :instance AND ended_at IS NOT NULL ORDER BY run_id DESC, source LIMIT :limit
"""
_LINES = f"""
SELECT {_LINE.columns} FROM drift_lines
WHERE run_id = :run_id AND (CAST(:sku AS text) IS NULL OR lower(sku) = lower(:sku)) AND severity {{any severities text}}
    AND (source, sku, magento_id) > (:source, :after_sku, :magento_id)
ORDER BY source, sku, magento_id LIMIT :limit
"""
#: The newest check of each instance keeps its lines, however old it is; of an instance that was removed none has.
_OLD = """
DELETE FROM drift_lines WHERE run_id NOT IN (SELECT run_id FROM drift_summaries) OR run_id IN (
    SELECT s.run_id FROM drift_summaries s
    WHERE {age:s.started_at} > :seconds AND s.run_id < (
        SELECT max(n.run_id) FROM drift_summaries n WHERE n.instance = s.instance AND n.ended_at IS NOT NULL))
"""
_DAY = 86_400.0


class Drift:
    """The checks of Magento's stock in the ledger."""

    def __init__(self, database: Database, *, lengths: Lengths) -> None:
        self._database = database
        self._lengths = lengths

    def bound(
        self, instance: str, source: str, *, after: Place | None, limit: int
    ) -> tuple[list[StockFigure], Place | None]:
        """Return bound products by SKU with what is known of them in a source, and where the next page begins."""
        label, magento_id = after or _START
        with self._database.read() as session:
            rows = session.rows(
                _BOUND,
                instance=instance,
                source=source,
                kind=PRODUCT_KIND,
                label=label,
                magento_id=magento_id,
                limit=limit,
            )
        figures = _FIGURE.read_all(row[1:] for row in rows)
        onward = (str(rows[-1][0]), figures[-1].magento_id) if len(rows) == limit else None
        return figures, onward

    def figures(self, instance: str, source: str, magento_ids: Iterable[str]) -> dict[str, StockFigure]:
        """Return bound products with what is known of them in a source now, whether they were ever marked or not."""
        with self._database.read() as session:
            rows = session.rows(
                _FIGURES, instance=instance, source=source, kind=PRODUCT_KIND, ids=sorted(set(magento_ids))
            )
        return {one.magento_id: one for one in _FIGURE.read_all(row[1:] for row in rows)}

    def bound_skus(self, instance: str, skus: Iterable[str]) -> set[str]:
        """Return those of the SKUs under which a product is bound, in any case, casefolded."""
        wanted = sorted({form for sku in skus for form in _lowered(sku)})
        with self._database.read() as session:
            rows = session.rows(_KNOWN_SKUS, instance=instance, kind=PRODUCT_KIND, skus=wanted)
        return {str(label).casefold() for (label,) in rows if label}

    def shipped(self, instance: str, magento_ids: Iterable[str]) -> dict[str, list[tuple[datetime, Decimal]]]:
        """Return for each product when its order lines were last read anew, and the units that were shipped of them."""
        with self._database.read() as session:
            rows = session.rows(_SHIPPED, instance=instance, ids=sorted(set(magento_ids)))
        found: dict[str, list[tuple[datetime, Decimal]]] = {}
        for product_id, updated_at, shipped, before in rows:
            units = max(Decimal(0), Decimal(shipped) - Decimal(before))
            found.setdefault(product_id, []).append((moment(updated_at), units))
        return found

    def safety_changes(self, instance: str) -> dict[tuple[str, str], datetime]:
        """Return when each safety stock was last set; the instance's own with its other settings."""
        with self._database.read() as session:
            rows = session.rows(_SAFETY_CHANGED, instance=instance)
        return {(scope, key): moment(at) for scope, key, at in rows}

    def note(
        self,
        instance: str,
        run_id: RunId,
        source: str,
        lines: Sequence[SeenDrift],
        *,
        counts: DriftCounts,
        looked_at: Iterable[str] = (),
    ) -> None:
        """Keep what a page found, and the figures of its source so far; ``looked_at`` are all products of the page."""
        rows = [
            {
                "sku": line.sku,
                "magento_id": line.magento_id,
                "severity": line.severity,
                "target": None if line.target is None else f"{line.target:f}",
                "found": None if line.found is None else f"{line.found:f}",
                "difference": f"{line.difference:f}",
                "details": to_json(line.details),
            }
            for line in lines
        ]
        given = {
            name: f"{value:f}" if isinstance(value, Decimal) else value
            for name, value in asdict(counts).items()
        }
        ids = sorted(set(looked_at))

        def work(session: Session) -> None:
            if ids:
                session.run(_FORGET, run_id=run_id, source=source, ids=ids)
            if rows:
                session.run(_NOTE, run_id=run_id, source=source, lines=json_rows(rows))
            session.run(_SUM, instance=instance, run_id=run_id, source=source, **given)

        self._database.write(work, on_conflict_again=True)

    def end(self, run_id: RunId) -> None:
        """Note that a check has looked at everything."""
        self._database.command(_END, run_id=run_id)

    def latest(self, instance: str) -> RunId | None:
        """Return the newest check that has looked at everything, or None."""
        with self._database.read() as session:
            found = session.value(_LATEST, instance=instance)
        return None if found is None else RunId(int(found))

    def summaries(self, instance: str, run_id: RunId) -> list[DriftSummary]:
        """Return the figures of a check, a source each."""
        with self._database.read() as session:
            return _SUMMARY.read_all(session.rows(_OF_RUN, instance=instance, run_id=run_id))

    def history(self, instance: str, *, limit: int = 500) -> list[DriftSummary]:
        """Return the figures of all checks that have ended, newest first."""
        with self._database.read() as session:
            return _SUMMARY.read_all(session.rows(_HISTORY, instance=instance, limit=limit))

    def lines(
        self,
        run_id: RunId,
        *,
        severities: Sequence[str],
        sku: str | None = None,
        after: DriftLine | None = None,
        limit: int = 500,
    ) -> list[DriftLine]:
        """Return lines of a check by source and SKU; ``after`` is the last one of the page before."""
        with self._database.read() as session:
            rows = session.rows(
                _LINES,
                run_id=run_id,
                sku=sku,
                severities=list(severities),
                source="" if after is None else after.source,
                after_sku="" if after is None else after.sku,
                magento_id="" if after is None else after.magento_id,
                limit=limit,
            )
        return _LINE.read_all(rows)

    def upkeep(self) -> int:
        """Delete lines of old checks; returns how many."""
        return self._database.command(_OLD, seconds=self._lengths.drift_days * _DAY)


def _lowered(sku: str) -> set[str]:
    """Return a SKU as the databases lower it: SQLite knows the case of ASCII only."""
    ascii_only = "".join(one.lower() if one.isascii() else one for one in sku)
    return {clean_text(sku.lower()), clean_text(ascii_only)}
