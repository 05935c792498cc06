"""Celery workers, RabbitMQ and PostgreSQL are killed in the middle of orders: each order stands once, to the cent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from schemas.events import Envelope
from tests.chaos.count import insist
from tests.chaos.crew import Crew
from tests.chaos.world import PATIENCE_SECONDS, Chaos, ChaosShop, rounds
from tests.support.once import Working
from tests.support.services import Services

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.timeout(900)]

#: More than one: two intakes, two dispatchers, two that may hold the same job one after the other.
WORKERS = 2


@pytest.fixture
def crew(services: Services, tmp_path: Path) -> Iterator[Crew]:
    """Give servers of this test's own, which it may kill: the shared ones have other guests."""
    made = Crew(services.own_folder(), tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("chaos", rounds(of_orders=0.75), ids=lambda chaos: f"seed-{chaos.seed}")
def test_whoever_is_killed_each_order_stands_once(
    crew: Crew, tell: Callable[[str], None], chaos: Chaos
) -> None:
    with Sandbox.start(odoo_version=chaos.odoo_version, seed=chaos.seed) as box:
        shop = ChaosShop(box, crew.ledger, chaos)
        shop.break_everything(by=0.3)
        first, second, *batches = shop.batches(len(HAPPENINGS) + 2)
        # Nobody is there yet to take these in. The first deaths are certain to meet a running job.
        crew.publish(shop.given(first))
        crew.hire(WORKERS)
        all_workers_die_in_a_write(shop, crew, second)
        happenings = shop.chance.sample(HAPPENINGS, len(HAPPENINGS))
        for happening, batch in zip(happenings, batches, strict=True):
            happening(shop, crew, batch)
        shop.wait(meanwhile=crew.insist_on_life)
        told = insist(shop)
    assert "lease_lost" in told, "no death met a running job"
    tell(f"celery: {told}")


def all_workers_die_in_a_write(shop: ChaosShop, crew: Crew, events: Sequence[Envelope]) -> None:
    """All workers die while a write is open in Odoo, which commits it; events come while nobody takes them."""
    held = shop.hold_a_write(meanwhile=crew.insist_on_life)
    crew.kill_workers(crew.workers)
    crew.publish(shop.given(events))
    if held is not None:
        held.release()
        assert held.ended.wait(PATIENCE_SECONDS)
    crew.hire(WORKERS)


def one_worker_dies(shop: ChaosShop, crew: Crew, events: Sequence[Envelope]) -> None:
    """One worker dies at any moment, and the other goes on with its jobs, and alone from then on."""
    crew.publish(shop.given(events))
    shop.wait_for_writes(shop.chance.randrange(1, 12), meanwhile=crew.insist_on_life)
    crew.kill_workers([shop.chance.choice(crew.workers)])


def the_broker_dies(shop: ChaosShop, crew: Crew, events: Sequence[Envelope]) -> None:
    """The broker is killed while jobs run and events are published."""
    half = len(events) // 2
    crew.publish(shop.given(events[:half]))
    shop.wait_for_writes(shop.chance.randrange(1, 12), meanwhile=crew.insist_on_life)
    with crew.broker_down():
        publishing = Working(lambda: crew.publish(shop.given(events[half:])))
    publishing.end(seconds=PATIENCE_SECONDS)


def the_ledger_dies(shop: ChaosShop, crew: Crew, events: Sequence[Envelope]) -> None:
    """The ledger's server crashes in the middle of the work; events wait in the broker meanwhile."""
    half = len(events) // 2
    crew.publish(shop.given(events[:half]))
    shop.wait_for_writes(shop.chance.randrange(1, 12), meanwhile=crew.insist_on_life)
    with crew.ledger_down():
        crew.publish(shop.given(events[half:]))


def a_person_pauses(shop: ChaosShop, crew: Crew, events: Sequence[Envelope]) -> None:
    """A person pauses the flow while jobs run, and resumes it when more have come."""
    half = len(events) // 2
    crew.publish(shop.given(events[:half]))
    crew.run_command("pause", "import-order", "--instance", "shop")
    crew.publish(shop.given(events[half:]))
    shop.until(lambda: not shop.ledger.jobs.counts().get("running"), what="the running jobs end")
    crew.run_command("resume", "import-order", "--instance", "shop")


HAPPENINGS = (one_worker_dies, the_broker_dies, the_ledger_dies, a_person_pauses)
