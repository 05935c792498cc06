"""Kits and their parts, as Odoo last told of them: who marks a part marks its kits, without asking Odoo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from bridge.ledger.database import Database, Session
from bridge.ledger.dialects import json_rows
from bridge.ledger.stock_marks import Wake, mark_in

#: Units of each part in one kit, by the product of each kit.
Parts = Mapping[int, Mapping[int, Decimal]]

_ALL = "SELECT kit_id, part_id, quantity FROM stock_parts WHERE instance = :instance"
_OF = f"{_ALL} AND kit_id {{any ids bigint}}"
_WITH = f"""
{_ALL} AND kit_id IN (SELECT kit_id FROM stock_parts WHERE instance = :instance AND part_id {{any ids bigint}})
"""
_PUT = """
INSERT INTO stock_parts (instance, kit_id, part_id, quantity)
SELECT :instance, p.kit_id, p.part_id, p.quantity FROM {rows parts p(kit_id bigint, part_id bigint, quantity text)}
WHERE true
ORDER BY p.kit_id, p.part_id
ON CONFLICT (instance, kit_id, part_id) DO UPDATE SET quantity = excluded.quantity
"""
_DROP = "DELETE FROM stock_parts WHERE instance = :instance AND kit_id {any ids bigint}"


class Kits:
    """The kits of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, instance: str, product_ids: Iterable[int]) -> dict[int, dict[int, Decimal]]:
        """Return those of these products of Odoo that are kits, with the units of each part in one."""
        return self._read(_OF, instance, product_ids)

    def with_parts(self, instance: str, product_ids: Iterable[int]) -> dict[int, dict[int, Decimal]]:
        """Return the kits that have one of these products as a part, with all of their parts."""
        return self._read(_WITH, instance, product_ids)

    def put(self, instance: str, kits: Parts, *, wake: Wake) -> int:
        """Keep all kits as they were just read, and mark those that changed; returns how many did."""

        def work(session: Session) -> int:
            known = _gather(session.rows(_ALL, instance=instance))
            changed = [one for one in kits.keys() | known.keys() if kits.get(one) != known.get(one)]
            if not changed:
                return 0
            session.run(_DROP, instance=instance, ids=sorted(changed))
            rows = [
                {"kit_id": kit_id, "part_id": part_id, "quantity": f"{quantity:f}"}
                for kit_id in changed
                for part_id, quantity in kits.get(kit_id, {}).items()
            ]
            session.run(_PUT, instance=instance, parts=json_rows(rows))
            mark_in(session, instance, wake=wake, odoo_ids=changed)
            return len(changed)

        return self._database.write(work, on_conflict_again=True)

    def _read(self, sql: str, instance: str, product_ids: Iterable[int]) -> dict[int, dict[int, Decimal]]:
        ids = sorted(set(product_ids))
        if not ids:
            return {}
        with self._database.read() as session:
            return _gather(session.rows(sql, instance=instance, ids=ids))


def _gather(rows: Iterable[tuple[int, int, str]]) -> dict[int, dict[int, Decimal]]:
    found: dict[int, dict[int, Decimal]] = {}
    for kit_id, part_id, quantity in rows:
        found.setdefault(int(kit_id), {})[int(part_id)] = Decimal(quantity)
    return found
