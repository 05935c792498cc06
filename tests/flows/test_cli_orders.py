"""The command line against the sandbox: try the connection, import, explain, preview; and keep the secrets."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.bootstrap import open_ledger
from bridge.errors import RecordMissing
from bridge.flows.systems import connect
from bridge.sandbox import Sandbox
from bridge.settings import Settings
from bridge.showcase import map_all
from bridge.wire import Exchange
from tests.support.cli import Cli, Ended, assert_plain, files_bytes, running_cli


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=18) as running:
        running.odoo.set_price_precision(6)
        yield running


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    yield from running_cli(tmp_path, monkeypatch, capsys)


def add(cli: Cli, box: Sandbox, *more: str) -> Ended:
    (cli.folder / "oauth.json").write_text(json.dumps(box.magento.secret))
    (cli.folder / "odoo.key").write_text(box.odoo.key)
    return cli(
        *("instance", "add", "shop", "--magento-url", box.magento.url, "--magento-oauth", "@oauth.json"),
        *("--odoo-url", box.odoo.url, "--odoo-db", box.odoo.database, "--odoo-user", box.odoo.user),
        *("--odoo-key", "@odoo.key", *more),
    )


def map_orders(box: Sandbox, orders: list[dict[str, object]]) -> None:
    ledger = open_ledger(Settings())
    try:
        map_all(ledger, box, orders, name="shop")
    finally:
        ledger.close()


@pytest.fixture
def shop(cli: Cli, box: Sandbox) -> Cli:
    assert add(cli, box).code == 0
    return cli


@pytest.fixture
def order(box: Sandbox) -> dict[str, object]:
    """Give an order that no other test uses."""
    return box.magento.generate_orders(1, kinds=("simple",))[0]


def number(order: dict[str, object]) -> str:
    return str(order["increment_id"])


def sale_orders(box: Sandbox, order: dict[str, object]) -> list[dict[str, object]]:
    return [row for row in box.odoo.records("sale.order") if row["client_order_ref"] == order["increment_id"]]


def test_a_connection_that_works_is_told_resource_by_resource(shop: Cli) -> None:
    ended = shop("run", "test-connection")
    assert ended.code == 0
    for words in ("Magento_Sales::actions_view", "Odoo 18.0", "Magento: the bridge can work with it."):
        assert words in ended.out
    tried = shop("run", "test-connection", "--json").json
    assert (tried["ok"], tried["magento"]["ok"], tried["odoo"]["ok"]) == (True, True, True)
    assert {one["system"] for one in shop("logs", "list", "--json").json} == {"magento", "odoo"}


def test_the_connection_test_says_under_which_id_odoo_knows_the_store_and_changes_nothing(
    cli: Cli,
) -> None:
    with Sandbox.start(odoo_version=19) as box:
        assert add(cli, box).code == 0

        def told() -> tuple[str, str]:
            checks = cli("run", "test-connection", "--json").json["odoo"]["checks"]
            found = next(one for one in checks if one["name"] == "installation id")
            return found["state"], found["text"]

        assert told() == (
            "note",
            "Odoo does not know this store yet: the first import makes a contact tag with the id",
        )
        assert box.odoo.records("res.partner.category") == []
        order = box.magento.generate_orders(1, kinds=("simple",))[0]
        map_orders(box, [order])
        assert cli("run", "import-order", number(order), "--wait").code == 0
        own = cli("instance", "show", "shop", "--json").json["installation_id"]
        assert told() == ("ok", f"{own}: Odoo knows this store")
        assert cli("instance", "remove", "shop", "--yes").code == 0
        assert add(cli, box).code == 0
        assert told() == (
            "note",
            f"{own}: Odoo knows this store from before; the first import goes on under this id",
        )
        (tag,) = box.odoo.records("res.partner.category")
        box.odoo.write("res.partner.category", tag["id"], {"name": "Web shop"})
        assert told()[0] == "problem"


def test_a_missing_resource_is_named(shop: Cli, box: Sandbox) -> None:
    allowed = box.magento.guard.allowed
    box.magento.guard.allowed = {"Magento_Backend::store"}
    try:
        ended = shop("run", "test-connection")
        tried = shop("run", "test-connection", "--json").json
    finally:
        box.magento.guard.allowed = allowed
    assert ended.code == 1
    assert "lacks a resource: Magento_Sales::actions_view" in ended.out
    assert tried["magento"]["error"] == "access_missing"
    assert tried["odoo"]["ok"]
    assert_plain(ended)


def test_who_imports_products_needs_the_rest_of_the_catalog_too(shop: Cli, box: Sandbox) -> None:
    allowed = box.magento.guard.allowed
    box.magento.guard.allowed = {
        *("Magento_Backend::store", "Magento_Sales::actions_view", "Magento_Catalog::products"),
        *("Magento_InventoryApi::source", "Magento_Catalog::categories"),
    }
    try:
        assert shop("run", "test-connection").code == 0
        assert shop("instance", "set", "shop", "auto_create_products=true").code == 0
        ended = shop("run", "test-connection")
    finally:
        box.magento.guard.allowed = allowed
    assert ended.code == 1
    assert "Magento_Catalog::attributes_attributes" in ended.out
    assert "tick Stores > Attributes > Product" in ended.out
    assert_plain(ended)


def test_a_bearer_token_is_refused_with_both_causes(shop: Cli, box: Sandbox) -> None:
    (shop.folder / "token").write_text(box.magento.bearer_token)
    assert shop("instance", "set", "shop", "--magento-token", "@token").code == 0
    ended = shop("run", "test-connection")
    assert ended.code == 1
    assert "the token is wrong or expired, or tokens alone are switched off" in ended.out


def test_a_wrong_odoo_key_says_where_to_make_a_new_one(shop: Cli) -> None:
    (shop.folder / "wrong").write_text("not-the-key-9c1b")
    assert shop("instance", "set", "shop", "--odoo-key", "@wrong").code == 0
    ended = shop("run", "test-connection")
    assert (ended.code, "Account Security > API Keys" in ended.out) == (1, True)
    assert "not-the-key-9c1b" not in ended.out + ended.err


def test_the_values_of_orders_are_listed_with_their_counts_and_what_is_optional(
    shop: Cli, box: Sandbox, order: dict[str, object]
) -> None:
    assert "No values seen yet" in shop("mappings", "list").out
    assert shop("preview", "order", number(order)).code == 1
    assert "No values seen yet" in shop("mappings", "list").out
    assert shop("run", "import-order", number(order), "--wait").code == 1
    listed = shop("mappings", "list").out
    for words in ("SEEN", "EXAMPLE", "unmapped", "optional", f"order {number(order)}"):
        assert words in listed
    found = shop("mappings", "list", "--state", "unmapped", "--json").json
    assert {one["seen_count"] for one in found} == {1}
    needed = {one["kind"]: one["is_needed"] for one in found}
    assert needed == {
        "currency": False,
        "customer_group": False,
        "order_status": False,
        "payment_method": False,
        "service": False,
        "shipping_method": False,
        "store": False,
        "tax": True,
    }


def test_an_order_blocks_for_a_tax_and_goes_on_once_it_is_mapped(
    shop: Cli, box: Sandbox, order: dict[str, object]
) -> None:
    assert shop("instance", "set", "shop", "--set", "auto_create_products=true").code == 0
    ended = shop("run", "import-order", number(order), "--wait")
    assert ended.code == 1
    assert "blocked" in ended.out
    assert "bridge mappings set tax" in ended.out
    map_orders(box, [order])
    ended = shop("run", "import-order", number(order), "--wait", "--json")
    assert ended.code == 0, ended.out
    assert [(job["kind"], job["state"]) for job in ended.json["jobs"]][-1] == ("import-order", "done")
    assert len(sale_orders(box, order)) == 1


def test_an_order_is_previewed_without_a_write_and_explained_after_it(
    shop: Cli, box: Sandbox, order: dict[str, object]
) -> None:
    map_orders(box, [order])
    before = {
        model: len(box.odoo.records(model)) for model in ("res.partner", "product.product", "sale.order")
    }
    shown = shop("preview", "order", number(order), "--json")
    assert (shown.code, shown.json["problems"]) == (0, [])
    assert shown.json["lines"]
    assert "Total" in shop("preview", "order", number(order)).out
    early = shop("explain", "order", number(order), "--json").json
    assert (early["is_imported"], early["explanation"]["magento_total"]) == (
        False,
        f"{order['grand_total']:.2f}",
    )
    assert before == {model: len(box.odoo.records(model)) for model in before}
    assert shop("bindings", "list", "--json").json == []

    assert shop("run", "import-order", number(order), "--wait").code == 0
    ended = shop("explain", "order", number(order), "--json")
    assert (ended.code, ended.json["is_imported"]) == (0, True)
    text = shop("explain", "order", number(order)).out
    for words in (
        f"Order {number(order)} is S",
        "COMPONENT",
        "Lines",
        "Total",
        f"{order['grand_total']:.2f}",
    ):
        assert words in text


def test_a_total_that_differs_is_explained_line_by_line(
    cli: Cli, box: Sandbox, order: dict[str, object]
) -> None:
    # Magento's own parts may miss its total by a cent; the bridge then asks a person.
    more = round(float(str(order["grand_total"])) + 0.01, 2)
    order = {**order, "grand_total": more, "base_grand_total": more}
    box.magento.orders.add(order)
    assert add(cli, box).code == 0
    map_orders(box, [order])
    ended = cli("run", "import-order", number(order), "--wait", "--json")
    assert ended.code == 1
    assert ended.json["jobs"][-1]["error_code"] == "total_differs"
    assert f"bridge explain order {number(order)}" in ended.json["jobs"][-1]["help"]
    shown = cli("explain", "order", number(order))
    assert shown.code == 1
    assert "Problem: " in shown.err
    assert "Rounding inside Magento" in shown.out
    explained = cli("explain", "order", number(order), "--json").json["explanation"]
    assert (explained["magento_total"], explained["outcome"]) == (f"{more:.2f}", "warned")
    assert_plain(shown)


def test_a_number_that_magento_does_not_have_fails_plainly(shop: Cli) -> None:
    ended = shop("run", "import-order", "NOPE", "--wait")
    assert (ended.code, "Magento has no order with the number NOPE" in ended.out) == (1, True)
    for command in ("explain", "preview"):
        shown = shop(command, "order", "NOPE")
        assert (shown.code, shown.out) == (1, "")
        assert "no order with the number NOPE" in shown.err
        assert_plain(shown)


def test_bindings_are_rebuilt_after_a_lost_ledger_and_what_is_lost_is_said(
    shop: Cli, box: Sandbox, order: dict[str, object]
) -> None:
    map_orders(box, [order])
    assert shop("run", "import-order", number(order), "--wait").code == 0
    assert shop("instance", "remove", "shop", "--yes").code == 0
    assert add(shop, box).code == 0
    map_orders(box, [order])
    ended = shop("bindings", "rebuild", "--wait")
    assert ended.code == 0
    assert "orders bound, with their lines and buyers" in ended.out
    assert "records of Odoo looked at." in ended.out
    assert_plain(ended)
    bound = shop("bindings", "list", "--kind", "order", "--json").json
    assert [one["odoo_label"] for one in bound if one["magento_label"] == number(order)] == [
        str(sale_orders(box, order)[0]["name"])
    ]
    shown = shop("explain", "order", number(order))
    assert shown.code == 0
    assert f"Order {number(order)} is {sale_orders(box, order)[0]['name']} in Odoo." in shown.out
    assert "not in this ledger any more" in shown.out
    # The next event is an update, and makes no order.
    again = shop("run", "import-order", number(order), "--wait", "--json")
    assert again.json["jobs"][-1]["result"]["changes"] == []
    assert len(sale_orders(box, order)) == 1
    assert not shop("explain", "order", number(order), "--json").json["is_kept"]
    assert shop("bindings", "rebuild", "--wait", "--json").json["jobs"][0]["result"]["is_complete"]


def test_an_explanation_is_there_while_magento_is_away(
    shop: Cli, box: Sandbox, order: dict[str, object]
) -> None:
    map_orders(box, [order])
    assert shop("run", "import-order", number(order), "--wait").code == 0
    box.magento.faults.set(error_5xx=1.0)
    try:
        ended = shop("explain", "order", number(order))
    finally:
        box.magento.faults.clear()
    assert ended.code == 0
    assert "This is from the ledger." in ended.err
    assert f"Order {number(order)} is S" in ended.out


def test_changed_orders_are_imported_and_what_is_not_done_is_told(shop: Cli, box: Sandbox) -> None:
    ended = shop("run", "import-orders", "--from", "2015-01-01", "--wait", "--json")
    assert ended.code == 1
    run = ended.json["run"]
    assert run["seen"] >= 31
    assert run["jobs"]["blocked"] > 0
    assert run["not_done"][0]["help"]
    # Nothing changed since: the next scan goes on where this one ended.
    again = shop("run", "import-orders", "--wait", "--json")
    assert again.json["run"]["seen"] < 31


def test_categories_are_brought_and_bound(shop: Cli) -> None:
    ended = shop("run", "import-categories", "--wait", "--json")
    assert ended.code == 0
    assert ended.json["jobs"][0]["result"] == {"categories": {"made": 4, "changed": 0, "unchanged": 0}}
    bound = shop("bindings", "list", "--kind", "category", "--json").json
    assert {one["magento_label"] for one in bound} == {"Default Category", "Apparel", "Shirts", "Hardware"}
    again = shop("run", "import-categories", "--wait")
    assert again.code == 0
    assert_plain(again)


def test_serve_runs_the_jobs_of_others_and_ends_when_told(
    shop: Cli, box: Sandbox, order: dict[str, object]
) -> None:
    map_orders(box, [order])
    with subprocess.Popen(
        [Path(sys.executable).with_name("bridge"), "serve", "--embedded"],
        env=shop.environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stderr is not None
        while "The bridge runs in this process" not in (line := serving.stderr.readline()):
            assert line, "it ended"
        ended = shop("run", "import-order", number(order), "--wait", "--json")
        assert shop("doctor").code == 0
        serving.send_signal(signal.SIGTERM)
        rest = serving.stderr.read()
    assert serving.returncode == 0
    assert ended.code == 0
    # It was the other process that ran them.
    assert '"event": "job_ended"' in rest or "job_ended" in rest
    assert "Traceback" not in rest


@pytest.mark.parametrize("version", [18, 19])
def test_secrets_stand_nowhere_after_real_work(cli: Cli, version: int) -> None:
    with Sandbox.start(odoo_version=version, seed=7) as box:
        assert add(cli, box).code == 0
        orders = box.magento.generate_orders(1, kinds=("simple",))
        map_orders(box, orders)
        said = [
            cli.process("-v", "run", "test-connection"),
            cli.process("-v", "run", "import-order", number(orders[0]), "--wait", BRIDGE_LOG_FORMAT="json"),
            cli.process("-v", "preview", "order", number(orders[0]), "--json"),
        ]
        said += [cli("logs", "list", "--json"), cli("jobs", "list", "--json"), cli("doctor")]
        said += [cli("logs", "show", call["id"]) for call in said[3].json]
        secrets = [*box.magento.secret.values(), box.odoo.key]
    assert said[1].code == 0, said[1].out
    text = "".join(one.out + one.err for one in said)
    assert "Authorization" not in text or "***" in text
    assert not [secret for secret in secrets if secret in text]
    stored = files_bytes(cli.folder / ".bridge")
    assert not [secret for secret in secrets if secret.encode() in stored]


@pytest.mark.parametrize("version", [16, 18, 19])
def test_the_log_says_which_method_was_called_and_what_odoo_refused(cli: Cli, version: int) -> None:
    with Sandbox.start(odoo_version=version) as box:
        assert add(cli, box).code == 0
        orders = box.magento.generate_orders(1, kinds=("simple",))
        map_orders(box, orders)
        assert cli("run", "import-order", number(orders[0]), "--wait").code == 0
        calls = {one["operation"] for one in cli("logs", "list", "--system", "odoo", "--json").json}
        assert {"sale.order.load", "sale.order.read", "mail.message.load"} <= calls
        before = cli("logs", "list", "--errors", "--json").json
        assert [one["url"].rpartition("/web/")[2] for one in before] == ([] if version == 19 else ["version"])
        ledger = open_ledger(Settings())
        pair = connect(ledger.instances.get("shop"))
        made: list[Exchange] = []
        with pytest.raises(RecordMissing):
            pair.odoo.recording(made.append).call("sale.order", "action_confirm", [999_999])
        ledger.exchanges.add("shop", made)
        pair.odoo.close()
        ledger.close()
        refused = cli("logs", "list", "--errors", "--json").json[0]
        assert (refused["operation"], refused["error"]) == (
            "sale.order.action_confirm",
            "Odoo refused: MissingError",
        )
        assert "sale.order.action_confirm" in cli("logs", "list").out
