"""The job engine's queries: DESIGN's table of states and transitions, each in one short transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bridge.ledger import acts, claims, recovery
from bridge.ledger.causes import mark_released, release_cause
from bridge.ledger.claims import JOB, Claim
from bridge.ledger.database import Conflict, Database, Session
from bridge.ledger.dispatch import Dispatcher
from bridge.ledger.exchanges import Exchanges, add_in, rows_of
from bridge.ledger.finishing import Done, End, finish_done_in, finish_in
from bridge.ledger.records import (
    Attempt,
    Change,
    Job,
    JobError,
    JobId,
    Lease,
    Lengths,
    RunId,
    Want,
    Wanted,
)
from bridge.ledger.shapes import Shape
from bridge.ledger.together import Together
from bridge.ledger.wants import want_in
from bridge.retry import Decision
from bridge.wire import Exchange

_ATTEMPT = Shape(Attempt)
_GET = f"SELECT {JOB.columns} FROM jobs WHERE id = :id"
_ATTEMPTS = f"SELECT {_ATTEMPT.columns} FROM attempts WHERE job_id = :id ORDER BY number"
_OPEN_COUNTS = """
SELECT state, count(*) FROM jobs WHERE state IN ('pending', 'queued', 'running', 'retry_waiting', 'blocked')
    AND (CAST(:instance AS text) IS NULL OR instance = :instance) GROUP BY state
UNION ALL
SELECT 'failed', count(*) FROM jobs WHERE state = 'failed'
    AND (CAST(:instance AS text) IS NULL OR instance = :instance)
"""
_ENDED_COUNTS = """
SELECT state, count(*) FROM jobs WHERE state IN ('done', 'cancelled')
    AND (CAST(:instance AS text) IS NULL OR instance = :instance) GROUP BY state
"""
#: Claims, or ends of attempts, that one transaction takes at most.
_MOST_TOGETHER = 50


class Jobs:
    """The jobs of the ledger."""

    def __init__(self, database: Database, *, exchanges: Exchanges, lengths: Lengths) -> None:
        self._database = database
        self._exchanges = exchanges
        self._lengths = lengths
        self._dispatcher = Dispatcher(database, lengths=lengths)
        self._claims: Together[Claim, Job | None] = Together(self.claim_at_once, most=_MOST_TOGETHER)
        self._ends: Together[Done, str | None] = Together(self.finish_done, most=_MOST_TOGETHER)

    def want(self, wants: Sequence[Want]) -> list[Wanted]:
        """Make jobs of ``wants``, or fold them into open jobs for the same work; one statement."""
        return self._database.write(lambda session: want_in(session, wants), on_conflict_again=True)

    def dispatch(self, queue_room: Mapping[str, int], *, limit: int) -> list[tuple[JobId, str]]:
        """Mark the next due jobs ``queued`` and return them with their queues, in the order to send them.

        ``queue_room`` is how many more messages each queue may hold (see ``queued``). Jobs whose lease or message was lost come back here, too.
        """
        return self._dispatcher.dispatch(queue_room, limit=limit)

    def queued(self) -> dict[str, int]:
        """Return how many messages each queue should hold now."""
        return self._dispatcher.queued()

    def claim(self, job_id: JobId, *, worker: str, max_runtime_seconds: float) -> Job | None:
        """Take a queued job to run it; None when there is nothing to run now."""
        wanted = Claim(job_id=job_id, worker=worker, max_runtime_seconds=max_runtime_seconds)
        try:
            job = self._claims.write(wanted)
        except Conflict:
            job = None
        return job or claims.claim_or_wait(self._database, wanted, lengths=self._lengths)

    def claim_at_once(self, wanted: Sequence[Claim]) -> list[Job | None]:
        """Take several queued jobs in one statement; None for each that was not to be had so.

        ``claim`` gathers here what is claimed at the same time.

        Raises:
            Conflict: the lock of one of them is held, so that none was taken.
        """
        return claims.claim_at_once(self._database, wanted, lengths=self._lengths)

    def renew(self, job: Job) -> Lease:
        """Prolong a running job's lease, though not beyond its longest run time."""
        return claims.renew(self._database, job, lengths=self._lengths)

    def finish(
        self,
        job: Job,
        decision: Decision,
        *,
        error: JobError | None = None,
        exchanges: Sequence[Exchange] = (),
        result: Mapping[str, Any] | None = None,
        label: str | None = None,
        wants: Sequence[Want] = (),
    ) -> str | None:
        """End an attempt in one transaction and return the job's new state; None when the lease was lost.

        ``label`` is what people call the job's entity, where the attempt has learned it. ``wants`` is follow-up work that must exist exactly when this job has ended. For an error of a
        system call ``breakers.failure`` first: while its breaker is open the attempt does not count.
        """
        if decision.state == "lost" or job.fence is None:
            return None
        end = End(decision=decision, error=error, result=result, label=label)
        if decision.state == "done" and error is None and not wants:
            rows = rows_of(job.instance, exchanges, job_id=job.id, attempt=job.attempt)
            return self._ends.write(Done(job=job, end=end, exchanges=rows))

        def work(session: Session) -> str | None:
            state = finish_in(session, job, end, lengths=self._lengths)
            if state is not None:
                want_in(session, wants)
                add_in(session, job.instance, exchanges, job_id=job.id, attempt=job.attempt)
            return state

        return self._exchanges.writing(work, on_conflict_again=True)

    def finish_done(self, dones: Sequence[Done]) -> list[str | None]:
        """End attempts that came to ``done``, all in one transaction; the new state of each, or None.

        ``finish`` gathers here what ends at the same time.
        """
        return self._exchanges.writing(lambda session: finish_done_in(session, dones))

    def get(self, job_id: JobId) -> Job | None:
        """Return a job, or None."""
        with self._database.read() as session:
            row = session.row(_GET, id=job_id)
        return JOB.read(row) if row else None

    def attempts(self, job_id: JobId) -> list[Attempt]:
        """Return the attempts of a job, oldest first."""
        with self._database.read() as session:
            return _ATTEMPT.read_all(session.rows(_ATTEMPTS, id=job_id))

    def list(
        self,
        *,
        instance: str | None = None,
        states: Sequence[str] = (),
        kind: str | None = None,
        entity: str | None = None,
        label: str | None = None,
        external_key: str | None = None,
        run_id: RunId | None = None,
        since: datetime | None = None,
        before: JobId | None = None,
        limit: int = 50,
    ) -> list[Job]:
        """Return jobs, newest first; ``before`` is the id of the last one of the page before."""
        where, params = ["true"], {"limit": limit}  # type: tuple[list[str], dict[str, Any]]
        equal = {
            "instance": instance,
            "kind": kind,
            "entity": entity,
            "label": label,
            "external_key": external_key,
            "run_id": run_id,
        }
        for name, value in equal.items():
            if value is not None:
                where.append(f"{name} = :{name}")
                params[name] = value
        if states:
            names = [f"state{number}" for number in range(len(states))]
            where.append(f"state IN ({', '.join(':' + name for name in names)})")
            params.update(zip(names, states, strict=True))
        if since is not None:
            where.append("created_at >= :since")
            params["since"] = since
        if before is not None:
            where.append("id < :before")
            params["before"] = before
        sql = f"SELECT {JOB.columns} FROM jobs WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT :limit"
        with self._database.read() as session:
            return JOB.read_all(session.rows(sql, **params))

    def counts(self, *, instance: str | None = None, ended: bool = True) -> dict[str, int]:
        """Return how many jobs are in each state; without ``ended`` cheap, however many have ended."""
        with self._database.read() as session:
            rows = session.rows(_OPEN_COUNTS, instance=instance)
            if ended:
                rows += session.rows(_ENDED_COUNTS, instance=instance)
        return {state: number for state, number in rows if number}

    def retry(self, job_id: JobId) -> Change:
        """Make a job run again that waits, is blocked or has failed, at a person's wish."""
        return self._database.write(lambda session: acts.retry(session, job_id), on_conflict_again=True)

    def cancel(self, job_id: JobId) -> Change:
        """Cancel a job at a person's wish; a running one is asked to stop before its next write."""
        return self._database.write(lambda session: acts.cancel(session, job_id))

    def release(self, instance: str, cause: str) -> int:
        """Let the jobs go on that ``cause`` held back, since it has been mended; returns how many.

        A doubt is no such cause: nobody can shorten it.
        """
        if cause.startswith(("doubt:", "lock:", "job:")):
            return 0

        def work(session: Session) -> int:
            mark_released(session, instance, cause)
            return release_cause(session, instance, cause)

        return self._database.write(work)

    def recover(self, *, worker_prefix: str) -> int:
        """Take up at once the running jobs of workers known to be dead: embedded mode after a restart."""
        return self._database.write(
            lambda session: recovery.recover_of_worker(session, worker_prefix, lengths=self._lengths)
        )

    def recover_expired(self) -> int:
        """Take up the jobs whose lease is over; the dispatcher does so by itself."""
        return self._database.write(lambda session: recovery.recover_expired(session, lengths=self._lengths))
