"""Celery as bare as it comes: one task that does nothing, on a quorum queue, acknowledged early.

The worker touches a file after every so many tasks, since nothing else tells their end without costing anything.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from celery import Celery
from kombu import Exchange, Queue

BROKER_VARIABLE = "BENCH_BARE_BROKER_URL"
#: The file that is touched, and after how many tasks.
MARK_VARIABLE = "BENCH_BARE_MARK"
EVERY_VARIABLE = "BENCH_BARE_EVERY"
QUEUE = "bare"


def make_app(broker_url: str) -> Celery:
    """Return the app; its settings beyond Celery's defaults are those that the bridge has too."""
    app = Celery("bare", broker=broker_url)
    app.conf.update(
        task_queues=[
            Queue(QUEUE, Exchange(QUEUE), routing_key=QUEUE, queue_arguments={"x-queue-type": "quorum"})
        ],
        task_default_queue=QUEUE,
        task_default_exchange=QUEUE,
        task_default_routing_key=QUEUE,
        task_acks_late=False,
        task_ignore_result=True,
        worker_prefetch_multiplier=4,
        broker_connection_retry_on_startup=True,
    )
    app.task(name="bare.noop")(noop)
    return app


_calls = count(1)
_every = int(os.environ.get(EVERY_VARIABLE, "0"))


def noop(number: int) -> None:
    """Do nothing, and say so now and then."""
    done = next(_calls)
    if _every and done % _every == 0:
        Path(f"{os.environ[MARK_VARIABLE]}-{done // _every}").touch()


app = make_app(os.environ.get(BROKER_VARIABLE, "memory://"))
