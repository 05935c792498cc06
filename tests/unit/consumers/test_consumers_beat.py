from __future__ import annotations

import secrets

import pytest

from bridge.errors import ServiceUnavailable
from bridge.flows.wants import wake_stock, want
from bridge.ledger import Ledger, Pair
from bridge.settings import SCHEDULED
from consumers.beat import Ticker, last_tick, tick
from consumers.schedules import SCHEDULES, Schedule

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
    tick(ledger, one, now=3 * 3600.0)
    return sorted((job.instance, job.kind, job.entity) for job in ledger.jobs.list())


@pytest.mark.parametrize(
    ("name", "kind", "entity"),
    [
        ("poll-stock", "poll-stock", "all"),
        ("export-stock", "export-stock", "default"),
        ("drift", "drift", "all"),
    ],
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
    everything = ",".join(f"{name}=5m" for name in SCHEDULED)
    for name in ledger.instances.names():
        ledger.instances.set(name, {"schedules": everything, "sync_direction": "odoo", "export_stock": True})
    assert tick(ledger, one, now=1e9) == (2 if one.per_instance else 1)
    jobs = ledger.jobs.list()
    # Figures of stock are marked, and there are none yet.
    makes_jobs = one.per_instance and one.name not in {"sweep-stock", "export-stock"}
    kind = {"look-at-prices": "export-prices"}.get(one.name, one.name)
    assert {job.kind for job in jobs} == ({kind} if makes_jobs else set())
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


def by_name(name):
    (found,) = [one for one in SCHEDULES if one.name == name]
    return found


def test_the_schedules_that_may_be_set_are_those_of_an_instance():
    assert set(SCHEDULED) == {one.name for one in SCHEDULES if one.per_instance}


def test_an_instance_that_only_imports_orders_is_not_scanned_for_anything_else(ledger):
    done = [one.name for one in SCHEDULES if one.per_instance and tick(ledger, one, now=3 * 3600.0)]
    # The sweep looks into the ledger alone.
    assert done == ["import-orders", "sweep-stock"]
    assert {job.kind for job in ledger.jobs.list()} == {"import-orders"}


@pytest.mark.parametrize(
    "name", ["import-customers", "import-products", "import-categories", "import-stores", "export-products"]
)
def test_a_scan_is_on_once_the_instance_has_used_it(ledger, name):
    night = 3 * 3600.0
    assert tick(ledger, by_name(name), now=night) == 0
    if name in {"import-customers", "import-products", "export-products"}:
        ledger.runs.start("shop", name, {"updated_from": "2026-01-01T00:00:00+00:00"})
    else:
        ledger.jobs.want([want(name, instance="shop", entity="all")])
    assert tick(ledger, by_name(name), now=night) == 1
    assert (last_tick(ledger, by_name(name), "shop") is None, last_tick(ledger, by_name(name), "second")) == (
        False,
        None,
    )


def test_prices_are_exported_by_the_clock_after_a_run_that_was_no_trial_while_odoo_is_their_master(ledger):
    prices = by_name("export-prices")
    ledger.instances.set("shop", {"sync_direction": "price=odoo"})
    ledger.runs.start("shop", "export-prices", {"dry_run": True})
    ledger.runs.start("shop", "export-prices", {"skus": ["A"]})
    assert tick(ledger, prices, now=0.0) == 0
    ledger.runs.start("shop", "export-prices", {})
    assert tick(ledger, prices, now=0.0) == 1
    ledger.instances.set("shop", {"sync_direction": "magento", "schedules": "export-prices=5m"})
    assert tick(ledger, prices, now=3600.0) == 0


def test_the_sweep_begins_at_night_and_after_the_first_import_of_products(ledger):
    assert tick(ledger, by_name("sweep-products"), now=3 * 3600.0) == 0
    ledger.runs.start("shop", "import-products", {})
    assert [tick(ledger, by_name("sweep-products"), now=hour * 3600.0) for hour in (1, 3, 4, 12, 27)] == [
        0,
        1,
        0,
        0,
        1,
    ]


def test_an_instance_that_comes_anew_under_a_name_has_used_nothing(ledger):
    ledger.runs.start("shop", "import-products", {})
    ledger.instances.remove("shop")
    ledger.instances.add("shop", SHOP, {})
    assert tick(ledger, by_name("import-products"), now=0.0) == 0


def test_the_setting_of_an_instance_says_how_often(ledger):
    orders = by_name("import-orders")
    ledger.instances.set("shop", {"schedules": "import-orders=1h,import-products=30m"})
    ledger.instances.set("second", {"schedules": "import-orders=off"})
    assert [tick(ledger, orders, now=now) for now in (0.0, 600.0, 3599.0, 3600.0)] == [1, 0, 0, 1]
    assert tick(ledger, by_name("import-products"), now=0.0) == 1
    # Another length: its slots are others.
    ledger.instances.set("shop", {"schedules": "import-orders=10m"})
    assert [tick(ledger, orders, now=now) for now in (3600.0, 3700.0, 4200.0)] == [1, 0, 1]
