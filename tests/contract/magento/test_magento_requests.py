"""Our requests against Magento's published structure, and signed as Magento checks them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, quote, unquote

import httpx
import pytest

from bridge.errors import BridgeError, ServiceRejected, SettingsWrong
from bridge.magento import (
    BearerSecret,
    Filter,
    ScanCursor,
    bulk,
    catalog,
    inventory,
    product_writes,
    read_list,
    search_query,
    stocks,
)

from .conftest import KEYS, TESTS, Shop, query_of, recording

VERSIONS = ("2.4.6", "2.4.8")
MOMENT = datetime(2026, 11, 23, 16, 55, tzinfo=UTC)
SOURCE_ITEMS = [
    inventory.SourceItem(sku="A", source_code="berlin", quantity=Decimal("0.1")),
    inventory.SourceItem(sku="B", source_code="munich", quantity=Decimal(7), status=0),
]
#: Calls whose answer here is none that they can read.
UNREADABLE = {"order", "salable_quantity", "is_salable", "stock_item"}
CALLS = {
    "order": lambda client: client.order(29),
    "find_order": lambda client: client.find_order("000000012", store_id=1),
    "orders_by_id": lambda client: client.orders_by_id([29, 7]),
    "scan_orders": lambda client: client.scan_orders(updated_from=MOMENT),
    "scan_orders in a second": lambda client: client.scan_orders(
        updated_from=MOMENT, after=ScanCursor(since=MOMENT, after_id=91)
    ),
    "set_ext_order_id": lambda client: client.set_ext_order_id(29, "S00042"),
    "product": lambda client: client.product(1),
    "product_by_sku": lambda client: client.product_by_sku("SKU WITH/SLASH & space"),
    "scan_products": lambda client: catalog.scan_products(client, updated_from=MOMENT),
    "sweep_products": lambda client: catalog.sweep_products(client, after_id=7),
    "products_by_id": lambda client: catalog.products_by_id(client, [1, 2]),
    "products_by_sku": lambda client: catalog.products_by_sku(client, ["A", "B,C", "D,E"]),
    "attributes by code": lambda client: catalog.attributes(client, ["color"]),
    "attribute_codes": catalog.attribute_codes,
    "categories": catalog.categories,
    "websites": lambda client: client.websites(),
    "store_groups": lambda client: client.store_groups(),
    "store_views": lambda client: client.store_views(),
    "store_configs": lambda client: client.store_configs(),
    "probe": lambda client: client.probe(catalog=True, bulk=True),
    "tax rates": lambda client: read_list(
        client, "/taxRates/search", key="code", fields=("rate",), after="DE-19"
    ),
    "tax classes": lambda client: read_list(
        client,
        "/taxClasses/search",
        key="class_id",
        fields=("class_name",),
        filters=(Filter("class_type", "PRODUCT"),),
        after=2,
    ),
    "customer groups": lambda client: read_list(
        client, "/customerGroups/search", key="id", fields=("code",), after=3
    ),
    "sources": lambda client: read_list(
        client, "/inventory/sources", key="source_code", fields=("name", "carrier_links"), after="default"
    ),
    "source_items": lambda client: inventory.source_items(client, ["A", "B,C", " D"], ["berlin", "munich"]),
    "sweep_source_items": lambda client: inventory.sweep_source_items(client, "berlin", after="SIM-01"),
    "write_source_items": lambda client: inventory.write_source_items(client, SOURCE_ITEMS),
    "delete_source_items": lambda client: inventory.delete_source_items(client, [("A", "berlin")]),
    "layout": stocks.layout,
    "salable_quantity": lambda client: stocks.salable_quantity(client, "A/B C", 2),
    "is_salable": lambda client: stocks.is_salable(client, "A/B C", 2),
    "stock_item": lambda client: stocks.stock_item(client, "A/B C"),
    "write_stock_item": lambda client: stocks.write_stock_item(client, "A/B C", quantity=Decimal("1.5")),
    "find_open_bulk": lambda client: bulk.find_open_bulk(client, [SOURCE_ITEMS]),
    "bulk_status": lambda client: bulk.bulk_status(client, "00000000-0000-0000-0000-000000000000"),
    "attributes": lambda client: read_list(
        client,
        "/products/attributes",
        key="attribute_code",
        fields=("default_frontend_label",),
        filters=(Filter("is_user_defined", 1), Filter("frontend_input", "select,multiselect", "in")),
        after="color",
    ),
}


def requests_of(name, secret=KEYS, **options):
    """Make the call and return what was asked; what becomes of it does not matter here."""
    shop = Shop()
    shop.sends(200, b'{"items": []}')
    if name in {"websites", "store_groups", "store_views", "store_configs"}:
        shop.sends(200, b"[]")
    client = shop.client(secret, **options)
    try:
        CALLS[name](client)
    except BridgeError:
        assert name in UNREADABLE
    client.close()
    return shop.requests


def contract(version):
    return json.loads((TESTS / "contracts" / "magento" / f"admin-{version}.json").read_text())


def endpoint_of(structure, request):
    path = request.url.raw_path.decode().partition("?")[0].removeprefix("/rest/all")
    for template, methods in structure["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return methods[request.method.lower()]
    raise AssertionError(f"{path} is not in the contract")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CALLS)
def test_a_request_uses_the_paths_fields_and_types_of_the_contract(name, version):
    structure = contract(version)
    asked = requests_of(name)
    assert asked
    for request in asked:
        parameters = {item["name"]: item for item in endpoint_of(structure, request)["parameters"]}
        for field, value in query_of(request).items():
            if field == "fields":  # Magento takes it everywhere; the contract does not name it.
                continue
            known = parameters[re.sub(r"\[\d\]", "[0]", field)]
            assert known["in"] == "query"
            assert known["type"] == "string" or re.fullmatch(r"\d+", value)
        if request.method != "GET":
            (body,) = [item for item in parameters.values() if item["in"] == "body"]
            assert fits(structure, body["schema"], json.loads(request.content))


TYPES = {"integer": int, "string": str, "boolean": bool, "number": (int, float)}


def fits(structure, schema, value):
    """Whether a value has the fields and types of the contract; which are required it does not tell rightly."""
    if "$ref" in schema:
        schema = structure["definitions"][schema["$ref"].rpartition("/")[2]]
    if schema["type"] == "array":
        return all(fits(structure, schema["items"], one) for one in value)
    if schema["type"] == "object":
        known = schema["properties"]
        return set(value) <= set(known) and all(
            fits(structure, known[key], one) for key, one in value.items()
        )
    return isinstance(value, TYPES[schema["type"]])


@pytest.mark.parametrize("name", CALLS)
def test_a_list_never_asks_for_everything(name):
    for request in requests_of(name):
        query = query_of(request)
        if (
            any(part in request.url.path for part in ("/orders", "/products", "/sources", "/categories"))
            and request.method == "GET"
        ):
            is_one = re.search(r"/orders/\d+$", request.url.path)
            assert is_one or 1 <= int(query["searchCriteria[pageSize]"]) <= 100


def natural(name):
    """Magento sorts encoded names by PHP's natural order."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def check_signature(request):
    """Check the signature as Magento does: natural order, scheme and Host header, no body, plain signs in the path."""
    header = request.headers["Authorization"]
    assert header.startswith("OAuth ")
    given = {key: unquote(value) for key, value in re.findall(r'(\w+)="([^"]*)"', header)}
    signature = given.pop("oauth_signature")
    pairs = parse_qsl(
        request.url.query.decode(), keep_blank_values=True, strict_parsing=bool(request.url.query)
    )
    encoded = [(quote(key, safe="~"), quote(value, safe="~")) for key, value in [*pairs, *given.items()]]
    encoded.sort(key=lambda pair: natural(pair[0]))
    path = request.url.raw_path.decode().partition("?")[0]
    for sign in ":@&=+$,/;%":
        path = path.replace(quote(sign, safe=""), sign)
    path = re.sub(r"%(?![0-9A-F]{2})", "%25", path)
    address = f"{request.url.scheme}://{request.headers['Host']}{path}"
    base = "&".join(
        [
            request.method,
            quote(address, safe="~"),
            quote("&".join("=".join(pair) for pair in encoded), safe="~"),
        ]
    )
    key = f"{quote(KEYS.consumer_secret, safe='~')}&{quote(KEYS.access_token_secret, safe='~')}"
    digest = hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()
    assert signature == base64.b64encode(digest).decode()
    return given


@pytest.mark.parametrize("name", CALLS)
def test_a_request_is_signed_as_magento_checks_it(name):
    for request in requests_of(name):
        given = check_signature(request)
        assert given["oauth_signature_method"] == "HMAC-SHA256"
        assert given["oauth_consumer_key"] == KEYS.consumer_key
        assert given["oauth_token"] == KEYS.access_token
        assert set(given) == {
            "oauth_consumer_key", "oauth_nonce", "oauth_signature_method", "oauth_timestamp", "oauth_token",
            "oauth_version",
        }  # fmt: skip
        assert abs(int(given["oauth_timestamp"]) - datetime.now(UTC).timestamp()) < 60


@pytest.mark.parametrize(
    "base_url",
    [
        "https://shop.example.test:8443",
        "https://shop.example.test:443/",
        "http://shop.example.test/store/eu/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "https://b\u00fccher.example.test",
    ],
)
@pytest.mark.parametrize("value", ["a b+c", "50%", "\u00fc\u20ac", "a/b&c=d", "~*'()!", "%2F", ""])
def test_the_signature_is_over_the_address_exactly_as_sent(shop, base_url, value):
    from bridge.magento import MagentoClient

    shop.sends(200, b'{"items": []}')
    client = MagentoClient.connect(base_url=base_url, secret=KEYS, transport=httpx.MockTransport(shop.handle))
    client.product_by_sku(value)
    request = shop.requests[0]
    check_signature(request)
    assert query_of(request)["searchCriteria[filterGroups][0][filters][0][value]"] == value


@pytest.mark.parametrize(
    "sku", ["a/b", "a b", "a, b; c", "a&b=c", "50%", "50% off", "%41", "a+b@c:d", "\u00fc(*)'!?#"]
)
def test_a_sku_in_the_path_is_sent_encoded_and_signed_as_magento_reads_it(shop, magento, sku):
    """``auth/034-oauth1-path-with-encoded-slash``, ``035``: all of these were tried on 2.4.7."""
    shop.sends(200, b"{}")
    product_writes.change_product(magento, sku, {}, store_code="all")
    assert shop.requests[0].url.raw_path.decode() == f"/rest/all/V1/products/{quote(sku, safe='')}"
    check_signature(shop.requests[0])


def test_each_try_is_signed_anew(shop, magento):
    shop.answers("stores/009-*")
    magento.websites()
    magento.websites()
    nonces = {check_signature(request)["oauth_nonce"] for request in shop.requests}
    assert len(nonces) == 2


def test_the_body_is_not_signed(shop, magento):
    shop.sends(200, b"{}")
    magento.post("/x", {"a": "b=c&d"})
    given = check_signature(shop.requests[0])
    assert "oauth_body_hash" not in given


def test_a_bearer_token_is_sent_as_it_is():
    (request,) = requests_of("websites", BearerSecret(access_token="t0ken"))
    assert request.headers["Authorization"] == "Bearer t0ken"


def test_the_store_code_stands_in_the_path():
    (request,) = requests_of("websites", store_code="de")
    assert request.url.path == "/rest/de/V1/store/websites"


@pytest.mark.parametrize("code", ["", "../x", "de/V1", "d e", "1de", "d-e", "\u00fc"])
def test_a_store_code_that_would_change_the_path_is_refused(shop, code):
    with pytest.raises(SettingsWrong) as caught:
        shop.client(store_code=code)
    assert caught.value.details["reason"] == "store_code"


def test_ten_filter_groups_are_sent_and_eleven_refused_before_anything_is_sent(shop, magento):
    ten = [Filter("entity_id", number, "neq") for number in range(10)]
    shop.sends(200, b"{}")
    magento.get("/orders", query=search_query(ten, page_size=1))
    check_signature(shop.requests[0])
    for many in ([*ten, Filter("a", 1)], [[*ten, Filter("a", 1)]]):
        with pytest.raises(ServiceRejected) as caught:
            search_query(many, page_size=1)
        assert caught.value.details["reason"] == "too_many_filters"


def test_twelve_groups_signed_by_the_standard_are_what_magento_refuses(shop, magento):
    """Why the limit stands: ``auth/005-oauth1-twelve-filter-groups-byte-order``."""
    recorded = recording("auth/005-*")["request"]["query"]
    shop.sends(200, b"{}")
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in recorded.items())
    magento.get("/orders", query=query)
    with pytest.raises(AssertionError):
        check_signature(shop.requests[0])


def test_a_bulk_of_source_items_is_sent_as_recorded(shop, magento):
    recorded = recording("async/008-*")
    shop.answers("async/008-*")
    batches = [
        [inventory.SourceItem(sku="SIM-19", source_code=code, quantity=Decimal(33))]
        for code in ("berlin", "nope")
    ]
    assert bulk.send_source_items(magento, batches) == recorded["response"]["json"]["bulk_uuid"]
    (request,) = shop.requests
    assert request.url.path == "/rest/all/async/bulk/V1/inventory/source-items"
    assert json.loads(request.content) == recorded["request"]["json"]
    check_signature(request)


def test_source_items_are_sent_as_recorded(shop, magento):
    recorded = recording("inventory/016-*")
    shop.answers("inventory/016-*")
    items = [
        inventory.SourceItem(sku="SIM-01", source_code="berlin", quantity=Decimal(40)),
        inventory.SourceItem(sku="SIM-01", source_code="munich", quantity=Decimal("10.5")),
    ]
    inventory.write_source_items(magento, items)
    assert json.loads(shop.requests[0].content) == recorded["request"]["json"]
    assert inventory.encode_source_items(items) == shop.requests[0].content


def test_a_classic_stock_item_is_sent_as_recorded(shop, magento):
    recorded = recording("inventory/057-*")
    shop.answers("inventory/057-*")
    stocks.write_stock_item(magento, "SIM-02", quantity=Decimal(123), item_id=2)
    (request,) = shop.requests
    assert request.method == "PUT"
    assert request.url.path == "/rest/all/V1/products/SIM-02/stockItems/2"
    assert json.loads(request.content) == recorded["request"]["json"]
