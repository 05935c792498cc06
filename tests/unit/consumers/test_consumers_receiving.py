from __future__ import annotations

import secrets

import pytest

from bridge.errors import InvalidEvent
from bridge.flows.wants import PLACES, PRICE_DEBOUNCE_SECONDS
from bridge.ledger import Ledger, LedgerError, LedgerUnavailable
from bridge.topology import TASK_QUEUES
from consumers.receiving import Message, Received, Receiver, read_message
from consumers.wants import JOB_KINDS, wants_of
from schemas.events import EVENT_TYPES, new_event

SHOP = {"base_url": "http://127.0.0.1:9", "odoo_url": "http://127.0.0.1:9", "odoo_db": "o", "odoo_user": "u"}


def message(record_id=1, event_type="magento.order.saved", instance="shop", **options):
    event = new_event(event_type, instance, record_id=record_id, **options)
    return Message(body=event.to_bytes(), routing_key=event_type)


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger.open(f"sqlite:///{tmp_path}/ledger.db", secret_key=secrets.token_urlsafe(32))
    opened.migrate()
    opened.instances.add("shop", SHOP, {})
    yield opened
    opened.close()


def test_an_order_event_wants_the_import_of_that_order_in_that_version():
    (want,) = wants_of(new_event("magento.order.saved", "shop", record_id=42, version="2026-11-01 10:20:30"))
    assert (want.instance, want.kind, want.entity, want.queue) == ("shop", "import-order", "42", "orders")
    assert (want.lock_key, want.version) == ("order:42", "2026-11-01 10:20:30")
    assert want.systems == {"magento", "odoo"}


def test_a_product_event_wants_its_import_or_its_export():
    (imported,) = wants_of(
        new_event("magento.product.saved", "shop", record_id=7, version="2026-11-01 10:20:30")
    )
    (exported,) = wants_of(
        new_event("odoo.product.changed", "shop", record_id=8, version="2026-11-01 10:20:30")
    )
    assert (imported.kind, imported.entity, imported.lock_key) == ("import-product", "7", "catalog")
    assert (exported.kind, exported.entity, exported.lock_key) == ("export-product", "8", "catalog")
    assert (exported.not_before_seconds, exported.data) == (0.0, {})


def test_an_odoo_event_without_a_version_waits_since_it_may_come_before_its_commit():
    (want,) = wants_of(new_event("odoo.product.changed", "shop", record_id=8))
    assert (want.not_before_seconds, want.data) == (3.0, {"unversioned": True})
    (magento,) = wants_of(new_event("magento.product.saved", "shop", record_id=8))
    assert (magento.not_before_seconds, magento.data) == (0.0, {"by_event": True})


def test_events_of_pricelists_want_one_export_that_waits_a_little_for_more():
    (want,) = wants_of(
        new_event("odoo.pricelist.changed", "shop", record_id=8, version="2026-11-01 10:20:30")
    )
    (other,) = wants_of(new_event("odoo.pricelist.changed", "shop", record_id=9))
    assert (want.kind, want.entity, want.data) == ("start-price-export", "all", {})
    assert (other.kind, other.entity, other.data) == ("start-price-export", "all", {"unversioned": True})
    assert want.not_before_seconds == other.not_before_seconds == PRICE_DEBOUNCE_SECONDS


def test_every_wanted_kind_has_a_place_in_a_queue_that_is_declared():
    assert set(JOB_KINDS) <= set(EVENT_TYPES)
    for kind in JOB_KINDS.values():
        assert PLACES[kind].queue in TASK_QUEUES


def test_a_batch_becomes_events_and_jobs(ledger):
    batch = [message(1), message(2), message(1), message(3, "odoo.connection.tested")]
    assert Receiver(ledger).receive(batch) == Received(stored=4, created=3, folded=1)
    assert {(job.kind, job.entity) for job in ledger.jobs.list()} == {
        ("import-order", "1"),
        ("import-order", "2"),
        ("noop", "3"),
    }


def test_what_comes_again_is_known_and_makes_nothing(ledger):
    receiver = Receiver(ledger)
    batch = [message(1), message(2)]
    receiver.receive(batch)
    assert receiver.receive(batch) == Received(repeated=2)
    assert [job.wanted for job in ledger.jobs.list()] == [1, 1]


def test_the_good_events_of_a_batch_are_taken_beside_the_bad_ones(ledger):
    batch = [Message(body=b"{"), message(1), message(1, instance="nobody"), message(2)]
    assert Receiver(ledger).receive(batch) == Received(stored=2, created=2, dead=2)
    reasons = [one.reason.partition(":")[0] for one in ledger.events.dead()]
    assert sorted(reasons) == ["unknown_instance", "unreadable_json"]


def test_an_instance_that_was_added_later_is_known(ledger, monkeypatch):
    monkeypatch.setattr("consumers.receiving._LOOK_AGAIN_SECONDS", 0.0)
    receiver = Receiver(ledger)
    assert receiver.receive([message(1, instance="second")]).dead == 1
    ledger.instances.add("second", SHOP, {})
    assert receiver.receive([message(1, instance="second")]).created == 1


def test_a_flood_for_an_unknown_instance_does_not_ask_the_ledger_each_time(ledger, monkeypatch):
    asked = []
    names = ledger.instances.names
    monkeypatch.setattr(ledger.instances, "names", lambda: asked.append(1) or names())
    assert Receiver(ledger).receive([message(one, instance="nobody") for one in range(1, 51)]).dead == 50
    assert len(asked) == 1


def test_a_change_of_stock_is_a_mark_and_no_job_of_its_own():
    arrival = read_message(message(11, "odoo.stock.changed").body, instances={"shop"})
    assert arrival.wants == ()
    assert arrival.stock is not None
    wake = arrival.stock.wake("berlin")
    assert (wake.kind, wake.entity, wake.lock_key, wake.queue) == (
        "export-stock",
        "berlin",
        "stock:berlin",
        "inventory",
    )
    assert wake.not_before_seconds == 0.5


def test_a_type_that_no_flow_handles_is_kept_for_later():
    with pytest.raises(InvalidEvent) as caught:
        read_message(message(1, "odoo.picking.done").body, instances={"shop"})
    assert caught.value.details["reason"] == "no_flow"
    assert "Replay" in caught.value.message


def test_an_event_that_the_ledger_refuses_is_put_aside_and_the_others_are_taken(ledger, monkeypatch):
    take = ledger.events.take

    def refusing(arrivals):
        if any(one.event.subject == "13" for one in arrivals):
            raise LedgerError
        return take(arrivals)

    monkeypatch.setattr(ledger.events, "take", refusing)
    batch = [message(12), message(13), message(14)]
    assert Receiver(ledger).receive(batch) == Received(stored=2, created=2, dead=1)
    (dead,) = ledger.events.dead()
    assert dead.reason.startswith("not_stored: ")
    assert ledger.events.get_dead(dead.id).body == batch[1].body


def test_when_the_ledger_is_down_nothing_is_put_aside(ledger, monkeypatch):
    def down(_arrivals):
        raise LedgerUnavailable

    monkeypatch.setattr(ledger.events, "take", down)
    with pytest.raises(LedgerUnavailable):
        Receiver(ledger).receive([message(1)])
    assert ledger.events.dead() == []


def test_the_headers_of_a_dead_event_are_kept(ledger):
    bad = Message(
        body=b"x", routing_key="a.b", content_type="text/plain", headers={"x-death": [{"count": 1}]}
    )
    Receiver(ledger).receive([bad])
    (dead,) = ledger.events.dead()
    assert (dead.headers["content_type"], dead.routing_key) == ("text/plain", "a.b")
    assert "x-death" in dead.headers
