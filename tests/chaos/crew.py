"""Celery workers on a broker and a ledger of their own, and what may happen to all of them."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bridge.errors import BridgeError
from bridge.ledger import Ledger
from consumers.topology import provision
from producers.publisher import Publisher, PublishFailed
from schemas.events import Envelope
from tests.chaos.world import LENGTHS, PATIENCE_SECONDS
from tests.integration.conftest import ROOT, Child, World, wait_for
from tests.support import postgres, rabbitmq

#: How long a publisher waits for the broker's word before it says that it failed.
PUBLISH_SECONDS = 2.0


class Crew:
    """Servers that may be killed, since nobody else uses them, and the workers on them."""

    def __init__(self, servers: Path, folder: Path) -> None:
        self.workers: list[Child] = []
        with ExitStack() as started:
            self._postgres = postgres.start_postgres(servers, durable=True)
            started.callback(self._stop_postgres)
            self._broker = rabbitmq.start_rabbitmq(servers)
            started.callback(self._stop_broker)
            broker_url = self._broker.create_vhost("bridge")
            provision(broker_url)
            secret_key = secrets.token_urlsafe(32)
            self.ledger = Ledger.open(self._postgres.url, secret_key=secret_key, lengths=LENGTHS)
            started.callback(self.ledger.close)
            self.ledger.migrate()
            self.world = World(self.ledger, self._postgres.url, broker_url, secret_key, folder)
            self._started = started.pop_all()

    def close(self) -> None:
        """End everything."""
        for child in self.world.children:
            child.close()
        self._started.close()

    # A server that crashed is another afterwards: they are looked up when they are stopped.
    def _stop_postgres(self) -> None:
        self._postgres.stop()

    def _stop_broker(self) -> None:
        self._broker.stop()

    def hire(self, number: int) -> None:
        """Start so many more workers, and return when they are up."""
        new = [
            self.world.spawn("celery", "-A", "tests.chaos.hurried_app", "worker", "-n", f"{name}@localhost")
            for name in (f"w{len(self.world.children) + one}" for one in range(number))
        ]
        for worker in new:
            wait_for(
                lambda worker=worker: worker.process.poll() is not None or self.world.is_alive(worker),
                what="a worker is up",
                seconds=PATIENCE_SECONDS,
            )
            assert worker.process.poll() is None, worker.log[-3000:]
        self.workers += new

    def kill_workers(self, workers: Sequence[Child]) -> None:
        """Kill workers, all in the same moment."""
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.wait(timeout=PATIENCE_SECONDS)
        self.workers = [one for one in self.workers if one not in workers]

    def insist_on_life(self) -> None:
        """Insist that no worker ended by itself."""
        for worker in self.workers:
            assert worker.process.poll() is None, worker.log[-3000:]

    def publish(self, events: Sequence[Envelope]) -> int:
        """Publish as publishers must: again until the broker has confirmed; returns how often it did not."""
        failures = 0
        left = list(events)
        until = time.monotonic() + PATIENCE_SECONDS
        with Publisher(self.world.broker_url, limit_seconds=PUBLISH_SECONDS) as publisher:
            while left:
                try:
                    publisher.publish(left)
                    left = []
                except PublishFailed as exc:
                    failures += 1
                    left = [one for one in left if one.id in exc.event_ids]
                    assert time.monotonic() < until, "the broker takes no events"
                    time.sleep(0.1)
        return failures

    @contextmanager
    def broker_down(self) -> Iterator[None]:
        """Kill the broker, and start it again at the end."""
        self._broker.kill()
        try:
            yield
        finally:
            self._broker = rabbitmq.start_again(self._broker)

    @contextmanager
    def ledger_down(self) -> Iterator[None]:
        """Let the ledger's server crash, and start it again at the end."""
        self._postgres.crash()
        try:
            yield
        finally:
            self._postgres = postgres.start_again(self._postgres)
            wait_for(self._ledger_answers, what="the ledger is back", seconds=PATIENCE_SECONDS)

    def run_command(self, *arguments: str) -> None:
        """Run the command line as a person would."""
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from bridge.cli import main; sys.exit(main())", *arguments],
            cwd=ROOT,
            env=self.world.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _ledger_answers(self) -> bool:
        try:
            self.ledger.now()
        except BridgeError:
            return False
        return True
