"""Recorded requests of real Odoo servers get the recorded answers from the sandbox, by shape.

The share per topic and version is asserted, and every request that differs is named with its reason. Not simulated:
XML-RPC, web sessions and key wizards, published API documents (19), invoices, groups of records.
"""

from __future__ import annotations

import pytest

from tests.support.odoo_replay import RECORDINGS, play_topic, recorded_files

#: Requests whose answers differ, by reason.
NOT_SIMULATED = {
    "XML-RPC": {"xmlrpc-version", "xmlrpc-authenticate", "xmlrpc-wrong-password", "xmlrpc-unknown-method"},
    "web sessions and what they alone can do": {
        *(
            "session-authenticate",
            "session-authenticate-wrong-password",
            "apikey-session-authenticate-refused",
        ),
        *("apikey-session-1-wizard", "apikey-session-2-make-key", "apikey-session-3-write-password"),
        *("apikey-session-4-run-check", "apikey-list", "json2-generate-key"),
    },
    "the published description of the API (19)": {"doc-bearer-index", "doc-bearer-model"},
    "stock and pickings": {
        *("order-read-after-confirm", "cancel-confirmed-read-2", "cancel-pickings-state"),
        *("sales-user-read-picking", "sales-user-read-quants"),
    },
    "groups of records": {"quants-read-group", "quants-formatted-read-group"},
    "invoices": {"sales-user-post-invoice"},
    "one more message about the same refused variants": {"load-product-variants#10"},
    "methods of the web client, and those that only one version has": {
        *("web-search-read", "json2-web-search-read", "create-product-variant-rpc"),
    },
    "texts of empty answers": {"json2-method-returning-none", "json2-quant-apply"},
    "XML-RPC, once more": {"xmlrpc-method-returning-none"},
}

#: The sandbox holds other data than the recorded database did.
OTHER_DATA = {
    *("db-list", "taxes-read", "groups-wanted", "domain-in-not-list", "json2-domain-in-not-list"),
    # SKUs of three variants were written without being recorded; more languages are installed here.
    *("variant-prices-after-extra", "variants-after-add", "variants-after-remove", "installed-langs"),
    *("archived-variant-active-test", "archived-variant-explicit", "propagation-after-price-extra"),
    # The template of a product that was made without being recorded; which of two quants changed last.
    *("template-qty-context", "quants-changed-since"),
    # How fast the requests came decides what changed "since".
    *(
        "incremental-gt-last-seen",
        "incremental-gt-with-microseconds",
        "incremental-gte",
        "incremental-page-1",
    ),
    *("incremental-page-2", "json2-search-read", "category-name-search"),
}

#: The share of the recorded requests that must be answered as recorded.
MINIMUM = {
    (16, "auth"): 0.69,
    (16, "catalog"): 0.8,
    (16, "errors"): 1.0,
    (16, "orders"): 0.95,
    (16, "idempotency"): 0.92,
    (16, "rules"): 1.0,
    (16, "stock"): 0.92,
    (18, "stock"): 0.92,
    (19, "stock"): 0.88,
    (18, "auth"): 0.69,
    (18, "catalog"): 0.85,
    (18, "errors"): 1.0,
    (18, "orders"): 0.95,
    (18, "idempotency"): 0.92,
    (18, "rules"): 0.99,
    (19, "auth"): 0.78,
    (19, "catalog"): 0.85,
    (19, "errors"): 0.98,
    (19, "orders"): 0.95,
    (19, "idempotency"): 0.93,
    (19, "rules"): 0.99,
}


@pytest.mark.parametrize(("version", "topic"), sorted(MINIMUM))
def test_recorded_requests_get_the_recorded_answers(version, topic):
    played = play_topic(version, topic)
    known = OTHER_DATA.union(*NOT_SIMULATED.values())
    unexpected = {name: answers for name, answers in played.different.items() if name not in known}
    assert not unexpected
    assert played.share >= MINIMUM[version, topic], sorted(played.different)


@pytest.mark.parametrize("version", [16, 18, 19])
def test_the_recordings_of_every_topic_are_there(version):
    counts = {
        topic: len(recorded_files(version, topic))
        for topic in ("auth", "catalog", "errors", "orders", "idempotency", "rules", "stock")
    }
    assert min(counts.values()) > 20, (RECORDINGS, counts)
