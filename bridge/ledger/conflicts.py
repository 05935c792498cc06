"""Conflicts: edits on the side that is not the master of a field. Shown, never lost, until a person decides.

An edit *stands* while the other system still holds it. When the master changes the field, the edit is overwritten there:
from then on this row is the only place that has it. An edit that its author takes back, or that the master takes over,
is *gone*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bridge.errors import System
from bridge.ledger.database import Database, Session
from bridge.ledger.shapes import Shape

ConflictState = Literal["open", "resolved", "gone"]


@dataclass(frozen=True, kw_only=True)
class SeenEdit:
    """An edit on the side that is not the master, as a flow came upon it."""

    magento_id: str
    field: str
    master: System
    magento_value: str
    odoo_value: str
    label: str | None = None
    #: Whether the master's value is taking the place of the edit right now.
    is_overwritten: bool = False


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A conflict in the ledger."""

    id: int
    instance: str
    #: Kind of the binding of the record.
    kind: str
    magento_id: str
    label: str | None
    field: str
    master: System
    magento_value: str
    odoo_value: str
    state: ConflictState
    #: Whose value a person chose.
    used: System | None
    first_seen_at: datetime
    last_seen_at: datetime
    #: When the master's value took the place of the edit; None while the edit stands.
    overwritten_at: datetime | None
    ended_at: datetime | None

    @property
    def edited(self) -> System:
        """The side that the edit was made on."""
        return "odoo" if self.master == "magento" else "magento"


_CONFLICT = Shape(Conflict)
_STANDING = "state = 'open' AND overwritten_at IS NULL"
_ONE = "instance = :instance AND kind = :kind AND magento_id = :magento_id AND field = :field"
_SEE = f"""
INSERT INTO conflicts (instance, kind, magento_id, label, field, master, magento_value, odoo_value, state,
    first_seen_at, last_seen_at)
VALUES (:instance, :kind, :magento_id, :label, :field, :master, :magento_value, :odoo_value, 'open', {{now}}, {{now}})
ON CONFLICT (instance, kind, magento_id, field) WHERE {_STANDING} DO UPDATE SET
    label = coalesce(excluded.label, conflicts.label), master = excluded.master,
    magento_value = excluded.magento_value, odoo_value = excluded.odoo_value, last_seen_at = {{now}}
"""
#: The same edit is kept once, however often the write that takes its place is tried.
_KEPT = f"""
SELECT 1 FROM conflicts WHERE {_ONE} AND state = 'open' AND overwritten_at IS NOT NULL
    AND CASE WHEN master = 'magento' THEN odoo_value = :odoo_value ELSE magento_value = :magento_value END
"""
_OVERWRITE = (
    f"UPDATE conflicts SET overwritten_at = {{now}}, last_seen_at = {{now}} WHERE {_ONE} AND {_STANDING}"
)
_FIELDS = f"""
SELECT field, master FROM conflicts
WHERE instance = :instance AND kind = :kind AND magento_id = :magento_id AND {_STANDING}
"""
_STANDING_IDS = f"""
SELECT DISTINCT magento_id FROM conflicts
WHERE instance = :instance AND kind = :kind AND {_STANDING} AND magento_id {{any ids text}}
"""
_GONE = f"UPDATE conflicts SET state = 'gone', ended_at = {{now}} WHERE {_ONE} AND {_STANDING}"
_GET = f"SELECT {_CONFLICT.columns} FROM conflicts WHERE id = :id"
_RESOLVE = f"""
UPDATE conflicts SET state = 'resolved', used = :used, ended_at = {{now}} WHERE id = :id AND state = 'open'
RETURNING {_CONFLICT.columns}
"""


class Conflicts:
    """The conflicts of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(
        self,
        instance: str,
        kind: str,
        seen: Sequence[SeenEdit],
        *,
        looked_at: Collection[str] = (),
        masters: Collection[str] = ("magento", "odoo"),
    ) -> None:
        """Write down the edits that were seen, in one transaction.

        ``looked_at`` names the records that were compared as a whole: an edit of them that stood before and is not
        among ``seen`` is gone. ``masters``: only fields of these masters were compared.
        """
        if not seen and not self._have_standing(instance, kind, looked_at):
            return

        def work(session: Session) -> None:
            there = {(one.magento_id, one.field) for one in seen}
            for magento_id in sorted(set(looked_at)):
                for field, master in session.rows(
                    _FIELDS, instance=instance, kind=kind, magento_id=magento_id
                ):
                    if master in masters and (magento_id, field) not in there:
                        session.run(_GONE, instance=instance, kind=kind, magento_id=magento_id, field=field)
            for one in sorted(seen, key=lambda edit: (edit.magento_id, edit.field)):
                self._see(session, instance, kind, one)

        self._database.write(work)

    def _have_standing(self, instance: str, kind: str, ids: Iterable[str]) -> bool:
        wanted = sorted(set(ids))
        if not wanted:
            return False
        with self._database.read() as session:
            return bool(session.rows(_STANDING_IDS, instance=instance, kind=kind, ids=wanted))

    def _see(self, session: Session, instance: str, kind: str, one: SeenEdit) -> None:
        key = {"instance": instance, "kind": kind, "magento_id": one.magento_id, "field": one.field}
        values = {"magento_value": one.magento_value, "odoo_value": one.odoo_value}
        if one.is_overwritten and session.row(_KEPT, **key, **values) is not None:
            return
        session.run(_SEE, **key, **values, label=one.label, master=one.master)
        if one.is_overwritten:
            session.run(_OVERWRITE, **key)

    def get(self, conflict_id: int) -> Conflict | None:
        """Return a conflict, or None."""
        with self._database.read() as session:
            row = session.row(_GET, id=conflict_id)
        return _CONFLICT.read(row) if row else None

    def list(
        self,
        instance: str,
        *,
        states: Collection[str] = ("open",),
        after: int | None = None,
        limit: int = 100,
    ) -> list[Conflict]:
        """Return conflicts by their ids, oldest first; ``after`` is the last id of the page before."""
        params: dict[str, Any] = {"instance": instance, "states": sorted(states), "limit": limit}
        where = "instance = :instance AND state {any states text}"
        if after is not None:
            where, params["after"] = f"{where} AND id > :after", after
        sql = f"SELECT {_CONFLICT.columns} FROM conflicts WHERE {where} ORDER BY id LIMIT :limit"
        with self._database.read() as session:
            return _CONFLICT.read_all(session.rows(sql, **params))

    def resolve(self, conflict_id: int, used: System) -> Conflict | None:
        """Write down whose value was chosen; None where the conflict is not open any more."""
        rows = self._database.single(_RESOLVE, id=conflict_id, used=used)
        return _CONFLICT.read(rows[0]) if rows else None
