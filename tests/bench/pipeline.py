"""(a) Jobs that do nothing, from published event to ``done`` in PostgreSQL, against bare Celery tasks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from schemas.events import new_event
from tests.bench.bare_celery import BROKER_VARIABLE, EVERY_VARIABLE, MARK_VARIABLE, make_app
from tests.bench.children import Child, child, wait_for
from tests.bench.figures import Run, interleaved, print_pairs
from tests.bench.world import World, virtual_host, world

TARGET = 0.3
_INSTANCE = "shop"
_NOWHERE = {
    "base_url": "http://127.0.0.1:9",
    "odoo_url": "http://127.0.0.1:9",
    "odoo_db": "shop",
    "odoo_user": "bridge",
}


class BareCelery:
    """A worker of bare Celery and its producer."""

    def __init__(self, worker: Child, broker_url: str, mark: Path, *, every: int) -> None:
        self._worker = worker
        self._app = make_app(broker_url)
        self._mark = mark
        self._every = every
        self._turns = count(1)

    def run(self) -> Run:
        """Publish as many tasks as make a mark and wait for it."""
        mark = Path(f"{self._mark}-{next(self._turns)}")
        noop = self._app.tasks["bare.noop"]
        cpu = self._worker.cpu_seconds()
        started = time.monotonic()
        with self._app.producer_or_acquire() as producer:
            for number in range(self._every):
                noop.apply_async((number,), producer=producer)
        wait_for(mark.exists, what="bare tasks are done", seconds=120, child=self._worker)
        seconds = time.monotonic() - started
        return Run(count=self._every, seconds=seconds, cpu_seconds=self._worker.cpu_seconds() - cpu)

    def close(self) -> None:
        """Close the producer's connection."""
        self._app.close()


def measure(*, threads: int, pairs: int, jobs: int, tasks: int) -> None:
    """Print ratio and figures."""
    print(f"\n(a) The pipeline against bare Celery: {jobs} jobs, {tasks} tasks, threads pool, -c {threads}")
    print("  quorum queues, messages persistent, early acknowledgement, no result backend; each run counts")
    print("  from the first message published until the last is done; CPU is the worker's alone")
    with world(threads=threads) as here, here.worker() as worker, _bare(here, every=tasks) as bare:
        here.ledger.instances.add(_INSTANCE, _NOWHERE, {})
        numbers = count(1)

        def run(number: int = jobs) -> Run:
            kind = "magento.connection.tested"
            return here.run(
                worker, [new_event(kind, _INSTANCE, record_id=next(numbers)) for _ in range(number)]
            )

        run(200)
        bare.run()
        measured = interleaved(pairs, bridge=run, bare=bare.run)
        print_pairs(measured, unit="job", bare_name="bare Celery", target=TARGET)


@contextmanager
def _bare(here: World, *, every: int) -> Iterator[BareCelery]:
    mark = here.folder / "bare"
    with virtual_host("bridge_bench_bare") as broker_url:
        env = {BROKER_VARIABLE: broker_url, MARK_VARIABLE: str(mark), EVERY_VARIABLE: str(every)}
        arguments = ["-m", "celery", "-A", "tests.bench.bare_celery", "worker", "--pool=threads"]
        with child(
            *arguments, f"--concurrency={here.threads}", env=env, folder=here.folder, name="bare"
        ) as worker:
            bare = BareCelery(worker, broker_url, mark, every=every)
            try:
                yield bare
            finally:
                bare.close()
