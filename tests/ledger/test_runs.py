"""Runs: pages, cursors, progress, cancel, going on after a loss."""

from __future__ import annotations

import pytest

from bridge.errors import DependencyNotReady, JobCancelled, LeaseLost, StaleEvent
from bridge.ledger import Job, Ledger, Lengths, Run
from bridge.ledger.runs import Runs
from bridge.retry import DONE, Decision, decide
from tests.support.ledger import again, claim, expire, in_threads, into, queue_all, state_of, want

PAGES = [["1", "2", "3"], ["4", "5", "6"], ["7"]]


def started(ledger: Ledger) -> tuple[Run, Job]:
    run = ledger.runs.start("shop", "import-orders", {"since": "2026-01-01"})
    return run, again(ledger, run.planner_job_id)


def plan_page(ledger: Ledger, run: Run, job: Job) -> Run:
    """Do what a planner does: one page from where the cursor stands."""
    number = (ledger.runs.get(run.id).cursor or {"page": 0})["page"]
    is_last = number == len(PAGES) - 1
    cursor = None if is_last else {"page": number + 1}
    return ledger.runs.page(job, run.id, cursor=cursor, wants=[want(one) for one in PAGES[number]], seen=3)


def test_a_run_plans_page_by_page_and_ends_with_its_jobs(ledger: Ledger):
    run, job = started(ledger)
    assert (run.state, run.cursor, job.data) == ("planning", None, {"since": "2026-01-01"})
    assert ledger.runs.of_planner(job).id == run.id
    for page in range(3):
        planned = plan_page(ledger, run, job)
        assert planned.planned == sum(len(entities) for entities in PAGES[: page + 1])
        state = ledger.jobs.finish(job, DONE)
        assert state == ("done" if page == 2 else "pending")
        if page < 2:
            job = again(ledger, job.id)
    assert planned.state == "working"
    progress = ledger.runs.progress(run.id)
    assert (progress.open, progress.run.state, progress.run.seen) == (7, "working", 9)
    queue_all(ledger)
    for child in ledger.jobs.list(run_id=run.id):
        ledger.jobs.finish(claim(ledger, child.id), DONE)
    progress = ledger.runs.progress(run.id)
    assert (progress.jobs, progress.run.state) == ({"done": 7}, "done")
    assert progress.run.finished_at is not None


def test_a_planner_that_is_lost_between_page_and_end_goes_on_at_the_cursor(ledger: Ledger):
    run, job = started(ledger)
    plan_page(ledger, run, job)
    expire(ledger, job.id)
    ledger.jobs.recover_expired()
    job = again(ledger, job.id)
    assert ledger.runs.get(run.id).cursor == {"page": 1}
    plan_page(ledger, run, job)
    assert sorted(child.entity for child in ledger.jobs.list(run_id=run.id)) == ["1", "2", "3", "4", "5", "6"]


def test_a_planner_that_lost_its_lease_writes_no_page(ledger: Ledger):
    run, old = started(ledger)
    expire(ledger, old.id)
    ledger.jobs.recover_expired()
    new = again(ledger, old.id)
    with pytest.raises(LeaseLost):
        plan_page(ledger, run, old)
    assert ledger.jobs.list(run_id=run.id) == []
    assert plan_page(ledger, run, new).planned == 3


def test_cancel_stops_planning_and_leaves_the_jobs(ledger: Ledger):
    run, job = started(ledger)
    plan_page(ledger, run, job)
    ledger.jobs.finish(job, DONE)
    assert ledger.runs.cancel(run.id).state == "cancelled"
    assert state_of(ledger, job.id) == "cancelled"
    assert ledger.runs.progress(run.id).jobs == {"pending": 3}


def test_cancel_of_a_run_that_plans_right_now_stops_it_at_the_page(ledger: Ledger):
    run, job = started(ledger)
    ledger.runs.cancel(run.id)
    with pytest.raises(JobCancelled):
        plan_page(ledger, run, job)
    assert ledger.jobs.list(run_id=run.id) == []
    assert ledger.jobs.finish(job, Decision(state="cancelled")) == "cancelled"


def test_cancel_and_page_at_once_leave_no_planner_behind(ledger: Ledger):
    for _ in range(8):
        run, job = started(ledger)

        def page(run=run, job=job):
            try:
                return plan_page(ledger, run, job)
            except JobCancelled:
                return None

        planned, _run = in_threads(page, lambda run=run: ledger.runs.cancel(run.id))
        ledger.jobs.finish(job, DONE if planned else Decision(state="cancelled"))
        if state_of(ledger, job.id) == "pending":
            job = again(ledger, job.id)
            with pytest.raises(JobCancelled):
                plan_page(ledger, run, job)
            ledger.jobs.finish(job, Decision(state="cancelled"))
        assert state_of(ledger, job.id) in {"cancelled", "done"}


def test_the_same_run_started_twice_is_one(ledger: Ledger):
    first = ledger.runs.start("shop", "import-orders", {"b": 1, "a": 2})
    assert ledger.runs.start("shop", "import-orders", {"a": 2, "b": 1}).id == first.id
    assert ledger.runs.start("shop", "import-orders", {}).id != first.id
    assert ledger.runs.start("other", "import-orders", {"b": 1, "a": 2}).id != first.id
    assert len(ledger.runs.list()) == 3
    assert len(ledger.runs.list(instance="other")) == 1


def test_a_page_folds_into_jobs_that_are_open_already(ledger: Ledger):
    waiting = into(ledger, "retry_waiting", "2")
    run, job = started(ledger)
    page = plan_page(ledger, run, job)
    assert (page.planned, page.folded) == (2, 1)
    assert ledger.jobs.get(waiting).run_id == run.id
    assert ledger.runs.progress(run.id).jobs == {"pending": 2, "retry_waiting": 1}


def test_the_newest_run_counts_an_open_job_as_its_own(ledger: Ledger):
    first, job = started(ledger)
    plan_page(ledger, first, job)
    ledger.jobs.finish(job, DONE)
    ledger.runs.cancel(first.id)
    second, job = started(ledger)
    page = plan_page(ledger, second, job)
    assert (page.planned, page.folded) == (0, 3)
    assert ledger.runs.progress(second.id).open == 3
    assert ledger.runs.progress(first.id).jobs == {}


def test_a_run_without_jobs_is_done(ledger: Ledger):
    run, job = started(ledger)
    ledger.runs.page(job, run.id, cursor=None, wants=[], seen=0)
    ledger.jobs.finish(job, DONE)
    assert ledger.runs.progress(run.id).run.state == "done"


def test_a_planner_pauses_while_many_of_its_jobs_are_moving(ledger: Ledger):
    lengths = Lengths(run_most_moving=3, run_pause_seconds=7.0)
    runs = Runs(ledger.database, lengths=lengths)
    run, job = started(ledger)
    assert runs.of_planner(job).id == run.id
    plan_page(ledger, run, job)
    ledger.jobs.finish(job, DONE)
    job = again(ledger, job.id)
    with pytest.raises(DependencyNotReady) as crowded:
        runs.of_planner(job)
    decision = decide(crowded.value, retry_count=0)
    assert (decision.state, decision.delay_seconds, decision.uses_attempt) == ("retry_waiting", 7.0, False)
    assert ledger.jobs.finish(job, decision) == "retry_waiting"
    waiting = ledger.jobs.get(job.id)
    assert (waiting.waits_for, waiting.retry_count) == (f"run:{run.id}", 0)
    # One that waits for a person would hold the planner up for ever: it does not count.
    first, *_ = ledger.jobs.list(run_id=run.id)
    queue_all(ledger)
    ledger.jobs.finish(claim(ledger, first.id), Decision(state="blocked"))
    assert runs.of_planner(job).id == run.id


def test_cancel_stops_a_planner_that_pauses(ledger: Ledger):
    run, job = started(ledger)
    plan_page(ledger, run, job)
    ledger.jobs.finish(job, DONE)
    job = again(ledger, job.id)
    ledger.jobs.finish(job, Decision(state="retry_waiting", delay_seconds=7.0, waits_for=f"run:{run.id}"))
    assert ledger.runs.cancel(run.id).state == "cancelled"
    assert state_of(ledger, job.id) == "cancelled"
    assert len(ledger.jobs.list(run_id=run.id)) == 3


def test_the_same_run_started_during_its_last_page_is_no_failure(ledger: Ledger):
    run, job = started(ledger)
    for _ in PAGES[:-1]:
        plan_page(ledger, run, job)
        ledger.jobs.finish(job, DONE)
        job = again(ledger, job.id)
    # The clock wants it while it runs: it folds into the planner, which then runs once more.
    assert ledger.runs.start("shop", "import-orders", run.args).id == run.id
    plan_page(ledger, run, job)
    assert ledger.jobs.finish(job, DONE) == "pending"
    job = again(ledger, job.id)
    with pytest.raises(StaleEvent) as stale:
        ledger.runs.of_planner(job)
    assert decide(stale.value, retry_count=0) == DONE
