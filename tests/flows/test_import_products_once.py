"""Batches happen once: cut before, during and after Odoo's commit, lost races, and processes that die in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from bridge.flows import product_source, product_writing
from bridge.flows.wants import want
from tests.support.once import (
    SHORT_DEADLINE_SECONDS,
    FlowWrite,
    OnceShop,
    Worlds,
    count_calls,
    is_in_doubt,
    pump_until,
)
from tests.support.products import SIZE, FakeCatalog, a_family, a_product, an_attribute
from tests.support.proxy import BREAKS, Break

TELLING: tuple[Break, ...] = ("before", "after_commit", "in_answer", "late")
SILENT = frozenset({"swallowed", "stalled"})
ATTRIBUTES = FlowWrite("attributes", "product.attribute.load")
VALUES = FlowWrite("values", "product.attribute.value.load")
TEMPLATES = FlowWrite("templates", "product.template.load")
VARIANTS = FlowWrite("variants", "product.product.load", contains=b"product_tmpl_id/.id")
GOODS = FlowWrite("goods", "product.product.load", contains=b"list_price")
UPDATE = FlowWrite("update", "product.product.load", contains=b'".id"', lacks=b"list_price")
PRICE = FlowWrite("price", "product.product.load", contains=b"list_price", lacks=b"standard_price")
ARCHIVE = FlowWrite("archive", "product.template.write")
MAKING = (ATTRIBUTES, VALUES, TEMPLATES, VARIANTS, GOODS)
CHANGING = (UPDATE, PRICE, ARCHIVE)


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


class Batches:
    """A shop behind proxies with a catalog of its own ids, so that no proof meets another's products."""

    _next = 1000

    def __init__(self, shop: OnceShop, catalog: FakeCatalog) -> None:
        self.shop = shop
        self.catalog = catalog
        self.first = Batches._next = Batches._next + 1000
        # An attribute of its own, too: else the first proof alone would make it.
        self.attribute = self.first + SIZE
        catalog.known[self.attribute] = an_attribute(self.attribute, f"size{self.first}", _4="S", _5="M")
        family = a_family(parent_id=self.first + 500, sku=f"F{self.first}")
        *children, parent = family
        option = parent.options[0].__class__(attribute_id=self.attribute, values=("4", "5"))
        self.ids = [parent.product_id, *(self.first + n for n in range(1, 6))]
        catalog.put(
            *(replace(one, attributes={f"size{self.first}": one.attributes["size"]}) for one in children),
            replace(parent, options=(option,)),
            *(a_product(product_id=n, sku=f"S{n}") for n in self.ids[1:]),
        )

    @property
    def skus(self) -> list[str]:
        return [one.sku for one in self.catalog.products.values() if one.product_id >= self.first]

    def want(self) -> int:
        wanted = want(
            "import-product-batch", instance="shop", entity=f"batch-{self.first}", data={"ids": self.ids}
        )
        return self.shop.ledger.jobs.want([wanted])[0].job_id

    def run(self):
        job_id = self.want()
        self.shop.work()
        return self.shop.job(job_id)

    def insist_on_once(self) -> None:
        codes = Counter(row.get("default_code") for row in self.shop.box.odoo.records("product.product"))
        names = Counter(row["name"] for row in self.shop.box.odoo.records("product.attribute"))
        wanted = [sku for sku in self.skus if sku != f"F{self.first}"]
        assert {sku: codes[sku] for sku in wanted} == dict.fromkeys(wanted, 1)
        assert names[f"Size{self.first}"] == 1
        for product_id in self.ids[1:]:
            assert self.shop.ledger.bindings.get("shop", "product", product_id) is not None
        effects = [
            one for model in ("product.product", "product.template", "product.attribute", "product.attribute.value")
            for one in self.shop.ledger.effects.open_for_target("shop", model)
        ]  # fmt: skip
        assert [(one.key, one.state) for one in effects] == []


@pytest.fixture
def batches(all_worlds: Worlds, monkeypatch: pytest.MonkeyPatch):
    catalog = FakeCatalog()
    monkeypatch.setattr(product_source, "catalog_of", lambda _: catalog)

    def open_one(version: int, *, deadline: float = 10.0) -> Batches:
        shop = all_worlds.shop(version, deadline_seconds=deadline)
        shop.set(auto_create_products=True)
        return Batches(shop, catalog)

    yield open_one
    all_worlds.rest()


@pytest.mark.parametrize(("version", "kind"), [*product([18], BREAKS), *product([16, 19], TELLING)])
@pytest.mark.parametrize("write", MAKING, ids=str)
def test_a_batch_that_is_broken_anywhere_makes_each_product_once(
    batches, version: int, write: FlowWrite, kind: Break
) -> None:
    world = batches(version, deadline=SHORT_DEADLINE_SECONDS if kind in SILENT else 10.0)
    armed = world.shop.proxy(write).once(kind, write.fits)
    job = world.run()
    assert armed.fired.is_set(), "the write was never sent"
    if kind == "late":
        armed.deliver()
    assert (job.state, job.error) == ("done", None)
    world.insist_on_once()
    # The same batch again finds everything done.
    before = count_calls(world.shop, "product.product.load")
    assert world.run().result == {"unchanged": 8}
    assert count_calls(world.shop, "product.product.load") == before


@pytest.mark.parametrize(("version", "kind"), [*product([18], BREAKS), *product([16, 19], TELLING)])
@pytest.mark.parametrize("write", CHANGING, ids=str)
def test_a_change_that_is_broken_anywhere_is_written_down_as_it_is(
    batches, version: int, write: FlowWrite, kind: Break
) -> None:
    world = batches(version, deadline=SHORT_DEADLINE_SECONDS if kind in SILENT else 10.0)
    assert world.run().state == "done"
    changed = world.ids[1:4]
    for product_id in changed:
        world.catalog.change(product_id, name=f"New {product_id}", is_enabled=False, price=Decimal(55))
    armed = world.shop.proxy(write).once(kind, write.fits)
    job = world.run()
    assert armed.fired.is_set(), "the write was never sent"
    if kind == "late":
        armed.deliver()
    assert (job.state, job.error) == ("done", None)
    templates = {row["id"]: row for row in world.shop.box.odoo.records("product.template")}
    for product_id in changed:
        binding = world.shop.ledger.bindings.get("shop", "product", product_id)
        row = next(
            one for one in world.shop.box.odoo.records("product.product") if one["id"] == binding.odoo_id
        )
        template = templates[row["product_tmpl_id"]]
        assert (template["name"], template["active"], row["active"]) == (f"New {product_id}", False, False)
        assert template["list_price"] == 55
    world.insist_on_once()
    assert world.run().result == {"unchanged": 8}


@pytest.mark.parametrize("version", [16, 18, 19])
def test_a_lost_race_is_repeated(batches, version: int) -> None:
    world = batches(version)
    world.shop.box.odoo.fail_serialization("product.product.load")
    assert world.run().state == "done"
    world.insist_on_once()


@pytest.mark.parametrize("kind", ["before", "after_commit"])
def test_while_a_change_is_in_doubt_no_newer_one_goes_out(batches, kind: Break) -> None:
    world = batches(18)
    assert world.run().state == "done"
    product_id = world.ids[1]
    world.catalog.change(product_id, name="Older")
    world.shop.proxy(UPDATE).once(kind, UPDATE.fits)
    job_id = world.want()
    pump_until(world.shop, lambda: is_in_doubt(world.shop, job_id), what="the change is in doubt")
    world.catalog.change(product_id, name="Newer")
    alone = want("import-product", instance="shop", entity=str(product_id))
    alone_id = world.shop.ledger.jobs.want([alone])[0].job_id
    pump_until(
        world.shop, lambda: is_in_doubt(world.shop, alone_id), what="the newer change waits for the doubt"
    )
    world.shop.work()
    assert world.shop.job(alone_id).state == "done"
    binding = world.shop.ledger.bindings.get("shop", "product", product_id)
    rows = {row["id"]: row for row in world.shop.box.odoo.records("product.product")}
    templates = {row["id"]: row for row in world.shop.box.odoo.records("product.template")}
    assert templates[rows[binding.odoo_id]["product_tmpl_id"]]["name"] == "Newer"


@pytest.mark.parametrize("kind", ["before", "after_commit", "late"])
def test_a_change_that_magento_takes_back_while_it_is_in_doubt_is_taken_back_in_odoo(
    batches, kind: Break
) -> None:
    world = batches(18)
    assert world.run().state == "done"
    product_id = world.ids[1]
    name = world.catalog.products[product_id].name
    world.catalog.change(product_id, name="A mistake", is_enabled=False)
    armed = world.shop.proxy(UPDATE).once(kind, UPDATE.fits)
    job_id = world.want()
    pump_until(world.shop, lambda: is_in_doubt(world.shop, job_id), what="the change is in doubt")
    world.catalog.change(product_id, name=name, is_enabled=True)
    if kind == "late":
        armed.deliver()
    world.shop.work()
    assert world.shop.job(job_id).state == "done"
    binding = world.shop.ledger.bindings.get("shop", "product", product_id)
    row = next(one for one in world.shop.box.odoo.records("product.product") if one["id"] == binding.odoo_id)
    templates = {one["id"]: one for one in world.shop.box.odoo.records("product.template")}
    assert (templates[row["product_tmpl_id"]]["name"], row["active"]) == (name, True)
    world.insist_on_once()


@pytest.mark.parametrize("version", [16, 18, 19])
def test_what_was_made_before_a_death_is_bound_as_made_and_not_as_found(
    batches, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = batches(version)
    world.catalog.change(world.ids[1], is_enabled=False)
    bind = product_writing._bind_made  # the moment between the answer and its binding
    died: list[int] = []

    def die(ctx, shelf, loaded, *, labels):
        # The five that stand alone, not the variants before them.
        if shelf is product_writing.GOODS and len(loaded.ids) == 5 and not died:
            died.append(1)
            raise ConnectionError("the process died here")
        return bind(ctx, shelf, loaded, labels=labels)

    monkeypatch.setattr(product_writing, "_bind_made", die)
    job = world.run()
    assert died
    if job.state == "failed":
        world.shop.ledger.jobs.retry(job.id)
        world.shop.work()
    assert world.shop.job(job.id).state == "done"
    world.insist_on_once()
    # Found again by its SKU it would have stayed as it was; made by the bridge it is archived.
    binding = world.shop.ledger.bindings.get("shop", "product", world.ids[1])
    row = next(one for one in world.shop.box.odoo.records("product.product") if one["id"] == binding.odoo_id)
    assert row["active"] is False
