"""The state of the model: what the ledger, the broker, the workers and the remote system hold between them.

Nothing counts upwards: instead of versions, fences and message numbers the state holds only the comparisons which
the protocol makes of them (``behind`` is ``wanted > claimed``, ``holds`` is "my fence is the row's"). So the space is
finite although events, crashes, lease losses, lost messages, retries and cancels may happen any number of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

OPEN = frozenset({"pending", "queued", "running", "retry_waiting", "blocked"})
CLOSED = frozenset({"done", "cancelled"})
UNSETTLED = frozenset({"sent", "doubtful"})

#: More messages of one job than this are not in the broker at once.
MAX_MESSAGES = 2


class Job(NamedTuple):
    """A row of the ledger's jobs."""

    entity: int
    state: str
    #: wanted > claimed
    behind: bool = True
    #: Whether the lease of a running job has not run out.
    lease: bool = False
    #: A person asked the running job to stop.
    cancel: bool = False
    #: In retry_waiting: ``time``, ``lock``, ``doubt:KEY`` or ``job:ENTITY``.
    waits: str = ""
    #: Wake-ups in the broker.
    messages: int = 0


class Worker(NamedTuple):
    """A worker that has claimed a job; a zombie when it no longer holds it."""

    slot: int
    entity: int
    #: Whether its fence is still the row's.
    holds: bool
    #: Where it stands in its program, see ``work``.
    at: str
    #: Which of the effects of its plan is next.
    step: int = 0
    #: Whether it read the source after the last event.
    fresh: bool = False
    #: Whether nobody has sent its effect after it.
    sent_last: bool = False
    #: Tells workers apart, where ``Scenario.names_workers``.
    name: int = 0


class Effect(NamedTuple):
    """An effect row and what the remote system has of it."""

    #: none, intended, sent, confirmed, doubtful
    state: str = "none"
    #: Whether the doubt of the last send is not over yet.
    hot: bool = False
    #: Requests on their way, or at work in the server, whose sender waits no longer.
    orphans: int = 0
    #: How often it happened.
    made: int = 0
    #: While it is sent or doubtful: the slot of the job that sent it last, or -1 when that has ended.
    owner: int = -1


class State(NamedTuple):
    """All of it."""

    jobs: tuple[Job | None, ...]
    workers: tuple[Worker, ...]
    effects: tuple[Effect, ...]
    #: Whether the mapping that the entities need is set.
    mapped: bool
    #: Per entity: an event came, no person cancelled it, and no finished attempt has read the source since.
    owed: tuple[bool, ...]
    #: What the last move did that must never happen.
    broken: str = ""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The bound of one exploration, and who may do what in it."""

    name: str
    #: For each entity the lock key of its jobs.
    locks: tuple[str, ...]
    #: For each entity its effects in order, as indexes into ``effects``.
    plans: tuple[tuple[int, ...], ...]
    #: For each effect ``load`` (create if absent) or ``marker`` (repeats when sent again, can be read back).
    effects: tuple[str, ...] = ()
    #: Rows of jobs at once; more than entities where failed rows lie beside open ones.
    rows: int
    #: Workers at once, the zombies among them.
    workers: int
    #: Requests of one key on their way, or at work in the server, without a waiting sender.
    orphans: int = 2
    #: For each entity the entity whose open job it waits for, or -1.
    needs: tuple[int, ...] = ()
    has_mapping: bool = False
    has_cancel: bool = True
    has_retry: bool = True
    #: Temporary trouble before the first effect, and failing for good.
    has_trouble: bool = False
    has_failure: bool = False
    #: The server may refuse a request definitely.
    has_refusal: bool = False
    #: A worker may outlive its lease.
    has_zombies: bool = True
    #: A message may be delivered twice.
    has_duplicates: bool = True
    #: Losing a claim and storing the wait for the lock are two moves, as at READ COMMITTED.
    has_split_claim: bool = False
    #: The dispatcher lets jobs wait whose lock a queued or running one has.
    has_parking: bool = False
    #: Workers have names, so that a replay knows which is which.
    names_workers: bool = False
    #: Closed rows stay in their slot until it is needed (for replaying against the real ledger).
    keeps_closed: bool = False


@dataclass(frozen=True, kw_only=True)
class World:
    """A scenario and the faults planted into it."""

    scenario: Scenario
    faults: frozenset[str] = frozenset()


def initial(scenario: Scenario) -> State:
    """Return the empty ledger and the empty remote system."""
    return State(
        jobs=(None,) * scenario.rows,
        workers=(),
        effects=(Effect(),) * len(scenario.effects),
        mapped=not scenario.has_mapping,
        owed=(False,) * len(scenario.locks),
    )


def put_job(world: World, state: State, slot: int, job: Job) -> State:
    """Return ``state`` with ``job`` in ``slot``; a closed row leaves it, since nothing can wake it again."""
    if job.state in CLOSED:
        if any(effect.owner == slot for effect in state.effects):
            orphaned = (e._replace(owner=-1) if e.owner == slot else e for e in state.effects)
            state = state._replace(effects=tuple(orphaned))
        kept = Job(job.entity, job.state, behind=False) if world.scenario.keeps_closed else None
        return state._replace(jobs=(*state.jobs[:slot], kept, *state.jobs[slot + 1 :]))
    return state._replace(jobs=(*state.jobs[:slot], job, *state.jobs[slot + 1 :]))


def job_in(state: State, slot: int) -> Job:
    """Return the row in ``slot``."""
    job = state.jobs[slot]
    assert job is not None
    return job


def open_slot(state: State, entity: int) -> int | None:
    """Return the slot of the entity's open job."""
    for slot, job in enumerate(state.jobs):
        if job is not None and job.entity == entity and job.state in OPEN:
            return slot
    return None


def put_effect(state: State, key: int, effect: Effect) -> State:
    """Return ``state`` with ``effect`` under ``key``."""
    return state._replace(effects=(*state.effects[:key], effect, *state.effects[key + 1 :]))


def put_worker(state: State, index: int, worker: Worker | None) -> State:
    """Return ``state`` with another worker at ``index``, or none; sorted, since workers are alike."""
    rest = (*state.workers[:index], *state.workers[index + 1 :])
    return state._replace(workers=rest if worker is None else tuple(sorted((*rest, worker))))


def owe(state: State, entity: int, owed: bool) -> State:
    """Return ``state`` where the entity's last event is to be read still, or no longer."""
    return state._replace(owed=(*state.owed[:entity], owed, *state.owed[entity + 1 :]))
