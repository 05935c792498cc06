"""Which Odoo product a Magento product is, and what stands against an import: each case is a job that says what to do."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.flows.wants import want
from tests.flows.conftest import OpenCatalog
from tests.support.once import pump
from tests.support.products import FakeCatalog, a_product

VERSIONS = (16, 18, 19)


def make(shop, sku, **values):
    return shop.odoo.create("product.product", {"name": "Odoo's own", "default_code": sku, **values})


@pytest.mark.parametrize(
    "sku", ["A/B", "A B", "000123", "Grün-ß", "a_%\\", "  padded", "x" * 64, "&lt;b&gt;", "#1;2"]
)
def test_a_product_of_odoo_is_found_by_any_sku(
    open_catalog: OpenCatalog, catalog: FakeCatalog, sku: str
) -> None:
    shop = open_catalog()
    decoys = [make(shop, one) for one in ("AxB", "123", "a1z\\", "GRUEN-SS")]
    mine = make(shop, sku.strip())
    catalog.put(a_product(product_id=7, sku=sku))
    assert shop.batch(7).result == {"bound": 1}
    assert shop.bound(7) == mine
    assert mine not in decoys


@pytest.mark.parametrize("version", VERSIONS)
def test_a_product_that_odoo_had_before_keeps_what_it_has_until_magento_changes_it(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    mine = make(shop, "MUG", weight=2.0)
    catalog.put(a_product(product_id=7, is_enabled=False))
    assert shop.batch(7).result == {"bound": 1}
    assert (shop.row("MUG")["name"], shop.row("MUG")["active"]) == ("Odoo's own", True)
    catalog.change(7, name="Magento's")
    assert shop.batch(7).result == {"updated": 1}
    assert (shop.row("MUG")["name"], shop.row("MUG")["weight"], shop.bound(7)) == ("Magento's", 2.0, mine)


def test_the_spelling_of_magento_goes_before_another_case_and_active_before_archived(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    make(shop, "mug")
    exact = make(shop, "MUG")
    archived, active = make(shop, "CUP", active=False), make(shop, "CUP")
    other = make(shop, "bowl")
    old = make(shop, "VASE", active=False)
    catalog.put(
        *(a_product(product_id=n, sku=sku) for n, sku in enumerate(("MUG", "CUP", "BOWL", "Vase"), 1))
    )
    assert shop.batch(1, 2, 3, 4).result == {"bound": 4}
    assert [shop.bound(n) for n in (1, 2, 3, 4)] == [exact, active, other, old]
    assert archived not in [shop.bound(n) for n in (1, 2)]


@pytest.mark.parametrize("sku", ["Mixed_Case%1", "Back\\slash", "Ends\\", "Ünder_Ä"])
def test_the_signs_of_a_sku_are_no_wildcards_in_another_case_either(
    open_catalog: OpenCatalog, catalog: FakeCatalog, sku: str
) -> None:
    shop = open_catalog()
    make(shop, "MIXEDXCASEYY1")
    mine = make(shop, sku.upper())
    catalog.put(a_product(product_id=7, sku=sku))
    assert shop.batch(7).result == {"bound": 1}
    assert shop.bound(7) == mine


@pytest.mark.parametrize("skus", [("MUG", "MUG"), ("Mug", "mug")])
def test_several_products_of_one_sku_block_in_a_job_of_their_own(
    open_catalog: OpenCatalog, catalog: FakeCatalog, skus: tuple[str, str]
) -> None:
    shop = open_catalog()
    first, second = (make(shop, sku) for sku in skus)
    catalog.put(a_product(product_id=7), a_product(product_id=8, sku="OTHER"))
    job = shop.batch(7, 8)
    assert (job.state, job.result) == ("done", {"made": 1, "jobs_of_their_own": [7]})
    own = shop.own_job(7)
    assert (own.state, own.error_code) == ("blocked", "duplicate_record")
    assert str(first) in (own.error or "")
    assert str(second) in (own.error or "")
    assert "internal reference" in (own.help or "")
    shop.odoo.write("product.product", first, {"default_code": "ELSE"})
    shop.ledger.jobs.retry(own.id)
    shop.shop.work()
    assert shop.bound(7) == second


def test_without_leave_to_make_products_what_is_missing_is_named_and_nothing_is_made(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog(auto_create_products=False)
    before = len(shop.odoo.records("product.product"))
    catalog.put(a_product(product_id=7, sku="B"), a_product(product_id=8, sku="A"))
    job = shop.batch(7, 8)
    assert (job.state, job.result) == ("done", {"missing": ["A", "B"]})
    assert len(shop.odoo.records("product.product")) == before
    alone = shop.one(7)
    assert (alone.state, alone.error_code) == ("blocked", "product_unknown")
    assert "auto_create_products" in (alone.help or "")
    assert "product.product.load" not in shop.calls()


@pytest.mark.parametrize(
    "values",
    [{"price": Decimal(-1)}, {"weight": Decimal("-0.5")}, {"sku": " "}, {"cost": Decimal("-0.01")}],
    ids=str,
)
def test_what_cannot_be_stored_blocks_alone_and_the_others_are_imported(
    open_catalog: OpenCatalog, catalog: FakeCatalog, values: dict
) -> None:
    shop = open_catalog()
    catalog.put(a_product(product_id=7, **values), a_product(product_id=8, sku="OTHER"))
    assert shop.batch(7, 8).result == {"made": 1, "jobs_of_their_own": [7]}
    own = shop.own_job(7)
    assert (own.state, own.error_code) == ("blocked", "product_unclear")
    assert "in Magento" in (own.help or "")
    assert shop.bound(8) is not None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"price": None}, {"list_price": 0.0}),
        ({"price": Decimal(0)}, {"list_price": 0.0}),
        ({"price": Decimal("3.141593")}, {"list_price": 3.141593}),
        ({"name": ""}, {"name": "MUG"}),
        ({"description": "<script>x</script>"}, {"description": None}),
        ({"name": "a\x00b\ud800"}, {"name": "ab"}),
    ],
    ids=str,
)
def test_what_is_odd_and_can_be_stored_is_imported(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int, values: dict, shown: dict
) -> None:
    shop = open_catalog(version)
    catalog.put(a_product(product_id=7, **values))
    assert shop.batch(7).result == {"made": 1}
    assert {name: shop.row("MUG")[name] for name in shown} == shown


@pytest.mark.parametrize("version", VERSIONS)
def test_a_product_that_odoo_refuses_is_found_by_halves_and_blocks_alone(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    make(shop, "OTHER", barcode="4006381333931")
    catalog.put(*(a_product(product_id=n, sku=f"S{n}") for n in range(1, 21)))
    catalog.change(13, attributes={"barcode": "4006381333931"})
    job = shop.batch(*range(1, 21))
    assert (job.state, job.result) == ("done", {"made": 19, "jobs_of_their_own": [13]})
    own = shop.own_job(13)
    assert (own.state, own.error_code) == ("blocked", "product_refused")
    assert "S13" in (own.error or "")
    assert "barcode" in (own.help or "")
    assert [shop.bound(n) is None for n in range(1, 21)] == [n == 13 for n in range(1, 21)]
    catalog.change(13, attributes={})
    shop.ledger.jobs.retry(own.id)
    shop.shop.work()
    assert shop.bound(13) is not None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("change", [{"name": "New"}, {"is_enabled": False}], ids=str)
def test_a_bound_product_that_was_deleted_in_odoo_blocks_alone(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int, change: dict
) -> None:
    shop = open_catalog(version)
    catalog.put(*(a_product(product_id=n, sku=f"S{n}") for n in (1, 2, 3)))
    shop.batch(1, 2, 3)
    shop.odoo.delete("product.product", shop.bound(2))
    for n in (1, 2, 3):
        catalog.change(n, **change)
    assert shop.batch(1, 2, 3).result == {"updated": 2, "jobs_of_their_own": [2]}
    own = shop.own_job(2)
    assert (own.state, own.error_code) == ("blocked", "bound_record_gone")
    assert "S2" in (own.error or "")
    assert shop.rows("S2") == []


def test_a_product_that_an_order_made_is_completed_and_one_that_it_found_keeps_what_it_has(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    found = make(shop, "FOUND")
    shop.ledger.bindings.bind("shop", "product", magento_id=8, odoo_model="product.product", odoo_id=found)
    raw = shop.shop.box.magento.generate_orders(1, kinds=("simple",))[0]
    shop.shop.map_all([raw])
    product_id = int(raw["items"][0]["product_id"])
    sku = next(one["sku"] for one in shop.shop.box.magento.catalog.all() if one["id"] == product_id)
    for row in shop.rows(sku):
        shop.odoo.delete("product.product", row["id"])
    assert shop.shop.import_order(raw).state == "done"
    made = shop.bound(product_id)
    catalog.put(
        a_product(product_id=product_id, sku=sku, name="Full name", weight=Decimal(3)),
        a_product(product_id=8, sku="FOUND"),
    )
    assert shop.batch(product_id, 8).result == {"bound": 1, "updated": 1}
    row = shop.row(sku)
    assert (row["id"], row["name"]) == (made, "Full name")
    assert shop.row("FOUND")["name"] == "Odoo's own"


def test_a_product_that_cannot_be_read_is_a_job_of_its_own(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(*(a_product(product_id=n, sku=f"S{n}") for n in range(1, 6)))
    catalog.broken = {3}
    assert shop.run().jobs == {"done": 1, "failed": 1}
    assert shop.batch(1, 2, 3, 4, 5).result == {"unchanged": 4, "jobs_of_their_own": [3]}
    failed = shop.ledger.jobs.list(instance="shop", kind="import-product", limit=10)
    assert {(one.entity, one.state, one.error_code) for one in failed} == {("3", "failed", "invalid_record")}
    catalog.broken = set()
    assert shop.one(3).result == {"made": 1}


def test_an_event_about_a_product_that_odoo_lacks_waits_for_nobody(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog(auto_create_products=False)
    catalog.put(a_product(product_id=7, sku="NOT-THERE"))
    wanted = want("import-product", instance="shop", entity="7", data={"by_event": True})
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    shop.shop.work()
    job = shop.shop.job(job_id)
    assert (job.state, job.result) == ("done", {"missing": ["NOT-THERE"]})
    assert shop.one(7).error_code == "product_unknown"


def test_a_product_older_than_its_event_said_is_read_again(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(a_product(product_id=8, sku="LAGS"))
    wanted = want("import-product", instance="shop", entity="8", version="2099-01-01 00:00:00")
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    pump(shop.shop)
    assert (shop.shop.job(job_id).state, shop.shop.job(job_id).waits_for) == ("retry_waiting", "version")
