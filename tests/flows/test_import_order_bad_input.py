"""Orders that are damaged: blocked or imported, never half written, never a trace at the user."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from bridge.ledger import Job
from tests.flows.conftest import OpenShop
from tests.support.imports import counts, retried
from tests.support.orders import (
    Raw,
    addresses,
    bound,
    cents,
    comments,
    is_personal,
    new_order,
    partner,
    stored,
)
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)
Damage = Callable[[Raw], object]


def without(*path: Any) -> Damage:
    """Take a field away."""
    return lambda raw: place(raw, path[:-1]).pop(path[-1])


def with_value(*path: Any, value: Any) -> Damage:
    """Put something else into a field."""

    def damage(raw: Raw) -> None:
        place(raw, path[:-1])[path[-1]] = value

    return damage


def place(raw: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        raw = raw[step]
    return raw


def in_addresses(**values: Any) -> Damage:
    return lambda raw: [address.update(values) for address in addresses(raw)]


def two_lines(**values: Any) -> Damage:
    return lambda raw: raw["items"].append({**raw["items"][0], **values})


def parts_of_unknown_type(raw: Raw) -> None:
    item = raw["items"][0]
    raw["items"].append({**item, "item_id": 888_888, "parent_item_id": item["item_id"]})
    item["product_type"] = "subscription"


def unknown_product(raw: Raw) -> None:
    raw["items"][0] |= {"product_id": 888_888, "sku": "IN-NO-CATALOG"}


def no_taxes(raw: Raw) -> None:
    raw["extension_attributes"] |= {"applied_taxes": None, "item_applied_taxes": None}


#: What is done to an order, the error's code, and words of what the operator reads.
BLOCKED: dict[str, tuple[Damage, str, str]] = {
    "no number": (without("increment_id"), "order_unclear", "increment_id is missing"),
    "no date": (without("created_at"), "order_unclear", "created_at is missing"),
    "no date but words": (with_value("created_at", value="soon"), "order_unclear", "created_at is not a time"),
    "a date of no shop": (
        with_value("created_at", value="0001-01-01 00:00:00"), "order_unclear", "created_at is not a time",
    ),
    "no currency": (without("order_currency_code"), "order_unclear", "order_currency_code is missing"),
    "an unknown currency": (
        with_value("order_currency_code", value="XYZ"), "settings_wrong", "The currency XYZ is not active",
    ),
    "an unknown country": (in_addresses(country_id="QQ"), "order_unclear", "country 'QQ'"),
    "no total": (without("grand_total"), "order_unclear", "grand_total is missing"),
    "a total in words": (with_value("grand_total", value="12,90"), "order_unclear", "grand_total is not a number"),
    "no number at all": (with_value("grand_total", value="NaN"), "order_unclear", "grand_total is not a number"),
    "a negative total": (with_value("grand_total", value=-1), "order_unclear", "negative grand total (-1)"),
    "a total beyond all money": (
        with_value("grand_total", value=1e300), "order_unclear", "grand_total is not a number that can be",
    ),
    "a total finer than a cent": (
        lambda raw: raw.update(grand_total=raw["grand_total"] + 0.001), "order_unclear", "more decimal places",
    ),
    "no lines": (with_value("items", value=None), "order_unclear", "has no lines"),
    "null lines only": (with_value("items", value=[None]), "order_unclear", "has no lines"),
    "lines that are no list": (with_value("items", value="none"), "order_unclear", "items is not a list"),
    "a line that is no line": (with_value("items", 0, value="x"), "order_unclear", "items[0] is not an object"),
    "a line without an id": (without("items", 0, "item_id"), "order_unclear", "items[0].item_id is missing"),
    "a line without a quantity": (without("items", 0, "qty_ordered"), "order_unclear", "qty_ordered is missing"),
    "a negative quantity": (with_value("items", 0, "qty_ordered", value=-2), "order_unclear", "the quantity -2"),
    "a quantity finer than Odoo's": (
        with_value("items", 0, "qty_ordered", value=1.2345), "order_unclear", "decimal accuracy",
    ),
    "two lines of one id": (two_lines(), "order_unclear", "two lines with one item_id"),
    "a line of no parent": (
        two_lines(item_id=888_888, parent_item_id=777_777), "order_unclear", "belongs to line 777777",
    ),
    "parts of an unknown type": (parts_of_unknown_type, "order_unclear", "'subscription' and has parts"),
    "an unknown product": (unknown_product, "product_unknown", "IN-NO-CATALOG"),
    "a tax without a name": (no_taxes, "order_unclear", "belongs to no tax that Magento names"),
    "a code of no table": (
        with_value("payment", "method", value="m" * 300), "order_unclear", "payment.method is too long",
    ),
    "a discount on no line": (
        lambda raw: raw.update(discount_amount=-1, grand_total=raw["grand_total"] - 1),
        "order_unclear", "is on no line",
    ),
    "a charge that nothing explains": (
        lambda raw: raw.update(grand_total=raw["grand_total"] + 7), "order_unclear", "7.00 EUR of the grand total",
    ),
}  # fmt: skip


def php_object(raw: Raw) -> None:
    raw["items"] = {str(2 * index): item for index, item in enumerate(raw["items"])}


def no_buyer(raw: Raw) -> None:
    for name in [name for name in raw if name.startswith("customer_")]:
        del raw[name]
    for address in addresses(raw):
        for name in (
            "firstname",
            "lastname",
            "email",
            "telephone",
            "street",
            "city",
            "region",
            "region_code",
        ):
            address.pop(name, None)


def numbers_as_text(raw: Raw) -> None:
    for record in (raw, *raw["items"]):
        for name, value in record.items():
            if isinstance(value, int | float) and name != "entity_id":
                record[name] = f"{value:.4f}"


IMPORTED: dict[str, Damage] = {
    "null among the lines": lambda raw: raw.update(items=[None, *raw["items"], None]),
    "lines as PHP's object": php_object,
    "numbers as text": numbers_as_text,
    "an unknown type without parts": with_value("items", 0, "product_type", value="subscription"),
    "a line without type, name and product": lambda raw: [
        raw["items"][0].pop(name) for name in ("product_type", "name", "product_id")
    ],
    "no buyer": no_buyer,
    "no billing address": without("billing_address"),
    "an address that is no object": with_value("billing_address", value="Main Street"),
    "no shipping address": with_value("extension_attributes", "shipping_assignments", value=[]),
    "no store, cart, version, state": lambda raw: [
        raw.pop(name, None) for name in ("store_id", "quote_id", "updated_at", "state", "status", "payment")
    ],
    "comments that are none": with_value("status_histories", value=[None, {}, {"comment": None}]),
    "a number as number": with_value("increment_id", value=900_000_001),
    "a currency in small letters": with_value("order_currency_code", value="eur"),
}


def damaged(shop: Shop, damage: Damage) -> Raw:
    """Return an order that is damaged in Magento; what a whole one needs is in Odoo."""
    raw = new_order(shop)
    # What Magento serves is this very record.
    damage(raw)
    return raw


def imported(shop: Shop, raw: Raw) -> Job:
    version = raw.get("updated_at")
    raw_of_event = {
        "entity_id": raw["entity_id"],
        "updated_at": version if isinstance(version, str) else None,
    }
    return shop.import_order(raw_of_event)


def read_by_a_person(job: Job) -> str:
    """Return what an operator reads of a job that did not end well; nothing in it is for developers."""
    assert job.error
    assert job.help
    said = f"{job.error} {job.help}"
    for sign in ("Traceback", 'File "', "Error:", "Exception", "object at 0x", "\x00"):
        assert sign not in said
    assert job.error_code != "defect"
    return said


@pytest.mark.parametrize("case", BLOCKED)
def test_a_damaged_order_blocks_with_what_is_wrong_and_nothing_is_written(
    open_shop: OpenShop, case: str
) -> None:
    damage, code, words = BLOCKED[case]
    shop = open_shop(order_action="confirm")
    raw = damaged(shop, damage)
    before = counts(shop)
    job = imported(shop, raw)
    assert (job.state, job.error_code) == ("blocked", code), job.error
    assert words in (job.error or "")
    assert is_personal(read_by_a_person(job), raw) == []
    assert counts(shop) == before


@pytest.mark.parametrize("case", IMPORTED)
def test_an_order_that_can_be_read_is_imported_whatever_else_it_lacks(open_shop: OpenShop, case: str) -> None:
    shop = open_shop(order_action="confirm")
    raw = damaged(shop, IMPORTED[case])
    job = imported(shop, raw)
    assert (job.state, job.error) == ("done", None)
    order = stored(shop, job)
    assert order["state"] == "sale"
    assert cents(order["amount_total"]) == cents(raw["grand_total"])
    # The next event finds nothing changed, and can read what was kept.
    assert ((again := imported(shop, raw)).state, (again.result or {})["changes"]) == ("done", [])


TEXTS = {
    "a NUL byte": ("Ann\x00a \x07Smith", "Anna Smith"),
    "half a character": ("Anna\ud83d Smith", "Anna Smith"),
    "emoji": ("Anna \U0001f469\u200d\U0001f4bb Smith", "Anna \U0001f469\u200d\U0001f4bb Smith"),
    "right to left": (
        "\u05d0\u05e0\u05d4 \u0633\u0645\u064a\u062b",
        "\u05d0\u05e0\u05d4 \u0633\u0645\u064a\u062b",
    ),
    "markup": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "quotes": ("'; DROP TABLE res_partner; --", "'; DROP TABLE res_partner; --"),
    "very long": ("Anna" * 5000, "Anna" * 5000),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_texts_arrive_as_they_are_or_cleaned_of_what_no_database_keeps_odoo_facts_2(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    for name, (sent, kept) in TEXTS.items():
        raw = new_order(shop)
        for address in addresses(raw):
            address |= {"firstname": sent, "lastname": "", "street": [sent], "city": sent, "company": None}
        raw |= {"customer_note": sent, "store_name": sent, "shipping_description": sent, "coupon_code": sent}
        raw["items"][0] |= {"name": sent}
        raw["status_histories"] = [{"comment": sent}]
        job = imported(shop, raw)
        assert (job.state, job.error) == ("done", None), name
        order = stored(shop, job)
        buyer = partner(shop, order["partner_id"])
        assert (buyer["name"], buyer["street"], buyer["city"]) == (kept, kept, kept), name
        assert any(kept in line["name"] for line in shop.lines(order["id"])), name
        assert cents(order["amount_total"]) == cents(raw["grand_total"]), name
        (note,) = comments(shop, order["id"])
        assert "<script>" not in note
        assert "\x00" not in note


def test_bad_orders_do_not_hold_up_good_ones_and_go_on_once_they_are_mended(open_shop: OpenShop) -> None:
    shop = open_shop()
    whole: list[Raw] = []
    bad: list[tuple[Raw, Raw, str]] = []
    for damage, code, _ in list(BLOCKED.values())[::3]:
        whole.append(new_order(shop))
        raw = new_order(shop)
        good = copy.deepcopy(raw)
        damage(raw)
        bad.append((raw, good, code))
    jobs = [shop.want_order({**good, "updated_at": None}) for raw, good, _ in bad]
    for raw in whole:
        shop.want_order(raw)
    shop.work(seconds=90)
    for raw in whole:
        assert cents(bound(shop, raw)["amount_total"]) == cents(raw["grand_total"])
    for job_id, (_, good, code) in zip(jobs, bad, strict=True):
        assert shop.job(job_id).error_code == code
        shop.box.magento.orders.add(good)
        job = retried(shop, shop.job(job_id))
        assert (job.state, job.error) == ("done", None)
        assert cents(stored(shop, job)["amount_total"]) == cents(good["grand_total"])
        assert len(shop.sale_orders(good)) == 1
