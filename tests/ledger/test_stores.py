"""Stores in the ledger: kept when renamed, closed when gone, opened when back; and their own settings."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import SettingsWrong
from bridge.ledger import KnownStores, Ledger, SeenStore
from bridge.overrides import effective
from tests.ledger.test_instances import SECRETS, SETTINGS
from tests.support.ledger import go_back, in_threads, into, start, state_of

_PARENTS = {"website": None, "group": 1, "view": 1}


def seen(scope: str, magento_id: int, code: str, name: str | None = None, **more: Any) -> SeenStore:
    fields: dict[str, Any] = {"parent_id": _PARENTS[scope], "config": {}} | more
    return SeenStore(scope=scope, magento_id=magento_id, code=code, name=name or code.title(), **fields)  # type: ignore[arg-type]  # a text that is a scope


ALL = [
    seen("website", 0, "admin"),
    seen("website", 1, "base"),
    seen("website", 2, "outlet"),
    seen("group", 1, "main", parent_id=1),
    seen("group", 2, "outlet_group", parent_id=2),
    seen("view", 0, "admin", parent_id=0),
    seen("view", 1, "default", config={"timezone": "Europe/Berlin"}),
    seen("view", 2, "de"),
    seen("view", 4, "outlet_en", parent_id=2),
]


@pytest.fixture
def shop(ledger: Ledger) -> Ledger:
    ledger.instances.add("shop", SETTINGS | {"team_id": 1}, SECRETS)
    ledger.stores.sync("shop", ALL)
    return ledger


def changes(ledger: Ledger, now: list[SeenStore]) -> list[tuple[Any, ...]]:
    return [(one.kind, one.scope, one.code, one.was) for one in ledger.stores.sync("shop", now)]


def without(*codes: str) -> list[SeenStore]:
    return [one for one in ALL if one.code not in codes]


def with_(*changed: SeenStore) -> list[SeenStore]:
    keys = {(one.scope, one.magento_id) for one in changed}
    return [*(one for one in ALL if (one.scope, one.magento_id) not in keys), *changed]


def test_stores_come_back_as_they_were_seen(ledger: Ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    assert ledger.stores.known("shop") == KnownStores([])
    assert [kind for kind, *_ in changes(ledger, ALL)] == ["new"] * len(ALL)
    found = ledger.stores.known("shop").rows
    key = {(one.scope, one.magento_id): one for one in found}
    view = key["view", 1]
    assert (view.code, view.name, view.parent_id) == ("default", "Default", 1)
    assert (view.config, view.overrides, view.closed_at) == ({"timezone": "Europe/Berlin"}, {}, None)
    assert view.first_seen_at == view.changed_at
    assert len(found) == len(ALL)
    assert ledger.stores.known("other").rows == []


def test_what_stays_the_same_is_not_touched(shop: Ledger):
    before = shop.stores.known("shop")
    assert changes(shop, ALL) == []
    assert shop.stores.known("shop") == before


def test_a_rename_keeps_the_row_and_its_settings(shop: Ledger):
    shop.stores.override("shop", "view", 2, {"team_id": 7})
    first_seen = shop.stores.known("shop").by_code("view", "de").first_seen_at
    new = seen("view", 2, "de_new", "Germany")
    assert changes(shop, with_(new)) == [("renamed", "view", "de_new", ("de", "De"))]
    found = shop.stores.known("shop").by_code("view", "de_new")
    assert (found.magento_id, found.overrides, found.first_seen_at) == (2, {"team_id": 7}, first_seen)
    with pytest.raises(SettingsWrong):
        shop.stores.known("shop").by_code("view", "de")


def test_another_configuration_or_parent_is_a_change(shop: Ledger):
    moved = seen("view", 2, "de", parent_id=2)
    other = seen("view", 1, "default", config={"timezone": "Europe/Vienna"})
    assert changes(shop, with_(moved, other)) == [
        ("changed", "view", "de", None),
        ("changed", "view", "default", None),
    ]
    assert shop.stores.known("shop").get("view", 1).config == {"timezone": "Europe/Vienna"}
    assert shop.stores.known("shop").website_of(shop.stores.known("shop").get("view", 2)).code == "outlet"


def test_what_is_gone_is_closed_with_its_settings_and_opened_when_it_is_back(shop: Ledger):
    shop.stores.override("shop", "website", 2, {"company_id": 3})
    closed = shop.stores.sync("shop", without("outlet", "outlet_group", "outlet_en"))
    assert {(one.kind, one.code, one.overrides) for one in closed} == {
        ("closed", "outlet", ("company_id",)),
        ("closed", "outlet_group", ()),
        ("closed", "outlet_en", ()),
    }
    website = shop.stores.known("shop").by_code("website", "outlet")
    assert website.closed_at is not None
    assert website.overrides == {"company_id": 3}
    assert changes(shop, without("outlet", "outlet_group", "outlet_en")) == []
    back = changes(shop, with_(seen("website", 2, "outlet", "Sale")))
    assert ("reopened", "website", "outlet", ("outlet", "Outlet")) in back
    website = shop.stores.known("shop").by_code("website", "outlet")
    assert (website.closed_at, website.overrides) == (None, {"company_id": 3})


def test_a_code_that_was_given_again_is_that_of_the_open_store(shop: Ledger):
    shop.stores.sync("shop", [*without("de"), seen("view", 9, "de")])
    assert shop.stores.known("shop").by_code("view", "de").magento_id == 9
    assert shop.stores.known("shop").get("view", 2).closed_at is not None


def test_an_unknown_code_is_told_with_the_known_ones_and_how_to_read_them(shop: Ledger):
    known = shop.stores.known("shop")
    for scope, codes in (("view", "de, default, outlet_en"), ("website", "base, outlet")):
        for code in ("nope", "admin", "DE"):
            with pytest.raises(SettingsWrong) as caught:
                known.by_code(scope, code)
            assert f"Known: {codes}." in caught.value.message
            assert "bridge run import-stores" in caught.value.message
    with pytest.raises(SettingsWrong, match="Known: none yet"):
        KnownStores().by_code("view", "de")


def test_settings_of_a_store_are_checked_kept_and_taken_back_one_by_one(shop: Ledger):
    shop.stores.override("shop", "view", 2, {"order_total_tolerance": "0.05", "team_id": "7"})
    found = shop.stores.override("shop", "view", 2, {"team_id": None, "order_name_prefix": ""})
    assert found.overrides == {"order_total_tolerance": "0.05", "team_id": None, "order_name_prefix": ""}
    assert shop.stores.known("shop").get("view", 2) == found
    found = shop.stores.override("shop", "view", 2, {}, take_back=["team_id"])
    assert found.overrides == {"order_total_tolerance": "0.05", "order_name_prefix": ""}
    assert shop.stores.known("shop").get("view", 1).overrides == {}


@pytest.mark.parametrize(
    ("values", "take_back", "told"),
    [
        ({"odoo_db": "other"}, (), "odoo_db can be set for the whole instance only. A website or store view"),
        ({"colour": "red"}, (), "There is no setting colour."),
        ({}, ("base_url",), "base_url can be set for the whole instance only"),
        ({"order_action": "maybe"}, (), "order_action must be 'draft' or 'confirm'."),
        ({"order_total_tolerance": "-1"}, (), "order_total_tolerance must be 0 or more."),
        ({"team_id": "0"}, (), "team_id must be more than 0."),
        ({"store_timezone": "Mars/Phobos"}, (), "must be a time zone such as"),
        ({"order_action": None}, (), "order_action must be 'draft' or 'confirm'."),
        (
            {},
            ("warehouse_id",),
            "store view de has no value of its own for warehouse_id. Its own settings: team_id.",
        ),
    ],
)
def test_a_wrong_setting_of_a_store_is_refused_and_nothing_changes(
    shop: Ledger, values: dict[str, Any], take_back: tuple[str, ...], told: str
):
    before = shop.stores.override("shop", "view", 2, {"team_id": 7})
    with pytest.raises(SettingsWrong) as caught:
        shop.stores.override("shop", "view", 2, values, take_back=take_back)
    assert told in caught.value.message
    assert shop.stores.known("shop").get("view", 2) == before


def test_a_store_that_is_not_there_has_no_settings(shop: Ledger):
    for instance, magento_id in (("shop", 99), ("other", 2)):
        with pytest.raises(SettingsWrong, match="has no view with the id"):
            shop.stores.override(instance, "view", magento_id, {"team_id": 7})


def test_the_view_stands_over_its_website(shop: Ledger):
    shop.stores.override("shop", "website", 1, {"team_id": 2, "warehouse_id": 2})
    shop.stores.override("shop", "view", 2, {"team_id": 3})
    known, settings = shop.stores.known("shop"), shop.instances.get("shop").settings
    held = {
        code: effective(settings, known.levels(known.by_code("view", code))).settings
        for code in ("default", "de", "outlet_en")
    }
    assert [(one.team_id, one.warehouse_id) for one in held.values()] == [(2, 2), (3, 2), (1, None)]
    of_website = effective(settings, known.levels(known.by_code("website", "base"))).settings
    assert (of_website.team_id, of_website.warehouse_id) == (2, 2)


def test_two_settings_at_once_are_both_kept(shop: Ledger):
    in_threads(
        lambda: shop.stores.override("shop", "view", 2, {"team_id": 7}),
        lambda: shop.stores.override("shop", "view", 2, {"warehouse_id": 8}),
        lambda: shop.stores.sync("shop", with_(seen("view", 2, "de", "Germany"))),
    )
    found = shop.stores.known("shop").get("view", 2)
    assert (found.name, found.overrides) == ("Germany", {"team_id": 7, "warehouse_id": 8})


def test_a_removed_instance_takes_its_stores_along(shop: Ledger):
    shop.instances.add("second", SETTINGS, SECRETS)
    shop.stores.sync("second", ALL)
    shop.instances.remove("shop")
    assert shop.stores.known("shop").rows == []
    assert len(shop.stores.known("second").rows) == len(ALL)


def test_jobs_that_wait_for_a_store_go_on_when_stores_are_read(shop: Ledger):
    from bridge.retry import Decision

    waiting = start(shop, "1")
    shop.jobs.finish(waiting, Decision(state="blocked", cause="stores"))
    other = into(shop, "blocked", "2")
    late = start(shop, "3")
    shop.stores.sync("shop", ALL)
    assert state_of(shop, waiting.id) == "pending"
    assert state_of(shop, other) == "blocked"
    # Read while the job ran: what it missed may be there now.
    assert shop.jobs.finish(late, Decision(state="blocked", cause="stores")) == "pending"


def test_a_ledger_from_before_the_stores_gets_their_table(ledger: Ledger):
    ledger.instances.add("shop", SETTINGS, SECRETS)
    go_back(ledger, "0002")
    assert not ledger.is_current()
    ledger.migrate()
    assert ledger.is_current()
    assert len(ledger.stores.sync("shop", ALL)) == len(ALL)
