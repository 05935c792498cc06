"""The one task: run the job with this id. A message holds nothing else, so Flower and the broker show no data."""

from __future__ import annotations

import structlog
from celery import Task

from bridge.engine import Runtime, run_job
from bridge.errors import BridgeError
from bridge.ledger import JobId
from bridge.topology import RUN_JOB_TASK

log = structlog.get_logger()


class RunJob(Task[[int], None]):
    """Runs one job, if it may run now. Never fails as a task: what became of the job is in the ledger."""

    name = RUN_JOB_TASK
    ignore_result = True
    acks_late = False
    max_retries = 0
    typing = False
    #: Set by the worker before its first task.
    runtime: Runtime | None = None

    def run(self, job_id: int) -> None:
        """Run job ``job_id``."""
        if self.runtime is None:
            log.error("task_without_runtime", job_id=job_id)
            return
        run_quietly(self.runtime, JobId(job_id))


def run_quietly(runtime: Runtime, job_id: JobId) -> None:
    """Run a job and log what stopped it, if the ledger could not even be told.

    Its message is then lost, or its lease runs out, and the dispatcher takes it up again.
    """
    try:
        run_job(runtime, job_id)
    except BridgeError as exc:
        log.warning("job_not_run", job_id=job_id, code=exc.code)
    except Exception:
        log.exception("job_not_run", job_id=job_id, code="defect")
