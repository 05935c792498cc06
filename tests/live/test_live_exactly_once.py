"""A real Odoo behind a breaking proxy: each write is done and its answer lost, and still happens once."""

from __future__ import annotations

import pytest

from tests.live.conftest import OpenShop
from tests.support.once import (
    ADDRESS,
    CONFIRM,
    DATE,
    EXT_ORDER_ID,
    NOTE,
    ORDER,
    PARTNER,
    SERVICE,
    assert_once,
    services,
)

WRITES = (PARTNER, SERVICE, ORDER, CONFIRM, DATE, NOTE)
PATIENCE = 200.0


def test_every_write_whose_answer_is_lost_happens_once(open_shop: OpenShop) -> None:
    shop = open_shop(is_proxied=True)
    made_before = services(shop)
    raw = shop.new_order()
    armed = {write: shop.proxy(write).once("after_commit", write.fits) for write in (*WRITES, EXT_ORDER_ID)}
    job = shop.import_order(raw, seconds=PATIENCE)
    assert [str(write) for write, one in armed.items() if not one.fired.is_set()] == []
    assert (job.state, job.error, job.retry_count) == ("done", None, 0)
    assert_once(shop, raw)
    assert set((services(shop) - made_before).values()) == {1}
    second = shop.another_order(raw)
    address = shop.proxy(ADDRESS).once("after_commit", ADDRESS.fits)
    job = shop.import_order(second, seconds=PATIENCE)
    assert address.fired.is_set()
    assert (job.state, job.error) == ("done", None)
    assert_once(shop, second)
    assert_once(shop, raw)


@pytest.mark.parametrize("kind", ["before", "in_answer", "late"])
def test_an_order_that_is_broken_elsewhere_on_the_wire_is_made_once(open_shop: OpenShop, kind) -> None:
    shop = open_shop(is_proxied=True)
    raw = shop.new_order()
    armed = {write: shop.proxy(write).once(kind, write.fits) for write in (PARTNER, ORDER, NOTE)}
    job = shop.import_order(raw, seconds=PATIENCE)
    if kind == "late":
        # All is done by the retries; now the first requests arrive after all.
        for one in armed.values():
            one.deliver()
    assert [str(write) for write, one in armed.items() if not one.fired.is_set()] == []
    assert (job.state, job.error, job.retry_count) == ("done", None, 0)
    assert_once(shop, raw)
    assert shop.import_order(raw, seconds=PATIENCE).state == "done"
    assert_once(shop, raw)
