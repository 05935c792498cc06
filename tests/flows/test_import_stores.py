"""``import-stores``: Magento's stores into the ledger; and the settings of a store view in its orders."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.engine import preview_context
from bridge.flows.preview_order import preview
from bridge.flows.wants import want
from bridge.ledger import Job, Store
from tests.flows.conftest import OpenShop
from tests.flows.test_import_customers import new_account
from tests.flows.test_import_customers import run as import_account
from tests.flows.test_import_order_header import others
from tests.flows.test_import_order_totals import a_cent_more
from tests.support.imports import blocked, done, map_to
from tests.support.orders import calls, changed, new_order, stored
from tests.support.shop import Shop

CALLS = {
    f"magento: GET /V1/store/{name}": 1 for name in ("storeConfigs", "storeGroups", "storeViews", "websites")
}
LISTS = ("websites", "storeGroups", "storeViews", "storeConfigs")


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """Give a shop whose Magento is its own: its stores change."""
    return open_shop(own_box=True)


def ended(shop: Shop) -> Job:
    (wanted,) = shop.ledger.jobs.want([want("import-stores", instance="shop", entity="all")])
    shop.work()
    return shop.job(wanted.job_id)


def imported(shop: Shop) -> dict[str, Any]:
    job = ended(shop)
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    return dict(job.result)


def codes(result: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    return [(one["scope"], one["code"]) for one in result[kind]]


def view(shop: Shop, code: str) -> Store:
    return shop.ledger.stores.known("shop").by_code("view", code)


def override(shop: Shop, scope: str, code: str, **values: Any) -> None:
    store = shop.ledger.stores.known("shop").by_code(scope, code)  # type: ignore[arg-type]  # a text that is a scope
    shop.ledger.stores.override("shop", store.scope, store.magento_id, values)  # type: ignore[arg-type]  # not a group
    shop.runtime.forget_instances()


def test_all_stores_are_read_with_four_calls_and_counted(shop: Shop) -> None:
    result = imported(shop)
    assert calls(shop) == CALLS
    assert (result["websites"], result["groups"], result["views"]) == (3, 3, 5)
    assert len(result["new"]) == 11
    assert [result[kind] for kind in ("renamed", "changed", "closed", "reopened")] == [[], [], [], []]
    # What of them can be mapped is in the mapping center, as after discover-mappings.
    named = {(one.kind, one.value): one.label for one in shop.ledger.mappings.list("shop")}
    assert named == {
        ("store", "1"): "Default Store View",
        ("store", "2"): "German View",
        ("store", "3"): "US Dollar View",
        ("store", "4"): "Outlet English",
        ("unit", "lbs"): "weight of products",
        ("currency", "EUR"): None,
        ("currency", "USD"): None,
    }
    found = view(shop, "us")
    assert (found.magento_id, found.name, found.parent_id) == (3, "US Dollar View", 1)
    assert found.config == {
        "is_active": True,
        "locale": "en_US",
        "base_currency": "EUR",
        "display_currency": "USD",
        "timezone": "Europe/Berlin",
        "weight_unit": "lbs",
        "base_url": "https://magento.example.test/",
        "secure_base_url": "https://magento.example.test/",
    }
    group = shop.ledger.stores.known("shop").get("group", 2)
    assert group is not None
    assert group.config == {"root_category_id": 2, "default_store_id": 4}
    assert result["summary"] == "3 websites, 3 groups, 5 views; 11 new"
    again = imported(shop)
    assert again == {**result, "summary": "3 websites, 3 groups, 5 views; nothing changed", "new": []}


def test_renames_news_and_losses_are_said(shop: Shop) -> None:
    imported(shop)
    shop.box.magento.stores.rename_view("de", name="Germany", new_code="de_new")
    shop.box.magento.stores.configure("us", timezone="America/New_York")
    shop.box.magento.stores.remove_website("outlet")
    shop.box.magento.stores.add_website("b2b", name="Trade")
    shop.box.magento.stores.add_view("b2b_en", name="Trade English", website="b2b")
    result = imported(shop)
    assert result["renamed"] == [
        {
            "scope": "view",
            "id": 2,
            "code": "de_new",
            "name": "Germany",
            "was": {"code": "de", "name": "German View"},
        }
    ]
    assert codes(result, "changed") == [("view", "us")]
    assert codes(result, "new") == [("website", "b2b"), ("group", "b2b_store"), ("view", "b2b_en")]
    assert sorted(codes(result, "closed")) == [
        ("group", "outlet_group"),
        ("view", "outlet_en"),
        ("website", "outlet"),
    ]
    assert view(shop, "outlet_en").closed_at is not None


def test_a_store_that_is_closed_keeps_its_settings_and_that_is_said(shop: Shop) -> None:
    imported(shop)
    override(shop, "view", "de", team_id=7)
    removed = shop.box.magento.stores.remove_view("de")
    (closed,) = imported(shop)["closed"]
    assert (closed["code"], closed["own_settings"]) == ("de", ["team_id"])
    assert view(shop, "de").overrides == {"team_id": 7}
    shop.box.magento.stores.restore(removed)
    (back,) = imported(shop)["reopened"]
    assert (back["code"], back["own_settings"]) == ("de", ["team_id"])
    assert (view(shop, "de").overrides, view(shop, "de").closed_at) == ({"team_id": 7}, None)


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        *((name, lambda rows: {"items": rows}, "is not a list") for name in LISTS),
        *((name, lambda rows: [*rows, None], "is not an object") for name in LISTS),
        *((name, lambda rows: [{**rows[0], "id": None}, *rows[1:]], "id is missing") for name in LISTS),
        *(
            (name, lambda rows: [{**rows[0], "id": "x"}, *rows[1:]], "id is not a whole number")
            for name in LISTS
        ),
        (
            "websites",
            lambda rows: [*rows[:2], {**rows[2], "code": ""}],
            "Magento's website 2: code is missing",
        ),
        ("websites", lambda rows: rows[:2], "store group outlet_group (id 2) belongs to website 2, which"),
        ("websites", lambda _: [], "list of websites is not whole"),
        ("storeGroups", lambda rows: rows[:2], "store view outlet_en (id 4) belongs to store group 2, which"),
        ("storeViews", lambda _: [], "list of store views is not whole"),
        (
            "storeViews",
            lambda rows: [*rows, {**rows[0], "id": 9, "website_id": 8}],
            "store view default (id 9) belongs to website 8, which",
        ),
    ],
)
def test_answers_that_are_no_stores_block_in_plain_words_and_write_nothing(
    shop: Shop, name: str, damage: Any, said: str
) -> None:
    imported(shop)
    before = shop.ledger.stores.known("shop")
    shop.box.magento.stores.rename_view("us", name="Dollars")
    answers = shop.box.magento.switches.store_answers
    answers[name] = damage(shop.box.magento.state.stores[name])
    job = ended(shop)
    assert (job.state, job.error_code) == ("blocked", "stores_unclear"), job.error
    assert said in (job.error or "")
    assert "Nothing was written." in (job.error or "")
    assert "extension" in (job.help or "")
    assert shop.ledger.stores.known("shop") == before
    answers.clear()
    # The next run takes the blocked job up.
    assert codes(imported(shop), "renamed") == [("view", "us")]


def test_an_integration_that_may_not_read_stores_is_told_which_right_it_lacks(shop: Shop) -> None:
    shop.box.magento.guard.allowed = {"Magento_Sales::actions_view"}
    job = ended(shop)
    assert (job.state, job.error_code) == ("blocked", "access_missing")
    assert "Magento_Backend::store" in f"{job.error} {job.help}"


def test_two_store_views_with_settings_of_their_own_give_other_orders(shop: Shop) -> None:
    imported(shop)
    made = others(shop)
    shop.set(order_name_prefix="WEB-", team_id=1)
    override(shop, "website", "base", warehouse_id=made["warehouse_id"], order_name_prefix="BASE-")
    override(shop, "view", "de", team_id=made["team_id"], order_name_prefix="DE-", order_action="confirm")
    orders = {
        code: new_order(shop, store_id=view(shop, code).magento_id) for code in ("default", "de", "outlet_en")
    }
    found = {code: done(shop, raw) for code, raw in orders.items()}
    assert {
        code: (order["name"].partition("-")[0], order["team_id"], order["warehouse_id"], order["state"])
        for code, order in found.items()
    } == {
        "default": ("BASE", 1, made["warehouse_id"], "draft"),
        "de": ("DE", made["team_id"], made["warehouse_id"], "sale"),
        "outlet_en": ("WEB", 1, 1, "draft"),
    }


def test_policy_tolerance_and_services_are_those_of_the_store_view(shop: Shop) -> None:
    imported(shop)
    shipping = shop.box.odoo.seed_products(["DE-SHIPPING"])["DE-SHIPPING"]
    override(shop, "view", "de", order_total_tolerance="0.01", shipping_product_id=shipping)
    blocked(shop, a_cent_more(shop, store_id=1), "total_differs")
    job = shop.import_order(a_cent_more(shop, store_id=2))
    assert job.state == "done", job.error
    lines = shop.lines(stored(shop, job)["id"])
    assert shipping in {line["product_id"] for line in lines}


def test_a_mapping_of_the_store_stands_over_its_settings(shop: Shop) -> None:
    imported(shop)
    made = others(shop)
    override(shop, "view", "de", team_id=1)
    map_to(shop, "store", "2", made["team_id"])
    assert done(shop, new_order(shop, store_id=2))["team_id"] == made["team_id"]


def test_an_order_of_a_closed_view_has_its_settings_still(shop: Shop) -> None:
    imported(shop)
    override(shop, "view", "de", order_name_prefix="DE-")
    raw = new_order(shop, store_id=2)
    shop.box.magento.stores.remove_view("de")
    imported(shop)
    assert done(shop, raw)["name"] == f"DE-{raw['increment_id']}"


def test_a_view_that_is_not_known_blocks_only_where_websites_differ_and_goes_on_by_itself(shop: Shop) -> None:
    imported(shop)
    view_id = shop.box.magento.stores.add_view("outlet_de", name="Outlet German", website="outlet")
    assert done(shop, new_order(shop, store_id=view_id))["name"].startswith("S0")
    override(shop, "website", "outlet", order_name_prefix="OUT-")
    raw = new_order(shop, store_id=view_id)
    job = blocked(shop, raw, "store_view_unknown")
    assert f"does not know the store view {view_id}" in (job.error or "")
    assert "bridge run import-stores --instance shop" in (job.help or "")
    imported(shop)
    job = shop.job(job.id)
    assert (job.state, job.error) == ("done", None)
    assert stored(shop, job)["name"] == f"OUT-{raw['increment_id']}"


def test_an_order_without_a_store_view_has_the_settings_of_the_instance(shop: Shop) -> None:
    shop.set(order_name_prefix="WEB-")
    for _ in range(2):
        raw = new_order(shop)
        del raw["store_id"]
        shop.box.magento.orders.add(raw)
        assert done(shop, raw)["name"] == f"WEB-{raw['increment_id']}"
        imported(shop)
        override(shop, "website", "base", order_name_prefix="BASE-")


def test_a_released_order_is_confirmed_by_the_settings_of_its_store_view(shop: Shop) -> None:
    imported(shop)
    override(shop, "view", "de", order_action="confirm")
    for store_id, state in ((1, "draft"), (2, "sale")):
        raw = new_order(shop, store_id=store_id, state="holded", status="holded")
        job = shop.import_order(raw)
        assert stored(shop, job)["state"] == "draft"
        changed(shop, raw, state="processing", status="processing")
        assert shop.import_order(raw).state == "done"
        assert stored(shop, job)["state"] == state


def test_a_new_view_that_another_process_has_read_is_known_at_once(shop: Shop) -> None:
    imported(shop)
    override(shop, "website", "outlet", order_name_prefix="OUT-")
    done(shop, new_order(shop, store_id=4))
    view_id = shop.box.magento.stores.add_view("outlet_de", name="Outlet German", website="outlet")
    imported(shop)
    raw = new_order(shop, store_id=view_id)
    assert done(shop, raw)["name"] == f"OUT-{raw['increment_id']}"


def test_accounts_and_orders_look_for_partners_of_their_store_views_company(shop: Shop) -> None:
    imported(shop)
    company = shop.box.odoo.create("res.company", {"name": "Outlet Ltd", "currency_id": 1})
    shop.set(company_id=1)
    override(shop, "view", "de", company_id=company)
    for store_id, is_theirs in ((1, False), (2, True)):
        account = new_account(shop, store_id=store_id)
        values = {"name": "Nora Krause", "email": account["email"], "company_id": company}
        theirs = shop.box.odoo.create("res.partner", values)
        job = import_account(shop, account)
        assert (job.state, job.error) == ("done", None)
        assert ((job.result or {})["partner_id"] == theirs) == is_theirs


def test_a_preview_shows_what_the_store_view_would_get(shop: Shop) -> None:
    imported(shop)
    override(shop, "website", "outlet", order_name_prefix="OUT-")
    raw = new_order(shop, store_id=4)
    shown = preview(preview_context(shop.runtime, "shop"), raw["increment_id"])
    assert shown["problems"] == []
    assert shown["head"]["name"] == f"OUT-{raw['increment_id']}"
    raw = new_order(shop, store_id=shop.box.magento.stores.add_view("new", name="New"))
    shown = preview(preview_context(shop.runtime, "shop"), raw["increment_id"])
    assert [one["code"] for one in shown["problems"]] == ["store_view_unknown"]


@pytest.mark.parametrize("where", ["instance", "view"])
def test_what_was_set_after_a_block_holds_at_once(shop: Shop, where: str) -> None:
    imported(shop)
    # From the first write on an instance is believed for a few seconds.
    done(shop, new_order(shop))
    job = blocked(shop, a_cent_more(shop, store_id=2), "total_differs")
    # By another process: this one is not told.
    values = {"order_total_tolerance": "0.01"}
    if where == "view":
        shop.ledger.stores.override("shop", "view", 2, values)
    else:
        shop.ledger.instances.set("shop", values)
    shop.ledger.jobs.retry(job.id)
    shop.work()
    assert shop.job(job.id).state == "done", shop.job(job.id).error


def test_settings_of_stores_cost_one_read_of_the_ledger_and_no_call(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.ledger.database import Session

    imported(shop)
    override(shop, "website", "base", order_name_prefix="BASE-")
    override(shop, "view", "de", order_name_prefix="DE-")
    raw = new_order(shop, store_id=2)
    done(shop, raw)
    reads: list[str] = []
    original = Session._execute

    def spy(self: Session, sql: str, params: Any) -> None:
        if " FROM stores " in sql:
            reads.append(sql)
        original(self, sql, params)

    monkeypatch.setattr(Session, "_execute", spy)
    shop.runtime.forget_instances()
    shop.box.calls.reset()
    for _ in range(3):
        done(shop, new_order(shop, store_id=2))
    assert len(reads) == 1
    assert not any("/store/" in name for name in calls(shop))
