from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from bridge.settings import (
    EMBEDDED_BROKER_URL,
    EMBEDDED_DATABASE_URL,
    FIELD_GROUPS,
    InstanceSettings,
    Settings,
    process_settings,
)

NEEDED = {
    "base_url": "https://shop.example.test",
    "odoo_url": "https://odoo.example.test",
    "odoo_db": "prod",
    "odoo_user": "bridge@example.com",
}


@pytest.fixture
def plain(monkeypatch, tmp_path):
    """No variables of the machine, no .env of the place."""
    import os

    for name in list(os.environ):
        if name.upper().startswith("BRIDGE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_the_defaults_are_embedded(plain):
    settings = Settings()
    assert (settings.database_url, settings.broker_url) == (EMBEDDED_DATABASE_URL, EMBEDDED_BROKER_URL)
    assert settings.is_embedded
    assert (settings.console_host, settings.console_port) == ("127.0.0.1", 8600)
    assert (settings.hooks_host, settings.hooks_port) == ("127.0.0.1", 8601)


@pytest.mark.parametrize("missing", ["BRIDGE_DATABASE_URL", "BRIDGE_BROKER_URL"])
def test_one_embedded_default_is_enough_to_be_embedded(plain, missing):
    plain.setenv("BRIDGE_DATABASE_URL", "postgresql://db/bridge")
    plain.setenv("BRIDGE_BROKER_URL", "amqp://broker/bridge")
    assert not Settings().is_embedded
    plain.delenv(missing)
    assert Settings().is_embedded


def test_an_env_file_is_read_and_the_environment_wins(plain, tmp_path):
    (tmp_path / ".env").write_text("BRIDGE_LOG_FORMAT=json\nBRIDGE_WORKER_THREADS=3\nOTHER=1\n")
    plain.setenv("BRIDGE_WORKER_THREADS", "5")
    assert (Settings().log_format, Settings().worker_threads) == ("json", 5)


def test_the_secret_key_shows_nowhere(plain):
    plain.setenv("BRIDGE_SECRET_KEY", "very-secret")
    settings = Settings()
    assert "very-secret" not in repr(settings) + str(settings) + str(settings.model_dump())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRIDGE_LOG_FORMAT", "xml"),
        ("BRIDGE_CONSOLE_PORT", "70000"),
        ("BRIDGE_WORKER_THREADS", "0"),
        ("BRIDGE_LEASE_SECONDS", "-1"),
        ("BRIDGE_BACKOFF_UNIT_SECONDS", "0"),
    ],
)
def test_a_wrong_variable_is_refused_without_its_value(plain, name, value):
    plain.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "input_value" not in str(caught.value)


def test_the_settings_of_the_process_are_read_once(plain):
    process_settings.cache_clear()
    first = process_settings()
    plain.setenv("BRIDGE_LOG_FORMAT", "json")
    assert process_settings() is first
    process_settings.cache_clear()


def test_an_instance_has_the_defaults_that_the_operators_know():
    settings = InstanceSettings(**NEEDED)
    assert settings.order_action == "draft"
    assert settings.order_total_policy == "block"
    assert settings.order_total_tolerance == Decimal("0.00")
    assert settings.order_adjust_max == Decimal("1.00")
    assert (settings.stock_api_mode, settings.stock_quantity_field) == ("msi", "free_qty")
    assert (settings.stock_formula, settings.safety_stock) == ("reservation_aware", 0)
    assert not settings.auto_create_products
    assert settings.verify_ssl
    assert settings.odoo_doubt_seconds == 180
    assert settings.magento_doubt_seconds == (30, 120, 600)
    assert (settings.max_parallel_odoo, settings.max_parallel_magento) == (2, 4)


def test_each_group_of_product_fields_has_one_master():
    assert all(InstanceSettings(**NEEDED).master(group) == "magento" for group in FIELD_GROUPS)
    settings = InstanceSettings(**NEEDED, sync_direction=" price = odoo, text=odoo ")
    assert settings.sync_direction == "identity=magento,text=odoo,price=odoo,images=magento,status=magento"
    assert [settings.master(group) for group in FIELD_GROUPS] == [
        "magento",
        "odoo",
        "odoo",
        "magento",
        "magento",
    ]
    assert InstanceSettings(**NEEDED, sync_direction="odoo").master("images") == "odoo"


@pytest.mark.parametrize("missing", NEEDED)
def test_an_instance_needs_both_systems(missing):
    with pytest.raises(ValidationError) as caught:
        InstanceSettings(**{name: value for name, value in NEEDED.items() if name != missing})
    assert missing in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("order_action", "confirmed", "'draft' or 'confirm'"),
        ("order_total_policy", "ignore", "'block', 'warn' or 'adjust'"),
        ("stock_quantity_field", "qty", "'qty_available', 'virtual_available' or 'free_qty'"),
        ("magento_auth", "basic", "'oauth' or 'bearer'"),
        ("sync_direction", "prices=odoo", "identity, text, price, images, status"),
        ("sync_direction", "price=both", "GROUP=odoo"),
        ("base_url", "shop.example.test", "URL"),
        ("base_url", "ftp://shop.example.test", "http"),
        ("odoo_db", "  ", "must not be empty"),
        ("store_code", "", "must not be empty"),
        ("order_total_tolerance", "-0.01", "greater than or equal to 0"),
        ("order_total_tolerance", "NaN", "finite"),
        ("order_adjust_max", "0.00001", "decimal places"),
        ("call_deadline_seconds", "0", "greater than 0"),
        ("call_deadline_seconds", "301", "less than or equal to 300"),
        ("company_id", "0", "greater than 0"),
        ("max_parallel_odoo", "0", "greater than or equal to 1"),
        ("import_from_date", "soon", "date"),
        ("verify_ssl", "perhaps", "boolean"),
        ("no_such_setting", "1", "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_with_what_is_allowed(name, value, said):
    with pytest.raises(ValidationError) as caught:
        InstanceSettings(**{**NEEDED, name: value})
    assert name in str(caught.value)
    assert said in str(caught.value)
    assert "input_value" not in str(caught.value)


def test_texts_of_the_command_line_become_values_and_blanks_go():
    settings = InstanceSettings(
        **{
            **NEEDED,
            "odoo_db": " prod ",
            "verify_ssl": "false",
            "order_total_tolerance": "0.02",
            "company_id": "3",
        }
    )
    assert (settings.odoo_db, settings.verify_ssl, settings.company_id) == ("prod", False, 3)
    assert settings.order_total_tolerance == Decimal("0.02")


def test_settings_survive_the_ledger():
    settings = InstanceSettings(
        **{**NEEDED, "order_total_tolerance": "0.02", "import_from_date": "2026-11-01"}
    )
    assert InstanceSettings(**settings.model_dump(mode="json")) == settings


def test_an_instance_cannot_be_changed_in_place():
    with pytest.raises(ValidationError):
        InstanceSettings(**NEEDED).order_action = "confirm"
