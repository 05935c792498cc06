"""The dispatcher's choice: priority, fairness, limits, pauses, breakers, lost messages."""

from __future__ import annotations

from collections import Counter

import pytest

from bridge.errors import ServiceUnavailable
from bridge.ledger import JobError, Ledger
from bridge.retry import DONE, decide
from tests.support.ledger import (
    again,
    claim,
    in_threads,
    let_time_come,
    make,
    queue_all,
    start,
    state_of,
    want,
    work_off,
)

SETTINGS = {
    "base_url": "https://shop.example",
    "odoo_url": "https://odoo.example",
    "odoo_db": "shop",
    "odoo_user": "bridge@example.com",
}
BOTH = frozenset({"odoo", "magento"})


def test_a_window_of_messages_is_filled_and_no_more(ledger: Ledger):
    ids = [make(ledger, str(number)) for number in range(6)]
    sent = ledger.jobs.dispatch({"orders": 4}, limit=100)
    assert sent == [(job_id, "orders") for job_id in ids[:4]]
    assert ledger.jobs.queued() == {"orders": 4}
    assert ledger.jobs.dispatch({"orders": 0, "catalog": 5}, limit=100) == []
    assert len(ledger.jobs.dispatch({"orders": 10}, limit=1)) == 1


def test_the_urgent_go_first_then_the_old(ledger: Ledger):
    low, high, mid, high2 = (make(ledger, str(n), priority=p) for n, p in enumerate((10, 90, 50, 90)))
    assert queue_all(ledger) == [high, high2, mid, low]


def test_instances_take_turns_within_a_priority(ledger: Ledger):
    first = [make(ledger, str(n), instance="big") for n in range(5)]
    small = [make(ledger, str(n), instance="small") for n in range(2)]
    assert queue_all(ledger) == [first[0], small[0], first[1], small[1], *first[2:]]


def test_turns_go_on_from_one_choice_to_the_next(ledger: Ledger):
    for number in range(4):
        make(ledger, str(number), instance="big")
    for number in range(4):
        make(ledger, str(number), instance="small")
    served = Counter()
    for _ in range(4):
        ((job_id, _queue),) = ledger.jobs.dispatch({"orders": 1}, limit=1)
        served[ledger.jobs.get(job_id).instance] += 1
        ledger.jobs.finish(claim(ledger, job_id), DONE)
    assert served == {"big": 2, "small": 2}


def test_no_more_jobs_call_a_system_at_once_than_the_instance_allows(ledger: Ledger):
    ledger.instances.add("shop", SETTINGS | {"max_parallel_odoo": 3, "max_parallel_magento": 5}, {})
    ids = [make(ledger, str(n), systems=BOTH) for n in range(6)]
    magento_only = [
        make(ledger, f"m{n}", kind="import-stores", systems=frozenset({"magento"})) for n in range(6)
    ]
    free = make(ledger, "free", kind="noop")
    sent = queue_all(ledger)
    assert set(sent) == {*ids[:3], *magento_only[:2], free}
    assert queue_all(ledger) == []
    jobs = [claim(ledger, job_id) for job_id in ids[:3]]
    assert queue_all(ledger) == []
    ledger.jobs.finish(jobs[0], DONE)
    assert queue_all(ledger) == [ids[3]]


def test_an_instance_without_settings_has_the_default_limits(ledger: Ledger):
    for number in range(6):
        make(ledger, str(number), systems=frozenset({"odoo"}))
        make(ledger, str(number), kind="import-stores", systems=frozenset({"magento"}))
    assert len(queue_all(ledger)) == 2 + 4


@pytest.mark.parametrize(
    ("instance", "flow", "held"),
    [
        (None, None, {"a", "b", "c"}),
        ("shop", None, {"a", "b"}),
        (None, "import-order", {"a", "c"}),
        ("shop", "import-order", {"a"}),
    ],
)
def test_a_pause_holds_back_what_it_names(ledger: Ledger, instance, flow, held):
    ids = {
        "a": make(ledger, "1"),
        "b": make(ledger, "1", kind="export-stock"),
        "c": make(ledger, "1", instance="other"),
    }
    ledger.pauses.pause(instance, flow, by="anna")
    assert set(queue_all(ledger)) == {job_id for name, job_id in ids.items() if name not in held}
    (pause,) = ledger.pauses.list()
    assert (pause.instance, pause.flow, pause.by) == (instance, flow, "anna")
    assert ledger.pauses.resume(instance, flow)
    assert not ledger.pauses.resume(instance, flow)
    assert set(queue_all(ledger)) == {ids[name] for name in held}


def test_a_pause_takes_back_what_is_queued(ledger: Ledger):
    queued, running = make(ledger, "1"), start(ledger, "2")
    queue_all(ledger)
    ledger.pauses.pause("shop", "import-order", by="anna")
    assert (state_of(ledger, queued), state_of(ledger, running.id)) == ("pending", "running")
    assert claim(ledger, queued) is None
    assert ledger.jobs.finish(running, DONE) == "done"


def test_a_pause_hands_on_the_lock_that_a_queued_job_was_about_to_take(ledger: Ledger):
    queued = make(ledger, "1", kind="export-stock", lock_key="catalog")
    queue_all(ledger)
    waiting = make(ledger, "2", lock_key="catalog")
    assert queue_all(ledger) == []
    assert state_of(ledger, waiting) == "retry_waiting"
    ledger.pauses.pause("shop", "export-stock", by="anna")
    assert (state_of(ledger, queued), state_of(ledger, waiting)) == ("pending", "pending")
    assert queue_all(ledger) == [waiting]


def test_a_queued_job_whose_message_seems_lost_is_sent_again_with_growing_patience(open_ledger):
    ledger = open_ledger(message_patience_seconds=30)
    job_id = make(ledger)
    patience = []
    for _ in range(4):
        assert queue_all(ledger) == [job_id]
        assert queue_all(ledger) == []
        patience.append(round((ledger.jobs.get(job_id).next_attempt_at - ledger.now()).total_seconds()))
        let_time_come(ledger, job_id)
    assert [abs(found - wanted) <= 2 for found, wanted in zip(patience, (30, 60, 120, 240), strict=True)] == [
        True
    ] * 4
    queue_all(ledger)
    job = claim(ledger, job_id)
    make(ledger)
    ledger.jobs.finish(job, DONE)
    queue_all(ledger)
    assert (ledger.jobs.get(job_id).next_attempt_at - ledger.now()).total_seconds() < 31


def test_a_message_that_comes_twice_runs_the_job_once(ledger: Ledger):
    job_id = make(ledger)
    queue_all(ledger)
    let_time_come(ledger, job_id)
    queue_all(ledger)
    assert claim(ledger, job_id) is not None
    assert claim(ledger, job_id) is None


def test_a_crowd_behind_one_lock_does_not_hold_up_the_rest_of_its_lane(ledger: Ledger):
    crowd = [make(ledger, str(number), lock_key="catalog") for number in range(30)]
    other = make(ledger, "other", lock_key="order:7")
    sent: list[int] = []
    for _ in range(10):
        sent += [job_id for job_id, _queue in ledger.jobs.dispatch({"orders": 5}, limit=5)]
    assert sent == [crowd[0], other]
    assert len(ledger.jobs.list(states=["retry_waiting"], limit=100)) >= 25
    assert len(work_off(ledger)) == 0
    for job_id in sent:
        ledger.jobs.finish(claim(ledger, job_id), DONE)
    assert {job.id for job in work_off(ledger)} == set(crowd[1:])


def test_a_name_with_a_separator_in_it_does_not_stop_the_dispatcher(ledger: Ledger):
    odd, plain = make(ledger, "1", instance="a|b"), make(ledger, "2")
    assert set(queue_all(ledger)) == {odd, plain}


def test_two_dispatchers_never_send_the_same_job(ledger: Ledger):
    made = {make(ledger, str(number)) for number in range(60)}
    sent: list[int] = []
    while len(sent) < 60:
        for part in in_threads(*[lambda: ledger.jobs.dispatch({"orders": 7}, limit=7)] * 3):
            sent += [job_id for job_id, _queue in part]
    assert sorted(sent) == sorted(made)


def test_dispatch_and_intake_and_workers_at_once_lose_nothing(ledger: Ledger):
    def intake():
        for number in range(60):
            ledger.jobs.want([want(str(number % 20), lock_key=f"order:{number % 5}")])

    def work():
        return len(work_off(ledger))

    in_threads(intake, intake, work, work)
    work_off(ledger)
    assert set(ledger.jobs.counts()) == {"done"}
    assert sum(job.wanted for job in ledger.jobs.list(limit=200)) == 120


def test_a_breaker_opens_after_failures_in_a_row_and_holds_the_jobs_back(open_ledger):
    ledger = open_ledger(breaker_failures=3)
    queued = make(ledger, "1", systems=BOTH)
    queue_all(ledger)
    for _ in range(2):
        ledger.breakers.failure("shop", "odoo")
    ledger.breakers.success("shop", "odoo")
    for _ in range(3):
        assert ledger.breakers.allow("shop", "odoo")
        ledger.breakers.failure("shop", "odoo")
    assert not ledger.breakers.allow("shop", "odoo")
    assert ledger.breakers.allow("shop", "magento")
    assert ledger.breakers.allow("other", "odoo")
    assert state_of(ledger, queued) == "pending"
    free = make(ledger, "2", systems=frozenset({"magento"}))
    assert queue_all(ledger) == [free]
    (breaker,) = ledger.breakers.list()
    assert breaker.is_open and breaker.retry_at > ledger.now()


def test_after_a_night_of_outage_nothing_has_failed(open_ledger):
    ledger = open_ledger(breaker_failures=2, breaker_open_seconds=30)
    ids = [make(ledger, str(number), systems=frozenset({"odoo"})) for number in range(3)]
    error = JobError(code="service_unavailable", message="Odoo did not answer.", system="odoo")

    def outage(job):
        ledger.breakers.failure("shop", "odoo")
        decision = decide(ServiceUnavailable(), retry_count=job.retry_count)
        return ledger.jobs.finish(job, decision, error=error)

    for _hour in range(40):
        for job_id in queue_all(ledger):
            if (job := claim(ledger, job_id)) and ledger.breakers.allow("shop", "odoo"):
                assert outage(job) == "retry_waiting"
        ledger.database.command("UPDATE breakers SET retry_at = {later:-1.0}")
        ledger.database.command(
            "UPDATE jobs SET next_attempt_at = {later:-1.0} WHERE state = 'retry_waiting'"
        )
    states = Counter(state_of(ledger, job_id) for job_id in ids)
    assert set(states) <= {"pending", "retry_waiting"}
    assert max(ledger.jobs.get(job_id).retry_count for job_id in ids) <= 2


def test_of_an_open_breaker_one_job_may_try_and_its_success_frees_the_rest(open_ledger):
    ledger = open_ledger(breaker_failures=1)
    waiting = start(ledger, "0", systems=frozenset({"odoo"}))
    ids = [make(ledger, str(number + 1), systems=frozenset({"odoo"})) for number in range(3)]
    ledger.breakers.failure("shop", "odoo")
    error = JobError(code="x", message="No answer.", system="odoo")
    ledger.jobs.finish(waiting, decide(ServiceUnavailable(), retry_count=11), error=error)
    assert ledger.jobs.get(waiting.id).waits_for == "breaker:shop:odoo"
    assert queue_all(ledger) == []
    ledger.database.command("UPDATE breakers SET retry_at = {later:-1.0}")
    assert queue_all(ledger) == [ids[0]]
    assert queue_all(ledger) == []
    trying = claim(ledger, ids[0])
    assert in_threads(*[lambda: ledger.breakers.allow("shop", "odoo")] * 4).count(True) == 1
    ledger.breakers.success("shop", "odoo")
    ledger.jobs.finish(trying, DONE)
    assert state_of(ledger, waiting.id) == "pending"
    assert len(queue_all(ledger)) == 2


def test_a_breaker_that_stays_broken_waits_twice_as_long(open_ledger):
    ledger = open_ledger(breaker_failures=1, breaker_open_seconds=30, breaker_max_seconds=100)
    waits = []
    for _ in range(4):
        ledger.breakers.failure("shop", "odoo")
        # A job that had begun before says nothing new.
        ledger.breakers.failure("shop", "odoo")
        (breaker,) = ledger.breakers.list()
        waits.append(round((breaker.retry_at - ledger.now()).total_seconds()))
        ledger.database.command("UPDATE breakers SET retry_at = {later:-1.0}")
        assert ledger.breakers.allow("shop", "odoo")
    assert [abs(found - wanted) <= 2 for found, wanted in zip(waits, (30, 60, 100, 100), strict=True)] == [
        True
    ] * 4


def test_a_job_that_waited_runs_again_when_its_time_has_come(ledger: Ledger):
    job = start(ledger)
    ledger.jobs.finish(job, decide(ServiceUnavailable(), retry_count=0))
    assert queue_all(ledger) == []
    let_time_come(ledger, job.id)
    assert again(ledger, job.id).attempt == 2
