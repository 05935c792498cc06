"""Exactly once, of units that are cancelled after the confirmation: one write takes them off the line and its delivery (DESIGN 6)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from itertools import product

import pytest

from tests.flows.test_exactly_once_on_the_wire import SILENT, TELLING
from tests.flows.test_exactly_once_over_deaths import PATIENT, Death, run_watched
from tests.support.cancelling import an_order_of_several_in_one_line, cancelled, moved
from tests.support.once import LOWER, SHORT_DEADLINE_SECONDS, OnceShop, Raw, Worlds, is_in_doubt, pump_until
from tests.support.orders import bound, comments
from tests.support.proxy import BREAKS, Break

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def all_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"), lengths=PATIENT)
    yield made
    made.close()


@pytest.fixture
def worlds(all_worlds: Worlds) -> Iterator[Worlds]:
    yield all_worlds
    all_worlds.rest()


def assert_lowered(shop: OnceShop, raw: Raw, left: int) -> None:
    """Insist: so many units on the line and on its delivery, nothing beside it, the date of the purchase, one note."""
    order = bound(shop, raw)
    assert sorted(line["product_uom_qty"] for line in shop.lines(order["id"])) == sorted([1, left])
    assert moved(shop, raw) == [left]
    assert (order["state"], order["date_order"]) == ("sale", raw["created_at"])
    assert sum("Changed in Magento" in body for body in comments(shop, order["id"])) == 1
    assert {one.key: one.state for one in shop.effects(raw) if one.state != "confirmed"} == {}


@pytest.mark.parametrize(("version", "kind"), [*product([18], BREAKS), *product([16, 19], TELLING)])
def test_a_write_of_cancelled_units_that_is_broken_anywhere_happens_once(
    worlds: Worlds, version: int, kind: Break
) -> None:
    shop = worlds.shop(version, deadline_seconds=SHORT_DEADLINE_SECONDS if kind in SILENT else 10.0)
    raw, ordered = an_order_of_several_in_one_line(shop)
    assert moved(shop, raw) == [ordered]
    armed = shop.proxy(LOWER).once(kind, LOWER.fits)
    job = shop.import_order(cancelled(shop, raw, 1))
    assert armed.fired.is_set(), "the write was never sent"
    if kind == "late":
        armed.deliver()
    assert (job.state, job.error, job.retry_count) == ("done", None, 0)
    assert_lowered(shop, raw, ordered - 1)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("version", [16, 18, 19])
def test_a_worker_that_dies_at_any_write_of_a_cancellation_takes_the_units_off_once(
    worlds: Worlds, version: int, after: bool
) -> None:
    shop = worlds.shop(version)
    places = []
    for at in itertools.count(1):
        raw, ordered = an_order_of_several_in_one_line(shop)
        job_id = shop.want_order(cancelled(shop, raw, 1))
        death = Death(at=at, after=after)
        run_watched(shop, job_id, death, worker=f"mortal:{at}:")
        if not death.place:
            break
        places.append(death.place)
        shop.ledger.jobs.recover(worker_prefix=f"mortal:{at}:")
        shop.work()
        assert shop.job(job_id).state == "done", death
        assert_lowered(shop, raw, ordered - 1)
    # Deaths at the units and at the note, and at the end of the job.
    assert places.count("effects.begin") == places.count("effects.confirm") == 2
    assert places[-1] == "jobs.finish"


@pytest.mark.parametrize("kind", ["before", "after_commit"])
def test_a_person_who_lowers_the_line_while_its_write_is_in_doubt_is_not_overruled(
    worlds: Worlds, kind: Break
) -> None:
    shop = worlds.shop(18)
    raw, _ = an_order_of_several_in_one_line(shop)
    shop.proxy(LOWER).once(kind, LOWER.fits)
    job_id = shop.want_order(cancelled(shop, raw, 1))
    pump_until(shop, lambda: is_in_doubt(shop, job_id), what="the units are in doubt")
    line = max(shop.lines(bound(shop, raw)["id"]), key=lambda one: one["product_uom_qty"])
    mine = {"product_uom_qty": 1, "price_unit": line["price_unit"], "customer_lead": line["customer_lead"]}
    shop.box.odoo.write("sale.order.line", line["id"], mine)
    shop.work()
    assert shop.job(job_id).state == "done"
    assert_lowered(shop, raw, 1)
