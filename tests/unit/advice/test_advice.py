"""Advice: every known failure gets what to do, from the errors that the real clients raise."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from advice_servers import (
    TOKEN,
    error_of,
    fails,
    magento,
    magento_recording,
    odoo,
    odoo_recording,
    untrusted,
)

from bridge.advice import CATALOGUE, advise, find_entry, help_for
from bridge.errors import (
    AccessMissing,
    BoundRecordGone,
    BridgeError,
    CatalogUnclear,
    ConfigurationError,
    CredentialsRefused,
    DoubtfulEffect,
    DuplicateRecord,
    InvalidRecord,
    LeaseLost,
    MappingMissing,
    MappingWrong,
    OperatorError,
    OrderUnclear,
    PermanentError,
    RateLimited,
    RecordMissing,
    RetryableError,
    ServiceRejected,
    ServiceUnavailable,
    SettingsWrong,
    StaleRead,
    TotalDiffers,
)
from bridge.flows.accept_order import ChangedSinceShown, NothingToAccept
from bridge.flows.context import StoreViewUnknown
from bridge.flows.effects import EffectUnclear
from bridge.flows.explain_stock import StockNotBound
from bridge.flows.export_options import AttributeUnmapped
from bridge.flows.import_stock import StockNotPreviewed
from bridge.flows.import_stores import StoresUnclear
from bridge.flows.order_products import ProductUnknown
from bridge.flows.price_writing import PriceRefused
from bridge.flows.product_writing import ProductRefused
from bridge.flows.rebuild_bindings import StoreUnknown
from bridge.flows.resolve_conflict import ConflictUnwritable
from bridge.flows.resolve_picture import PictureUnwritable
from bridge.flows.resolve_price import PriceUnwritable
from bridge.flows.stock_bulk import StockBulkWaits
from bridge.flows.stock_figures import StockUnclear
from bridge.flows.stock_writing import StockSourceUnknown
from bridge.flows.update_order import OrderChanged
from bridge.ledger import LedgerUnavailable
from bridge.magento.media import PictureUnreachable, PictureUnusable
from bridge.translate.order_book import OrderRules
from bridge.translate.price_records import PriceUnclear
from bridge.translate.product_plan import ProductUnclear
from bridge.translate.total_policy import judge
from bridge.wire import NoAnswer
from producers.publisher import PublishFailed, Unroutable

Make = Callable[[], BridgeError]


def answered(name: str) -> Make:
    return lambda: error_of(lambda: magento(lambda _: magento_recording(name)).store_views())


def from_magento(name: str) -> Make:
    return lambda: error_of(lambda: magento(lambda _: magento_recording(name)).get("/orders/1"))


def posted(name: str) -> Make:
    return lambda: error_of(lambda: magento(lambda _: magento_recording(name)).post("/products", {}))


def limited(request: httpx.Request) -> httpx.Response:
    """A shop whose integration may see the store views and nothing else."""
    if "/store/" in request.url.path:
        return httpx.Response(200, json=[])
    return magento_recording("auth/015-oauth1-limited-integration-refused")


def from_odoo(name: str, version: int = 18) -> Make:
    def reply(request: httpx.Request) -> httpx.Response:
        if b'"authenticate"' in request.content and "authenticate" not in name:
            return odoo_recording(version, "auth/common-authenticate-ok")
        return odoo_recording(version, name)

    return lambda: error_of(lambda: odoo(reply, version=version).search_read("account.move", [], ["name"]))


def differs() -> BridgeError:
    from decimal import Decimal

    rules = OrderRules()
    return error_of(
        lambda: judge(magento=Decimal("10.00"), odoo=Decimal("9.99"), rules=rules, increment_id="000000042")
    )


#: What happened; words that must stand in the advice; the error as the bridge itself makes it.
CASES: dict[str, tuple[Make, tuple[str, ...]]] = {
    "one resource is missing": (
        lambda: error_of(lambda: magento(limited).get("/orders")),
        ("Magento_Sales::actions_view", "Integrations", "Magento admin"),
    ),
    "bearer is off or the token is wrong": (
        lambda: error_of(
            lambda: magento(lambda _: magento_recording("auth/022-bearer-garbage"), secret=TOKEN).get(
                "/orders"
            )
        ),
        ("token is wrong or expired", "switched off", "standalone Bearer tokens", "--magento-oauth"),
    ),
    "everything is refused although signed": (
        lambda: error_of(
            lambda: magento(lambda _: magento_recording("auth/022-bearer-garbage")).get("/orders")
        ),
        ("its resources", "Authorization header"),
    ),
    "the signature is wrong": (answered("auth/008-oauth1-bad-signature"), ("two secrets", "proxy")),
    "the consumer key is unknown": (
        answered("auth/009-oauth1-unknown-consumer"),
        ("four keys", "activated anew"),
    ),
    "the access token is unknown": (
        answered("auth/010-oauth1-unknown-token"),
        ("four keys", "activated anew"),
    ),
    "the clock is ahead": (answered("auth/013-oauth1-future-timestamp"), ("NTP", "clock runs ahead")),
    "the firewall forbids": (
        lambda: error_of(lambda: magento(lambda _: httpx.Response(403, text="no")).store_views()),
        ("firewall", "server admin"),
    ),
    "there is no such entity": (
        from_magento("errors/003-404-no-such-entity-parameters"),
        ("No such entity with", "nothing was written"),
    ),
    "there is no such store view": (
        answered("catalog/092-store-scope-get-unknown-store"),
        ("store_code",),
    ),
    "there is no such endpoint": (from_magento("errors/006-404-route"), ("module",)),
    "there is no Magento": (
        lambda: error_of(lambda: magento(lambda _: httpx.Response(404, text="<html>")).store_views()),
        ("/rest", "base_url"),
    ),
    "Magento sends us on": (
        lambda: error_of(
            lambda: magento(
                lambda _: httpx.Response(301, headers={"Location": "https://www.shop.test/"})
            ).store_views()
        ),
        ("https://www.shop.test", "base_url"),
    ),
    "Magento fails inside": (from_magento("errors/022-500-unknown-filter-field"), ("exception.log",)),
    "a web page comes instead": (
        lambda: error_of(
            lambda: magento(lambda _: httpx.Response(200, text="<!doctype html>")).store_views()
        ),
        ("maintenance",),
    ),
    "Magento refuses a product": (
        posted("catalog/073-product-post-missing-attribute-set"),
        ("Magento names",),
    ),
    "Magento asks for fewer calls": (
        lambda: error_of(lambda: magento(lambda _: httpx.Response(429)).store_views()),
        ("Magento asked for fewer calls", "waits"),
    ),
    "the page is too large": (
        from_magento("errors/027-limit-page-size-over-maximum"),
        ("limit", "web server of Magento"),
    ),
    "the certificate is not trusted": (
        lambda: error_of(lambda: magento(untrusted).store_views()),
        ("certificate of Magento", "verify_ssl"),
    ),
    "the server cannot be reached": (
        lambda: error_of(lambda: odoo(fails(httpx.ConnectError("refused"))).login()),
        ("Odoo cannot be reached", "bridge run test-connection"),
    ),
    "the server does not answer in time": (
        lambda: error_of(lambda: magento(fails(httpx.ReadTimeout("slow"))).store_views()),
        ("Magento did not answer in time", "goes on by itself"),
    ),
    "the key is wrong or expired": (
        from_odoo("auth/common-authenticate-wrong-password"),
        ("expired", "API Keys", "--odoo-key"),
    ),
    "the key is wrong or expired, 19": (from_odoo("auth/json2-wrong-key", 19), ("expired", "API Keys")),
    "the database is wrong": (
        from_odoo("auth/common-authenticate-wrong-db"),
        ("no database odoo18", "odoo_db"),
    ),
    "the database is wrong, 19": (
        from_odoo("auth/json2-db-header-wrong", 19),
        ("no database odoo18", "odoo_db"),
    ),
    "a right is missing in Odoo": (
        from_odoo("errors/access-error-model"),
        ("Invoicing/Administrator", "Users & Companies"),
    ),
    "Odoo refuses a value": (
        from_odoo("errors/validation-recursion"),
        ("Odoo named what it does not accept",),
    ),
    "Odoo refuses an act": (from_odoo("errors/user-error-post-empty-move"), ("Odoo named",)),
    "Odoo has no such field": (from_odoo("errors/wrong-field-read"), ("differs from those",)),
    "an app is missing in Odoo": (from_odoo("auth/unknown-model"), ("Install Sales",)),
    "a record is gone in Odoo": (from_odoo("errors/missing-write"), ("Restore it",)),
    "what answers is not Odoo": (
        lambda: error_of(lambda: odoo(lambda _: httpx.Response(404, text="x")).search("res.users", [])),
        ("odoo_url",),
    ),
    "a proxy before Odoo wants a login": (
        lambda: error_of(lambda: odoo(lambda _: httpx.Response(401, text="x")).search("res.users", [])),
        ("proxy",),
    ),
    "Odoo knows the store under another id": (
        lambda: SettingsWrong("Another id.", system="odoo", reason="installation_differs", instance="shop"),
        ("bridge instance show shop", "bridge bindings rebuild"),
    ),
    "two instances write into a database and its copy": (
        lambda: SettingsWrong("A copy.", system="odoo", reason="installation_copied", instance="shop"),
        ("BRIDGE_DATABASE_URL",),
    ),
    "the tag of the installation id was renamed": (
        lambda: SettingsWrong("Renamed.", system="odoo", reason="installation_tag", tag=3),
        ("Contact Tags", "bridge instance show"),
    ),
    "there is nothing to rebuild bindings from": (
        lambda: StoreUnknown("Odoo does not know this store.", system="odoo"),
        ("base_url", "Contact Tags"),
    ),
    "Magento's stores cannot be read": (
        lambda: StoresUnclear("Magento's website base: code is missing.", system="magento"),
        ("code is missing", "extension", "retry once"),
    ),
    "the store view of an order is not known": (
        lambda: StoreViewUnknown("Not known.", system="magento", store_id=7, instance="shop"),
        ("bridge run import-stores --instance shop", "go on by themselves"),
    ),
    "a store has a setting that cannot be": (
        lambda: SettingsWrong("What is set for store view de cannot be.", reason="override"),
        ("--store CODE --unset KEY",),
    ),
    "the SKU is unknown": (
        lambda: ProductUnknown("Odoo has no product.", system="odoo", sku="MUG-1"),
        ("MUG-1", "auto_create_products"),
    ),
    "a product of Magento cannot be stored": (
        lambda: ProductUnclear("The price of the product MUG is -1.", system="magento", reason="amount"),
        ("The price of the product MUG is -1", "Correct the product in Magento"),
    ),
    "a barcode is there twice": (
        lambda: ProductRefused('Odoo does not accept MUG: Barcode "1" already assigned.', system="odoo"),
        ("already assigned", "filter by barcode"),
    ),
    "Magento does not accept a product": (
        lambda: ProductRefused("Magento does not accept MUG: No.", system="magento", reason="magento"),
        ("Magento does not accept MUG: No", "Magento named what it does not accept"),
    ),
    "another product of Odoo has the SKU": (
        lambda: ProductUnclear("MUG is bound.", system="odoo", reason="sku_taken", sku="MUG"),
        ("MUG is bound", "another internal reference"),
    ),
    "an attribute of Odoo stands for none": (
        lambda: AttributeUnmapped("Colour stands for no attribute.", system="magento", odoo_id=7),
        ("Colour", "bridge mappings set attribute CODE 7"),
    ),
    "the chosen value has no place": (
        lambda: ConflictUnwritable("The SKU cannot be written.", system="magento"),
        ("The SKU cannot be written", "by hand", "cannot be renamed"),
    ),
    "Magento's product was deleted": (
        lambda: BoundRecordGone("Deleted.", system="magento", model="product"),
        ("Deleted", "archive the product in Odoo"),
    ),
    "Odoo does not accept a product": (
        lambda: ProductRefused("Odoo does not accept MUG: No.", system="odoo"),
        ("Odoo does not accept MUG: No", "Odoo named what it does not accept"),
    ),
    "there is no product with the SKU": (
        lambda: RecordMissing("Magento has no product MUG.", system="magento", entity="product", sku="MUG"),
        ("Magento has no product MUG", "Catalog > Products"),
    ),
    "there is no product with the SKU in Odoo": (
        lambda: RecordMissing("Odoo has no product MUG.", system="odoo", entity="product", sku="MUG"),
        ("Odoo has no product MUG", "internal reference"),
    ),
    "the SKU is there twice": (
        lambda: DuplicateRecord("Two.", system="odoo", reason="sku", sku="MUG-1", ids=[1, 2]),
        ("Several Odoo products have the SKU MUG-1", "internal reference"),
    ),
    "a tax is not mapped": (
        lambda: MappingMissing("tax", "DE's 19|19"),
        ("No Odoo tax is mapped", "mappings set tax 'DE'\"'\"'s 19|19' ODOO_ID"),
    ),
    "no tax is not decided": (
        lambda: MappingMissing("zero_tax", "CH|novat|0"),
        ("bears no tax", "mappings set zero_tax 'CH|novat|0' ODOO_ID"),
    ),
    "a service is not mapped": (
        lambda: MappingMissing("service", "gift_wrapping"),
        ("mappings set service gift_wrapping ODOO_ID",),
    ),
    "a product is not known": (
        lambda: MappingMissing("product", "MUG-1", "No Odoo product is known for 'MUG-1'."),
        ("auto_create_products",),
    ),
    "a tax is mapped to another rate": (
        lambda: MappingWrong("19 % is mapped to 7 %.", kind="tax", value="DE 19|19"),
        ("Change the mapping", "go on by themselves", "bridge mappings set tax 'DE 19|19' ODOO_ID"),
    ),
    "taxes cannot be on one line": (
        lambda: OrderUnclear("Two kinds of taxes.", reason="tax_mixed"),
        ("Change the mapping",),
    ),
    "the total differs": (
        differs,
        ("10.00", "9.99", "bridge explain order 000000042", "order_total_tolerance"),
    ),
    "the total differs after it was stored": (
        lambda: TotalDiffers("Stored.", system="odoo", increment_id="42", reason="surprise"),
        ("automation", "bridge explain order 42"),
    ),
    "an imported order that was changed": (
        lambda: OrderChanged("Order 42 was changed: price: 1 -> 2.", system="magento", increment_id="42"),
        ("never carried over", "by hand", "bridge orders accept 42 --why REASON"),
    ),
    "an order that changed again after it was shown to be accepted": (
        lambda: ChangedSinceShown("Order 42 was changed again.", increment_id="42"),
        ("bridge orders accept 42 --dry-run",),
    ),
    "an order to be accepted that is not in Odoo": (
        lambda: NothingToAccept("Order 42 is not in Odoo yet.", system="odoo", increment_id="42"),
        ("bridge run import-order 42",),
    ),
    "the quantity has too many digits": (
        lambda: OrderUnclear("1.001", system="odoo", reason="quantity_digits"),
        ("Decimal Accuracy",),
    ),
    "the product of a figure is not bound": (
        lambda: StockNotBound("The bridge knows no product with the SKU A-1.", sku="A-1"),
        ("bridge run import-product A-1",),
    ),
    "the product of a figure was deleted": (
        lambda: StockUnclear("Deleted.", system="odoo", reason="gone", sku="A-1"),
        ("Bind the Magento product", "keeps the quantity"),
    ),
    "the product of a figure is archived": (
        lambda: StockUnclear("Archived.", system="odoo", reason="archived", sku="A-1"),
        ("Unarchive", "can be bought"),
    ),
    "a quantity that no shop can keep": (
        lambda: StockUnclear("1e12.", system="odoo", reason="quantity", sku="A-1"),
        ("inventory adjustment", "100,000,000"),
    ),
    "the product of a figure is not in Magento": (
        lambda: StockUnclear("Gone.", system="magento", reason="unknown_sku", sku="A-1"),
        ("cancel this job", "bridge run import-product A-1"),
    ),
    "a part of a bundle that is shipped together": (
        lambda: StockUnclear(
            'Not valid sku "A-1" for bundle shipment', system="magento", reason="refused", sku="A-1"
        ),
        ("shipped together", "ship separately"),
    ),
    "a quantity that Magento refuses": (
        lambda: StockUnclear("Could not save Source Item", system="magento", reason="refused", sku="A-1"),
        ("takes all others",),
    ),
    "a slash that the web server refuses": (
        lambda: StockUnclear("The slash of A/1.", system="magento", reason="slash", sku="A/1"),
        ("AllowEncodedSlashes", "stock_api_mode=msi"),
    ),
    "a queue of Magento that does not run": (
        lambda: StockBulkWaits("It waits.", system="magento", source="berlin"),
        ("async.operations.all", "stock_bulk=false"),
    ),
    "stock not previewed": (
        lambda: StockNotPreviewed("Not previewed."),
        ("Make a preview", "import-stock --preview"),
    ),
    "stock import off": (
        lambda: SettingsWrong("Off.", reason="import_stock"),
        ("first load", "import_stock=true"),
    ),
    "stock import warehouse": (
        lambda: SettingsWrong("Several.", reason="import_stock_warehouse", source="berlin"),
        ("one warehouse", "set source berlin"),
    ),
    "a source that is not in Magento": (
        lambda: StockSourceUnknown("Magento has no source berlin.", system="magento", source="berlin"),
        ("Make the source", "stock_source_code"),
    ),
    "a source that is not filled any more": (
        lambda: SettingsWrong("Not filled.", reason="stock_source", source="berlin"),
        ("cancel the job", "bridge mappings set source berlin"),
    ),
    "sources that share a warehouse": (
        lambda: SettingsWrong("Shared.", reason="stock_shared_warehouse", source="berlin", warehouse=3),
        ("berlin=3*60%", "stock_routes"),
    ),
    "the order is unclear": (
        lambda: OrderUnclear("3.00 belongs to no line.", system="magento", component="subtotal"),
        ("does not guess", "bridge preview order INCREMENT_ID"),
    ),
    "the currency is not active": (
        lambda: SettingsWrong("x", system="odoo", reason="currency", currency="CHF"),
        ("CHF is not active", "Currencies"),
    ),
    "there is no pricelist": (
        lambda: SettingsWrong("x", system="odoo", reason="pricelist", currency="CHF"),
        ("no pricelist in CHF",),
    ),
    "the record cannot be read": (
        lambda: InvalidRecord("a.b is not a number", system="magento"),
        ("extension",),
    ),
    "two orders have the number": (
        lambda: DuplicateRecord(
            "2 orders", system="magento", reason="increment_id", increment_id="1", stores=[1, 2]
        ),
        ("1, 2", "import-order 1 --store-id"),
    ),
    "two records fit": (lambda: DuplicateRecord("Two.", system="odoo", reason="name"), ("exactly one",)),
    "two products of Magento have one SKU": (
        lambda: DuplicateRecord(
            "Several Magento products have the SKU A: ids 1, 2.", system="magento", reason="sku"
        ),
        ("ids 1, 2", "another SKU in Magento"),
    ),
    "the address of pictures cannot be used": (
        lambda: PictureUnusable("Magento's address of pictures cannot be used.", reason="address"),
        ("Base URL for User Media Files", "import_images"),
    ),
    "a picture needs a login": (
        lambda: PictureUnusable("The file /a/b.png may not be read without a login.", reason="closed"),
        ("The product itself is imported", "without a login"),
    ),
    "a picture is missing": (
        lambda: PictureUnusable("The file /a/b.png is not on Magento's server.", reason="missing"),
        ("The product itself is imported", "bridge jobs cancel ID"),
    ),
    "the server of pictures is down": (
        lambda: PictureUnreachable("The server of Magento's pictures answered 503.", reason="status"),
        ("Nothing needs to be done", "pictures follow"),
    ),
    "categories were deleted in Odoo": (
        lambda: BoundRecordGone(
            "Categories that the bridge made were deleted in Odoo: Shirts (4).",
            system="odoo",
            model="product.category",
        ),
        ("Shirts (4)", "at the same places", "never makes them again"),
    ),
    "the tree of categories is broken": (
        lambda: CatalogUnclear("Category 4 has no name.", system="magento", reason="categories"),
        ("Category 4", "Catalog > Categories"),
    ),
    "a price is nothing": (
        lambda: PriceUnclear("The price of MUG is 0.", system="odoo", reason="amount", sku="MUG"),
        ("The price of MUG is 0", "above 0"),
    ),
    "a price is at the rate of the day": (
        lambda: PriceUnclear("It takes a price in USD.", system="odoo", reason="conversion"),
        ("another price each day", "fixed prices"),
    ),
    "prices are in two currencies": (
        lambda: PriceUnclear("EUR in Magento and USD in Odoo.", system="odoo", reason="currency"),
        ("EUR in Magento", "base currency", "pricelist_id"),
    ),
    "a pricelist is gone": (
        lambda: PriceUnclear("There is no pricelist 9.", system="odoo", reason="pricelist"),
        ("no pricelist 9", "archive"),
    ),
    "a product is not imported yet": (
        lambda: PriceUnclear("It does not know MUG yet.", system="odoo", reason="not_bound", sku="MUG"),
        ("MUG", "bridge run import-product"),
    ),
    "a chosen picture cannot be had": (
        lambda: PictureUnwritable("It has the picture no more.", system="magento", sku="MUG"),
        ("the picture no more", "PNG, JPEG or GIF", "resolve ID"),
    ),
    "Odoo has no one place for a price": (
        lambda: PriceUnwritable("Odoo has no one place for it.", system="odoo", reason="odoo", sku="MUG"),
        ("no one place", "change the rule", "--use odoo"),
    ),
    "Magento has no one place for a price": (
        lambda: PriceUnwritable("Magento has no one place.", system="magento", reason="magento", sku="MUG"),
        ("no one place", "prices of their own", "--use magento"),
    ),
    "Magento does not accept a price": (
        lambda: PriceRefused("No such customer group.", system="magento", reason="refused", sku="MUG"),
        ("No such customer group", "The other products of the call were written"),
    ),
    "websites may have prices and none is known": (
        lambda: SettingsWrong("The ledger knows no websites.", reason="no_stores"),
        ("knows no websites", "bridge run import-stores"),
    ),
    "the bound record is gone": (
        lambda: BoundRecordGone("Gone.", system="odoo"),
        ("Restore", "never makes it again"),
    ),
    "a write is in doubt for good": (lambda: EffectUnclear("Unknown.", system="odoo"), ("cancel the job",)),
    "a write is in doubt": (lambda: DoubtfulEffect("Lost.", waits_for="doubt:x"), ("cannot be shortened",)),
    "the read was old": (lambda: StaleRead("Old.", waits_for="version"), ("read again",)),
    "the URL key is taken": (
        lambda: ServiceRejected("URL key for specified store already exists", system="magento"),
        ("another URL key",),
    ),
    "the user was deleted": (
        lambda: CredentialsRefused("x", system="odoo", reason="user_gone"),
        ("was deleted in Odoo",),
    ),
    "the name is unknown": (
        lambda: NoAnswer("x", sent=False, system="odoo", reason="dns"),
        ("host name of Odoo",),
    ),
    "TLS is not spoken": (lambda: SettingsWrong("x", system="odoo", reason="tls_protocol"), ("http://",)),
    "the address is none": (lambda: SettingsWrong("x", system="odoo", reason="url"), ("https://host",)),
    "a secret is missing": (lambda: SettingsWrong("x", reason="secret"), ("--odoo-key @FILE",)),
    "Odoo is too old": (lambda: SettingsWrong("x", system="odoo", reason="version"), ("16 or newer",)),
    "the ledger is down": (lambda: LedgerUnavailable("x"), ("BRIDGE_DATABASE_URL", "bridge doctor")),
    "the broker is down": (lambda: PublishFailed("x", event_ids=[]), ("BRIDGE_BROKER_URL",)),
    "no queue is bound": (lambda: Unroutable("x", event_ids=[]), ("bridge worker",)),
    "there is no such job": (lambda: RecordMissing("There is no job 7."), ("bridge jobs list",)),
}


@pytest.mark.parametrize("name", CASES)
def test_each_known_failure_gets_its_own_advice(name: str) -> None:
    make, expected = CASES[name]
    error = make()
    assert find_entry(error) is not None, (error.code, error.system, error.status, error.details)
    text = advise(error).text
    missing = [words for words in expected if words not in text]
    assert not missing, f"{missing} not in {text!r} ({error.code}, {error.details})"


def test_every_entry_of_the_catalogue_is_reached_by_a_failure() -> None:
    reached = [find_entry(make()) for make, _ in CASES.values()]
    unreached = [entry for entry in CATALOGUE if not any(entry is one for one in reached)]
    assert not unreached, [(entry.code, sorted(entry.reasons), entry.to_do) for entry in unreached]


@pytest.mark.parametrize("name", CASES)
def test_advice_is_plain_english_without_gaps_or_python(name: str) -> None:
    found = advise(CASES[name][0]())
    assert not re.search(r"[{}]|\[\'|\(\'|None|Traceback|<class", found.text)
    assert "?" not in found.text
    assert found.happened.strip()
    assert found.to_do.endswith((".", "!"))
    # Who reads it knows no names of the code.
    assert not re.search(
        r"\b(magento|odoo)\b(?!_|\.)", re.sub(r"--\S+|\S+=\S+|https?://\S+", "", found.happened)
    )


def test_raw_placeholders_of_magento_are_filled_in() -> None:
    text = advise(from_magento("errors/003-404-no-such-entity-parameters")()).text
    assert "%" not in text


def test_a_list_of_details_reads_as_words() -> None:
    error = AccessMissing(
        "x", system="magento", resources=["Magento_Sales::sales", "Magento_Catalog::products"]
    )
    assert "lacks a resource: Magento_Sales::sales, Magento_Catalog::products." in advise(error).text


def test_a_detail_that_is_missing_leaves_no_gap() -> None:
    error = DuplicateRecord("Several products fit.", system="odoo", reason="sku")
    assert advise(error).happened == "Several products fit."
    assert "bridge explain order INCREMENT_ID" in help_for(TotalDiffers("Apart."))


def test_commands_that_are_advised_are_for_the_instance_that_failed() -> None:
    error = CredentialsRefused("x", system="odoo")
    assert "bridge instance set berlin --" in help_for(error, instance="berlin")
    assert "bridge instance set INSTANCE --" in help_for(error)


def test_details_are_never_read_as_a_format() -> None:
    error = MappingMissing("tax", "{message} {0.__class__} %s")
    assert "{message} {0.__class__} %s" in advise(error).text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RetryableError("Busy."), "tries again by itself"),
        (ServiceUnavailable("Odoo is not available.", system="odoo", reason="down"), "tries again by itself"),
        (OperatorError("Something."), "Mend what the message names"),
        (PermanentError("Never."), "A retry will not help"),
        (ConfigurationError("Wrong."), "start it again"),
        (LeaseLost(), "Retry the job once"),
    ],
)
def test_an_unknown_failure_gets_the_advice_of_its_class(error: BridgeError, words: str) -> None:
    assert find_entry(error) is None
    assert advise(error).happened == error.message
    assert words in help_for(error)


def test_the_system_is_called_by_its_name() -> None:
    assert advise(RateLimited("x", system="odoo")).happened == "Odoo asked for fewer calls."
    assert advise(RateLimited("x")).happened == "The other system asked for fewer calls."
