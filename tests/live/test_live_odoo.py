"""A real Odoo as the bridge's user finds it (docs/operations.md)."""

from __future__ import annotations

import uuid


def test_the_apps_that_the_bridge_needs_are_usable(odoo):
    assert set(odoo.profile().apps.values()) == {"usable"}


def test_the_same_key_makes_one_partner(odoo):
    key = f"__commerce_bridge__.live_{uuid.uuid4().hex}"
    fields, row = ["id", "name"], [key, "CommerceBridge live test"]
    first = odoo.load_one("res.partner", fields, [row])
    try:
        assert odoo.load_one("res.partner", fields, [[key, "another name"]]) == first
        assert odoo.read("res.partner", [first], ["name"])[0]["name"] == "CommerceBridge live test"
    finally:
        odoo.call("res.partner", "unlink", [first])


def test_the_digits_of_prices_are_those_that_are_set(odoo, live_odoo):
    for digits in (3, 6):
        live_odoo.set_price_precision(digits)
        # 19 cuts no price.
        assert odoo.profile(max_age_seconds=0).price_digits == (8 if live_odoo.version >= 19 else digits)
