"""``bridge schedules``."""

from __future__ import annotations

import pytest

from bridge.bootstrap import open_ledger
from bridge.settings import process_settings
from consumers.beat import tick
from consumers.schedules import SCHEDULES
from tests.support.cli import Cli, assert_plain


def listed(shop: Cli, name: str) -> dict:
    (found,) = [one for one in shop("schedules", "list", "--json").json if one["name"] == name]
    return found


def test_a_new_instance_scans_orders_only_and_the_list_says_so(shop: Cli) -> None:
    ended = shop("schedules", "list")
    assert "import-orders" in ended.out
    assert "off until import-products" in " ".join(ended.out.split())
    on = {one["name"] for one in shop("schedules", "list", "--json").json if one["is_on"]}
    assert on == {"import-orders", "sweep-stock", "upkeep"}
    assert listed(shop, "upkeep")["instance"] is None


def test_a_schedule_is_set_switched_off_and_left_to_the_bridge_again(shop: Cli) -> None:
    ended = shop("schedules", "set", "import-products", "--every", "90m", "--instance", "shop")
    assert (ended.code, ended.out) == (0, "import-products of shop: every 90m.\n")
    assert (listed(shop, "import-products")["every_seconds"], listed(shop, "import-products")["set_by"]) == (
        5400,
        "setting",
    )
    shop("schedules", "set", "import-orders", "--off")
    assert not listed(shop, "import-orders")["is_on"]
    assert listed(shop, "import-products")["is_on"]
    assert shop("schedules", "set", "import-orders", "--default").out == "import-orders of shop: every 5m.\n"
    assert shop("schedules", "set", "import-products", "--default").out == (
        "import-products of shop: off until import-products.\n"
    )


def test_the_list_says_when_it_last_happened(shop: Cli) -> None:
    assert listed(shop, "import-orders")["last_at"] is None
    (orders,) = [one for one in SCHEDULES if one.name == "import-orders"]
    with open_ledger(process_settings()) as ledger:
        assert tick(ledger, orders, now=0.0) == 1
    assert listed(shop, "import-orders")["last_at"] is not None


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("import-orders",), "Give one of"),
        (("import-orders", "--off", "--every", "5m"), "Give one of"),
        (("import-orders", "--every", ""), "such as 15m"),
        (("import-orders", "--every", "10s"), "such as 15m"),
        (("import-orders", "--every", "90d"), "from 1m to 31d"),
        (("upkeep", "--off"), "import-orders"),
        (("import-orders", "--off", "--instance", "nowhere"), "no instance"),
    ],
)
def test_wrong_input_is_told_what_is_right(shop: Cli, args: tuple[str, ...], said: str) -> None:
    ended = shop("schedules", "set", *args)
    assert ended.code == 2
    assert said in ended.err
    assert_plain(ended)
