"""The lines of every Magento order, imported or not: what they hold back cannot be read over REST (RULES 3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from bridge.ledger.database import Database, Session
from bridge.ledger.dialects import json_rows
from bridge.ledger.shapes import Shape
from bridge.ledger.stock_marks import Wake, mark_in
from bridge.ledger.stock_records import StockLine

_LINE = Shape(StockLine)
_QUANTITIES = ("ordered", "canceled", "shipped", "refunded", "open", "shipped_before")

_OF_ORDER = f"""
SELECT {_LINE.columns} FROM stock_lines WHERE instance = :instance AND order_id = :order_id ORDER BY item_id
"""
#: An older reading of the order than the one that is known changes nothing.
_PUT = """
INSERT INTO stock_lines (instance, order_id, item_id, order_label, store_id, product_id, sku, ordered, canceled,
    shipped, refunded, open, shipped_before, shipped_from, version, is_settled, updated_at)
SELECT :instance, l.order_id, l.item_id, l.order_label, l.store_id, l.product_id, l.sku, l.ordered, l.canceled,
    l.shipped, l.refunded, l.open, l.shipped_before, l.shipped_from, l.version, l.is_settled = 1, {now}
FROM {rows lines l(order_id bigint, item_id bigint, order_label text, store_id bigint, product_id text, sku text,
    ordered text, canceled text, shipped text, refunded text, open text, shipped_before text, shipped_from text,
    version text, is_settled bigint)}
WHERE true
ORDER BY l.order_id, l.item_id
ON CONFLICT (instance, order_id, item_id) DO UPDATE SET product_id = excluded.product_id, sku = excluded.sku,
    ordered = excluded.ordered, canceled = excluded.canceled, shipped = excluded.shipped,
    refunded = excluded.refunded, open = excluded.open, shipped_before = excluded.shipped_before,
    shipped_from = coalesce(excluded.shipped_from, stock_lines.shipped_from), version = excluded.version,
    is_settled = excluded.is_settled, updated_at = excluded.updated_at
WHERE excluded.version >= stock_lines.version
"""
_OPEN = f"""
SELECT {_LINE.columns} FROM stock_lines
WHERE instance = :instance AND product_id {{any ids text}} AND NOT is_settled ORDER BY order_id, item_id
"""
_SETTLE = """
UPDATE stock_lines SET is_settled = true
WHERE instance = :instance AND order_id = :order_id AND item_id = :item_id AND version = :version
"""


class StockLines:
    """The order lines of the ledger that hold stock back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_order(self, instance: str, order_id: int) -> dict[int, StockLine]:
        """Return the lines of an order by their ids, as they were last read."""
        with self._database.read() as session:
            rows = session.rows(_OF_ORDER, instance=instance, order_id=order_id)
        return {line.item_id: line for line in _LINE.read_all(rows)}

    def put(self, instance: str, lines: Sequence[StockLine], *, marks: Iterable[str], wake: Wake) -> None:
        """Keep lines as they were just read, mark the products whose figures they change, and want the exports."""
        rows, products = json_rows(_columns(line) for line in lines), list(marks)
        if not products:
            self._database.command(_PUT, instance=instance, lines=rows)
            return

        def work(session: Session) -> None:
            session.run(_PUT, instance=instance, lines=rows)
            mark_in(session, instance, wake=wake, magento_ids=products, by_order=True)

        self._database.write(work, on_conflict_again=True)

    def open(self, instance: str, product_ids: Iterable[str]) -> list[StockLine]:
        """Return the lines of products that still count, oldest order first."""
        with self._database.read() as session:
            return _LINE.read_all(session.rows(_OPEN, instance=instance, ids=sorted(set(product_ids))))

    def settle(self, instance: str, lines: Sequence[StockLine]) -> None:
        """Note of lines that they count nothing any more, unless they were read anew meanwhile."""
        rows = [
            {
                "instance": instance,
                "order_id": line.order_id,
                "item_id": line.item_id,
                "version": line.version,
            }
            for line in lines
        ]
        if rows:
            self._database.write(lambda session: session.many(_SETTLE, rows))


def _columns(line: StockLine) -> dict[str, Any]:
    texts = {name: f"{getattr(line, name):f}" for name in _QUANTITIES}
    return asdict(line) | texts | {"is_settled": int(line.is_settled)}
