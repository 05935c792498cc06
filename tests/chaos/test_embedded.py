"""Everything breaks at random and the embedded bridge dies again and again: each order stands once, to the cent.

A short form by default; ``make chaos`` runs many rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bridge.ledger import Ledger
from bridge.sandbox import Sandbox
from consumers.embedded import Embedded
from consumers.receiving import Message, Receiver
from schemas.events import Envelope
from tests.chaos.count import insist
from tests.chaos.embedded_worker import SETTINGS, THREADS, EmbeddedWorker
from tests.chaos.world import (
    ODOO_WRITES,
    PATIENCE_SECONDS,
    Chaos,
    ChaosShop,
    ledger_url,
    open_ledger,
    rounds,
)

pytestmark = pytest.mark.timeout(600)

Tell = Callable[[str], None]
#: Into so many parts the events of a round are split; something happens between each two.
BATCHES = 4


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = open_ledger(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("chaos", rounds(), ids=lambda chaos: f"seed-{chaos.seed}")
def test_whatever_breaks_each_order_stands_once(ledger: Ledger, tell: Tell, chaos: Chaos) -> None:
    with Sandbox.start(odoo_version=chaos.odoo_version, seed=chaos.seed) as box:
        shop = ChaosShop(box, ledger, chaos)
        shop.break_everything()
        with Embedded(ledger, SETTINGS, threads=THREADS) as bridge:
            for batch in shop.batches(BATCHES):
                bridge.publish(shop.given(batch))
                shop.wait_for_writes(shop.chance.randrange(1, 9))
                pause_and_resume(shop, bridge)
            shop.wait()
            thrown = sum(box.odoo.faults.thrown().values()) + sum(box.magento.faults.thrown().values())
            assert thrown, "nothing broke"
            tell(f"faults: {insist(shop)}")


def pause_and_resume(shop: ChaosShop, bridge: Embedded) -> None:
    """Let a person pause the flow, or all flows, and resume it: nothing begins meanwhile, and nothing is lost."""
    flow = shop.chance.choice(["import-order", None])
    shop.ledger.pauses.pause("shop", flow, by="chaos")
    shop.until(lambda: not shop.ledger.jobs.counts().get("running"), what="the running jobs end")
    begun = attempts(shop)
    bridge.publish(shop.given(shop.more_events()))
    assert attempts(shop) == begun, "a job began while its flow was paused"
    assert shop.ledger.pauses.resume("shop", flow)
    bridge.poke()


def attempts(shop: ChaosShop) -> int:
    return sum(job.attempt for job in shop.ledger.jobs.list(instance="shop", limit=10_000))


@pytest.mark.parametrize("chaos", rounds(of_orders=0.5), ids=lambda chaos: f"seed-{chaos.seed}")
def test_a_bridge_that_is_killed_again_and_again_doubles_nothing(
    ledger: Ledger, tmp_path: Path, tell: Tell, chaos: Chaos
) -> None:
    with Sandbox.start(odoo_version=chaos.odoo_version, seed=chaos.seed) as box:
        shop = ChaosShop(box, ledger, chaos)
        shop.break_everything(by=0.5)
        # The first is certain to find a write under way.
        deaths = [die_in_a_write, *shop.chance.sample(OTHER_DEATHS, len(OTHER_DEATHS))]
        batches = shop.batches(len(deaths))
        for number, (death, batch) in enumerate(zip(deaths, batches, strict=True)):
            # While nobody is there to do the work, as hooks do when only the workers are down.
            receive(ledger, shop.given(batch))
            worker = EmbeddedWorker(ledger_url(tmp_path), tmp_path / f"worker-{number}.log")
            try:
                death(shop, worker)
            finally:
                worker.kill()
        with Embedded(ledger, SETTINGS, threads=THREADS) as bridge:
            bridge.publish(shop.given(shop.more_events()))
            shop.wait()
            told = insist(shop)
        assert "lease_lost" in told, "no death met a running job"
        tell(f"deaths: {told}")


def receive(ledger: Ledger, events: Sequence[Envelope]) -> None:
    Receiver(ledger).receive([Message(body=one.to_bytes(), routing_key=one.type) for one in events])


def die_in_a_write(shop: ChaosShop, worker: EmbeddedWorker) -> None:
    """Die while a write is open in Odoo, which commits it all the same."""
    held = shop.hold_a_write(meanwhile=worker.insist_on_life)
    worker.kill()
    if held is not None:
        held.release()
        assert held.ended.wait(PATIENCE_SECONDS)


def die_before_the_answer(shop: ChaosShop, worker: EmbeddedWorker) -> None:
    """Die when a write has happened, before its answer has come."""
    held = [shop.box.odoo.faults.hold(one, after_commit=True) for one in ODOO_WRITES]
    shop.until(
        lambda: any(one.fired.is_set() for one in held) or not shop.is_moving(),
        what="a write has happened",
        meanwhile=worker.insist_on_life,
    )
    worker.kill()
    for one in held:
        one.release()


def die_some_writes_later(shop: ChaosShop, worker: EmbeddedWorker) -> None:
    """Die at any moment."""
    shop.wait_for_writes(shop.chance.randrange(1, 20), meanwhile=worker.insist_on_life)
    worker.kill()


def die_at_the_start(shop: ChaosShop, worker: EmbeddedWorker) -> None:
    """Die as soon as it has said that it is there, and taken up what its forerunner left."""
    name = f"embedded:{worker.process.pid}:"
    shop.until(
        lambda: any(one.name == name for one in shop.ledger.processes.list()),
        what="the bridge is up",
        meanwhile=worker.insist_on_life,
    )
    worker.kill()


OTHER_DEATHS = (die_before_the_answer, die_some_writes_later, die_at_the_start)
