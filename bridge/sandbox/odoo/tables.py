"""The rows of the simulated database: tables with indexes, and transactions that commit whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Row = dict[str, Any]

#: Fields by which rows are looked up; texts are indexed without regard to case.
INDEXED: dict[str, tuple[str, ...]] = {
    "ir.model.data": ("name", "res_id"),
    "mail.activity": ("res_id",),
    "mail.message": ("res_id",),
    "product.attribute.value": ("attribute_id",),
    "product.product": ("barcode", "default_code", "product_tmpl_id"),
    "product.template.attribute.line": ("product_tmpl_id",),
    "product.template.attribute.value": ("attribute_line_id", "product_tmpl_id"),
    "res.country": ("code",),
    "res.country.state": ("country_id", "code"),
    "res.partner": ("email", "parent_id"),
    "sale.order": ("client_order_ref", "name"),
    "sale.order.line": ("order_id",),
    "stock.move": ("picking_id", "product_id", "sale_line_id"),
    "stock.picking": ("sale_id",),
    "stock.quant": ("product_id",),
}


def fold(value: Any) -> Any:
    """Return the form of a value under which an index keeps it."""
    return value.casefold() if isinstance(value, str) else value


class Table:
    """The rows of one model by id."""

    def __init__(self, name: str, journal: list[Callable[[], None]]) -> None:
        self.name = name
        self.rows: dict[int, Row] = {}
        self._journal = journal
        self._next_id = 1
        self._indexes: dict[str, dict[Any, set[int]]] = {field: {} for field in INDEXED.get(name, ())}

    def next_id(self) -> int:
        """Take the next id. Like a sequence of PostgreSQL it is not given back by a rollback."""
        taken, self._next_id = self._next_id, self._next_id + 1
        return taken

    def insert(self, row: Row) -> int:
        """Store a new row, under its ``id`` if it has one, and return its id."""
        record_id: int = row.get("id") or self.next_id()
        self._next_id = max(self._next_id, record_id + 1)
        self._put({**row, "id": record_id})
        self._journal.append(lambda: self._drop(record_id))
        return record_id

    def fill(self, rows: Iterable[Row]) -> list[int]:
        """Store many new rows for good, whatever becomes of the transaction, and return their ids."""
        ids: list[int] = []
        for row in rows:
            ids.append(self.next_id())
            self._put({**row, "id": ids[-1]})
        return ids

    def update(self, record_id: int, changes: Row) -> None:
        """Change some fields of a row."""
        old = self.rows[record_id]
        self._drop(record_id)
        self._put({**old, **changes})

        def undo() -> None:
            self._drop(record_id)
            self._put(old)

        self._journal.append(undo)

    def delete(self, record_id: int) -> None:
        """Remove a row."""
        old = self.rows[record_id]
        self._drop(record_id)
        self._journal.append(lambda: self._put(old))

    def has_index(self, field: str) -> bool:
        """Return whether rows can be looked up by ``field``."""
        return field in self._indexes

    def lookup(self, field: str, values: Iterable[Any]) -> set[int]:
        """Return the ids of the rows whose indexed ``field`` is one of ``values``, case aside."""
        index = self._indexes[field]
        found: set[int] = set()
        for value in values:
            found |= index.get(fold(value), set())
        return found

    def _put(self, row: Row) -> None:
        self.rows[row["id"]] = row
        for field, index in self._indexes.items():
            index.setdefault(fold(row.get(field)), set()).add(row["id"])

    def _drop(self, record_id: int) -> None:
        row = self.rows.pop(record_id)
        for field, index in self._indexes.items():
            key = fold(row.get(field))
            index[key].discard(record_id)
            if not index[key]:
                del index[key]


class Database:
    """All tables, behind one lock."""

    def __init__(self, models: Iterable[str]) -> None:
        self.lock = threading.RLock()
        self._journal: list[Callable[[], None]] = []
        self.tables = {name: Table(name, self._journal) for name in models}

    def add(self, models: Iterable[str]) -> None:
        """Add tables for more models."""
        self.tables |= {name: Table(name, self._journal) for name in models if name not in self.tables}

    def table(self, model: str) -> Table:
        """Return the rows of ``model``."""
        return self.tables[model]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block alone; an exception undoes all it did."""
        with self.lock, self._undone_on_error(0):
            yield
            self._journal.clear()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Inside a transaction: an exception undoes what the block did, and no more."""
        with self._undone_on_error(len(self._journal)):
            yield

    @contextmanager
    def _undone_on_error(self, mark: int) -> Iterator[None]:
        try:
            yield
        except BaseException:
            while len(self._journal) > mark:
                self._journal.pop()()
            raise
