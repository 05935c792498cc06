"""Small tables around the engine: pauses, processes, explanations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge.ledger.database import Database, Session
from bridge.ledger.facts import BoundExplanation, Explanation
from bridge.ledger.held import after_choice, back_to_pending
from bridge.ledger.records import Pause, Process
from bridge.ledger.shapes import Shape, to_json

_PAUSE = Shape(Pause, instance="nullif(instance, '')", flow="nullif(flow, '')")
_PROCESS = Shape(Process, age_seconds="{age:beat_at}")
_EXPLANATION = Shape(Explanation)
_BOUND = Shape(
    BoundExplanation,
    magento_id="b.magento_id",
    magento_label="b.magento_label",
    odoo_label="b.odoo_label",
    created_at="b.created_at",
    content="e.content",
)

_PAUSE_ADD = """
INSERT INTO pauses (instance, flow, by, since) VALUES (:instance, :flow, :by, {now})
ON CONFLICT (instance, flow) DO NOTHING
"""
_PAUSE_DROP = "DELETE FROM pauses WHERE instance = :instance AND flow = :flow"
_PAUSE_LIST = f"SELECT {_PAUSE.columns} FROM pauses ORDER BY 1, 2"
_BEAT = """
INSERT INTO processes (name, role, started_at, beat_at) VALUES (:name, :role, {now}, {now})
ON CONFLICT (name) DO UPDATE SET role = excluded.role, beat_at = excluded.beat_at
"""
_GONE = "DELETE FROM processes WHERE name = :name"
_FORGET = "DELETE FROM processes WHERE beat_at < {later:-:seconds}"
_PROCESSES = f"SELECT {_PROCESS.columns} FROM processes ORDER BY role, name"
_PUT = """
INSERT INTO explanations (instance, kind, entity, content, updated_at)
VALUES (:instance, :kind, :entity, :content, {now})
ON CONFLICT (instance, kind, entity) DO UPDATE SET content = excluded.content, updated_at = excluded.updated_at
"""
_EXPLANATION_GET = f"""
SELECT {_EXPLANATION.columns} FROM explanations WHERE instance = :instance AND kind = :kind AND entity = :entity
"""
_OF_BOUND = f"""
SELECT {_BOUND.columns}
FROM bindings b
LEFT JOIN explanations e ON e.instance = b.instance AND e.kind = b.kind AND e.entity = b.magento_id
WHERE b.instance = :instance AND b.kind = :kind AND b.magento_id > :after AND b.created_at >= :since
ORDER BY b.magento_id LIMIT :limit
"""
#: A process that has not beaten for this long is not alive.
ALIVE_SECONDS = 15.0
#: A process that has not beaten for this long is forgotten.
_FORGET_SECONDS = 7 * 86400.0


class Pauses:
    """A person's orders to start no jobs of an instance, a flow (a job kind), or at all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pause(self, instance: str | None = None, flow: str | None = None, *, by: str) -> None:
        """Start no more jobs; None means all. Running ones end, queued ones wait."""

        def work(session: Session) -> None:
            after_choice(session)
            session.run(_PAUSE_ADD, instance=instance or "", flow=flow or "", by=by)
            back_to_pending(session, instance=instance, flow=flow)

        self._database.write(work)

    def resume(self, instance: str | None = None, flow: str | None = None) -> bool:
        """Take back the very same pause; returns whether there was one."""
        return self._database.command(_PAUSE_DROP, instance=instance or "", flow=flow or "") > 0

    def list(self) -> list[Pause]:
        """Return the pauses in force."""
        with self._database.read() as session:
            return _PAUSE.read_all(session.rows(_PAUSE_LIST))


class Processes:
    """The processes of the bridge, known by their beats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, name: str, role: str) -> None:
        """Say that a process is alive; call it every few seconds."""
        self._database.command(_BEAT, name=name, role=role)

    def gone(self, name: str) -> None:
        """Say that a process ends."""
        self._database.command(_GONE, name=name)

    def alive(self, role: str | None = None, *, within_seconds: float = ALIVE_SECONDS) -> list[Process]:
        """Return the processes, of a role, that are alive."""
        with self._database.read() as session:
            found = _PROCESS.read_all(session.rows(_PROCESSES))
        return [one for one in found if one.age_seconds <= within_seconds and role in (None, one.role)]

    def list(self) -> list[Process]:
        """Return every process that beat in the last week."""
        self._database.command(_FORGET, seconds=_FORGET_SECONDS)
        with self._database.read() as session:
            return _PROCESS.read_all(session.rows(_PROCESSES))


class Explanations:
    """Why totals are what they are: amounts, codes and versions; never personal data."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, instance: str, kind: str, entity: str | int, content: Mapping[str, Any]) -> None:
        """Keep an explanation in place of the one before; decimals are kept as text."""
        self._database.command(
            _PUT, instance=instance, kind=kind, entity=str(entity), content=to_json(content)
        )

    def get(self, instance: str, kind: str, entity: str | int) -> Explanation | None:
        """Return an explanation, or None."""
        with self._database.read() as session:
            row = session.row(_EXPLANATION_GET, instance=instance, kind=kind, entity=str(entity))
        return _EXPLANATION.read(row) if row else None

    def of_bound(
        self, instance: str, kind: str, *, since: datetime, after: str = "", limit: int = 200
    ) -> list[BoundExplanation]:
        """Return a page of what was bound since then, behind ``after``, with what is kept of each."""
        with self._database.read() as session:
            rows = session.rows(
                _OF_BOUND, instance=instance, kind=kind, since=since, after=after, limit=limit
            )
        return _BOUND.read_all(rows)
