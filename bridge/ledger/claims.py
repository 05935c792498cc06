"""Claiming a job, and keeping it: ``queued`` to ``running`` with a fence and a lease."""

from __future__ import annotations

import secrets

from bridge.errors import LeaseLost
from bridge.ledger.database import Conflict, Database, Session
from bridge.ledger.records import Job, JobId, Lease, Lengths
from bridge.ledger.shapes import Shape
from bridge.ledger.waits import release_lock

JOB = Shape(Job)

#: Whether the lock is held is left to the unique index on running locks: a claim that meets it gets a conflict, which is
#: rare, since the dispatcher lets those wait whose lock is taken. To look would cost every claim another read.
_CLAIM = f"""
UPDATE jobs SET state = 'running', fence = :fence, worker = :worker, claimed = wanted, attempt = attempt + 1,
    dispatches = 0, waits_for = NULL, started_at = {{now}},
    lease_until = {{later::lease}}, deadline_at = {{later::runtime}}
WHERE id = :id AND {{state_of_row}} = 'queued' AND not_before <= {{now}}
RETURNING {JOB.columns}
"""
_RENEW = """
UPDATE jobs SET lease_until = {least}({later::lease}, deadline_at)
WHERE id = :id AND fence = :fence AND {state_of_row} = 'running' AND deadline_at > {now}
RETURNING cancel_requested, -{age:lease_until}
"""
_WHY_NOT = "SELECT state, lock_key, not_before > {now} FROM jobs WHERE id = :id {for_update}"
_HOLDER = "SELECT id FROM jobs WHERE lock_key = :lock AND state = 'running' {for_share}"
_NOT_YET = "UPDATE jobs SET state = 'pending', next_attempt_at = not_before WHERE id = :id"
_WAIT_FOR_LOCK = """
UPDATE jobs SET state = 'retry_waiting', waits_for = :waits_for, next_attempt_at = {later::patience}
WHERE id = :id
"""
#: The job's row, while this claim of it holds.
OURS = "id = :id AND fence = :fence AND {state_of_row} = 'running'"
_GUARD = f"SELECT cancel_requested, lease_until > {{clock}} FROM jobs WHERE {OURS} {{for_share}}"


def claim(
    database: Database, job_id: JobId, *, worker: str, max_runtime_seconds: float, lengths: Lengths
) -> Job | None:
    """Take a queued job to run it; None when there is nothing to run now.

    One statement in the usual case. A job whose lock is held goes to wait for it.
    """
    params = {
        "id": job_id,
        "fence": secrets.token_hex(16),
        "worker": worker,
        "lease": float(min(lengths.lease_seconds, max_runtime_seconds)),
        "runtime": float(max_runtime_seconds),
    }
    try:
        rows = database.single(_CLAIM, **params)
    except Conflict:
        rows = []
    if rows:
        return JOB.read(rows[0])

    def again(session: Session) -> Job | None:
        if not _is_claimable(session, job_id, lengths=lengths):
            return None
        row = session.row(_CLAIM, **params)
        return JOB.read(row) if row else None

    return database.write(again, on_conflict_again=True)


def _is_claimable(session: Session, job_id: JobId, *, lengths: Lengths) -> bool:
    found = session.row(_WHY_NOT, id=job_id)
    if found is None or found[0] != "queued":
        return False
    _state, lock_key, is_early = found
    if is_early:
        # An event folded in that must not be looked at yet.
        session.run(_NOT_YET, id=job_id)
        if lock_key:
            release_lock(session, lock_key)
        return False
    if lock_key and session.row(_HOLDER, lock=lock_key):
        # The holder's row is locked by us now: its last transaction comes after this one and sees us wait.
        session.run(
            _WAIT_FOR_LOCK,
            id=job_id,
            waits_for=f"lock:{lock_key}",
            patience=float(lengths.wait_patience_seconds),
        )
        return False
    return True


def renew(database: Database, job: Job, *, lengths: Lengths) -> Lease:
    """Prolong the lease of a running job, though not beyond its longest run time."""
    rows = database.single(_RENEW, id=job.id, fence=job.fence, lease=float(lengths.lease_seconds))
    if not rows:
        return Lease(ok=False, cancel_requested=False, seconds_left=0.0)
    cancel_requested, seconds_left = rows[0]
    return Lease(ok=True, cancel_requested=bool(cancel_requested), seconds_left=float(seconds_left))


def guard(session: Session, job: Job) -> bool:
    """Make sure, until the transaction ends, that ``job`` is still ours; returns whether it was asked to stop.

    Raises:
        LeaseLost: another worker may hold it now.
    """
    found = session.row(_GUARD, id=job.id, fence=job.fence)
    if found is None or not found[1]:
        raise LeaseLost(job_id=job.id)
    return bool(found[0])
