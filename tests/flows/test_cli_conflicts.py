"""``bridge run export-product(s)`` and ``bridge conflicts``: what a person sees and decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from tests.support.cli import Cli, running_cli


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=19) as running:
        yield running


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], box: Sandbox
) -> Iterator[Cli]:
    for cli in running_cli(tmp_path, monkeypatch, capsys):
        cli.add_box(box, "export_products=true")
        yield cli


def test_an_edit_is_exported_shown_and_decided(cli: Cli, box: Sandbox) -> None:
    product_id = box.odoo.create("product.product", {"name": "Lamp", "default_code": "CLI/1"})
    ended = cli("run", "export-product", "CLI/1", "--wait")
    assert ended.code == 0, ended.out
    assert box.magento.catalog.by_sku("CLI/1") is not None
    assert cli("conflicts", "list").out.strip() == "No conflicts."
    box.odoo.write("product.product", product_id, {"name": "Lantern"})
    ended = cli("run", "export-products", "--wait")
    assert ended.code == 0
    assert "changed products of Odoo seen" in ended.out
    listed = cli("conflicts", "list")
    assert all(text in listed.out for text in ("CLI/1", "name", "Lamp", "Lantern", "resolve ID --use"))
    (one,) = cli("conflicts", "list", "--json").json
    assert (one["field"], one["master"], one["odoo_value"], one["state"]) == ("name", "magento", "Lantern", "open")  # fmt: skip
    shown = cli("conflicts", "show", str(one["id"]))
    assert "Magento: Lamp" in shown.out and "Odoo: Lantern" in shown.out
    ended = cli("conflicts", "resolve", str(one["id"]), "--use", "odoo", "--wait")
    assert ended.code == 0, ended.out
    assert box.magento.catalog.by_sku("CLI/1")["name"] == "Lantern"
    assert cli("conflicts", "list").out.strip() == "No conflicts."
    assert "resolved: Odoo" in cli("conflicts", "list", "--all").out
    assert cli("conflicts", "resolve", str(one["id"]), "--use", "odoo").code == 2


def test_an_edit_of_a_price_has_words_and_is_decided(cli: Cli, box: Sandbox) -> None:
    product_id = box.odoo.create(
        "product.product", {"name": "Shade", "default_code": "CLI/2", "list_price": 10.0}
    )
    for _ in range(2):
        assert cli("run", "export-product", "CLI/2", "--wait").code == 0
    box.odoo.write("product.product", product_id, {"list_price": 12.5})
    assert cli("run", "export-products", "--wait").code == 0
    listed = cli("conflicts", "list")
    assert all(text in listed.out for text in ("CLI/2", "sales price", "10", "12.5"))
    (one,) = cli("conflicts", "list", "--json").json
    assert "CLI/2: sales price. Master: Magento. open." in cli("conflicts", "show", str(one["id"])).out
    ended = cli("conflicts", "resolve", str(one["id"]), "--use", "odoo", "--wait")
    assert ended.code == 0, ended.out
    assert box.magento.catalog.by_sku("CLI/2")["price"] == 12.5
    # While prices are Odoo's, an edit in Magento is one of the base price.
    assert cli("instance", "set", "shop", "--set", "sync_direction=price=odoo").code == 0
    assert cli("run", "export-prices", "CLI/2", "--wait").code == 0
    box.magento.catalog.change("CLI/2", {"price": 14})
    ended = cli("run", "export-prices", "CLI/2", "--verify", "--wait")
    assert "1 written" in ended.out and "1 edited in Magento: bridge conflicts list" in ended.out
    assert box.magento.catalog.by_sku("CLI/2")["price"] == 12.5
    (one,) = cli("conflicts", "list", "--json").json
    listed = cli("conflicts", "list")
    assert "base price" in listed.out and "Magento's edit was overwritten" in listed.out
    ended = cli("conflicts", "resolve", str(one["id"]), "--use", "magento", "--wait")
    assert ended.code == 0, ended.out
    assert box.magento.catalog.by_sku("CLI/2")["price"] == 14


def test_a_product_that_costs_nothing_says_why_it_is_not_made(cli: Cli, box: Sandbox) -> None:
    box.odoo.create("product.product", {"name": "Gift", "default_code": "CLI/3", "list_price": 0.0})
    assert cli("run", "export-product", "CLI/3", "--wait").code == 0
    assert "costs nothing in Odoo, so it is not made in Magento: CLI/3" in cli("jobs", "list").out


def test_what_is_wrong_usage_says_so(cli: Cli) -> None:
    assert cli("conflicts", "resolve", "999", "--use", "odoo").code == 2
    assert cli("conflicts", "resolve", "1").code == 2
    assert cli("run", "export-product", "x" * 65).code == 2
    missing = cli("run", "export-product", "NO-SUCH", "--wait")
    assert missing.code == 1
    assert "Odoo has no product with the SKU NO-SUCH" in missing.out
