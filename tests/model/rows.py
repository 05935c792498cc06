"""The ledger's half of the model: what becomes of a job's row. Each function is one transaction."""

from __future__ import annotations

from .states import (
    CLOSED,
    OPEN,
    UNSETTLED,
    Job,
    State,
    Worker,
    World,
    job_in,
    open_slot,
    owe,
    put_effect,
    put_job,
    put_worker,
)


def event(world: World, state: State, entity: int) -> State | None:
    """Intake: insert, or on conflict with the open row ``wanted + 1``. None when no slot is free."""
    slot = None if "second_row_beside_open_one" in world.faults else open_slot(state, entity)
    if slot is None:
        free = next((n for n, job in enumerate(state.jobs) if job is None or job.state in CLOSED), None)
        if free is None:
            return None
        state = put_job(world, state, free, Job(entity, "pending"))
    else:
        state = fold(world, state, slot)
    stale = tuple(
        sorted(w._replace(fresh=False) if w.entity == entity else w for w in state.workers),
    )
    return owe(state._replace(workers=stale), entity, True)


def fold(world: World, state: State, slot: int) -> State:
    """Let one more wish for the same work into an open row."""
    job = job_in(state, slot)
    if job.state == "blocked" and "event_leaves_blocked" not in world.faults:
        return put_job(world, state, slot, job._replace(state="pending", behind=True, waits=""))
    if job.state == "running" and "fold_into_running_lost" in world.faults:
        return state
    # What is wanted after a request to stop stands over it. While the job runs ``behind`` alone remembers that.
    cancel = job.cancel and (job.state == "running" or "cancel_outlives_event" in world.faults)
    return put_job(world, state, slot, job._replace(behind=True, cancel=cancel))


def can_dispatch(state: State, job: Job) -> bool:
    """Return whether the row is due: time may always have come, a doubt must be over, locks are released."""
    if job.state == "pending":
        return True
    if job.state != "retry_waiting":
        return False
    if job.waits.startswith("doubt:"):
        return not state.effects[int(job.waits[6:])].hot
    return job.waits == "time"


def dispatch(world: World, state: State, slot: int) -> State:
    """Mark a due row as queued and publish its wake-up; or park it, while another one has the lock."""
    job = job_in(state, slot)
    if world.scenario.has_parking and is_locked(world, state, slot, by=("queued", "running")):
        return put_job(world, state, slot, job._replace(state="retry_waiting", waits="lock"))
    return put_job(
        world, state, slot, job._replace(state="queued", waits="", messages=min(2, job.messages + 1))
    )


def is_locked(world: World, state: State, slot: int, *, by: tuple[str, ...] = ("running",)) -> bool:
    """Return whether another row with the same lock key is running, or in one of these states."""
    locks = world.scenario.locks
    lock = locks[job_in(state, slot).entity]
    return any(
        job is not None and n != slot and job.state in by and locks[job.entity] == lock
        for n, job in enumerate(state.jobs)
    )


def claim(world: World, state: State, slot: int) -> State:
    """Take a queued row for a new worker, or lose to the running one with the same lock key."""
    job = job_in(state, slot)
    job = job._replace(messages=job.messages - 1)
    if is_locked(world, state, slot) and "lock_not_checked" not in world.faults:
        if world.scenario.has_split_claim:
            state = put_job(world, state, slot, job)
            return _start(world, state, Worker(slot, job.entity, holds=False, at="losing"))
        return put_job(world, state, slot, job._replace(state="retry_waiting", waits="lock"))
    behind = job.behind if "claimed_stored_after_reading" in world.faults else False
    state = put_job(world, state, slot, job._replace(state="running", behind=behind, lease=True))
    return _start(world, demote(state, slot), Worker(slot, job.entity, holds=True, at="claimed"))


def store_lost_claim(world: World, state: State, index: int) -> State:
    """Put the loser of a claim to wait, unless the winner has ended since."""
    worker = state.workers[index]
    state = put_worker(state, index, None)
    job = state.jobs[worker.slot]
    if job is None or job.state != "queued":
        return state
    if is_locked(world, state, worker.slot) or "lock_loser_does_not_look_again" in world.faults:
        return put_job(world, state, worker.slot, job._replace(state="retry_waiting", waits="lock"))
    return put_job(world, state, worker.slot, job._replace(state="pending"))


def recover(world: World, state: State, slot: int) -> State:
    """Take a running row whose lease has run out from its worker."""
    job = job_in(state, slot)
    cancel = job.cancel and (not job.behind or "cancel_outlives_event" in world.faults)
    recovered = job._replace(state="pending", lease=False, cancel=cancel)
    if cancel and ("recovery_cancels_in_doubt" in world.faults or not is_in_doubt(state, slot)):
        state = _complain_of_cancel(state, slot)
        recovered = recovered._replace(state="cancelled", cancel=False)
    state = demote(put_job(world, state, slot, recovered), slot)
    if "recovery_keeps_lock_waiters" not in world.faults:
        state = release_lock(world, state, job.entity)
    return release_ended(world, state, slot, job.entity)


def demote(state: State, slot: int) -> State:
    """Make a zombie of whoever held the row."""
    if not any(w.slot == slot and w.holds for w in state.workers):
        return state
    workers = (w._replace(holds=False) if w.slot == slot else w for w in state.workers)
    return state._replace(workers=tuple(sorted(workers)))


def release_lock(world: World, state: State, entity: int) -> State:
    """Wake one that waits for the lock of ``entity``; the others would lose against it."""
    locks = world.scenario.locks
    for slot, job in enumerate(state.jobs):
        if job is not None and job.waits == "lock" and locks[job.entity] == locks[entity]:
            return put_job(world, state, slot, job._replace(state="pending", waits=""))
    return state


def release_waiting(world: World, state: State, cause: str) -> State:
    """Wake all who wait for ``cause``: ``doubt:KEY`` or ``job:ENTITY``."""
    for slot, job in enumerate(state.jobs):
        if job is not None and job.waits == cause:
            state = put_job(world, state, slot, job._replace(state="pending", waits=""))
    return state


def finish(world: World, state: State, index: int, outcome: str, waits: str = "") -> State:
    """End an attempt in one transaction, guarded by the fence: a zombie's end changes nothing."""
    worker = state.workers[index]
    job = state.jobs[worker.slot]
    state = put_worker(state, index, None)
    if not worker.holds:
        if job is None or "finish_ignores_fence" not in world.faults:
            return state
        state = state._replace(broken="A worker without the lease ended the attempt of another one.")
    assert job is not None
    state = _complain(world, state, worker, outcome)
    if worker.fresh and outcome in ("done", "blocked", "failed"):
        state = owe(state, worker.entity, False)
    ended = _after_attempt(world, state, worker.slot, outcome, waits)
    if ended.state == "cancelled":
        state = _complain_of_cancel(state, worker.slot)
    state = demote(put_job(world, state, worker.slot, ended), worker.slot)
    if "winner_keeps_lock_waiters" not in world.faults:
        state = release_lock(world, state, job.entity)
    return release_ended(world, state, worker.slot, job.entity)


def _after_attempt(world: World, state: State, slot: int, outcome: str, waits: str) -> Job:
    job = job_in(state, slot)
    kind, _, number = waits.partition(":")
    in_doubt = is_in_doubt(state, slot) or (kind == "doubt" and state.effects[int(number)].state in UNSETTLED)
    stops = job.cancel and ("cancel_in_doubt" in world.faults or not in_doubt)
    # What came after a request to stop stands over it: cancel() has swallowed what came before.
    outlived = job.behind and "cancel_outlives_event" not in world.faults
    job = job._replace(lease=False, waits="", cancel=job.cancel and not outlived)
    if outcome == "retry_waiting":
        if stops:
            return job._replace(state="pending" if job.behind else "cancelled", cancel=False)
        return _waiting(world, state, job, waits)
    if job.behind and f"{outcome}_forgets_wanted" not in world.faults:
        return job._replace(state="pending")
    if stops and outcome in ("blocked", "failed"):
        outcome = "cancelled"
    if outcome == "blocked" and state.mapped and "block_not_looked_at_again" not in world.faults:
        return job._replace(state="pending")
    return job._replace(state=outcome, cancel=False)


def _waiting(world: World, state: State, job: Job, waits: str) -> Job:
    """Return the row as it begins to wait, unless what it waits for has ended since it looked."""
    kind, _, number = waits.partition(":")
    is_over = (kind == "job" and open_slot(state, int(number)) is None) or (
        kind == "doubt" and state.effects[int(number)].state not in UNSETTLED
    )
    if is_over and "wait_not_looked_at_again" not in world.faults:
        return job._replace(state="pending")
    return job._replace(state="retry_waiting", waits=waits)


def is_in_doubt(state: State, slot: int) -> bool:
    """Return whether something that the job sent is neither confirmed nor refused."""
    return any(effect.owner == slot for effect in state.effects)


def release_ended(world: World, state: State, slot: int, entity: int) -> State:
    """Wake those that wait for the job in ``slot``, if it has ended."""
    job = state.jobs[slot]
    if job is not None and job.state in OPEN:
        return state
    return release_waiting(world, state, f"job:{entity}")


def _complain(world: World, state: State, worker: Worker, outcome: str) -> State:
    """Record what an ending attempt must never leave behind."""
    if outcome == "done" and any(state.effects[key].made == 0 for key in world.scenario.plans[worker.entity]):
        return state._replace(broken="A job is done, but an effect of it never happened.")
    return state


def _complain_of_cancel(state: State, slot: int) -> State:
    """Record a request to stop that was obeyed too soon."""
    if is_in_doubt(state, slot):
        return state._replace(broken="A job was cancelled between the intent and the confirmation.")
    return state


def retry(world: World, state: State, slot: int) -> State:
    """Do what a person's retry does; a failed row folds into its open twin."""
    job = job_in(state, slot)
    twin = open_slot(state, job.entity) if job.state == "failed" else None
    if twin is not None and "retry_overlooks_twin" not in world.faults:
        return fold(world, state, twin)
    return put_job(world, state, slot, job._replace(state="pending", waits="", cancel=False))


def cancel(world: World, state: State, slot: int) -> State:
    """Do what a person's cancel does: at once, or as a request to the running attempt.

    A request swallows the events so far; one that comes later is wanted again.
    """
    job = job_in(state, slot)
    if job.state == "running" and "running_cancelled_at_once" not in world.faults:
        state = put_job(world, state, slot, job._replace(cancel=True, behind=False))
        return owe(state, job.entity, False)
    if job.state == "running":
        state = _complain_of_cancel(state, slot)
    state = demote(put_job(world, state, slot, job._replace(state="cancelled")), slot)
    if job.state != "failed":
        state = owe(state, job.entity, False)
    # One that was next for a lock hands it on.
    if job.state != "failed" and "cancelled_one_keeps_lock_waiters" not in world.faults:
        state = release_lock(world, state, job.entity)
    return release_ended(world, state, slot, job.entity)


def set_mapping(world: World, state: State, mapped: bool) -> State:
    """Set or unset the mapping; setting releases the blocked in the same transaction."""
    state = state._replace(mapped=mapped)
    if not mapped or "mapping_leaves_blocked" in world.faults:
        return state
    for slot, job in enumerate(state.jobs):
        if job is not None and job.state == "blocked":
            state = put_job(world, state, slot, job._replace(state="pending"))
    return state


def settle_doubt(state: State, key: int) -> State:
    """Let the doubt of the last send be over."""
    return put_effect(state, key, state.effects[key]._replace(hot=False))


def _start(world: World, state: State, worker: Worker) -> State:
    if world.scenario.names_workers:
        taken = {other.name for other in state.workers}
        worker = worker._replace(name=next(n for n in range(1, len(taken) + 2) if n not in taken))
    return state._replace(workers=tuple(sorted((*state.workers, worker))))
