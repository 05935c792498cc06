"""What a Celery worker does besides running tasks: intake and dispatcher on threads, and the ledger opened once."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeVar, get_args

import click
import structlog
from celery import bootsteps
from celery.exceptions import WorkerShutdown
from celery.signals import worker_shutdown
from celery.worker import state
from celery.worker.consumer import Consumer

from bridge.bootstrap import make_runtime, open_ledger
from bridge.engine import Runtime
from bridge.errors import BridgeError, ConfigurationError, ServiceUnavailable
from bridge.ledger import Ledger
from bridge.settings import Settings, process_settings
from bridge.topology import RUN_JOB_TASK, TASK_QUEUES
from consumers.dispatcher import Dispatcher
from consumers.intake import Intake
from consumers.sender import TaskSender
from consumers.topology import provision

log = structlog.get_logger()

T = TypeVar("T")
Role = Literal["all", "intake", "tasks"]
#: Exit status of a process that must not start as it is configured.
EXIT_CONFIGURATION = 2
_RETRY_SECONDS = 1.0

role_option = click.Option(
    ["--role"],
    type=click.Choice(get_args(Role)),
    default="all",
    show_default=True,
    help="intake: takes events and dispatches; tasks: runs jobs; all: both in one process.",
)


class TaskConsumer(Consumer):
    """Celery's consumer without what the ledger makes needless.

    Delayed delivery (28 quorum queues: no message of ours has a countdown), and the workers' talk among
    each other when they start and after (transient queues that RabbitMQ 4.3 refuses).
    """

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc, valid-type]  # the stubs give it as a variable
        """The steps of the consumer."""

        default_steps: ClassVar = [
            step for step in Consumer.Blueprint.default_steps if "delayed_delivery" not in str(step)
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        quiet = {"without_mingle": True, "without_gossip": True}
        kwargs["worker_options"] = {**(kwargs.get("worker_options") or {}), **quiet}
        super().__init__(*args, **kwargs)


class Background(bootsteps.StartStopStep):
    """Opens the ledger for the tasks, and runs intake and dispatcher as the worker's role says."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, *, role: Role | None = None, **options: Any) -> None:
        _check_pool(worker)
        self._role: Role = role or "all"
        self._ledger: Ledger | None = None
        self._runtime: Runtime | None = None
        self._intake: Intake | None = None
        self._dispatcher: Dispatcher | None = None
        self._name = ""
        worker_shutdown.connect(self._ended, weak=False)
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        """Start everything but the tasks, which Celery starts next."""
        settings = process_settings()
        self._name = f"{socket.gethostname()}:{os.getpid()}:{self._role}"
        try:
            self._ledger = _patiently(lambda: open_ledger(settings))
            _patiently(lambda: provision(settings.broker_url))
        except ConfigurationError as exc:
            raise _refusal(exc.message) from exc
        self._start_threads(worker.app, self._ledger, settings)
        if self._role == "intake":
            worker.app.amqp.queues.deselect(TASK_QUEUES)

    def close(self, worker: Any) -> None:  # noqa: ARG002 - Celery calls it so
        """Stop taking events and dispatching, first of all; running jobs go on to their end."""
        if self._intake:
            self._intake.stop()
        if self._dispatcher:
            self._dispatcher.stop()

    def stop(self, worker: Any) -> None:
        """Do nothing: the threads have ended, and the ledger is still needed by running jobs."""

    def terminate(self, worker: Any) -> None:
        """Do nothing either."""

    def _ended(self, **_: Any) -> None:
        """Close the ledger when the last job has ended."""
        if self._runtime:
            self._runtime.close()
        if self._ledger:
            try:
                self._ledger.processes.gone(self._name)
            except BridgeError as exc:
                log.info("ledger_not_told_of_end", code=exc.code)
            self._ledger.close()

    def _start_threads(self, app: Any, ledger: Ledger, settings: Settings) -> None:
        self._dispatcher = Dispatcher(
            ledger,
            TaskSender(app),
            interval_seconds=settings.dispatch_interval_seconds,
            beat=lambda: ledger.processes.beat(self._name, self._role),
        )
        if self._role != "intake":
            self._runtime = make_runtime(ledger, settings)
            self._runtime.ended = self._dispatcher.poke
            app.tasks[RUN_JOB_TASK].runtime = self._runtime
        if self._role != "tasks":
            self._intake = Intake(settings.broker_url, ledger=ledger, committed=self._dispatcher.poke)
            self._intake.start()
        self._dispatcher.start()


def _check_pool(worker: Any) -> None:
    name = worker.pool_cls.__module__
    if not name.endswith((".thread", ".solo")):
        raise _refusal(
            "Jobs wait on HTTP and share one ledger: they need the threads pool. Leave --pool out."
        )


def _refusal(message: str) -> SystemExit:
    """Say why this process does not start, and return the end of it."""
    sys.stderr.write(f"Error: {message}\n")
    return SystemExit(EXIT_CONFIGURATION)


def _patiently(make: Callable[[], T]) -> T:
    """Return what ``make`` returns, once the servers that it needs are up."""
    while True:
        try:
            return make()
        except ServiceUnavailable as exc:
            log.warning("worker_waits", code=exc.code, reason=exc.message)
        until = time.monotonic() + _RETRY_SECONDS
        while time.monotonic() < until:
            if state.should_stop is not None or state.should_terminate is not None:
                raise WorkerShutdown(0)
            time.sleep(0.05)
