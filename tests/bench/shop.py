"""The sandbox and the bare script as the benchmark holds them: orders, payloads, runs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.ledger import JobId, Ledger
from schemas.events import Envelope, new_event
from tests.bench.bare_script import NOTE_ID, READ_ID
from tests.bench.children import Child, child
from tests.bench.figures import Run
from tests.bench.sandbox_process import FIRST_NUMBER
from tests.bench.world import World

#: Payloads of one order by their names in ``bare_script``.
Payloads = dict[str, str]
_NAMES = {
    ("res.partner", "search_read"): "partner",
    ("sale.order", "load"): "order",
    ("sale.order", "read"): "read",
    ("mail.message", "load"): "note",
}


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order in the shop."""

    number: int
    version: str

    def event(self, instance: str) -> Envelope:
        """Return the event that tells of it."""
        return new_event("magento.order.saved", instance, record_id=self.number, version=self.version)


class Shop:
    """The sandbox's process."""

    def __init__(self, process: Child) -> None:
        self.process = process
        self.address: dict[str, str] = process.ask(do="address")

    def instance(self, name: str, **settings: Any) -> int:
        """Add an instance that needs no more mapping; return how many kinds of orders there are."""
        return int(self.process.ask(do="instance", name=name, settings=settings))

    def orders(self, count: int) -> list[Order]:
        """Put orders into the shop, of all kinds in turn."""
        return [
            Order(number=number, version=version)
            for number, version in self.process.ask(do="orders", count=count)
        ]

    def catalog_instance(self, name: str, **settings: Any) -> None:
        """Add an instance that imports a catalog into an Odoo that knows nothing of it."""
        self.process.ask(do="catalog_instance", name=name, settings=settings)

    def products(self, count: int, *, configurable_share: float) -> int:
        """Put products into the shop; return how many it has now."""
        return int(self.process.ask(do="products", count=count, configurable_share=configurable_share))

    def simples(self, count: int) -> None:
        """Put products into the shop that are of the type ``simple``, every one."""
        self.process.ask(do="simples", count=count)

    def change(self, count: int, *, is_silent: bool = False) -> None:
        """Rename products; ``is_silent`` as bulk writes do, without a new ``updated_at``."""
        self.process.ask(do="change", count=count, is_silent=is_silent)

    def latency(self, seconds: float) -> None:
        """Let every answer take ``seconds`` longer."""
        self.process.ask(do="latency", seconds=seconds)

    def calls(self) -> dict[str, int]:
        """Return how often each operation was asked for since the last time."""
        return dict(self.process.ask(do="calls"))


class BareScript:
    """The bare script's process."""

    def __init__(self, process: Child, shop: Shop, templates: Sequence[Payloads], *, threads: int) -> None:
        self._process = process
        self._shop = shop
        self._templates = templates
        self._threads = threads

    def run(self, count: int) -> Run:
        """Import ``count`` orders, of all kinds in turn; they and their payloads are made before."""
        orders = self._shop.orders(count)
        address = self._shop.address
        self._process.ask(
            do="prepare",
            threads=self._threads,
            magento=address["magento"],
            token=address["magento_token"],
            odoo=address["odoo"],
            orders=[
                _numbered(self._templates[place % len(self._templates)], order.number)
                for place, order in enumerate(orders)
            ],
        )
        found = self._process.ask(do="run")
        return Run(count=count, seconds=found["seconds"], cpu_seconds=found["cpu_seconds"])


def payloads(ledger: Ledger, job_ids: Sequence[JobId], numbers: Sequence[int], *, key: str) -> list[Payloads]:
    """Return what the bridge sent for some orders, by its own sync log, with places for another order's numbers."""
    return [
        _payloads(ledger, job_id, number, key=key) for job_id, number in zip(job_ids, numbers, strict=True)
    ]


def _payloads(ledger: Ledger, job_id: JobId, number: int, *, key: str) -> Payloads:
    found: Payloads = {}
    for exchange in ledger.exchanges.list(job_id=job_id, system="odoo"):
        bodies = ledger.exchanges.bodies(exchange.id)
        assert bodies is not None
        body = json.loads(bodies.request)
        arguments = body["params"]["args"]
        name = _NAMES.get((arguments[3], arguments[4]))
        if name is None:
            continue
        assert name not in found, f"the bridge called {name} twice for a known customer"
        arguments[2] = key
        if name == "read":
            arguments[5][0] = [json.loads(READ_ID)]
        if name == "note":
            fields, rows = arguments[5]
            rows[0][fields.index("res_id")] = NOTE_ID
        found[name] = json.dumps(body).replace(str(number), str(FIRST_NUMBER))
    assert set(found) == set(_NAMES.values()), sorted(found)
    return found


def _numbered(template: Payloads, number: int) -> dict[str, Any]:
    texts = {name: body.replace(str(FIRST_NUMBER), str(number)) for name, body in template.items()}
    return {"number": number, **texts}


@contextlib.contextmanager
def sandbox(here: World) -> Iterator[Shop]:
    """Run the sandbox in a process of its own."""
    with child(
        "-m", "tests.bench.sandbox_process", env={}, folder=here.folder, speaks=True, name="sandbox"
    ) as made:
        made.ask(database_url=here.database_url, secret_key=here.secret_key)
        yield Shop(made)


@contextlib.contextmanager
def bare_script(
    here: World, shop: Shop, templates: Sequence[Payloads], *, threads: int
) -> Iterator[BareScript]:
    """Run the bare script in a process of its own."""
    with child(
        "-m", "tests.bench.bare_script", env={}, folder=here.folder, speaks=True, name="script"
    ) as made:
        yield BareScript(made, shop, templates, threads=threads)
