from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.idempotency import (
    canonical_json,
    effect_key,
    entity_of,
    external_id,
    external_key,
    fingerprint,
    store_external_id,
    store_key,
)

INSTALLATION = "3f2b8c1e-0000-4000-8000-1234567890ab"


def test_the_same_work_has_the_same_key_and_other_work_another():
    assert external_key("shop", "import-order", "42") == external_key("shop", "import-order", "42")
    others = {
        external_key("shop", "import-order", "42"),
        external_key("shop", "import-order", "43"),
        external_key("shop2", "import-order", "42"),
        external_key("shop", "import-orders", "42"),
    }
    assert len(others) == 4


def test_parts_do_not_run_into_one_another():
    assert external_key("a", "bc", "d") != external_key("ab", "c", "d")
    assert external_key("a", "b", "cd") != external_key("a", "bc", "d")


def test_a_job_key_never_changes_since_the_ledger_keeps_it():
    assert external_key("shop", "import-order", "42") == (
        "e03759cc6061daef79b7217d34051e28b9c0286c5b703aa535817e614be58459"
    )


def test_an_effect_key_can_be_read():
    assert effect_key("inst", "order", "42") == "inst:order:42"


def test_an_external_id_names_installation_kind_and_record():
    assert external_id(INSTALLATION, "order", "42") == (
        "__commerce_bridge__.3f2b8c1e0000400080001234567890ab_order_42"
    )


@pytest.mark.parametrize("entity", ["anna@example.com", "Straße 1", "a.b", "a b", "", "x" * 65, "a/b", "a\n"])
def test_a_natural_key_does_not_show_in_an_external_id(entity):
    made = external_id(INSTALLATION, "partner", entity)
    assert re.fullmatch(r"__commerce_bridge__\.[0-9a-f]{32}_partner_[0-9a-f]{32}", made)


@given(st.text(), st.text())
def test_external_ids_are_equal_only_for_equal_records(one, other):
    assert (external_id("i", "k", one) == external_id("i", "k", other)) == (one == other)


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text())))
def test_a_fingerprint_does_not_depend_on_the_order_of_fields(value):
    turned = dict(reversed(list(value.items())))
    assert fingerprint(value) == fingerprint(turned)
    assert canonical_json(value) == canonical_json(turned)


def test_a_fingerprint_changes_with_any_field():
    base = {"name": "Anna", "qty": Decimal("1.50"), "at": datetime(2026, 1, 1, tzinfo=UTC), "tags": [1, 2]}
    for name, other in {"name": "anna", "qty": Decimal("1.51"), "tags": [2, 1], "at": None}.items():
        assert fingerprint({**base, name: other}) != fingerprint(base)


def test_canonical_json_keeps_the_digits_of_a_decimal():
    assert canonical_json({"b": Decimal("1.50"), "a": "\u00fc"}) == '{"a":"\u00fc","b":"1.50"}'.encode()


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.example/de/",
        "https://SHOP.example/de",
        "http://shop.example:80/de",
        "https://shop.example:443/de//",
        "https://shop.example/de/rest",
        "https://shop.example./de/rest/all/V1/",
        " https://shop.example/de ",
    ],
)
def test_a_store_is_one_however_its_address_is_written(address: str):
    assert store_key(address) == store_key("https://shop.example/de")


def test_an_external_id_tells_its_entity_and_that_of_others_tells_none():
    name = external_id(INSTALLATION, "order", "42")
    assert entity_of(name, INSTALLATION, "order") == "42"
    assert entity_of(name, INSTALLATION, "order_line") is None
    assert entity_of(name, INSTALLATION.replace("3f", "4f"), "order") is None
    assert entity_of("sale.order_42", INSTALLATION, "order") is None
    assert entity_of("", INSTALLATION, "order") is None


def test_other_addresses_are_other_stores():
    others = (
        "https://shop.example/de",
        "https://shop.example",
        "https://shop.example/DE",
        "https://shop.example:8443/de",
    )
    others += ("https://www.shop.example/de", "https://shop.example/restful/de")
    assert len({store_key(one) for one in others}) == len(others)
    assert re.fullmatch(r"__commerce_bridge__\.store_[0-9a-f]{32}", store_external_id(others[0]))
