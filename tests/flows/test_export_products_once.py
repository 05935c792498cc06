"""Writes of products into Magento happen once, wherever their answer is lost, and a newer one waits for an older one's end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.support.once import (
    MAGENTO_DOUBT_SECONDS,
    SHORT_DEADLINE_SECONDS,
    OnceShop,
    Worlds,
    is_in_doubt,
    pump_until,
)
from tests.support.outward_shop import Family, OutwardShop
from tests.support.proxy import BREAKS, Break, Request

SILENT = frozenset({"swallowed", "stalled"})


class Write:
    """One write of the export."""

    def __init__(self, method: str, ending: str) -> None:
        self.method, self.ending = method, ending

    def fits(self, request: Request) -> bool:
        return request.method == self.method and request.path.partition("?")[0].endswith(self.ending)

    def __str__(self) -> str:
        return f"{self.method} {self.ending}"


PRODUCT = Write("POST", "/V1/products")
OPTION = Write("POST", "/options")
CHILD = Write("POST", "/child")


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


@pytest.fixture
def world(all_worlds: Worlds):
    def open_one(kind: str) -> OutwardShop:
        deadline = SHORT_DEADLINE_SECONDS if kind in SILENT else 10.0
        shop = all_worlds.shop(18, deadline_seconds=deadline)
        shop.set(export_products=True, sync_direction="odoo")
        return OutwardShop(shop)

    yield open_one
    all_worlds.rest()


def open_effects(shop: OutwardShop) -> list[tuple[str, str]]:
    targets = ("/products", "/products/attributes", "/configurable-products")
    ids = [f"/products/{raw['id']}" for raw in shop.magento.catalog.all()]
    return [
        (one.key, one.state)
        for target in (*targets, *ids)
        for one in shop.ledger.effects.open_for_target("shop", target)
    ]


@pytest.mark.parametrize(("write", "kind"), [*product((PRODUCT, OPTION, CHILD), BREAKS)], ids=str)
def test_a_family_is_made_once_wherever_an_answer_is_lost(world, write: Write, kind: Break) -> None:
    shop = world(kind)
    family = Family(shop, "Matt", "Glossy")
    assert isinstance(shop.shop, OnceShop)
    armed = shop.shop.proxies["magento"].once(kind, write.fits)
    job = family.export()
    assert armed.fired.is_set(), "the write was never sent"
    if kind == "late":
        armed.deliver()
    assert (job.state, job.error) == ("done", None)
    skus = [raw["sku"] for raw in shop.magento.catalog.all() if raw["sku"].startswith(family.base)]
    assert sorted(skus) == sorted([family.base, *family.skus])
    labels = [one["label"] for one in shop.magento.attributes.get(family.code)["options"]]
    assert sorted(label for label in labels if label.strip()) == ["Glossy", "Matt"]
    extension = shop.raw(family.base)["extension_attributes"]
    assert len(extension["configurable_product_options"]) == 1
    assert sorted(extension["configurable_product_links"]) == sorted(
        shop.raw(sku)["id"] for sku in family.skus
    )
    assert open_effects(shop) == []
    before = shop.writes()
    assert family.export().result == {"unchanged": 3}
    assert shop.writes() == before


@pytest.mark.parametrize("kind", BREAKS)
def test_a_change_is_written_once_or_again_and_never_echoes(world, kind: Break) -> None:
    shop = world(kind)
    sku = shop.new_sku("ONCE-{}")
    product_id = shop.make(sku)
    shop.export(product_id)
    shop.edit(product_id, name="New")
    put = Write("PUT", f"/products/{sku}")
    armed = shop.shop.proxies["magento"].once(kind, put.fits)
    job = shop.export(product_id)
    assert armed.fired.is_set()
    if kind == "late":
        armed.deliver()
    assert (job.state, job.error) == ("done", None)
    assert shop.raw(sku)["name"] == "New"
    assert open_effects(shop) == []
    before = shop.writes()
    assert shop.export(product_id).result == {"unchanged": 1}
    assert shop.import_(sku).result == {"unchanged": 1}
    assert (shop.writes(), shop.conflicts()) == (before, [])


def test_a_newer_change_waits_for_the_doubt_of_an_older_one_and_is_the_last_word(world) -> None:
    shop = world("late")
    shop.shop.set(magento_doubt_seconds=[0.05, 3.0])
    sku = shop.new_sku("LATE-{}")
    product_id = shop.make(sku)
    shop.export(product_id)
    shop.edit(product_id, name="Older")
    put = Write("PUT", f"/products/{sku}")
    armed = shop.shop.proxies["magento"].once("late", put.fits)
    wanted: Any = shop.want_batch(product_id)
    pump_until(shop.shop, lambda: is_in_doubt(shop.shop, wanted), what="in doubt")
    shop.edit(product_id, name="Newer")
    # It was looked at again: the older one is not there, and may still come.
    attempts = shop.ledger.jobs.attempts
    pump_until(
        shop.shop,
        lambda: len(attempts(wanted)) >= 2 and is_in_doubt(shop.shop, wanted),
        what="in doubt again",
    )
    assert shop.raw(sku)["name"] == f"Name of {sku}"
    armed.deliver()
    shop.shop.work()
    shop.shop.set(magento_doubt_seconds=list(MAGENTO_DOUBT_SECONDS))
    assert shop.shop.job(wanted).state == "done"
    assert shop.raw(sku)["name"] == "Newer"
    assert open_effects(shop) == []
    assert shop.conflicts() == []


@pytest.mark.parametrize("kind", BREAKS)
def test_what_changed_while_a_product_was_being_made_is_not_forgotten(world, kind: Break) -> None:
    shop = world(kind)
    sku = shop.new_sku("MADE-{}")
    product_id = shop.make(sku)
    armed = shop.shop.proxies["magento"].once(kind, PRODUCT.fits)
    wanted: Any = shop.want_batch(product_id)
    pump_until(
        shop.shop,
        lambda: armed.fired.is_set() and shop.shop.job(wanted).state != "running",
        what="sent",
    )
    shop.edit(product_id, name="Newer")
    if kind == "late":
        armed.deliver()
    shop.shop.work()
    assert shop.shop.job(wanted).state == "done"
    shop.export(product_id)
    assert shop.raw(sku)["name"] == "Newer"
    assert (open_effects(shop), shop.conflicts()) == ([], [])
