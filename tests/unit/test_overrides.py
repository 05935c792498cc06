"""Which value of a setting holds for a store view, and where it comes from."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.errors import SettingsWrong
from bridge.overrides import MAY_BE_NOTHING, OVERRIDABLE, Level, Source, effective, magento_level
from bridge.settings import InstanceSettings

NEEDED = {
    "base_url": "https://shop.example.test",
    "odoo_url": "https://odoo.example.test",
    "odoo_db": "prod",
    "odoo_user": "bridge@example.com",
}
#: What is about the connection, the stock or the load is one for all stores.
OF_THE_INSTANCE = {
    *NEEDED,
    "store_code",
    "magento_auth",
    "verify_ssl",
    "call_deadline_seconds",
    "export_attribute_set_id",
    "export_products",
    "export_stock",
    "import_stock",
    "drift_warning",
    "drift_critical",
    "stock_reservations",
    "stock_routes",
    "schedules",
    "import_images",
    "price_scope",
    "sync_direction",
    "stock_api_mode",
    "stock_bulk",
    "stock_source_code",
    "stock_quantity_field",
    "safety_stock",
    "stock_formula",
    "stock_opening_date",
    "odoo_doubt_seconds",
    "magento_doubt_seconds",
    "max_parallel_odoo",
    "max_parallel_magento",
}


def settings(**more: object) -> InstanceSettings:
    return InstanceSettings(**{**NEEDED, **more})


def website(**values: object) -> Level:
    return Level(scope="website", code="base", values=values)


def view(**values: object) -> Level:
    return Level(scope="view", code="de", values=values)


def test_the_view_stands_over_the_website_over_the_instance_over_the_default():
    own = settings(team_id=1, warehouse_id=1, user_id=1)
    found = effective(own, [website(team_id=2, warehouse_id=2), view(team_id=3)])
    held = found.settings
    assert (held.team_id, held.warehouse_id, held.user_id, held.company_id) == (3, 2, 1, None)
    names = ("team_id", "warehouse_id", "user_id", "company_id")
    assert [found.sources[name] for name in names] == [
        Source(scope="view", code="de"),
        Source(scope="website", code="base"),
        Source(scope="instance"),
        Source(scope="default"),
    ]
    assert set(found.sources) == set(InstanceSettings.model_fields)


def test_without_levels_the_instance_stays_as_it_is():
    own = settings(order_action="confirm")
    for levels in ([], [website(), view()]):
        found = effective(own, levels)
        assert found.settings is own
        assert found.sources["order_action"] == Source(scope="instance")


def test_what_magento_says_of_a_view_stands_over_the_default_only():
    said = magento_level("de", {"timezone": "Europe/Berlin", "locale": "de_DE"})
    found = effective(settings(), [said, website(), view()])
    assert found.settings.store_timezone == "Europe/Berlin"
    assert found.sources["store_timezone"] == Source(scope="magento", code="de")
    assert found.sources["store_timezone"].title == "Magento's configuration of de"
    for own, levels, zone in (
        (settings(store_timezone="Asia/Tokyo"), [said], "Asia/Tokyo"),
        (settings(), [said, website(store_timezone="Europe/Paris")], "Europe/Paris"),
        (settings(), [magento_level("de", {"timezone": "Mars/Phobos"})], "UTC"),
        (settings(), [magento_level("de", {})], "UTC"),
    ):
        assert effective(own, levels).settings.store_timezone == zone


def test_values_are_typed_as_the_instances_are():
    found = effective(settings(), [view(order_total_tolerance="0.05", import_from_date="2026-11-01")])
    assert found.settings.order_total_tolerance == Decimal("0.05")
    assert found.settings.import_from_date == date(2026, 11, 1)


def test_a_view_can_do_without_what_its_website_has():
    found = effective(settings(team_id=1), [website(team_id=2), view(team_id=None)])
    assert found.settings.team_id is None
    assert found.sources["team_id"] == Source(scope="view", code="de")
    assert {"team_id", "import_from_date"} <= MAY_BE_NOTHING
    assert not {"order_action", "order_name_prefix", "store_timezone"} & MAY_BE_NOTHING


def test_the_page_for_operators_names_exactly_those_that_a_store_may_have():
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    said = page.partition("These may be set for a website or store view: ")[2].partition(". The others")[0]
    assert set(re.findall(r"`(\w+)`", said)) == OVERRIDABLE


def test_every_setting_is_either_of_the_instance_or_of_the_stores():
    assert set(InstanceSettings.model_fields) == OVERRIDABLE | OF_THE_INSTANCE
    assert not OVERRIDABLE & OF_THE_INSTANCE


@pytest.mark.parametrize("name", sorted(OF_THE_INSTANCE))
def test_a_setting_of_the_instance_is_refused_with_what_a_store_may_have(name: str):
    with pytest.raises(SettingsWrong) as caught:
        effective(settings(), [view(**{name: "x"})])
    assert f"{name} can be set for the whole instance only" in caught.value.message
    assert "order_action, " in caught.value.message


def test_an_unknown_setting_is_told_as_such():
    with pytest.raises(SettingsWrong, match=r"There is no setting colour\. A website or store view may"):
        effective(settings(), [view(colour="red")])


def test_a_value_that_another_version_wrote_is_named_with_its_place():
    with pytest.raises(SettingsWrong, match="What is set for store view de cannot be: order_action"):
        effective(settings(), [website(team_id=1), view(order_action="maybe")])
