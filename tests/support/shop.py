"""A sandbox shop with a ledger and a runtime, and the ways in which tests let it work."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bridge.engine import Runtime, run_job
from bridge.flows.wants import want
from bridge.ledger import Job, JobId, Ledger, Lengths
from bridge.sandbox import Sandbox
from bridge.showcase import add_instance, map_all
from bridge.topology import TASK_QUEUES

#: Lengths of a hurried world: a lease of seconds, backoff of hundredths.
HURRIED = Lengths(
    lease_seconds=5.0,
    backoff_unit_seconds=0.02,
    message_patience_seconds=5.0,
    wait_patience_seconds=0.2,
    breaker_open_seconds=0.05,
    breaker_max_seconds=0.2,
    breaker_failures=50,
)
ROOM = dict.fromkeys(TASK_QUEUES, 1000)


class Shop:
    """One instance named ``shop`` that points at a sandbox."""

    def __init__(self, box: Sandbox, ledger: Ledger, *, settings: Mapping[str, Any] | None = None) -> None:
        self.box = box
        self.ledger = ledger
        self.runtime = Runtime(ledger=ledger, backoff_unit_seconds=HURRIED.backoff_unit_seconds)
        defaults = {
            "odoo_doubt_seconds": 0.3,
            "magento_doubt_seconds": [0.2, 0.3],
            "call_deadline_seconds": 10,
        }
        add_instance(ledger, box, name="shop", settings={**defaults, **(settings or {})})

    @classmethod
    def open(
        cls,
        box: Sandbox,
        folder: Path,
        *,
        settings: Mapping[str, Any] | None = None,
        lengths: Lengths = HURRIED,
    ) -> Shop:
        """Return a shop on a new SQLite ledger in ``folder``."""
        ledger = Ledger.open(
            f"sqlite:///{folder / 'ledger.db'}", secret_key="a key of sufficient length", lengths=lengths
        )
        ledger.migrate()
        return cls(box, ledger, settings=settings)

    def close(self) -> None:
        self.runtime.close()
        self.ledger.close()

    def set(self, **changes: Any) -> None:
        self.ledger.instances.set("shop", changes)
        self.runtime.forget_instances()

    def map_all(self, orders: Iterable[Mapping[str, Any]], *, inside: bool = False) -> None:
        map_all(self.ledger, self.box, orders, name="shop", inside=inside)

    def want_order(self, raw: Mapping[str, Any]) -> JobId:
        wanted = want(
            "import-order", instance="shop", entity=str(raw["entity_id"]), version=raw["updated_at"]
        )
        return self.ledger.jobs.want([wanted])[0].job_id

    def work(self, *, seconds: float = 90.0) -> None:
        """Run jobs, one after the other, until none can go on without a person."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            due = self.ledger.jobs.dispatch(ROOM, limit=100)
            for job_id, _ in due:
                run_job(self.runtime, job_id)
            if not due and not self._is_moving():
                return
            if not due:
                time.sleep(0.01)
        raise AssertionError(f"jobs still move after {seconds} s: {self.ledger.jobs.counts()}")

    def import_order(self, raw: Mapping[str, Any], *, seconds: float = 90.0) -> Job:
        """Import an order and return its job as it ended."""
        job_id = self.want_order(raw)
        self.work(seconds=seconds)
        return self.job(job_id)

    def job(self, job_id: JobId) -> Job:
        job = self.ledger.jobs.get(job_id)
        assert job is not None
        return job

    def sale_orders(self, raw: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the sales orders that Odoo has for a Magento order."""
        return [
            row
            for row in self.box.odoo.records("sale.order")
            if row["client_order_ref"] == raw["increment_id"]
        ]

    def lines(self, order_id: int) -> list[dict[str, Any]]:
        return [row for row in self.box.odoo.records("sale.order.line") if row["order_id"] == order_id]

    def notes(self, order_id: int) -> list[dict[str, Any]]:
        return [
            row
            for row in self.box.odoo.records("mail.message")
            if row["model"] == "sale.order" and row["res_id"] == order_id
        ]

    def _is_moving(self) -> bool:
        counts = self.ledger.jobs.counts(ended=False)
        return any(counts.get(state) for state in ("pending", "queued", "running", "retry_waiting"))
