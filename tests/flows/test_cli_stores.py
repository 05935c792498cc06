"""Stores and their settings on the command line, against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.overrides import OVERRIDABLE
from bridge.sandbox import Sandbox
from tests.flows.test_cli_orders import add, map_orders, number, sale_orders
from tests.support.cli import Cli, assert_plain, running_cli


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=18) as running:
        running.odoo.set_price_precision(6)
        yield running


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    yield from running_cli(tmp_path, monkeypatch, capsys)


@pytest.fixture
def shop(cli: Cli, box: Sandbox) -> Cli:
    assert add(cli, box).code == 0
    return cli


@pytest.fixture
def stocked(shop: Cli) -> Cli:
    """Give a command line whose ledger knows the stores."""
    assert read_stores(shop).code == 0
    return shop


def read_stores(cli: Cli) -> Any:
    return cli("run", "import-stores", "--wait")


def set_(cli: Cli, *args: str) -> Any:
    return cli("instance", "set", "shop", *args)


def effective(cli: Cli, *args: str) -> dict[str, Any]:
    ended = cli("instance", "show", "shop", "--effective", *args, "--json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = ended.json
    return found


def source(cli: Cli, name: str, *args: str) -> tuple[Any, ...]:
    one = effective(cli, *args)["settings"][name]
    return (one["value"], one["from"], one["code"])


def test_stores_are_read_listed_and_what_changed_is_said(shop: Cli, box: Sandbox) -> None:
    assert "Read them with `bridge run import-stores --wait`" in shop("instance", "stores").out
    ended = read_stores(shop)
    assert ended.code == 0, ended.err
    assert "3 websites, 3 groups, 5 views; 11 new" in ended.out
    assert "nothing changed" in read_stores(shop).out
    listed = shop("instance", "stores", "shop").out
    for text in ("outlet_en", "Outlet English", "Europe/Berlin", "EUR"):
        assert text in listed
    assert set_(shop, "team_id=7", "--store", "de").code == 0
    box.magento.stores.remove_view("de")
    box.magento.stores.remove_view("outlet_en")
    box.magento.stores.rename_view("us", name="Dollars", new_code="usd")
    said = read_stores(shop).out
    assert "1 renamed, 2 closed; closed, with settings of its own that stay: store view de" in said
    assert "outlet_en" not in said
    rows = {(one["scope"], one["code"]): one for one in shop("instance", "stores", "--json").json}
    assert rows["view", "usd"]["id"] == 3
    assert rows["view", "usd"]["website"] == "base"
    assert rows["view", "de"]["closed_at"] is not None
    assert rows["view", "de"]["own_settings"] == {"team_id": 7}
    assert "team_id=7" in shop("instance", "stores").out


def test_what_holds_is_shown_with_where_it_comes_from(stocked: Cli) -> None:
    assert set_(stocked, "--set", "order_name_prefix=WEB-", "--set", "team_id=1").code == 0
    ended = set_(stocked, "warehouse_id=2", "order_name_prefix=BASE-", "--website", "base")
    assert (ended.code, "website base of shop: set warehouse_id, order_name_prefix" in ended.out) == (0, True)
    assert set_(stocked, "--store", "de", "--set", "order_name_prefix=", "--set", "team_id=none").code == 0
    assert source(stocked, "order_name_prefix", "--store", "de") == ("", "view", "de")
    assert source(stocked, "team_id", "--store", "de") == (None, "view", "de")
    assert source(stocked, "warehouse_id", "--store", "de") == (2, "website", "base")
    assert source(stocked, "order_action", "--store", "de") == ("draft", "default", None)
    assert source(stocked, "order_name_prefix", "--website", "base") == ("BASE-", "website", "base")
    assert source(stocked, "order_name_prefix", "--store", "outlet_en") == ("WEB-", "instance", None)
    assert source(stocked, "order_name_prefix") == ("WEB-", "instance", None)
    assert effective(stocked)["store"] is None
    assert effective(stocked, "--store", "de")["store"]["website"] == "base"
    shown = stocked("instance", "show", "shop", "--effective", "--store", "de").out
    lines = {line.split()[0]: " ".join(line.split()) for line in shown.splitlines() if line.strip()}
    assert lines["warehouse_id"] == "warehouse_id 2 website base"
    assert lines["team_id"] == "team_id store view de"
    assert lines["order_action"] == "order_action draft default"
    assert lines["odoo_db"].endswith(" instance")
    # A prefix is a text, and so is this one.
    assert set_(stocked, "--store", "us", "order_name_prefix=none").code == 0
    assert source(stocked, "order_name_prefix", "--store", "us") == ("none", "view", "us")
    # What the instance itself has is as it was.
    assert stocked("instance", "show", "--json").json["settings"]["order_name_prefix"] == "WEB-"


def test_a_value_is_taken_back_and_the_wider_one_holds_again(stocked: Cli) -> None:
    assert set_(stocked, "order_action=confirm", "team_id=4", "--website", "base").code == 0
    assert set_(stocked, "order_action=draft", "order_name_prefix=", "--store", "de").code == 0
    assert source(stocked, "order_action", "--store", "de") == ("draft", "view", "de")
    ended = set_(stocked, "--store", "de", "--unset", "order_action", "--unset", "order_name_prefix")
    assert (ended.code, "took back order_action, order_name_prefix" in ended.out) == (0, True)
    assert "Its own now: none." in ended.out
    assert source(stocked, "order_action", "--store", "de") == ("confirm", "website", "base")
    assert set_(stocked, "--website", "base", "order_action=").code == 0
    assert source(stocked, "order_action", "--store", "de") == ("draft", "default", None)
    assert source(stocked, "team_id", "--store", "de") == (4, "website", "base")
    # For the instance itself, too.
    assert set_(stocked, "order_name_prefix=WEB-").code == 0
    assert set_(stocked, "--unset", "order_name_prefix").code == 0
    assert source(stocked, "order_name_prefix") == ("", "default", None)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("team_id=1", "--store", "nope"), "There is no store view nope. Known: de, default, outlet_en, us."),
        (("team_id=1", "--store", "nope"), "bridge run import-stores"),
        (("team_id=1", "--website", "de"), "There is no website de. Known: base, outlet."),
        (("team_id=1", "--store", "admin"), "There is no store view admin."),
        (("team_id=1", "--store", "de", "--website", "base"), "Give --website or --store, not both."),
        (
            ("odoo_db=x", "--store", "de"),
            "odoo_db can be set for the whole instance only. A website or store",
        ),
        (("safety_stock=1", "--website", "base"), "safety_stock can be set for the whole instance only"),
        (
            ("--odoo-url", "https://x.test", "--store", "de"),
            "odoo_url can be set for the whole instance only",
        ),
        (("--odoo-key", "@odoo.key", "--store", "de"), "Secrets are the whole instance's"),
        (("colour=red", "--store", "de"), "There is no setting colour. A website or store view may have its"),
        (("access_token=pa55", "--store", "de"), "Secrets are no settings"),
        (("order_action=maybe", "--store", "de"), "order_action must be 'draft' or 'confirm'"),
        (("order_total_tolerance=-1", "--store", "de"), "must be 0 or more"),
        (("team_id=0", "--website", "base"), "must be more than 0"),
        (("order_action=none", "--store", "de"), "order_action must be 'draft' or 'confirm'"),
        (("--unset", "team_id", "--store", "de"), "store view de has no value of its own for team_id"),
        (("--unset", "odoo_db", "--store", "de"), "odoo_db can be set for the whole instance only"),
        (("team_id=1", "--unset", "team_id", "--store", "de"), "team_id is both set and taken back"),
        (("--store", "de"), "Nothing to change"),
        (("team", "--store", "de"), "given as KEY=VALUE"),
    ],
)
def test_a_wrong_setting_of_a_store_is_refused_plainly(
    stocked: Cli, args: tuple[str, ...], words: str
) -> None:
    before = stocked("instance", "stores", "--json").json
    ended = set_(stocked, *args)
    assert ended.code == 2
    text = " ".join(ended.err.split())
    assert words in text
    if "for the whole instance only" in words:
        assert all(name in text for name in OVERRIDABLE)
    assert "pa55" not in ended.err
    assert_plain(ended)
    assert stocked("instance", "stores", "--json").json == before


def test_without_stores_a_code_is_told_how_to_read_them(shop: Cli) -> None:
    for args in (
        ("instance", "show", "--effective", "--store", "de"),
        ("instance", "set", "shop", "team_id=1", "--store", "de"),
    ):
        ended = shop(*args)
        assert ended.code == 2
        assert "There is no store view de. Known: none yet." in ended.err
        assert "bridge run import-stores" in ended.err
        assert_plain(ended)


def test_a_closed_store_keeps_its_settings_and_that_is_said(stocked: Cli, box: Sandbox) -> None:
    assert set_(stocked, "team_id=7", "--store", "de").code == 0
    box.magento.stores.remove_view("de")
    assert read_stores(stocked).code == 0
    shown = stocked("instance", "show", "--effective", "--store", "de")
    assert (shown.code, "Magento has store view de no more" in shown.err) == (0, True)
    assert source(stocked, "team_id", "--store", "de") == (7, "view", "de")
    assert effective(stocked, "--store", "de")["store"]["closed_at"] is not None
    changed = set_(stocked, "team_id=8", "--store", "de")
    assert (changed.code, "Magento has store view de no more" in changed.err) == (0, True)
    assert set_(stocked, "--unset", "team_id", "--store", "de").code == 0


def test_a_mapping_of_the_store_is_shown_where_it_stands_over_the_setting(stocked: Cli) -> None:
    assert stocked("mappings", "set", "store", "2", "9", "--unchecked").code == 0
    ended = set_(stocked, "team_id=7", "--store", "de")
    assert (ended.code, "a mapping stands over team_id here" in ended.err) == (0, True)
    assert source(stocked, "team_id", "--store", "de") == (9, "mapping", "store 2")
    assert source(stocked, "team_id", "--store", "us") == (None, "default", None)
    assert "mapping store 2" in stocked("instance", "show", "--effective", "--store", "de").out


def test_orders_follow_what_was_set(stocked: Cli, box: Sandbox) -> None:
    order = box.magento.generate_orders(1, kinds=("simple",))[0]
    order = {**order, "store_id": 2}
    box.magento.orders.add(order)
    map_orders(box, [order])
    assert set_(stocked, "order_name_prefix=DE-", "order_action=confirm", "--store", "de").code == 0
    assert stocked("run", "import-order", number(order), "--wait").code == 0
    (made,) = sale_orders(box, order)
    assert (made["name"], made["state"]) == (f"DE-{number(order)}", "sale")
