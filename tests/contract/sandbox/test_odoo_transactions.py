"""Open transactions of the simulated Odoo over real HTTP: races, holds, cut connections, rollbacks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from bridge.sandbox import Sandbox
from bridge.sandbox.odoo.fault import SERIALIZATION_TEXT
from tests.support.odoo_call import CREATE_ONLY, OdooCaller

LOST = {"rows": {"from": 0, "to": 0}, "record": 0, "type": "error", "message": SERIALIZATION_TEXT}


@pytest.fixture(params=[16, 18, 19])
def box(request):
    with Sandbox.start(odoo_version=request.param) as box:
        yield box


@pytest.fixture
def odoo(box):
    caller = OdooCaller(box.odoo)
    with caller.client:
        yield caller


def test_of_four_loads_of_one_key_at_once_one_wins_and_the_others_fail_to_serialize(box, odoo):
    # idempotency/race-load-same-key-4-at-once, rules/load-race-create-only
    odoo.state.seed_products(["MUG"])
    odoo.state.create("res.partner", {"name": "Ada"})
    box.odoo.transaction_seconds = 0.05
    barrier = threading.Barrier(4)

    def load():
        barrier.wait()
        return odoo.load_order("o1")["result"]

    with ThreadPoolExecutor(4) as pool:
        answers = [future.result() for future in [pool.submit(load) for _ in range(4)]]
    winners = [answer["ids"] for answer in answers if answer["ids"]]
    losers = [answer["messages"] for answer in answers if not answer["ids"]]
    assert len(winners) == 1
    assert losers == [[LOST]] * 3
    assert len(box.odoo.records("sale.order")) == 1
    box.odoo.transaction_seconds = 0.0
    assert odoo.load_order("o1")["result"] == {"ids": winners[0], "messages": [], "nextrow": 0}


def test_a_key_held_by_a_transaction_that_commits_makes_the_load_fail_and_leaves_nothing(box, odoo):
    # idempotency/race-load-key-held-by-open-transaction
    foreign = box.odoo.create("res.partner", {"name": "Other"})
    with ThreadPoolExecutor(1) as pool:
        with box.odoo.held_key("__commerce_bridge__.o1", commits_as=("res.partner", foreign)):
            waiting = pool.submit(odoo.load_order, "o1")
            wait_until_called(box, "sale.order.load")
            assert not waiting.done()
        assert waiting.result()["result"]["messages"] == [LOST]
    assert box.odoo.records("sale.order") == []


def test_a_key_held_by_a_transaction_that_rolls_back_only_delays_the_load(box, odoo):
    with ThreadPoolExecutor(1) as pool:
        with box.odoo.held_key("__commerce_bridge__.o1"):
            waiting = pool.submit(odoo.load_order, "o1")
            wait_until_called(box, "sale.order.load")
        assert waiting.result()["result"]["ids"]


def test_a_request_cut_while_its_transaction_is_open_commits_all_the_same(box, odoo):
    # idempotency/client-disconnects-after-sending
    hold = box.odoo.hold_commit("sale.order.load", cut=True)
    with pytest.raises(httpx.TransportError):
        odoo.load_order("o1")
    assert hold.fired.is_set()
    assert box.odoo.records("sale.order") == []
    with ThreadPoolExecutor(1) as pool:
        retry = pool.submit(odoo.load_order, "o1")
        wait_until_called(box, "sale.order.load", times=2)
        assert not retry.done(), "the retry must wait for the first request, which is still running"
        hold.release()
        assert retry.result()["result"]["messages"] == [LOST]
    assert hold.ended.wait(5)
    assert len(box.odoo.records("sale.order")) == 1
    assert odoo.load_order("o1")["result"]["ids"] == [box.odoo.records("sale.order")[0]["id"]]


@pytest.mark.parametrize(("fault", "orders"), [("cut_before", 0), ("cut_after", 1)])
def test_a_cut_before_or_after_the_commit_leaves_no_order_or_one(box, odoo, fault, orders):
    box.odoo.faults.once(fault, path_contains="sale.order.load")
    with pytest.raises(httpx.TransportError):
        odoo.load_order("o1")
    assert len(box.odoo.records("sale.order")) == orders
    odoo.load_order("o1")
    assert len(box.odoo.records("sale.order")) == 1


def test_a_share_of_connections_can_be_cut_during_their_transaction(box, odoo):
    box.odoo.cut_during_share = 1.0
    with pytest.raises(httpx.TransportError):
        odoo.load_order("o1")
    box.odoo.cut_during_share = 0.0
    assert odoo.load_order("o1")["result"]["ids"] == [box.odoo.records("sale.order")[0]["id"]]


def test_one_bad_line_leaves_nothing_of_the_order_and_no_external_id(box, odoo):
    partner = box.odoo.create("res.partner", {"name": "Ada"})
    fields = ["id", "partner_id/.id", "order_line/id", "order_line/product_id/.id"]
    rows = [["bridge.a", str(partner), "bridge.a_1", str(box.odoo.seed_products(["MUG"])["MUG"])]]
    answer = odoo(
        "sale.order", "load", fields, [*rows, ["", "", "bridge.a_2", "99999999"]], context=CREATE_ONLY
    )
    assert answer["ids"] is False
    assert answer["messages"][0]["message"] == (
        "No matching record found for database id '99999999' in field 'Order Lines/Product'"
    )
    assert box.odoo.records("sale.order") == box.odoo.records("sale.order.line") == []
    assert box.odoo.external_id("bridge.a") is None


def test_a_fault_in_a_nested_line_of_create_rolls_everything_back(box, odoo):
    partner = box.odoo.create("res.partner", {"name": "Ada"})
    values = {"partner_id": partner, "order_line": [[0, 0, {"product_id": 99999999}]]}
    assert odoo.fault("sale.order", "create", values)[0] == "odoo.exceptions.MissingError"
    assert box.odoo.records("sale.order") == []
    assert box.odoo.records("mail.message") == []


def test_a_serialization_failure_is_a_fault_of_a_write_and_a_message_of_a_load(box, odoo):
    partner = box.odoo.create("res.partner", {"name": "Ada"})
    box.odoo.fail_serialization("res.partner.write")
    assert odoo.fault("res.partner", "write", [partner], {"name": "Bob"}) == (
        "psycopg2.errors.SerializationFailure",
        SERIALIZATION_TEXT,
    )
    box.odoo.fail_serialization("sale.order.load")
    assert odoo.load_order("o1")["result"]["messages"] == [LOST]
    assert box.odoo.records("sale.order") == []
    assert box.odoo.records("res.partner")[-1]["name"] == "Ada"


def test_a_stale_read_does_not_see_what_was_just_made(box, odoo):
    odoo.load_order("o1")
    look_up = ("ir.model.data", "check_object_reference", "__commerce_bridge__", "o1")
    box.odoo.faults.once("stale_reads", path_contains="check_object_reference")
    assert odoo.fault(*look_up) == (
        "builtins.ValueError",
        "External ID not found in the system: __commerce_bridge__.o1",
    )
    assert odoo(*look_up) == ["sale.order", box.odoo.records("sale.order")[0]["id"]]


def test_parallel_loads_of_different_keys_all_commit_whole(box, odoo):
    box.odoo.transaction_seconds = 0.01
    odoo.state.seed_products(["MUG"])
    odoo.state.create("res.partner", {"name": "Ada"})
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: odoo.load_order(f"o{number}", lines=3), range(24)))
    ids = {answer["result"]["ids"][0] for answer in answers}
    assert len(ids) == 24
    orders = box.odoo.records("sale.order")
    assert len({order["name"] for order in orders}) == 24
    assert len(box.odoo.records("sale.order.line")) == 72


def wait_until_called(box, operation, *, times=1):
    """Wait until the server has taken in the request."""
    for _ in range(2000):
        if box.calls.total("odoo", contains=operation) >= times:
            return
        threading.Event().wait(0.002)
    raise AssertionError(f"{operation} was not called {times} times")
