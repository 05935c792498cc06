"""What a person is told of a way of exporting stock that does not fit the shop: doctor, test-connection, explain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.ledger import Ledger, Pair
from bridge.sandbox import Sandbox
from bridge.settings import process_settings
from tests.support.cli import Cli, running_cli
from tests.support.stock_shop import fake_odoo_stock

SKU = "SIM-01"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=18) as running:
        yield running


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], box: Sandbox
) -> Iterator[Cli]:
    odoo = fake_odoo_stock(monkeypatch)
    for cli in running_cli(tmp_path, monkeypatch, capsys):
        cli.add_box(box, "stock_api_mode=classic", "export_stock=true")
        process_settings.cache_clear()
        with Ledger.open(process_settings().database_url) as ledger:
            pair = Pair(magento_id="1", odoo_model="product.product", odoo_id=11, magento_label=SKU)
            ledger.bindings.bind_many("shop", "product", [pair])
        odoo.quantities[11, None] = 12
        yield cli


def sell_from(box: Sandbox, *sources: str, websites: tuple[str, ...] = ("base",)) -> None:
    for code in sources:
        box.magento.inventory.add_source(code)
    box.magento.inventory.add_stock("Web", websites=websites, sources=sources)


def stock_check(cli: Cli) -> tuple[dict[str, Any] | None, int]:
    """Return what the connection's test says of stock, and how it ended."""
    ended = cli("run", "test-connection", "--json")
    found = [one for one in ended.json["magento"]["checks"] if one["name"] == "stock"]
    return (found[0] if found else None), ended.code


def test_classic_on_a_shop_with_several_sources_is_a_problem(cli: Cli, box: Sandbox) -> None:
    sell_from(box, "berlin", "munich")
    check, code = stock_check(cli)
    assert check is not None
    assert (check["state"], code) == ("problem", 1)
    for words in (
        "sees the source default only",
        "base from the stock Web (berlin, munich)",
        "stock_api_mode=msi",
        "bridge mappings set source",
    ):
        assert words in check["text"]
    doctor = cli("doctor")
    assert (doctor.code, "base from the stock Web (berlin, munich)" in doctor.out + doctor.err) == (1, True)
    # Whoever does not export has nothing to mend yet.
    assert cli("instance", "set", "shop", "--set", "export_stock=false").code == 0
    check, code = stock_check(cli)
    assert check is not None
    assert (check["state"], code) == ("note", 0)


def test_one_further_source_beside_default_is_a_problem_too(cli: Cli, box: Sandbox) -> None:
    sell_from(box, "default", "berlin")
    check, _ = stock_check(cli)
    assert check is not None
    assert (check["state"], "(default, berlin)" in check["text"]) == ("problem", True)


def test_sources_that_nothing_is_sold_from_are_only_noted(cli: Cli, box: Sandbox) -> None:
    sell_from(box, "berlin", websites=())
    check, code = stock_check(cli)
    assert check is not None
    assert (check["state"], code) == ("note", 0)
    assert "no website sells yet: berlin" in check["text"]


def test_classic_fits_a_shop_with_one_source(cli: Cli, box: Sandbox) -> None:
    assert stock_check(cli) == (None, 0)
    assert cli("explain", "stock", SKU, "--json").json["sources"][0]["warnings"] == []


def test_msi_fits_a_shop_with_several_sources(cli: Cli, box: Sandbox) -> None:
    sell_from(box, "berlin", "munich")
    assert cli("instance", "set", "shop", "--set", "stock_api_mode=msi").code == 0
    assert stock_check(cli) == (None, 0)


def test_an_integration_that_may_not_read_stocks_is_said(cli: Cli, box: Sandbox) -> None:
    sell_from(box, "berlin")
    box.magento.guard.allowed = frozenset(
        {
            "Magento_Backend::store",
            "Magento_Sales::actions_view",
            "Magento_Catalog::products",
            "Magento_CatalogInventory::cataloginventory",
            "Magento_InventoryApi::source",
        }
    )
    check, code = stock_check(cli)
    assert check is not None
    assert (check["state"], code) == ("note", 0)
    assert "cannot be told" in check["text"]
    assert "Magento_InventoryApi::stock" in check["text"]
    # The export goes on, and tells what it can.
    assert cli("run", "export-stock", SKU, "--wait").code == 0


def test_msi_on_a_shop_without_inventory_modules_is_a_problem(cli: Cli, box: Sandbox) -> None:
    box.magento.switches.has_inventory = False
    assert stock_check(cli) == (None, 0)
    assert cli("run", "export-stock", SKU, "--wait").code == 0
    assert cli("instance", "set", "shop", "--set", "stock_api_mode=msi").code == 0
    check, code = stock_check(cli)
    assert check is not None
    assert (check["state"], code) == ("problem", 1)
    assert "set stock_api_mode=classic" in check["text"]


def test_explain_says_what_the_classic_endpoint_does_not_see(cli: Cli, box: Sandbox) -> None:
    sell_from(box, "berlin", "munich")
    shown = cli("explain", "stock", SKU)
    assert (shown.code, "Note: stock_api_mode is classic" in shown.err) == (0, True)
    (source,) = cli("explain", "stock", SKU, "--json").json["sources"]
    assert source["source"] == "default"
    assert "base from the stock Web (berlin, munich)" in source["warnings"][0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("stock_source_code=atlantis",), "Magento has no source atlantis"),
        (("stock_source_code=berlin",), "The source berlin is disabled in Magento"),
        (("stock_source_code=munich",), "The source munich is in no stock of Magento"),
    ],
)
def test_explain_says_what_is_odd_about_a_source(
    cli: Cli, box: Sandbox, settings: tuple[str, ...], words: str
) -> None:
    sell_from(box, "berlin")
    box.magento.inventory.add_source("berlin", is_enabled=False)
    box.magento.inventory.add_source("munich")
    for one in ("stock_api_mode=msi", *settings):
        assert cli("instance", "set", "shop", "--set", one).code == 0
    assert words in cli("explain", "stock", SKU).err


def test_the_right_that_bulks_need_is_asked_for_where_they_are_on(cli: Cli, box: Sandbox) -> None:
    right = "Magento_Logging::system_magento_logging_bulk_operations"
    box.magento.guard.allowed = frozenset(
        {
            "Magento_Backend::store",
            "Magento_Sales::actions_view",
            "Magento_Catalog::products",
            "Magento_InventoryApi::source",
            "Magento_InventoryApi::stock",
        }
    )
    for one in ("stock_api_mode=msi", "stock_bulk=true"):
        assert cli("run", "test-connection").code == 0
        assert cli("instance", "set", "shop", "--set", one).code == 0
    ended = cli("run", "test-connection", "--json")
    states = {one["name"]: one["state"] for one in ended.json["magento"]["checks"]}
    assert (ended.code, states[right]) == (1, "problem")
    assert right in ended.json["magento"]["advice"]["happened"]


def test_a_queue_that_does_not_run_is_told_with_what_to_do(cli: Cli, box: Sandbox) -> None:
    settings = ("stock_api_mode=msi", "stock_bulk=true", "magento_doubt_seconds=0.1,0.2")
    for one in settings:
        assert cli("instance", "set", "shop", "--set", one).code == 0
    ended = cli("run", "export-stock", SKU, "--wait")
    assert ended.code == 1
    for words in ("does not work them off", "queue:consumers:start async.operations.all", "stock_bulk=false"):
        assert words in ended.out + ended.err
    box.magento.run_queue()
    (job,) = cli("jobs", "list", "--kind", "export-stock", "--json").json
    assert cli("jobs", "retry", str(job["id"])).code == 0
    assert cli("run", "export-stock", SKU, "--wait").code == 0
    assert box.magento.inventory.get(SKU, "default") == 12
