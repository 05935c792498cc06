"""The main job on real input: orders as a real Magento gave them become sales orders, once and to the cent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from tests.support.shop import HURRIED, Shop

#: Every write of the flow, by the operation that the sandbox sees.
WRITES = (
    "res.partner.load",
    "product.product.load",
    "sale.order.load",
    "sale.order.action_confirm",
    "sale.order.write",
    "mail.message.load",
)


def open_shop(box: Sandbox, folder: Path, **settings: object) -> Shop:
    return Shop.open(box, folder, settings={"order_action": "confirm", **settings})


@pytest.mark.parametrize("digits", [2, 6])
@pytest.mark.parametrize("version", [16, 18, 19])
def test_every_recorded_order_is_imported_to_the_cent(tmp_path: Path, version: int, digits: int) -> None:
    with Sandbox.start(odoo_version=version) as box:
        box.odoo.set_price_precision(digits)
        shop = open_shop(box, tmp_path)
        orders = box.magento.generate_orders(31)
        shop.map_all(orders)
        for raw in orders:
            shop.want_order(raw)
        shop.work(seconds=90)
        for raw in orders:
            found = shop.sale_orders(raw)
            assert [Decimal(str(one["amount_total"])).quantize(Decimal("0.01")) for one in found] == [
                Decimal(str(raw["grand_total"])).quantize(Decimal("0.01"))
            ], raw["increment_id"]
        shop.close()


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("cut", ["cut_before", "cut_after", "error_after", "cut_body"])
def test_a_broken_connection_at_any_write_leaves_one_of_each(
    tmp_path: Path, operation: str, cut: str
) -> None:
    with Sandbox.start(odoo_version=18) as box:
        shop = open_shop(box, tmp_path)
        raw = box.magento.generate_orders(1)[0]
        shop.map_all([raw])
        partners = len(box.odoo.records("res.partner"))
        shot = box.odoo.faults.once(cut, operation)
        job = shop.import_order(raw)
        assert shot.fired.is_set()
        assert job.state == "done"
        (order,) = shop.sale_orders(raw)
        assert order["state"] == "sale"
        assert len([one for one in shop.notes(order["id"]) if one["message_type"] == "comment"]) == 1
        # One customer with one address that differs from nobody's: made once.
        made = [one for one in box.odoo.records("res.partner")[partners:] if not one.get("parent_id")]
        assert len(made) == 1
        shop.close()


def test_trouble_that_does_not_end_fails_the_job_after_as_many_attempts_as_the_ledger_allows(
    tmp_path: Path,
) -> None:
    with Sandbox.start(odoo_version=18) as box:
        shop = Shop.open(box, tmp_path, lengths=replace(HURRIED, max_attempts=3))
        raw = box.magento.generate_orders(1)[0]
        box.magento.faults.set(error_5xx=1.0)
        job = shop.import_order(raw)
        assert (job.state, job.attempt) == ("failed", 3)
        shop.close()


def test_a_doubt_is_waited_out_before_anything_is_sent_again(tmp_path: Path) -> None:
    with Sandbox.start(odoo_version=18) as box:
        shop = open_shop(box, tmp_path, odoo_doubt_seconds=30)
        raw = box.magento.generate_orders(1)[0]
        shop.map_all([raw])
        box.odoo.faults.once("cut_after", "sale.order.load")
        job_id = shop.want_order(raw)
        with pytest.raises(AssertionError, match="jobs still move"):
            shop.work(seconds=1.5)
        job = shop.job(job_id)
        assert job.state == "retry_waiting"
        assert job.waits_for is not None
        assert job.waits_for.startswith("doubt:")
        assert job.retry_count == 0
        assert shop.ledger.jobs.retry(job_id).changed is False
        loads = [count for key, count in box.calls.counts("odoo").items() if key[2] == "sale.order.load"]
        assert loads == [1]
        shop.close()


def test_an_unmapped_tax_blocks_and_its_mapping_lets_the_order_go_on(tmp_path: Path) -> None:
    with Sandbox.start(odoo_version=18) as box:
        shop = open_shop(box, tmp_path)
        raw = box.magento.generate_orders(1)[0]
        box.odoo.seed_products([raw["items"][0]["sku"]])
        job = shop.import_order(raw)
        assert job.state == "blocked"
        assert "DE-19|19" in (job.error or "")
        assert "bridge mappings set tax" in (job.help or "")
        assert [one.value for one in shop.ledger.mappings.list("shop", kind="tax", state="unmapped")] == [
            "DE-19|19"
        ]
        shop.map_all([raw])
        shop.work()
        assert shop.job(job.id).state == "done"
        assert len(shop.sale_orders(raw)) == 1
        shop.close()


def test_an_order_that_was_deleted_in_odoo_blocks_and_is_never_made_again(tmp_path: Path) -> None:
    with Sandbox.start(odoo_version=18) as box:
        shop = open_shop(box, tmp_path, order_action="draft")
        raw = box.magento.generate_orders(1)[0]
        shop.map_all([raw])
        shop.import_order(raw)
        (order,) = shop.sale_orders(raw)
        box.odoo.delete("sale.order", order["id"])
        changed = box.magento.orders.change(raw["entity_id"], {"status": "processing", "state": "processing"})
        assert changed is not None
        job = shop.import_order(changed)
        assert job.state == "blocked"
        assert job.error_code == "bound_record_gone"
        assert shop.sale_orders(raw) == []
        shop.close()


def test_an_unchanged_order_writes_nothing_the_second_time(tmp_path: Path) -> None:
    with Sandbox.start(odoo_version=18) as box:
        shop = open_shop(box, tmp_path)
        raw = box.magento.generate_orders(1)[0]
        shop.map_all([raw])
        shop.import_order(raw)
        box.calls.reset()
        job = shop.import_order(raw)
        assert job.state == "done"
        assert box.calls.total("odoo") == 0
        assert box.calls.total("magento") == 1
        shop.close()
