"""The schedule: what happens by the clock. A tick becomes work in the ledger; nothing is published.

Any number of beats may run: each tick is one row with a unique key, so it counts once.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import structlog
from celery import schedules
from celery.beat import ScheduleEntry, Scheduler

from bridge.bootstrap import open_ledger
from bridge.errors import BridgeError
from bridge.flows.wants import PLACES, wake_stock, want
from bridge.ledger import Arrival, Event, Ledger
from bridge.settings import process_settings

log = structlog.get_logger()

_SOURCE = "/schedules"
_TICK = "bridge.schedule.ticked"
_BEAT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Something that happens every so often."""

    name: str
    #: One line for people.
    title: str
    every_seconds: float
    #: Does it for one instance; None: ``act`` is called once, for the whole ledger (with an empty name).
    act: Callable[[Ledger, str], None]
    per_instance: bool = True


def _upkeep(ledger: Ledger, _instance: str) -> None:
    done = ledger.upkeep()
    log.info("upkeep_done", exchanges=done.exchanges, requests=done.requests, events=done.events)


def _import_orders(ledger: Ledger, instance: str) -> None:
    place = PLACES["import-orders"]
    lock = None if place.lock is None else place.lock("")
    ledger.runs.start(
        instance,
        "import-orders",
        {},
        queue=place.queue,
        priority=place.priority,
        systems=place.systems,
        lock_key=lock,
    )


def _exports_stock(ledger: Ledger, instance: str) -> bool:
    return ledger.instances.get(instance).settings.export_stock


def _poll_stock(ledger: Ledger, instance: str) -> None:
    if _exports_stock(ledger, instance):
        ledger.jobs.want([want("poll-stock", instance=instance, entity="all")])


def _sweep_stock(ledger: Ledger, instance: str) -> None:
    ledger.stock.sweep(instance, wake=wake_stock(instance))


def _export_all_stock(ledger: Ledger, instance: str) -> None:
    if _exports_stock(ledger, instance):
        ledger.stock.mark_all(instance, wake=wake_stock(instance))


#: What happens by the clock.
SCHEDULES: tuple[Schedule, ...] = (
    Schedule(
        name="import-orders",
        title="Scan Magento for orders whose event was lost",
        every_seconds=300.0,
        act=_import_orders,
    ),
    Schedule(
        name="sweep-stock",
        title="Export figures of stock that were marked and whose export was lost",
        every_seconds=60.0,
        act=_sweep_stock,
    ),
    Schedule(
        name="poll-stock",
        title="Look in Odoo for changes of stock whose event was lost",
        every_seconds=300.0,
        act=_poll_stock,
    ),
    Schedule(
        name="export-stock",
        title="Export the stock of every product, at midnight UTC: what differs is written",
        every_seconds=24 * 3600.0,
        act=_export_all_stock,
    ),
    Schedule(
        name="upkeep",
        title="Make the coming weeks' partitions and delete what is older than it is kept",
        every_seconds=6 * 3600.0,
        act=_upkeep,
        per_instance=False,
    ),
)


def tick(ledger: Ledger, schedule: Schedule, *, now: float) -> int:
    """Do what ``schedule`` wants at ``now`` (Unix seconds) unless that was done; return for how many.

    The tick's row comes first, in a transaction of its own: a process that dies right after it skips one tick.
    """
    number = int(now // schedule.every_seconds)
    names = ledger.instances.names() if schedule.per_instance else [""]
    done = 0
    for instance in names:
        event = Event(
            instance=instance,
            source=_SOURCE,
            event_id=f"{schedule.name}@{number}",
            type=_TICK,
            subject=schedule.name,
            time=None,
            data={},
        )
        if ledger.events.take([Arrival(event=event, wants=())]).stored:
            schedule.act(ledger, instance)
            done += 1
    return done


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
    """Return how often to look: often enough that a tick that failed is done within a minute."""
    return min(60.0, schedule.every_seconds / 5)
