"""Jobs that wait for something in the ledger, and the transactions that let them go on.

Whoever ends what others wait for sets them ``pending`` in the same transaction. The other side of the race is closed
where a job begins to wait: it locks the row it waits for, and looks whether that is still so.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.ledger.database import Session
from bridge.ledger.records import JobId

#: Whether what a job sent is neither confirmed nor refused: then no request to cancel is obeyed.
IN_DOUBT = """EXISTS (
    SELECT 1 FROM effects e WHERE e.job_id = jobs.id AND e.state IN ('sent', 'doubtful'))"""
#: What jobs wait for of a lock and a job's end (``waits_on``), as an expression; NULL where none waits. Sorted, so that
#: a planner without fresh statistics takes the index too.
FIRST_WAIT = """(
    SELECT w.waits_for FROM jobs w WHERE w.state = 'retry_waiting' AND w.waits_for IN (:lock, :job)
    ORDER BY w.waits_for LIMIT 1)"""
#: The same for several jobs that stop running together.
FIRST_WAIT_OF_ALL = """(
    SELECT w.waits_for FROM jobs w WHERE w.state = 'retry_waiting' AND w.waits_for {any waits text}
    ORDER BY w.waits_for LIMIT 1)"""
_NEXT_FOR_LOCK = """
SELECT id FROM jobs WHERE state = 'retry_waiting' AND waits_for = :waits_for
ORDER BY priority DESC, id LIMIT 5
"""
_LET_ONE_GO = """
UPDATE jobs SET state = 'pending', waits_for = NULL, next_attempt_at = {greatest}({now}, not_before)
WHERE id = :id AND state = 'retry_waiting' AND waits_for = :waits_for
"""
_LET_ALL_GO = """
UPDATE jobs SET state = 'pending', waits_for = NULL, next_attempt_at = {greatest}({now}, not_before)
WHERE state = 'retry_waiting' AND waits_for = :waits_for
"""


def waits_on(job_id: JobId, *, lock_key: str | None, has_ended: bool) -> dict[str, str]:
    """Return the names by which others wait for a job that stopped running: its lock, and its end if it has ended."""
    return {"lock": f"lock:{lock_key}" if lock_key else "", "job": f"job:{job_id}" if has_ended else ""}


def release_waiters(session: Session, job_id: JobId, *, lock_key: str | None, has_ended: bool) -> None:
    """Let go who waits for a job that stopped running: the next for its lock, all that wait for its end."""
    names = waits_on(job_id, lock_key=lock_key, has_ended=has_ended)
    if any(names.values()) and session.value(f"SELECT {FIRST_WAIT}", **names) is not None:
        let_go(session, names, lock_key=lock_key)


def let_go(session: Session, names: Mapping[str, str], *, lock_key: str | None) -> None:
    """Let go who waits by ``names``: the next for the lock, all that wait for the end."""
    if names["job"]:
        session.run(_LET_ALL_GO, waits_for=names["job"])
    if lock_key:
        release_lock(session, lock_key)


def release_lock(session: Session, lock_key: str) -> None:
    """Let the next job go that waits for ``lock_key``.

    One only: the others would lose against it. A waiter that leaves at the same moment is passed over.
    """
    waits_for = f"lock:{lock_key}"
    while waiting := session.rows(_NEXT_FOR_LOCK, waits_for=waits_for):
        for (job_id,) in waiting:
            if session.run(_LET_ONE_GO, id=job_id, waits_for=waits_for):
                return


def release_all(session: Session, waits_for: str) -> int:
    """Let every job go that waits for ``waits_for``; returns how many."""
    return session.run(_LET_ALL_GO, waits_for=waits_for)
