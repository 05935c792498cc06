"""Attempts that end at the same time are written in one transaction, and each as if it had been written alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bridge.ledger import Job, JobId, Ledger
from bridge.ledger.finishing import Done, End
from bridge.ledger.together import Together
from bridge.retry import DONE, Decision
from tests.support.ledger import (
    again,
    claim,
    exchange,
    expire,
    in_threads,
    make,
    queue_all,
    start,
    state_of,
    want,
)


def done(job: Job, **end: Any) -> Done:
    return Done(job=job, end=End(decision=DONE, error=None, **{"result": None, **end}))


def test_each_of_several_ends_as_if_it_were_alone(ledger: Ledger):
    jobs = [start(ledger, str(number)) for number in range(3)]
    # Something came for the second while it ran.
    make(ledger, "1")
    first, second, third = jobs
    states = ledger.jobs.finish_done(
        [done(first, result={"sale_order_id": 7}, label="000000007"), done(second), done(third)]
    )
    assert states == ["done", "pending", "done"]
    read = [ledger.jobs.get(job.id) for job in jobs]
    assert [job and job.state for job in read] == states
    assert read[0] is not None
    assert (read[0].result, read[0].label, read[0].fence) == ({"sale_order_id": 7}, "000000007", None)
    assert [job is not None and job.finished_at is not None for job in read] == [True, False, True]
    for job in jobs:
        (attempt,) = ledger.jobs.attempts(job.id)
        assert (attempt.number, attempt.outcome, attempt.worker) == (1, "done", "test")
        assert attempt.started_at == job.started_at
    again(ledger, second.id)


def test_one_that_lost_its_lease_writes_nothing_and_the_others_do(ledger: Ledger):
    lost, kept = start(ledger, "1"), start(ledger, "2")
    expire(ledger, lost.id)
    taken_up = again(ledger, lost.id)
    rows = [
        Done(job=lost, end=End(decision=DONE, error=None, result={"by": "the zombie"}), exchanges=()),
        done(kept),
    ]
    assert ledger.jobs.finish_done(rows) == [None, "done"]
    job = ledger.jobs.get(lost.id)
    assert job is not None
    assert (job.state, job.fence, job.result) == ("running", taken_up.fence, None)
    assert [attempt.outcome for attempt in ledger.jobs.attempts(lost.id)] == ["lost"]


def test_all_that_wait_for_one_of_them_go_on(ledger: Ledger):
    holders = [start(ledger, str(number), lock_key=f"order:{number}") for number in range(2)]
    waiting = [
        make(ledger, str(number), kind="export-shipment", lock_key=f"order:{number}") for number in range(2)
    ]
    for_end = start(ledger, "9")
    ledger.jobs.finish(for_end, Decision(state="retry_waiting", waits_for=f"job:{holders[1].id}"))
    assert queue_all(ledger) == []
    assert {state_of(ledger, job_id) for job_id in waiting} == {"retry_waiting"}
    assert ledger.jobs.finish_done([done(job) for job in holders]) == ["done", "done"]
    assert {state_of(ledger, job_id) for job_id in (*waiting, for_end.id)} == {"pending"}


def test_a_request_to_cancel_comes_too_late_for_what_is_done(ledger: Ledger):
    job, other = start(ledger, "1"), start(ledger, "2")
    ledger.jobs.cancel(job.id)
    assert ledger.jobs.finish_done([done(job), done(other)]) == ["done", "done"]
    read = ledger.jobs.get(job.id)
    assert read is not None
    assert not read.cancel_requested


def test_what_ends_at_the_same_time_is_written_together_with_its_exchanges(ledger: Ledger, monkeypatch):
    jobs = [start(ledger, str(number)) for number in range(6)]
    sizes: list[int] = []
    write = ledger.jobs.finish_done
    writing, go_on = threading.Event(), threading.Event()

    def slow_write(dones: Any) -> Any:
        sizes.append(len(dones))
        if len(sizes) == 1:
            writing.set()
            assert go_on.wait(20)
        return write(dones)

    together: Together[Done, str | None] = Together(slow_write, most=50)
    monkeypatch.setattr(ledger.jobs, "_ends", together)

    def end(job: Job) -> Callable[[], str | None]:
        return lambda: ledger.jobs.finish(job, DONE, exchanges=[exchange(), exchange()])

    first = threading.Thread(target=end(jobs[0]))
    first.start()
    assert writing.wait(20)
    # The others come while the first one writes, which ends when all of them wait.
    waiter = threading.Thread(target=lambda: (_until(lambda: len(together._waiting) == 5), go_on.set()))
    waiter.start()
    assert in_threads(*(end(job) for job in jobs[1:])) == ["done"] * 5
    for thread in (first, waiter):
        thread.join(20)
    assert sizes == [1, 5]
    for job in jobs:
        assert state_of(ledger, job.id) == "done"
        assert len(ledger.exchanges.list(job_id=job.id)) == 2


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        threading.Event().wait(0.001)


@pytest.mark.parametrize("threads", [1, 8])
def test_many_jobs_end_from_many_threads_while_events_fold_into_them(ledger: Ledger, threads: int):
    ids = [make(ledger, str(number), lock_key=f"order:{number % 7}") for number in range(60)]
    left = list(ids)
    guard = threading.Lock()

    def take() -> JobId | None:
        with guard:
            return left.pop() if left else None

    def run_all() -> None:
        for _round in range(200):
            queued = queue_all(ledger)
            for job_id in queued:
                job = claim(ledger, job_id)
                if job is not None:
                    ledger.jobs.finish(job, DONE)
            if not queued and not _open(ledger, ids):
                return

    def fold() -> None:
        while (job_id := take()) is not None:
            job = ledger.jobs.get(job_id)
            assert job is not None
            ledger.jobs.want([want(job.entity, lock_key=f"order:{int(job.entity) % 7}") for _ in range(2)])

    in_threads(*[run_all] * threads, fold)
    run_all()
    open_now = _open(ledger, ids)
    assert not open_now, [ledger.jobs.get(job_id) for job_id in open_now]


def _open(ledger: Ledger, ids: list[JobId]) -> list[JobId]:
    return [job_id for job_id in ids if state_of(ledger, job_id) not in {"done", "failed", "cancelled"}]


class Refused(Exception):
    pass


def test_one_bad_item_does_not_fail_those_that_came_with_it():
    batches: list[list[int]] = []
    writing, go_on = threading.Event(), threading.Event()

    def write(items: Any) -> list[int]:
        batches.append(list(items))
        if len(batches) == 1:
            writing.set()
            assert go_on.wait(20)
        if 13 in items:
            raise Refused
        return [10 * item for item in items]

    together: Together[int, int] = Together(write, most=50)
    first = threading.Thread(target=lambda: together.write(1))
    first.start()
    assert writing.wait(20)
    results: dict[int, object] = {}

    def bring(item: int) -> None:
        try:
            results[item] = together.write(item)
        except Refused as exc:
            results[item] = exc

    threads = [threading.Thread(target=bring, args=(item,)) for item in (2, 13, 4)]
    for thread in threads:
        thread.start()
    _until(lambda: len(together._waiting) == 3)
    go_on.set()
    for thread in (first, *threads):
        thread.join(20)
    assert (results[2], results[4]) == (20, 40)
    assert isinstance(results[13], Refused)
    assert sorted(batches[1]) == [2, 4, 13]
    # Nothing is left behind: the next one writes at once.
    assert together.write(5) == 50


def test_no_more_than_the_most_go_into_one_batch():
    sizes: list[int] = []
    writing, go_on = threading.Event(), threading.Event()

    def write(items: Any) -> list[int]:
        sizes.append(len(items))
        if len(sizes) == 1:
            writing.set()
            assert go_on.wait(20)
        return list(items)

    together: Together[int, int] = Together(write, most=2)
    threads = [threading.Thread(target=together.write, args=(item,)) for item in range(6)]
    threads[0].start()
    assert writing.wait(20)
    for thread in threads[1:]:
        thread.start()
    _until(lambda: len(together._waiting) == 5)
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert sizes == [1, 2, 2, 1]
