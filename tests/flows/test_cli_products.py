"""``bridge run import-products`` and ``import-product SKU``: progress, counts, and what a person is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from tests.support.cli import Cli, running_cli
from tests.support.products import FakeCatalog, a_family, a_product


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=18) as running:
        yield running


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], box: Sandbox
) -> Iterator[Cli]:
    for cli in running_cli(tmp_path, monkeypatch, capsys):
        cli.add_box(box, "auto_create_products=true")
        yield cli


def test_products_are_imported_counted_and_those_in_the_way_are_named(
    cli: Cli, box: Sandbox, catalog: FakeCatalog
) -> None:
    twins = [box.odoo.create("product.product", {"name": "Twin", "default_code": "TWIN"}) for _ in range(2)]
    catalog.put(a_product(product_id=901, sku="CLI-1"), a_product(product_id=902, sku="TWIN"))
    ended = cli("run", "import-products", "--wait")
    assert ended.code == 1
    assert "2 changed products seen; their jobs: 1 blocked, 1 done." in ended.out
    assert "Several Odoo products have the SKU TWIN" in ended.out
    assert "internal reference" in ended.out
    assert box.odoo.find("product.product", default_code="CLI-1") is not None
    catalog.products.pop(902)
    shown = cli("run", "import-products", "--from", "2026-11-01", "--wait", "--json")
    assert (shown.code, shown.json["run"]["state"], shown.json["run"]["jobs"]) == (0, "done", {"done": 1})
    for one in twins:
        # The Odoo is shared: an export of all products would name them, too.
        box.odoo.write("product.product", one, {"active": False})


def test_one_product_is_imported_by_its_sku_whatever_its_case(
    cli: Cli, box: Sandbox, catalog: FakeCatalog
) -> None:
    known = box.magento.catalog.all()[0]
    catalog.put(a_product(product_id=known["id"], sku=known["sku"], name="By hand"))
    ended = cli("run", "import-product", str(known["sku"]).lower(), "--wait")
    assert ended.code == 0
    assert box.odoo.find("product.product", default_code=known["sku"]) is not None
    missing = cli("run", "import-product", "NO-SUCH-SKU", "--wait")
    assert missing.code == 1
    assert "Magento has no product with the SKU NO-SUCH-SKU" in missing.out


@pytest.mark.parametrize("sku", ["", " ", "x" * 65, "a\tb"])
def test_what_is_no_sku_is_wrong_usage(cli: Cli, sku: str) -> None:
    assert cli("run", "import-product", sku).code == 2


def test_what_odoo_lacks_is_named_after_the_run_and_in_the_list(
    cli: Cli, box: Sandbox, catalog: FakeCatalog
) -> None:
    assert cli("instance", "set", "shop", "--set", "auto_create_products=off").code == 0
    catalog.put(*(a_product(product_id=950 + number, sku=f"LACK-{number}") for number in range(12)))
    ended = cli("run", "import-products", "--wait")
    assert ended.code == 0
    assert "Not in Odoo: 12 products (LACK-0, LACK-1, LACK-10, " in ended.out
    assert "bridge instance set shop auto_create_products=on" in ended.out
    assert "not in Odoo: LACK-0, LACK-1, LACK-10, ..." in cli("jobs", "list").out
    assert box.odoo.find("product.product", default_code="LACK-0") is None


def test_variants_that_a_persons_own_product_lacks_are_hers_to_add(
    cli: Cli, box: Sandbox, catalog: FakeCatalog
) -> None:
    attribute = box.odoo.create("product.attribute", {"name": "Size", "create_variant": "always"})
    value = box.odoo.create("product.attribute.value", {"name": "S", "attribute_id": attribute})
    line = {"attribute_id": attribute, "value_ids": [[6, 0, [value]]]}
    template = box.odoo.create("product.template", {"name": "Mine", "attribute_line_ids": [[0, 0, line]]})
    (variant,) = (row for row in box.odoo.records("product.product") if row["product_tmpl_id"] == template)
    box.odoo.write("product.product", variant["id"], {"default_code": "OWNED-S"})
    catalog.put(*a_family(parent_id=900, sku="OWNED"))
    ended = cli("run", "import-products", "--wait")
    assert "Not in Odoo: 1 products (OWNED-M). They belong to products that Odoo had before" in ended.out
    assert "auto_create_products" not in ended.out


def test_accounts_are_counted_too(cli: Cli, box: Sandbox) -> None:
    ended = cli("run", "import-customers", "--wait")
    assert ended.code == 0
    number = len(box.magento.state.customers)
    assert f"{number} changed accounts seen; their jobs: {number} done." in ended.out


def test_a_run_says_what_became_of_its_records_and_since_when_it_looked(
    cli: Cli, catalog: FakeCatalog
) -> None:
    catalog.put(*(a_product(product_id=970 + number, sku=f"SAID-{number}") for number in range(3)))
    ended = cli("run", "import-products", "--from", "2026-10-30", "--wait")
    assert "In Odoo: 3 made." in ended.out
    assert "since 2026-10-30" in ended.out
    assert "since 2026-10-30" in cli("jobs", "list").out
    assert "In Odoo: 3 unchanged." in cli("run", "import-products", "--from", "2026-10-30", "--wait").out
    assert "made" in cli("run", "import-categories", "--wait").out


def test_a_sweep_says_that_nothing_differs_or_what_is_gone(cli: Cli, box: Sandbox) -> None:
    cli("run", "import-products", "--wait")
    ended = cli("run", "sweep-products", "--wait")
    assert ended.code == 0
    assert f"{len(box.magento.catalog.all())} products compared" in ended.out
    assert "None differs." in ended.out
    (gone, *_) = box.magento.add_products(1)
    cli("run", "import-products", "--wait")
    box.magento.catalog.remove(gone["sku"])
    assert f"Gone in Magento: 1 ({gone['sku']})." in cli("run", "sweep-products", "--wait").out
    shown = cli("run", "sweep-products", "--wait", "--json").json
    assert shown["jobs"][0]["result"]["named"] == [gone["sku"]]
    assert shown["run"]["seen_per_second"] > 0


def test_what_magento_lacks_is_named_after_an_export_and_in_the_list(cli: Cli, box: Sandbox) -> None:
    box.odoo.create("product.product", {"name": "Only here", "default_code": "ONLY-IN-ODOO", "sale_ok": True})
    ended = cli("run", "export-products", "--wait")
    assert ended.code == 0
    assert "Not in Magento: " in ended.out
    assert "export_products=on" in ended.out
    listed = cli("jobs", "list")
    assert listed.code == 0
    assert "not in Magento: " in listed.out
    one = cli("run", "export-product", "ONLY-IN-ODOO", "--wait")
    assert "not in Magento: ONLY-IN-ODOO" in one.out
    missing = cli("run", "export-product", "NO-SUCH-SKU", "--wait")
    assert missing.code == 1
    assert "Check the internal reference in Odoo" in missing.out
