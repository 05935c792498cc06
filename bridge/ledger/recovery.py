"""Jobs whose worker is gone: the lease ran out, so another worker may take them up again.

The fence is taken away in the same statement, so that the old worker, if it only was slow, can write nothing
more. What it had sent stands as an effect, and whoever takes the job up finds it there.
"""

from __future__ import annotations

from typing import Any

from bridge.ledger.database import Session
from bridge.ledger.records import ENDED_STATES, JobId, Lengths
from bridge.ledger.waits import IN_DOUBT, release_waiters
from bridge.retry import backoff_seconds

#: How many jobs one transaction takes up again.
_BATCH = 200
_LOST_CODE = "lease_lost"
_LOST = "The worker stopped before this job ended."
_GIVEN_UP = "The worker stopped each time that it ran this job."
_HELP = "Look at the workers' logs for why they stop (memory, restarts), then retry the job."

#: The fourth column says whether a request to cancel can be obeyed now; else it waits for the end of the doubt.
_LOST_ROWS = f"""
SELECT id, lock_key, retry_count, cancel_requested AND NOT {IN_DOUBT}, wanted > claimed, worker, attempt, started_at
FROM jobs
"""
_EXPIRED = f"""{_LOST_ROWS}
WHERE state = 'running' AND lease_until <= {{now}}
ORDER BY lease_until LIMIT :batch {{for_update}} {{skip_locked}}
"""
_DEAD_WORKERS = f"""{_LOST_ROWS}
WHERE state = 'running' AND worker LIKE :prefix || '%' ORDER BY id {{for_update}}
"""
_TAKE_UP = """
UPDATE jobs SET state = :state, retry_count = :retry_count, next_attempt_at = {later::delay},
    fence = NULL, lease_until = NULL, waits_for = NULL,
    cancel_requested = cancel_requested AND wanted <= claimed AND :state NOT IN ('failed', 'cancelled'),
    finished_at = CASE WHEN :state IN ('failed', 'cancelled') THEN {now} ELSE NULL END,
    error_code = :code, error = :error, help = :help, trace = NULL
WHERE id = :id
"""
_ATTEMPT = """
INSERT INTO attempts (job_id, number, worker, started_at, ended_at, outcome, error_code, error, help)
VALUES (:id, :number, :worker, :started_at, {now}, 'lost', :code, :error, :help)
ON CONFLICT (job_id, number) DO NOTHING
"""


def recover_expired(session: Session, *, lengths: Lengths) -> int:
    """Take up the jobs whose lease is over; returns how many."""
    rows = session.rows(_EXPIRED, batch=_BATCH)
    for row in rows:
        _take_up(session, row, lengths=lengths)
    return len(rows)


def recover_of_worker(session: Session, worker_prefix: str, *, lengths: Lengths) -> int:
    """Take up the running jobs of workers that are known to be dead, at once; returns how many."""
    rows = session.rows(_DEAD_WORKERS, prefix=worker_prefix)
    for row in rows:
        _take_up(session, row, lengths=lengths)
    return len(rows)


def _take_up(session: Session, row: tuple[Any, ...], *, lengths: Lengths) -> None:
    job_id, lock_key, retry_count, is_cancelled, is_wanted_again, worker, number, started_at = row
    state, delay, error = "pending", 0.0, _LOST
    if is_wanted_again:
        pass
    elif is_cancelled:
        state = "cancelled"
    elif retry_count + 1 >= lengths.max_attempts:
        # It may be the job itself that kills its worker.
        state, error = "failed", _GIVEN_UP
    elif retry_count > 0:
        state = "retry_waiting"
        delay = backoff_seconds(retry_count, unit_seconds=lengths.backoff_unit_seconds)
    told = {"code": _LOST_CODE, "error": error, "help": _HELP}
    session.run(_TAKE_UP, id=job_id, state=state, retry_count=retry_count + 1, delay=delay, **told)
    session.run(_ATTEMPT, id=job_id, number=number, worker=worker, started_at=started_at, **told)
    release_waiters(session, JobId(job_id), lock_key=lock_key, has_ended=state in ENDED_STATES)
