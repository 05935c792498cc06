"""Mappings: the operator's decisions that a Magento value stands for an Odoo record, with their history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.ledger.causes import (
    mapping_cause,
    mark_released,
    release_cause,
    remapping_cause,
    touch_mapping,
)
from bridge.ledger.database import Database, Session
from bridge.ledger.dialects import json_rows
from bridge.ledger.facts import MappingChange, MappingDecided, MappingDecision, MappingRow
from bridge.ledger.shapes import Shape

#: A value that a record showed: kind, value, label, and what is named as its example.
Seen = tuple[str, str, str | None, str | None]

_MAPPING = Shape(MappingRow)
_CHANGE = Shape(MappingChange)

_RESOLVE = f"""
SELECT {", ".join(f"m.{name}" for name in _MAPPING.columns.split(", "))}
FROM {{rows keys r(kind text, value text)}}
JOIN mappings m ON m.instance = :instance AND m.kind = r.kind AND m.value = r.value AND m.state = 'mapped'
"""
_OBSERVE = """
INSERT INTO mappings (instance, kind, value, label, example, state, version, data, seen_count, first_seen_at,
    last_seen_at, updated_at)
SELECT :instance, s.kind, s.value, s.label, s.example, 'unmapped', 0, '{}', s.times, {now}, {now}, {now}
FROM {rows seen s(kind text, value text, label text, example text, times bigint)}
WHERE true
ORDER BY s.kind, s.value
ON CONFLICT (instance, kind, value) DO UPDATE SET
    seen_count = mappings.seen_count + excluded.seen_count, last_seen_at = excluded.last_seen_at,
    label = coalesce(excluded.label, mappings.label), example = coalesce(excluded.example, mappings.example)
"""
#: The row that will hold the record's explanation says, from its first observation on, that it was counted.
_FIRST = """
INSERT INTO explanations (instance, kind, entity, content, updated_at)
VALUES (:instance, :kind, :entity, '{}', {now})
ON CONFLICT (instance, kind, entity) DO NOTHING
"""
#: The same for many records; answers those that were not counted before.
_FIRST_OF = """
INSERT INTO explanations (instance, kind, entity, content, updated_at)
SELECT :instance, :kind, r.entity, '{}', {now}
FROM {rows records r(entity text)}
WHERE true
ORDER BY r.entity
ON CONFLICT (instance, kind, entity) DO NOTHING
RETURNING entity
"""
#: Both in one, where the database can: each order does it, and each statement is a way to the server and back.
_OBSERVE_FIRST = f"WITH first AS ({_FIRST} RETURNING entity)" + _OBSERVE.replace(
    "WHERE true", "WHERE EXISTS (SELECT 1 FROM first)"
)
#: Values that Magento's configuration names were not seen in any record: they count nothing and give no example.
_NOTE = """
INSERT INTO mappings (instance, kind, value, label, state, version, data, seen_count, first_seen_at, last_seen_at,
    updated_at)
SELECT :instance, s.kind, s.value, s.label, 'unmapped', 0, '{}', 0, {now}, {now}, {now}
FROM {rows seen s(kind text, value text, label text)}
WHERE true
ORDER BY s.kind, s.value
ON CONFLICT (instance, kind, value) DO NOTHING
"""
_RELABEL = """
UPDATE mappings AS m SET label = s.label
FROM {rows seen s(kind text, value text, label text)}
WHERE m.instance = :instance AND m.kind = s.kind AND m.value = s.value AND s.label IS NOT NULL
    AND (m.label IS NULL OR (m.seen_count = 0 AND m.label <> s.label))
"""
_DECIDE = f"""
UPDATE mappings SET state = :state, odoo_model = :odoo_model, odoo_id = :odoo_id, odoo_label = :odoo_label,
    version = version + 1, updated_by = :by, updated_at = {{now}}
WHERE instance = :instance AND kind = :kind AND value = :value
RETURNING {_MAPPING.columns}
"""
_KEEP = """
INSERT INTO mapping_history (instance, kind, value, state, odoo_model, odoo_id, odoo_label, version, data, by, at)
VALUES (:instance, :kind, :value, :state, :odoo_model, :odoo_id, :odoo_label, :version, '{}', :by, {now})
"""
_GET = f"""
SELECT {_MAPPING.columns} FROM mappings WHERE instance = :instance AND kind = :kind AND value = :value
"""
_HISTORY = f"""
SELECT {_CHANGE.columns} FROM mapping_history WHERE instance = :instance AND kind = :kind AND value = :value
ORDER BY version
"""
_IMPACT = """
SELECT count(*) FROM jobs WHERE state = 'blocked' AND instance = :instance AND cause IN (:missing, :wrong)
"""


class Mappings:
    """The mappings of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def resolve(self, instance: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], MappingRow]:
        """Return the mapped ones among ``keys`` (kind, value), in one statement."""
        wanted = json_rows({"kind": kind, "value": value} for kind, value in set(keys))
        with self._database.read() as session:
            rows = session.rows(_RESOLVE, instance=instance, keys=wanted)
        return {(found.kind, found.value): found for found in _MAPPING.read_all(rows)}

    def observe(
        self,
        instance: str,
        seen: Iterable[Seen],
        *,
        once_for: tuple[str, str] | None = None,
    ) -> None:
        """Note values (kind, value, label, example) that Magento showed: new ones become ``unmapped``.

        With ``once_for``, the kind and entity of the record that showed them, they count only if nothing was noted for
        it before and it has no explanation: however often its job is tried, and by whichever job.
        """
        rows = _counted(seen)
        if not rows:
            return
        values = json_rows(rows)
        if once_for is None:
            self._database.command(_OBSERVE, instance=instance, seen=values)
            return
        record = {"instance": instance, "kind": once_for[0], "entity": once_for[1]}
        if self._database.is_postgres:
            self._database.command(_OBSERVE_FIRST, seen=values, **record)
            return

        def work(session: Session) -> None:
            if session.run(_FIRST, **record):
                session.run(_OBSERVE, instance=instance, seen=values)

        self._database.write(work)

    def observe_each(self, instance: str, kind: str, seen: Mapping[str, Iterable[Seen]]) -> None:
        """Note the values that many records of ``kind`` showed, by their entities: each record counts once for good."""
        if not seen:
            return
        records = json_rows({"entity": entity} for entity in seen)

        def work(session: Session) -> None:
            new = session.rows(_FIRST_OF, instance=instance, kind=kind, records=records)
            rows = _counted(value for (entity,) in new for value in seen[str(entity)])
            if rows:
                session.run(_OBSERVE, instance=instance, seen=json_rows(rows))

        self._database.write(work)

    def note(self, instance: str, named: Iterable[tuple[str, str, str | None]]) -> int:
        """Note values (kind, value, label) that Magento's configuration names; returns how many are new.

        Counts, examples and decisions stay, and so does the label of a value that records have shown.
        """
        rows = {(kind, value): {"kind": kind, "value": value, "label": label} for kind, value, label in named}
        if not rows:
            return 0
        values = json_rows(rows.values())

        def work(session: Session) -> int:
            new = session.run(_NOTE, instance=instance, seen=values)
            session.run(_RELABEL, instance=instance, seen=values)
            return new

        return self._database.write(work)

    def set(
        self,
        instance: str,
        kind: str,
        value: str,
        *,
        odoo_model: str,
        odoo_id: int,
        odoo_label: str | None,
        by: str,
    ) -> MappingRow:
        """Decide that a value stands for an Odoo record, and let the jobs go on that lacked it or had a wrong one."""
        decision = MappingDecision(
            kind=kind,
            value=value,
            state="mapped",
            odoo_model=odoo_model,
            odoo_id=odoo_id,
            odoo_label=odoo_label,
        )
        return self._decide_one(instance, decision, by=by)

    def ignore(self, instance: str, kind: str, value: str, *, by: str) -> MappingRow:
        """Decide that a value stands for nothing; jobs that lacked it go on and say what that means for them."""
        return self._decide_one(instance, MappingDecision(kind=kind, value=value, state="ignored"), by=by)

    def decide(
        self, instance: str, decisions: Iterable[MappingDecision], *, by: str
    ) -> Sequence[MappingDecided]:
        """Make all ``decisions`` in one transaction, and return those that changed something.

        What is in force already is left alone, so the same decisions again change nothing.
        """
        # In one order, so that two imports at once wait for each other and do not meet head on.
        ordered = sorted(decisions, key=lambda one: (one.kind, one.value))

        def work(session: Session) -> list[MappingDecided]:
            made = []
            for decision in ordered:
                touch_mapping(session, instance, decision.kind, decision.value)
                row = session.row(
                    _GET + " {for_update}", instance=instance, kind=decision.kind, value=decision.value
                )
                before = None if row is None else _MAPPING.read(row)
                if not decision.is_in_force(before):
                    _, released = _decide(session, instance, decision, by=by)
                    made.append(MappingDecided(decision=decision, before=before, released=released))
            return made

        return self._database.write(work, on_conflict_again=True)

    def get(self, instance: str, kind: str, value: str) -> MappingRow | None:
        """Return a value's row, mapped or not, or None."""
        with self._database.read() as session:
            row = session.row(_GET, instance=instance, kind=kind, value=value)
        return _MAPPING.read(row) if row else None

    def history(self, instance: str, kind: str, value: str) -> list[MappingChange]:
        """Return every decision about a value, oldest first."""
        with self._database.read() as session:
            return _CHANGE.read_all(session.rows(_HISTORY, instance=instance, kind=kind, value=value))

    def impact(self, instance: str, kind: str, value: str) -> int:
        """Return how many jobs are blocked for lack of a value's mapping, or because it is a wrong one."""
        missing, wrong = mapping_cause(kind, value), remapping_cause(kind, value)
        with self._database.read() as session:
            return int(session.value(_IMPACT, instance=instance, missing=missing, wrong=wrong))

    def _decide_one(self, instance: str, decision: MappingDecision, *, by: str) -> MappingRow:
        def work(session: Session) -> MappingRow:
            touch_mapping(session, instance, decision.kind, decision.value)
            return _decide(session, instance, decision, by=by)[0]

        return self._database.write(work, on_conflict_again=True)

    def list(
        self, instance: str, *, kind: str | None = None, state: str | None = None, limit: int = 1000
    ) -> list[MappingRow]:
        """Return the values of an instance by kind and value."""
        where, params = ["instance = :instance"], {"instance": instance, "limit": limit}  # type: tuple[list[str], dict[str, Any]]
        for name, given in (("kind", kind), ("state", state)):
            if given is not None:
                where.append(f"{name} = :{name}")
                params[name] = given
        sql = f"SELECT {_MAPPING.columns} FROM mappings WHERE {' AND '.join(where)} ORDER BY kind, value LIMIT :limit"
        with self._database.read() as session:
            return _MAPPING.read_all(session.rows(sql, **params))


def _counted(seen: Iterable[Seen]) -> list[dict[str, Any]]:
    """Return a row for each value, with how often it was seen, and the last label and example."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, value, label, example in seen:
        row = rows.setdefault((kind, value), {"kind": kind, "value": value, "times": 0})
        row.update(label=label, example=example, times=row["times"] + 1)
    return list(rows.values())


def _decide(session: Session, instance: str, decision: MappingDecision, *, by: str) -> tuple[MappingRow, int]:
    """Make a decision about a value that has a row, keep it, and let the jobs go on that waited for it."""
    kind, value = decision.kind, decision.value
    named = {
        "instance": instance,
        "kind": kind,
        "value": value,
        "state": decision.state,
        "odoo_model": decision.odoo_model,
        "odoo_id": decision.odoo_id,
        "odoo_label": decision.odoo_label,
        "by": by,
    }
    # The row is locked first: a job about to be blocked for lack of it looks after this transaction.
    decided = _MAPPING.read(session.rows(_DECIDE, **named)[0])
    session.run(_KEEP, version=decided.version, **named)
    released = release_cause(session, instance, mapping_cause(kind, value))
    mark_released(session, instance, remapping_cause(kind, value))
    return decided, released + release_cause(session, instance, remapping_cause(kind, value))
