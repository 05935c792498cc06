"""``bridge orders accept``: an order changed on both sides is agreed as it is, and later changes count from there."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.bootstrap import open_ledger
from bridge.sandbox import Sandbox
from bridge.settings import Settings
from bridge.showcase import map_all
from tests.support.cli import Cli, Ended, assert_plain, running_cli

Raw = dict[str, Any]
WHY = "agreed by phone with the customer"


@pytest.fixture(scope="module", params=[16, 19])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox.start(odoo_version=request.param) as running:
        running.odoo.set_price_precision(6)
        yield running


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], box: Sandbox
) -> Iterator[Cli]:
    for cli in running_cli(tmp_path, monkeypatch, capsys):
        cli.add_box(box, "order_action=confirm", "odoo_doubt_seconds=0.3")
        yield cli


@pytest.fixture
def raw(cli: Cli, box: Sandbox) -> Raw:
    """Give an imported order of several units of one article, of a buyer of its own."""
    raw = one_line_order(box)
    raw.pop("customer_id", None)
    raw |= {"customer_is_guest": 1, "customer_email": f"buyer.{raw['entity_id']}@example.com"}
    box.magento.orders.add(raw)
    ledger = open_ledger(Settings())
    try:
        map_all(ledger, box, [raw], name="shop")
    finally:
        ledger.close()
    ended = cli("run", "import-order", number(raw), "--wait")
    assert ended.code == 0, ended.out
    return raw


def one_line_order(box: Sandbox) -> Raw:
    while True:
        (raw,) = box.magento.generate_orders(1, kinds=("simple",))
        # Of fewer units than the tests then change it to.
        if len(raw["items"]) == 1 and 1 < raw["items"][0]["qty_ordered"] < 6:
            return copy.deepcopy(raw)


def number(raw: Raw) -> str:
    return str(raw["increment_id"])


def change(box: Sandbox, raw: Raw, **values: Any) -> None:
    assert box.magento.orders.change(int(raw["entity_id"]), values) is not None


def change_items(box: Sandbox, raw: Raw, **values: Any) -> None:
    """Change the order's lines in Magento; what was changed before stays."""
    now = box.magento.orders.get(int(raw["entity_id"]))
    change(box, raw, items=[{**copy.deepcopy(item), **values} for item in now["items"]])


def sale_order(box: Sandbox, raw: Raw) -> Raw:
    (found,) = (row for row in box.odoo.records("sale.order") if row["client_order_ref"] == number(raw))
    return found


def goods_lines(box: Sandbox, raw: Raw) -> list[Raw]:
    product = sku_product(box, raw["items"][0]["sku"])
    order = sale_order(box, raw)
    return [
        row
        for row in box.odoo.records("sale.order.line")
        if row["order_id"] == order["id"] and row["product_id"] == product
    ]


def sku_product(box: Sandbox, sku: str) -> int:
    return next(row["id"] for row in box.odoo.records("product.product") if row.get("default_code") == sku)


def again(cli: Cli, raw: Raw) -> Ended:
    """Let the bridge hear of the order once more."""
    return cli("run", "import-order", number(raw), "--wait")


def notes(box: Sandbox, raw: Raw) -> list[str]:
    order = sale_order(box, raw)
    return [
        row["body"]
        for row in box.odoo.records("mail.message")
        if row.get("model") == "sale.order" and row.get("res_id") == order["id"]
        and row["message_type"] == "comment"
    ]  # fmt: skip


def set_quantity(box: Sandbox, line: Raw, quantity: float) -> None:
    values = {"product_uom_qty": quantity, "price_unit": line["price_unit"]}
    box.odoo.write("sale.order.line", line["id"], values)


def total_of(lines: list[Raw]) -> float:
    return sum(line["product_uom_qty"] for line in lines)


def test_a_blocked_order_is_accepted_and_goes_on_from_there(cli: Cli, box: Sandbox, raw: Raw) -> None:
    change_items(box, raw, qty_ordered=9)
    blocked = again(cli, raw)
    assert blocked.code == 1
    assert f"bridge orders accept {number(raw)} --why REASON" in blocked.out
    # A person did the same in Odoo, but for one unit; and may say so.
    first, *others = goods_lines(box, raw)
    set_quantity(box, first, 8.0 - total_of(others))
    before = goods_lines(box, raw)
    shown = cli("orders", "accept", number(raw), "--dry-run")
    assert shown.code == 0
    assert "qty_ordered" in shown.out and "quantity of" in shown.out
    assert len(notes(box, raw)) == 1
    ended = cli("orders", "accept", number(raw), "--why", WHY, "--by", "Mia", "--wait")
    assert ended.code == 0, ended.out
    assert goods_lines(box, raw) == before
    assert [job["state"] for job in jobs(cli, raw, "import-order")] == ["done", "done"]
    assert sum("Accepted as it is" in body and WHY in body and "Mia" in body for body in notes(box, raw)) == 1
    # Kept: who, when, why and what differed.
    kept = cli("explain", "order", number(raw), "--json").json["explanation"]["accepted"]
    assert [(one["by"], one["why"], one["at"][:2]) for one in kept] == [("Mia", WHY, "20")]
    assert [one["now"] for one in kept[0]["magento"]] == ["9"]
    assert [float(one["now"]) for one in kept[0]["odoo"]] == [8.0 - total_of(others)]
    assert f"by Mia: {WHY}" in cli("explain", "order", number(raw)).out
    # The next event finds nothing new.
    assert again(cli, raw).code == 0
    assert goods_lines(box, raw) == before
    # Cancelled units are taken from what was agreed.
    change_items(box, raw, qty_canceled=2)
    assert again(cli, raw).code == 0
    assert total_of(goods_lines(box, raw)) == 6.0
    # And what is never carried over blocks again, against what was agreed.
    change_items(box, raw, qty_ordered=11)
    blocked = again(cli, raw)
    assert blocked.code == 1
    assert "qty_ordered: 9 -> 11" in blocked.out
    assert cli("orders", "accept", number(raw), "--why", "again", "--wait").code == 0
    assert total_of(goods_lines(box, raw)) == 6.0
    kept = cli("explain", "order", number(raw), "--json").json["explanation"]["accepted"]
    assert [one["why"] for one in kept] == [WHY, "again"]
    change_items(box, raw, qty_canceled=3)
    assert again(cli, raw).code == 0
    assert total_of(goods_lines(box, raw)) == 5.0


def jobs(cli: Cli, raw: Raw, kind: str) -> list[Raw]:
    entity = ("--entity", str(raw["entity_id"]))
    return cli("jobs", "list", "--kind", kind, *entity, "--json").json


def test_units_cancelled_before_the_acceptance_are_in_what_was_agreed(
    cli: Cli, box: Sandbox, raw: Raw
) -> None:
    # Both at once: the change of the price blocks, so the cancellation was not carried over; a person did both.
    change_items(box, raw, qty_ordered=6, qty_canceled=2)
    assert again(cli, raw).code == 1
    first, *others = goods_lines(box, raw)
    set_quantity(box, first, 4.0 - total_of(others))
    assert cli("orders", "accept", number(raw), "--why", WHY, "--wait").code == 0
    assert total_of(goods_lines(box, raw)) == 4.0
    change_items(box, raw, qty_canceled=3)
    assert again(cli, raw).code == 0
    assert total_of(goods_lines(box, raw)) == 3.0


def test_what_may_be_carried_over_is_not_lost_by_an_acceptance(cli: Cli, box: Sandbox, raw: Raw) -> None:
    now = box.magento.orders.get(int(raw["entity_id"]))
    extension = copy.deepcopy(now["extension_attributes"])
    extension["shipping_assignments"][0]["shipping"]["address"]["street"] = ["Accepted street 1"]
    change(box, raw, extension_attributes=extension, status="in_packing", state="processing")
    change_items(box, raw, price=0.5)
    assert again(cli, raw).code == 1
    assert cli("orders", "accept", number(raw), "--why", WHY, "--wait").code == 0
    delivery = sale_order(box, raw)["partner_shipping_id"]
    (contact,) = (row for row in box.odoo.records("res.partner") if row["id"] == delivery)
    assert contact["street"] == "Accepted street 1"
    assert any("status is now in_packing" in body for body in notes(box, raw))


def test_a_new_line_of_both_sides_is_one_line_from_then_on(cli: Cli, box: Sandbox, raw: Raw) -> None:
    other = one_line_order(box)["items"][0]
    product_id = box.odoo.create("product.product", {"name": "Other"})
    now = box.magento.orders.get(int(raw["entity_id"]))
    item = {**other, "item_id": raw["items"][0]["item_id"] + 500_000, "qty_ordered": 3, "product_id": 900_001}
    change(box, raw, items=[*copy.deepcopy(now["items"]), item])
    ledger = open_ledger(Settings())
    try:
        ledger.bindings.bind(
            "shop", "product", magento_id=900_001, odoo_model="product.product", odoo_id=product_id
        )
    finally:
        ledger.close()
    assert again(cli, raw).code == 1
    values = {"order_id": sale_order(box, raw)["id"], "product_id": product_id}
    line = box.odoo.create(
        "sale.order.line", {**values, "name": "Other", "product_uom_qty": 3.0, "price_unit": 5.0}
    )
    assert cli("orders", "accept", number(raw), "--why", WHY, "--wait").code == 0
    items = [*copy.deepcopy(now["items"]), {**item, "qty_canceled": 1}]
    change(box, raw, items=items)
    assert again(cli, raw).code == 0
    (found,) = (row for row in box.odoo.records("sale.order.line") if row["id"] == line)
    assert (found["product_uom_qty"], found["price_unit"]) == (2.0, 5.0)


def test_only_what_was_shown_is_accepted(cli: Cli, box: Sandbox, raw: Raw) -> None:
    change_items(box, raw, price=0.5)
    assert again(cli, raw).code == 1
    # Nobody runs jobs, and the order changes once more.
    assert cli("orders", "accept", number(raw), "--why", WHY).code == 0
    change_items(box, raw, price=0.25)
    ended = again(cli, raw)
    assert ended.code == 1
    (job,) = jobs(cli, raw, "accept-order")
    assert (job["state"], job["error_code"]) == ("blocked", "order_changed_meanwhile")
    assert f"bridge orders accept {number(raw)} --dry-run" in job["help"]
    assert "accepted" not in cli("explain", "order", number(raw), "--json").json["explanation"]
    ended = cli("orders", "accept", number(raw), "--why", WHY, "--wait", "--json")
    assert ended.code == 0
    told = ended.json
    assert (told["instance"], told["accepts"]) == ("shop", True)
    assert [one["now"] for one in told["differs"]["magento"]] == ["0.25"]
    assert {one["state"] for one in told["jobs"]} == {"done"}


@pytest.mark.parametrize("cut", ["cut_before", "cut_after", "error_after"])
def test_a_connection_that_breaks_leaves_one_note_and_one_acceptance(
    cli: Cli, box: Sandbox, raw: Raw, cut: str
) -> None:
    change_items(box, raw, price=0.5)
    assert again(cli, raw).code == 1
    lines = goods_lines(box, raw)
    shot = box.odoo.faults.once(cut, "mail.message.load")
    ended = cli("orders", "accept", number(raw), "--why", WHY, "--wait")
    assert shot.fired.is_set()
    assert ended.code == 0, ended.out
    assert sum("Accepted as it is" in body for body in notes(box, raw)) == 1
    kept = cli("explain", "order", number(raw), "--json").json["explanation"]["accepted"]
    assert len(kept) == 1
    assert goods_lines(box, raw) == lines


def test_what_cannot_be_accepted_is_said(cli: Cli, box: Sandbox, raw: Raw) -> None:
    nothing = cli("orders", "accept", number(raw), "--why", WHY, "--wait")
    assert nothing.code == 0
    assert "nothing to accept" in nothing.out
    told = cli("orders", "accept", number(raw), "--dry-run", "--json").json
    assert (told["accepts"], told["differs"]["magento"], told["differs"]["odoo"]) == (False, [], [])
    assert jobs(cli, raw, "accept-order") == []
    for wrong in ((), ("--why", "  "), ("--why", "x" * 501), ("--why", "x", "--by", "")):
        ended = cli("orders", "accept", number(raw), *wrong)
        assert ended.code == 2
        assert_plain(ended)
    unknown = cli("orders", "accept", "no-such-order", "--why", WHY)
    assert unknown.code == 1
    assert "no order with the number no-such-order" in unknown.err
    fresh = one_line_order(box)
    ended = cli("orders", "accept", number(fresh), "--why", WHY)
    assert ended.code == 1
    assert f"bridge run import-order {number(fresh)}" in ended.err
    assert_plain(ended)
    box.odoo.delete("sale.order", sale_order(box, raw)["id"])
    ended = cli("orders", "accept", number(raw), "--why", WHY)
    assert ended.code == 1
    assert "was deleted in Odoo" in ended.err
    assert_plain(ended)
