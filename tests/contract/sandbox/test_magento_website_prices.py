"""Prices of websites: each recorded call goes on from those before it, and the simulated Magento answers as the real one did."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import httpx

from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox

RECORDINGS = Path(__file__).parents[2] / "recordings" / "magento" / "prices-website-scope"


def in_any_order(value):
    return (
        sorted(value, key=lambda row: json.dumps(row, sort_keys=True)) if isinstance(value, list) else value
    )


def test_prices_of_websites_are_set_and_deleted_as_recorded():
    box = MagentoBox(calls=Calls())
    try:
        box.switches.website_prices = True
        raw = copy.deepcopy(box.catalog.by_sku("SIM-01"))
        box.catalog.add(
            {**raw, "id": box.catalog.next_id(), "sku": "SCOPE-01", "price": 10, "tier_prices": []}
        )
        with httpx.Client(headers={"Authorization": f"Bearer {box.admin_token}"}) as client:
            for path in sorted(RECORDINGS.glob("*.json")):
                recorded = json.loads(path.read_text(encoding="utf-8"))
                request, expected = recorded["request"], recorded["response"]
                answer = client.request(request["method"], box.url + request["path"], json=request["json"])
                assert answer.status_code == expected["status"], path.stem
                assert in_any_order(answer.json()) == in_any_order(expected["json"]), path.stem
    finally:
        box.stop()
