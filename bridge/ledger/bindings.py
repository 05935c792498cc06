"""Bindings: this Magento record is that Odoo record, for good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bridge.ledger.database import Database, Session
from bridge.ledger.dialects import clean_text, json_rows
from bridge.ledger.facts import Binding
from bridge.ledger.shapes import Shape, to_json

_BINDING = Shape(Binding)

_GET_MANY = f"""
SELECT {_BINDING.columns} FROM bindings WHERE instance = :instance AND kind = :kind
    AND magento_id {{any ids text}}
"""
_GET = f"""
SELECT {_BINDING.columns} FROM bindings
WHERE instance = :instance AND kind = :kind AND magento_id = :magento_id
"""
_BY_ODOO_MANY = f"""
SELECT {_BINDING.columns} FROM bindings WHERE instance = :instance AND kind = :kind
    AND odoo_id {{any ids bigint}} ORDER BY id
"""
_BY_ODOO = f"""
SELECT {_BINDING.columns} FROM bindings
WHERE instance = :instance AND kind = :kind AND odoo_id = :odoo_id ORDER BY id
"""
#: What is not given stays as it was: a label or a fingerprint is not lost by binding again.
_BIND = f"""
INSERT INTO bindings (instance, kind, magento_id, magento_label, odoo_model, odoo_id, odoo_label, fingerprint,
    order_items_json, created_at, updated_at)
VALUES (:instance, :kind, :magento_id, :magento_label, :odoo_model, :odoo_id, :odoo_label, :fingerprint, :items,
    {{now}}, {{now}})
ON CONFLICT (instance, kind, magento_id) DO UPDATE SET
    magento_label = coalesce(excluded.magento_label, bindings.magento_label), odoo_model = excluded.odoo_model,
    odoo_id = excluded.odoo_id, odoo_label = coalesce(excluded.odoo_label, bindings.odoo_label),
    fingerprint = coalesce(excluded.fingerprint, bindings.fingerprint),
    order_items_json = coalesce(excluded.order_items_json, bindings.order_items_json), updated_at = {{now}}
RETURNING {_BINDING.columns}
"""
#: The same for many, in one statement; sorted, so that two batches lock the same rows in the same order.
_BIND_MANY = """
INSERT INTO bindings (instance, kind, magento_id, magento_label, odoo_model, odoo_id, odoo_label, fingerprint,
    created_at, updated_at)
SELECT :instance, :kind, p.magento_id, p.magento_label, p.odoo_model, p.odoo_id, p.odoo_label, p.fingerprint,
    {now}, {now}
FROM {rows pairs p(magento_id text, magento_label text, odoo_model text, odoo_id bigint, odoo_label text,
    fingerprint text)}
WHERE true
ORDER BY p.magento_id
ON CONFLICT (instance, kind, magento_id) DO UPDATE SET
    magento_label = coalesce(excluded.magento_label, bindings.magento_label), odoo_model = excluded.odoo_model,
    odoo_id = excluded.odoo_id, odoo_label = coalesce(excluded.odoo_label, bindings.odoo_label),
    fingerprint = coalesce(excluded.fingerprint, bindings.fingerprint), updated_at = {now}
"""
#: Writes nothing new where there is one, and answers it: whoever comes first is bound.
_BIND_FIRST = f"""
INSERT INTO bindings (instance, kind, magento_id, magento_label, odoo_model, odoo_id, created_at, updated_at)
VALUES (:instance, :kind, :magento_id, :magento_label, :odoo_model, :odoo_id, {{now}}, {{now}})
ON CONFLICT (instance, kind, magento_id) DO UPDATE SET magento_id = excluded.magento_id
RETURNING {_BINDING.columns}
"""
#: Ids are text, of as many digits as the number has: so they compare as numbers do, on every database.
_BETWEEN = f"""
SELECT {_BINDING.columns} FROM bindings WHERE instance = :instance AND kind = :kind
    AND (length(magento_id), magento_id) > (:after_length, :after)
    AND (length(magento_id), magento_id) <= (:up_to_length, :up_to)
ORDER BY length(magento_id), magento_id LIMIT :limit
"""
#: Longer than any id.
_ENDLESS = "9" * 20
#: Bindings that are read at once.
_PAGE = 1000
_DROP = "DELETE FROM bindings WHERE instance = :instance AND kind = :kind AND magento_id = :magento_id"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A Magento record and the Odoo record that it is; what is None stays as it was."""

    magento_id: str
    odoo_model: str
    odoo_id: int
    magento_label: str | None = None
    odoo_label: str | None = None
    fingerprint: str | None = None


class Bindings:
    """The bindings of the ledger. Magento ids are text: an entity id, a SKU, an email's digest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, instance: str, kind: str, magento_id: str | int) -> Binding | None:
        """Return what a Magento record is bound to, or None."""
        with self._database.read() as session:
            row = session.row(_GET, instance=instance, kind=kind, magento_id=str(magento_id))
        return _BINDING.read(row) if row else None

    def get_many(self, instance: str, kind: str, ids: Iterable[str | int]) -> dict[str, Binding]:
        """Return the bindings of several Magento records by their ids, in one statement."""
        wanted = [clean_text(str(one)) for one in ids]
        with self._database.read() as session:
            rows = session.rows(_GET_MANY, instance=instance, kind=kind, ids=wanted)
        return {binding.magento_id: binding for binding in _BINDING.read_all(rows)}

    def between(self, instance: str, kind: str, *, after: int, up_to: int | None) -> Iterator[Binding]:
        """Yield the bindings of Magento's ids behind ``after``, up to and with ``up_to``; None: all behind it.

        A page at a time: a shop that has lost its products would else fill the memory with what is bound.
        """
        low, high = str(after), _ENDLESS if up_to is None else str(up_to)
        while True:
            limits = {"after": low, "after_length": len(low), "up_to": high, "up_to_length": len(high)}
            with self._database.read() as session:
                rows = session.rows(_BETWEEN, instance=instance, kind=kind, limit=_PAGE, **limits)
            page = _BINDING.read_all(rows)
            yield from page
            if len(page) < _PAGE:
                return
            low = page[-1].magento_id

    def by_odoo(self, instance: str, kind: str, odoo_id: int) -> list[Binding]:
        """Return the bindings of an Odoo record: one, except where several Magento records share it."""
        with self._database.read() as session:
            return _BINDING.read_all(session.rows(_BY_ODOO, instance=instance, kind=kind, odoo_id=odoo_id))

    def by_odoo_many(self, instance: str, kind: str, odoo_ids: Iterable[int]) -> list[Binding]:
        """Return the bindings of several Odoo records, oldest first, in one statement."""
        wanted = sorted(set(odoo_ids))
        if not wanted:
            return []
        with self._database.read() as session:
            rows = session.rows(_BY_ODOO_MANY, instance=instance, kind=kind, ids=wanted)
        return _BINDING.read_all(rows)

    def bind(
        self,
        instance: str,
        kind: str,
        *,
        magento_id: str | int,
        odoo_model: str,
        odoo_id: int,
        magento_label: str | None = None,
        odoo_label: str | None = None,
        fingerprint: str | None = None,
        items: Mapping[str, Any] | None = None,
    ) -> Binding:
        """Bind a Magento record to an Odoo record, or bind it anew; what is None stays as it was."""
        rows = self._database.single(
            _BIND,
            instance=instance,
            kind=kind,
            magento_id=str(magento_id),
            magento_label=magento_label,
            odoo_model=odoo_model,
            odoo_id=odoo_id,
            odoo_label=odoo_label,
            fingerprint=fingerprint,
            items=to_json(items),
        )
        return _BINDING.read(rows[0])

    def bind_many(self, instance: str, kind: str, pairs: Iterable[Pair]) -> None:
        """Bind many Magento records in one transaction, each as ``bind`` would; of two pairs for one the last."""
        rows = {pair.magento_id: asdict(pair) for pair in pairs}
        if rows:
            self._database.command(_BIND_MANY, instance=instance, kind=kind, pairs=json_rows(rows.values()))

    def bind_first(
        self,
        instance: str,
        kind: str,
        *,
        magento_id: str | int,
        odoo_model: str,
        odoo_id: int,
        magento_label: str | None = None,
    ) -> Binding:
        """Bind a Magento record unless it is bound; return the binding that stands, of two at once the first."""
        rows = self._database.single(
            _BIND_FIRST,
            instance=instance,
            kind=kind,
            magento_id=str(magento_id),
            magento_label=magento_label,
            odoo_model=odoo_model,
            odoo_id=odoo_id,
        )
        return _BINDING.read(rows[0])

    def list(
        self,
        instance: str,
        *,
        kind: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Binding]:
        """Return bindings by kind and Magento id; ``after`` is the last Magento id of the page before, with ``kind``."""
        where, params = ["instance = :instance"], {"instance": instance, "limit": limit}  # type: tuple[list[str], dict[str, Any]]
        if kind is not None:
            where.append("kind = :kind")
            params["kind"] = kind
        if after is not None:
            where.append("magento_id > :after")
            params["after"] = after
        sql = f"SELECT {_BINDING.columns} FROM bindings WHERE {' AND '.join(where)} ORDER BY kind, magento_id LIMIT :limit"
        with self._database.read() as session:
            return _BINDING.read_all(session.rows(sql, **params))

    def drop(self, instance: str, kind: str, magento_id: str | int) -> bool:
        """Forget a binding; returns whether there was one."""

        def work(session: Session) -> int:
            return session.run(_DROP, instance=instance, kind=kind, magento_id=str(magento_id))

        return self._database.write(work) > 0
