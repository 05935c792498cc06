"""``bridge run drift``, ``bridge drift`` and ``bridge run fix-drift``: what a person asks and reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.ledger import Ledger, Pair
from bridge.sandbox import Sandbox
from bridge.settings import process_settings
from tests.support.cli import Cli, running_cli
from tests.support.stock_shop import FakeOdooStock, fake_odoo_stock

SKUS = {"SIM-01": 11, "SIM-02": 12, "SIM-03": 13}
SOURCE = "drifting"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=18) as running:
        running.magento.inventory.add_source(SOURCE)
        running.magento.inventory.add_stock("Drifting", websites=[], sources=[SOURCE])
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
        cli.add_box(box, f"stock_source_code={SOURCE}")
        assert cli("mappings", "ignore", "source", "default").code == 0
        process_settings.cache_clear()
        with Ledger.open(process_settings().database_url) as ledger:
            pairs = [
                Pair(magento_id=str(number), odoo_model="product.product", odoo_id=odoo_id, magento_label=sku)
                for number, (sku, odoo_id) in enumerate(SKUS.items(), start=1)
            ]
            ledger.bindings.bind_many("shop", "product", pairs)
        # As it should be; a little too many; far too few.
        for sku, has in zip(SKUS, (10, 12, 5), strict=True):
            box.magento.inventory.set(sku, SOURCE, has)
        for odoo_id, quantity in zip(SKUS.values(), (10, 10, 20), strict=True):
            odoo.quantities[odoo_id, None] = quantity
        yield cli


def checked(cli: Cli) -> None:
    assert cli("run", "drift", "--wait").code == 0


def test_a_check_ends_with_its_figures(cli: Cli):
    ended = cli("run", "drift", "--wait")
    assert ended.code == 0
    assert "3 figures of stock compared" in ended.out
    assert f"{SOURCE}" in ended.out
    assert "bridge drift show" in ended.out
    again = cli("run", "drift", "--wait", "--json").json
    (job,) = again["jobs"]
    assert (job["kind"], job["state"], again["run"]["seen"]) == ("drift", "done", 3)


def test_lines_are_shown_with_their_causes(cli: Cli):
    checked(cli)
    shown = cli("drift", "show")
    assert shown.code == 0
    for words in ("SIM-02", "SIM-03", "critical", "+2 never exported", "-15 never exported"):
        assert words in shown.out
    assert "SIM-01" not in shown.out
    data = cli("drift", "show", "--json").json
    assert [(line["sku"], line["severity"], line["found"], line["target"]) for line in data["lines"]] == [
        ("SIM-02", "warning", "12", "10"),
        ("SIM-03", "critical", "5", "20"),
    ]
    assert data["lines"][0]["details"]["causes"] == [{"cause": "never_exported", "units": "2"}]
    (summary,) = data["summary"]
    assert {
        name: summary[name] for name in ("checked", "ok", "warning", "critical", "too_many", "too_few")
    } == {
        "checked": 3,
        "ok": 1,
        "warning": 1,
        "critical": 1,
        "too_many": "2",
        "too_few": "15",
    }


def test_lines_are_chosen(cli: Cli):
    checked(cli)
    found = cli("drift", "show", "--severity", "critical", "--json").json["lines"]
    assert [line["sku"] for line in found] == ["SIM-03"]
    found = cli("drift", "show", "--sku", "sim-02", "--json").json["lines"]
    assert [line["sku"] for line in found] == ["SIM-02"]
    assert "Nothing differs." in cli("drift", "show", "--severity", "not_found").out


def test_lines_as_csv_have_a_column_for_each_cause(cli: Cli, box: Sandbox):
    box.magento.inventory.set("=1+1", SOURCE, 3)
    try:
        checked(cli)
        rows = list(csv.DictReader(io.StringIO(cli("drift", "show", "--csv").out)))
    finally:
        box.magento.inventory.delete("=1+1", SOURCE)
    by_sku = {row["sku"]: row for row in rows}
    # A spreadsheet would take the name for a formula.
    assert set(by_sku) == {"SIM-02", "SIM-03", "'=1+1"}
    assert (by_sku["SIM-03"]["difference"], by_sku["SIM-03"]["never_exported"]) == ("-15", "-15")
    assert (by_sku["'=1+1"]["severity"], by_sku["'=1+1"]["mapping_missing"]) == ("not_in_odoo", "3")


def test_drift_over_time_can_be_drawn(cli: Cli, box: Sandbox):
    assert "No check of drift has ended yet" in cli("drift", "history").out
    checked(cli)
    box.magento.inventory.set("SIM-02", SOURCE, 10)
    checked(cli)
    runs = cli("drift", "history", "--json").json["runs"]
    assert [(one["ok"], one["warning"], one["critical"]) for one in runs] == [(2, 0, 1), (1, 1, 1)]
    assert len({one["run_id"] for one in runs}) == 2
    oldest = str(runs[-1]["run_id"])
    assert len(cli("drift", "show", "--run", oldest, "--json").json["lines"]) == 2
    assert oldest in cli("drift", "history").out


def test_drift_is_fixed_by_severity_and_shown_before_and_after(cli: Cli, box: Sandbox):
    checked(cli)
    ended = cli("run", "fix-drift", "--severity", "critical", "--wait", "--json")
    assert ended.code == 0
    (line,) = ended.json["lines"]
    assert (line["sku"], line["before"]["found"], line["before"]["target"]) == ("SIM-03", "5", "20")
    assert (line["mended"], line["after"]) == (True, None)
    assert [job["kind"] for job in ended.json["jobs"]] == ["export-stock"]
    assert (box.magento.inventory.get("SIM-03", SOURCE), box.magento.inventory.get("SIM-02", SOURCE)) == (
        20,
        12,
    )


def test_drift_of_named_products_and_of_all_is_fixed(cli: Cli, box: Sandbox):
    ended = cli("run", "fix-drift", "sim-02", "--wait")
    assert ended.code == 0
    assert "mended" in ended.out
    assert (box.magento.inventory.get("SIM-02", SOURCE), box.magento.inventory.get("SIM-03", SOURCE)) == (
        10,
        5,
    )
    checked(cli)
    assert cli("run", "fix-drift", "--wait").code == 0
    assert box.magento.inventory.get("SIM-03", SOURCE) == 20
    nothing = cli("run", "fix-drift", "--wait")
    assert (nothing.code, "Nothing differs" in nothing.out) == (0, True)


def test_what_cannot_be_fixed_is_said(cli: Cli, odoo: FakeOdooStock):
    checked(cli)
    odoo.quantities[13, None] = Decimal("NaN")
    ended = cli("run", "fix-drift", "SIM-02", "SIM-03", "--wait")
    assert ended.code == 1
    assert "Correct the quantity" in ended.out
    data = cli("run", "fix-drift", "SIM-03", "--wait", "--json")
    assert data.code == 1
    (line,) = data.json["lines"]
    assert line["mended"] is False


def test_without_waiting_the_exports_are_only_wanted(cli: Cli, box: Sandbox):
    ended = cli("run", "fix-drift", "SIM-03")
    assert ended.code == 0
    assert "export-stock" in ended.out
    assert box.magento.inventory.get("SIM-03", SOURCE) == 5


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("drift", "show"), 1, "No check of drift has ended yet"),
        (("drift", "show", "--run", "99"), 2, "no check of drift 99"),
        (("drift", "show", "--run", "0"), 2, "--run"),
        (("drift", "show", "--severity", "ok"), 2, "--severity"),
        (("drift", "show", "--csv", "--json"), 2, "not both"),
        (("drift", "history", "--limit", "0"), 2, "--limit"),
        (("drift", "show", "--instance", "other"), 2, "no instance 'other'"),
        (("run", "fix-drift"), 1, "No check of drift has ended yet"),
        (("run", "fix-drift", "NO-SUCH"), 2, "knows no product with the SKU NO-SUCH"),
        (("run", "fix-drift", "SIM-01", "--severity", "all"), 2, "not both"),
        (("run", "fix-drift", "--severity", "ok"), 2, "--severity"),
        (("run", "drift", "SIM-01"), 2, "unexpected extra argument"),
    ],
)
def test_what_cannot_be_asked_is_said(cli: Cli, args: tuple[str, ...], code: int, words: str):
    ended = cli(*args)
    assert (ended.code, words in ended.err) == (code, True), ended.err
