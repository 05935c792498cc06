"""The demo: the whole bridge in one process against the sandbox, with faults on, and an honest count at the end."""

from __future__ import annotations

import secrets
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.ledger import Ledger, Lengths
from bridge.sandbox import Sandbox
from bridge.settings import Settings
from bridge.showcase import FAULTS, add_instance, map_all
from consumers.embedded import Embedded
from schemas.events import new_event

#: The demo's instance.
INSTANCE = "sandbox"
#: A hurried world: what takes minutes in a shop takes seconds here.
LENGTHS = Lengths(
    lease_seconds=10.0,
    backoff_unit_seconds=0.2,
    message_patience_seconds=5.0,
    wait_patience_seconds=1.0,
    breaker_open_seconds=0.5,
    breaker_max_seconds=2.0,
)
#: Longer than the slowest request of the demo, as in a shop.
ODOO_DOUBT_SECONDS = 2.0
#: The demo gives up after so many seconds, and says what is left.
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Count:
    """What became of the orders, counted in the sandbox's Odoo itself."""

    events: int
    jobs: int
    retries: int
    orders: int
    exact: int
    lost: int
    doubled: int
    #: Numbers of orders that are lost, doubled or not exact, with why.
    wrong: tuple[tuple[str, str], ...]
    faults: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether nothing is lost, doubled or off by a cent."""
        return not self.lost and not self.doubled and self.exact == self.orders


def run_world(
    *,
    orders: int,
    odoo_version: int,
    faults: bool,
    seed: int,
    progress: Callable[[Mapping[str, int]], None],
) -> Count:
    """Import ``orders`` orders and count what became of them."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bridge-demo-") as folder:
        ledger = Ledger.open(
            f"sqlite:///{Path(folder) / 'ledger.db'}", secret_key=secrets.token_urlsafe(32), lengths=LENGTHS
        )
        try:
            ledger.migrate()
            with Sandbox.start(odoo_version=odoo_version, seed=seed) as box:
                raws = _prepare(ledger, box, orders)
                settings = Settings(
                    backoff_unit_seconds=LENGTHS.backoff_unit_seconds, dispatch_interval_seconds=0.2
                )
                with Embedded(ledger, settings, threads=8) as bridge:
                    events = _publish(bridge, box, raws, faults=faults)
                    _wait(ledger, progress)
                return _count(ledger, box, raws, events=events, seconds=time.monotonic() - started)
        finally:
            ledger.close()


def _prepare(ledger: Ledger, box: Sandbox, count: int) -> Sequence[Mapping[str, Any]]:
    box.odoo.set_price_precision(6)
    add_instance(
        ledger,
        box,
        name=INSTANCE,
        settings={
            "order_action": "confirm",
            "odoo_doubt_seconds": ODOO_DOUBT_SECONDS,
            "magento_doubt_seconds": [0.5, 1.0, 2.0],
            "call_deadline_seconds": 10,
            "write_ext_order_id": True,
        },
    )
    raws = box.magento.generate_orders(count)
    map_all(ledger, box, raws, name=INSTANCE)
    return raws


def _publish(bridge: Embedded, box: Sandbox, raws: Sequence[Mapping[str, Any]], *, faults: bool) -> int:
    if faults:
        box.magento.faults.set(**FAULTS["magento"])
        box.odoo.faults.set(**FAULTS["odoo"])
    events = [
        new_event(
            "magento.order.saved",
            instance=INSTANCE,
            record_id=int(raw["entity_id"]),
            version=str(raw["updated_at"]),
        )
        for raw in raws
    ]
    # Events come twice and out of order, as they do.
    again = events[::5]
    return bridge.publish([*events, *again])


def _wait(ledger: Ledger, progress: Callable[[Mapping[str, int]], None]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    tick = threading.Event()
    while time.monotonic() < until:
        counts = ledger.jobs.counts()
        progress(counts)
        if not any(counts.get(state) for state in ("pending", "queued", "running", "retry_waiting")):
            return
        tick.wait(0.1)


def _count(
    ledger: Ledger, box: Sandbox, raws: Sequence[Mapping[str, Any]], *, events: int, seconds: float
) -> Count:
    made: dict[str, list[Mapping[str, Any]]] = {}
    for row in box.odoo.records("sale.order"):
        made.setdefault(str(row["client_order_ref"]), []).append(row)
    notes = Counter(
        row["res_id"]
        for row in box.odoo.records("mail.message")
        # Odoo's own messages, of creation and confirmation, are of another type.
        if row["model"] == "sale.order" and row["message_type"] == "comment"
    )
    wrong: list[tuple[str, str]] = []
    exact = lost = doubled = 0
    for raw in raws:
        number = str(raw["increment_id"])
        found = made.get(number, [])
        if not found:
            lost += 1
            wrong.append((number, _why_lost(ledger, raw)))
        elif len(found) > 1 or notes[found[0]["id"]] != 1:
            doubled += 1
            wrong.append((number, f"{len(found)} orders, {notes[found[0]['id']]} notes in Odoo"))
        elif (total := _cents(found[0]["amount_total"])) != _cents(raw["grand_total"]):
            wrong.append((number, f"{total} in Odoo, {_cents(raw['grand_total'])} in Magento"))
        else:
            exact += 1
    doubled += _doubled_partners(box)
    jobs = ledger.jobs.list(instance=INSTANCE, limit=100_000)
    return Count(
        events=events,
        jobs=len(jobs),
        retries=sum(max(0, job.attempt - 1) for job in jobs),
        orders=len(raws),
        exact=exact,
        lost=lost,
        doubled=doubled,
        wrong=tuple(wrong),
        faults=sum(box.magento.faults.thrown().values()) + sum(box.odoo.faults.thrown().values()),
        seconds=seconds,
    )


def _why_lost(ledger: Ledger, raw: Mapping[str, Any]) -> str:
    jobs = ledger.jobs.list(instance=INSTANCE, kind="import-order", entity=str(raw["entity_id"]), limit=1)
    return f"{jobs[0].state}: {jobs[0].error}" if jobs else "no job"


def _doubled_partners(box: Sandbox) -> int:
    """Count customers that stand twice: the same email and company among those without a parent."""
    seen = Counter(
        (str(row["email"]).casefold(), str(row.get("vat") or ""), str(row["name"]).casefold())
        for row in box.odoo.records("res.partner")
        if row.get("email") and not row.get("parent_id")
    )
    return sum(times - 1 for times in seen.values() if times > 1)


def _cents(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))
