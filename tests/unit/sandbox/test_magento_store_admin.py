"""Stores of the sandbox that an administrator renames, removes and adds: what REST answers then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox


@pytest.fixture
def box() -> Iterator[MagentoBox]:
    box = MagentoBox(calls=Calls())
    yield box
    box.stop()


def answer(box: MagentoBox, name: str, **query: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {box.admin_token}"}
    response = httpx.get(f"{box.url}/rest/V1/store/{name}", params=query, headers=headers)
    assert response.status_code == 200
    rows: list[dict[str, Any]] = response.json()
    return rows


def codes(box: MagentoBox, name: str) -> list[str]:
    return sorted(row["code"] for row in answer(box, name))


def test_a_view_keeps_its_id_when_it_is_renamed_and_its_code_opens_the_path(box: MagentoBox) -> None:
    box.stores.rename_view("de", name="Germany", new_code="de_new")
    (view,) = [row for row in answer(box, "storeViews") if row["id"] == 2]
    assert (view["code"], view["name"]) == ("de_new", "Germany")
    assert answer(box, "storeConfigs", **{"storeCodes[0]": "de_new"})[0]["id"] == 2
    assert {"de_new"} <= box.state.store_codes()
    assert "de" not in box.state.store_codes()


def test_a_view_that_is_removed_is_in_no_list(box: MagentoBox) -> None:
    removed = box.stores.remove_view("us")
    assert "us" not in [*codes(box, "storeViews"), *codes(box, "storeConfigs")]
    box.stores.restore(removed)
    assert "us" in codes(box, "storeViews")
    assert "us" in codes(box, "storeConfigs")


def test_a_website_takes_its_groups_and_views_along(box: MagentoBox) -> None:
    box.stores.remove_website("outlet")
    assert codes(box, "websites") == ["admin", "base"]
    assert codes(box, "storeGroups") == ["default", "main_website_store"]
    assert codes(box, "storeViews") == ["admin", "de", "default", "us"]
    assert codes(box, "storeConfigs") == ["de", "default", "us"]


def test_a_new_website_has_a_group_and_its_view_a_configuration(box: MagentoBox) -> None:
    website_id = box.stores.add_website("b2b", name="Trade")
    view_id = box.stores.add_view("b2b_en", name="Trade English", website="b2b")
    box.stores.configure("b2b_en", timezone="Europe/London")
    (view,) = [row for row in answer(box, "storeViews") if row["id"] == view_id]
    (group,) = [row for row in answer(box, "storeGroups") if row["id"] == view["store_group_id"]]
    assert (view["website_id"], group["website_id"]) == (website_id, website_id)
    (config,) = answer(box, "storeConfigs", **{"storeCodes[0]": "b2b_en"})
    assert (config["id"], config["website_id"], config["timezone"]) == (view_id, website_id, "Europe/London")
