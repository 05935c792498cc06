"""``bridge demo``: a catalog and orders, end to end, and an honest count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.cli.demo_world import CatalogCount, run_world
from tests.support.cli import Cli, running_cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    yield from running_cli(tmp_path, monkeypatch, capsys)


def test_its_json_says_what_became_of_catalog_and_orders(cli: Cli) -> None:
    ended = cli("demo", "--orders", "12", "--no-faults", "--odoo", "16", "--json")
    assert ended.code == 0
    found = ended.json
    assert {name: found[name] for name in ("orders", "exact", "lost", "doubled", "events")} == {
        "orders": 12,
        "exact": 12,
        "lost": 0,
        "doubled": 0,
        "events": 15,
    }
    assert {name: found[name] for name in ("stores", "categories", "customers")} == {
        "stores": 4,
        "categories": 4,
        "customers": 6,
    }
    assert found["products"] > 150
    assert found["jobs"] > found["orders"]
    assert found["not_as_in_magento"] == []


def test_with_faults_all_of_it_arrives_in_its_order() -> None:
    shown: list[str] = []
    count = run_world(
        orders=8,
        odoo_version=19,
        faults=True,
        seed=3,
        progress=lambda what, _ended, _counts: shown.append(what),
    )
    assert count.is_good, (count.wrong, count.catalog.wrong)
    assert list(dict.fromkeys(shown)) == ["stores and categories", "products and customers", "orders"]
    assert count.faults > 0


def test_a_product_that_is_not_there_is_no_good_end() -> None:
    count = run_world(orders=1, odoo_version=18, faults=False, seed=1, progress=lambda *_: None)
    assert count.is_good
    lost: CatalogCount = replace(count.catalog, wrong=(("product X", "0 times in Odoo"),))
    assert not replace(count, catalog=lost).is_good
