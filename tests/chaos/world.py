"""A world for chaos: orders, faults of every kind on both systems by one seed, and an honest count at the end."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridge.ledger import Ledger, Lengths
from bridge.sandbox import Sandbox
from bridge.showcase import add_instance, map_all
from schemas.events import Envelope, new_event
from tests.support.once import doubles, services
from tests.support.shop import HURRIED, Shop

Raw = Mapping[str, Any]

SECRET_KEY = "a key of sufficient length"
#: Backoff of hundredths would wear out twelve attempts before the faults change.
LENGTHS = replace(HURRIED, backoff_unit_seconds=0.03, lease_seconds=3.0)
#: Longer than the slowest request that the faults leave running, as in a shop.
ODOO_DOUBT_SECONDS = 0.6
MAGENTO_DOUBT_SECONDS = (0.2, 0.4)
VERSIONS = (16, 18, 19)


@dataclass(frozen=True)
class Chaos:
    """How a round of chaos is made; the same seed gives the same orders and the same draws of faults."""

    seed: int
    orders: int = 40

    @property
    def odoo_version(self) -> int:
        return VERSIONS[self.seed % len(VERSIONS)]


def rounds() -> list[Chaos]:
    """Return the rounds to run: one, or ``BRIDGE_CHAOS_ROUNDS`` of them, from ``BRIDGE_CHAOS_SEED`` on."""
    first = int(os.environ.get("BRIDGE_CHAOS_SEED", "1"))
    number = int(os.environ.get("BRIDGE_CHAOS_ROUNDS", "1"))
    orders = int(os.environ.get("BRIDGE_CHAOS_ORDERS", "40"))
    return [Chaos(seed, orders) for seed in range(first, first + number)]


class ChaosShop(Shop):
    """A shop whose orders are imported by others while everything breaks."""

    def __init__(self, box: Sandbox, ledger: Ledger, chaos: Chaos) -> None:
        self.chaos = chaos
        self.chance = random.Random(f"chaos {chaos.seed}")
        self.box = box
        self.ledger = ledger
        box.odoo.set_price_precision(6)
        add_instance(
            ledger,
            box,
            name="shop",
            settings={
                "order_action": "confirm",
                "write_ext_order_id": True,
                "odoo_doubt_seconds": ODOO_DOUBT_SECONDS,
                "magento_doubt_seconds": list(MAGENTO_DOUBT_SECONDS),
                "call_deadline_seconds": 1.0,
            },
        )
        self.raws: Sequence[Raw] = box.magento.generate_orders(chaos.orders)
        map_all(ledger, box, self.raws, name="shop")

    def break_everything(self) -> None:
        """Let both systems and the network fail in every way they know."""
        wild = self.chance
        self.box.magento.faults.set(
            latency=(0.0, 0.02),
            cut_before=wild.uniform(0.01, 0.05),
            cut_after=wild.uniform(0.01, 0.05),
            cut_body=wild.uniform(0.01, 0.04),
            error_5xx=wild.uniform(0.01, 0.05),
            error_500=wild.uniform(0.0, 0.03),
            error_after=wild.uniform(0.01, 0.04),
            rate_429=wild.uniform(0.0, 0.03),
            stale_reads=wild.uniform(0.0, 0.03),
            retry_after_seconds=0,
        )
        self.box.odoo.faults.set(
            latency=(0.0, 0.02),
            cut_before=wild.uniform(0.01, 0.05),
            cut_after=wild.uniform(0.02, 0.06),
            cut_body=wild.uniform(0.01, 0.04),
            error_5xx=wild.uniform(0.01, 0.04),
            error_500=wild.uniform(0.0, 0.03),
            error_after=wild.uniform(0.01, 0.05),
            rate_429=wild.uniform(0.0, 0.02),
            retry_after_seconds=0,
        )
        # Some transactions commit after their client was cut off.
        self.box.odoo.cut_during_share = wild.uniform(0.01, 0.05)
        self.box.odoo.transaction_seconds = wild.uniform(0.0, 0.03)
        for operation in ("res.partner.load", "sale.order.load", "mail.message.load", "sale.order.write"):
            self.box.odoo.fail_serialization(operation, times=wild.randrange(3))

    def mend_everything(self) -> None:
        """Let both systems be well again."""
        self.box.magento.faults.clear()
        self.box.odoo.faults.clear()
        self.box.odoo.cut_during_share = 0.0
        self.box.odoo.transaction_seconds = 0.0

    def events(self) -> list[Envelope]:
        """Return the orders' events: some come twice, in any order."""
        events = [
            new_event(
                "magento.order.saved", "shop", record_id=int(raw["entity_id"]), version=str(raw["updated_at"])
            )
            for raw in self.raws
        ]
        events += [
            new_event("magento.order.saved", "shop", record_id=int(raw["entity_id"]))
            for raw in self.chance.sample(list(self.raws), k=len(self.raws) // 4)
        ]
        self.chance.shuffle(events)
        return events

    def wait(self, *, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until no job can go on without a person."""
        until = time.monotonic() + seconds
        while self._is_moving():
            assert time.monotonic() < until, (
                f"jobs still move after {seconds:g} s: {self.ledger.jobs.counts()}"
            )
            meanwhile()
            time.sleep(0.02)

    def problems(self) -> list[str]:
        """Say for each order what of it does not stand exactly once in both systems, and which jobs did not end."""
        found = [f"{raw['increment_id']}: {problem}" for raw in self.raws for problem in doubles(self, raw)]
        found += [f"service {name} {count} times" for name, count in services(self).items() if count > 1]
        jobs = self.ledger.jobs.list(instance="shop", limit=10_000)
        found += [
            f"job {job.id} is {job.state}: {job.error} {job.trace or ''}"
            for job in jobs
            if job.state != "done"
        ]
        for job in jobs:
            found += [
                f"effect {one.key} is {one.state}"
                for one in self.ledger.effects.for_job(job.id)
                if one.state in {"sent", "doubtful"}
            ]
        return found

    def insist(self) -> None:
        """Insist that everything stands exactly once, and to the cent."""
        problems = self.problems()
        report = self.report()
        print(report)
        assert not problems, f"{report}\n" + "\n".join(problems)

    def report(self) -> str:
        """Say what the round was, so that it can be run again."""
        jobs = self.ledger.jobs.list(instance="shop", limit=10_000)
        thrown = {
            "magento": dict(sorted(self.box.magento.faults.thrown().items())),
            "odoo": dict(sorted(self.box.odoo.faults.thrown().items())),
        }
        return (
            f"BRIDGE_CHAOS_SEED={self.chaos.seed}, Odoo {self.chaos.odoo_version}: {len(self.raws)} orders, "
            f"{len(jobs)} jobs, {sum(job.attempt for job in jobs)} attempts, "
            f"{self.box.calls.total()} calls, faults {thrown}"
        )


def open_ledger(folder: Path, lengths: Lengths = LENGTHS) -> Ledger:
    """Return a new SQLite ledger in ``folder``."""
    ledger = Ledger.open(ledger_url(folder), secret_key=SECRET_KEY, lengths=lengths)
    ledger.migrate()
    return ledger


def ledger_url(folder: Path) -> str:
    """Return the address of the ledger in ``folder``."""
    return f"sqlite:///{folder / 'ledger.db'}"
