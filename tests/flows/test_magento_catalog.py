"""Reading Magento's catalog over HTTP: by change, by id, by SKU, by store view; attributes and categories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from bridge.errors import AccessMissing, InvalidRecord, SettingsWrong
from bridge.flows.magento_catalog import MagentoCatalog, Products
from bridge.magento import MagentoClient, parse_secret
from bridge.magento.scan import ScanCursor
from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox
from bridge.translate.catalog_records import MagentoProduct
from bridge.wire import Exchange

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class World:
    """A simulated shop, its catalog as the bridge reads it, and what was asked meanwhile."""

    def __init__(self) -> None:
        self.box = MagentoBox(calls=Calls())
        self.exchanges: list[Exchange] = []
        self.client = MagentoClient.connect(
            base_url=self.box.url, secret=parse_secret(json.dumps(self.box.secret))
        )
        self.catalog = MagentoCatalog(self.client.recording(self.exchanges.append))

    def close(self) -> None:
        self.client.close()
        self.box.stop()

    @property
    def asked(self) -> int:
        count = len(self.exchanges)
        self.exchanges.clear()
        return count

    def scan(self, *, page_size: int = 100, cursor: ScanCursor | None = None) -> tuple[list[int], ScanCursor]:
        """Return the ids of a whole scan, in their order, and where the next one begins."""
        found: list[int] = []
        for _ in range(500):
            page = self.catalog.scan_products(updated_from=LONG_AGO, after=cursor, page_size=page_size)
            found += ids(page)
            cursor = page.cursor
            if page.is_last:
                return found, cursor
        raise AssertionError("the scan does not end")

    def sweep(self, *, page_size: int = 100) -> list[int]:
        found: list[int] = []
        after_id = 0
        while True:
            page = self.catalog.sweep_products(after_id=after_id, page_size=page_size)
            found += ids(page)
            if page.is_last:
                return found
            after_id = page.after_id


def ids(page: Products) -> list[int]:
    return [product.product_id for product in page.products]


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def test_a_scan_reads_every_product_and_the_next_one_only_what_changed(world: World) -> None:
    made = world.box.add_products(120)
    found, cursor = world.scan(page_size=25)
    assert set(found) == {raw["id"] for raw in world.box.catalog.all()}
    assert set(world.scan(cursor=cursor)[0]) <= {raw["id"] for raw in made}
    changed = world.box.catalog.change(made[3]["sku"], {"name": "New"})
    again, cursor = world.scan(cursor=cursor)
    assert changed["id"] in again
    # A bulk write of prices moves nothing: a sweep finds it, a scan does not.
    world.box.catalog.change("SIM-01", {"price": 1}, is_silent=True)
    assert 1 not in world.scan(cursor=cursor)[0]
    assert 1 in world.sweep()


def test_many_products_of_one_second_are_all_read(world: World) -> None:
    moment = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S")
    for raw in world.box.add_products(90):
        world.box.catalog.add({**raw, "updated_at": moment})
    found, _ = world.scan(page_size=20)
    assert set(found) == {raw["id"] for raw in world.box.catalog.all()}


def test_a_sweep_reads_every_product_once_and_nothing_heavy(world: World) -> None:
    world.box.add_products(150)
    assert world.sweep(page_size=40) == [raw["id"] for raw in world.box.catalog.all()]
    assert world.asked == 5
    world.catalog.sweep_products(page_size=40)
    body = world.exchanges[-1].response_body
    assert b"stock_item" not in body
    assert b"tier_prices" not in body
    assert b"custom_attributes" in body


def test_a_shop_with_input_limits_gets_smaller_pages_and_all_is_read(world: World) -> None:
    world.box.add_products(120)
    world.box.switches.input_limits = True
    everything = [raw["id"] for raw in world.box.catalog.all()]
    assert world.sweep() == everything
    assert set(world.scan()[0]) == set(everything)
    assert set(world.catalog.products_by_id(everything)) == set(everything)


def test_one_damaged_product_is_told_and_keeps_none_of_the_others_back(world: World) -> None:
    world.box.catalog.change("SIM-02", {"sku": ""}, is_silent=True)
    page = world.catalog.sweep_products(page_size=3)
    assert ids(page) == [1, 3]
    assert page.refused[2].message == "The product 2's field sku is missing."
    assert not page.is_last
    assert world.catalog.scan_products(updated_from=LONG_AGO).refused.keys() == {2}
    with pytest.raises(InvalidRecord, match="field sku is missing"):
        world.catalog.products_by_id([2])


def test_products_are_read_by_id_in_batches_and_those_that_are_gone_are_missing(world: World) -> None:
    made = [raw["id"] for raw in world.box.add_products(130)]
    world.box.catalog.remove("SIM-01")
    found = world.catalog.products_by_id([*made, 1, 999_999, made[0]])
    assert list(found) == sorted(made)
    assert world.asked == 2
    assert isinstance(found[made[0]], MagentoProduct)
    assert world.catalog.products_by_id([]) == {}
    assert world.asked == 0


def test_products_are_found_by_skus_of_every_shape(world: World) -> None:
    made = world.box.add_products(200)
    skus = [raw["sku"] for raw in made]
    found = world.catalog.products_by_sku([*skus, "sim-01", "SKU WITH/SLASH & space", "NOPE", "NO,PE", " "])
    assert {sku: product.product_id for sku, product in found.items()} == {
        **{raw["sku"]: raw["id"] for raw in made}, "sim-01": 1, "SKU WITH/SLASH & space": 22,
    }  # fmt: skip
    assert found["sim-01"].sku == "SIM-01"


def test_the_query_stays_short_however_long_the_skus_are(world: World) -> None:
    skus = ["\u00c4" * 60 + f",{number:03}" for number in range(12)]
    skus += ["\u00dc" * 60 + f"-{number:03}" for number in range(60)]
    raw = world.box.catalog.by_sku("SIM-01")
    assert raw is not None
    for number, sku in enumerate(skus):
        world.box.catalog.add({**raw, "id": 1000 + number, "sku": sku})
    assert set(world.catalog.products_by_sku(skus)) == set(skus)
    assert max(len(exchange.url) for exchange in world.exchanges) < 7000


def test_texts_come_as_a_store_view_shows_them_and_products_as_all_do(world: World) -> None:
    catalog = world.box.catalog
    catalog.change("SIM-01", {"description": "<p>One</p>"})
    catalog.set_texts("SIM-01", "de", {"name": "Eins", "description": "<p>Eins</p>"})
    catalog.set_texts("SIM-01", "default", {"name": "Only in the default view"})
    texts = world.catalog.product_texts([1, 2, 999], "de")
    assert (texts[1].name, texts[1].description) == ("Eins", "<p>Eins</p>")
    assert texts[2].name == "Simple Product 2"
    assert set(texts) == {1, 2}
    product = world.catalog.products_by_id([1])[1]
    assert (product.name, product.description) == ("Simple Product 1", "<p>One</p>")
    # The texts alone: no prices, no images.
    assert b'"price"' not in world.exchanges[0].response_body
    with pytest.raises(SettingsWrong, match="no store view with this store code"):
        world.catalog.product_texts([1], "nope")
    with pytest.raises(SettingsWrong, match="letters, digits"):
        world.catalog.product_texts([1], "../all")


def test_prices_come_to_the_digit_as_decimals(world: World) -> None:
    world.box.catalog.change("SIM-01", {"price": 0.1 + 0.2}, is_silent=True)
    world.box.catalog.change("SIM-02", {"price": None}, is_silent=True)
    world.box.catalog.change("SIM-03", {"price": 1234567.123456, "cost": "3.333300"}, is_silent=True)
    found = world.catalog.products_by_id([1, 2, 3])
    assert found[1].price == Decimal("0.300000000000")
    assert found[2].price is None
    assert (found[3].price, found[3].cost) == (Decimal("1234567.123456"), Decimal("3.3333"))


def test_attributes_come_by_code_or_id_with_their_options(world: World) -> None:
    shoe = world.box.attributes.add("shoe_size", [str(size) for size in range(30, 50)])
    world.box.attributes.change_option("color", "7", "Deep red")
    found = {one.code: one for one in world.catalog.attributes(codes=["color", "size", "nope"]).values()}
    assert set(found) == {"color", "size"}
    assert found["color"].options["7"].label == "Deep red"
    assert world.asked == 1
    by_id = world.catalog.attributes([137, shoe["attribute_id"], 999])
    assert {one.code for one in by_id.values()} == {"size", "shoe_size"}
    assert by_id[shoe["attribute_id"]].options.keys() == {option["value"] for option in shoe["options"][1:]}
    assert world.catalog.attributes() == {}


def test_more_attributes_than_a_page_has_are_all_known_by_id(world: World) -> None:
    numbers = [world.box.attributes.add(f"extra_{number}", ["x"])["attribute_id"] for number in range(230)]
    assert world.catalog.attributes(numbers).keys() == set(numbers)
    world.box.switches.input_limits = True
    assert world.catalog.attributes(numbers).keys() == set(numbers)


def test_all_categories_are_read_page_by_page(world: World) -> None:
    made = [world.box.categories.add(f"Category {number}", 5) for number in range(230)]
    found = world.catalog.categories()
    assert [one.category_id for one in found] == [1, 2, 3, 4, 5, *made]
    assert world.asked == 3
    assert found[5].parent_id == 5


def test_a_row_without_a_time_or_an_id_is_refused_by_name(world: World) -> None:
    world.box.catalog.change("SIM-01", {"updated_at": "soon"}, is_silent=True)
    with pytest.raises(InvalidRecord, match="updated_at is no time"):
        world.scan()
    world.box.categories.change(5, id="five")
    with pytest.raises(InvalidRecord, match="without id"):
        world.catalog.categories()


def test_a_missing_right_names_the_resource(world: World) -> None:
    world.box.guard.allowed = frozenset({"Magento_Catalog::products"})
    with pytest.raises(AccessMissing, match="Magento_Catalog::categories"):
        world.catalog.categories()
    assert world.sweep()


def test_every_request_says_how_many_rows_and_in_which_order(world: World) -> None:
    world.catalog.products_by_sku(["SIM-01", "A,B"])
    world.catalog.product_texts([1], "de")
    world.catalog.attributes([93])
    world.catalog.categories()
    world.scan()
    for exchange in world.exchanges:
        query = dict(parse_qsl(exchange.url.partition("?")[2]))
        assert 1 <= int(query["searchCriteria[pageSize]"]) <= 100
        assert query["searchCriteria[sortOrders][0][direction]"] == "ASC"
        assert query["fields"].endswith("total_count")
    stores = [exchange.url.partition("/rest/")[2].partition("/")[0] for exchange in world.exchanges]
    assert set(stores) == {"all", "de"}
