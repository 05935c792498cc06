"""Exactly once where requests overlap: the first still runs when the retry comes, and races are lost (RULES 2.1)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from bridge.engine import run_job
from tests.support.cancelling import an_order_of_several_in_one_line
from tests.support.once import (
    ADDRESS,
    CONFIRM,
    DATE,
    EXT_ORDER_ID,
    NOTE,
    ODOO_WRITES,
    ORDER,
    PARTNER,
    SERVICE,
    WRITES,
    FlowWrite,
    OnceShop,
    Raw,
    Working,
    Worlds,
    assert_once,
    count_calls,
    is_in_doubt,
    pump,
    pump_until,
    services,
    wait_for,
)
from tests.support.proxy import Break

VERSIONS = (16, 18, 19)
#: A doubt that can be told from what a loaded machine takes for a call.
LONG_DOUBT_SECONDS = 0.5
#: What the clocks of ledger and test may differ in: the request leaves after ``sent`` is committed.
CLOCK_SECONDS = 0.02


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


@pytest.fixture
def worlds(all_worlds: Worlds) -> Iterator[Worlds]:
    yield all_worlds
    all_worlds.rest()


def stage(shop: OnceShop, write: FlowWrite) -> Raw:
    """Return an order whose import makes this write."""
    raw = shop.new_order()
    if write is not ADDRESS:
        return raw
    assert shop.import_order(raw).state == "done"
    return shop.another_order(raw)


@pytest.mark.parametrize("write", [PARTNER, ADDRESS, SERVICE, ORDER, NOTE], ids=str)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_retry_while_the_first_load_still_runs_loses_the_race_and_finds_the_winner(
    worlds: Worlds, version: int, write: FlowWrite
) -> None:
    shop = worlds.new_shop(version) if write is SERVICE else worlds.shop(version)
    raw = stage(shop, write)
    assert write.operation is not None
    before = len(shop.proxies["odoo"].arrivals(write.fits))
    first = shop.box.odoo.hold_commit(write.operation, cut=True)
    working = Working(lambda: shop.import_order(raw))
    assert first.fired.wait(20)
    wait_for(
        lambda: len(shop.proxies["odoo"].arrivals(write.fits)) >= before + 2, what="the retry is at Odoo"
    )
    assert not first.ended.is_set(), "the first request has ended before the retry came"
    first.release()
    working.end()
    job = shop.ledger.jobs.list(instance="shop", entity=str(raw["entity_id"]), limit=1)[0]
    assert job.state == "done"
    assert_once(shop, raw)
    assert set(services(shop).values()) <= {1} or write is not SERVICE
    assert {one.state for one in shop.effects(raw)} == {"confirmed"}


@pytest.mark.parametrize("write", [CONFIRM, DATE], ids=str)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_first_write_that_ends_after_its_retry_changes_nothing(
    worlds: Worlds, version: int, write: FlowWrite
) -> None:
    shop = worlds.shop(version)
    raw = shop.new_order()
    assert write.operation is not None
    first = shop.box.odoo.hold_commit(write.operation, cut=True)
    job = shop.import_order(raw)
    assert first.fired.is_set()
    assert not first.ended.is_set()
    assert job.state == "done"
    first.release()
    assert first.ended.wait(20)
    assert_once(shop, raw)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_confirmation_that_ends_between_the_look_and_the_retry_is_taken_for_done(
    worlds: Worlds, version: int
) -> None:
    shop = worlds.shop(version)
    raw = shop.new_order()
    first = shop.box.odoo.hold_commit("action_confirm", cut=True)
    job_id = shop.want_order(raw)
    pump_until(shop, lambda: is_in_doubt(shop, job_id), what="the confirmation is in doubt")
    second = shop.box.odoo.faults.hold("action_confirm")
    working = Working(shop.work)
    assert second.fired.wait(20), "the look did not find it, so it is sent again"
    first.release()
    assert first.ended.wait(20)
    second.release()
    working.end()
    # 18 and 19 refuse the second one with a UserError, 16 answers true.
    assert (shop.job(job_id).state, shop.job(job_id).error) == ("done", None)
    assert_once(shop, raw)


@pytest.mark.parametrize("write", ODOO_WRITES, ids=str)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_lost_race_is_repeated_and_makes_one(worlds: Worlds, version: int, write: FlowWrite) -> None:
    shop = worlds.new_shop(version) if write is SERVICE else worlds.shop(version)
    raw = stage(shop, write)
    assert write.operation is not None
    shop.box.odoo.fail_serialization(write.operation, times=2)
    job = shop.import_order(raw)
    assert job.state == "done"
    # "could not serialize" is a definite refusal: no doubt. A load is repeated once on the spot, then as any other.
    assert job.retry_count == (1 if write.operation.endswith(".load") else 2)
    assert not any(one.error_code == "doubtful_effect" for one in shop.ledger.jobs.attempts(job.id))
    assert_once(shop, raw)


@pytest.mark.parametrize("kind", ["before", "after_commit"])
@pytest.mark.parametrize("write", WRITES, ids=str)
def test_nothing_is_sent_again_before_the_doubt_is_over(
    worlds: Worlds, write: FlowWrite, kind: Break
) -> None:
    doubts = {"odoo_doubt_seconds": LONG_DOUBT_SECONDS, "magento_doubt_seconds": [LONG_DOUBT_SECONDS]}
    shop = worlds.new_shop(18, settings=doubts)
    raw = stage(shop, write)
    before = len(shop.proxy(write).arrivals(write.fits))
    armed = shop.proxy(write).once(kind, write.fits)
    job = shop.import_order(raw)
    assert armed.fired.is_set()
    assert job.state == "done"
    assert_once(shop, raw)
    arrivals = shop.proxy(write).arrivals(write.fits)[before:]
    if kind == "before":
        assert len(arrivals) == 2
    if write in {CONFIRM, EXT_ORDER_ID} and kind == "after_commit":
        assert len(arrivals) == 1, "what can be looked up is not sent again once it is found"
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert all(gap >= LONG_DOUBT_SECONDS - CLOCK_SECONDS for gap in gaps), gaps


def test_nobody_can_shorten_a_doubt(worlds: Worlds) -> None:
    shop = worlds.new_shop(18, settings={"odoo_doubt_seconds": LONG_DOUBT_SECONDS})
    raw = shop.new_order()
    armed = shop.proxy(ORDER).once("after_commit", ORDER.fits)
    job_id = shop.want_order(raw)
    pump_until(shop, lambda: is_in_doubt(shop, job_id), what="the order is in doubt")
    assert armed.fired.is_set()
    change = shop.ledger.jobs.retry(job_id)
    assert change.changed is False
    assert "shorten" in (change.note or "")
    # Neither does another event, nor whatever else may release jobs.
    assert shop.want_order(raw) == job_id
    shop.map_all([raw])
    assert pump(shop) == 0
    assert is_in_doubt(shop, job_id)
    shop.work()
    assert shop.job(job_id).state == "done"
    assert_once(shop, raw)
    first, second = shop.proxy(ORDER).arrivals(ORDER.fits)
    assert second - first >= LONG_DOUBT_SECONDS - CLOCK_SECONDS


def test_doubts_use_up_no_attempts(worlds: Worlds) -> None:
    shop = worlds.new_shop(18, settings={"odoo_doubt_seconds": 0.01, "magento_doubt_seconds": [0.01]})
    raw = shop.new_order()
    armed = [shop.proxy(ORDER).once("before", ORDER.fits) for _ in range(15)]
    job = shop.import_order(raw)
    assert all(one.fired.is_set() for one in armed)
    assert job.attempt > 12, "more attempts than a transient error gets"
    assert (job.state, job.retry_count) == ("done", 0)
    assert_once(shop, raw)


def test_a_job_that_is_cancelled_in_a_doubt_leaves_the_doubt_to_its_successor(worlds: Worlds) -> None:
    shop = worlds.new_shop(18, settings={"odoo_doubt_seconds": LONG_DOUBT_SECONDS})
    raw = shop.new_order()
    shop.proxy(ORDER).once("after_commit", ORDER.fits)
    job_id = shop.want_order(raw)
    pump_until(shop, lambda: is_in_doubt(shop, job_id), what="the order is in doubt")
    assert shop.ledger.jobs.cancel(job_id).state == "cancelled"
    next_id = shop.want_order(raw)
    assert next_id != job_id
    shop.work()
    assert shop.job(job_id).state == "cancelled"
    assert shop.job(next_id).state == "done"
    assert_once(shop, raw)
    first, second = shop.proxy(ORDER).arrivals(ORDER.fits)
    assert second - first >= LONG_DOUBT_SECONDS - CLOCK_SECONDS
    assert {one.state for one in shop.effects(raw)} == {"confirmed"}


@pytest.mark.parametrize("write", [PARTNER, ORDER, CONFIRM, NOTE], ids=str)
@pytest.mark.parametrize("cut", [False, True])
def test_a_request_to_cancel_is_obeyed_once_it_is_known_what_became_of_the_write(
    worlds: Worlds, write: FlowWrite, cut: bool
) -> None:
    shop = worlds.shop(18)
    raw = shop.new_order()
    assert write.operation is not None
    held = shop.box.odoo.hold_commit(write.operation)
    job_id = shop.want_order(raw)
    working = Working(lambda: pump(shop))
    assert held.fired.wait(20)
    assert shop.ledger.jobs.cancel(job_id).state == "running"
    if cut:
        held.cut()
        working.end()
        assert is_in_doubt(shop, job_id), "the request to cancel ended a doubt"
        # It is known by now to whoever renews the lease, and must not matter before the doubt is over.
        shop.box.odoo.faults.set(latency=0.02)
    held.release()
    assert held.ended.wait(20)
    working.end()
    shop.work()
    assert shop.job(job_id).state == "cancelled"
    # It stopped before the next write, and knows what it did.
    assert {one.state for one in shop.effects(raw)} == {"confirmed"}
    if write is not NOTE:
        assert count_notes(shop, raw) == 0
    shop.box.odoo.faults.clear()
    assert shop.import_order(raw).state == "done"
    assert_once(shop, raw)


def count_notes(shop: OnceShop, raw: Raw) -> int:
    return sum(
        one["message_type"] == "comment" for order in shop.sale_orders(raw) for one in shop.notes(order["id"])
    )


def test_two_orders_of_one_new_guest_at_the_same_moment_make_one_partner(worlds: Worlds) -> None:
    shop = worlds.shop(18)
    raw = shop.new_order()
    other = shop.guest_order(shop.another_order(raw), email=raw["customer_email"], street="Same Street 1")
    raw = shop.guest_order(raw, email=raw["customer_email"], street="Same Street 1")
    before = count_calls(shop, PARTNER.operation or "")
    first = shop.box.odoo.hold_commit("res.partner.load", cut=True)
    jobs = [shop.want_order(raw), shop.want_order(other)]
    runtime = shop.new_runtime()
    due = [job_id for job_id, _ in shop.ledger.jobs.dispatch({"orders": 10}, limit=10)]
    assert sorted(due) == sorted(jobs)
    workers = [Working(lambda: run_job(shop.runtime, due[0])), Working(lambda: run_job(runtime, due[1]))]
    assert first.fired.wait(20)
    for worker in workers:
        worker.end()
    first.release()
    shop.work()
    runtime.close()
    assert [shop.job(one).state for one in jobs] == ["done", "done"]
    assert count_calls(shop, PARTNER.operation or "") > before
    assert_once(shop, raw)
    assert_once(shop, other)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_quantity_that_a_lost_write_has_lowered_is_not_lowered_again(worlds: Worlds, version: int) -> None:
    shop = worlds.shop(version)
    raw, ordered = an_order_of_several_in_one_line(shop)
    item = {**raw["items"][0], "qty_canceled": 1}
    changed = shop.box.magento.orders.change(raw["entity_id"], {"items": [item, *raw["items"][1:]]})
    assert changed is not None
    lost = shop.box.odoo.faults.once("cut_after", "sale.order.line.write")
    job = shop.import_order(changed)
    assert (job.state, job.error) == ("done", None)
    assert lost.fired.is_set()
    (order,) = shop.sale_orders(raw)
    assert sorted(line["product_uom_qty"] for line in shop.lines(order["id"])) == sorted([1, ordered - 1])
