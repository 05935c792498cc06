"""``bridge run export-prices [SKU...]``: what a person sees, and what is wrong usage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from tests.support.cli import Cli, running_cli


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


def test_prices_are_exported_and_counted_and_what_cannot_be_said_is_named(cli: Cli, box: Sandbox) -> None:
    assert cli("run", "import-products", "--wait").code == 0
    assert cli("instance", "set", "shop", "--set", "sync_direction=price=odoo").code == 0
    ended = cli("run", "export-prices", "--dry-run", "--wait")
    assert ended.code == 0
    # Odoo has one price for the variants of a product, and two digits.
    assert "9 would be written, 28 already so in Magento" in ended.out
    assert "  SIM-07: base price 12.345 -> 12.35" in ended.out
    assert box.magento.catalog.by_sku("SIM-07")["price"] == 12.345
    product_id = box.odoo.find("product.product", default_code="SIM-09")
    rows = {row["id"]: row for row in box.odoo.records("product.product")}
    template_id = rows[product_id]["product_tmpl_id"]
    box.odoo.write("product.template", template_id, {"list_price": 61.0})
    rule = {"applied_on": "1_product", "product_tmpl_id": template_id, "fixed_price": 70.0}
    dear = box.odoo.create("product.pricelist", {"name": "Dear", "item_ids": [[0, 0, rule]]})
    mapped = cli("mappings", "set", "customer_group_pricelist", "2", str(dear))
    assert mapped.code == 0
    ended = cli("run", "export-prices", "sim-09", "--wait")
    assert ended.code == 0
    assert "1 products with an Odoo product seen; their jobs: 1 done." in ended.out
    assert "Prices of products: 1 written." in ended.out
    assert "Not said in Magento: a group's price above the base price" in ended.out
    assert "(SIM-09)" in ended.out
    assert box.magento.catalog.by_sku("SIM-09")["price"] == 61
    again = cli("run", "export-prices", "--wait", "--json")
    assert (again.code, again.json["run"]["state"]) == (0, "done")


def test_while_prices_are_magentos_it_says_what_to_set(cli: Cli) -> None:
    ended = cli("run", "export-prices", "--wait")
    assert ended.code == 2
    assert "bridge instance set shop --set sync_direction=price=odoo" in ended.err


@pytest.mark.parametrize("sku", ["", "x" * 65, "a\tb"])
def test_what_is_no_sku_is_wrong_usage(cli: Cli, sku: str) -> None:
    assert cli("run", "export-prices", sku).code == 2
