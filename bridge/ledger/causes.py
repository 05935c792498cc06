"""Causes of blocked jobs: what the operator must mend, and whether it has been mended meanwhile.

A job that goes to ``blocked`` looks at its cause in the same transaction, under a lock that the mending
takes too. Without it a mapping set between the job's look and its end would release nobody, and the job would stay
blocked for ever.
"""

from __future__ import annotations

from bridge.ledger.database import Session
from bridge.ledger.records import Job

_TOUCH_MAPPING = """
INSERT INTO mappings (instance, kind, value, state, version, data, seen_count, first_seen_at, last_seen_at, updated_at)
VALUES (:instance, :kind, :value, 'unmapped', 0, '{}', 0, {now}, {now}, {now})
ON CONFLICT (instance, kind, value) DO NOTHING
"""
_MAPPING = """
SELECT state FROM mappings WHERE instance = :instance AND kind = :kind AND value = :value {for_share}
"""
_TOUCH_CAUSE = """
INSERT INTO releases (instance, cause) VALUES (:instance, :cause) ON CONFLICT (instance, cause) DO NOTHING
"""
_RELEASED = """
SELECT 1 FROM releases WHERE instance = :instance AND cause = :cause AND released_at >= :since
"""
_LOCK_CAUSE = "SELECT 1 FROM releases WHERE instance = :instance AND cause = :cause {for_update}"
_MARK_RELEASED = """
INSERT INTO releases (instance, cause, released_at) VALUES (:instance, :cause, {clock})
ON CONFLICT (instance, cause) DO UPDATE SET released_at = {clock}
"""
_RELEASE = """
UPDATE jobs SET state = 'pending', cause = NULL, waits_for = NULL, next_attempt_at = {greatest}({now}, not_before)
WHERE instance = :instance
    AND ((state = 'blocked' AND cause = :cause) OR (state = 'retry_waiting' AND waits_for = :cause))
"""


def mapping_cause(kind: str, value: str) -> str:
    """Return the cause of jobs that lack a mapping, as ``MappingMissing`` names it."""
    return f"mapping:{kind}:{value}"


def remapping_cause(kind: str, value: str) -> str:
    """Return the cause of jobs that need another mapping than there is, as ``MappingWrong`` names it."""
    return f"remapping:{kind}:{value}"


def is_gone(session: Session, job: Job, cause: str) -> bool:
    """Return whether ``cause`` has been mended since the job began; it cannot be until the transaction ends."""
    where, kind_and_value = cause.partition(":")[::2]
    if where == "mapping":
        kind, _, value = kind_and_value.partition(":")
        touch_mapping(session, job.instance, kind, value)
        state = session.value(_MAPPING, instance=job.instance, kind=kind, value=value)
        return bool(state != "unmapped")
    session.run(_TOUCH_CAUSE, instance=job.instance, cause=cause)
    session.row(_LOCK_CAUSE, instance=job.instance, cause=cause)
    found = session.row(_RELEASED, instance=job.instance, cause=cause, since=job.started_at)
    return found is not None


def touch_mapping(session: Session, instance: str, kind: str, value: str) -> None:
    """Make sure that a value has a row, which can be locked."""
    session.run(_TOUCH_MAPPING, instance=instance, kind=kind, value=value)


def mark_released(session: Session, instance: str, cause: str) -> None:
    """Note that ``cause`` is gone, for jobs that are about to be blocked by it."""
    session.run(_MARK_RELEASED, instance=instance, cause=cause)


def release_cause(session: Session, instance: str, cause: str) -> int:
    """Set the jobs that ``cause`` holds back to ``pending``; returns how many."""
    return session.run(_RELEASE, instance=instance, cause=cause)
