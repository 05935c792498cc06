from __future__ import annotations

import pytest

from bridge.errors import SettingsWrong
from bridge.odoo.versions import OdooVersion, names_of, onchange_argument_names, onchange_spec, parse_version


@pytest.mark.parametrize(
    ("major", "text", "family", "protocol", "is_proven"),
    [
        (16, "16.0", 16, "jsonrpc", True),
        (17, "17.0", 18, "jsonrpc", False),
        (18, "18.0-20250421", 18, "jsonrpc", True),
        (18, "saas~18.3", 18, "jsonrpc", False),
        (19, "19.0", 19, "json2", True),
        (19, "saas~19.1", 19, "json2", False),
        (20, "20.0", 19, "json2", False),
        (21, "saas~21.1", 19, "json2", False),
    ],
)
def test_a_version_follows_the_ways_of_a_proven_one(major, text, family, protocol, is_proven):
    version = OdooVersion(major=major, text=text)
    assert (version.family, version.protocol, version.is_proven) == (family, protocol, is_proven)


@pytest.mark.parametrize(
    ("answer", "major"),
    [
        ({"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}, 19),
        ({"result": {"server_version": "16.0", "server_version_info": [16, 0, 0, "final", 0, ""]}}, 16),
        ({"result": {"server_version": "18.0+e", "server_version_info": [18, 0, 0, "final", 0, "e"]}}, 18),
        ({"version_info": ["saas~19", 1, 0, "final", 0, "e"], "version": "saas~19.1+e"}, 19),
        ({"version": "20.0"}, 20),
    ],
)
def test_both_answers_about_the_version_are_read(answer, major):
    version = parse_version(answer)
    assert version is not None
    assert version.major == major


@pytest.mark.parametrize("answer", [None, [], "19.0", {}, {"version": 19}, {"version": "new"}, {"error": {}}])
def test_what_is_no_version_is_none(answer):
    assert parse_version(answer) is None


def test_an_odoo_that_is_too_old_is_refused_with_the_version_that_is_needed():
    with pytest.raises(SettingsWrong, match=r"version 15\.0\. CommerceBridge needs Odoo 16"):
        parse_version({"result": {"server_version": "15.0", "server_version_info": [15, 0]}})


@pytest.mark.parametrize(
    ("major", "tax", "uom", "payment", "done", "groups", "credit_notes"),
    [
        (16, "tax_id", "product_uom", "ref", "quantity_done", "groups_id", "reversal_move_id"),
        (17, "tax_id", "product_uom", "memo", "quantity", "groups_id", "reversal_move_ids"),
        (18, "tax_id", "product_uom", "memo", "quantity", "groups_id", "reversal_move_ids"),
        (19, "tax_ids", "product_uom_id", "memo", "quantity", "group_ids", "reversal_move_ids"),
        (20, "tax_ids", "product_uom_id", "memo", "quantity", "group_ids", "reversal_move_ids"),
    ],
)
def test_fields_have_the_names_of_the_version(major, tax, uom, payment, done, groups, credit_notes):
    names = names_of(OdooVersion(major=major, text=f"{major}.0"))
    assert names.order_line_tax == tax
    assert names.order_line_uom == uom
    assert names.payment_text == payment
    assert names.move_done == done
    assert names.user_groups == groups
    assert names.credit_notes == credit_notes
    assert names.has_technical_price is (major > 16)


def test_a_warehouse_is_named_by_both_keys_since_the_wrong_one_is_silently_ignored():
    """stock/qty-context-warehouse."""
    names = names_of(OdooVersion(major=18, text="18.0"))
    assert names.warehouse_context(3) == {"warehouse": 3, "warehouse_id": 3}


@pytest.mark.parametrize(
    ("major", "names"), [(16, ("field_name", "field_onchange")), (18, ("field_names", "fields_spec"))]
)
def test_onchange_is_flat_in_16_and_nested_later(major, names):
    version = OdooVersion(major=major, text=f"{major}.0")
    spec = onchange_spec(version)
    assert set(spec) == {"amount_untaxed", "amount_tax", "amount_total", "order_line"}
    assert isinstance(spec["order_line"], str if major == 16 else dict)
    assert onchange_argument_names(version) == ("values", *names)
