"""A world for chaos: orders, their events and faults of every kind on both systems, drawn by one seed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.ledger import Ledger, Lengths
from bridge.sandbox import Sandbox
from bridge.sandbox.odoo.inflight import CommitHold
from bridge.showcase import add_instance, map_all
from schemas.events import Envelope, new_event
from tests.support.shop import HURRIED, Shop

Raw = Mapping[str, Any]

SECRET_KEY = "a key of sufficient length"
#: A hurried world in which nothing is given up while everything fails, and breakers open and close. Who waits for a
#: lock is let go by its holder or not at all: the safety net would hide that a release was forgotten.
LENGTHS = replace(
    HURRIED,
    backoff_unit_seconds=0.03,
    lease_seconds=3.0,
    max_attempts=200,
    message_patience_seconds=1.0,
    wait_patience_seconds=3600.0,
    breaker_failures=5,
    breaker_probe_seconds=2.0,
)
#: Longer than the slowest request that the faults leave running, as in a shop.
ODOO_DOUBT_SECONDS = 0.6
MAGENTO_DOUBT_SECONDS = (0.2, 0.4)
CALL_DEADLINE_SECONDS = 1.0
VERSIONS = (16, 18, 19)
#: The writes into Odoo that workers die in.
ODOO_WRITES = (
    "res.partner.load",
    "sale.order.load",
    "sale.order.action_confirm",
    "sale.order.write",
    "mail.message.load",
)
#: The greatest share of the requests to a system that meets each fault.
FAULTS = {
    "cut_before": 0.05,
    "cut_after": 0.05,
    "cut_body": 0.04,
    "error_5xx": 0.05,
    "error_500": 0.03,
    "error_after": 0.05,
    "rate_429": 0.03,
}
#: What the planned order's total is wrong by: more than any rounding.
WRONG_BY = Decimal("7.31")
#: Limit of every wait: for a machine that does much else.
PATIENCE_SECONDS = 240.0


@dataclass(frozen=True)
class Chaos:
    """How a round of chaos is made; the same seed gives the same orders and draws."""

    seed: int
    #: What ``BRIDGE_CHAOS_ORDERS`` says, and the share of it that this test takes.
    orders_given: int
    share: float = 1.0

    @property
    def orders(self) -> int:
        return max(4, int(self.orders_given * self.share))

    @property
    def odoo_version(self) -> int:
        return VERSIONS[self.seed % len(VERSIONS)]

    def again(self, test: str) -> str:
        """Return the line that runs this round of ``test`` again."""
        return f"make chaos SEED={self.seed} ROUNDS=1 ORDERS={self.orders_given} ONLY={test}"


def rounds(*, of_orders: float = 1.0) -> list[Chaos]:
    """Return the rounds to run: one, or ``BRIDGE_CHAOS_ROUNDS`` of them, from ``BRIDGE_CHAOS_SEED`` on.

    ``of_orders`` is the share of ``BRIDGE_CHAOS_ORDERS`` that a slower test takes.
    """
    first = int(os.environ.get("BRIDGE_CHAOS_SEED", "1"))
    number = int(os.environ.get("BRIDGE_CHAOS_ROUNDS", "1"))
    orders = int(os.environ.get("BRIDGE_CHAOS_ORDERS", "24"))
    return [Chaos(seed, orders, of_orders) for seed in range(first, first + number)]


class ChaosShop(Shop):
    """A shop whose orders are imported by others while everything breaks."""

    def __init__(self, box: Sandbox, ledger: Ledger, chaos: Chaos) -> None:
        self.chaos = chaos
        self.chance = random.Random(f"chaos {chaos.seed}")
        self.box = box
        self.ledger = ledger
        #: Ids of the events that were given to the bridge, or to a broker before it.
        self.published: set[str] = set()
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
                "call_deadline_seconds": CALL_DEADLINE_SECONDS,
            },
        )
        self.raws: Sequence[Raw] = box.magento.generate_orders(chaos.orders)
        map_all(ledger, box, self.raws, name="shop")
        #: The order that must not be imported before a person has acted: its total is wrong.
        self.wrong = self.chance.choice([raw for raw in self.raws if _is_plain(raw)])
        # As if it had been placed so: a version from before that would be a right one.
        box.magento.orders.remove(self.wrong["entity_id"])
        total = float(Decimal(str(self.wrong["grand_total"])) + WRONG_BY)
        box.magento.orders.add({**self.wrong, "grand_total": total, "base_grand_total": total})

    def break_everything(self, *, by: float = 1.0) -> None:
        """Let both systems and the network fail in every way they know, ``by`` that much."""
        for faults in (self.box.magento.faults, self.box.odoo.faults):
            shares = {kind: by * self.chance.uniform(0.0, most) for kind, most in FAULTS.items()}
            faults.set(latency=(0.0, 0.02), retry_after_seconds=0, **shares)
        self.box.magento.faults.set(stale_reads=by * self.chance.uniform(0.0, 0.03))
        # Some transactions commit after their client was cut off.
        self.box.odoo.cut_during_share = by * self.chance.uniform(0.01, 0.05)
        self.box.odoo.transaction_seconds = self.chance.uniform(0.0, 0.03)
        for operation in ODOO_WRITES:
            self.box.odoo.fail_serialization(operation, times=self.chance.randrange(3))

    def batches(self, number: int) -> list[list[Envelope]]:
        """Return the orders' events in ``number`` parts.

        Some come twice with the same id, some orders are told of again or by an older version, all in any order.
        """
        events = [_event(raw, version=str(raw["updated_at"])) for raw in self.raws]
        again = max(1, len(self.raws) // 4)
        events += self.chance.sample(events, k=again)
        events += [_event(raw) for raw in self.chance.sample(list(self.raws), k=again)]
        events += [
            _event(raw, version=str(raw["created_at"]))
            for raw in self.chance.sample(list(self.raws), k=again)
        ]
        self.chance.shuffle(events)
        return [events[start::number] for start in range(number)]

    def more_events(self) -> list[Envelope]:
        """Return events that tell of some orders once more, imported or not."""
        return [_event(raw) for raw in self.chance.sample(list(self.raws), k=2)]

    def given(self, events: Sequence[Envelope]) -> Sequence[Envelope]:
        """Note that ``events`` are given to the bridge, or to a broker before it, and return them."""
        self.published |= {one.id for one in events}
        return events

    def is_moving(self) -> bool:
        """Return whether an event is still on its way, or a job can go on without a person."""
        return self.ledger.events.count() < len(self.published) or self._is_moving()

    def writes(self) -> int:
        """Return how many writes have come to Odoo."""
        return sum(self.box.calls.total("odoo", contains=one) for one in ODOO_WRITES)

    def wait_for_writes(self, number: int, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until Odoo has seen so many more writes, or there is nothing left to do."""
        goal = self.writes() + number
        self.until(
            lambda: self.writes() >= goal or not self.is_moving(), what="writes come", meanwhile=meanwhile
        )

    def hold_a_write(self, *, meanwhile: Callable[[], None] = lambda: None) -> CommitHold | None:
        """Wait until a write stands in Odoo before its commit; None when there is nothing left to do."""
        held = [self.box.odoo.hold_commit(one) for one in ODOO_WRITES]
        self.until(
            lambda: any(one.fired.is_set() for one in held) or not self.is_moving(),
            what="a write stands before its commit",
            meanwhile=meanwhile,
        )
        found = next((one for one in held if one.fired.is_set()), None)
        # One transaction that outlives its worker is enough: the others go on, those that come just now too.
        self.box.odoo.inflight.release_all()
        for one in held:
            if one is not found:
                one.release()
        return found

    def wait(self, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until every event is in the ledger and no job can go on without a person."""
        self.until(lambda: not self.is_moving(), what="all has come to rest", meanwhile=meanwhile)

    def until(
        self, condition: Callable[[], object], *, what: str, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Wait until ``condition`` holds."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < until, (
                f"{what}: not within {PATIENCE_SECONDS:g} s, jobs {self.ledger.jobs.counts()}"
            )
            meanwhile()
            time.sleep(0.01)

    def mend_everything(self) -> None:
        """Let both systems be well again."""
        self.box.magento.faults.clear()
        self.box.odoo.faults.clear()
        self.box.odoo.cut_during_share = 0.0
        self.box.odoo.transaction_seconds = 0.0

    def mend_the_wrong_order(self) -> None:
        """Do what a person does about the order that was blocked: correct it, and retry."""
        right = {name: self.wrong[name] for name in ("grand_total", "base_grand_total")}
        assert self.box.magento.orders.change(self.wrong["entity_id"], right)
        (job,) = self.ledger.jobs.list(
            instance="shop", entity=str(self.wrong["entity_id"]), states=("blocked",)
        )
        assert self.ledger.jobs.retry(job.id).changed


def _is_plain(raw: Raw) -> bool:
    """Return whether an order is placed and nothing of it is over: such a one is compared to the cent."""
    return raw["state"] not in {"canceled", "closed"}


def _event(raw: Raw, *, version: str | None = None) -> Envelope:
    return new_event("magento.order.saved", "shop", record_id=int(raw["entity_id"]), version=version)


def open_ledger(folder: Path, lengths: Lengths = LENGTHS) -> Ledger:
    """Return a new SQLite ledger in ``folder``."""
    ledger = Ledger.open(ledger_url(folder), secret_key=SECRET_KEY, lengths=lengths)
    ledger.migrate()
    return ledger


def ledger_url(folder: Path) -> str:
    """Return the address of the ledger in ``folder``."""
    return f"sqlite:///{folder / 'ledger.db'}"
