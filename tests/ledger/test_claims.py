"""Claims, fences, leases and collision locks; races by real threads."""

from __future__ import annotations

import pytest

from bridge.errors import LeaseLost
from bridge.ledger import Ledger
from bridge.retry import DONE, Decision
from tests.support.ledger import (
    again,
    claim,
    exchange,
    expire,
    in_threads,
    into,
    let_time_come,
    make,
    queue_all,
    start,
    state_of,
    want,
    work_off,
)

ROUNDS = 15


def test_a_claim_covers_what_was_wanted_until_then(ledger: Ledger):
    job_id = make(ledger)
    make(ledger)
    job = again(ledger, job_id)
    assert (job.wanted, job.claimed, job.attempt, job.state) == (2, 2, 1, "running")
    assert job.fence
    assert job.lease_until is not None and job.lease_until > ledger.now()
    assert job.started_at is not None


@pytest.mark.parametrize(
    "state", ["pending", "running", "retry_waiting", "blocked", "done", "failed", "cancelled"]
)
def test_only_a_queued_job_can_be_claimed(ledger: Ledger, state: str):
    job_id = into(ledger, state)
    assert claim(ledger, job_id) is None
    assert state_of(ledger, job_id) == state


def test_of_two_claims_one_wins(ledger: Ledger):
    for number in range(ROUNDS):
        job_id = make(ledger, str(number))
        queue_all(ledger)
        first, second = in_threads(lambda: claim(ledger, job_id), lambda: claim(ledger, job_id))
        assert (first is None) != (second is None)
        ledger.jobs.finish(first or second, DONE)


def test_of_two_claims_for_one_lock_one_wins_and_the_other_waits_and_follows(ledger: Ledger):
    for number in range(ROUNDS):
        lock = f"order:{number}"
        ids = [make(ledger, f"{number}-{part}") for part in "ab"]
        queue_all(ledger)
        # The lock is given only now, so that both are queued: a dispatcher would have sent one of them.
        for job_id in ids:
            ledger.database.command("UPDATE jobs SET lock_key = :lock WHERE id = :id", lock=lock, id=job_id)
        results = in_threads(*[lambda one=one: claim(ledger, one) for one in ids])
        winners = [job for job in results if job is not None]
        assert len(winners) == 1
        loser = next(job_id for job_id in ids if job_id != winners[0].id)
        waiting = ledger.jobs.get(loser)
        assert (waiting.state, waiting.waits_for, waiting.retry_count) == ("retry_waiting", f"lock:{lock}", 0)
        assert ledger.jobs.finish(winners[0], DONE) == "done"
        assert state_of(ledger, loser) == "pending"
        work_off(ledger)
        assert state_of(ledger, loser) == "done"


def test_nobody_waits_for_ever_when_the_holder_ends_while_another_claims(ledger: Ledger):
    for number in range(ROUNDS):
        lock = f"order:{number}"
        holder = start(ledger, f"{number}-holder", lock_key=lock)
        other = make(ledger, f"{number}-other")
        queue_all(ledger)
        ledger.database.command(
            "UPDATE jobs SET lock_key = :lock WHERE id = :id", lock=f"shop:{lock}", id=other
        )
        end, claimed = in_threads(lambda: ledger.jobs.finish(holder, DONE), lambda: claim(ledger, other))
        assert end == "done"
        if claimed is None:
            assert state_of(ledger, other) == "pending"
        else:
            ledger.jobs.finish(claimed, DONE)
        work_off(ledger)
        assert state_of(ledger, other) == "done"


def test_the_same_lock_of_two_instances_holds_nobody_back(ledger: Ledger):
    start(ledger, instance="one", lock_key="catalog")
    assert start(ledger, instance="two", lock_key="catalog").state == "running"


def test_a_freed_lock_goes_to_the_most_urgent_waiter_and_to_one_only(ledger: Ledger):
    holder = start(ledger, "1", lock_key="catalog")
    low, high, mid = (
        make(ledger, f"w{number}", lock_key="catalog", priority=number) for number in (10, 90, 50)
    )
    assert queue_all(ledger) == []
    states = [state_of(ledger, job_id) for job_id in (low, high, mid)]
    assert states == ["retry_waiting"] * 3
    ledger.jobs.finish(holder, DONE)
    assert [state_of(ledger, job_id) for job_id in (low, high, mid)] == [
        "retry_waiting",
        "pending",
        "retry_waiting",
    ]
    assert [job.id for job in work_off(ledger)] == [high, mid, low]


def test_a_cancelled_heir_of_a_lock_hands_it_on(ledger: Ledger):
    holder = start(ledger, "1", lock_key="catalog")
    first, second = make(ledger, "2", lock_key="catalog"), make(ledger, "3", lock_key="catalog")
    queue_all(ledger)
    ledger.jobs.finish(holder, DONE)
    assert state_of(ledger, first) == "pending"
    ledger.jobs.cancel(first)
    assert state_of(ledger, second) == "pending"


def test_a_wait_for_a_lock_uses_no_attempt_and_ends_with_the_lock(ledger: Ledger):
    holder = start(ledger, "1", lock_key="order:7")
    other = start(ledger, "2")
    wait = Decision(state="retry_waiting", waits_for="lock:order:7")
    assert ledger.jobs.finish(other, wait) == "retry_waiting"
    assert ledger.jobs.get(other.id).retry_count == 0
    ledger.jobs.finish(holder, Decision(state="retry_waiting", delay_seconds=60, uses_attempt=True))
    assert state_of(ledger, other.id) == "pending"


def test_a_wait_for_a_lock_that_is_free_goes_on_at_once(ledger: Ledger):
    job = start(ledger)
    assert ledger.jobs.finish(job, Decision(state="retry_waiting", waits_for="lock:order:7")) == "pending"


@pytest.mark.parametrize(
    ("outcome", "then"),
    [("done", "pending"), ("failed", "pending"), ("cancelled", "pending"), ("blocked", "retry_waiting")],
)
def test_a_wait_for_a_job_ends_with_that_job(ledger: Ledger, outcome: str, then: str):
    order = start(ledger, "order")
    shipment = start(ledger, "shipment")
    wait = Decision(state="retry_waiting", waits_for=f"job:{order.id}")
    assert ledger.jobs.finish(shipment, wait) == "retry_waiting"
    ledger.jobs.finish(order, Decision(state=outcome))
    assert state_of(ledger, shipment.id) == then


def test_a_wait_for_a_job_that_has_ended_goes_on_at_once(ledger: Ledger):
    order = into(ledger, "done", "order")
    shipment = start(ledger, "shipment")
    assert (
        ledger.jobs.finish(shipment, Decision(state="retry_waiting", waits_for=f"job:{order}")) == "pending"
    )


def test_nobody_waits_for_ever_for_a_job_that_ends_at_that_moment(ledger: Ledger):
    for number in range(ROUNDS):
        order, shipment = start(ledger, f"o{number}"), start(ledger, f"s{number}")
        wait = Decision(state="retry_waiting", waits_for=f"job:{order.id}")
        in_threads(lambda: ledger.jobs.finish(order, DONE), lambda: ledger.jobs.finish(shipment, wait))
        assert state_of(ledger, shipment.id) == "pending"
        work_off(ledger)


@pytest.mark.parametrize("waits_for", ["doubt:some-key", "version"])
def test_a_wait_by_time_ends_with_its_time_and_uses_no_attempt(ledger: Ledger, waits_for: str):
    job = start(ledger)
    wait = Decision(state="retry_waiting", delay_seconds=180, waits_for=waits_for)
    assert ledger.jobs.finish(job, wait) == "retry_waiting"
    assert queue_all(ledger) == []
    let_time_come(ledger, job.id)
    assert again(ledger, job.id).retry_count == 0


def test_nobody_can_shorten_a_doubt(ledger: Ledger):
    job = start(ledger, lock_key="order:42")
    doubt = Decision(state="retry_waiting", delay_seconds=180, waits_for="doubt:key")
    ledger.jobs.finish(job, doubt)
    before = ledger.jobs.get(job.id)
    change = ledger.jobs.retry(job.id)
    assert (change.changed, change.state) == (False, "retry_waiting")
    assert "Nobody can shorten" in change.note
    make(ledger)
    ledger.jobs.release("shop", "doubt:key")
    ledger.mappings.set("shop", "tax", "21", odoo_model="account.tax", odoo_id=1, odoo_label="21%", by="anna")
    after = ledger.jobs.get(job.id)
    assert (after.state, after.waits_for, after.next_attempt_at) == (
        "retry_waiting",
        "doubt:key",
        before.next_attempt_at,
    )


def test_a_doubt_holds_no_lock(ledger: Ledger):
    job = start(ledger, "1", lock_key="order:42")
    ledger.jobs.finish(job, Decision(state="retry_waiting", delay_seconds=180, waits_for="doubt:key"))
    assert start(ledger, "2", lock_key="order:42").state == "running"


def test_a_lease_is_renewed_but_not_beyond_the_longest_run_time(open_ledger):
    ledger = open_ledger(lease_seconds=60)
    job = start(ledger, max_runtime_seconds=90)
    lease = ledger.jobs.renew(job)
    assert lease.ok and not lease.cancel_requested
    # SQLite's clock counts days in a float: a little more than 60 may come out.
    assert 55 < lease.seconds_left <= 60.01
    ledger.database.command("UPDATE jobs SET deadline_at = {later:10.0} WHERE id = :id", id=job.id)
    assert 5 < ledger.jobs.renew(job).seconds_left < 11
    ledger.database.command("UPDATE jobs SET deadline_at = {later:-1.0} WHERE id = :id", id=job.id)
    assert not ledger.jobs.renew(job).ok


def test_the_first_lease_is_no_longer_than_the_longest_run_time(open_ledger):
    ledger = open_ledger(lease_seconds=60)
    job = start(ledger, max_runtime_seconds=5)
    assert (job.lease_until - job.started_at).total_seconds() <= 5.01


def test_who_lost_the_lease_can_write_nothing_more(ledger: Ledger):
    old = start(ledger)
    expire(ledger, old.id)
    ledger.jobs.recover_expired()
    new = again(ledger, old.id)
    assert not ledger.jobs.renew(old).ok
    assert ledger.jobs.finish(old, DONE, exchanges=[exchange()], wants=[want("7")]) is None
    with pytest.raises(LeaseLost):
        ledger.effects.begin(old, key="k", system="odoo", kind="create", target="sale.order", request=b"{}")
    assert ledger.exchanges.list() == []
    assert ledger.jobs.list(entity="7") == []
    assert [attempt.outcome for attempt in ledger.jobs.attempts(old.id)] == ["lost"]
    assert ledger.jobs.renew(new).ok
    assert ledger.jobs.finish(new, DONE) == "done"


def test_a_decision_that_the_lease_was_lost_writes_nothing(ledger: Ledger):
    job = start(ledger)
    assert ledger.jobs.finish(job, Decision(state="lost")) is None
    assert state_of(ledger, job.id) == "running"


def test_a_lease_that_ran_out_is_either_renewed_or_lost_never_both(ledger: Ledger):
    for number in range(ROUNDS):
        job = start(ledger, str(number))
        expire(ledger, job.id)
        lease, recovered = in_threads(lambda: ledger.jobs.renew(job), ledger.jobs.recover_expired)
        assert lease.ok == (recovered == 0)
        if lease.ok:
            ledger.jobs.finish(job, DONE)
        else:
            ledger.jobs.cancel(job.id)


def test_a_lost_job_frees_its_lock(ledger: Ledger):
    job = start(ledger, "1", lock_key="catalog")
    ledger.database.command("UPDATE jobs SET retry_count = 5 WHERE id = :id", id=job.id)
    other = make(ledger, "2", lock_key="catalog")
    queue_all(ledger)
    expire(ledger, job.id)
    ledger.jobs.recover_expired()
    assert (state_of(ledger, job.id), state_of(ledger, other)) == ("retry_waiting", "pending")


def test_the_jobs_of_a_dead_process_are_taken_up_at_once(ledger: Ledger):
    job = start(ledger)
    assert ledger.jobs.recover(worker_prefix="other:") == 0
    assert ledger.jobs.recover(worker_prefix="te") == 1
    assert state_of(ledger, job.id) == "pending"


def test_one_job_exists_for_the_same_work_however_many_want_it_at_once(ledger: Ledger):
    for number in range(ROUNDS):
        answers = in_threads(*[lambda: ledger.jobs.want([want(str(number))])] * 4)
        assert len({wanted.job_id for (wanted,) in answers}) == 1
        assert sum(wanted.created for (wanted,) in answers) == 1
        assert ledger.jobs.get(answers[0][0].job_id).wanted == 4


def test_batches_of_the_same_work_in_other_order_do_not_deadlock(ledger: Ledger):
    wants = [want(str(number)) for number in range(40)]
    for _ in range(5):
        in_threads(*[lambda part=part: ledger.jobs.want(part) for part in (wants, wants[::-1], wants[::2])])
    assert sum(job.wanted for job in ledger.jobs.list(limit=100)) == 5 * (40 + 40 + 20)


def test_no_wake_up_is_lost_while_a_job_ends(ledger: Ledger):
    for number in range(ROUNDS):
        job = start(ledger, str(number))
        end, _ = in_threads(
            lambda: ledger.jobs.finish(job, DONE), lambda: ledger.jobs.want([want(str(number))])
        )
        open_jobs = ledger.jobs.list(entity=str(number), states=["pending"])
        assert len(open_jobs) == 1
        assert (open_jobs[0].id == job.id) == (end == "pending")
        work_off(ledger)


def test_a_batch_may_want_the_same_work_twice(ledger: Ledger):
    first, second, other = ledger.jobs.want(
        [want(version="2026-01-02", priority=10), want(version="2026-01-01", priority=70), want("7")]
    )
    assert (first.created, second.folded, other.created) == (True, True, True)
    assert first.job_id == second.job_id
    job = ledger.jobs.get(first.job_id)
    assert (job.wanted, job.version, job.priority) == (2, "2026-01-02", 70)


def test_the_newest_version_and_the_higher_priority_win_when_events_fold(ledger: Ledger):
    job_id = make(ledger, version="2026-01-02 00:00:00", data={"id": 42})
    make(ledger, version="2026-01-01 00:00:00", priority=90)
    job = ledger.jobs.get(job_id)
    assert (job.version, job.priority, job.data) == ("2026-01-02 00:00:00", 90, {"id": 42})
    make(ledger, version="2026-01-03 00:00:00", priority=10, data={"id": 42, "force": True})
    job = ledger.jobs.get(job_id)
    assert (job.version, job.priority, job.data) == ("2026-01-03 00:00:00", 90, {"id": 42, "force": True})


def test_a_job_is_not_started_before_its_time(ledger: Ledger):
    job_id = make(ledger, not_before_seconds=30)
    assert queue_all(ledger) == []
    make(ledger, "7")
    (queued,) = queue_all(ledger)
    # An event that must not be looked at yet folds into a job that is queued already.
    make(ledger, "7", not_before_seconds=30)
    assert claim(ledger, queued) is None
    assert state_of(ledger, queued) == "pending"
    assert queue_all(ledger) == []
    assert state_of(ledger, job_id) == "pending"
