"""``bridge run import-products`` in a process that is killed amid a write: the same run goes on, and nothing is doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from tests.support.cli import Cli, running_cli

#: More than one batch of each kind, and more than one page.
PRODUCTS = 260
WAIT_SECONDS = 60


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=18) as running:
        running.magento.add_products(PRODUCTS)
        yield running


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], box: Sandbox
) -> Iterator[Cli]:
    for cli in running_cli(tmp_path, monkeypatch, capsys):
        # Else the second process waits three minutes for the end of the doubt.
        cli.add_box(box, "auto_create_products=true", "import_images=false", "odoo_doubt_seconds=1")
        yield cli


def test_a_run_that_is_killed_amid_a_write_goes_on_and_each_product_is_there_once(
    cli: Cli, box: Sandbox
) -> None:
    command = [Path(sys.executable).with_name("bridge"), "run", "import-products", "--wait", "--json"]
    held = box.odoo.hold_commit("product.product.load")
    with subprocess.Popen(
        command, cwd=cli.folder, env=cli.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as killed:
        assert held.fired.wait(WAIT_SECONDS)
        killed.kill()
    # Odoo knows nothing of the death of its client: the request happens all the same.
    held.release()
    (planner,) = cli("jobs", "list", "--kind", "import-products", "--json").json
    ended = cli.process("run", "import-products", "--wait", "--json")
    assert ended.code == 0, ended.err
    shown = json.loads(ended.out)
    assert [one["id"] for one in shown["jobs"]] == [planner["id"]]
    assert shown["run"]["not_done"] == []
    catalog = box.magento.catalog.all()
    assert shown["run"]["seen"] >= len(catalog)
    kits = {raw["sku"] for raw in catalog if raw["type_id"] in {"bundle", "grouped"}}
    wanted = {raw["sku"] for raw in catalog if raw["type_id"] != "configurable"} - kits
    there = Counter(row.get("default_code") for row in box.odoo.records("product.product"))
    assert wanted - there.keys() == set()
    assert [sku for sku, count in there.items() if sku and count > 1] == []
