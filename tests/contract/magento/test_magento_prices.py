"""The bulk price calls: our requests against Magento's published structure, its recorded answers through the client."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from bridge.errors import RecordMissing
from bridge.magento.prices import price_request, price_rows, read_prices, send_prices
from bridge.translate.magento_prices import MagentoPrices, read_magento_prices, rows_between
from bridge.translate.price_records import PriceGroup, ProductPrices, SpecialPrice

from .conftest import TESTS, recording

VERSIONS = ("2.4.6", "2.4.8", "2.4.9")
KINDS = {"base": "base-prices", "special": "special-price", "tier": "tier-prices"}
TYPES = {"number": int | float, "integer": int, "string": str}
GROUPS = [PriceGroup(group_id=2, name="Wholesale", pricelist=1)]


def answer(name):
    return json.loads(json.dumps(recording(f"catalog/{name}")["response"]["json"]), parse_float=Decimal)


def rows_of_all_kinds():
    """Rows as the export makes them, one of each call at the least."""
    old_special = answer("095-*")[0]
    old_tier = answer("100-*")[1]
    has = MagentoPrices(
        base={}, special={1: [old_special]}, tiers=[{**old_tier, "customer_group": "Wholesale"}]
    )
    wanted = ProductPrices(
        base={0: Decimal("20.5")},
        special={0: SpecialPrice(price=Decimal("8.88"), first_day=None, last_day=None), 1: None},
        tiers={(2, 0): ((Decimal(3), Decimal("7.5")),)},
    )
    return rows_between("SIM-12", has, wanted, GROUPS, wanted.texts)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("call", "path", "rows"),
    [
        ("base", "base-prices", "base"),
        ("special", "special-price", "special"),
        ("special-delete", "special-price-delete", "special_delete"),
        ("tier", "tier-prices", "tier"),
        ("tier-delete", "tier-prices-delete", "tier_delete"),
    ],
)
def test_what_is_sent_has_the_paths_fields_and_types_of_the_contract(
    shop, magento, version, call, path, rows
):
    structure = json.loads((TESTS / "contracts" / "magento" / f"prices-{version}.json").read_text())
    shop.sends(200, b"[]")
    assert send_prices(magento, call, price_request(getattr(rows_of_all_kinds(), rows))) == []
    (request,) = shop.requests
    assert request.url.path == f"/rest/all/V1/products/{path}"
    (body,) = structure["paths"][f"/V1/products/{path}"][request.method.lower()]["parameters"]
    sent = json.loads(request.content)
    assert set(sent) == set(body["schema"]["properties"]) == {"prices"}
    name = body["schema"]["properties"]["prices"]["items"]["$ref"].rpartition("/")[2]
    definition = structure["definitions"][name]
    assert len(sent["prices"]) == 1
    for row in sent["prices"]:
        assert set(row) == set(definition["required"])
        for field, value in row.items():
            # What is deleted is named as Magento itself answered it: an end that is not there is null.
            if value is None and call == "special-delete":
                continue
            assert isinstance(value, TYPES[definition["properties"][field]["type"]]), field


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_is_asked_for_as_the_contract_says(shop, magento, version, kind):
    structure = json.loads((TESTS / "contracts" / "magento" / f"prices-{version}.json").read_text())
    shop.sends(200, b"[]")
    assert read_prices(magento, kind, ["SIM-12", "A/B"]) == []
    (request,) = shop.requests
    path = f"/V1/products/{KINDS[kind]}-information"
    (body,) = structure["paths"][path]["post"]["parameters"]
    assert (request.url.path, request.method) == (f"/rest/all{path}", "POST")
    assert json.loads(request.content) == {"skus": ["SIM-12", "A/B"]}
    assert list(body["schema"]["properties"]) == ["skus"]


@pytest.mark.parametrize("name", ["094-*", "096-*", "097-*", "101-*", "104-*"])
def test_the_recorded_rows_are_the_ones_that_we_make(name):
    request = recording(f"catalog/{name}")["request"]["json"]
    body = json.dumps(request).encode()
    # A body that was stored is sent again to the byte, whatever digits its numbers have.
    assert json.loads(price_request(price_rows(body))) == request
    assert price_request(price_rows(price_request(price_rows(body)))) == price_request(price_rows(body))


def test_refused_base_prices_are_told_by_their_skus_or_values(shop, magento):
    shop.answers("catalog/104-*")
    said = send_prices(magento, "base", b'{"prices":[]}')
    assert [(one.message, one.parameters) for one in said] == [
        ("Invalid attribute SKU = NOPE.", ("SKU", "NOPE")),
        ("Invalid attribute SKU = TSHIRT.", ("SKU", "TSHIRT")),
        ("Invalid attribute Price = -1.", ("Price", "-1")),
    ]


def test_refused_special_prices_are_told(shop, magento):
    shop.answers("catalog/094-*")
    (said,) = send_prices(magento, "special", b'{"prices":[]}')
    assert said.message.startswith("The product that was requested doesn't exist.")
    assert said.parameters == ("NOPE", "0", "2026-01-01 00:00:00", "2027-01-01 00:00:00")


def test_a_refused_tier_price_is_told_by_the_names_that_its_parameters_lack(shop, magento):
    shop.answers("catalog/097-*")
    (said,) = send_prices(magento, "tier", b'{"prices":[]}')
    assert said.message == (
        "No such entity with Customer Group = Nobody. "
        "Row ID: SKU = SIM-12, Website ID: 0, Customer Group: Nobody, Quantity: 5."
    )


def test_an_unknown_sku_refuses_a_whole_call_of_tier_prices(shop, magento):
    shop.answers("catalog/098-*")
    with pytest.raises(RecordMissing) as caught:
        send_prices(magento, "tier", b'{"prices":[]}')
    assert caught.value.details["reason"] == "no_such_entity"


def test_the_recorded_prices_are_read_as_they_are():
    found = read_magento_prices(answer("105-*"), answer("095-*"), answer("100-*"))
    wanted = ProductPrices(base={0: Decimal(1)}, special={0: None}, tiers={(2, 0): (), (32000, 0): ()})
    assert found["sim-12"].like(wanted, GROUPS).texts == {
        "base@0": "20.5",
        "special@0": "8.88 2026-01-01..2027-01-01",
        # A discount in percent is a price that we never send.
        "tier@2@0": "1:-1",
        "tier@32000@0": "10:8",
    }
    assert found["sim-05"].like(wanted, GROUPS).texts["special@0"] == "5.55 2026-01-01.."


def test_many_skus_are_asked_for_in_halves_where_magento_allows_fewer(shop, magento):
    shop.answers("errors/028-*", "catalog/105-*")
    assert len(read_prices(magento, "base", [f"S{number}" for number in range(30)])) == 2
    assert [len(json.loads(one.content)["skus"]) for one in shop.requests] == [30, 15, 15]


def test_the_common_price_comes_last_wherever_a_websites_is_written():
    has = MagentoPrices(base={0: Decimal(20)}, special={}, tiers=())
    wanted = ProductPrices(base={0: Decimal(20), 4: Decimal(14), 11: Decimal(15)})
    rows = rows_between("SIM-12", has, wanted, GROUPS, ["base@4", "base@11"]).base
    assert [(row["store_id"], row["price"]) for row in rows] == [(4, 14), (11, 15), (0, 20)]
