"""Each recorded answer through the client: the record it gives, or the error."""

from __future__ import annotations

import email.utils
import time
from decimal import Decimal

import httpx
import pytest

from bridge import errors
from bridge.magento.probe import BEARER_SETTING
from bridge.wire import NoAnswer

from .conftest import as_response, query_of, recording


def error_of(call, kind=errors.BridgeError):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value).__module__.startswith("bridge.")
    return caught.value


@pytest.mark.parametrize(
    ("name", "kind", "reason", "message"),
    [
        ("errors/003-404-*", errors.RecordMissing, "no_such_entity", "No such entity with id = 999"),
        (
            "errors/004-*",
            errors.RecordMissing,
            "no_such_entity",
            "The product that was requested doesn't exist",
        ),
        (
            "errors/005-*",
            errors.RecordMissing,
            "no_such_entity",
            "The entity that was requested doesn't exist",
        ),
        ("errors/006-*", errors.SettingsWrong, "route", "no such endpoint"),
        ("errors/008-*", errors.SettingsWrong, "route", "no such endpoint"),
        ("catalog/045-*", errors.SettingsWrong, "route", "no such endpoint"),
        ("errors/007-*", errors.ServiceRejected, "refused", "The PATCH HTTP method is not supported."),
        ("errors/009-*", errors.ServiceRejected, "refused", '"product" is required. Enter and try again.'),
        ("errors/010-*", errors.ServiceRejected, "refused", '"product" is required'),
        (
            "errors/011-*",
            errors.ServiceRejected,
            "refused",
            'Error occurred during "attribute_set_id" processing.',
        ),
        ("errors/012-*", errors.ServiceRejected, "refused", "Decoding error."),
        ("errors/014-*", errors.ServiceRejected, "refused", '"Nope" is not supported.'),
        ("errors/015-*", errors.ServiceRejected, "refused", "Content-Type header is empty."),
        ("errors/024-*", errors.ServiceRejected, "refused", '"searchCriteria" is required'),
        ("errors/027-*", errors.ServiceRejected, "page_size", "Maximum SearchCriteria pageSize is 50"),
        ("errors/028-*", errors.ServiceRejected, "array_size", "is 20"),
        ("orders/065-*", errors.ServiceRejected, "refused", "specified as ASC for ascending order or DESC"),
        ("orders/069-*", errors.ServiceRejected, "refused", 'The "abc" value\'s type is invalid.'),
        ("catalog/006-*", errors.ServiceRejected, "refused", 'label "'),
        ("catalog/030-*", errors.ServiceRejected, "refused", 'The "no_such_attr" attribute name is invalid.'),
        ("catalog/092-*", errors.SettingsWrong, "store_code", "no store view with this store code"),
        ("inventory/010-*", errors.RecordMissing, "no_such_entity", "Source with code"),
        (
            "inventory/026-*",
            errors.ServiceRejected,
            "refused",
            'Validation Failed: "status" should be numeric.',
        ),
        (
            "inventory/039-*",
            errors.ServiceRejected,
            "refused",
            'part of bundle product "BUN-TOG" with shipment',
        ),
        ("inventory/060-*", errors.RecordMissing, "no_such_entity", "SKU doesn't exist."),
        ("async/033-*", errors.RecordMissing, "no_such_entity", "Bulk uuid "),
        ("errors/022-*", errors.ServiceUnavailable, "internal_error", "Internal Error."),
        ("errors/023-*", errors.ServiceUnavailable, "uncaught", "failed inside"),
        ("errors/019-*", errors.ServiceUnavailable, "error_page", "failed inside"),
        ("errors/032-*", errors.ServiceUnavailable, "internal_error", "SQLSTATE[42S22]"),
        ("errors/033-*", errors.RecordMissing, "no_such_entity", "No such entity with id = 999"),
        ("errors/018-*", errors.ServiceUnavailable, "xml", "XML"),
        ("auth/007-*", errors.CredentialsRefused, "signature_method", "HMAC-SHA1 is not supported"),
        ("auth/005-*", errors.CredentialsRefused, "signature", "signature invalid"),
        ("auth/008-*", errors.CredentialsRefused, "signature", "proxy"),
        ("auth/009-*", errors.CredentialsRefused, "consumer_unknown", "consumer key"),
        ("auth/010-*", errors.CredentialsRefused, "token_unknown", "access token"),
        ("auth/011-*", errors.ServiceUnavailable, "nonce_used", "twice"),
        ("auth/013-*", errors.SettingsWrong, "clock", "clock runs ahead"),
        ("auth/029-*", errors.CredentialsRefused, "sign_in", "user or the password"),
    ],
)
def test_a_recorded_error_becomes_the_error_that_decides_rightly(shop, magento, name, kind, reason, message):
    shop.answers(name)
    error = error_of(lambda: magento.get("/x"), kind)
    assert (error.system, error.details["reason"]) == ("magento", reason)
    assert message in error.message
    assert "%" not in error.message
    assert "\n" not in error.message
    assert "<" not in error.message
    assert len(error.message) < 500
    assert error.status == recording(name)["response"]["status"]


@pytest.mark.parametrize(
    "name", ["errors/019-*", "errors/022-*", "errors/023-*", "errors/018-*", "auth/011-*"]
)
def test_where_the_outcome_of_a_write_is_unknown_it_is_in_doubt(shop, magento, name):
    shop.answers(name)
    assert error_of(lambda: magento.post("/x", {}), NoAnswer).sent


def test_a_500_is_transient_and_uses_an_attempt(shop, magento):
    shop.answers("errors/022-*")
    error = error_of(lambda: magento.get("/x"), errors.RetryableError)
    assert error.uses_attempt
    assert error.details["report_id"] == "webapi-6b0460ed2bdd1"


@pytest.mark.parametrize("status", [408, 502, 503, 504, 520])
def test_a_gateway_that_fails_is_transient_and_leaves_a_write_in_doubt(shop, magento, status):
    shop.sends(status, b"<html>Bad gateway</html>")
    assert error_of(lambda: magento.get("/x"), errors.ServiceUnavailable).details["reason"] == "gateway"
    assert error_of(lambda: magento.post("/x", {}), NoAnswer).sent


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_in_seconds_and_never_trips(shop, magento, value, seconds):
    shop.sends(429, b"", retry_after=value)
    assert error_of(lambda: magento.get("/x"), errors.RateLimited).retry_after == seconds


def test_retry_after_as_a_date_counts_from_the_servers_clock(shop, magento):
    shop.sends(503, b"", date="Tue, 24 Nov 2026 10:00:00 GMT", retry_after="Tue, 24 Nov 2026 10:05:00 GMT")
    assert error_of(lambda: magento.get("/x"), errors.RateLimited).retry_after == 300.0
    assert error_of(lambda: magento.post("/x", {}), NoAnswer).retry_after == 300.0


def test_a_clock_that_runs_ahead_is_told_with_the_difference(shop, magento):
    answer = as_response(recording("auth/013-*"))
    answer.headers["Date"] = email.utils.formatdate(time.time() - 3600, usegmt=True)
    shop.reply = lambda request: answer
    error = error_of(lambda: magento.get("/x"), errors.SettingsWrong)
    assert abs(error.details["ahead_seconds"] - 3600) < 5


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html>Soon back</html>", "web_page"),
        (b"<?xml version='1.0'?><response/>", "xml"),
        (b'{"a": 1', "not_json"),
        (b"Warning: Undefined variable in /var/www\n{}", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        (b"[" * 100_000, "not_json"),
    ],
)
def test_a_good_status_with_a_body_that_cannot_be_read_is_no_success(shop, magento, body, reason):
    shop.sends(200, body)
    assert error_of(lambda: magento.get("/x"), errors.ServiceUnavailable).details["reason"] == reason
    assert error_of(lambda: magento.post("/x", {}), NoAnswer).sent


def test_a_web_page_for_404_means_that_there_is_no_magento(shop, magento):
    shop.sends(404, b"<html>Not found</html>")
    assert error_of(lambda: magento.get("/x"), errors.SettingsWrong).details["reason"] == "not_magento"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_with_the_address_to_set(shop, magento, status):
    shop.sends(status, b"", location="https://u:s3cret@www.shop.example.test/rest/all/V1/orders?email=anna")
    error = error_of(lambda: magento.get("/x"), errors.SettingsWrong)
    assert "https://www.shop.example.test" in error.message
    assert "base_url" in error.message
    assert "s3cret" not in repr(error.details) + error.message
    assert "anna" not in repr(error.details) + error.message


def test_a_firewalls_403_is_told_from_magentos_own_refusals(shop, magento):
    shop.sends(403, b"<html>Forbidden</html>")
    error = error_of(lambda: magento.get("/x"), errors.CredentialsRefused)
    assert error.details["reason"] == "forbidden"


# 401 in its meanings


def refuse(shop, *refused):
    """Refuse the paths that end so, as recorded; allow the others."""
    names = {
        "/orders": "auth/015-*",
        "/inventory/sources": "auth/016-*",
        "/store/storeViews": "auth/001-*",
        "/products": "auth/020-*",
    }

    def reply(request):
        path = request.url.path.removeprefix("/rest/all/V1")
        return as_response(recording(names[path])) if path in refused else httpx.Response(200, content=b"[]")

    shop.reply = reply
    return list(names)


def test_a_bearer_token_refused_everywhere_is_told_with_both_causes_and_the_setting(shop, bearer):
    refuse(shop, *refuse(shop))
    error = error_of(bearer.store_views, errors.CredentialsRefused)
    assert "wrong, expired or revoked" in error.message
    assert BEARER_SETTING in error.message
    assert error.details["setting"] == "oauth/consumer/enable_integration_as_bearer"


@pytest.mark.parametrize("client", ["magento", "bearer"])
def test_a_token_refused_in_some_places_is_told_with_the_missing_resources(shop, request, client):
    refuse(shop, "/orders", "/inventory/sources")
    error = error_of(lambda: request.getfixturevalue(client).order(1), errors.BridgeError)
    assert isinstance(error, errors.RecordMissing | errors.InvalidRecord)  # Another path: not refused.
    error = error_of(lambda: request.getfixturevalue(client).find_order("1"), errors.AccessMissing)
    assert error.details["resources"] == ["Magento_Sales::actions_view", "Magento_InventoryApi::source"]
    assert "Magento_Sales::actions_view" in error.message


def test_keys_of_oauth_refused_everywhere_are_told_with_their_own_causes(shop, magento):
    refuse(shop, *refuse(shop))
    error = error_of(magento.store_views, errors.CredentialsRefused)
    assert "Authorization header" in error.message
    assert "standalone" not in error.message


def test_a_resource_that_is_not_probed_is_named_when_it_is_refused(shop, magento):
    refuse(shop)
    probing = shop.reply
    shop.reply = lambda request: (
        as_response(recording("auth/016-*")) if request.method == "POST" else probing(request)
    )
    error = error_of(lambda: magento.post("/inventory/source-items", {}), errors.AccessMissing)
    assert error.details["resources"] == ["Magento_InventoryApi::source"]


def test_many_refusals_are_diagnosed_once(shop, magento):
    refuse(shop, "/orders")
    for _ in range(5):
        error_of(lambda: magento.find_order("1"), errors.AccessMissing)
    assert len(shop.requests) == 5 + 4


def test_a_probe_tells_each_resource_and_a_module_that_is_absent(shop, magento):
    refuse(shop, "/orders")
    allowed = shop.reply
    shop.reply = lambda request: (
        as_response(recording("errors/006-*")) if "inventory" in request.url.path else allowed(request)
    )
    probe = magento.probe()
    assert {item.name: item.state for item in probe.resources} == {
        "Magento_Backend::store": "allowed",
        "Magento_Sales::actions_view": "refused",
        "Magento_Catalog::products": "allowed",
        "Magento_InventoryApi::source": "absent",
    }
    assert probe.verdict == "some_refused"
    assert probe.missing == ["Magento_Sales::actions_view"]


def test_a_probe_with_all_open_finds_nothing_to_mend(shop, magento):
    refuse(shop)
    assert magento.probe().verdict == "ok"
    assert magento.probe().error() is None


def test_an_outage_while_probing_stays_an_outage(shop, magento):
    replies = [as_response(recording("auth/015-*")), httpx.Response(502)]
    shop.reply = lambda request: replies.pop(0)
    error_of(lambda: magento.find_order("1"), errors.ServiceUnavailable)


# Records


def test_an_order_comes_as_recorded_with_exact_amounts(shop, magento):
    shop.answers("orders/001-*")
    recorded = recording("orders/001-*")["response"]["json"]
    order = magento.order(recorded["entity_id"])
    assert order["increment_id"] == recorded["increment_id"]
    assert isinstance(order["grand_total"], Decimal)
    assert order["grand_total"] == Decimal(str(recorded["grand_total"]))
    assert shop.requests[0].url.path == f"/rest/all/V1/orders/{recorded['entity_id']}"


def test_another_order_than_asked_for_is_refused(shop, magento):
    shop.answers("orders/001-*")
    error_of(lambda: magento.order(4711), errors.InvalidRecord)


def test_an_unknown_order_is_missing(shop, magento):
    shop.answers("orders/068-*")
    error_of(lambda: magento.order(999999), errors.RecordMissing)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"1"])
def test_an_order_that_is_no_object_is_refused(shop, magento, body):
    shop.sends(200, body)
    error_of(lambda: magento.order(1), errors.InvalidRecord)
    error_of(lambda: magento.find_order("1"), errors.InvalidRecord)


def test_an_order_is_found_by_its_number(shop, magento):
    shop.answers("orders/046-*")
    found = magento.find_order("000000012")
    assert found is not None
    assert (found["entity_id"], found["store_id"]) == (12, 1)


def test_a_number_that_the_database_takes_for_equal_is_not_the_order(shop, magento):
    shop.answers("orders/046-*")
    assert magento.find_order("000000012 ") is None


def test_an_unknown_number_finds_nothing_though_items_is_null(shop, magento):
    shop.answers("orders/056-*")
    assert magento.find_order("nope") is None


def test_a_number_of_two_stores_needs_the_store(shop, magento):
    rows = b'{"items":[{"entity_id":1,"increment_id":"7","store_id":1},{"entity_id":9,"increment_id":"7","store_id":4}]}'
    shop.sends(200, rows)
    error = error_of(lambda: magento.find_order("7"), errors.DuplicateRecord)
    assert (error.details["stores"], error.details["entity_ids"]) == ([1, 4], [1, 9])
    shop.sends(200, b'{"items":[{"entity_id":9,"increment_id":"7","store_id":4}]}')
    assert magento.find_order("7", store_id=4)["entity_id"] == 9
    query = query_of(shop.requests[-1])
    assert query["searchCriteria[filterGroups][1][filters][0][field]"] == "store_id"
    assert query["searchCriteria[filterGroups][1][filters][0][value]"] == "4"


def test_a_product_is_found_by_sku_without_regard_to_case_and_by_id(shop, magento):
    shop.answers("catalog/021-*")
    rows = recording("catalog/021-*")["response"]["json"]["items"]
    first, second = rows[0], rows[1]
    assert magento.product_by_sku(first["sku"].lower())["id"] == first["id"]
    assert magento.product(second["id"])["sku"] == second["sku"]
    assert magento.product(4711) is None
    assert magento.product_by_sku("NOPE") is None


def test_a_sku_with_slash_and_space_is_asked_for_in_a_list(shop, magento):
    shop.answers("catalog/021-*")
    magento.product_by_sku("SKU WITH/SLASH & space+")
    request = shop.requests[0]
    assert request.url.raw_path.startswith(b"/rest/all/V1/products?")
    assert b"=SKU%20WITH%2FSLASH%20%26%20space%2B&" in request.url.raw_path
    assert b"+" not in request.url.raw_path


def test_two_products_for_one_sku_are_not_chosen_between(shop, magento):
    shop.sends(200, b'{"items":[{"id":1,"sku":"A"},{"id":2,"sku":"a"}],"total_count":2}')
    assert error_of(lambda: magento.product_by_sku("A"), errors.DuplicateRecord).details["ids"] == [1, 2]


def test_the_other_systems_number_is_written_alone(shop, magento):
    shop.answers("fulfilment/122-*")
    assert magento.set_ext_order_id(29, "S00042") is None
    request = shop.requests[0]
    assert (request.method, request.url.path) == ("POST", "/rest/all/V1/orders")
    assert request.content == b'{"entity":{"entity_id":29,"ext_order_id":"S00042"}}'
    assert request.headers["Content-Type"] == "application/json"


def test_a_copy_that_records_leaves_the_others_alone(shop, magento):
    shop.answers("stores/009-*")
    seen = []
    copy = magento.recording(seen.append)
    copy.websites()
    magento.websites()
    assert len(seen) == 1
    assert seen[0].system == "magento"
    assert "ckey0000" not in repr(seen)
    assert "atoken00" not in repr(seen)
    assert seen[0].request_headers["authorization"] == "OAuth ***"
