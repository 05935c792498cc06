from __future__ import annotations

import secrets

import pytest

from bridge.errors import ServiceUnavailable
from bridge.flows.wants import wake_stock
from bridge.ledger import Ledger, Pair
from consumers.beat import SCHEDULES, Schedule, Ticker, tick

SHOP = {"base_url": "http://127.0.0.1:9", "odoo_url": "http://127.0.0.1:9", "odoo_db": "o", "odoo_user": "u"}


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger.open(f"sqlite:///{tmp_path}/ledger.db", secret_key=secrets.token_urlsafe(32))
    opened.migrate()
    for name in ("shop", "second"):
        opened.instances.add(name, SHOP, {})
    yield opened
    opened.close()


def schedule(done, **options):
    options = {"name": "s", "title": "S", "every_seconds": 60.0, **options}
    return Schedule(act=lambda _ledger, instance: done.append(instance), **options)


def test_a_tick_is_done_once_for_each_instance_however_often_it_is_looked_at(ledger):
    done = []
    one = schedule(done)
    assert [tick(ledger, one, now=now) for now in (60.0, 61.0, 119.9)] == [2, 0, 0]
    assert sorted(done) == ["second", "shop"]
    assert tick(ledger, one, now=120.0) == 2


def test_a_tick_of_the_whole_ledger_is_done_once(ledger):
    done = []
    one = schedule(done, per_instance=False)
    assert [tick(ledger, one, now=60.0), tick(ledger, one, now=60.0)] == [1, 0]
    assert done == [""]


def test_the_scan_for_lost_events_makes_a_run_for_each_instance(ledger):
    (scan,) = [one for one in SCHEDULES if one.name == "import-orders"]
    tick(ledger, scan, now=0.0)
    assert sorted((job.instance, job.kind, job.queue) for job in ledger.jobs.list()) == [
        ("second", "import-orders", "orders"),
        ("shop", "import-orders", "orders"),
    ]


def stock_jobs(ledger, name):
    (one,) = [each for each in SCHEDULES if each.name == name]
    tick(ledger, one, now=1e9)
    return sorted((job.instance, job.kind, job.entity) for job in ledger.jobs.list())


@pytest.mark.parametrize(
    ("name", "kind", "entity"),
    [("poll-stock", "poll-stock", "all"), ("export-stock", "export-stock", "default")],
)
def test_stock_is_looked_after_where_it_is_exported(ledger, name, kind, entity):
    ledger.instances.set("shop", {"export_stock": True})
    for instance in ("shop", "second"):
        pair = Pair(magento_id="1", odoo_model="product.product", odoo_id=7, magento_label="x")
        ledger.bindings.bind_many(instance, "product", [pair])
    assert stock_jobs(ledger, name) == [("shop", kind, entity)]


def test_a_sweep_takes_up_marks_whose_export_was_lost(ledger):
    pair = Pair(magento_id="1", odoo_model="product.product", odoo_id=7, magento_label="x")
    ledger.bindings.bind_many("shop", "product", [pair])
    ledger.stock.mark("shop", ["1"], wake=wake_stock("shop"), by_hand=True)
    for job in ledger.jobs.list():
        ledger.jobs.cancel(job.id)
    assert len(stock_jobs(ledger, "sweep-stock")) == 2
    assert [job.state for job in ledger.jobs.list()] == ["pending", "cancelled"]


@pytest.mark.parametrize("one", SCHEDULES, ids=lambda one: one.name)
def test_every_schedule_can_be_done_on_an_empty_ledger(ledger, one):
    assert tick(ledger, one, now=1e9) >= 1
    assert one.title
    assert one.every_seconds >= 60


def test_a_schedule_that_fails_stops_neither_the_ticker_nor_the_others(ledger):
    done = []

    def failing(_ledger, _instance):
        raise ServiceUnavailable

    bad = Schedule(name="bad", title="Bad", every_seconds=60.0, act=failing)
    ticker = Ticker(ledger, [bad, schedule(done)])
    ticker.start()
    ticker.stop()
    assert sorted(done) == ["second", "shop"]
