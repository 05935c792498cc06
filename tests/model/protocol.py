"""The job and effect protocol of the bridge as a model for the explorer: its moves, invariants and good ends.

Invariants, checked in every state:

* no wake-up is lost: an event that came after the last claim is read by a later attempt, unless a person cancelled;
* never are two jobs running for one lock key, nor two open for one entity, and a zombie changes nothing;
* no effect happens twice, none is confirmed that did not happen, no job is done without its effects;
* no job is cancelled between the intent and the confirmation of an effect of its running attempt;
* nothing is stuck for ever: from every state a good end can be reached by fair moves alone.

The bound: up to three kinds of work with one lock key or several, two rows of jobs for one of them, two workers at once
(zombies included), two effects in a row, two messages of one job in the broker, two requests of one key on their way
without a sender. Within it events, crashes, lease losses, lost and doubled messages, cut connections, refusals,
retries, cancels and settings of the mapping happen any number of times and at every moment (``scenarios``). That
is some 410,000 states and 3,400,000 moves; ``python -m tests.model`` prints them, and how planted faults are found.

Assumed of the world, not checked: events are not lost before the ledger has them (the broker confirms them); one
transaction is atomic; a worker's own clock does not run slow; the doubt of a write that repeats when it is sent again
is longer than the other system works on a request.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import pairwise

from . import rows
from .explorer import Move
from .states import MAX_MESSAGES, OPEN, Job, Scenario, State, World, initial
from .work import remote_moves, worker_moves

#: Where an event can still be read: the next attempt will.
_WILL_READ = frozenset({"pending", "queued", "retry_waiting"})

_SENTENCES = {
    "event": "An event for entity {0} is taken in",
    "dispatch": "The dispatcher queues the job in row {0} and publishes its message",
    "dispatch_again": "The dispatcher takes the message of row {0} for lost and publishes it again",
    "message_lost": "The broker loses a message of row {0}",
    "message_in_vain": "A worker gets a message of row {0}, which is not queued",
    "claim": "A worker gets the message of row {0} and claims",
    "lease_expires": "The lease of row {0} runs out",
    "recover": "The dispatcher recovers row {0}, whose lease has run out",
    "retry": "A person retries the job in row {0}",
    "cancel": "A person cancels the job in row {0}",
    "set_mapping": "A person sets the mapping",
    "unset_mapping": "A person unsets the mapping",
    "late_commit": "The server carries out the request of effect {0} that nobody waits for",
    "late_drop": "The server drops the request of effect {0} that nobody waits for",
    "doubt_over": "The doubt about effect {0} is over",
    "store_lost_claim": "stores that it waits for the lock",
    "read": "reads the source",
    "finish_blocked": "ends: blocked by a missing mapping",
    "finish_unready": "ends: waits for another job",
    "finish_done": "ends: done",
    "finish_trouble": "ends: temporary trouble",
    "finish_failed": "ends: failed for good",
    "finish_doubtful": "ends: waits for the doubt",
    "finish_refused": "notes the refusal and ends: tries again later",
    "finish_cancelled": "ends: cancelled",
    "begin": "begins its next effect",
    "send": "sends the request",
    "answer": "'s request is carried out and answered",
    "cut_after_commit": "'s request is carried out, the answer is lost",
    "cut_before_arrival": "'s request is lost",
    "cut_in_flight": " loses the connection, its request is still at work",
    "refuse": "'s request is refused",
    "crash": "dies",
    "crash_in_flight": "dies, its request is still at work",
    "confirm": "confirms the effect",
    "look": "reads back",
    "resend": "marks the effect as sent again",
}

#: The name of every move there is.
MOVES = frozenset(_SENTENCES)

#: Moves whose label tells of a worker: slot, holds, at, step, fresh.
WORKER_MOVES = frozenset(
    {
        "store_lost_claim",
        "read",
        "begin",
        "send",
        "answer",
        "cut_after_commit",
        "cut_before_arrival",
        "cut_in_flight",
    }
    | {"refuse", "crash", "crash_in_flight", "confirm", "look", "resend"}
    | {name for name in _SENTENCES if name.startswith("finish_")}
)


class JobProtocol:
    """The protocol in one scenario, with no fault planted or some."""

    def __init__(self, scenario: Scenario, *, faults: frozenset[str] = frozenset()) -> None:
        self.world = World(scenario=scenario, faults=faults)

    def initial(self) -> State:
        """Return the empty ledger."""
        return initial(self.world.scenario)

    def moves(self, state: State) -> Iterator[Move]:
        """Yield all that can happen next."""
        world = self.world
        for entity in range(len(world.scenario.locks)):
            taken = rows.event(world, state, entity)
            if taken is not None:
                yield Move(("event", entity), False, taken)
        for slot, job in enumerate(state.jobs):
            if job is not None:
                yield from self._engine_moves(state, slot, job)
                yield from self._person_moves(state, slot, job)
        for index, (worker, before) in enumerate(zip(state.workers, (None, *state.workers), strict=False)):
            if worker != before:  # Two workers in the same state can do the same.
                yield from worker_moves(world, state, index)
        for key in range(len(state.effects)):
            yield from remote_moves(world, state, key)
        if world.scenario.has_mapping:
            label = ("unset_mapping",) if state.mapped else ("set_mapping",)
            yield Move(label, False, rows.set_mapping(world, state, not state.mapped))

    def _engine_moves(self, state: State, slot: int, job: Job) -> Iterator[Move]:
        world = self.world
        if rows.can_dispatch(state, job):
            yield Move(("dispatch", slot), True, rows.dispatch(world, state, slot))
        if job.messages:
            lost = rows.put_job(world, state, slot, job._replace(messages=job.messages - 1))
            yield Move(("message_lost" if job.state == "queued" else "message_in_vain", slot), True, lost)
        if job.state == "queued":
            yield from self._queued_moves(state, slot, job)
        if job.state != "running":
            return
        if job.lease:
            is_dead = not any(w.slot == slot and w.holds for w in state.workers)
            if is_dead or world.scenario.has_zombies:
                expired = rows.put_job(world, state, slot, job._replace(lease=False))
                yield Move(("lease_expires", slot), is_dead, expired)
        elif "lease_never_recovered" not in world.faults:
            yield Move(("recover", slot), True, rows.recover(world, state, slot))

    def _queued_moves(self, state: State, slot: int, job: Job) -> Iterator[Move]:
        world = self.world
        room = MAX_MESSAGES if world.scenario.has_duplicates else 1
        if job.messages < room and "lost_message_not_sent_again" not in world.faults:
            again = rows.put_job(world, state, slot, job._replace(messages=job.messages + 1))
            yield Move(("dispatch_again", slot), True, again)
        will_lose = rows.is_locked(world, state, slot) and not world.scenario.has_split_claim
        if job.messages and (will_lose or len(state.workers) < world.scenario.workers):
            yield Move(("claim", slot), True, rows.claim(world, state, slot))

    def _person_moves(self, state: State, slot: int, job: Job) -> Iterator[Move]:
        world = self.world
        is_doubtful = job.waits.startswith("doubt:")  # Nobody can shorten a doubt.
        if (
            world.scenario.has_retry
            and job.state in ("retry_waiting", "blocked", "failed")
            and not is_doubtful
        ):
            yield Move(("retry", slot), False, rows.retry(world, state, slot))
        is_asked = job.state == "running" and job.cancel and not job.behind
        if world.scenario.has_cancel and (job.state in OPEN or job.state == "failed") and not is_asked:
            yield Move(("cancel", slot), False, rows.cancel(world, state, slot))

    def wrong(self, state: State) -> str | None:
        """Return the invariant that the state breaks."""
        if state.broken:
            return state.broken
        for effect in state.effects:
            if effect.made > 1:
                return "An effect happened twice."
            if effect.state == "confirmed" and not effect.made:
                return "An effect is confirmed and never happened."
        open_jobs = [job for job in state.jobs if job is not None and job.state in OPEN]
        entities = sorted(job.entity for job in open_jobs)
        if any(one == other for one, other in pairwise(entities)):
            return "Two jobs are open for the same work."
        locks = sorted(self.world.scenario.locks[job.entity] for job in open_jobs if job.state == "running")
        if any(one == other for one, other in pairwise(locks)):
            return "Two jobs are running for one lock key."
        for entity, is_owed in enumerate(state.owed):
            if is_owed and not self._will_be_read(state, entity):
                return f"A wake-up is lost: no attempt will read what changed in entity {entity}."
        return None

    def _will_be_read(self, state: State, entity: int) -> bool:
        slot = rows.open_slot(state, entity)
        if slot is None:
            return False
        job = rows.job_in(state, slot)
        if job.state in _WILL_READ or (job.state == "running" and job.behind):
            return True
        if job.state != "running":
            return False
        holder = next((w for w in state.workers if w.slot == slot and w.holds), None)
        return holder is None or holder.at == "claimed" or holder.fresh

    def is_good_end(self, state: State) -> bool:
        """Return whether nobody works, nothing is on its way, and no row waits for anything but a person."""
        if state.workers or any(effect.orphans or effect.hot for effect in state.effects):
            return False
        return all(
            job is None
            or job.state in ("done", "cancelled", "failed")
            or (job.state == "blocked" and not state.mapped)
            for job in state.jobs
        )

    def describe(self, label: tuple[Hashable, ...]) -> str:
        """Return one move as a readable sentence."""
        name, *rest = label
        sentence = _SENTENCES[str(name)]
        if name not in WORKER_MOVES:
            return sentence.format(*rest) + "."
        slot, holds = rest[0], rest[1]
        who = f"The worker of row {slot}" if holds else f"A worker that does not hold row {slot}"
        return f"{who}{'' if sentence[0] in chr(39) + ' ' else ' '}{sentence}."
