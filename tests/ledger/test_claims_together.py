"""Jobs that are claimed at the same time are claimed in one statement, and each as if it had been claimed alone."""

from __future__ import annotations

import threading

import pytest

from bridge.ledger import JobId, Ledger
from bridge.ledger.claims import Claim
from bridge.ledger.database import Conflict
from bridge.retry import DONE
from tests.support.ledger import again, claim, in_threads, make, queue_all, start, state_of


def claim_of(job_id: JobId, *, worker: str = "test") -> Claim:
    return Claim(job_id=job_id, worker=worker, max_runtime_seconds=300.0)


def test_each_of_several_is_claimed_as_if_it_were_alone(ledger: Ledger):
    ids = [make(ledger, str(number)) for number in range(3)]
    ended = start(ledger, "ended")
    ledger.jobs.finish(ended, DONE)
    queue_all(ledger)
    asked = [claim_of(job_id, worker=f"worker-{job_id}") for job_id in (*ids, ended.id)]
    taken = ledger.jobs.claim_at_once(asked)
    assert [job and job.id for job in taken] == [*ids, None]
    for one, job in zip(asked, taken[:3], strict=False):
        assert job is not None
        assert (job.fence, job.worker, job.state, job.attempt) == (one.fence, one.worker, "running", 1)
        assert job.started_at is not None
        assert ledger.jobs.renew(job).ok
        # Nothing came meanwhile: it does not run again.
        assert ledger.jobs.finish(job, DONE) == "done"


def test_of_two_messages_for_one_job_one_claims_it(ledger: Ledger):
    job_id, other = make(ledger, "1"), make(ledger, "2")
    queue_all(ledger)
    taken = ledger.jobs.claim_at_once([claim_of(job_id), claim_of(job_id), claim_of(other)])
    assert sorted(job.id for job in taken if job) == [job_id, other]


def test_a_lock_that_is_held_stops_its_own_job_only(ledger: Ledger):
    holder, free = make(ledger, "1", lock_key="order:1"), make(ledger, "2")
    second = make(ledger, "1", kind="export-shipment")
    queue_all(ledger)
    held = claim(ledger, holder)
    assert held is not None
    # The message of one that has got the same lock since.
    with ledger.database.read() as session:
        session.run("UPDATE jobs SET lock_key = :key WHERE id = :id", key=held.lock_key, id=second)
    with pytest.raises(Conflict):
        ledger.jobs.claim_at_once([claim_of(second), claim_of(free)])
    assert state_of(ledger, free) == "queued"
    assert [
        job and job.id for job in in_threads(*(lambda one=one: claim(ledger, one) for one in (second, free)))
    ] == [
        None,
        free,
    ]
    assert state_of(ledger, second) == "retry_waiting"
    assert ledger.jobs.finish(held, DONE) == "done"
    again(ledger, second)


@pytest.mark.parametrize("threads", [8])
def test_many_claims_from_many_threads_give_each_job_to_one(ledger: Ledger, threads: int):
    ids = [make(ledger, str(number)) for number in range(80)]
    queue_all(ledger)
    guard, messages, taken = threading.Lock(), [*ids, *ids], []

    def work() -> None:
        while True:
            with guard:
                if not messages:
                    return
                job_id = messages.pop(0)
            job = claim(ledger, job_id)
            if job is not None:
                taken.append(job.id)

    in_threads(*[work] * threads)
    assert sorted(taken) == sorted(ids)
