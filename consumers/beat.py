"""The schedule: what happens by the clock. A tick becomes work in the ledger; nothing is published.

Any number of beats may run: each tick is one row with a unique key, so it counts once.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import structlog
from celery import schedules
from celery.beat import ScheduleEntry, Scheduler

from bridge.bootstrap import open_ledger
from bridge.errors import BridgeError
from bridge.ledger import Arrival, Event, Ledger
from bridge.settings import InstanceSettings, process_settings
from consumers.schedules import SCHEDULES, Schedule
from consumers.timing import Pace, pace_of, slot_of

log = structlog.get_logger()

_SOURCE = "/schedules"
_TICK = "bridge.schedule.ticked"
_BEAT_SECONDS = 5.0


def tick(ledger: Ledger, schedule: Schedule, *, now: float) -> int:
    """Do what ``schedule`` wants at ``now`` (Unix seconds) unless that was done; return for how many.

    The tick's row comes first, in a transaction of its own: a process that dies right after it skips one tick.
    """
    done = 0
    for instance, tick_id in _due(ledger, schedule, now=now).items():
        event = Event(
            instance=instance,
            source=_SOURCE,
            event_id=tick_id,
            type=_TICK,
            subject=schedule.name,
            time=None,
            data={},
        )
        if ledger.events.take([Arrival(event=event, wants=())]).stored:
            schedule.act(ledger, instance)
            done += 1
    return done


def _due(ledger: Ledger, schedule: Schedule, *, now: float) -> dict[str, str]:
    """Return the ids of the ticks that should have been by now, by instance."""
    if not schedule.per_instance:
        return {"": f"{schedule.name}@{int(now // schedule.every_seconds)}"}
    due: dict[str, str] = {}
    for instance, known in ledger.instances.settings().items():
        every = pace(ledger, schedule, instance, known).every_seconds
        slot = None if every is None else slot_of(now, every_seconds=every, zone=known[0].store_timezone)
        if every is not None and slot is not None:
            # The length belongs to it: slots of another length have other numbers.
            due[instance] = f"{schedule.name}@{every:g}:{slot}"
    return due


def pace(ledger: Ledger, schedule: Schedule, instance: str, known: tuple[InstanceSettings, datetime]) -> Pace:
    """Return how often ``schedule`` happens for an instance; ``known`` as ``ledger.instances.settings`` has it."""
    if schedule.only is not None and not schedule.only.holds(known[0]):
        return Pace(every_seconds=None, said="other settings")
    return pace_of(
        ledger,
        schedule.name,
        every_seconds=schedule.every_seconds,
        after=schedule.after,
        instance=instance,
        known=known,
    )


def last_tick(ledger: Ledger, schedule: Schedule, instance: str) -> datetime | None:
    """Return when ``schedule`` last happened for an instance, or None."""
    return ledger.events.last_of(instance if schedule.per_instance else "", _SOURCE, schedule.name)


class Ticker:
    """Does what the schedules want on a thread of this process: beat's part in embedded mode."""

    def __init__(self, ledger: Ledger, wanted: Sequence[Schedule]) -> None:
        self._ledger = ledger
        self._wanted = tuple(wanted)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        """Begin ticking."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopped.is_set():
            for one in self._wanted:
                _tick_quietly(self._ledger, one)
            self._stopped.wait(_BEAT_SECONDS)


class LedgerScheduler(Scheduler):
    """Celery beat's scheduler: ticks go to the ledger instead of the broker."""

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, opened at the first tick."""
        return open_ledger(process_settings())

    def setup_schedule(self) -> None:
        """Fill the schedule."""
        self._entries: dict[str, ScheduleEntry] = {}
        self._name = f"{socket.gethostname()}:{os.getpid()}:beat"
        self._beaten_at = float("-inf")
        for one in SCHEDULES:
            every = schedules.schedule(timedelta(seconds=_look_every(one)), app=self.app)
            # As if it had run long ago: the first look comes at once. Its tick may have been done already.
            long_ago = self.app.now() - timedelta(days=1)
            entry = ScheduleEntry(
                name=one.name, task=one.name, schedule=every, app=self.app, last_run_at=long_ago
            )
            self._entries[one.name] = entry

    def get_schedule(self) -> dict[str, ScheduleEntry]:
        """Return the entries by name."""
        return self._entries

    schedule = property(get_schedule)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Do what is due and return how long to wait."""
        if time.monotonic() - self._beaten_at >= _BEAT_SECONDS:
            self._beaten_at = time.monotonic()
            try:
                self.ledger.processes.beat(self._name, "beat")
            except BridgeError as exc:
                log.warning("beat_waits", code=exc.code)
        return float(super().tick(*args, **kwargs))

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:  # noqa: ARG002 - ticks are not published
        """Write a tick's work to the ledger."""
        (one,) = [each for each in SCHEDULES if each.name == entry.name]
        try:
            ledger = self.ledger
        except BridgeError as exc:
            log.warning("beat_waits", code=exc.code)
        else:
            _tick_quietly(ledger, one)

    def close(self) -> None:
        """Close the ledger."""
        opened = self.__dict__.pop("ledger", None)
        if opened is not None:
            opened.close()
        super().close()


def _tick_quietly(ledger: Ledger, schedule: Schedule) -> None:
    try:
        done = tick(ledger, schedule, now=time.time())
    except BridgeError as exc:
        log.warning("tick_failed", schedule=schedule.name, code=exc.code)
    else:
        if done:
            log.info("ticked", schedule=schedule.name, instances=done)


def _look_every(schedule: Schedule) -> float:
    """Return how often to look: often enough that a tick that failed, or was sped up, is done within a minute."""
    return min(60.0, schedule.every_seconds / 5)
