"""The mapping center's commands against the sandbox: discover, suggest, import with a check, impact."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.flows.kinds import MAPPING_KINDS
from bridge.flows.suggest_mappings import SOURCES
from bridge.sandbox import Sandbox
from tests.support.cli import Cli, Ended, assert_plain, running_cli


@pytest.fixture(scope="module", params=[16, 18, 19])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=request.param) as running:
        running.odoo.set_price_precision(6)
        yield running


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    yield from running_cli(tmp_path, monkeypatch, capsys)


def add(cli: Cli, box: Sandbox, name: str = "shop") -> Ended:
    (cli.folder / "oauth.json").write_text(json.dumps(box.magento.secret))
    (cli.folder / "odoo.key").write_text(box.odoo.key)
    return cli(
        *("instance", "add", name, "--magento-url", box.magento.url, "--magento-oauth", "@oauth.json"),
        *("--odoo-url", box.odoo.url, "--odoo-db", box.odoo.database, "--odoo-user", box.odoo.user),
        *("--odoo-key", "@odoo.key"),
    )


@pytest.fixture
def shop(cli: Cli, box: Sandbox) -> Cli:
    assert add(cli, box).code == 0
    return cli


def tax_ids(box: Sandbox, name: str) -> list[int]:
    return [row["id"] for row in box.odoo.records("account.tax") if row["name"] == name]


def suggested(shop: Cli, *args: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    values = shop("mappings", "suggest", *args, "--json").json["values"]
    return {(one["kind"], one["value"]): one["suggestions"] for one in values}


def test_what_is_discovered_is_suggested_and_a_person_maps_it(shop: Cli, box: Sandbox) -> None:
    assert shop("mappings", "suggest").out == "Nothing is unmapped.\n"
    ended = shop("run", "discover-mappings", "--wait")
    assert ended.code == 0
    assert "bridge mappings list --state unmapped" in ended.out
    before = shop("mappings", "list", "--json").json
    box.calls.reset()
    found = suggested(shop)
    assert shop("mappings", "list", "--json").json == before
    best = found["tax", "DE-19|19"][0]
    assert (best["odoo_id"], best["confidence"]) == (tax_ids(box, "DE-19")[0], 0.95)
    assert [one["odoo_name"] for one in found["tax", "FR-20|20"]] == ["FR-20", "FR-20 incl"]
    assert found["tax", "US-CA-*-Rate 1|8.25"] == []
    assert {one["odoo_name"] for one in found["currency", "USD"]} >= {"Web USD"}
    reads = [call.operation for call in box.calls.last("odoo") if "search_read" in call.operation]
    assert any("account.tax" in one for one in reads)
    assert len(reads) == len({*reads}), reads
    shown = shop("mappings", "suggest", "tax")
    assert_plain(shown)
    assert best["command"] in shown.out
    assert "Nothing in Odoo fits: tax US-CA-*-Rate 1|8.25." in shown.out
    # The command is one that a shell gives to us.
    words = shlex.split(best["command"])
    assert words[:3] == ["bridge", "mappings", "set"]
    assert shop(*words[1:]).code == 0
    assert ("tax", "DE-19|19") not in suggested(shop)


def test_taxes_inside_the_price_go_first_where_a_person_mapped_such_or_says_so(
    shop: Cli, box: Sandbox
) -> None:
    shop("run", "discover-mappings", "--wait")
    inside = tax_ids(box, "DE-7 incl")[0]
    first = suggested(shop, "tax")["tax", "DE-7|7"]
    assert [one["odoo_id"] for one in first] == [tax_ids(box, "DE-7")[0], inside]
    told = suggested(shop, "tax", "--prices-include-tax")["tax", "DE-7|7"]
    assert told[0]["odoo_id"] == inside
    shop("mappings", "set", "tax", "DE-19|19", str(tax_ids(box, "DE-19 incl")[0]))
    assert suggested(shop, "tax")["tax", "DE-7|7"][0]["odoo_id"] == inside
    without = suggested(shop, "tax", "--prices-without-tax")["tax", "DE-7|7"]
    assert without[0]["odoo_id"] == tax_ids(box, "DE-7")[0]


def test_candidates_are_read_for_every_kind() -> None:
    assert {kind.model for kind in MAPPING_KINDS.values()} <= set(SOURCES)


def test_an_attribute_that_imports_cannot_use_counts_half_and_is_said(shop: Cli, box: Sandbox) -> None:
    assert shop("run", "discover-mappings", "--wait").code == 0
    made = {
        kind: box.odoo.create("product.attribute", {"name": "Size", "create_variant": kind})
        for kind in ("always", "dynamic")
    }
    try:
        found = suggested(shop, "attribute")["attribute", "size"]
        ranked = [(one["odoo_id"], one["confidence"]) for one in found if one["odoo_id"] in made.values()]
        assert ranked == [(made["dynamic"], 0.9), (made["always"], 0.23)]
        assert "for exports only" in found[-1]["reason"]
        ended = shop("mappings", "set", "attribute", "size", str(made["always"]))
        assert (ended.code, "blocks the import of configurables" in ended.err) == (0, True)
        ended = shop("mappings", "set", "attribute", "size", str(made["dynamic"]))
        assert (ended.code, ended.err) == (0, "")
    finally:
        for one in made.values():
            box.odoo.delete("product.attribute", one)


def test_a_customer_group_may_be_the_tag_of_its_name(shop: Cli, box: Sandbox) -> None:
    tag = box.odoo.create("res.partner.category", {"name": "wholesale"})
    shop("run", "discover-mappings", "--wait")
    found = suggested(shop, "customer_group")
    assert [(one["odoo_model"], one["odoo_id"]) for one in found["customer_group", "2"]] == [
        ("res.partner.category", tag)
    ]
    assert found["customer_group", "1"] == []


def test_an_app_that_odoo_lacks_is_said_and_the_others_go_on(shop: Cli, box: Sandbox) -> None:
    (order,) = box.magento.generate_orders(1, kinds=("simple",))
    assert shop("run", "import-order", order["increment_id"], "--wait").code == 1
    ended = shop("mappings", "suggest")
    assert ended.code == 0
    assert "Odoo's crm.tag could not be read: This Odoo does not know crm.tag" in ended.err
    assert "bridge mappings set tax" in ended.out
    assert f"order_status {order['status']}" in ended.out
    assert "service shipping" not in ended.out


def test_wrong_credentials_are_said(shop: Cli) -> None:
    shop("run", "discover-mappings", "--wait")
    (shop.folder / "odoo.key").write_text("wrong")
    shop("instance", "set", "shop", "--odoo-key", "@odoo.key")
    ended = shop("mappings", "suggest")
    assert (ended.code, ended.out) == (1, "")
    assert_plain(ended)


def test_the_command_names_the_instance_where_there_are_several(shop: Cli, box: Sandbox) -> None:
    assert add(shop, box, "other").code == 0
    shop("run", "discover-mappings", "--wait", "--instance", "other")
    found = suggested(shop, "tax", "--instance", "other")["tax", "DE-7|7"]
    assert "--instance other" in found[0]["command"]
    assert shop(*shlex.split(found[0]["command"])[1:]).code == 0


def test_a_discovery_says_what_it_could_not_read(shop: Cli, box: Sandbox) -> None:
    allowed = box.magento.guard.allowed
    box.magento.guard.allowed = frozenset({"Magento_Backend::store", "Magento_Customer::group"})
    try:
        ended = shop("run", "discover-mappings", "--wait")
    finally:
        box.magento.guard.allowed = allowed
    assert ended.code == 0
    assert "Not read: tax rates: the integration may not use Magento_Tax::manage_tax." in ended.err
    assert "System > Integrations > API" in ended.err
    assert_plain(ended)


def test_an_import_with_a_check_takes_only_what_odoo_has(shop: Cli, box: Sandbox) -> None:
    own = tax_ids(box, "DE-19")[0]
    purchase = next(row["id"] for row in box.odoo.records("account.tax") if row["type_tax_use"] == "purchase")
    term = box.odoo.records("account.payment.term")[0]

    def take(*entries: str, check: bool = True) -> Ended:
        text = "format: 1\nmappings:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)
        (shop.folder / "maps.yaml").write_text(text)
        return shop("mappings", "import", "maps.yaml", *(["--check"] if check else []))

    good = f"kind: tax, value: DE-19|19, odoo_id: {own}, odoo_label: Other"
    ended = take(good, "kind: store, value: 1, odoo_id: 99999")
    assert (ended.code, "store '1': Odoo has no crm.team with the id 99999" in ended.err) == (2, True)
    ended = take(good, f"kind: tax, value: x|15, odoo_id: {purchase}")
    assert (ended.code, "is no sales tax in Odoo" in ended.err) == (2, True)
    assert shop("mappings", "list", "--json").json == []
    ended = take(
        good,
        f"kind: payment_method, value: checkmo, odoo_id: {term['id']}, odoo_label: {json.dumps(term['name'])}",
        "kind: zero_tax, value: CH|novat|0, odoo_id: 0",
        "kind: shipping_method, value: pick_up, state: ignored",
    )
    assert (ended.code, "4 changed" in ended.out) == (0, True)
    assert "Mind another name: tax DE-19|19: Other, in Odoo DE-19" in ended.err
    assert "checkmo" not in ended.err
    assert take("kind: store, value: 1, odoo_id: 99999", check=False).code == 0


def test_the_impact_is_told_by_order(shop: Cli, box: Sandbox) -> None:
    shop("run", "discover-mappings", "--wait")
    (order,) = box.magento.generate_orders(1, kinds=("simple",))
    for row in shop("mappings", "list", "--kind", "tax", "--json").json:
        ids = tax_ids(box, row["value"].partition("|")[0])
        if ids:
            shop("mappings", "set", "tax", row["value"], str(ids[0]))
    shop("instance", "set", "shop", "--set", "auto_create_products=true")
    ended = shop("run", "import-order", order["increment_id"], "--wait")
    assert ended.code == 0, ended.out
    (applied, *_) = order["extension_attributes"]["applied_taxes"]
    value = f"{applied['code']}|{applied['percent']:g}"
    wanted = str(tax_ids(box, "DE-19 incl")[0])
    told = shop("mappings", "impact", "tax", value, wanted, "--json").json
    assert (told["changed"], told["looked_at"], told["unknown"]) == (1, 1, 0)
    assert told["orders"][0]["increment_id"] == order["increment_id"]
    shown = shop("mappings", "impact", "tax", value, wanted)
    assert "1 of 1 imported orders of the last 30 days would be others." in shown.out
    assert order["increment_id"] in shown.out
    assert_plain(shown)
