"""A Celery worker on real RabbitMQ and PostgreSQL is killed in the middle of its orders."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.ledger import Ledger, Lengths
from bridge.sandbox import Sandbox
from consumers.topology import provision
from tests.chaos.world import Chaos, ChaosShop
from tests.integration.conftest import LEASE_SECONDS, Child, World, wait_for

ORDERS = 16
#: A worker is killed while each of these is open in Odoo, one after the other.
KILLED_IN = ("res.partner.load", "sale.order.load", "sale.order.action_confirm")


@pytest.fixture
def world(postgres_url: str, broker_url: str, tmp_path: Path) -> Iterator[World]:
    """Give a bridge with its topology declared, and no process yet."""
    secret_key = secrets.token_urlsafe(32)
    lengths = Lengths(lease_seconds=LEASE_SECONDS, message_patience_seconds=0.5)
    ledger = Ledger.open(postgres_url, secret_key=secret_key, lengths=lengths)
    provision(broker_url)
    made = World(ledger, postgres_url, broker_url, secret_key, tmp_path)
    yield made
    for child in made.children:
        child.close()
    ledger.close()


def start_worker(world: World) -> Child:
    name = f"w{len(world.children)}@localhost"
    child = world.spawn("celery", "-A", "consumers.app", "worker", "-n", name)
    wait_for(
        lambda: child.process.poll() is not None or world.is_alive(child), what="a worker is up", seconds=60
    )
    assert child.process.poll() is None, child.log
    return child


@pytest.mark.postgres
@pytest.mark.broker
@pytest.mark.timeout(240)
def test_a_celery_worker_that_is_killed_in_the_middle_of_its_orders_doubles_nothing(world: World) -> None:
    chaos = Chaos(seed=int(os.environ.get("BRIDGE_CHAOS_SEED", "1")), orders=ORDERS)
    with Sandbox.start(odoo_version=chaos.odoo_version, seed=chaos.seed) as box:
        shop = ChaosShop(box, world.ledger, chaos)
        held = [box.odoo.hold_commit(operation) for operation in KILLED_IN]
        world.publish(*(int(raw["entity_id"]) for raw in shop.raws), event_type="magento.order.saved")
        for one in held:
            worker = start_worker(world)
            # The worker dies while this write is open in Odoo, which commits it all the same.
            assert one.fired.wait(60), worker.log
            worker.kill()
            one.release()
            assert one.ended.wait(20)
        start_worker(world)
        shop.wait(seconds=120)
        shop.insist()
    attempts = [
        attempt
        for job in world.ledger.jobs.list(instance="shop", limit=1000)
        for attempt in world.ledger.jobs.attempts(job.id)
    ]
    assert sum(one.outcome == "lost" for one in attempts) >= len(KILLED_IN)
