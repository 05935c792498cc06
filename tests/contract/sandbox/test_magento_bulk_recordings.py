"""The simulated Magento takes, runs and shows bulks of source items as the real one did (``async/*``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.magento import MagentoClient, OAuthSecret, bulk
from bridge.magento.inventory import SourceItem
from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox

RECORDINGS = Path(__file__).parents[2] / "recordings" / "magento" / "async"


def recorded(number: str) -> dict[str, Any]:
    (path,) = RECORDINGS.glob(f"{number}-*.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def box() -> Iterator[MagentoBox]:
    box = MagentoBox(calls=Calls())
    for code in ("berlin", "munich"):
        box.inventory.add_source(code)
    box.inventory.add_stock("EU Stock", websites=["base"], sources=["berlin", "munich"])
    yield box
    box.stop()


class Replay:
    """Makes recorded calls again; the bulk's id and time are the sandbox's own."""

    def __init__(self, box: MagentoBox) -> None:
        self.box = box
        self.uuid = ""

    def call(self, number: str, *, for_uuid: str = "") -> tuple[int, Any]:
        request = recorded(number)["request"]
        return self.send(
            request["method"],
            request["path"].replace(for_uuid, self.uuid) if for_uuid else request["path"],
            query=request.get("query"),
            body=request.get("json"),
            is_signed="Authorization" in request["headers"],
        )

    def send(
        self, method: str, path: str, *, query: Any = None, body: Any = None, is_signed: bool = True
    ) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        if is_signed:
            headers["Authorization"] = f"Bearer {self.box.admin_token}"
        answer = httpx.request(
            method,
            self.box.url + path,
            params=query or None,
            content=b"" if body is None else json.dumps(body),
            headers=headers,
        )
        return answer.status_code, answer.json()


def same(ours: Any, theirs: Any) -> bool:
    """Compare answers but for the bulk's own id, its time and the hashes of its operations."""
    if isinstance(theirs, dict):
        return (
            isinstance(ours, dict)
            and list(ours) == list(theirs)
            and all(
                name in {"bulk_uuid", "bulk_id", "start_time", "data_hash"} or same(ours[name], theirs[name])
                for name in theirs
            )
        )
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs)


def test_a_bulk_is_taken_open_then_done_and_failed_as_recorded(box: MagentoBox) -> None:
    replay = Replay(box)
    status, answer = replay.call("008")
    theirs = recorded("008")["response"]
    assert status == theirs["status"]
    assert same(answer, theirs["json"])
    replay.uuid, id_ = answer["bulk_uuid"], theirs["json"]["bulk_uuid"]
    # Open: the same words as of a bulk of products, which was recorded before its consumer ran.
    _, ours = replay.send("GET", f"/rest/V1/bulk/{replay.uuid}/status")
    (theirs_open,) = recorded("002")["response"]["json"]["operations_list"]
    assert ours["operations_list"] == [theirs_open, {**theirs_open, "id": 1}]
    _, ours = replay.send("GET", f"/rest/V1/bulk/{replay.uuid}/detailed-status")
    (theirs_open,) = recorded("003")["response"]["json"]["operations_list"]
    assert list(ours["operations_list"][0]) == list(theirs_open)
    assert ours["operations_list"][0]["status"] == theirs_open["status"]
    assert box.run_queue() == 2
    for number in ("024", "025"):
        theirs = recorded(number)["response"]
        assert (status := replay.call(number, for_uuid=id_))[0] == theirs["status"]
        assert same(status[1], theirs["json"]), number


def test_operations_are_searched_in_the_recorded_form(box: MagentoBox) -> None:
    replay = Replay(box)
    _, answer = replay.call("008")
    box.run_queue()
    # Those that failed, as recorded of products: the same fields in the same order, the same criteria told.
    status, ours = replay.call("035")
    theirs = recorded("035")["response"]
    assert (status, list(ours), ours["search_criteria"]) == (
        theirs["status"],
        list(theirs["json"]),
        theirs["json"]["search_criteria"],
    )
    (row,) = ours["items"]
    assert list(row) == list(theirs["json"]["items"][0])
    assert (row["bulk_uuid"], row["status"], row["result_message"]) == (
        answer["bulk_uuid"],
        3,
        "Could not save Source Item",
    )
    query = recorded("034")["request"]["query"]
    query["searchCriteria[filter_groups][0][filters][0][value]"] = answer["bulk_uuid"]
    _, ours = replay.send("GET", "/rest/V1/bulk/", query=query)
    assert [one["id"] for one in ours["items"]] == [0, 1]
    assert ours["total_count"] == 2


@pytest.mark.parametrize("number", ["033"])
def test_an_unknown_bulk_is_answered_as_recorded(box: MagentoBox, number: str) -> None:
    theirs = recorded(number)["response"]
    assert Replay(box).call(number) == (theirs["status"], theirs["json"])


def test_an_open_bulk_is_found_by_what_it_is_to_write(box: MagentoBox) -> None:
    magento = MagentoClient.connect(base_url=box.url, secret=OAuthSecret(**box.secret))
    first, second = (
        [SourceItem(sku="SIM-01", source_code="berlin", quantity=Decimal(text))] for text in ("7.5", "8")
    )
    try:
        uuid = bulk.send_source_items(magento, [first])
        other = bulk.send_source_items(magento, [second])
        assert bulk.find_open_bulk(magento, [first]) == uuid
        assert bulk.find_open_bulk(magento, [second]) == other
        assert bulk.find_open_bulk(magento, [[*first, *second]]) is None
        box.run_queue()
        assert bulk.find_open_bulk(magento, [first]) is None
    finally:
        magento.close()
