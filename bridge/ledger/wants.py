"""Intake's one statement: work that is wanted becomes a job, or folds into the open job for the same work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bridge.idempotency import external_key
from bridge.ledger.database import Session
from bridge.ledger.dialects import clean_text, json_rows
from bridge.ledger.records import JobId, Want, Wanted
from bridge.ledger.shapes import to_json

#: Stands between the parts of a lane; no name may hold it.
LANE_SEPARATOR = "|"

#: An open job takes the new want along: ``blocked`` goes on, ``retry_waiting`` keeps its wait, ``running`` runs
#: once more; the newest run that wants it counts it as its own. Sorted, so that two batches lock the same rows in
#: the same order.
_WANT = """
INSERT INTO jobs (instance, kind, entity, label, external_key, queue, lock_key, lane, priority, systems, data, version,
    state, wanted, next_attempt_at, not_before, run_id, created_at)
SELECT w.instance, w.kind, w.entity, w.label, w.external_key, w.queue, w.lock_key, w.lane, w.priority, w.systems, w.data,
    w.version, 'pending', w.wanted, {later:w.delay}, {later:w.delay}, w.run_id, {now}
FROM {rows wants w(instance text, kind text, entity text, label text, external_key text, queue text, lock_key text,
    lane text, priority bigint, systems text, data text, version text, wanted bigint, delay double precision,
    run_id bigint)}
WHERE true
ORDER BY w.external_key
ON CONFLICT (external_key) WHERE state IN ('pending', 'queued', 'running', 'retry_waiting', 'blocked')
DO UPDATE SET
    wanted = jobs.wanted + excluded.wanted,
    state = CASE WHEN jobs.state = 'blocked' THEN 'pending' ELSE jobs.state END,
    cause = NULL,
    priority = {greatest}(jobs.priority, excluded.priority),
    not_before = {greatest}(jobs.not_before, excluded.not_before),
    next_attempt_at = CASE
        WHEN jobs.state = 'blocked' THEN excluded.not_before
        WHEN jobs.state = 'pending' THEN {greatest}(jobs.next_attempt_at, excluded.not_before)
        ELSE jobs.next_attempt_at END,
    data = CASE WHEN excluded.data = '{}' THEN jobs.data ELSE excluded.data END,
    version = CASE WHEN jobs.version IS NULL OR excluded.version > jobs.version
        THEN excluded.version ELSE jobs.version END,
    cancel_requested = jobs.cancel_requested AND jobs.state = 'running',
    label = coalesce(excluded.label, jobs.label),
    run_id = coalesce(excluded.run_id, jobs.run_id)
RETURNING id, external_key, wanted, run_id
"""


def lock_name(instance: str, lock_key: str | None) -> str | None:
    """Return the lock's name with its instance, as it stands in the ledger."""
    return None if lock_key is None else f"{instance}:{lock_key}"


def systems_text(systems: Iterable[str]) -> str:
    """Return the systems as one text, sorted."""
    return ",".join(sorted(systems))


def key_of(want: Want) -> str:
    """Return the collision key of a want."""
    return external_key(want.instance, want.kind, clean_text(want.entity))


def want_in(session: Session, wants: Sequence[Want]) -> list[Wanted]:
    """Write ``wants`` within the session's transaction and return what became of each, in order."""
    if not wants:
        return []
    rows: dict[str, dict[str, Any]] = {}
    keys = [key_of(want) for want in wants]
    for key, want in zip(keys, wants, strict=True):
        if key in rows:
            _join(rows[key], want)
        else:
            rows[key] = _row(key, want)
    found = {
        key: (JobId(job_id), wanted > rows[key]["wanted"])
        for job_id, key, wanted, _run in session.rows(_WANT, wants=json_rows(rows.values()))
    }
    answers: list[Wanted] = []
    seen: set[str] = set()
    for key in keys:
        job_id, was_there = found[key]
        folded = was_there or key in seen
        seen.add(key)
        answers.append(Wanted(job_id=job_id, created=not folded, folded=folded))
    return answers


def _row(key: str, want: Want) -> dict[str, Any]:
    systems = systems_text(want.systems)
    return {
        "instance": want.instance,
        "kind": want.kind,
        "entity": want.entity,
        "label": want.label,
        "external_key": key,
        "queue": want.queue,
        "lock_key": lock_name(want.instance, want.lock_key),
        "lane": _lane(want.instance, want.queue, want.kind, systems),
        "priority": want.priority,
        "systems": systems,
        "data": to_json(want.data),
        "version": want.version,
        "wanted": 1,
        "delay": float(want.not_before_seconds),
        "run_id": want.run_id,
    }


def _lane(*parts: str) -> str:
    # A name with a separator in it must not stop the dispatcher for all the others.
    return LANE_SEPARATOR.join(part.replace(LANE_SEPARATOR, "_") for part in parts)


def _join(row: dict[str, Any], want: Want) -> None:
    """Fold ``want`` into the row of an equal one in the same batch: a statement may touch a row once only."""
    row["wanted"] += 1
    row["priority"] = max(row["priority"], want.priority)
    row["delay"] = max(row["delay"], want.not_before_seconds)
    row["version"] = max(row["version"] or "", want.version or "") or None
    row["data"] = to_json(want.data) if want.data else row["data"]
    row["label"] = row["label"] or want.label
    row["run_id"] = row["run_id"] or want.run_id
