"""Everything in one process: the same receiving, dispatching and running code, on threads, without a broker.

The ledger is usually SQLite. For `bridge demo`, `bridge serve --embedded` and tests.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from bridge.bootstrap import make_runtime
from bridge.engine import Runtime
from bridge.ledger import JobId, Ledger
from bridge.settings import Settings
from bridge.topology import TASK_QUEUES
from consumers.beat import Ticker
from consumers.dispatcher import Dispatcher
from consumers.receiving import Message, Received, Receiver
from consumers.schedules import SCHEDULES
from consumers.tasks import run_quietly
from schemas.events import Envelope

#: Role of this process in the ledger.
ROLE = "embedded"
#: Messages taken into one transaction.
_BATCH_SIZE = 100


class Embedded:
    """A whole bridge on threads. Use it in a ``with`` statement, or ``start`` and ``close`` it."""

    def __init__(
        self, ledger: Ledger, settings: Settings, *, threads: int | None = None, with_schedules: bool = False
    ) -> None:
        """``with_schedules`` also does what beat does."""
        self._ledger = ledger
        self._name = f"{ROLE}:{os.getpid()}:"
        #: What runs the jobs; its ``ended`` wakes the dispatcher.
        self.runtime: Runtime = make_runtime(ledger, settings)
        self.runtime.worker = self._name
        self._receiver = Receiver(ledger)
        self._receiving = threading.Lock()
        self._workers = ThreadSender(self.runtime, threads=threads or settings.worker_threads)
        self._dispatcher = Dispatcher(
            ledger,
            self._workers,
            interval_seconds=settings.dispatch_interval_seconds,
            beat=lambda: ledger.processes.beat(self._name, ROLE),
            # The window is what lies between the dispatcher and the threads: short, so that priority counts.
            window=max(4, 2 * (threads or settings.worker_threads)),
        )
        self.runtime.ended = self._dispatcher.poke
        self._ticker = Ticker(ledger, SCHEDULES) if with_schedules else None

    def start(self) -> Self:
        """Take up the jobs of an earlier process that died, and begin."""
        for process in self._ledger.processes.list():
            if process.role == ROLE and (process.name == self._name or not _is_alive(process.name)):
                self._ledger.jobs.recover(worker_prefix=process.name)
                self._ledger.processes.gone(process.name)
        self._workers.start()
        self._dispatcher.start()
        if self._ticker:
            self._ticker.start()
        return self

    def close(self) -> None:
        """Let the running jobs end, then stop."""
        if self._ticker:
            self._ticker.stop()
        self._dispatcher.stop()
        self.runtime.close()
        self._ledger.processes.gone(self._name)

    def publish(self, events: Iterable[Envelope]) -> int:
        """Take ``events``, as intake would from the broker; returns how many. They are stored when this returns."""
        messages = [Message(body=event.to_bytes(), routing_key=event.type) for event in events]
        self.receive(messages)
        return len(messages)

    def receive(self, messages: Sequence[Message]) -> Received:
        """Take messages as they came from outside; what cannot be read becomes a dead event."""
        received = Received()
        with self._receiving:
            for start in range(0, len(messages), _BATCH_SIZE):
                received += self._receiver.receive(messages[start : start + _BATCH_SIZE])
        if received.created or received.folded:
            self._dispatcher.poke()
        return received

    def poke(self) -> None:
        """Say that there may be work: after jobs were made otherwise."""
        self._dispatcher.poke()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ThreadSender:
    """Hands jobs to threads of this process: the doorbell of embedded mode."""

    def __init__(self, runtime: Runtime, *, threads: int) -> None:
        self._runtime = runtime
        self._jobs: queue.SimpleQueue[JobId | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def ready(self) -> bool:
        """Return True: threads can always take a job."""
        return True

    def send(self, picked: Sequence[tuple[JobId, str]]) -> None:
        """Queue the jobs for the threads."""
        for job_id, queue_name in picked:
            assert queue_name in TASK_QUEUES
            self._jobs.put(job_id)

    def close(self) -> None:
        """Drop what has not begun, which the ledger sends again later, and wait for what has."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._jobs.get_nowait()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=60)

    def _work(self) -> None:
        while (job_id := self._jobs.get()) is not None:
            run_quietly(self._runtime, job_id)


def _is_alive(name: str) -> bool:
    """Return whether the embedded process ``name`` of this machine runs."""
    pid = name.removeprefix(f"{ROLE}:").rstrip(":")
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
