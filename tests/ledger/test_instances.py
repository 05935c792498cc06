"""Instances and their secrets: checked settings, encryption, wrong keys, rotation."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import ConfigurationError, SettingsWrong
from bridge.ledger import Ledger
from tests.support.ledger import TEST_KEY, go_back, into, start, state_of

SETTINGS = {
    "base_url": "https://shop.example",
    "odoo_url": "https://odoo.example",
    "odoo_db": "shop",
    "odoo_user": "bridge@example.com",
}
SECRETS = {"magento": "m-s3cret", "odoo_key": "o-s3cret"}
NEW_KEY = "another-key-for-tests-0123456789"


def test_an_instance_comes_back_with_its_settings_and_secrets(ledger: Ledger):
    added = ledger.instances.add("shop", SETTINGS | {"order_total_tolerance": "0.02"}, SECRETS)
    found = ledger.instances.get("shop")
    assert found == added
    assert found.settings.order_total_tolerance == Decimal("0.02")
    assert found.secrets["odoo_key"].get_secret_value() == "o-s3cret"
    assert len(found.installation_id) == 36
    assert "s3cret" not in repr(found)
    assert ledger.instances.list() == [found]
    assert ledger.instances.names() == ["shop"]


def test_secrets_are_not_readable_in_the_database(ledger: Ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    with ledger.database.read() as session:
        stored = session.rows("SELECT * FROM instances")
    assert b"s3cret" not in b"".join(
        bytes(value) for value in stored[0] if isinstance(value, bytes | memoryview)
    )
    assert "s3cret" not in str(stored)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"order_action": "maybe"}, "order_action must be 'draft' or 'confirm'."),
        ({"colour": "red"}, "There is no setting colour; known are: "),
        ({"odoo_db": " "}, "odoo_db"),
        ({"safety_stock": "-1"}, "safety_stock"),
    ],
)
def test_wrong_settings_are_refused_in_plain_english(ledger: Ledger, changes, told):
    with pytest.raises(SettingsWrong) as caught:
        ledger.instances.add("shop", SETTINGS | changes, SECRETS)
    assert told in caught.value.message
    ledger.instances.add("shop", SETTINGS, SECRETS)
    with pytest.raises(SettingsWrong) as caught:
        ledger.instances.set("shop", changes)
    assert told in caught.value.message
    assert ledger.instances.get("shop").settings.order_action == "draft"


def test_a_missing_setting_is_named(ledger: Ledger):
    with pytest.raises(SettingsWrong) as caught:
        ledger.instances.add("shop", {"base_url": "https://shop.example"}, SECRETS)
    assert "The setting odoo_db is needed." in caught.value.message


@pytest.mark.parametrize("name", ["", "My Shop", "-x", "a/b", "x|y", "a" * 64])
def test_an_unusable_name_is_refused(ledger: Ledger, name: str):
    with pytest.raises(SettingsWrong, match="instance's name"):
        ledger.instances.add(name, SETTINGS, SECRETS)


def test_a_name_is_given_once(ledger: Ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    with pytest.raises(SettingsWrong, match="already"):
        ledger.instances.add("shop", SETTINGS, SECRETS)


def test_an_unknown_instance_is_named_with_the_known_ones(ledger: Ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    with pytest.raises(SettingsWrong, match="Known: shop"):
        ledger.instances.get("shpo")
    assert ledger.instances.find("shpo") is None


def test_settings_and_secrets_change_one_by_one(ledger: Ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    changed = ledger.instances.set("shop", {"order_action": "confirm"}, {"odoo_key": "new"})
    assert changed.settings.order_action == "confirm"
    assert changed.settings.odoo_db == "shop"
    assert changed.secrets["odoo_key"].get_secret_value() == "new"
    assert changed.secrets["magento"].get_secret_value() == "m-s3cret"
    back = ledger.instances.set("shop", {"order_action": None})
    assert back.settings.order_action == "draft"


def test_a_store_keeps_the_installation_id_that_it_has(ledger: Ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    pair = ledger.instances.get("shop").pair
    ledger.instances.adopt_installation_id("shop", "5f1d7d8e-0000-4000-8000-000000000001", pair=pair)
    found = ledger.instances.get("shop")
    assert (found.installation_id, found.is_anchored) == ("5f1d7d8e-0000-4000-8000-000000000001", True)


def test_a_removed_instance_takes_its_pairs_along_and_leaves_history(ledger: Ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    ledger.bindings.bind("shop", "order", magento_id=1, odoo_model="sale.order", odoo_id=1)
    ledger.mappings.observe("shop", [("tax", "21", None, None)])
    done, waiting = into(ledger, "done", "1"), into(ledger, "blocked", "2")
    running = start(ledger, "3")
    with pytest.raises(SettingsWrong, match="running"):
        ledger.instances.remove("shop")
    ledger.jobs.recover(worker_prefix="test")
    ledger.instances.remove("shop")
    assert ledger.instances.names() == []
    assert ledger.bindings.list("shop") == []
    assert ledger.mappings.list("shop") == []
    assert [state_of(ledger, job) for job in (done, waiting, running.id)] == [
        "done",
        "cancelled",
        "cancelled",
    ]


def test_a_wrong_key_refuses_to_open_the_ledger(ledger: Ledger, open_ledger):
    with pytest.raises(ConfigurationError, match="BRIDGE_SECRET_KEY is not the key of this ledger"):
        open_ledger(secret_key=NEW_KEY)


def test_a_key_that_could_be_guessed_is_refused(open_ledger):
    with pytest.raises(ConfigurationError, match="too short"):
        open_ledger(secret_key="short")


def test_without_a_key_secrets_can_be_neither_kept_nor_read_but_jobs_can(ledger: Ledger, open_ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    keyless = open_ledger(secret_key=None)
    assert start(keyless).state == "running"
    assert keyless.instances.names() == ["shop"]
    with pytest.raises(ConfigurationError, match="is not set"):
        keyless.instances.get("shop")


def test_a_key_is_changed_in_steps_without_a_stop(ledger: Ledger, open_ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    job = start(ledger)
    ledger.effects.begin(
        job, key="k", system="odoo", kind="create", target="sale.order", request=b"what was sent"
    )
    both = open_ledger(secret_key=f"{NEW_KEY}, {TEST_KEY}")
    assert both.instances.get("shop").secrets["magento"].get_secret_value() == "m-s3cret"
    with pytest.raises(ConfigurationError):
        open_ledger(secret_key=NEW_KEY)
    assert both.rotate_secrets() == 2
    new = open_ledger(secret_key=NEW_KEY)
    assert new.instances.get("shop").secrets["magento"].get_secret_value() == "m-s3cret"
    assert new.effects.get("k").request == b"what was sent"
    with pytest.raises(ConfigurationError):
        open_ledger(secret_key=TEST_KEY)


def test_what_was_encrypted_for_one_purpose_is_not_taken_for_another(ledger: Ledger):
    from bridge.ledger.vault import EFFECT_REQUESTS, INSTANCE_SECRETS, Vault

    vault = Vault(TEST_KEY)
    token = vault.encrypt(EFFECT_REQUESTS, b"text")
    assert vault.decrypt(EFFECT_REQUESTS, token) == b"text"
    with pytest.raises(ConfigurationError):
        vault.decrypt(INSTANCE_SECRETS, token)


def test_an_instance_from_before_the_installation_id_was_kept_in_odoo_is_not_anchored(ledger: Ledger):
    added = ledger.instances.add("shop", SETTINGS, SECRETS)
    go_back(ledger, "0001")
    assert not ledger.is_current()
    ledger.migrate()
    found = ledger.instances.get("shop")
    assert (found.installation_id, found.anchored_for, found.is_anchored) == (
        added.installation_id,
        None,
        False,
    )


def test_an_id_that_was_found_for_one_pair_says_nothing_about_another(ledger: Ledger):
    added = ledger.instances.add("shop", SETTINGS, SECRETS)
    assert ledger.instances.adopt_installation_id("shop", added.installation_id, pair=added.pair).is_anchored
    assert ledger.instances.set("shop", {"base_url": "http://SHOP.example/rest/"}).is_anchored
    for change in (
        {"odoo_db": "other"},
        {"odoo_url": "https://other.example"},
        {"base_url": "https://other.example"},
    ):
        assert not ledger.instances.set("shop", SETTINGS | change).is_anchored
    assert ledger.instances.set("shop", SETTINGS).is_anchored
    with pytest.raises(SettingsWrong, match="no instance named 'nobody'"):
        ledger.instances.adopt_installation_id("nobody", added.installation_id, pair=added.pair)
