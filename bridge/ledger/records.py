"""Records of the job engine: what its queries take and give.

Frozen values; times are UTC, by the database's clock. What the ledger knows about the two worlds is in ``facts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NewType

from bridge.errors import System

JobId = NewType("JobId", int)
RunId = NewType("RunId", int)

JobState = Literal["pending", "queued", "running", "retry_waiting", "blocked", "done", "failed", "cancelled"]
RunState = Literal["planning", "working", "done", "cancelled"]

#: States of a job that still has something before it; at most one such job per collision key.
OPEN_STATES: tuple[JobState, ...] = ("pending", "queued", "running", "retry_waiting", "blocked")
#: States in which a job stays unless a person acts.
ENDED_STATES: tuple[JobState, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """Durations and limits of the ledger, injected so that tests and the demo can shorten them."""

    #: How long a worker may hold a job without renewing its lease.
    lease_seconds: float = 60.0
    #: Length of one backoff unit (see ``bridge.retry``); also used when a lease was lost twice.
    backoff_unit_seconds: float = 60.0
    #: How long a dispatched message may stay unclaimed before it counts as lost; doubles each time.
    message_patience_seconds: float = 30.0
    #: After this long a job that waits for a lock or a job looks again by itself: a safety net only.
    wait_patience_seconds: float = 300.0
    #: How many jobs of a run may be moving before its planner pauses, and for how long it then does. A worker should
    #: not get through so many in that time.
    run_most_moving: int = 500
    run_pause_seconds: float = 15.0
    #: Failures in a row after which a system's breaker opens.
    breaker_failures: int = 5
    #: How long an open breaker keeps jobs back before one may try; doubles up to the maximum.
    breaker_open_seconds: float = 30.0
    breaker_max_seconds: float = 600.0
    #: How long one trying job may take before another one may try.
    breaker_probe_seconds: float = 120.0
    #: Lost leases and transient errors after which a job fails.
    max_attempts: int = 12
    #: Retention of the bodies and of the metadata of exchanges, and of events.
    body_days: int = 14
    metadata_days: int = 180
    #: Retention of a confirmed effect's request.
    request_days: int = 14
    #: Retention of the lines of a drift check; its figures stay.
    drift_days: int = 7


@dataclass(frozen=True, kw_only=True)
class Want:
    """Work that is wanted: becomes a job, or folds into the open job for the same work."""

    instance: str
    kind: str
    #: What the work is about, as text: an entity id, an increment id, a SKU.
    entity: str
    #: The Celery queue it runs in (``bridge.topology.TASK_QUEUES``).
    queue: str
    #: Jobs with the same key never run at the same time; the instance is added to it.
    lock_key: str | None = None
    #: Higher runs sooner.
    priority: int = 50
    #: The systems it will call: for breakers and ``max_parallel``.
    systems: frozenset[System] = frozenset()
    data: Mapping[str, Any] = field(default_factory=dict)
    #: The version the event named, as text that sorts by time.
    version: str | None = None
    #: What people call the entity, where that is known already: an order's number.
    label: str | None = None
    #: The job is not started sooner than this.
    not_before_seconds: float = 0.0
    run_id: RunId | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What became of a want."""

    job_id: JobId
    #: A job was made for it.
    created: bool
    #: An open job for the same work was there and takes it along.
    folded: bool


@dataclass(frozen=True, kw_only=True)
class Job:
    """A durable unit of work, as last read."""

    id: JobId
    instance: str
    kind: str
    entity: str
    #: What people call the entity, once it is known: an order's number.
    label: str | None
    external_key: str
    queue: str
    #: With the instance in front, or None.
    lock_key: str | None
    priority: int
    systems: frozenset[str]
    data: Mapping[str, Any]
    version: str | None
    state: JobState
    #: How often the work was wanted, and how much of that the last claim covers.
    wanted: int
    claimed: int
    #: Retries that counted towards ``max_attempts``.
    retry_count: int
    #: Number of the attempt, from 1; 0 before the first.
    attempt: int
    next_attempt_at: datetime
    #: What a ``retry_waiting`` job waits for, if not for time alone: ``lock:``, ``job:``, ``doubt:`` ...
    waits_for: str | None
    #: What the operator must mend for a ``blocked`` job to go on by itself.
    cause: str | None
    worker: str | None
    #: Random proof of the claim; None when the job does not run.
    fence: str | None
    lease_until: datetime | None
    cancel_requested: bool
    error_code: str | None
    #: The last attempt's error in plain English.
    error: str | None
    #: What to do about it.
    help: str | None
    #: For developers; never shown to operators by default.
    trace: str | None
    result: Mapping[str, Any] | None
    run_id: RunId | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class JobError:
    """An error as it is kept with a job."""

    code: str
    message: str
    help: str | None = None
    trace: str | None = None
    #: The system that failed, if one: while its breaker is open the attempt does not count.
    system: System | None = None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One execution of a job."""

    job_id: JobId
    number: int
    worker: str | None
    started_at: datetime
    ended_at: datetime
    #: The state the job went to, or ``lost`` when its lease ran out.
    outcome: str
    error_code: str | None
    error: str | None
    help: str | None
    trace: str | None


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The answer to a renewal."""

    #: False: another worker may hold the job now, write nothing more.
    ok: bool
    cancel_requested: bool
    #: How long the lease still lasts.
    seconds_left: float


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a person's act did to a job."""

    job_id: JobId
    #: The job's state now.
    state: JobState
    #: Whether the act had any effect.
    changed: bool
    #: The open job for the same work that took a failed one along.
    folded_into: JobId | None = None
    #: Plain English: what happened, or why nothing did.
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A long action: a planner job and the jobs it makes."""

    id: RunId
    instance: str
    kind: str
    args: Mapping[str, Any]
    state: RunState
    #: Where the planner goes on; None at the start.
    cursor: Mapping[str, Any] | None
    #: Jobs made, wants that folded into open jobs, records seen.
    planned: int
    folded: int
    seen: int
    planner_job_id: JobId | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: its row and its jobs counted by state."""

    run: Run
    jobs: Mapping[str, int]

    @property
    def open(self) -> int:
        """Jobs of the run that still have something before them."""
        return sum(self.jobs.get(state, 0) for state in OPEN_STATES)

    def rate(self, now: datetime) -> float:
        """Return how many records a second it has seen, from its start to its end, or to ``now``."""
        seconds = ((self.run.finished_at or now) - self.run.created_at).total_seconds()
        return self.run.seen / max(seconds, 1.0)


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """Whether calls to a system are held back after failures."""

    instance: str
    system: str
    is_open: bool
    failures: int
    opened_at: datetime | None
    #: When one job may try again.
    retry_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A person's order to start nothing: of one instance or flow, or of all (None)."""

    instance: str | None
    flow: str | None
    by: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process of the bridge that is alive, or was."""

    name: str
    role: str
    started_at: datetime
    beat_at: datetime
    #: Seconds since the last beat, by the database's clock.
    age_seconds: float
