"""The dispatcher: gives due jobs a message each, a small window of them at a time.

The backlog stays in the ledger, where priority and fairness can still change; the broker holds a window per queue.
A message is only a wake-up and is published without confirms: a lost one is dispatched again by the
ledger. Any number of dispatchers may run; the ledger lets one choose at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from bridge.errors import BridgeError
from bridge.ledger import JobId, Ledger, LedgerUnavailable
from bridge.topology import TASK_QUEUES

log = structlog.get_logger()

#: Messages that each queue may hold; enough to keep the workers busy until the next look.
WINDOW = 200
#: Between two choices at least so long, so that each one is worth its cost.
GAP_SECONDS = 0.02
#: While a queue is full the next look comes after this time, poked or not: the workers have enough until then.
FULL_SECONDS = 0.1
#: After a poke a second look comes this soon: another dispatcher may have been choosing just then.
AGAIN_SECONDS = 0.05
#: How often the process says in the ledger that it is alive.
_BEAT_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 5.0


class SendFailed(Exception):
    """The messages could not be sent now."""


class Sender(Protocol):
    """Sends wake-ups for jobs."""

    def ready(self) -> bool:
        """Return whether messages can be sent now; connects if need be."""

    def send(self, picked: Sequence[tuple[JobId, str]]) -> None:
        """Send a message for each (job, queue).

        Raises:
            SendFailed: some may not have been sent.
        """

    def close(self) -> None:
        """Give up the connection."""


class Dispatcher:
    """A thread that dispatches when poked, and now and then by itself."""

    def __init__(
        self,
        ledger: Ledger,
        sender: Sender,
        *,
        interval_seconds: float,
        beat: Callable[[], None] = lambda: None,
        queues: Sequence[str] = TASK_QUEUES,
        window: int = WINDOW,
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._interval_seconds = interval_seconds
        self._beat = beat
        self._queues = tuple(queues)
        self._window = window
        self._beaten_at = float("-inf")
        self._poked = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begin dispatching."""
        self._thread.start()

    def poke(self, *_: object) -> None:
        """Say that there may be work now. Cheap; from any thread."""
        self._poked.set()

    def stop(self, *, timeout_seconds: float = 10.0) -> None:
        """End after the choice under way."""
        self._stopped.set()
        self._poked.set()
        if self._thread.is_alive():
            self._thread.join(timeout=timeout_seconds)
        self._sender.close()

    def round(self) -> bool:
        """Dispatch what is due; return whether a queue is full, so that there may be more."""
        queued = self._ledger.jobs.queued()
        room = {queue: max(0, self._window - queued.get(queue, 0)) for queue in self._queues}
        picked = self._ledger.jobs.dispatch(room, limit=sum(room.values()))
        if picked:
            self._sender.send(picked)
        return _is_full(room, picked)

    def _run(self) -> None:
        pause = GAP_SECONDS
        while not self._stopped.is_set():
            was_poked = self._poked.is_set()
            self._poked.clear()
            try:
                self._say_alive()
                # Jobs are only marked as sent when they can be sent.
                is_full = self._sender.ready() and self.round()
            except (SendFailed, LedgerUnavailable) as exc:
                log.warning("dispatcher_waits", error=type(exc).__name__)
                pause = self._pause_after_failure(pause)
                continue
            except Exception as exc:
                log.exception(
                    "dispatcher_failed", code=exc.code if isinstance(exc, BridgeError) else type(exc).__name__
                )
                pause = self._pause_after_failure(pause)
                continue
            pause = GAP_SECONDS
            if is_full:
                self._stopped.wait(FULL_SECONDS)
            else:
                self._stopped.wait(GAP_SECONDS)
                self._poked.wait(AGAIN_SECONDS if was_poked else self._interval_seconds)

    def _pause_after_failure(self, pause: float) -> float:
        self._stopped.wait(pause)
        return min(2 * max(pause, 0.1), _LONGEST_PAUSE_SECONDS)

    def _say_alive(self) -> None:
        if time.monotonic() - self._beaten_at >= _BEAT_SECONDS:
            self._beat()
            self._beaten_at = time.monotonic()


def _is_full(room: Mapping[str, int], picked: Sequence[tuple[JobId, str]]) -> bool:
    """Return whether a queue's room was used up, so that there may be more work for it."""
    used = dict.fromkeys(room, 0)
    for _, queue in picked:
        used[queue] += 1
    return any(used[queue] >= room[queue] > 0 for queue in room) or any(one == 0 for one in room.values())
