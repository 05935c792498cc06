"""``bridge instance``: what is taken, what is refused and how, and that secrets stay secret."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.support.cli import KEYS, ODOO_KEY, all_secrets, assert_plain, files_bytes


def test_an_instance_is_added_listed_shown_changed_and_removed(cli) -> None:
    assert cli("instance", "list").out.startswith("No instance yet")
    assert "bridge run test-connection --instance shop" in cli.add().out
    assert [one["name"] for one in cli("instance", "list", "--json").json] == ["shop"]
    assert cli("instance", "set", "shop", "--set", "order_action=confirm").code == 0
    shown = cli("instance", "show", "--json").json
    assert shown["settings"]["order_action"] == "confirm"
    assert shown["secrets"] == ["magento", "odoo"]
    assert cli("instance", "set", "shop", "--set", "order_action=").code == 0
    assert cli("instance", "show", "shop", "--json").json["settings"]["order_action"] == "draft"
    assert cli("instance", "remove", "shop", "--yes").code == 0
    assert cli("instance", "list", "--json").json == []


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        ("order_action=maybe", "must be 'draft' or 'confirm'"),
        ("order_total_policy=x", "must be 'block', 'warn' or 'adjust'"),
        ("verify_ssl=perhaps", "must be true or false"),
        ("stock_quantity_field=qty", "'qty_available', 'virtual_available' or 'free_qty'"),
        ("order_total_tolerance=-1", "must be 0 or more"),
        ("order_total_tolerance=a", "must be a number such as 0.05"),
        ("max_parallel_odoo=0", "must be 1 or more"),
        ("store_timezone=Mars/Phobos", "must be a time zone such as"),
        ("import_from_date=yesterday", "must be a day such as 2026-11-01"),
        ("company_id=main", "must be a whole number"),
        ("magento_doubt_seconds=a", "magento_doubt_seconds"),
        ("base_url=ftp://shop.example.test", "'http' or 'https'"),
        ("base_url=https://user:pa55@shop.example.test", "without user, password"),
        ("odoo_db= ", "must not be empty"),
        ("base_url=", "is needed"),
        ("no_such=1", "Settings: adjustment_product_id, "),
        ("access_token=pa55", "Secrets are no settings"),
        ("pa55", "KEY=VALUE"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(shop, setting: str, allowed: str) -> None:
    before = shop("instance", "show", "--json").json
    ended = shop("instance", "set", "shop", "--set", setting)
    assert ended.code == 2
    assert allowed in ended.err
    assert "pa55" not in ended.err
    assert_plain(ended)
    assert shop("instance", "show", "--json").json == before


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("instance", "add", "Shop!"), "Missing: --magento-url"),
        (("instance", "show", "nope"), "There is no instance 'nope'. There are: shop."),
        (("instance", "set", "shop"), "Nothing to change"),
        (("instance", "set", "shop", "--odoo-key", "pa55word"), "never as the argument itself"),
        (("instance", "set", "shop", "--odoo-key", "@nope"), "there is no such file"),
        (("instance", "set", "shop", "--odoo-key", "@."), "it is a directory"),
        (("instance", "set", "shop", "--odoo-key", "@/dev/null"), "is empty"),
        (("instance", "set", "shop", "--odoo-key", "env:NOPE_NOPE"), "no such variable"),
        (("instance", "set", "shop", "--odoo-key", "@binary"), "not text"),
        (("instance", "set", "shop", "--odoo-key", "@large"), "too long"),
        (("instance", "set", "shop", "--magento-oauth", "@half.json"), "needs consumer_secret"),
        (("instance", "set", "shop", "--magento-oauth", "@broken.json"), "cannot be read as JSON"),
        (("instance", "set", "shop", "--magento-oauth", "@list.json"), "this is not JSON with consumer_key"),
        (("instance", "set", "shop", "--magento-oauth", "@odd.json"), "needs consumer_key"),
        (("instance", "set", "shop", "--magento-token", "@oauth.json"), "given with --magento-oauth"),
        (
            ("instance", "set", "shop", "--magento-oauth", "@oauth.json", "--magento-token", "@odoo.key"),
            "not both",
        ),
        (("instance", "set", "shop", "--magento-token", "-", "--odoo-key", "-"), "Only one secret"),
        (("instance", "nope"), "No such command"),
    ],
)
def test_wrong_usage_is_told_plainly_and_exits_with_2(shop, args: tuple[str, ...], words: str) -> None:
    Path("half.json").write_text('{"consumer_key": "pa55"}')
    Path("broken.json").write_text('{"consumer_key": "pa55')
    Path("list.json").write_text('["pa55"]')
    Path("odd.json").write_text(json.dumps({**KEYS, "consumer_key": ["pa55"]}))
    Path("binary").write_bytes(b"\xff\xfepa55")
    Path("large").write_text("pa55" * 20_000)
    ended = shop(*args)
    assert ended.code == 2
    assert words in ended.err
    assert ended.out == ""
    assert "pa55" not in ended.err
    assert_plain(ended)


def test_an_instance_is_not_added_twice_or_under_an_unusable_name(shop) -> None:
    twice = shop.add()
    assert (twice.code, "already" in twice.err) == (2, True)
    odd = shop.add("Shop!")
    assert (odd.code, "small letters" in odd.err) == (2, True)


def test_with_several_instances_the_one_that_is_meant_must_be_named(shop) -> None:
    assert shop.add("second").code == 0
    ended = shop("run", "noop")
    assert (ended.code, "--instance second|shop" in ended.err) == (2, True)


def test_secrets_may_come_from_the_environment_and_from_standard_input(shop) -> None:
    ended = shop.process("instance", "set", "shop", "--odoo-key", "env:THE_KEY", THE_KEY="ok-other-4711")
    assert ended.code == 0, ended.err
    ended = shop.process("instance", "set", "shop", "--magento-oauth", "-", stdin=json.dumps(KEYS))
    assert ended.code == 0, ended.err
    assert "magento secret" in ended.out


def test_the_key_file_is_its_owners_only(shop) -> None:
    assert stat.S_IMODE(Path(".bridge/secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(".bridge").stat().st_mode) == 0o700


def test_secrets_stand_in_no_output_and_in_no_byte_of_the_ledger(shop) -> None:
    said = [
        shop("instance", "show", "shop"),
        shop("instance", "show", "--json"),
        shop("instance", "list", "--json"),
        shop("instance", "set", "shop", "--odoo-key", "@odoo.key", "--magento-oauth", "@oauth.json"),
        shop("--verbose", "run", "test-connection", "--json"),
        shop("logs", "list", "--json"),
        shop("doctor", "--json"),
    ]
    text = "".join(one.out + one.err for one in said)
    assert not [secret for secret in all_secrets() if secret in text]
    stored = files_bytes(Path(".bridge"))
    assert not [secret for secret in all_secrets() if secret.encode() in stored]
    assert ODOO_KEY in Path("odoo.key").read_text()
