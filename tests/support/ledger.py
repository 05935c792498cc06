"""Ledgers for tests, and short ways to bring jobs into the state that a test begins with."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from bridge.ledger import Job, JobId, Ledger, Lengths, Want
from bridge.retry import DONE, Decision
from bridge.wire import Exchange, uuid7

#: The secret key of test ledgers.
TEST_KEY = "a-key-for-tests-only-0123456789"
#: Lengths that never run out by themselves in a test.
CALM = Lengths()


def want(entity: str = "42", **changes: Any) -> Want:
    """Return a want of an order's import, changed as said."""
    fields: dict[str, Any] = {"instance": "shop", "kind": "import-order", "entity": entity, "queue": "orders"}
    return Want(**(fields | changes))


def make(ledger: Ledger, entity: str = "42", **changes: Any) -> JobId:
    """Make one job and return its id."""
    return ledger.jobs.want([want(entity, **changes)])[0].job_id


def queue_all(ledger: Ledger, *, room: int = 1000) -> list[JobId]:
    """Dispatch whatever may be dispatched, and return it in order."""
    queues = ("orders", "catalog", "inventory", "fulfilment", "finance", "upkeep")
    return [job_id for job_id, _queue in ledger.jobs.dispatch(dict.fromkeys(queues, room), limit=room)]


def start(ledger: Ledger, entity: str = "42", *, max_runtime_seconds: float = 60, **changes: Any) -> Job:
    """Make a job, dispatch and claim it."""
    job_id = make(ledger, entity, **changes)
    queue_all(ledger)
    job = ledger.jobs.claim(job_id, worker="test", max_runtime_seconds=max_runtime_seconds)
    assert job is not None, ledger.jobs.get(job_id)
    return job


def claim(ledger: Ledger, job_id: JobId, *, worker: str = "test") -> Job | None:
    """Claim a job that is queued."""
    return ledger.jobs.claim(job_id, worker=worker, max_runtime_seconds=60)


def again(ledger: Ledger, job_id: JobId) -> Job:
    """Dispatch and claim a job that exists."""
    queue_all(ledger)
    job = claim(ledger, job_id)
    assert job is not None, ledger.jobs.get(job_id)
    return job


def into(ledger: Ledger, state: str, entity: str = "42", **changes: Any) -> JobId:
    """Make a job and bring it into ``state``."""
    if state in {"pending", "queued"}:
        job_id = make(ledger, entity, **changes)
        if state == "queued":
            assert job_id in queue_all(ledger)
        return job_id
    job = start(ledger, entity, **changes)
    if state == "running":
        return job.id
    decisions = {
        "retry_waiting": Decision(state="retry_waiting", delay_seconds=3600, uses_attempt=True),
        "blocked": Decision(state="blocked", cause="mapping:tax:21"),
        "failed": Decision(state="failed"),
        "cancelled": Decision(state="cancelled"),
        "done": DONE,
    }
    assert ledger.jobs.finish(job, decisions[state]) == state
    return job.id


def state_of(ledger: Ledger, job_id: JobId) -> str:
    """Return a job's state."""
    job = ledger.jobs.get(job_id)
    assert job is not None
    return job.state


def expire(ledger: Ledger, job_id: JobId) -> None:
    """Let a running job's lease be over, as if its worker had died a while ago."""
    ledger.database.command("UPDATE jobs SET lease_until = {later:-1.0} WHERE id = :id", id=job_id)


def let_time_come(ledger: Ledger, job_id: JobId) -> None:
    """Let the time come that a job waits for."""
    ledger.database.command("UPDATE jobs SET next_attempt_at = {later:-1.0} WHERE id = :id", id=job_id)


def exchange(**changes: Any) -> Exchange:
    """Return an exchange, changed as said."""
    fields: dict[str, Any] = {
        "id": uuid7(datetime.now(UTC)),
        "system": "magento",
        "method": "GET",
        "url": "https://shop.example/rest/all/V1/orders/42",
        "request_headers": {"accept": "application/json"},
        "request_body": b"",
        "status": 200,
        "response_headers": {"content-type": "application/json"},
        "response_body": b'{"entity_id": 42}',
        "error": None,
        "started_at": datetime.now(UTC),
        "duration_ms": 12,
    }
    return Exchange(**(fields | changes))


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    """Run ``works`` at the same time and return their results; an error of one is raised here."""
    barrier = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)
    errors: list[BaseException] = []

    def run(index: int, work: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=20)
            results[index] = work()
        except BaseException as exc:
            errors.append(exc)

    threads = [
        threading.Thread(target=run, args=pair, name=f"race-{uuid.uuid4().hex[:6]}")
        for pair in enumerate(works)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if errors:
        raise errors[0]
    return results


def wait_until(condition: Callable[[], Any], *, seconds: float = 20.0) -> Any:
    """Wait until ``condition`` is true and return what it answered."""
    until = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < until, "the condition never came true"
        time.sleep(0.01)
    return answer


def work_off(ledger: Ledger, *, decide: Callable[[Job], Decision] = lambda _job: DONE) -> Sequence[Job]:
    """Run every job that is due, one after the other, until none is."""
    done: list[Job] = []
    while ids := queue_all(ledger):
        for job_id in ids:
            if (job := claim(ledger, job_id)) is not None:
                done.append(job)
                ledger.jobs.finish(job, decide(job))
    return done


#: What undoes each migration, newest first; data of before stay as they are.
_UNDO = {
    "0008": tuple(
        f"DROP INDEX {one}" for one in ("bindings_number", "stock_lines_product", "drift_lines_product")
    ),
    "0007": ("DROP TABLE stock_parts",),
    "0006": ("DROP INDEX bindings_label", "DROP TABLE drift_lines", "DROP TABLE drift_summaries"),
    "0005": ("DROP TABLE stock_lines", "DROP TABLE stock_figures", "DROP TABLE stock_safety"),
    "0004": ("DROP TABLE conflicts",),
    "0003": ("DROP TABLE stores",),
    "0002": ("ALTER TABLE instances DROP COLUMN anchored_for",),
}


def go_back(ledger: Ledger, version: str) -> None:
    """Make a ledger what it was at an earlier version of its schema."""
    for one, statements in _UNDO.items():
        if one > version:
            for statement in statements:
                ledger.database.command(statement)
    ledger.database.command("UPDATE ledger_version SET version_num = :version", version=version)
