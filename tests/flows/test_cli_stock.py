"""``bridge run export-stock``, ``bridge explain stock`` and ``bridge stock safety``: what a person asks and reads."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.ledger import Ledger, Pair
from bridge.sandbox import Sandbox
from bridge.settings import process_settings
from tests.support.cli import Cli, running_cli
from tests.support.stock_shop import FakeOdooStock, fake_odoo_stock

SKU = "SIM-01"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=18) as running:
        yield running


@pytest.fixture
def odoo(monkeypatch: pytest.MonkeyPatch) -> FakeOdooStock:
    return fake_odoo_stock(monkeypatch)


@pytest.fixture
def cli(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    box: Sandbox,
    odoo: FakeOdooStock,
) -> Iterator[Cli]:
    for cli in running_cli(tmp_path, monkeypatch, capsys):
        cli.add_box(box, "safety_stock=5")
        process_settings.cache_clear()
        with Ledger.open(process_settings().database_url) as ledger:
            pair = Pair(magento_id="1", odoo_model="product.product", odoo_id=11, magento_label=SKU)
            ledger.bindings.bind_many("shop", "product", [pair])
        odoo.quantities[11, None] = 12
        box.magento.inventory.set(SKU, "default", 0)
        yield cli


def test_a_product_is_exported_by_its_sku_in_any_case(cli: Cli, box: Sandbox) -> None:
    ended = cli("run", "export-stock", "sim-01", "--wait", "--json")
    assert ended.code == 0
    (job,) = ended.json["jobs"]
    assert (job["kind"], job["entity"], job["state"]) == ("export-stock", "default", "done")
    assert box.magento.inventory.get(SKU, "default") == 7


def test_all_products_are_exported_and_without_skus_what_waits(cli: Cli, box: Sandbox) -> None:
    assert cli("run", "export-stock", "--all", "--wait").code == 0
    assert box.magento.inventory.get(SKU, "default") == 7
    nothing = cli("run", "export-stock", "--wait")
    assert (nothing.code, "No figure waits" in nothing.err) == (0, True)


@pytest.mark.parametrize(
    ("args", "words"),
    [(("NO-SUCH",), "knows no product with the SKU NO-SUCH"), ((SKU, "--all"), "not both")],
)
def test_what_cannot_be_exported_is_said(cli: Cli, args: tuple[str, ...], words: str) -> None:
    ended = cli("run", "export-stock", *args)
    assert (ended.code, words in ended.err) == (2, True)


def test_every_term_of_a_figure_is_shown(cli: Cli) -> None:
    shown = cli("explain", "stock", SKU)
    assert shown.code == 0
    for words in (
        "Odoo's free_qty",
        "safety stock",
        "reserved in Magento",
        "unknown to Odoo",
        "should have",
        "never",
    ):
        assert words in shown.out
    (source,) = cli("explain", "stock", SKU, "--json").json["sources"]
    assert {name: source[name] for name in ("odoo", "safety_stock", "available", "target", "magento")} == {
        "odoo": "12",
        "safety_stock": "5",
        "available": "7",
        "target": "7",
        "magento": {"quantity": "0", "status": 1},
    }
    assert cli("run", "export-stock", SKU, "--wait").code == 0
    (source,) = cli("explain", "stock", SKU, "--json").json["sources"]
    assert (source["written"], source["magento"]["quantity"], source["waits_since"]) == ("7", "7", None)


def test_magentos_own_word_on_what_is_for_sale_stands_beside_it(cli: Cli) -> None:
    assert cli("run", "export-stock", SKU, "--wait").code == 0
    shown = cli("explain", "stock", SKU, "--json").json
    assert [one["stock"] for one in shown["salable"]] == ["Default Stock"]
    assert shown["salable"][0]["salable"] is not None


def test_a_figure_that_cannot_be_exported_is_explained(cli: Cli, odoo: FakeOdooStock) -> None:
    odoo.quantities[11, None] = Decimal("1e12")
    ended = cli("explain", "stock", SKU)
    assert (ended.code, "no number that Magento can keep" in ended.err) == (1, True)


def test_an_unknown_sku_is_said_with_what_to_do(cli: Cli) -> None:
    ended = cli("explain", "stock", "NO-SUCH")
    assert ended.code == 1
    assert "bridge run import-product NO-SUCH" in ended.err


def test_safety_stocks_are_set_listed_and_taken_back(cli: Cli, box: Sandbox) -> None:
    assert cli("stock", "safety", "set", "product", SKU, "2.5").code == 0
    assert cli("stock", "safety", "set", "source", "default", "3").code == 0
    listed = cli("stock", "safety", "list", "--json").json
    assert [(one["scope"], one["key"], one["quantity"]) for one in listed["own"]] == [
        ("product", SKU, "2.5"),
        ("source", "default", "3"),
    ]
    assert cli("run", "export-stock", SKU, "--wait").code == 0
    assert box.magento.inventory.get(SKU, "default") == Decimal("9.5")
    assert cli("stock", "safety", "unset", "product", SKU).code == 0
    assert cli("stock", "safety", "unset", "product", SKU).code == 1
    (source,) = cli("explain", "stock", SKU, "--json").json["sources"]
    assert (source["safety_stock"], source["safety_stock_from"]) == ("3", "source")
    assert "source" in cli("stock", "safety", "list").out


@pytest.mark.parametrize(
    "args",
    [
        ("product", SKU, "-1"),
        ("product", SKU, "NaN"),
        ("product", SKU, "0.00001"),
        ("category", "Shoes", "2"),
        ("shop", "x", "1"),
    ],
)
def test_safety_stocks_that_cannot_be(cli: Cli, args: tuple[str, ...]) -> None:
    assert cli("stock", "safety", "set", "--", *args).code == 2


def test_stock_is_counted_in_odoo_as_previewed(cli: Cli, box: Sandbox) -> None:
    (odoo_id,) = box.odoo.seed_products(["COUNTED-BY-CLI"]).values()
    with Ledger.open(process_settings().database_url) as ledger:
        pair = Pair(
            magento_id="4711",
            odoo_model="product.product",
            odoo_id=odoo_id,
            magento_label="COUNTED-BY-CLI",
        )
        ledger.bindings.bind_many("shop", "product", [pair])
    assert cli("instance", "set", "shop", "--set", "warehouse_id=1").code == 0
    box.magento.inventory.set("COUNTED-BY-CLI", "default", 8)
    off = cli("run", "import-stock", "counted-by-cli")
    assert (off.code, "import_stock=true" in off.err) == (2, True)
    shown = cli("run", "import-stock", "counted-by-cli", "--preview", "--wait")
    assert "counted-by-cli; preview" in cli("jobs", "list").out
    assert "{" not in cli("jobs", "list").out
    assert shown.code == 0
    (row,) = [line for line in shown.out.splitlines() if line.startswith("COUNTED-BY-CLI")]
    assert row.split() == ["COUNTED-BY-CLI", "0", "8"]
    assert box.odoo.stock(odoo_id)["qty_available"] == 0
    assert cli("instance", "set", "shop", "--set", "import_stock=true").code == 0
    done = cli("run", "import-stock", "--wait")
    assert (done.code, "Counted in Odoo: 1." in done.out) == (0, True)
    assert box.odoo.stock(odoo_id)["qty_available"] == 8
