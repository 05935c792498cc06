"""``bridge run import-products`` in a process that is killed amid a write: the run goes on in the next one, nothing is doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
        # The clock would start another run.
        assert cli("schedules", "set", "import-products", "--off").code == 0
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
    serve = [Path(sys.executable).with_name("bridge"), "serve", "--embedded"]
    with subprocess.Popen(serve, cwd=cli.folder, env=cli.environment(), stderr=subprocess.DEVNULL) as again:
        until = time.monotonic() + WAIT_SECONDS
        while not all(one["state"] == "done" for one in _jobs(cli)):
            jobs = _jobs(cli)
            assert time.monotonic() < until, [(one["kind"], one["state"], one["error"]) for one in jobs]
            again.poll()
            assert again.returncode is None
        again.send_signal(signal.SIGTERM)
    # The run that was killed is the only one.
    assert [one["entity"] for one in _jobs(cli) if one["kind"] == "import-products"] == ["all"]
    catalog = box.magento.catalog.all()
    kits = {raw["sku"] for raw in catalog if raw["type_id"] in {"bundle", "grouped"}}
    wanted = {raw["sku"] for raw in catalog if raw["type_id"] != "configurable"} - kits
    there = Counter(row.get("default_code") for row in box.odoo.records("product.product"))
    assert wanted - there.keys() == set()
    assert [sku for sku, count in there.items() if sku and count > 1] == []


def _jobs(cli: Cli) -> list[dict[str, Any]]:
    found = cli("jobs", "list", "--limit", "500", "--json").json
    # The clock of the second process scans for orders, too.
    return [one for one in found if one["kind"].startswith("import-product")]
