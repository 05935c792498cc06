"""Every cell of the table of states and transitions (DESIGN 5)."""

from __future__ import annotations

import pytest

from bridge.ledger import JobError, Ledger
from bridge.retry import DONE, Decision
from tests.support.ledger import (
    again,
    claim,
    expire,
    into,
    let_time_come,
    make,
    queue_all,
    start,
    state_of,
    want,
    work_off,
)


@pytest.mark.parametrize(
    ("state", "then"),
    [
        ("pending", "pending"),
        ("queued", "queued"),
        ("running", "running"),
        ("retry_waiting", "retry_waiting"),
        ("blocked", "pending"),
    ],
)
def test_an_event_folds_into_an_open_job(ledger: Ledger, state: str, then: str):
    job_id = into(ledger, state)
    (wanted,) = ledger.jobs.want([want()])
    assert (wanted.job_id, wanted.created, wanted.folded) == (job_id, False, True)
    job = ledger.jobs.get(job_id)
    assert job is not None
    assert (job.state, job.wanted) == (then, 2)


@pytest.mark.parametrize("state", ["done", "cancelled", "failed"])
def test_an_event_for_work_that_has_ended_makes_a_new_job(ledger: Ledger, state: str):
    old = into(ledger, state)
    (wanted,) = ledger.jobs.want([want()])
    assert wanted.created
    assert wanted.job_id != old
    assert state_of(ledger, old) == state


def test_a_fold_keeps_the_wait_of_a_job_that_waits_to_be_retried(ledger: Ledger):
    job_id = into(ledger, "retry_waiting")
    before = ledger.jobs.get(job_id)
    make(ledger)
    after = ledger.jobs.get(job_id)
    assert before and after and before.next_attempt_at == after.next_attempt_at
    assert queue_all(ledger) == []


def test_a_running_job_that_was_wanted_meanwhile_runs_once_more(ledger: Ledger):
    job = start(ledger)
    make(ledger)
    make(ledger)
    assert ledger.jobs.finish(job, DONE) == "pending"
    second = again(ledger, job.id)
    assert second.claimed == 3
    assert ledger.jobs.finish(second, DONE) == "done"
    assert len(ledger.jobs.attempts(job.id)) == 2


@pytest.mark.parametrize("outcome", ["failed", "blocked"])
def test_a_wake_up_is_not_lost_when_the_attempt_goes_wrong(ledger: Ledger, outcome: str):
    job = start(ledger)
    make(ledger)
    assert ledger.jobs.finish(job, Decision(state=outcome, cause=None)) == "pending"


@pytest.mark.parametrize(
    ("state", "then", "changed"),
    [
        ("pending", "pending", False),
        ("queued", "queued", False),
        ("running", "running", False),
        ("retry_waiting", "pending", True),
        ("blocked", "pending", True),
        ("done", "done", False),
        ("cancelled", "cancelled", False),
        ("failed", "pending", True),
    ],
)
def test_retry_by_a_person(ledger: Ledger, state: str, then: str, changed: bool):
    job_id = into(ledger, state)
    change = ledger.jobs.retry(job_id)
    assert (change.state, change.changed, change.folded_into) == (then, changed, None)
    assert state_of(ledger, job_id) == then
    assert change.note
    if then == "pending":
        assert queue_all(ledger) == [job_id]


def test_retry_of_a_failed_job_folds_into_its_open_twin_and_says_so(ledger: Ledger):
    failed = into(ledger, "failed")
    twin = into(ledger, "blocked")
    change = ledger.jobs.retry(failed)
    assert change.folded_into == twin
    assert str(twin) in change.note
    assert state_of(ledger, failed) == "failed"
    job = ledger.jobs.get(twin)
    assert job and (job.state, job.wanted) == ("pending", 2)


def test_retry_of_a_failed_job_counts_its_attempts_anew(ledger: Ledger):
    job = start(ledger)
    ledger.jobs.finish(job, Decision(state="failed", uses_attempt=True))
    assert ledger.jobs.get(job.id).retry_count == 1
    ledger.jobs.retry(job.id)
    assert ledger.jobs.get(job.id).retry_count == 0


@pytest.mark.parametrize("state", ["pending", "queued", "retry_waiting", "blocked", "failed"])
def test_cancel_ends_a_job_that_does_not_run(ledger: Ledger, state: str):
    job_id = into(ledger, state)
    change = ledger.jobs.cancel(job_id)
    assert (change.state, change.changed) == ("cancelled", True)
    job = ledger.jobs.get(job_id)
    assert job and job.state == "cancelled"
    assert job.finished_at is not None
    assert claim(ledger, job_id) is None


@pytest.mark.parametrize("state", ["done", "cancelled"])
def test_cancel_of_a_job_that_has_ended_changes_nothing(ledger: Ledger, state: str):
    job_id = into(ledger, state)
    assert ledger.jobs.cancel(job_id).changed is False
    assert state_of(ledger, job_id) == state


def test_cancel_of_a_running_job_is_a_request(ledger: Ledger):
    job = start(ledger)
    change = ledger.jobs.cancel(job.id)
    assert (change.state, change.changed) == ("running", True)
    assert ledger.jobs.renew(job).cancel_requested
    assert ledger.jobs.finish(job, Decision(state="cancelled")) == "cancelled"


def test_a_job_that_could_end_before_it_saw_the_request_is_done(ledger: Ledger):
    job = start(ledger)
    ledger.jobs.cancel(job.id)
    assert ledger.jobs.finish(job, DONE) == "done"


@pytest.mark.parametrize("outcome", ["failed", "blocked", "retry_waiting"])
def test_a_request_to_cancel_is_obeyed_at_the_end_of_the_attempt(ledger: Ledger, outcome: str):
    job = start(ledger)
    ledger.jobs.cancel(job.id)
    decision = Decision(state=outcome, delay_seconds=60, uses_attempt=outcome == "retry_waiting")
    assert ledger.jobs.finish(job, decision) == "cancelled"
    assert ledger.jobs.get(job.id).finished_at is not None


def test_a_request_to_cancel_covers_what_was_wanted_before_it_and_nothing_later(ledger: Ledger):
    job = start(ledger)
    make(ledger)
    ledger.jobs.cancel(job.id)
    make(ledger)
    assert ledger.jobs.finish(job, Decision(state="cancelled")) == "pending"
    second = again(ledger, job.id)
    assert not second.cancel_requested
    ledger.jobs.cancel(job.id)
    assert ledger.jobs.finish(second, Decision(state="cancelled")) == "cancelled"


def test_a_request_to_cancel_covers_the_events_that_came_before_it(ledger: Ledger):
    job = start(ledger)
    make(ledger)
    ledger.jobs.cancel(job.id)
    assert ledger.jobs.finish(job, Decision(state="cancelled")) == "cancelled"


def test_a_request_to_cancel_waits_until_a_doubt_is_over(ledger: Ledger):
    job = start(ledger)
    ledger.jobs.cancel(job.id)
    doubt = Decision(state="retry_waiting", delay_seconds=180, waits_for="doubt:key")
    assert ledger.jobs.finish(job, doubt) == "retry_waiting"
    let_time_come(ledger, job.id)
    assert again(ledger, job.id).cancel_requested


@pytest.mark.parametrize("state", ["retry_waiting", "blocked"])
def test_the_end_of_a_cause_sets_the_jobs_pending(ledger: Ledger, state: str):
    job = start(ledger)
    cause = "setting:odoo_db"
    waits = {"waits_for": cause, "delay_seconds": 3600} if state == "retry_waiting" else {"cause": cause}
    assert ledger.jobs.finish(job, Decision(state=state, **waits)) == state
    assert ledger.jobs.release("other", cause) == 0
    assert ledger.jobs.release("shop", cause) == 1
    assert state_of(ledger, job.id) == "pending"


def test_a_cause_mended_while_the_job_ran_does_not_block_it(ledger: Ledger):
    job = start(ledger)
    ledger.jobs.release("shop", "setting:odoo_db")
    assert ledger.jobs.finish(job, Decision(state="blocked", cause="setting:odoo_db")) == "pending"
    second = again(ledger, job.id)
    assert ledger.jobs.finish(second, Decision(state="blocked", cause="setting:odoo_db")) == "blocked"


@pytest.mark.parametrize("state", ["pending", "queued", "done", "failed", "cancelled"])
def test_the_end_of_a_cause_touches_no_other_state(ledger: Ledger, state: str):
    job_id = into(ledger, state)
    ledger.jobs.release("shop", "mapping:tax:21")
    assert state_of(ledger, job_id) == state


def test_a_lost_lease_lets_the_job_be_taken_up_again(ledger: Ledger):
    job = start(ledger)
    expire(ledger, job.id)
    assert ledger.jobs.recover_expired() == 1
    second = again(ledger, job.id)
    assert second.fence != job.fence
    assert second.attempt == 2
    assert second.retry_count == 1
    assert [attempt.outcome for attempt in ledger.jobs.attempts(job.id)] == ["lost"]


def test_the_dispatcher_takes_up_lost_jobs_by_itself(ledger: Ledger):
    job = start(ledger)
    expire(ledger, job.id)
    assert queue_all(ledger) == [job.id]


def test_a_job_that_loses_its_lease_again_waits_longer_and_fails_in_the_end(open_ledger):
    ledger = open_ledger(max_attempts=3)
    job = start(ledger)
    outcomes = []
    for _ in range(3):
        expire(ledger, job.id)
        ledger.jobs.recover_expired()
        outcomes.append(state_of(ledger, job.id))
        if outcomes[-1] == "failed":
            break
        let_time_come(ledger, job.id)
        again(ledger, job.id)
    assert outcomes == ["pending", "retry_waiting", "failed"]
    failed = ledger.jobs.get(job.id)
    assert failed.error_code == "lease_lost"
    assert failed.help


def test_a_lost_job_with_a_request_to_cancel_is_cancelled(ledger: Ledger):
    job = start(ledger)
    ledger.jobs.cancel(job.id)
    expire(ledger, job.id)
    ledger.jobs.recover_expired()
    assert state_of(ledger, job.id) == "cancelled"


def test_a_transient_error_waits_and_counts(ledger: Ledger):
    job = start(ledger)
    error = JobError(
        code="service_unavailable", message="Odoo did not answer.", help="Nothing to do.", trace="T"
    )
    decision = Decision(state="retry_waiting", delay_seconds=120, uses_attempt=True)
    assert ledger.jobs.finish(job, decision, error=error) == "retry_waiting"
    waiting = ledger.jobs.get(job.id)
    assert (waiting.retry_count, waiting.error, waiting.help) == (1, "Odoo did not answer.", "Nothing to do.")
    seconds = (waiting.next_attempt_at - ledger.now()).total_seconds()
    assert 100 < seconds <= 120
    assert queue_all(ledger) == []
    let_time_come(ledger, job.id)
    assert queue_all(ledger) == [job.id]


def test_what_is_done_shows_its_result_and_no_error(ledger: Ledger):
    job = start(ledger)
    ledger.jobs.finish(job, Decision(state="blocked"), error=JobError(code="x", message="Wrong."))
    ledger.jobs.retry(job.id)
    assert ledger.jobs.finish(again(ledger, job.id), DONE, result={"order": "S00042"}) == "done"
    done = ledger.jobs.get(job.id)
    assert (done.error, done.error_code, done.result) == (None, None, {"order": "S00042"})


def test_follow_up_work_exists_exactly_when_the_job_has_ended(ledger: Ledger):
    job = start(ledger, kind="find-order")
    assert ledger.jobs.finish(job, DONE, wants=[want("7")]) == "done"
    assert [found.entity for found in ledger.jobs.list(states=["pending"])] == ["7"]
    late = start(ledger, kind="find-order")
    expire(ledger, late.id)
    ledger.jobs.recover_expired()
    assert ledger.jobs.finish(late, DONE, wants=[want("8")]) is None
    assert ledger.jobs.list(entity="8") == []


def test_jobs_are_counted_by_state(ledger: Ledger):
    for number, state in enumerate(("done", "done", "failed", "blocked", "cancelled", "running", "pending")):
        into(ledger, state, str(number))
    expected = {"done": 2, "failed": 1, "blocked": 1, "cancelled": 1, "running": 1, "pending": 1}
    assert ledger.jobs.counts() == expected
    assert ledger.jobs.counts(instance="other") == {}
    assert "done" not in ledger.jobs.counts(ended=False)


def test_jobs_are_listed_newest_first_page_by_page(ledger: Ledger):
    ids = [make(ledger, str(number)) for number in range(7)]
    first = ledger.jobs.list(limit=4)
    second = ledger.jobs.list(limit=4, before=first[-1].id)
    assert [job.id for job in (*first, *second)] == ids[::-1]
    assert [job.entity for job in ledger.jobs.list(entity="3", kind="import-order")] == ["3"]


def test_text_that_no_database_can_keep_is_kept_without_what_is_wrong(ledger: Ledger):
    job_id = make(ledger, "a\0b\ud800", data={"name": "x\0y\ud800 \N{GRINNING FACE}"})
    job = again(ledger, job_id)
    ledger.jobs.finish(job, Decision(state="failed"), error=JobError(code="x", message="NUL \0 in \ud800 it"))
    failed = ledger.jobs.get(job_id)
    assert failed.data["name"].endswith("\N{GRINNING FACE}")
    assert "\0" not in failed.error
    assert work_off(ledger) == []
