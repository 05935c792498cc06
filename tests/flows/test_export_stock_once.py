"""A write of stock broken at each point of the wire: the right figure stands at the end, an old one never over a newer one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

import pytest

from bridge.ledger import Job
from tests.support.once import SHORT_DEADLINE_SECONDS, Worlds, pump_until
from tests.support.proxy import BREAKS, Armed, Break, Request
from tests.support.stock_shop import SOURCE, FakeOdooStock, StockShop, fake_odoo_stock

#: Breaks after which no answer ever comes: the call ends by its own deadline.
SILENT = frozenset({"swallowed", "stalled"})
#: Breaks of which Magento has done what was asked.
DONE = frozenset({"after_commit", "in_answer", "stalled"})
Mode = Literal["msi", "classic", "bulk"]
MODES: tuple[Mode, ...] = ("msi", "classic", "bulk")


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


@pytest.fixture
def worlds(all_worlds: Worlds) -> Iterator[Worlds]:
    yield all_worlds
    all_worlds.rest()


@pytest.fixture
def odoo(monkeypatch: pytest.MonkeyPatch) -> FakeOdooStock:
    return fake_odoo_stock(monkeypatch)


def is_write(request: Request) -> bool:
    is_classic = request.method == "PUT" and "stockItems" in request.path
    return is_classic or (request.method == "POST" and "source-items" in request.path)


class Proof:
    """One product whose first write is broken."""

    def __init__(self, worlds: Worlds, odoo: FakeOdooStock, kind: Break, *, mode: Mode = "msi") -> None:
        deadline = SHORT_DEADLINE_SECONDS if kind in SILENT else 10.0
        settings = {
            "call_deadline_seconds": deadline,
            "export_stock": True,
            "stock_source_code": SOURCE,
            "stock_api_mode": "classic" if mode == "classic" else "msi",
            "stock_bulk": mode == "bulk",
            # The first look comes well before the last one, also after a call that ended by its deadline.
            "magento_doubt_seconds": [0.2, deadline / 10 + 1.0],
        }
        self.shop = worlds.new_shop(18, settings=settings)
        self.stock = StockShop(self.shop, odoo)
        self.shop.box.magento.switches.queue_runs = mode == "bulk"
        self.proxy = self.shop.proxies["magento"]
        self.source = "default" if mode == "classic" else SOURCE
        self.sku = self.stock.add(5, sku=f"ONCE-{mode}-{kind}-{len(odoo.quantities)}", source=self.source)
        self.armed: Armed = self.proxy.once(kind, is_write)

    def job(self) -> Job:
        return self.stock.jobs("export-stock")[0]

    def is_in_doubt(self) -> bool:
        return str(self.job().waits_for).startswith("doubt:")

    def into_doubt(self) -> None:
        self.stock.mark(self.sku)
        pump_until(self.shop, self.is_in_doubt, what="the write is in doubt")
        assert self.armed.fired.is_set()

    def has(self) -> Decimal | None:
        return self.stock.has(self.sku, self.source)

    def is_dirty(self) -> bool:
        return self.stock.is_dirty(self.sku, self.source)

    def writes(self) -> int:
        return len(self.proxy.arrivals(is_write))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", BREAKS)
def test_a_write_that_is_broken_anywhere_leaves_the_right_figure(
    worlds: Worlds, odoo: FakeOdooStock, kind: Break, mode: Mode
):
    proof = Proof(worlds, odoo, kind, mode=mode)
    proof.into_doubt()
    if kind == "late":
        proof.armed.deliver()
    proof.shop.work()
    assert (proof.job().state, proof.has()) == ("done", 5)
    assert not proof.is_dirty()
    # What had happened is found by the look, and not sent again.
    assert proof.writes() == (1 if kind in {*DONE, "late"} else 2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", BREAKS)
def test_an_old_figure_never_overwrites_a_newer_one(
    worlds: Worlds, odoo: FakeOdooStock, kind: Break, mode: Mode
):
    proof = Proof(worlds, odoo, kind, mode=mode)
    proof.into_doubt()
    proof.stock.set(proof.sku, 3)
    proof.stock.mark(proof.sku)
    looks = len(proof.shop.ledger.jobs.attempts(proof.job().id)) + 1
    pump_until(
        proof.shop,
        lambda: len(proof.shop.ledger.jobs.attempts(proof.job().id)) >= looks,
        what="the first look",
    )
    # Nothing newer goes out while the old request may still be under way.
    if kind not in DONE:
        assert (proof.is_in_doubt(), proof.writes()) == (True, 1)
    if kind == "late":
        proof.armed.deliver()
    proof.shop.work()
    assert (proof.job().state, proof.has()) == ("done", 3)
    assert not proof.is_dirty()


def test_a_doubt_is_over_at_its_last_look_and_the_same_figure_is_sent_anew(
    worlds: Worlds, odoo: FakeOdooStock
):
    """The same marks, the same figures: yet another write than the one that never arrived."""
    proof = Proof(worlds, odoo, "before")
    proof.into_doubt()
    proof.shop.work()
    assert proof.stock.has(proof.sku) == 5
    effects = [one for one in proof.shop.ledger.effects.for_job(proof.job().id) if one.kind == "write-stock"]
    assert sorted((one.state, one.remote_id) for one in effects) == [
        ("confirmed", "1"),
        ("confirmed", "superseded"),
    ]


def test_what_was_found_after_a_doubt_counts_as_switched_on_by_the_bridge(
    worlds: Worlds, odoo: FakeOdooStock
):
    proof = Proof(worlds, odoo, "after_commit")
    proof.into_doubt()
    proof.shop.work()
    proof.stock.inventory.set(proof.sku, SOURCE, 5, status=0)
    proof.stock.set(proof.sku, 6)
    proof.stock.export(proof.sku)
    assert (proof.stock.has(proof.sku), proof.stock.inventory.status(proof.sku, SOURCE)) == (Decimal(6), 0)


def test_the_calls_before_the_broken_one_are_known_as_written(
    worlds: Worlds, odoo: FakeOdooStock, monkeypatch: pytest.MonkeyPatch
):
    proof = Proof(worlds, odoo, "before")
    others = [proof.stock.add(number, sku=f"OTHER-{number}") for number in range(1, 31)]
    proof.shop.box.magento.switches.input_limits = True
    proof.proxy.clear()
    seen: list[int] = []

    def third(request: Request) -> bool:
        if is_write(request):
            seen.append(1)
        return len(seen) == 3 and is_write(request)

    proof.proxy.once("before", third)
    try:
        proof.stock.mark(proof.sku, *others)
        pump_until(proof.shop, proof.is_in_doubt, what="the write is in doubt")
        dirty = [sku for sku in (proof.sku, *others) if proof.stock.is_dirty(sku)]
        assert 0 < len(dirty) < 20
        proof.shop.work()
    finally:
        proof.shop.box.magento.switches.input_limits = False
    assert [proof.stock.has(sku) for sku in others] == list(range(1, 31))
    assert not any(proof.stock.is_dirty(sku) for sku in (proof.sku, *others))
