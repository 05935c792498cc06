"""Runs: a planner job that reads page by page and makes the jobs of a long action.

A planner pauses while many of its jobs are moving (DESIGN 5): a scan of a million records must not fill the ledger with
jobs hours before they can run. Jobs that wait for a person do not count: they would hold it up for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bridge.errors import DependencyNotReady, JobCancelled, LeaseLost, RecordMissing, StaleEvent, System
from bridge.ledger.acts import cancel
from bridge.ledger.database import Database, Session
from bridge.ledger.records import Job, JobId, Lengths, Progress, Run, RunId, Want
from bridge.ledger.shapes import Shape, from_json, to_json
from bridge.ledger.wants import want_in

_RUN = Shape(Run)
_MAX_ENTITY = 120

_START = f"""
INSERT INTO runs (instance, kind, args, state, created_at) VALUES (:instance, :kind, :args, 'planning', {{now}})
RETURNING {_RUN.columns}
"""
_PLANNER = "UPDATE runs SET planner_job_id = :job_id WHERE id = :id"
_OPEN_TWIN = f"""
SELECT {_RUN.columns} FROM runs WHERE planner_job_id = :job_id AND state = 'planning' ORDER BY id DESC LIMIT 1
"""
_GET = f"SELECT {_RUN.columns} FROM runs WHERE id = :id"
_LIST = f"SELECT {_RUN.columns} FROM runs"
_OF_PLANNER = (
    "SELECT id FROM runs WHERE planner_job_id = :job_id AND state = 'planning' ORDER BY id DESC LIMIT 1"
)
_WAS_PLANNED = "SELECT id FROM runs WHERE planner_job_id = :job_id AND state IN ('working', 'done') LIMIT 1"
_PAGE = f"""
UPDATE runs SET cursor = coalesce(:cursor, cursor), planned = planned + :planned, folded = folded + :folded,
    seen = seen + :seen, state = CASE WHEN :is_last THEN 'working' ELSE state END
WHERE id = :id AND state = 'planning'
RETURNING {_RUN.columns}
"""
#: The planner's own end makes it ``pending`` once more, as an event that came while it ran would.
_ONCE_MORE = (
    "UPDATE jobs SET wanted = wanted + 1 WHERE id = :id AND fence = :fence AND {state_of_row} = 'running'"
)
_STILL_OURS = """
SELECT cancel_requested FROM jobs WHERE id = :id AND fence = :fence AND {state_of_row} = 'running' {for_update}
"""
_COUNT = "SELECT state, count(*) FROM jobs WHERE run_id = :id GROUP BY state"
_MOVING = """
SELECT count(*) FROM jobs WHERE run_id = :id AND state IN ('pending', 'queued', 'running', 'retry_waiting')
"""
_DONE = "UPDATE runs SET state = 'done', finished_at = {now} WHERE id = :id AND state = 'working'"
_CANCEL = """
UPDATE runs SET state = 'cancelled', finished_at = {now} WHERE id = :id AND state IN ('planning', 'working')
"""


class Runs:
    """The runs of the ledger."""

    def __init__(self, database: Database, *, lengths: Lengths) -> None:
        self._database = database
        self._lengths = lengths

    def start(
        self,
        instance: str,
        kind: str,
        args: Mapping[str, Any],
        *,
        queue: str = "upkeep",
        priority: int = 40,
        systems: frozenset[System] = frozenset(),
        lock_key: str | None = None,
    ) -> Run:
        """Start a run: its planner becomes a job of ``kind``. The same run that still plans is returned instead."""
        want = Want(
            instance=instance,
            kind=kind,
            entity=_entity(args),
            queue=queue,
            priority=priority,
            systems=systems,
            lock_key=lock_key,
            data=args,
        )

        def work(session: Session) -> Run:
            (planner,) = want_in(session, [want])
            if planner.folded and (row := session.row(_OPEN_TWIN, job_id=planner.job_id)):
                return _RUN.read(row)
            row = session.row(_START, instance=instance, kind=kind, args=to_json(args))
            run = replace(_RUN.read(row or ()), planner_job_id=planner.job_id)
            session.run(_PLANNER, id=run.id, job_id=planner.job_id)
            return run

        return self._database.write(work, on_conflict_again=True)

    def of_planner(self, job: Job) -> Run | None:
        """Return the run that ``job`` plans, or None. Every planner begins with it.

        Raises:
            StaleEvent: it is planned to its end: the same run was started once more during its last page.
            DependencyNotReady: so many jobs of the run are moving that the planner waits.
        """
        with self._database.read() as session:
            run_id = session.value(_OF_PLANNER, job_id=job.id)
            moving = 0 if run_id is None else int(session.value(_MOVING, id=run_id))
            if run_id is None and session.value(_WAS_PLANNED, job_id=job.id):
                raise StaleEvent
        if moving >= self._lengths.run_most_moving:
            raise DependencyNotReady(
                f"{moving} jobs of this run are still moving; it plans more when they are fewer.",
                waits_for=f"run:{run_id}",
                retry_after=self._lengths.run_pause_seconds,
            )
        return None if run_id is None else self.get(RunId(run_id))

    def page(
        self, job: Job, run_id: RunId, *, cursor: Mapping[str, Any] | None, wants: Sequence[Want], seen: int
    ) -> Run:
        """Write a page's jobs, the cursor, and that the planner goes on, in one transaction.

        ``cursor`` is where the next page begins; None says that this one was the last. The planner then ends its
        attempt as done, and runs again for the next page.

        Raises:
            LeaseLost: another worker plans now; nothing was written.
            JobCancelled: the run was cancelled; nothing was written.
        """
        children = [replace(want, run_id=run_id) for want in wants]

        def work(session: Session) -> Run:
            found = session.row(_STILL_OURS, id=job.id, fence=job.fence)
            if found is None:
                raise LeaseLost(job_id=job.id)
            if found[0]:
                raise JobCancelled(job_id=job.id)
            written = want_in(session, children)
            row = session.row(
                _PAGE,
                id=run_id,
                cursor=to_json(cursor),
                planned=sum(one.created for one in written),
                folded=sum(one.folded for one in written),
                seen=seen,
                is_last=cursor is None,
            )
            if row is None:
                raise JobCancelled(f"Run {run_id} does not plan any more.", job_id=job.id)
            if cursor is not None:
                session.run(_ONCE_MORE, id=job.id, fence=job.fence)
            return _RUN.read(row)

        return self._database.write(work, on_conflict_again=True)

    def progress(self, run_id: RunId) -> Progress:
        """Return a run with its jobs counted by state; notes its end when nothing is open any more."""

        def look(session: Session) -> Progress:
            run = _read(session, run_id)
            return Progress(run=run, jobs=dict(session.rows(_COUNT, id=run_id)))

        with self._database.read() as session:
            found = look(session)
        if found.run.state != "working" or found.open:
            return found
        self._database.command(_DONE, id=run_id)
        with self._database.read() as session:
            return look(session)

    def cancel(self, run_id: RunId) -> Run:
        """Stop planning; jobs that were made already stay."""

        def work(session: Session) -> Run:
            run = _read(session, run_id)
            if session.run(_CANCEL, id=run_id) and run.planner_job_id and run.state == "planning":
                cancel(session, JobId(run.planner_job_id))
            return _read(session, run_id)

        return self._database.write(work)

    def get(self, run_id: RunId) -> Run | None:
        """Return a run, or None."""
        with self._database.read() as session:
            row = session.row(_GET, id=run_id)
        return _RUN.read(row) if row else None

    def list(self, *, instance: str | None = None, kind: str | None = None, limit: int = 50) -> list[Run]:
        """Return runs, newest first."""
        equal = {name: value for name, value in (("instance", instance), ("kind", kind)) if value}
        where = f" WHERE {' AND '.join(f'{name} = :{name}' for name in equal)}" if equal else ""
        params: dict[str, Any] = {"limit": limit, **equal}
        with self._database.read() as session:
            return _RUN.read_all(session.rows(f"{_LIST}{where} ORDER BY id DESC LIMIT :limit", **params))


def _read(session: Session, run_id: RunId) -> Run:
    row = session.row(_GET, id=run_id)
    if row is None:
        raise RecordMissing(f"There is no run {run_id}.")
    return _RUN.read(row)


def _entity(args: Mapping[str, Any]) -> str:
    """Return the planner's entity: the same arguments are the same work."""
    text = to_json(dict(sorted(args.items()))) or "{}"
    if not from_json(text):
        return "all"
    return text if len(text) <= _MAX_ENTITY else hashlib.sha256(text.encode()).hexdigest()
