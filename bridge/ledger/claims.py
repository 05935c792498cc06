"""Claiming a job, and keeping it: ``queued`` to ``running`` with a fence and a lease."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import LeaseLost
from bridge.ledger.database import Database, Session
from bridge.ledger.dialects import json_rows
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
#: The same for several jobs. The rows are locked in the order in which intake locks them.
_CLAIM_MANY = f"""
UPDATE jobs SET state = 'running', fence = c.new_fence, worker = c.taker, claimed = wanted, attempt = attempt + 1,
    dispatches = 0, waits_for = NULL, started_at = {{now}},
    lease_until = {{later:c.lease}}, deadline_at = {{later:c.runtime}}
FROM {{rows claims c(job_id bigint, new_fence text, taker text, lease float, runtime float)}},
    (SELECT id AS mine_id FROM jobs WHERE id {{any ids bigint}} AND {{state_of_row}} = 'queued'
        AND not_before <= {{now}} ORDER BY external_key {{for_update}}) mine
WHERE id = c.job_id AND id = mine_id
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


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a worker asks for: to run one job."""

    job_id: JobId
    worker: str
    max_runtime_seconds: float
    fence: str = field(default_factory=lambda: secrets.token_hex(16))


def claim_at_once(database: Database, claims: Sequence[Claim], *, lengths: Lengths) -> list[Job | None]:
    """Take queued jobs to run them, all in one statement; None for each that was not to be had so.

    Raises:
        Conflict: the lock of one of them is held, so that none was taken.
    """
    asked = [_params(one, lengths) for one in claims]
    if len(claims) == 1:
        rows = database.single(_CLAIM, **asked[0])
    else:
        named = [
            {
                "job_id": one["id"],
                "new_fence": one["fence"],
                "taker": one["worker"],
                "lease": one["lease"],
                "runtime": one["runtime"],
            }
            for one in asked
        ]
        rows = database.single(_CLAIM_MANY, claims=json_rows(named), ids=[one.job_id for one in claims])
    jobs = {job.id: job for job in JOB.read_all(rows)}
    found = [jobs.get(one.job_id) for one in claims]
    # One message may have come twice: the fence tells whose the job is.
    return [job if job and job.fence == one.fence else None for job, one in zip(found, claims, strict=True)]


def claim_or_wait(database: Database, claim: Claim, *, lengths: Lengths) -> Job | None:
    """Take a job that was not to be had at once; where it cannot run now, let it wait for what holds it up."""

    def work(session: Session) -> Job | None:
        if not _is_claimable(session, claim.job_id, lengths=lengths):
            return None
        row = session.row(_CLAIM, **_params(claim, lengths))
        return JOB.read(row) if row else None

    return database.write(work, on_conflict_again=True)


def _params(claim: Claim, lengths: Lengths) -> dict[str, Any]:
    return {
        "id": claim.job_id,
        "fence": claim.fence,
        "worker": claim.worker,
        "lease": float(min(lengths.lease_seconds, claim.max_runtime_seconds)),
        "runtime": float(claim.max_runtime_seconds),
    }


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
