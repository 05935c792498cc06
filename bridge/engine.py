"""Runs one job: claim, build its world, run its flow, decide, finish. The only place that catches everything."""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from bridge.advice import help_for
from bridge.errors import (
    BridgeError,
    LeaseLost,
    PermanentError,
    RateLimited,
    ServiceUnavailable,
)
from bridge.flows.catalog import FLOWS, Run
from bridge.flows.context import BELIEVED_SECONDS, FlowContext
from bridge.flows.reference import ReferenceCache
from bridge.flows.systems import Systems
from bridge.ledger import Instance, Job, JobError, JobId, KnownStores, Ledger
from bridge.masking import mask_text
from bridge.retry import Decision, decide

log = structlog.get_logger()

#: Traces are for developers and are cut to this length.
MAX_TRACE_CHARACTERS = 8000
#: No lease is renewed beyond this: no job is meant to last over a minute.
MAX_RUNTIME_SECONDS = 300.0


@dataclass
class Runtime:
    """What a process needs to run jobs. Made once, in ``bridge.bootstrap``."""

    ledger: Ledger
    backoff_unit_seconds: float = 60.0
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    cache: ReferenceCache = field(default_factory=ReferenceCache)
    #: Called after a job has ended, so that the dispatcher looks for what may run now.
    ended: Callable[[], None] = lambda: None
    systems: Systems = field(init=False)
    _instances: dict[str, tuple[float, Instance]] = field(default_factory=dict)
    _stores: dict[str, tuple[float, KnownStores]] = field(default_factory=dict)
    _keeper: LeaseKeeper | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Make the clients' pool: no call may last longer than half a lease, or it could outlive it."""
        self.systems = Systems(longest_call_seconds=self.ledger.lengths.lease_seconds / 2)

    def instance(self, name: str, *, believed_seconds: float = BELIEVED_SECONDS) -> Instance:
        """Return the instance ``name``, read at most a few seconds ago; just now while Odoo may change its id."""
        known = self._instances.get(name)
        is_young = known is not None and time.monotonic() - known[0] < min(believed_seconds, BELIEVED_SECONDS)
        if known is not None and is_young and known[1].is_anchored:
            return known[1]
        asked_at = time.monotonic()
        instance = self.ledger.instances.get(name)
        self._instances[name] = (asked_at, instance)
        return instance

    def stores(self, name: str, *, believed_seconds: float = BELIEVED_SECONDS) -> KnownStores:
        """Return the stores of the instance ``name`` with their settings, read at most a few seconds ago."""
        known = self._stores.get(name)
        if known is not None and time.monotonic() - known[0] < min(believed_seconds, BELIEVED_SECONDS):
            return known[1]
        asked_at = time.monotonic()
        stores = self.ledger.stores.known(name)
        self._stores[name] = (asked_at, stores)
        return stores

    def forget_instances(self) -> None:
        """Read every instance's settings and stores anew at the next use."""
        self._instances.clear()
        self._stores.clear()

    @property
    def keeper(self) -> LeaseKeeper:
        """The thread that renews the leases of this process's jobs."""
        with self._lock:
            if self._keeper is None:
                self._keeper = LeaseKeeper(self.ledger)
            return self._keeper

    def close(self) -> None:
        """Stop renewing leases and close the clients' connections."""
        with self._lock:
            if self._keeper is not None:
                self._keeper.stop()
                self._keeper = None
        self.systems.close()


class Held:
    """A job that this process runs, and what the ledger last said of its lease."""

    def __init__(self, ledger: Ledger, job: Job) -> None:
        self.job = job
        self._ledger = ledger
        self._lost = False
        self._until = time.monotonic() + ledger.lengths.lease_seconds

    def renew(self) -> None:
        """Prolong the lease and note what the ledger says of it."""
        asked_at = time.monotonic()
        lease = self._ledger.jobs.renew(self.job)
        # By our own clock, from before the question: never later than the ledger's end of the lease.
        self._until = asked_at + lease.seconds_left
        self._lost = not lease.ok

    def stay(self, seconds: float = 0.0) -> None:
        """Make sure that the lease lasts ``seconds`` more: a request must end before it does (DESIGN 6).

        A person's request to stop is obeyed by the ledger, before the next effect.

        Raises:
            LeaseLost: another worker may hold the job, or will before the request has ended.
        """
        if not self._lost and self._until - time.monotonic() < seconds:
            self.renew()
        if self._lost or self._until - time.monotonic() < seconds:
            raise LeaseLost


class LeaseKeeper:
    """Renews the leases of the jobs that run in this process, from one thread."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._every = ledger.lengths.lease_seconds / 3
        self._held: dict[int, Held] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
        self._thread.start()

    def hold(self, job: Job) -> Held:
        """Renew ``job``'s lease from now on."""
        held = Held(self._ledger, job)
        with self._lock:
            self._held[id(held)] = held
        return held

    def drop(self, held: Held) -> None:
        """Renew it no more."""
        with self._lock:
            self._held.pop(id(held), None)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(timeout=5)

    def renew(self) -> None:
        """Renew the leases now."""
        with self._lock:
            held_now = list(self._held.values())
        for held in held_now:
            try:
                held.renew()
            except BridgeError as error:
                log.warning("lease_not_renewed", job_id=held.job.id, code=error.code)

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            self.renew()


def run_job(runtime: Runtime, job_id: JobId) -> str | None:
    """Run the job if it may run now; return its state after it, None where it was not this worker's to run."""
    job = runtime.ledger.jobs.claim(job_id, worker=runtime.worker, max_runtime_seconds=MAX_RUNTIME_SECONDS)
    if job is None:
        return None
    with structlog.contextvars.bound_contextvars(
        job_id=job.id, kind=job.kind, instance=job.instance, entity=job.entity, attempt=job.attempt
    ):
        return _run_claimed(runtime, job)


def _run_claimed(runtime: Runtime, job: Job) -> str | None:
    held = runtime.keeper.hold(job)
    context = _context(runtime, job, instance_name=job.instance, stay=held.stay)
    result: Mapping[str, Any] | None = None
    error: Exception | None = None
    started = time.monotonic()
    try:
        result = flow_of(job)(context)
    except Exception as exc:  # noqa: BLE001  # whatever happened becomes the job's error, never a lost job
        error = exc
    finally:
        runtime.keeper.drop(held)
    decision = decide(
        error,
        retry_count=job.retry_count,
        max_attempts=runtime.ledger.lengths.max_attempts,
        unit_seconds=runtime.backoff_unit_seconds,
    )
    _tell_breakers(runtime, context, error)
    state = runtime.ledger.jobs.finish(
        job,
        decision,
        error=None
        if decision.state in {"done", "lost"} or error is None
        else job_error(error, instance=job.instance),
        exchanges=context.exchanges,
        result=result,
        label=context.label,
    )
    _log(decision, error, state, seconds=time.monotonic() - started)
    runtime.ended()
    return state


def preview_context(runtime: Runtime, instance_name: str) -> FlowContext:
    """Return a context that reads and writes nothing: neither in Odoo nor in the ledger."""
    return _context(runtime, None, instance_name=instance_name, stay=lambda _: None)


def _context(
    runtime: Runtime, job: Job | None, *, instance_name: str, stay: Callable[[float], None]
) -> FlowContext:
    return FlowContext(
        job,
        instance_name=instance_name,
        ledger=runtime.ledger,
        finder=runtime,
        systems=runtime.systems,
        cache=runtime.cache,
        stay=stay,
    )


def flow_of(job: Job) -> Run:
    """Return the flow of ``job``.

    Raises:
        PermanentError: a newer version of the bridge made this job.
    """
    flow = FLOWS.get(job.kind)
    if flow is None:
        raise PermanentError(f"This version of the bridge has no flow {job.kind!r}.")
    return flow


def job_error(error: Exception, *, instance: str) -> JobError:
    """Return ``error`` as it is kept with a job: plain English, what to do, and a trace for developers."""
    if isinstance(error, BridgeError):
        return JobError(
            code=error.code,
            message=error.message,
            help=help_for(error, instance=instance),
            trace=None,
            system=error.system,
        )
    trace = mask_text("".join(traceback.format_exception(error)))
    return JobError(
        code="defect",
        message="The bridge came upon something that it was not made for.",
        help="Nothing was half written: each write is recorded as an effect. Retry the job once; if it fails "
        "again, report it with the trace that `bridge jobs show --trace` prints.",
        trace=trace[-MAX_TRACE_CHARACTERS:],
    )


def _tell_breakers(runtime: Runtime, context: FlowContext, error: Exception | None) -> None:
    """Count a failure for the system that failed, and a success for each system that answered."""
    failed = error.system if isinstance(error, ServiceUnavailable | RateLimited) else None
    if failed is not None:
        runtime.ledger.breakers.failure(context.job.instance, failed)
    for system in {exchange.system for exchange in context.exchanges if exchange.status is not None}:
        if system != failed:
            runtime.ledger.breakers.success(context.job.instance, system)


def _log(decision: Decision, error: Exception | None, state: str | None, *, seconds: float) -> None:
    fields: dict[str, Any] = {"state": state or "lost", "seconds": round(seconds, 3)}
    if error is None:
        log.info("job_ended", **fields)
        return
    fields["code"] = error.code if isinstance(error, BridgeError) else "defect"
    level = log.warning if decision.state in {"blocked", "failed"} else log.info
    level("job_ended", **fields)
