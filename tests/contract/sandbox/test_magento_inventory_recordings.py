"""The simulated Magento answers the recorded inventory calls, one after the other, as the real one did."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox

RECORDINGS = Path(__file__).parents[2] / "recordings" / "magento"

#: Recordings that are not answered as recorded, and why.
NOT_SIMULATED = {
    "061-stockitem-lowstock": "the list of low stock is not simulated",
    "062-ssa-list": "the choice of sources is not simulated",
    "063-ssa-result": "the choice of sources is not simulated",
    "064-bulk-transfer": "transfers are not simulated",
    "065-bulk-unassign": "transfers are not simulated",
    "066-bulk-assign": "transfers are not simulated",
    "067-source-items-after-bulk": "transfers are not simulated",
    "069-dump-stock-index": "the index is not simulated",
    "070-low-qty-notification": "notifications are not simulated",
}


@pytest.fixture
def box():
    box = MagentoBox(calls=Calls())
    # As the shop was before the first recording: no order had been placed.
    for sku, _ in box.inventory.keys(["default"]):
        box.inventory.set(sku, "default", 100)
    box.reservations.clear()
    box.inventory.set_backorders("NEG-TAXFREE", allowed=True)
    yield box
    box.stop()


def send(client, box, recorded):
    request = recorded["request"]
    url = httpx.URL(box.url + request["path"])
    if request.get("query"):
        url = url.copy_merge_params(request["query"])
    headers = {"Authorization": f"Bearer {box.admin_token}", "Content-Type": "application/json"}
    content = json.dumps(request["json"]) if "json" in request else request.get("raw") or ""
    text = str(url).replace("+", "%20")
    return client.request(request["method"], text, headers=headers, content=content.encode())


def test_the_recorded_calls_of_inventory_get_the_recorded_answers_in_their_order(box):
    different = {}
    with httpx.Client() as client:
        for path in sorted((RECORDINGS / "inventory").glob("*.json")):
            recorded = json.loads(path.read_text(encoding="utf-8"))
            answer = send(client, box, recorded)
            expected = recorded["response"]
            same = answer.status_code == expected["status"] and (
                answer.json() == expected["json"] if "json" in expected else answer.text == expected["text"]
            )
            if not same:
                different[path.stem] = (answer.status_code, answer.text[:1500], expected)
    unexpected = {name: pair for name, pair in different.items() if name not in NOT_SIMULATED}
    assert not unexpected
    assert set(different) == set(NOT_SIMULATED)
