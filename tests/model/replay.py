"""Walks the model and the real ledger side by side, and compares what both hold after every step.

Time is the only thing that is bent: what the model calls "the lease runs out", "the time has come", "the doubt is
over" moves a moment in the ledger's tables into the past. Everything else goes through the ledger's own functions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bridge.errors import JobCancelled, LeaseLost
from bridge.ledger import Effect, Job, JobId, Ledger, Want
from bridge.retry import DONE, Decision

from .explorer import Move
from .protocol import WORKER_MOVES, JobProtocol
from .rows import job_in
from .states import CLOSED, OPEN, UNSETTLED, Scenario, State, Worker
from .work import key_of

#: Longer than any replay takes.
_LONG_SECONDS = 36_000.0
#: The doubt lasts this long by the ledger's ``sent_at``.
DOUBT_SECONDS = 18_000.0
_INSTANCE = "shop"
_MAPPING = ("tax", "21")

_TABLES = ("jobs", "attempts", "effects", "mappings", "mapping_history")


class DifferenceError(AssertionError):
    """The real ledger did something else than the model."""


def replayable(scenario: Scenario) -> Scenario:
    """Return ``scenario`` as the real ledger can be led through it.

    Rows that have ended stay to be compared, workers have names, and the dispatcher parks jobs whose lock is taken.
    On SQLite a claim is lost in one transaction.
    """
    return replace(scenario, keeps_closed=True, names_workers=True, has_parking=True, has_split_claim=False)


class Replay:
    """One walk through the model with the real ledger beside it."""

    def __init__(self, protocol: JobProtocol, ledger: Ledger) -> None:
        self.protocol = protocol
        self.state = protocol.initial()
        self.steps: list[str] = []
        self._scenario = protocol.world.scenario
        self._ledger = ledger
        self._ids: dict[int, JobId] = {}
        self._held: dict[int, Job] = {}
        for table in _TABLES:
            ledger.database.command(f"DELETE FROM {table}")

    def moves(self) -> list[Move]:
        """Return what can happen next."""
        return list(self.protocol.moves(self.state))

    def follow(self, labels: Sequence[tuple[Hashable, ...]]) -> int:
        """Make the moves with these labels as long as the model allows them; how many it allowed.

        The labels may come from an exploration where workers have no names: alike workers can do the same.
        """
        for number, label in enumerate(labels):
            move = next((move for move in self.moves() if _is_same(move.label, label)), None)
            if move is None:
                return number
            self.make(move)
        return len(labels)

    def make(self, move: Move) -> None:
        """Make ``move`` in the model and in the ledger, and compare.

        Raises:
            DifferenceError: with all steps so far.
        """
        before = self.state
        self._held = {worker.name: self._held[worker.name] for worker in before.workers}
        self.state = move.state  # type: ignore[assignment]  # the model's own
        self.steps.append(self.protocol.describe(move.label))
        name, *rest = move.label
        try:
            if name in WORKER_MOVES:
                worker = next(w for w in before.workers if w.name == rest[-1])
                getattr(self, f"_{name}")(before, worker)
            else:
                getattr(self, f"_{name}")(*rest)
            self._compare()
        except (AssertionError, LeaseLost, JobCancelled) as exc:
            raise DifferenceError(f"{exc or type(exc).__name__}\n" + self.story()) from exc

    def story(self) -> str:
        """Return the steps so far."""
        return "\n".join(f"{number:3}. {step}" for number, step in enumerate(self.steps, 1))

    # What the engine and people do.

    def _event(self, entity: int) -> None:
        want = Want(
            instance=_INSTANCE,
            kind=f"kind-{entity}",
            entity=str(entity),
            queue=f"queue-{entity}",
            lock_key=self._scenario.locks[entity],
        )
        (wanted,) = self._ledger.jobs.want([want])
        if wanted.created:
            known = set(self._ids.values())
            assert wanted.job_id not in known, "a new job has an old id"
            slot = next(
                slot
                for slot, job in enumerate(self.state.jobs)
                if job is not None and job.entity == entity and job.state in OPEN
            )
            self._ids[slot] = wanted.job_id

    def _dispatch(self, slot: int) -> None:
        job = job_in(self.state, slot)
        sent = self._dispatched(slot)
        expected = [(self._ids[slot], f"queue-{job.entity}")] if job.state == "queued" else []
        assert sent == expected, f"dispatched {sent}, not {expected}"

    _dispatch_again = _dispatch

    def _dispatched(self, slot: int) -> list[tuple[JobId, str]]:
        self._move_time("next_attempt_at", slot)
        with self._leases_kept():
            queue = f"queue-{job_in(self.state, slot).entity}"
            return self._ledger.jobs.dispatch({queue: 1}, limit=1)

    def _message_lost(self, slot: int) -> None:
        """Nothing to do: the ledger cannot know."""

    def _message_in_vain(self, slot: int) -> None:
        found = self._claimed(slot)
        assert found is None, "a job that is not queued was claimed"

    def _claim(self, slot: int) -> None:
        found = self._claimed(slot)
        if job_in(self.state, slot).state != "running":
            assert found is None, "the claim won against the lock"
            return
        assert found is not None, "the claim lost"
        name = next(w.name for w in self.state.workers if w.name not in self._held)
        self._held[name] = found

    def _claimed(self, slot: int) -> Job | None:
        return self._ledger.jobs.claim(self._ids[slot], worker="replay", max_runtime_seconds=_LONG_SECONDS)

    def _lease_expires(self, slot: int) -> None:
        self._move_time("lease_until", slot)

    def _recover(self, slot: int) -> None:
        # How often a lease was lost is beside the model: it would put the job off, and fail it in the end.
        self._ledger.database.command("UPDATE jobs SET retry_count = 0")
        with self._leases_kept(but=slot):
            assert self._ledger.jobs.recover_expired() == 1, "the lease was not found over"

    def _retry(self, slot: int) -> None:
        assert self._ledger.jobs.retry(self._ids[slot]).changed, "the retry was refused"

    def _cancel(self, slot: int) -> None:
        assert self._ledger.jobs.cancel(self._ids[slot]).changed, "the cancel was refused"

    def _set_mapping(self) -> None:
        self._ledger.mappings.set(
            _INSTANCE, *_MAPPING, odoo_model="account.tax", odoo_id=1, odoo_label=None, by="replay"
        )

    def _unset_mapping(self) -> None:
        self._ledger.database.command("UPDATE mappings SET state = 'unmapped'")

    # What the remote system does is not the ledger's, except the end of the doubt.

    def _late_commit(self, key: int) -> None:
        """Nothing to do."""

    def _late_drop(self, key: int) -> None:
        """Nothing to do."""

    def _doubt_over(self, key: int) -> None:
        self._ledger.database.command(
            "UPDATE effects SET sent_at = {later:-:seconds} WHERE key = :key",
            seconds=DOUBT_SECONDS + 60,
            key=_key(key),
        )

    # What workers do.

    def _nothing(self, _before: State, _worker: Worker) -> None:
        """Nothing that the ledger could see."""

    _read = _send = _answer = _refuse = _crash = _crash_in_flight = _nothing
    _cut_after_commit = _cut_before_arrival = _cut_in_flight = _nothing

    def _begin(self, _before: State, worker: Worker) -> None:
        key = key_of(self.protocol.world, worker)
        try:
            effect = self._ledger.effects.begin(
                self._held[worker.name],
                key=_key(key),
                system="odoo",
                kind="order",
                target=f"order:{worker.entity}",
                request=b"{}",
            )
        except (LeaseLost, JobCancelled) as exc:
            found = "gone" if isinstance(exc, LeaseLost) else "cancelling"
        else:
            found = _seen(effect)
        expected = self._at(worker)
        assert found == expected, f"the effect was found {found}, not {expected}"

    def _resend(self, _before: State, worker: Worker) -> None:
        try:
            effect = self._ledger.effects.resend(
                self._held[worker.name], _key(key_of(self.protocol.world, worker))
            )
        except LeaseLost:
            found = "gone"
        else:
            found = "ready" if effect.state == "intended" else _seen(effect)
        expected = self._at(worker)
        assert found == expected, f"the effect was found {found}, not {expected}"

    def _at(self, worker: Worker) -> str:
        """Return where the model has the worker now."""
        return next((w.at for w in self.state.workers if w.name == worker.name), "gone")

    def _confirm(self, _before: State, worker: Worker) -> None:
        self._ledger.effects.confirm(self._held[worker.name], _key(key_of(self.protocol.world, worker)), "1")

    def _look(self, before: State, worker: Worker) -> None:
        if before.effects[key_of(self.protocol.world, worker)].made:
            self._confirm(before, worker)

    def _finish(self, worker: Worker, decision: Decision) -> None:
        state = self._ledger.jobs.finish(self._held[worker.name], decision)
        expected = job_in(self.state, worker.slot).state if worker.holds else None
        assert state == expected, f"the attempt ended {state}, not {expected}"

    def _finish_done(self, _before: State, worker: Worker) -> None:
        self._finish(worker, DONE)

    def _finish_failed(self, _before: State, worker: Worker) -> None:
        self._finish(worker, Decision(state="failed"))

    def _finish_cancelled(self, _before: State, worker: Worker) -> None:
        self._finish(worker, Decision(state="cancelled"))

    def _finish_trouble(self, _before: State, worker: Worker) -> None:
        self._finish(worker, Decision(state="retry_waiting", delay_seconds=_LONG_SECONDS, uses_attempt=True))

    def _finish_blocked(self, _before: State, worker: Worker) -> None:
        self._finish(worker, Decision(state="blocked", cause="mapping:{}:{}".format(*_MAPPING)))

    def _finish_unready(self, before: State, worker: Worker) -> None:
        waited = self._scenario.needs[worker.entity]
        slots = [slot for slot, job in enumerate(before.jobs) if job is not None and job.entity == waited]
        waits_for = f"job:{self._ids[slots[0]]}"
        self._finish(worker, Decision(state="retry_waiting", waits_for=waits_for))

    def _finish_doubtful(self, _before: State, worker: Worker) -> None:
        key = _key(key_of(self.protocol.world, worker))
        if worker.at == "noanswer":
            self._ledger.effects.doubt(self._held[worker.name], key)
        self._finish(
            worker, Decision(state="retry_waiting", delay_seconds=_LONG_SECONDS, waits_for=f"doubt:{key}")
        )

    def _finish_refused(self, before: State, worker: Worker) -> None:
        self._ledger.effects.refuse(self._held[worker.name], _key(key_of(self.protocol.world, worker)))
        self._finish_trouble(before, worker)

    # Time, and the comparison.

    def _move_time(self, column: str, slot: int) -> None:
        self._ledger.database.command(
            f"UPDATE jobs SET {column} = {{later:-60.0}} WHERE id = :id", id=self._ids[slot]
        )

    @contextmanager
    def _leases_kept(self, *, but: int | None = None) -> Iterator[None]:
        """Keep the dispatcher from recovering rows that the model does not recover in this step."""
        slots = [
            slot
            for slot, job in enumerate(self.state.jobs)
            if job is not None and job.state == "running" and not job.lease and slot != but
        ]
        for slot in slots:
            self._ledger.database.command(
                "UPDATE jobs SET lease_until = {later:3600.0} WHERE id = :id", id=self._ids[slot]
            )
        yield
        for slot in slots:
            self._move_time("lease_until", slot)

    def _compare(self) -> None:
        now = self._ledger.now()
        for slot, job in enumerate(self.state.jobs):
            if job is None:
                continue
            real = self._ledger.jobs.get(self._ids[slot])
            assert real is not None, f"row {slot} is gone"
            expected: dict[str, Any] = {"state": job.state}
            found: dict[str, Any] = {"state": real.state}
            if job.state not in CLOSED:
                expected |= {"behind": job.behind, "cancel": job.cancel, "waits": job.waits.partition(":")[0]}
                waits = (real.waits_for or "").partition(":")[0]
                is_timed = real.state == "retry_waiting" and not waits
                found |= {"behind": real.wanted > real.claimed, "cancel": real.cancel_requested}
                found |= {"waits": "time" if is_timed else waits}
            if job.state == "running":
                expected["lease"] = job.lease
                found["lease"] = real.lease_until is not None and real.lease_until > now
            assert found == expected, f"row {slot} is {found}, not {expected}"
        self._compare_effects()

    def _compare_effects(self) -> None:
        for key, effect in enumerate(self.state.effects):
            real = self._ledger.effects.get(_key(key))
            found = ("none", False) if real is None else (real.state, _is_hot(real))
            assert found == (effect.state, effect.hot), f"effect {key} is {found}, not {effect}"


def _is_same(one: tuple[Hashable, ...], other: tuple[Hashable, ...]) -> bool:
    return one[:-1] == other[:-1] if one[0] in WORKER_MOVES else one == other


def _key(key: int) -> str:
    return f"effect-{key}"


def _is_hot(effect: Effect) -> bool:
    return effect.state in UNSETTLED and effect.age_seconds < DOUBT_SECONDS


def _seen(effect: Effect) -> str:
    """Return where a worker goes that found ``effect`` so."""
    if effect.may_send:
        return "begun"
    if effect.state == "confirmed":
        return "ready"
    return "hot" if _is_hot(effect) else "look"
