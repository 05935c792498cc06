"""The end of an attempt: one short transaction, guarded by the fence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.ledger.breakers import open_for_seconds
from bridge.ledger.causes import is_gone
from bridge.ledger.database import Session
from bridge.ledger.dialects import json_rows, to_text
from bridge.ledger.exchanges import ExchangeRow, write_in
from bridge.ledger.records import ENDED_STATES, Job, JobError, Lengths
from bridge.ledger.shapes import to_json
from bridge.ledger.waits import FIRST_WAIT, FIRST_WAIT_OF_ALL, IN_DOUBT, let_go, waits_on
from bridge.ledger.wants import lock_name
from bridge.retry import Decision

#: A request to cancel is obeyed at the attempt's end, but never in a doubt: what was sent must first be known.
_STOPS = f"(cancel_requested AND NOT {IN_DOUBT})"
#: What came while the job ran makes it run once more, whatever became of this attempt. A request to cancel
#: covers what was wanted until then (``claimed`` was raised by it); what was wanted later still counts.
_END = f"""
UPDATE jobs SET
    state = CASE WHEN wanted > claimed THEN 'pending' WHEN {_STOPS} AND :state <> 'done' THEN 'cancelled'
        ELSE :state END,
    retry_count = CASE WHEN wanted > claimed THEN 0 ELSE retry_count + :count END,
    next_attempt_at = CASE WHEN wanted > claimed THEN {{greatest}}({{now}}, not_before) ELSE next_attempt_at END,
    finished_at = CASE WHEN wanted > claimed OR (:state = 'blocked' AND NOT {_STOPS}) THEN NULL
        ELSE {{now}} END,
    cause = CASE WHEN wanted > claimed THEN NULL ELSE :cause END,
    waits_for = NULL, fence = NULL, lease_until = NULL, cancel_requested = false,
    error_code = :error_code, error = :error, help = :help, trace = :trace, result = coalesce(:result, result),
    label = coalesce(:label, label)
WHERE id = :id AND fence = :fence AND {{state_of_row}} = 'running'
RETURNING state
"""
_IN_DOUBT = f"SELECT 1 FROM jobs WHERE id = :id AND {IN_DOUBT}"
_RETRY = """
UPDATE jobs SET
    state = CASE WHEN NOT cancel_requested OR :is_doubt THEN :state
        WHEN wanted > claimed THEN 'pending' ELSE 'cancelled' END,
    retry_count = retry_count + :count,
    next_attempt_at = {greatest}({later::delay}, not_before),
    finished_at = CASE WHEN cancel_requested AND NOT :is_doubt AND wanted <= claimed THEN {now} ELSE NULL END,
    cause = NULL, waits_for = CASE WHEN cancel_requested AND NOT :is_doubt THEN NULL ELSE :waits_for END,
    fence = NULL, lease_until = NULL,
    cancel_requested = cancel_requested AND :is_doubt AND wanted <= claimed,
    error_code = :error_code, error = :error, help = :help, trace = :trace, label = coalesce(:label, label)
WHERE id = :id AND fence = :fence AND {state_of_row} = 'running'
RETURNING state
"""
#: One statement with the look at who waits. It comes after ``_END`` or ``_RETRY`` and sees what these waited for: a job
#: that began to wait holds our row until then (``claims``).
_ATTEMPT = f"""
INSERT INTO attempts (job_id, number, worker, started_at, ended_at, outcome, error_code, error, help, trace)
VALUES (:id, :number, :worker, :started_at, {{now}}, :outcome, :error_code, :error, :help, :trace)
RETURNING {FIRST_WAIT}
"""
#: ``_END`` for several attempts that came to ``done``. The rows are locked in the order in which intake locks them.
_DONE = """
UPDATE jobs SET
    state = CASE WHEN wanted > claimed THEN 'pending' ELSE 'done' END,
    retry_count = CASE WHEN wanted > claimed THEN 0 ELSE retry_count END,
    next_attempt_at = CASE WHEN wanted > claimed THEN {greatest}({now}, not_before) ELSE next_attempt_at END,
    finished_at = CASE WHEN wanted > claimed THEN NULL ELSE {now} END,
    cause = NULL, waits_for = NULL, fence = NULL, lease_until = NULL, cancel_requested = false,
    error_code = NULL, error = NULL, help = NULL, trace = NULL,
    result = coalesce(e.result, jobs.result), label = coalesce(e.label, jobs.label)
FROM {rows ends e(id bigint, fence text, result text, label text)},
    (SELECT id FROM jobs WHERE id {any ids bigint} AND {state_of_row} = 'running'
        ORDER BY external_key {for_update}) mine
WHERE jobs.id = e.id AND jobs.id = mine.id AND jobs.fence = e.fence
RETURNING jobs.id, jobs.state
"""
_DONE_ATTEMPTS = f"""
INSERT INTO attempts (job_id, number, worker, started_at, ended_at, outcome)
SELECT a.job_id, a.number, a.worker, CAST(a.started_at AS {{timestamp}}), {{now}}, 'done'
FROM {{rows attempts a(job_id bigint, number bigint, worker text, started_at text)}}
WHERE true
RETURNING {FIRST_WAIT_OF_ALL}
"""
_LOCK = "SELECT id FROM jobs WHERE id = :id AND fence = :fence AND {state_of_row} = 'running' {for_update}"
_HOLDER = "SELECT id FROM jobs WHERE lock_key = :lock AND state = 'running' AND id <> :id {for_share}"
_SETTLED = "SELECT state IN ('confirmed', 'intended') FROM effects WHERE key = :key {for_share}"
_OPEN_JOB = """
SELECT id FROM jobs WHERE id = :id AND state IN ('pending', 'queued', 'running', 'retry_waiting', 'blocked')
{for_share}
"""


@dataclass(frozen=True, kw_only=True)
class End:
    """How an attempt ended, as the runner reports it."""

    decision: Decision
    error: JobError | None
    result: Mapping[str, Any] | None
    #: What people call the job's entity, where the attempt has learned it.
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """An attempt that came to its end without an error, and its exchanges."""

    job: Job
    end: End
    exchanges: Sequence[ExchangeRow] = ()


def finish_done_in(session: Session, dones: Sequence[Done]) -> list[str | None]:
    """Write the ends of attempts that came to ``done``; the new state of each, None where the lease was lost."""
    ends = [
        {
            "id": one.job.id,
            "fence": one.job.fence,
            "result": to_json(one.end.result),
            "label": one.end.label,
        }
        for one in dones
    ]
    states: dict[int, str] = dict(
        session.rows(_DONE, ends=json_rows(ends), ids=[one.job.id for one in dones])
    )
    ended = [one for one in dones if one.job.id in states]
    if ended:
        _add_attempts(session, ended, states)
        write_in(session, [row for one in ended for row in one.exchanges])
    return [states.get(one.job.id) for one in dones]


def _add_attempts(session: Session, ended: Sequence[Done], states: Mapping[int, str]) -> None:
    """Write the attempts, and let go who waits for the jobs: in one statement with the look at who does."""
    names = {
        one.job.id: waits_on(
            one.job.id, lock_key=one.job.lock_key, has_ended=states[one.job.id] in ENDED_STATES
        )
        for one in ended
    }
    attempts = [
        {
            "job_id": one.job.id,
            "number": one.job.attempt,
            "worker": one.job.worker,
            "started_at": to_text(one.job.started_at) if one.job.started_at else None,
        }
        for one in ended
    ]
    waits = [name for both in names.values() for name in both.values() if name]
    if session.value(_DONE_ATTEMPTS, attempts=json_rows(attempts), waits=waits) is not None:
        for one in ended:
            let_go(session, names[one.job.id], lock_key=one.job.lock_key)


def finish_in(session: Session, job: Job, end: End, *, lengths: Lengths) -> str | None:
    """Write the end of ``job``'s attempt within the session's transaction; the new state, or None.

    None means that the lease was lost: nothing was written.
    """
    decision = end.decision
    if decision.state in {"retry_waiting", "blocked"} or decision.uses_attempt:
        if session.row(_LOCK, id=job.id, fence=job.fence) is None:
            return None
        decision = _reconsidered(session, job, end, lengths=lengths)
    state = _write(session, job, end, decision)
    if state is None:
        return None
    names = waits_on(job.id, lock_key=job.lock_key, has_ended=state in ENDED_STATES)
    waiting = session.value(
        _ATTEMPT,
        id=job.id,
        number=job.attempt,
        worker=job.worker,
        started_at=job.started_at,
        outcome=decision.state,
        **_error_columns(end.error),
        **names,
    )
    if waiting is not None:
        let_go(session, names, lock_key=job.lock_key)
    return state


def _write(session: Session, job: Job, end: End, decision: Decision) -> str | None:
    common: dict[str, Any] = {
        "id": job.id,
        "fence": job.fence,
        "count": int(decision.uses_attempt),
        "label": end.label,
        **_error_columns(end.error),
    }
    if decision.state == "retry_waiting":
        waits_for = _with_instance(decision.waits_for, job.instance)
        # Without a wait of its own (what it waits for is over) the job goes on at once.
        goes_on = waits_for is None and decision.delay_seconds <= 0 and not decision.uses_attempt
        row = session.row(
            _RETRY,
            state="pending" if goes_on else "retry_waiting",
            delay=float(decision.delay_seconds),
            waits_for=waits_for,
            is_doubt=bool(waits_for and waits_for.startswith("doubt:"))
            or session.row(_IN_DOUBT, id=job.id) is not None,
            **common,
        )
    else:
        row = session.row(
            _END, state=decision.state, cause=decision.cause, result=to_json(end.result), **common
        )
    return None if row is None else str(row[0])


def _reconsidered(session: Session, job: Job, end: End, *, lengths: Lengths) -> Decision:
    """Return the decision as the ledger knows better: a wait that is over, a cause that is gone, an open breaker."""
    decision = end.decision
    if decision.uses_attempt and end.error and end.error.system:
        seconds = open_for_seconds(session, job.instance, end.error.system)
        if seconds is not None:
            return Decision(
                state="retry_waiting",
                delay_seconds=max(
                    seconds, decision.delay_seconds if decision.state == "retry_waiting" else 0
                ),
                waits_for=f"breaker:{job.instance}:{end.error.system}",
            )
    if decision.state == "blocked" and decision.cause and is_gone(session, job, decision.cause):
        return Decision(state="retry_waiting")
    if decision.state != "retry_waiting" or not decision.waits_for:
        return decision
    kind, _, name = (_with_instance(decision.waits_for, job.instance) or "").partition(":")
    if kind == "lock":
        held = session.row(_HOLDER, lock=name, id=job.id) is not None
    elif kind == "job" and name.isdigit():
        held = session.row(_OPEN_JOB, id=int(name)) is not None
    elif kind == "mapping":
        held = not is_gone(session, job, decision.waits_for)
    elif kind == "doubt" and session.value(_SETTLED, key=name):
        # Another attempt has told meanwhile what became of it; else a doubt has its own time.
        held = False
    else:
        return decision
    if not held:
        return Decision(state="retry_waiting")
    return replace(decision, delay_seconds=max(decision.delay_seconds, lengths.wait_patience_seconds))


def _with_instance(waits_for: str | None, instance: str) -> str | None:
    """Return a wait for a lock with the lock's full name."""
    if waits_for and waits_for.startswith("lock:") and not waits_for.startswith(f"lock:{instance}:"):
        return f"lock:{lock_name(instance, waits_for.removeprefix('lock:'))}"
    return waits_for


def _error_columns(error: JobError | None) -> dict[str, str | None]:
    if error is None:
        return {"error_code": None, "error": None, "help": None, "trace": None}
    return {"error_code": error.code, "error": error.message, "help": error.help, "trace": error.trace}
