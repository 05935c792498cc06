"""Exactly once, proof by proof: each write of the order flow, broken at each point of the wire (DESIGN 6, RULES 2)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from tests.support.once import (
    ADDRESS,
    CONFIRM,
    DATE,
    EXT_ORDER_ID,
    HOLD,
    INSTALLATION,
    NOTE,
    ODOO_WRITES,
    ORDER,
    PARTNER,
    RELEASE,
    SERVICE,
    SHORT_DEADLINE_SECONDS,
    WRITES,
    FlowWrite,
    OnceShop,
    Raw,
    Worlds,
    assert_once,
    currencies_seen,
    installations,
    is_in_doubt,
    pump_until,
    services,
)
from tests.support.orders import bound, changed, comments, warnings
from tests.support.proxy import BREAKS, Break

VERSIONS = (16, 18, 19)
#: Where versions answer differently: what is sent again meets what the first request did, or comes before it.
TELLING: tuple[Break, ...] = ("before", "after_commit", "in_answer", "late")
#: Breaks after which no answer ever comes: the call ends by its own deadline.
SILENT = frozenset({"swallowed", "stalled"})


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


@pytest.fixture
def worlds(all_worlds: Worlds) -> Iterator[Worlds]:
    yield all_worlds
    all_worlds.rest()


def stage(worlds: Worlds, version: int, write: FlowWrite, kind: Break) -> tuple[OnceShop, Raw]:
    """Return a shop and an order whose import makes this write."""
    deadline = SHORT_DEADLINE_SECONDS if kind in SILENT else 10.0
    if write in {INSTALLATION, SERVICE}:
        shop = worlds.new_shop(version, settings={"call_deadline_seconds": deadline})
    else:
        shop = worlds.shop(version, deadline_seconds=deadline)
    raw = shop.new_order()
    if write is not ADDRESS:
        return shop, raw
    assert shop.import_order(raw).state == "done"
    return shop, shop.another_order(raw)


@pytest.mark.parametrize(("version", "kind"), [*product([18], BREAKS), *product([16, 19], TELLING)])
@pytest.mark.parametrize("write", [INSTALLATION, *WRITES], ids=str)
def test_a_write_that_is_broken_anywhere_happens_once(
    worlds: Worlds, version: int, write: FlowWrite, kind: Break
) -> None:
    shop, raw = stage(worlds, version, write, kind)
    made_before, seen_before = services(shop), currencies_seen(shop)
    armed = shop.proxy(write).once(kind, write.fits)
    job = shop.import_order(raw)
    assert armed.fired.is_set(), "the write was never sent"
    if kind == "late":
        # The retry has done it meanwhile; now the first request arrives after all.
        armed.deliver()
    assert (job.state, job.error) == ("done", None)
    # On a busy machine a read may take longer than the short deadline; a doubt may not use up an attempt.
    attempts = shop.ledger.jobs.attempts(job.id)
    doubts = [one for one in attempts if one.error_code == "doubtful_effect"]
    assert job.retry_count == len(attempts) - len(doubts) - 1, "a doubt used up an attempt"
    assert_once(shop, raw)
    assert currencies_seen(shop) == seen_before + 1
    assert {one.key: one.state for one in shop.effects(raw) if one.state != "confirmed"} == {}
    assert len(installations(shop)) == 1
    made = services(shop) - made_before
    assert set(made.values()) <= {1}
    # The same event again finds everything done.
    assert shop.import_order(raw).state == "done"
    assert_once(shop, raw)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_write_of_one_order_broken_one_after_the_other_happens_once(
    worlds: Worlds, version: int
) -> None:
    shop = worlds.new_shop(version)
    raw = shop.new_order()
    armed = [
        shop.proxy(write).once(kind, write.fits)
        for write in (INSTALLATION, PARTNER, SERVICE, ORDER, CONFIRM, DATE, NOTE, EXT_ORDER_ID)
        for kind in ("before", "in_answer", "after_commit")
    ]
    job = shop.import_order(raw)
    assert job.state == "done"
    # Confirm is not sent again once it is seen to have happened; its later breaks met nobody.
    assert sum(one.fired.is_set() for one in armed) >= 2 * len(ODOO_WRITES)
    assert job.retry_count == 0
    assert_once(shop, raw)


@pytest.mark.parametrize(("version", "kind"), [*product([18], BREAKS), *product([16, 19], TELLING)])
@pytest.mark.parametrize("write", [HOLD, RELEASE], ids=str)
def test_a_hold_and_its_release_that_are_broken_anywhere_happen_once(
    worlds: Worlds, version: int, write: FlowWrite, kind: Break
) -> None:
    shop = worlds.shop(version, deadline_seconds=SHORT_DEADLINE_SECONDS if kind in SILENT else 10.0)
    raw = shop.new_order()
    assert shop.import_order(raw).state == "done"
    armed = shop.proxy(write).once(kind, write.fits)
    for state, expected in (("holded", 1), ("processing", 0)):
        job = shop.import_order(changed(shop, raw, state=state, status=state))
        if kind == "late" and armed.fired.is_set():
            armed.deliver()
        assert (job.state, job.error, job.retry_count) == ("done", None, 0)
        assert len(warnings(shop, bound(shop, raw)["id"])) == expected
    assert armed.fired.is_set(), "the write was never sent"
    assert sum("Changed in Magento" in body for body in comments(shop, bound(shop, raw)["id"])) == 2
    assert {one.key: one.state for one in shop.effects(raw) if one.state != "confirmed"} == {}


@pytest.mark.parametrize("kind", ["before", "after_commit"])
def test_a_held_order_that_changes_while_its_hold_is_in_doubt_gets_one_warning(
    worlds: Worlds, kind: Break
) -> None:
    shop = worlds.shop(18)
    raw = shop.new_order()
    assert shop.import_order(raw).state == "done"
    shop.proxy(HOLD).once(kind, HOLD.fits)
    job_id = shop.want_order(changed(shop, raw, state="holded", status="holded"))
    pump_until(shop, lambda: is_in_doubt(shop, job_id), what="the hold is in doubt")
    assert shop.import_order(changed(shop, raw, customer_note="Where is it?")).state == "done"
    assert len(warnings(shop, bound(shop, raw)["id"])) == 1
    shop.proxy(RELEASE).once(kind, RELEASE.fits)
    job_id = shop.want_order(changed(shop, raw, state="processing", status="processing"))
    pump_until(shop, lambda: is_in_doubt(shop, job_id), what="the release is in doubt")
    assert shop.import_order(changed(shop, raw, customer_note="Thank you.")).state == "done"
    assert warnings(shop, bound(shop, raw)["id"]) == []
    assert {one.key: one.state for one in shop.effects(raw) if one.state != "confirmed"} == {}
