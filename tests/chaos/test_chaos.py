"""Everything breaks at random, and still each order stands once in Odoo, to the cent.

Short form by default; ``make chaos`` or ``BRIDGE_CHAOS_ROUNDS`` for the long one. A failure prints its seed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from bridge.settings import Settings
from consumers.embedded import Embedded
from consumers.receiving import Message, Receiver
from tests.chaos.world import LENGTHS, Chaos, ChaosShop, ledger_url, open_ledger, rounds

ROOT = Path(__file__).parents[2]
#: How often the worker is killed in one round.
KILLS = 4


@pytest.mark.timeout(180)
@pytest.mark.parametrize("chaos", rounds(), ids=lambda chaos: f"seed-{chaos.seed}")
def test_whatever_breaks_each_order_stands_once(tmp_path: Path, chaos: Chaos) -> None:
    ledger = open_ledger(tmp_path)
    settings = Settings(
        backoff_unit_seconds=LENGTHS.backoff_unit_seconds,
        lease_seconds=LENGTHS.lease_seconds,
        dispatch_interval_seconds=0.05,
    )
    with Sandbox.start(odoo_version=chaos.odoo_version, seed=chaos.seed) as box:
        shop = ChaosShop(box, ledger, chaos)
        shop.break_everything()
        with Embedded(ledger, settings, threads=4) as bridge:
            bridge.publish(shop.events())
            shop.wait(seconds=120)
        shop.insist()
        thrown = box.odoo.faults.thrown()
        assert sum(thrown.values()) + sum(box.magento.faults.thrown().values()) >= chaos.orders // 2
    ledger.close()


class Worker:
    """An embedded bridge in a process of its own."""

    def __init__(self, folder: Path, number: int) -> None:
        self._log = (folder / f"worker-{number}.log").open("wb")
        environment = {
            **os.environ,
            "BRIDGE_DATABASE_URL": ledger_url(folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.embedded_worker"],
            cwd=folder,
            env=environment,
            stdout=self._log,
            stderr=self._log,
        )

    def kill(self) -> None:
        """End it as the kernel does: no handler runs."""
        self.process.kill()
        self.process.wait(timeout=20)
        self._log.close()

    def end(self) -> None:
        """End it politely."""
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        finally:
            self.kill()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("chaos", rounds(), ids=lambda chaos: f"seed-{chaos.seed}")
def test_a_worker_that_is_killed_again_and_again_doubles_nothing(tmp_path: Path, chaos: Chaos) -> None:
    ledger = open_ledger(tmp_path)
    with Sandbox.start(odoo_version=chaos.odoo_version, seed=chaos.seed) as box:
        shop = ChaosShop(box, ledger, Chaos(chaos.seed, orders=chaos.orders // 2))
        # Slow enough that a kill finds requests under way, and commits outlive their client.
        box.odoo.transaction_seconds = 0.03
        box.odoo.faults.set(cut_after=0.03, cut_before=0.02)
        receiver = Receiver(ledger)
        receiver.receive([Message(body=one.to_bytes(), routing_key=one.type) for one in shop.events()])
        interrupted = 0
        for number in range(KILLS):
            worker = Worker(tmp_path, number)
            wait_for_writes(shop, worker, shop.chance.randrange(5, 25))
            worker.kill()
            interrupted += ledger.jobs.counts().get("running", 0)
        assert interrupted, "no kill met a running job"
        last = Worker(tmp_path, KILLS)
        shop.wait(seconds=100)
        last.end()
        shop.insist()
    ledger.close()


def wait_for_writes(shop: ChaosShop, worker: Worker, number: int) -> None:
    """Wait until Odoo has seen so many more writes, or there is nothing left to do."""
    goal = writes(shop) + number
    until = time.monotonic() + 60
    while writes(shop) < goal and shop._is_moving():
        assert worker.process.poll() is None, "the worker ended by itself"
        assert time.monotonic() < until, "the worker does nothing"
        time.sleep(0.002)


def writes(shop: ChaosShop) -> int:
    return shop.box.calls.total("odoo", contains=".load") + shop.box.calls.total(
        "odoo", contains="action_confirm"
    )
