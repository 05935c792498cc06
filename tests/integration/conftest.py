from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
import pytest

from bridge.broker import pika_parameters
from bridge.ledger import Ledger, Lengths, Want
from consumers.topology import provision
from producers.publisher import Publisher
from schemas.events import new_event

ROOT = Path(__file__).parents[2]
SHOP = {
    "base_url": "http://127.0.0.1:9",
    "odoo_url": "http://127.0.0.1:9",
    "odoo_db": "shop",
    "odoo_user": "bridge",
}
LEASE_SECONDS = 2.0


def wait_for(condition: Callable[[], Any], *, what: str, seconds: float = 30.0) -> Any:
    """Return the first true value of ``condition``."""
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


class Child:
    """A process of the bridge."""

    def __init__(self, arguments: list[str], *, env: dict[str, str], log: Path) -> None:
        self.log_path = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=env, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def terminate(self, *, timeout: float = 20) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=timeout)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()


@dataclass
class World:
    """A bridge on a database and a virtual host of its own."""

    ledger: Ledger
    database_url: str
    broker_url: str
    secret_key: str
    folder: Path
    children: list[Child] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "BRIDGE_DATABASE_URL": self.database_url,
            "BRIDGE_BROKER_URL": self.broker_url,
            "BRIDGE_SECRET_KEY": self.secret_key,
            "BRIDGE_LEASE_SECONDS": str(LEASE_SECONDS),
            "BRIDGE_BACKOFF_UNIT_SECONDS": "0.2",
            "BRIDGE_DISPATCH_INTERVAL_SECONDS": "0.2",
            "BRIDGE_WORKER_THREADS": "8",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }

    def spawn(self, module: str, *arguments: str) -> Child:
        """Start ``python -m MODULE ARGUMENTS``."""
        return self.run("-m", module, *arguments)

    def run(self, *arguments: str) -> Child:
        """Start ``python ARGUMENTS``."""
        child = Child(list(arguments), env=self.env, log=self.folder / f"child-{len(self.children)}.log")
        self.children.append(child)
        return child

    def worker(self, role: str = "all") -> Child:
        """Start a worker and wait until it is alive."""
        name = f"w{len(self.children)}@localhost"
        child = self.spawn(
            "celery", "-A", "tests.integration.gated_app", "worker", "--role", role, "-n", name
        )
        wait_for(
            lambda: child.process.poll() is not None or self.is_alive(child),
            what="a worker is alive",
            seconds=40,
        )
        assert child.process.poll() is None, child.log
        return child

    def is_alive(self, child: Child) -> bool:
        return any(f":{child.pid}:" in one.name for one in self.ledger.processes.alive())

    def publish(
        self, *record_ids: int, event_type: str = "magento.connection.tested", instance: str = "shop"
    ) -> None:
        with Publisher(self.broker_url) as publisher:
            publisher.publish(new_event(event_type, instance, record_id=one) for one in record_ids)

    def publish_raw(
        self, body: bytes, *, routing_key: str = "magento.order.saved", **properties: Any
    ) -> None:
        with self.channel() as channel:
            channel.confirm_delivery()
            given = pika.BasicProperties(delivery_mode=2, **properties)
            channel.basic_publish("bridge.events", routing_key, body, given, mandatory=True)

    @contextlib.contextmanager
    def channel(self) -> Iterator[Any]:
        connection = pika.BlockingConnection(pika_parameters(self.broker_url, name="test"))
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def messages_in(self, queue: str) -> int:
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def want_gated(self, *entities: str, **options: Any) -> list[int]:
        """Want jobs that wait until the test opens their gate."""
        wants = [
            Want(
                instance="shop",
                kind="gated",
                entity=one,
                queue="orders",
                data={"folder": str(self.gate(one))},
                **options,
            )
            for one in entities
        ]
        return [one.job_id for one in self.ledger.jobs.want(wants)]

    def gate(self, entity: str) -> Path:
        folder = self.folder / f"gate-{entity}"
        folder.mkdir(exist_ok=True)
        return folder

    def open_gate(self, entity: str) -> None:
        (self.gate(entity) / "open").touch()

    def started(self, entity: str) -> int:
        return len(list(self.gate(entity).glob("started-*")))

    def ended(self, entity: str) -> int:
        return len(list(self.gate(entity).glob("ended-*")))

    def wait_done(self, number: int, *, seconds: float = 40.0) -> None:
        """Wait until ``number`` jobs are done and none is open."""
        wait_for(
            lambda: self.ledger.jobs.counts() == {"done": number},
            what=f"{number} jobs are done",
            seconds=seconds,
        )


@pytest.fixture
def world(postgres_url: str, broker_url: str, tmp_path: Path) -> Iterator[World]:
    """Give a bridge with its topology declared and one instance, and no process yet."""
    secret_key = secrets.token_urlsafe(32)
    lengths = Lengths(lease_seconds=LEASE_SECONDS, message_patience_seconds=0.3)
    ledger = Ledger.open(postgres_url, secret_key=secret_key, lengths=lengths)
    ledger.instances.add("shop", SHOP, {})
    provision(broker_url)
    made = World(ledger, postgres_url, broker_url, secret_key, tmp_path)
    yield made
    for child in made.children:
        child.close()
    ledger.close()
