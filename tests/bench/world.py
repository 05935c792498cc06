"""A bridge on a database and a virtual host of its own, with one worker process of every role."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bridge.flows.wants import PLACES
from bridge.ledger import Ledger, Progress
from consumers.topology import provision
from producers.publisher import Publisher
from schemas.events import Envelope
from tests.bench.children import Child, child, wait_for
from tests.bench.figures import Run
from tests.support.postgres import create_database, drop_databases
from tests.support.rabbitmq import RabbitServer, given_server
from tests.support.services import BROKER_API_VARIABLE, BROKER_VARIABLE, POSTGRES_VARIABLE

_OPEN = """
SELECT EXISTS (SELECT 1 FROM jobs WHERE state IN ('pending', 'queued', 'running', 'retry_waiting'))
"""
_ENDED = "SELECT state, count(*) FROM jobs WHERE id > :last GROUP BY state"
_LAST = "SELECT coalesce(max(id), 0) FROM jobs"
_NUMBERS = count(1)


@dataclass(frozen=True, kw_only=True)
class World:
    """What the benchmarks work with."""

    ledger: Ledger
    database_url: str
    broker_url: str
    secret_key: str
    folder: Path
    threads: int

    @property
    def env(self) -> dict[str, str]:
        """The environment of the bridge's processes."""
        return {
            "BRIDGE_DATABASE_URL": self.database_url,
            "BRIDGE_BROKER_URL": self.broker_url,
            "BRIDGE_SECRET_KEY": self.secret_key,
            "BRIDGE_WORKER_THREADS": str(self.threads),
            # As docker-compose.yml has it.
            "BRIDGE_LOG_FORMAT": "json",
        }

    @contextlib.contextmanager
    def worker(self) -> Iterator[Child]:
        """Run a worker with intake, dispatcher and tasks, as ``bridge worker`` does, logging as it does."""
        number = next(_NUMBERS)
        arguments = ["-m", "celery", "-A", "consumers.app", "worker", "--role=all", "--loglevel=INFO"]
        name = f"worker-{number}"
        with child(
            *arguments, "-n", f"{name}@localhost", env=self.env, folder=self.folder, name=name
        ) as made:
            wait_for(lambda: self._is_alive(made), what="a worker is alive", seconds=60, child=made)
            yield made

    def run(self, worker: Child, events: Iterable[Envelope], *, patience_seconds: float = 600.0) -> Run:
        """Publish ``events`` and wait until the job of each is done in the ledger."""
        prepared = list(events)
        last = self._last()
        cpu = worker.cpu_seconds()
        started = time.monotonic()
        with Publisher(self.broker_url) as publisher:
            publisher.publish(prepared)
        wait_for(
            lambda: self._are_done(last, len(prepared)),
            what=f"{len(prepared)} jobs are done",
            seconds=patience_seconds,
            child=worker,
        )
        seconds = time.monotonic() - started
        return Run(count=len(prepared), seconds=seconds, cpu_seconds=worker.cpu_seconds() - cpu)

    def action(
        self,
        worker: Child,
        kind: str,
        *,
        instance: str,
        args: Mapping[str, Any] | None = None,
        patience_seconds: float = 1200.0,
    ) -> tuple[Run, Progress, list[float]]:
        """Start a run as ``bridge run`` does and wait until all its jobs are done.

        Returns what it took (``count`` is what the run has seen), its progress, and the worker's memory meanwhile.
        """
        place = PLACES[kind]
        last = self._last()
        held: list[float] = []
        cpu, started = worker.cpu_seconds(), time.monotonic()
        run_id = self.ledger.runs.start(
            instance,
            kind,
            args or {},
            queue=place.queue,
            priority=place.priority,
            systems=place.systems,
            lock_key=None if place.lock is None else place.lock(""),
        ).id

        def is_through() -> bool:
            held.append(worker.resident_mebibytes())
            return self._ended(last) and self.ledger.runs.progress(run_id).run.state == "done"

        wait_for(is_through, what=f"{kind} is done", seconds=patience_seconds, child=worker)
        seconds = time.monotonic() - started
        progress = self.ledger.runs.progress(run_id)
        run = Run(count=progress.run.seen, seconds=seconds, cpu_seconds=worker.cpu_seconds() - cpu)
        return run, progress, held

    def _last(self) -> int:
        with self.ledger.database.read() as session:
            return int(session.value(_LAST))

    def _are_done(self, last: int, number: int) -> bool:
        return self._ended(last) == {"done": number}

    def _ended(self, last: int) -> dict[str, int]:
        """Return how many jobs behind ``last`` are done; none while any is open."""
        with self.ledger.database.read() as session:
            if session.value(_OPEN):
                return {}
            states = {str(state): int(found) for state, found in session.rows(_ENDED, last=last)}
        if {"blocked", "failed", "cancelled"} & set(states):
            raise RuntimeError(f"Not every job is done: {states}")
        return states

    def _is_alive(self, one: Child) -> bool:
        return any(f":{one.pid}:" in process.name for process in self.ledger.processes.alive())


@contextlib.contextmanager
def database(prefix: str) -> Iterator[str]:
    """Give the address of a new database with the ledger's newest schema."""
    server = os.environ[POSTGRES_VARIABLE]
    name = f"{prefix}_{secrets.token_hex(4)}"
    url = create_database(server, name)
    try:
        with Ledger.open(url) as ledger:
            ledger.migrate()
        yield url
    finally:
        drop_databases(server, name)


@contextlib.contextmanager
def virtual_host(prefix: str) -> Iterator[str]:
    """Give the address of a new virtual host."""
    server: RabbitServer = given_server(os.environ[BROKER_VARIABLE], os.environ.get(BROKER_API_VARIABLE))
    name = f"{prefix}_{secrets.token_hex(4)}"
    try:
        yield server.create_vhost(name)
    finally:
        server.delete_vhost(name)


@contextlib.contextmanager
def world(*, threads: int) -> Iterator[World]:
    """Give a bridge without processes."""
    with (
        tempfile.TemporaryDirectory(prefix="bridge-bench-") as folder,
        database("bridge_bench") as url,
        virtual_host("bridge_bench") as broker_url,
    ):
        key = secrets.token_urlsafe(32)
        with Ledger.open(url, secret_key=key) as ledger:
            provision(broker_url)
            yield World(
                ledger=ledger,
                database_url=url,
                broker_url=broker_url,
                secret_key=key,
                folder=Path(folder),
                threads=threads,
            )
