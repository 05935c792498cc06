"""Exactly once over the death of workers, lost leases and deleted records (DESIGN 6)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bridge.engine import Runtime, run_job
from bridge.ledger import JobId
from tests.support.once import (
    ADDRESS,
    CONFIRM,
    DATE,
    NOTE,
    ORDER,
    PARTNER,
    WRITES,
    FlowWrite,
    OnceShop,
    Raw,
    Working,
    Worlds,
    assert_once,
    count_calls,
    is_in_doubt,
    pump_until,
    wait_for,
)
from tests.support.shop import HURRIED, ROOM

VERSIONS = (16, 18, 19)
LONG_DOUBT_SECONDS = 0.8
CLOCK_SECONDS = 0.02
#: A lease that runs out while a test looks on.
SHORT_LEASE = replace(HURRIED, lease_seconds=0.4)


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


@pytest.fixture
def worlds(all_worlds: Worlds) -> Iterator[Worlds]:
    yield all_worlds
    all_worlds.rest()


class Killed(BaseException):
    """The process is gone: nothing of ours runs after it."""


@dataclass
class Death:
    """Kills a worker before or after its n-th write into the ledger."""

    at: int
    #: Whether the ledger still gets that write.
    after: bool
    count: int = 0
    #: What the worker was about to write, or had just written.
    place: str = ""

    @property
    def has_come(self) -> bool:
        return bool(self.place)

    def write(self, place: str, act: Any) -> Any:
        if self.has_come:
            raise Killed  # A dead process writes nothing.
        self.count += 1
        if self.count != self.at:
            return act()
        self.place = place
        if self.after:
            act()
        raise Killed


#: What the ledger is told during an attempt, by part.
WRITTEN = {
    "effects": {"begin", "resend", "confirm", "refuse", "doubt"},
    "bindings": {"bind"},
    "explanations": {"put"},
    "jobs": {"finish"},
}


class MortalLedger:
    """The ledger as a worker sees it that will die at one of its writes."""

    def __init__(self, ledger: Any, death: Death, path: str = "") -> None:
        self._ledger = ledger
        self._death = death
        self._path = path

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ledger, name)
        if not self._path:
            return MortalLedger(found, self._death, name) if name in WRITTEN else found
        if name not in WRITTEN[self._path]:
            return found
        place = f"{self._path}.{name}"
        return lambda *args, **options: self._death.write(place, lambda: found(*args, **options))


def die(shop: OnceShop, job_id: JobId, death: Death) -> bool:
    """Let a worker run the job until it dies; return whether it did."""
    runtime = shop.new_runtime(worker=f"mortal:{death.at}", ledger=MortalLedger(shop.ledger, death))  # type: ignore[arg-type]
    assert (job_id, "orders") in shop.ledger.jobs.dispatch(ROOM, limit=100)
    try:
        run_job(runtime, job_id)
    except Killed:
        pass
    finally:
        runtime.close()
    return death.has_come


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_worker_that_dies_at_any_of_its_writes_leaves_one_of_each(
    worlds: Worlds, version: int, after: bool
) -> None:
    shop = worlds.shop(version)
    places = []
    for at in range(1, 100):
        raw = shop.new_order()
        job_id = shop.want_order(raw)
        death = Death(at=at, after=after)
        if not die(shop, job_id, death):
            break
        places.append(death.place)
        # The ledger learns of the death, and another worker takes the job up.
        shop.ledger.jobs.recover(worker_prefix=f"mortal:{at}")
        shop.work()
        assert shop.job(job_id).state == "done", death
        assert_once(shop, raw)
        assert {one.state for one in shop.effects(raw)} == {"confirmed"}, death
    assert places.count("effects.begin") == places.count("effects.confirm") == 6
    assert places[-1] == "jobs.finish"
    assert {"bindings.bind", "explanations.put"} < set(places)


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_what_a_dead_worker_sent_is_not_sent_again_before_the_doubt_is_over(
    worlds: Worlds, write: FlowWrite
) -> None:
    doubts = {"odoo_doubt_seconds": LONG_DOUBT_SECONDS, "magento_doubt_seconds": [LONG_DOUBT_SECONDS]}
    shop = worlds.new_shop(18, settings=doubts)
    raw = shop.new_order()
    if write is ADDRESS:
        assert shop.import_order(raw).state == "done"
        raw = shop.another_order(raw)
    before = len(shop.proxy(write).arrivals(write.fits))
    job_id = shop.want_order(raw)

    def dies_after_sending(*_: Any, **__: Any) -> None:
        if len(shop.proxy(write).arrivals(write.fits)) > before:
            raise Killed

    ledger = MortalLedger(shop.ledger, death := Death(at=10_000, after=False))

    def watch(place: str, act: Any) -> Any:
        if place == "effects.confirm":
            dies_after_sending()
        if death.place:
            raise Killed
        return act()

    death.write = watch  # type: ignore[method-assign]
    runtime = shop.new_runtime(worker="mortal:1", ledger=ledger)  # type: ignore[arg-type]
    assert shop.ledger.jobs.dispatch(ROOM, limit=100) == [(job_id, "orders")]
    with pytest.raises(Killed):
        run_job(runtime, job_id)
    runtime.close()
    shop.ledger.jobs.recover(worker_prefix="mortal:1")
    # A person who is in a hurry changes nothing.
    shop.ledger.jobs.retry(job_id)
    shop.work()
    assert shop.job(job_id).state == "done"
    assert_once(shop, raw)
    arrivals = shop.proxy(write).arrivals(write.fits)[before:]
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert all(gap >= LONG_DOUBT_SECONDS - CLOCK_SECONDS for gap in gaps), gaps


def zombie(shop: OnceShop) -> Runtime:
    """Return a worker that renews no lease: it hangs, or its machine sleeps."""
    runtime = shop.new_runtime(worker="zombie")
    runtime.keeper.stop()
    return runtime


@pytest.mark.parametrize("after_commit", [False, True], ids=["before", "after_commit"])
@pytest.mark.parametrize("write", [PARTNER, ORDER, CONFIRM, DATE, NOTE], ids=str)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_worker_that_wakes_up_after_its_lease_doubles_nothing(
    worlds: Worlds, version: int, write: FlowWrite, after_commit: bool
) -> None:
    shop = worlds.new_shop(version, lengths=SHORT_LEASE)
    assert shop.import_order(shop.new_order()).state == "done"
    raw = shop.new_order()
    job_id = shop.want_order(raw)
    assert shop.ledger.jobs.dispatch(ROOM, limit=100) == [(job_id, "orders")]
    sleeper = zombie(shop)
    assert write.operation is not None
    held = shop.box.odoo.faults.hold(write.operation, after_commit=after_commit)
    asleep = Working(lambda: run_job(sleeper, job_id))
    assert held.fired.wait(20)
    # The lease runs out; another worker takes the job up and ends it.
    shop.work()
    assert shop.job(job_id).state == "done"
    assert_once(shop, raw)
    sent_before = shop.box.calls.total("odoo")
    held.release()
    assert asleep.end() is None, "the end of a lost attempt was written down"
    sleeper.close()
    # It had one request under way; after it the ledger let it begin no other.
    assert shop.box.calls.total("odoo") - sent_before <= 2
    assert shop.job(job_id).state == "done"
    assert_once(shop, raw)
    assert {one.state for one in shop.effects(raw)} == {"confirmed"}


def test_a_worker_that_wakes_up_between_two_writes_begins_no_other(worlds: Worlds) -> None:
    shop = worlds.new_shop(18, lengths=SHORT_LEASE)
    assert shop.import_order(shop.new_order()).state == "done"
    raw = shop.new_order()
    job_id = shop.want_order(raw)
    assert shop.ledger.jobs.dispatch(ROOM, limit=100) == [(job_id, "orders")]
    sleeper = zombie(shop)
    held = shop.box.odoo.faults.hold("sale.order.onchange")
    asleep = Working(lambda: run_job(sleeper, job_id))
    assert held.fired.wait(20)
    wait_for(shop.ledger.jobs.recover_expired, what="the lease has run out")
    # Nobody has taken the job up yet, and still the old worker may not go on.
    held.release()
    assert asleep.end() is None
    sleeper.close()
    assert count_calls(shop, "sale.order.load") == len(shop.box.odoo.records("sale.order"))
    assert shop.sale_orders(raw) == []
    shop.work()
    assert_once(shop, raw)


# Records that were deleted in Odoo.


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_deleted_in_odoo_blocks_and_is_never_made_again(worlds: Worlds, version: int) -> None:
    shop = worlds.shop(version)
    raw = shop.new_order()
    assert shop.import_order(raw).state == "done"
    (order,) = shop.sale_orders(raw)
    shop.box.odoo.delete("sale.order", order["id"])
    changed = shop.box.magento.orders.change(
        raw["entity_id"], {"status": "processing", "state": "processing"}
    )
    assert changed is not None
    insist_on_gone(shop, changed)
    assert shop.sale_orders(raw) == []


@pytest.mark.parametrize("write", [CONFIRM, DATE, NOTE], ids=str)
@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_deleted_before_its_import_was_complete_blocks_too(
    worlds: Worlds, version: int, write: FlowWrite
) -> None:
    shop = worlds.shop(version)
    raw = shop.new_order()
    shop.proxy(write).once("before", write.fits)
    job_id = shop.want_order(raw)
    pump_until(shop, lambda: is_in_doubt(shop, job_id), what=f"{write} is in doubt")
    (order,) = shop.sale_orders(raw)
    shop.box.odoo.delete("sale.order", order["id"])
    shop.work()
    assert shop.job(job_id).error_code == "bound_record_gone"
    insist_on_gone(shop, raw)
    assert shop.sale_orders(raw) == []


def test_an_order_deleted_before_it_was_bound_blocks_too(worlds: Worlds) -> None:
    shop = worlds.shop(18)
    raw = shop.new_order()
    job_id = shop.want_order(raw)
    read = shop.box.odoo.faults.once("error_500", "sale.order.read")
    pump_until(shop, read.fired.is_set, what="the order was made and not read")
    (order,) = shop.sale_orders(raw)
    shop.box.odoo.delete("sale.order", order["id"])
    shop.work()
    assert shop.job(job_id).error_code == "bound_record_gone"
    insist_on_gone(shop, raw)
    assert shop.sale_orders(raw) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_partner_deleted_in_odoo_blocks_the_next_order_and_is_never_made_again(
    worlds: Worlds, version: int
) -> None:
    shop = worlds.shop(version)
    raw = shop.new_order()
    assert shop.import_order(raw).state == "done"
    delete_partners(shop, raw)
    other = shop.another_order(raw)
    insist_on_gone(shop, other)
    assert shop.sale_orders(other) == []
    assert not any(one.get("email") == raw["customer_email"] for one in shop.box.odoo.records("res.partner"))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_address_deleted_in_odoo_blocks_the_next_order_and_is_never_made_again(
    worlds: Worlds, version: int
) -> None:
    shop = worlds.shop(version)
    raw = shop.new_order()
    assert shop.import_order(raw).state == "done"
    second = shop.another_order(raw)
    assert shop.import_order(second).state == "done"
    street = second["billing_address"]["street"][0]
    third = shop.guest_order(shop.another_order(second), email=raw["customer_email"], street=street)
    for one in shop.box.odoo.records("res.partner"):
        if one.get("parent_id") and one.get("street") == street:
            shop.box.odoo.delete("res.partner", one["id"])
    insist_on_gone(shop, third)
    assert shop.sale_orders(third) == []


def insist_on_gone(shop: OnceShop, raw: Raw) -> None:
    """Import: it blocks because a bound record is gone, in plain words, and blocks again when it is retried."""
    job = shop.import_order(raw)
    for _ in range(2):
        assert (job.state, job.error_code) == ("blocked", "bound_record_gone")
        assert "deleted" in (job.error or "")
        assert job.help
        assert shop.ledger.jobs.retry(job.id).changed
        shop.work()
        job = shop.job(job.id)


def delete_partners(shop: OnceShop, raw: Raw) -> None:
    (order,) = shop.sale_orders(raw)
    family = [
        one["id"]
        for one in shop.box.odoo.records("res.partner")
        if order["partner_id"] in {one["id"], one.get("parent_id")}
    ]
    for one in sorted(family, reverse=True):
        shop.box.odoo.delete("res.partner", one)
