"""Exactly once over the death of workers, lost leases and deleted records (DESIGN 6)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from bridge.engine import Runtime, run_job
from bridge.ledger import JobId, Ledger
from tests.support.once import (
    ADDRESS,
    CONFIRM,
    DATE,
    NOTE,
    ORDER,
    PARTNER,
    SECRET_KEY,
    WRITES,
    FlowWrite,
    OnceShop,
    Raw,
    Working,
    Worlds,
    assert_once,
    is_in_doubt,
    pump_until,
    wait_for,
)
from tests.support.shop import HURRIED, ROOM

#: Many deaths in one test: on a machine that does much else they take their time.
pytestmark = pytest.mark.timeout(600)

VERSIONS = (16, 18, 19)
LONG_DOUBT_SECONDS = 0.5
CLOCK_SECONDS = 0.02
#: A lease, and so a call, that ends only when a test says so, however slow the machine is.
PATIENT = replace(HURRIED, lease_seconds=120.0)
#: What is left of the lease of a worker that falls asleep.
LAST_LEASE = replace(HURRIED, lease_seconds=0.05)


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"), lengths=PATIENT)
    yield made
    made.close()


@pytest.fixture
def worlds(all_worlds: Worlds) -> Iterator[Worlds]:
    yield all_worlds
    all_worlds.rest()


class Killed(BaseException):
    """The process is gone: nothing of ours runs after it."""


#: What the ledger is told during an attempt, by part.
WRITTEN = {
    "effects": {"begin", "resend", "confirm", "refuse", "doubt"},
    "bindings": {"bind"},
    "explanations": {"put"},
    "jobs": {"finish"},
}
#: Does a write, and what the test wants before or after it: place, key of the effect, the write itself.
Between = Callable[[str, str, Callable[[], Any]], Any]


class WatchedLedger:
    """The ledger as one worker sees it; ``between`` stands between the two at each of its writes."""

    def __init__(self, ledger: Any, between: Between, path: str = "") -> None:
        self._ledger = ledger
        self._between = between
        self._path = path

    def use(self, ledger: Ledger) -> None:
        """Go through another handle on the ledger from now on."""
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ledger, name)
        if not self._path:
            return WatchedLedger(found, self._between, name) if name in WRITTEN else found
        if name not in WRITTEN[self._path]:
            return found
        place = f"{self._path}.{name}"

        def write(*args: Any, **options: Any) -> Any:
            key = options.get("key") or (args[1] if len(args) > 1 and isinstance(args[1], str) else "")
            return self._between(place, key, lambda: found(*args, **options))

        return write


@dataclass
class Death:
    """Kills a worker before or after its n-th write into the ledger, from its first effect on."""

    at: int
    #: Whether the ledger still gets that write.
    after: bool
    count: int = 0
    #: What the worker was about to write, or had just written.
    place: str = ""

    def __call__(self, place: str, key: str, act: Callable[[], Any]) -> Any:
        if self.place:
            raise Killed  # A dead process writes nothing.
        self.count += bool(self.count) or place == "effects.begin"
        if self.count != self.at:
            return act()
        self.place = place
        if self.after:
            act()
        raise Killed


def run_watched(shop: OnceShop, job_id: JobId, between: Between, *, worker: str) -> None:
    """Let a worker run the job until it dies."""
    runtime = shop.new_runtime(worker=worker, ledger=cast("Ledger", WatchedLedger(shop.ledger, between)))
    assert shop.ledger.jobs.dispatch(ROOM, limit=100) == [(job_id, "orders")]
    try:
        run_job(runtime, job_id)
    except Killed:
        pass
    finally:
        runtime.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_worker_that_dies_at_any_of_its_writes_leaves_one_of_each(
    worlds: Worlds, version: int, after: bool
) -> None:
    shop = worlds.shop(version)
    places = []
    for at in itertools.count(1):
        raw = shop.new_order()
        job_id = shop.want_order(raw)
        death = Death(at=at, after=after)
        run_watched(shop, job_id, death, worker=f"mortal:{at}:")
        if not death.place:
            break
        places.append(death.place)
        # The ledger learns of the death, and another worker takes the job up.
        shop.ledger.jobs.recover(worker_prefix=f"mortal:{at}:")
        shop.work()
        assert shop.job(job_id).state == "done", death
        assert_once(shop, raw)
        assert {one.state for one in shop.effects(raw)} == {"confirmed"}, death
    # The last order met no death: its effects say at how many there were deaths before and after.
    assert places.count("effects.begin") == places.count("effects.confirm") == len(shop.effects(raw))
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

    def dies_after_sending(place: str, key: str, act: Callable[[], Any]) -> Any:
        if len(shop.proxy(write).arrivals(write.fits)) > before:
            raise Killed
        return act()

    run_watched(shop, job_id, dies_after_sending, worker="mortal:1:")
    shop.ledger.jobs.recover(worker_prefix="mortal:1:")
    # A person who is in a hurry changes nothing.
    shop.ledger.jobs.retry(job_id)
    shop.work()
    assert shop.job(job_id).state == "done"
    assert_once(shop, raw)
    arrivals = shop.proxy(write).arrivals(write.fits)[before:]
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert all(gap >= LONG_DOUBT_SECONDS - CLOCK_SECONDS for gap in gaps), gaps


@dataclass
class Sleep:
    """Lets a worker fall asleep before or after a write into the ledger: its machine is suspended."""

    place: str
    after: bool
    #: The kind of the effect that it is about, where it is about one.
    kind: str
    #: Done as it falls asleep.
    dozing: Callable[[], object]
    asleep: threading.Event = field(default_factory=threading.Event)
    awake: threading.Event = field(default_factory=threading.Event)

    def __call__(self, place: str, key: str, act: Callable[[], Any]) -> Any:
        is_other = bool(self.kind) and f":{self.kind}:" not in f":{key}:"
        if self.asleep.is_set() or place != self.place or is_other:
            return act()
        if self.after:
            found = act()
            self._sleep()
            return found
        self._sleep()
        return act()

    def _sleep(self) -> None:
        self.dozing()
        self.asleep.set()
        assert self.awake.wait(60)


#: The kinds of the effects' keys.
KINDS = {PARTNER: "partner", ORDER: "order", CONFIRM: "order-confirm", DATE: "order-date", NOTE: "order-note"}
#: Where a worker falls asleep.
BEFORE_INTENT = ("effects.begin", False)
BEFORE_SENDING = ("effects.begin", True)
BEFORE_CONFIRMATION = ("effects.confirm", False)
BEFORE_END = ("jobs.finish", False)
SLEEPS = {
    "before the intent": BEFORE_INTENT,
    "before sending": BEFORE_SENDING,
    "before the confirmation": BEFORE_CONFIRMATION,
}
ZOMBIES = [(18, write) for write in KINDS] + [(16, ORDER), (16, CONFIRM), (19, ORDER), (19, CONFIRM)]


@pytest.mark.parametrize("sleeps", SLEEPS)
@pytest.mark.parametrize(("version", "write"), ZOMBIES, ids=str)
def test_a_worker_that_wakes_up_after_its_lease_doubles_nothing(
    worlds: Worlds, version: int, write: FlowWrite, sleeps: str
) -> None:
    sleeper = Sleeper(worlds.shop(version), SLEEPS[sleeps], KINDS[write])
    # One request that it had already meant to send may still go out; the ledger lets it begin no other.
    assert sleeper.oversleeps() <= (1 if sleeps == "before sending" else 0)


@pytest.mark.parametrize("write", KINDS, ids=str)
def test_a_worker_that_knows_that_its_lease_is_over_sends_nothing_that_it_had_meant_to_send(
    worlds: Worlds, write: FlowWrite
) -> None:
    assert Sleeper(worlds.shop(18), BEFORE_SENDING, KINDS[write], has_clock=True).oversleeps() == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_worker_that_sleeps_before_the_end_of_its_job_ends_no_other_attempt(
    worlds: Worlds, version: int
) -> None:
    assert Sleeper(worlds.shop(version), BEFORE_END, "").oversleeps() == 0


class Sleeper:
    """A worker that falls asleep at a place of its job until its lease is over."""

    def __init__(
        self, shop: OnceShop, place: tuple[str, bool], kind: str, *, has_clock: bool = False
    ) -> None:
        self._shop = shop
        self._has_clock = has_clock
        self._sleep = Sleep(*place, kind, dozing=self._doze)
        self._ledger = WatchedLedger(shop.ledger, self._sleep)
        self._runtime = shop.new_runtime(worker="sleeper", ledger=cast("Ledger", self._ledger))

    def oversleeps(self) -> int:
        """Let another worker do the job meanwhile; return how many writes the sleeper sends when it wakes up."""
        shop = self._shop
        raw = shop.new_order()
        job_id = shop.want_order(raw)
        assert shop.ledger.jobs.dispatch(ROOM, limit=100) == [(job_id, "orders")]
        working = Working(lambda: run_job(self._runtime, job_id))
        try:
            assert self._sleep.asleep.wait(60)
            # The lease runs out; another worker takes the job up and ends it.
            shop.work()
            assert shop.job(job_id).state == "done"
            assert_once(shop, raw)
            calls = shop.box.calls.total("odoo")
            self._sleep.awake.set()
            assert working.end() is None, "the end of a lost attempt was written down"
        finally:
            self._sleep.awake.set()
            working.join(60)
            self._runtime.close()
        assert shop.job(job_id).state == "done"
        assert_once(shop, raw)
        assert {one.state for one in shop.effects(raw)} == {"confirmed"}
        return writes_since(shop, calls)

    def _doze(self) -> None:
        """Renew the lease for the last time, by next to nothing.

        Without a clock of its own the worker goes on to believe in the one from before.
        """
        if not self._has_clock:
            let_lease_end(self._shop, self._runtime)
            return
        self._runtime.keeper.stop()
        with hasty_ledger(self._shop) as ledger:
            self._ledger.use(ledger)
            self._runtime.keeper.renew()
            self._ledger.use(self._shop.ledger)


def let_lease_end(shop: OnceShop, runtime: Runtime) -> None:
    """Renew the lease of the job that runs for the last time, by next to nothing; its worker does not know."""
    runtime.keeper.stop()
    (job,) = shop.ledger.jobs.list(states=("running",))
    with hasty_ledger(shop) as ledger:
        assert ledger.jobs.renew(job).ok


def hasty_ledger(shop: OnceShop) -> Ledger:
    url = shop.ledger.database.url.render_as_string(hide_password=False)
    return Ledger.open(url, secret_key=SECRET_KEY, lengths=LAST_LEASE)


@pytest.mark.parametrize(("version", "write"), ZOMBIES, ids=str)
def test_two_workers_that_send_the_same_write_at_the_same_time_make_one(
    worlds: Worlds, version: int, write: FlowWrite
) -> None:
    shop = worlds.shop(version)
    raw = shop.new_order()
    job_id = shop.want_order(raw)
    assert write.operation is not None
    held = shop.box.odoo.hold_commit(write.operation)
    runtime = shop.new_runtime(worker="first")
    assert shop.ledger.jobs.dispatch(ROOM, limit=100) == [(job_id, "orders")]
    first = Working(lambda: run_job(runtime, job_id))
    assert held.fired.wait(60)
    before = len(shop.proxy(write).arrivals(write.fits))
    let_lease_end(shop, runtime)
    second = Working(shop.work)
    wait_for(lambda: len(shop.proxy(write).arrivals(write.fits)) > before, what="the second one sends it too")
    assert not held.ended.is_set()
    held.release()
    assert first.end() is None, "the end of a lost attempt was written down"
    second.end()
    runtime.close()
    assert shop.job(job_id).state == "done"
    assert_once(shop, raw)
    assert {one.state for one in shop.effects(raw)} == {"confirmed"}


def writes_since(shop: OnceShop, calls: int) -> int:
    """Count the writes among the requests to Odoo after the first ``calls``."""
    new = shop.box.calls.total("odoo") - calls
    last = shop.box.calls.last("odoo")
    return sum(
        one.operation.endswith((".load", ".write", ".action_confirm")) for one in last[len(last) - new :]
    )


def test_a_worker_whose_job_was_taken_from_it_begins_no_other_write(worlds: Worlds) -> None:
    shop = worlds.shop(18)
    raw = shop.new_order()
    job_id = shop.want_order(raw)
    assert shop.ledger.jobs.dispatch(ROOM, limit=100) == [(job_id, "orders")]
    held = shop.box.odoo.faults.hold("sale.order.onchange")
    runtime = shop.new_runtime(worker="sleeper:")
    working = Working(lambda: run_job(runtime, job_id))
    assert held.fired.wait(60)
    assert shop.ledger.jobs.recover(worker_prefix="sleeper:") == 1
    # Nobody has taken the job up yet, and still the old worker may not go on.
    held.release()
    assert working.end() is None
    runtime.close()
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
    (order,) = shop.sale_orders(second)
    shop.box.odoo.delete("sale.order", order["id"])
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
    # Odoo lets nobody delete a partner who has orders.
    (order,) = shop.sale_orders(raw)
    shop.box.odoo.delete("sale.order", order["id"])
    family = [
        one["id"]
        for one in shop.box.odoo.records("res.partner")
        if order["partner_id"] in {one["id"], one.get("parent_id")}
    ]
    for one in sorted(family, reverse=True):
        shop.box.odoo.delete("res.partner", one)
