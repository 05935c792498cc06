"""Price writes on a breaking wire: each is as it should be afterwards, nothing older comes after something newer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.flows import price_batch, price_writing
from tests.support.once import SHORT_DEADLINE_SECONDS, Worlds, pump_until
from tests.support.prices import PriceShop
from tests.support.proxy import BREAKS, Break, Request

SILENT = frozenset({"swallowed", "stalled"})
WHOLESALE, ALL_GROUPS = 2, 32000
#: The calls that a change makes: see ``changed`` below.
CALLS = ("base-prices", "special-price", "special-price-delete", "tier-prices", "tier-prices-delete")


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


class Priced:
    """Two products with prices of all kinds; a change of them makes each kind of call."""

    def __init__(self, worlds: Worlds, version: int, *, deadline: float = 10.0) -> None:
        self.world = PriceShop(worlds.shop(version, deadline_seconds=deadline))
        world = self.world
        self.loses, self.gains = world.product(list_price=20.0), world.product(list_price=20.0)
        self.pricelist = world.pricelist(
            world.rule(self.loses, 18.0, date_end="2098-02-01 22:59:59"),
            world.rule(self.loses, 15.0, min_quantity=10),
        )
        world.shop.set(pricelist_id=self.pricelist)
        world.export(self.loses, self.gains)
        assert world.special(self.loses)[0] == "18.000000"

    def change(self) -> None:
        """Take special price and tier from one product and give the other new ones."""
        for row in self.world.odoo.records("product.pricelist.item"):
            if row["pricelist_id"] == self.pricelist:
                self.world.odoo.delete("product.pricelist.item", row["id"])
        rules = (
            self.world.rule(self.gains, 17.0, date_end="2098-02-01 22:59:59"),
            self.world.rule(self.gains, 14.0, min_quantity=10),
        )
        for rule in rules:
            self.world.odoo.create("product.pricelist.item", {**rule, "pricelist_id": self.pricelist})
        self.world.set_list_price(self.gains, 19.5)

    def arm(self, call: str, kind: Break):
        """Break the next call of a kind."""

        def fits(request: Request) -> bool:
            return request.method == "POST" and request.path.endswith(f"/products/{call}")

        return self.world.shop.proxies["magento"].once(kind, fits)

    def insist(self) -> None:
        """Insist that Magento has what Odoo says, that nothing is in doubt, and that nothing is left to write."""
        world = self.world
        assert (world.price(self.loses), world.special(self.loses), world.tiers(self.loses)) == (
            20,
            (None, None, None),
            set(),
        )
        assert (world.price(self.gains), world.tiers(self.gains)) == (19.5, {(ALL_GROUPS, 10, 14)})
        assert world.special(self.gains) == ("17.000000", "2000-01-01 00:00:00", "2098-02-01 00:00:00")
        assert world.shop.ledger.effects.open_for_target("shop", price_writing.TARGET) == []
        world.forget_calls()
        world.export(self.loses, self.gains, verify=True)
        assert world.results() == {"found_equal": 2}


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("call", CALLS)
def test_a_price_call_that_is_broken_anywhere_is_as_it_should_be(all_worlds, call: str, kind: Break) -> None:
    priced = Priced(all_worlds, 18, deadline=SHORT_DEADLINE_SECONDS if kind in SILENT else 10.0)
    priced.change()
    armed = priced.arm(call, kind)
    try:
        assert priced.world.export(priced.loses, priced.gains).jobs == {"done": 1}
        assert armed.fired.is_set(), "the call was never sent"
        if kind == "late":
            armed.deliver()
        priced.insist()
    finally:
        all_worlds.rest()


@pytest.mark.parametrize("kind", ["before", "after_commit"])
@pytest.mark.parametrize("version", [16, 19])
def test_so_it_is_with_other_versions(all_worlds, version: int, kind: Break) -> None:
    priced = Priced(all_worlds, version)
    priced.change()
    priced.arm("base-prices", kind)
    try:
        assert priced.world.export(priced.loses, priced.gains).jobs == {"done": 1}
        priced.insist()
    finally:
        all_worlds.rest()


def in_doubt(world: PriceShop) -> bool:
    """Whether a batch waits for the end of a doubt."""
    jobs = world.shop.ledger.jobs.list(
        instance="shop", kind="export-price-batch", states=("retry_waiting",), limit=10
    )
    return any((job.waits_for or "").startswith("doubt:") for job in jobs)


@pytest.mark.parametrize("kind", ["before", "after_commit", "late"])
def test_while_a_price_is_in_doubt_no_newer_one_goes_out(all_worlds, kind: Break) -> None:
    priced = Priced(all_worlds, 18)
    world = priced.world
    world.set_list_price(priced.gains, 30.0)
    armed = priced.arm("base-prices", kind)
    ledger = world.shop.ledger
    run = ledger.runs.start("shop", "export-prices", {"skus": [priced.gains]}, queue="catalog")
    try:
        pump_until(world.shop, lambda: in_doubt(world), what="the price is in doubt")
        # A person changes it again, and another run has the product in another batch.
        world.set_list_price(priced.gains, 31.0)
        if kind == "late":
            armed.deliver()
        world.export(priced.gains, priced.loses)
        assert ledger.runs.progress(run.id).jobs == {"done": 1}
        assert world.price(priced.gains) == 31
        assert ledger.effects.open_for_target("shop", price_writing.TARGET) == []
    finally:
        all_worlds.rest()


@pytest.mark.parametrize("kind", ["before", "after_commit", "late"])
def test_a_price_that_odoo_takes_back_while_it_is_in_doubt_is_taken_back_in_magento(
    all_worlds, kind: Break
) -> None:
    priced = Priced(all_worlds, 18)
    world = priced.world
    world.set_list_price(priced.gains, 1.0)
    armed = priced.arm("base-prices", kind)
    try:
        ledger = world.shop.ledger
        run = ledger.runs.start("shop", "export-prices", {"skus": [priced.gains]}, queue="catalog")
        pump_until(world.shop, lambda: in_doubt(world), what="the price is in doubt")
        world.set_list_price(priced.gains, 20.0)
        if kind == "late":
            armed.deliver()
        world.shop.work()
        assert ledger.runs.progress(run.id).jobs == {"done": 1}
        assert world.price(priced.gains) == 20
    finally:
        all_worlds.rest()


def test_a_process_that_dies_after_the_answer_writes_nothing_twice(
    all_worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    priced = Priced(all_worlds, 18)
    priced.change()
    write, died = price_batch.write_changes, []

    def die(*args, **kwargs) -> None:
        write(*args, **kwargs)
        if not died:
            died.append(1)
            raise ConnectionError("the process died here")

    monkeypatch.setattr(price_batch, "write_changes", die)
    priced.world.export(priced.loses, priced.gains)
    (job,) = priced.world.shop.ledger.jobs.list(instance="shop", kind="export-price-batch", limit=1)
    if job.state == "failed":
        priced.world.shop.ledger.jobs.retry(job.id)
    priced.world.forget_calls()
    priced.world.shop.work()
    # Read back: Magento has it all, so nothing goes out again.
    assert not set(CALLS) & priced.world.calls().keys()
    priced.insist()
