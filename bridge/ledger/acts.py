"""What a person does to a job: retry, cancel. Each act says what it changed, or why it did not."""

from __future__ import annotations

from bridge.errors import RecordMissing
from bridge.ledger.database import Session
from bridge.ledger.records import ENDED_STATES, Change, JobId, JobState
from bridge.ledger.waits import release_waiters

_GET = "SELECT state, waits_for, external_key, lock_key FROM jobs WHERE id = :id {for_update}"
_TWIN = """
SELECT id FROM jobs WHERE external_key = :key
    AND state IN ('pending', 'queued', 'running', 'retry_waiting', 'blocked') {for_update}
"""
_FOLD = """
UPDATE jobs SET wanted = wanted + 1, cause = NULL, cancel_requested = cancel_requested AND state = 'running',
    next_attempt_at = CASE WHEN state = 'blocked' THEN {greatest}({now}, not_before) ELSE next_attempt_at END,
    state = CASE WHEN state = 'blocked' THEN 'pending' ELSE state END
WHERE id = :id
"""
_RETRY = """
UPDATE jobs SET state = 'pending', waits_for = NULL, cause = NULL, finished_at = NULL, cancel_requested = false,
    retry_count = CASE WHEN state = 'failed' THEN 0 ELSE retry_count END,
    next_attempt_at = {greatest}({now}, not_before)
WHERE id = :id
"""
_CANCEL = """
UPDATE jobs SET state = 'cancelled', waits_for = NULL, cause = NULL, finished_at = {now} WHERE id = :id
"""
#: What was wanted until now is covered by the request; what is wanted later makes the job run again.
_REQUEST = "UPDATE jobs SET cancel_requested = true, claimed = wanted WHERE id = :id"

_NO_RETRY: dict[str, str] = {
    "pending": "The job is about to run already.",
    "queued": "The job is about to run already.",
    "running": "The job is running.",
    "done": "The job is done. A new event makes a new job.",
    "cancelled": "The job was cancelled. A new event makes a new job.",
}


def retry(session: Session, job_id: JobId) -> Change:
    """Make a job run again that waits, is blocked or has failed."""
    state, waits_for, key, _lock = _read(session, job_id)
    if state in _NO_RETRY:
        return Change(job_id=job_id, state=state, changed=False, note=_NO_RETRY[state])
    if state == "retry_waiting" and waits_for and waits_for.startswith("doubt:"):
        note = "A write was sent and its answer was lost. Nobody can shorten the wait until it is looked up."
        return Change(job_id=job_id, state=state, changed=False, note=note)
    twin = session.value(_TWIN, key=key) if state == "failed" else None
    if twin is not None:
        session.run(_FOLD, id=twin)
        note = f"Job {twin} for the same work is open and takes it along."
        return Change(job_id=job_id, state=state, changed=True, folded_into=JobId(twin), note=note)
    session.run(_RETRY, id=job_id)
    return Change(job_id=job_id, state="pending", changed=True, note="The job will run again.")


def cancel(session: Session, job_id: JobId) -> Change:
    """Cancel a job; a running one is asked to stop before its next write."""
    state, _waits_for, _key, lock_key = _read(session, job_id)
    if state in {"done", "cancelled"}:
        return Change(job_id=job_id, state=state, changed=False, note=f"The job is {state} already.")
    if state == "running":
        session.run(_REQUEST, id=job_id)
        return Change(job_id=job_id, state=state, changed=True, note="The job stops before its next write.")
    session.run(_CANCEL, id=job_id)
    if state not in ENDED_STATES:
        # One that was next for a lock hands it on.
        release_waiters(session, job_id, lock_key=lock_key, has_ended=True)
    return Change(job_id=job_id, state="cancelled", changed=True, note="The job is cancelled.")


def _read(session: Session, job_id: JobId) -> tuple[JobState, str | None, str, str | None]:
    found = session.row(_GET, id=job_id)
    if found is None:
        raise RecordMissing(f"There is no job {job_id}.")
    state, waits_for, key, lock_key = found
    return state, waits_for, key, lock_key
