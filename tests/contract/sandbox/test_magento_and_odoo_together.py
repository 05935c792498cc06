"""Both simulated systems in one box: started together, counted apart, gone when closed."""

from __future__ import annotations

import httpx
import pytest

from bridge.sandbox import Sandbox


def test_both_systems_answer_while_the_box_is_open_and_not_after():
    with Sandbox.start(odoo_version=18, seed=3) as box:
        url = box.magento.url
        shop = httpx.get(
            f"{url}/rest/V1/store/websites", headers={"Authorization": f"Bearer {box.magento.admin_token}"}
        )
        assert [site["code"] for site in shop.json()] == ["admin", "base", "outlet"]
        body = {"jsonrpc": "2.0", "params": {"service": "common", "method": "version", "args": []}}
        assert (
            httpx.post(f"{box.odoo.url}/jsonrpc", json=body).json()["result"]["server_version_info"][0] == 18
        )
        assert (box.calls.total("magento"), box.calls.total("odoo")) == (1, 1)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_the_secrets_follow_from_the_seed_and_differ_between_seeds():
    with Sandbox.start(seed=1) as one, Sandbox.start(seed=1) as same, Sandbox.start(seed=2) as other:
        assert one.magento.secret == same.magento.secret
        assert not set(one.magento.secret.values()) & set(other.magento.secret.values())
        assert one.magento.url != same.magento.url
