"""Events, dead events, and the jobs they make."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.ledger import Arrival, DeadEvent, Event, Ledger
from tests.support.ledger import in_threads, state_of, want


def arrival(number: int, *, source: str = "/instances/shop/magento", wants: int = 1, **changes) -> Arrival:
    event = Event(
        instance="shop",
        source=source,
        event_id=f"e{number}",
        type="magento.order.saved",
        subject=str(number),
        time=datetime(2026, 11, 1, 10, 20, 30, 500, tzinfo=UTC),
        data={"id": number, "version": "2026-11-01 10:20:30"},
    )
    return Arrival(event=event, wants=tuple(want(str(number), **changes) for _ in range(wants)))


def test_a_batch_of_events_becomes_jobs_in_one_transaction(ledger: Ledger):
    taken = ledger.events.take([arrival(number) for number in range(100)])
    assert (taken.stored, taken.repeated, len(taken.wanted)) == (100, 0, 100)
    assert len(ledger.jobs.list(limit=200)) == 100
    assert ledger.events.count() == 100
    (event,) = ledger.events.list(subject="7")
    assert event.time == datetime(2026, 11, 1, 10, 20, 30, 500, tzinfo=UTC)
    assert event.data["id"] == 7
    assert ledger.events.get(event.id) == event
    (job,) = ledger.jobs.list(external_key=event.external_key)
    assert job.entity == "7"


def test_a_repeated_event_asks_for_nothing_again(ledger: Ledger):
    ledger.events.take([arrival(1)])
    taken = ledger.events.take([arrival(1), arrival(2), arrival(2)])
    assert (taken.stored, taken.repeated) == (1, 2)
    (job,) = ledger.jobs.list(entity="1")
    assert job.wanted == 1
    other_source = ledger.events.take([arrival(1, source="/instances/shop/odoo")])
    assert other_source.stored == 1
    assert ledger.jobs.get(job.id).wanted == 2


def test_an_event_that_wants_nothing_is_stored_all_the_same(ledger: Ledger):
    taken = ledger.events.take([arrival(1, wants=0)])
    assert (taken.stored, taken.wanted) == (1, ())
    assert ledger.events.list()[0].external_key is None


def test_the_same_event_taken_twice_at_once_counts_once(ledger: Ledger):
    batch = [arrival(number) for number in range(20)]
    results = in_threads(lambda: ledger.events.take(batch), lambda: ledger.events.take(batch[::-1]))
    assert sum(taken.stored for taken in results) == 20
    assert {job.wanted for job in ledger.jobs.list()} == {1}


def test_an_event_wakes_a_blocked_job(ledger: Ledger):
    (wanted,) = ledger.events.take([arrival(1)]).wanted
    ledger.database.command("UPDATE jobs SET state = 'blocked', cause = 'x' WHERE id = :id", id=wanted.job_id)
    ledger.events.take([arrival(1, source="/instances/shop/odoo")])
    assert state_of(ledger, wanted.job_id) == "pending"


def test_events_are_listed_newest_first_page_by_page(ledger: Ledger):
    ledger.events.take([arrival(number) for number in range(5)])
    first = ledger.events.list(limit=3)
    second = ledger.events.list(limit=3, before=first[-1].id)
    assert len({event.id for event in (*first, *second)}) == 5
    assert ledger.events.list(type="odoo.stock.changed") == []


def test_what_cannot_be_read_is_buried_and_can_be_shown_and_replayed(ledger: Ledger):
    body = b"\xff\0not json"
    number = ledger.events.bury(
        DeadEvent(
            reason="The body is not JSON.",
            body=body,
            headers={"x": b"1", "n": 2},
            routing_key="magento.order.saved",
        )
    )
    (listed,) = ledger.events.dead()
    assert (listed.id, listed.reason, listed.body, listed.size) == (
        number,
        "The body is not JSON.",
        b"",
        len(body),
    )
    dead = ledger.events.get_dead(number)
    assert (dead.body, dead.headers, dead.replayed_at) == (body, {"x": "1", "n": 2}, None)
    ledger.events.mark_replayed(number)
    assert ledger.events.get_dead(number).replayed_at is not None
    assert ledger.events.get_dead(number + 1) is None


def test_a_dead_body_is_cut_at_one_megabyte(ledger: Ledger):
    number = ledger.events.bury(
        DeadEvent(reason="Too large.", body=b"x" * 3_000_000, headers={}, routing_key="a")
    )
    dead = ledger.events.get_dead(number)
    assert (len(dead.body), dead.size) == (1024 * 1024, 3_000_000)


def test_old_events_are_deleted_in_batches(ledger: Ledger):
    ledger.events.take([arrival(number) for number in range(600)])
    ledger.database.command("UPDATE events SET received_at = {later:-86400.0 * 181} WHERE subject <> '5'")
    assert ledger.events.upkeep() == 599
    assert [event.subject for event in ledger.events.list()] == ["5"]


def test_the_last_event_of_a_source_about_something_is_known(ledger: Ledger):
    assert ledger.events.last_of("shop", "/schedules", "upkeep") is None
    for number in (1, 2):
        event = Event(
            instance="shop", source="/schedules", event_id=f"upkeep@{number}", type="t", subject="upkeep", time=None,
            data={},
        )  # fmt: skip
        ledger.events.take([Arrival(event=event, wants=())])
    found = ledger.events.last_of("shop", "/schedules", "upkeep")
    assert found is not None
    assert found == max(one.received_at for one in ledger.events.list())
    assert ledger.events.last_of("other", "/schedules", "upkeep") is None
