"""The workers' and the remote system's half of the model.

A worker goes: claimed (reads the source) - ready (begins the next effect) - begun (intent and ``sent`` are committed)
- sent (the request is on its way) - answered (confirms) - ready ... and ends its attempt. Aside of that:
unmapped (about to block), unready (about to wait for another job), hot (found a send in doubt), look (the doubt is
over: reads back), absent (read back, nothing there: sends again), noanswer, refused, cancelling.
"""

from __future__ import annotations

from collections.abc import Iterator

from .explorer import Move
from .rows import finish, open_slot, release_waiting, settle_doubt, store_lost_claim
from .states import (
    UNSETTLED,
    State,
    Worker,
    World,
    job_in,
    put_effect,
    put_job,
    put_worker,
)


def worker_moves(world: World, state: State, index: int) -> Iterator[Move]:
    """Yield what the worker at ``index`` can do, and what can befall it."""
    worker = state.workers[index]
    who = (worker.slot, worker.holds, worker.at, worker.step, worker.fresh, worker.sent_last, worker.name)
    match worker.at:
        case "losing":
            yield Move(("store_lost_claim", *who), True, store_lost_claim(world, state, index))
        case "claimed":
            yield Move(("read", *who), True, read(world, state, index))
        case "unmapped":
            yield Move(("finish_blocked", *who), True, finish(world, state, index, "blocked"))
        case "unready":
            waits = f"job:{world.scenario.needs[worker.entity]}"
            yield Move(("finish_unready", *who), True, finish(world, state, index, "retry_waiting", waits))
        case "ready":
            yield from _ready_moves(world, state, index, who)
        case "begun":
            yield Move(("send", *who), True, send(world, state, index))
        case "sent":
            yield from _sent_moves(world, state, index, who)
        case "answered":
            yield Move(("confirm", *who), True, confirm(world, state, index))
        case "hot" | "noanswer":
            yield Move(("finish_doubtful", *who), True, finish_doubtful(world, state, index))
        case "refused":
            yield Move(("finish_refused", *who), True, finish_refused(world, state, index))
        case "look":
            yield Move(("look", *who), True, look(world, state, index))
        case "absent":
            yield Move(("resend", *who), True, resend(world, state, index))
        case "cancelling":
            yield Move(("finish_cancelled", *who), True, finish(world, state, index, "cancelled"))
    yield from _crash_moves(world, state, index, who)


def _ready_moves(world: World, state: State, index: int, who: tuple[object, ...]) -> Iterator[Move]:
    worker = state.workers[index]
    if worker.step == len(world.scenario.plans[worker.entity]):
        yield Move(("finish_done", *who), True, finish(world, state, index, "done"))
    else:
        yield Move(("begin", *who), True, begin(world, state, index))
    if worker.step == 0 and world.scenario.has_trouble:
        yield Move(("finish_trouble", *who), False, finish(world, state, index, "retry_waiting", "time"))
    if worker.step == 0 and world.scenario.has_failure:
        yield Move(("finish_failed", *who), False, finish(world, state, index, "failed"))


def _sent_moves(world: World, state: State, index: int, who: tuple[object, ...]) -> Iterator[Move]:
    worker = state.workers[index]
    key = key_of(world, worker)
    arrived = commit(world, state, key)
    yield Move(("answer", *who), True, put_worker(arrived, index, worker._replace(at="answered")))
    gone = worker._replace(at="noanswer")
    yield Move(("cut_after_commit", *who), False, put_worker(arrived, index, gone))
    yield Move(("cut_before_arrival", *who), False, put_worker(state, index, gone))
    effect = state.effects[key]
    if effect.orphans < world.scenario.orphans:
        late = put_effect(state, key, effect._replace(orphans=effect.orphans + 1))
        yield Move(("cut_in_flight", *who), False, put_worker(late, index, gone))
    if world.scenario.has_refusal and not (is_load(world, key) and effect.made):
        refused = worker._replace(at="refused")
        yield Move(("refuse", *who), False, put_worker(state, index, refused))


def _crash_moves(world: World, state: State, index: int, who: tuple[object, ...]) -> Iterator[Move]:
    worker = state.workers[index]
    left = put_worker(state, index, None)
    yield Move(("crash", *who), False, left)
    if worker.at != "sent":
        return
    key = key_of(world, worker)
    effect = state.effects[key]
    if effect.orphans < world.scenario.orphans:
        yield Move(
            ("crash_in_flight", *who),
            False,
            put_effect(left, key, effect._replace(orphans=effect.orphans + 1)),
        )


def remote_moves(world: World, state: State, key: int) -> Iterator[Move]:
    """Yield what the remote system does with requests nobody waits for, and the end of the doubt."""
    effect = state.effects[key]
    if effect.orphans:
        left = put_effect(state, key, effect._replace(orphans=effect.orphans - 1))
        yield Move(("late_commit", key), True, commit(world, left, key))
        yield Move(("late_drop", key), True, left)
    if effect.hot and (is_load(world, key) or is_settled(world, state, key)):
        yield Move(("doubt_over", key), True, settle_doubt(state, key))


def is_load(world: World, key: int) -> bool:
    """Return whether the write is an atomic create-if-absent."""
    return world.scenario.effects[key] == "load"


def is_settled(world: World, state: State, key: int) -> bool:
    """Return whether no request of the key can change the remote system any more.

    This is what the doubt's length is chosen for: it is longer than a lease and than the server works on a request.
    For ``load`` it is not needed.
    """
    if state.effects[key].orphans:
        return False
    for worker in state.workers:
        if worker.at == "sent" and key_of(world, worker) == key:
            return False
        if worker.at == "begun" and key_of(world, worker) == key and _may_send(world, state, worker):
            return False
    return True


def key_of(world: World, worker: Worker) -> int:
    """Return the effect the worker is at."""
    return world.scenario.plans[worker.entity][worker.step]


def holds_lease(state: State, worker: Worker) -> bool:
    """Return whether the fence is the row's and the lease has not run out."""
    return worker.holds and job_in(state, worker.slot).lease


def _may_send(world: World, state: State, worker: Worker) -> bool:
    # The planted zombie is not foreseen by the length of the doubt, so it does not count here.
    return holds_lease(state, worker)


def read(world: World, state: State, index: int) -> State:
    """Read the source, the mapping and what the job needs."""
    worker = state.workers[index]
    scenario = world.scenario
    at = "ready"
    if scenario.needs and scenario.needs[worker.entity] >= 0:
        at = "unready" if open_slot(state, scenario.needs[worker.entity]) is not None else "ready"
    if scenario.has_mapping and not state.mapped:
        at = "unmapped"
    return put_worker(state, index, worker._replace(at=at, fresh=True))


def begin(world: World, state: State, index: int) -> State:
    """Commit the intent as sent, or learn what an earlier attempt left under the key."""
    worker = state.workers[index]
    faults = world.faults
    if "claimed_stored_after_reading" in faults and worker.holds:
        job = job_in(state, worker.slot)
        state = put_job(world, state, worker.slot, job._replace(behind=False))
    if not holds_lease(state, worker):
        if "begin_ignores_fence" not in faults:
            return put_worker(state, index, None)
        state = state._replace(broken="A worker without the lease began an effect.")
    key = key_of(world, worker)
    effect = state.effects[key]
    if effect.state == "confirmed":
        return put_worker(state, index, worker._replace(step=worker.step + 1))
    cancel = worker.holds and job_in(state, worker.slot).cancel
    if effect.state in UNSETTLED and "begin_forgets_earlier_sends" not in faults:
        if cancel and "cancel_in_doubt" in faults:
            return put_worker(state, index, worker._replace(at="cancelling"))
        if effect.hot and "doubt_not_waited_for" not in faults:
            return put_worker(state, index, worker._replace(at="hot"))
        return put_worker(state, index, worker._replace(at="look"))
    if cancel:
        return put_worker(state, index, worker._replace(at="cancelling"))
    if "sent_stored_after_sending" in faults:
        return put_worker(state, index, worker._replace(at="begun"))
    return mark_sent(world, state, index)


def mark_sent(world: World, state: State, index: int) -> State:
    """Commit the effect as sent, from now on by this worker."""
    key = key_of(world, state.workers[index])
    slot = state.workers[index].slot
    state = put_effect(state, key, state.effects[key]._replace(state="sent", hot=True, owner=slot))
    others = (_outdated(world, worker, key) for worker in state.workers)
    sender = state.workers[index]._replace(at="begun", sent_last=True)
    return put_worker(state._replace(workers=tuple(others)), index, sender)


def _outdated(world: World, worker: Worker, key: int) -> Worker:
    if worker.sent_last and key_of(world, worker) == key:
        return worker._replace(sent_last=False)
    return worker


def send(world: World, state: State, index: int) -> State:
    """Let the first byte leave, if the worker's own clock says that the lease outlasts the request."""
    worker = state.workers[index]
    if not holds_lease(state, worker) and "send_without_looking_at_lease" not in world.faults:
        return put_worker(state, index, None)
    return put_worker(state, index, worker._replace(at="sent"))


def commit(world: World, state: State, key: int) -> State:
    """Let the remote system carry a request out."""
    effect = state.effects[key]
    if is_load(world, key) and effect.made and "load_without_external_id" not in world.faults:
        return state
    return put_effect(state, key, effect._replace(made=min(2, effect.made + 1)))


def confirm(world: World, state: State, index: int) -> State:
    """Store the remote id; a fact also when the lease is lost."""
    worker = state.workers[index]
    key = key_of(world, worker)
    state = put_effect(state, key, state.effects[key]._replace(state="confirmed", hot=False, owner=-1))
    state = release_waiting(world, state, f"doubt:{key}")
    return put_worker(state, index, worker._replace(at="ready", step=worker.step + 1, sent_last=False))


def finish_doubtful(world: World, state: State, index: int) -> State:
    """Mark the effect as doubtful, if nobody sent it since, and wait for the end of the doubt without a lease."""
    worker = state.workers[index]
    key = key_of(world, worker)
    effect = state.effects[key]
    if worker.at == "noanswer" and "sent_stored_after_sending" in world.faults:
        state = put_effect(state, key, effect._replace(state="doubtful", hot=True))
    elif worker.at == "noanswer" and worker.sent_last and effect.state == "sent":
        state = put_effect(state, key, effect._replace(state="doubtful"))
    elif (
        worker.at == "noanswer" and effect.state == "confirmed" and "doubt_over_confirmation" in world.faults
    ):
        doubtful = put_effect(state, key, effect._replace(state="doubtful"))
        state = doubtful._replace(broken="A confirmed effect was put in doubt again.")
    return finish(world, state, index, "retry_waiting", f"doubt:{key}")


def finish_refused(world: World, state: State, index: int) -> State:
    """Note that the server definitely did nothing, unless it was sent again since, and try later."""
    worker = state.workers[index]
    key = key_of(world, worker)
    effect = state.effects[key]
    if "older_sender_refuses" in world.faults or (worker.sent_last and effect.state in UNSETTLED):
        state = put_effect(state, key, effect._replace(state="intended", hot=False, owner=-1))
        state = release_waiting(world, state, f"doubt:{key}")
    return finish(world, state, index, "retry_waiting", "time")


def look(world: World, state: State, index: int) -> State:
    """Read back once the doubt is over: what is there is confirmed."""
    worker = state.workers[index]
    if state.effects[key_of(world, worker)].made and "no_read_back" not in world.faults:
        return confirm(world, state, index)
    return put_worker(state, index, worker._replace(at="absent"))


def resend(world: World, state: State, index: int) -> State:
    """Mark the effect as sent again, with the same request; guarded as begin."""
    worker = state.workers[index]
    if not holds_lease(state, worker) and "begin_ignores_fence" not in world.faults:
        return put_worker(state, index, None)
    key = key_of(world, worker)
    effect = state.effects[key]
    if effect.state not in UNSETTLED and "resend_not_listened_to" in world.faults:
        return put_worker(state, index, worker._replace(at="begun"))
    if effect.state == "confirmed":
        return put_worker(state, index, worker._replace(at="ready", step=worker.step + 1, sent_last=False))
    if effect.state not in UNSETTLED:  # Refused meanwhile.
        return put_worker(state, index, worker._replace(at="ready"))
    return mark_sent(world, state, index)
