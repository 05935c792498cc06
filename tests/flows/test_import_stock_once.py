"""The two writes of a count broken at each point of the wire: what was previewed is counted once, a person's count stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.counting import CountingShop
from tests.support.once import SHORT_DEADLINE_SECONDS, FlowWrite, OnceShop, Worlds, pump_until
from tests.support.proxy import BREAKS, Armed, Break

VERSIONS = (16, 18, 19)
ENTER = FlowWrite("enter the counts", "stock.quant.load")
APPLY = FlowWrite("apply the counts", "stock.quant.action_apply_inventory")
#: Breaks after which no answer ever comes: the call ends by its own deadline.
SILENT = frozenset({"swallowed", "stalled"})
#: Breaks of which Odoo never learns.
LOST = frozenset({"before", "swallowed"})


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


@pytest.fixture
def worlds(all_worlds: Worlds) -> Iterator[Worlds]:
    yield all_worlds
    all_worlds.rest()


class Proof:
    """A product whose count is broken once on the wire."""

    def __init__(self, worlds: Worlds, version: int, write: FlowWrite, kind: Break) -> None:
        deadline = SHORT_DEADLINE_SECONDS if kind in SILENT else 10.0
        settings = {
            "call_deadline_seconds": deadline,
            "odoo_doubt_seconds": deadline / 10 + 1.0,
            "import_stock": True,
            "stock_routes": "default=1",
        }
        self.shop: OnceShop = worlds.new_shop(version, settings=settings)
        self.counting = CountingShop(self.shop)
        self.sku = self.counting.add(5, odoo=2)
        self.counting.preview(self.sku)
        self.armed: Armed = self.shop.proxy(write).once(kind, write.fits)

    def into_doubt(self) -> None:
        self.counting.start(self.sku)
        pump_until(
            self.shop,
            lambda: str(self.counting.batch().waits_for).startswith("doubt:"),
            what="the write is in doubt",
        )
        assert self.armed.fired.is_set()

    def end(self) -> dict[str, object]:
        self.shop.work()
        assert (self.counting.batch().state, self.counting.batch().error) == ("done", None)
        return dict(self.counting.batch().result or {})


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("write", [ENTER, APPLY], ids=str)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_count_that_is_broken_anywhere_is_made_once(
    worlds: Worlds, version: int, write: FlowWrite, kind: Break
) -> None:
    proof = Proof(worlds, version, write, kind)
    proof.into_doubt()
    if kind == "late":
        proof.armed.deliver()
    assert proof.end()["counted"] == 1
    assert proof.counting.has(proof.sku) == 5
    assert proof.counting.adjustments(proof.sku) == [2, 3]
    (quant,) = proof.counting.quants(proof.sku)
    assert not quant["inventory_quantity_set"]


@pytest.mark.parametrize("is_applied", [True, False])
@pytest.mark.parametrize("write", [ENTER, APPLY], ids=str)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_person_who_counts_while_the_bridge_waits_has_the_last_word(
    worlds: Worlds, version: int, write: FlowWrite, is_applied: bool
) -> None:
    """On 19 a count that is applied where none is set would be 0."""
    proof = Proof(worlds, version, write, "in_answer" if write is ENTER else "before")
    proof.into_doubt()
    if is_applied:
        proof.counting.odoo.set_stock(proof.counting.ids[proof.sku], 9)
    else:
        proof.counting.enter(proof.sku, 8)
    proof.end()
    (quant,) = proof.counting.quants(proof.sku)
    assert proof.counting.has(proof.sku) == (9 if is_applied else 2)
    assert quant["inventory_quantity_set"] is not is_applied
    assert quant["inventory_quantity"] == (0 if is_applied else 8)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_moved_between_entering_and_applying_is_left_to_a_person(worlds: Worlds, version: int) -> None:
    proof = Proof(worlds, version, ENTER, "in_answer")
    proof.into_doubt()
    (quant,) = proof.counting.quants(proof.sku)
    proof.counting.odoo.write("stock.quant", quant["id"], {"quantity": 1.0})
    found = proof.end()
    assert proof.counting.has(proof.sku) == 1
    assert found["counted"] == 0
    assert "waits to be applied" in str(found["left"])
