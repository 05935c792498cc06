"""Settings of the Celery processes, put together from the bridge's own names and settings.

``celery -A consumers.app worker`` reads this file, as ``bridge worker`` does. Retries, acknowledgement and locks
are the ledger's; Celery only carries wake-ups and runs the code.
"""

from __future__ import annotations

import sys

from kombu import Exchange, Queue
from pydantic import ValidationError

from bridge.bootstrap import refuse_embedded
from bridge.errors import ConfigurationError
from bridge.settings import Settings, process_settings
from bridge.topology import TASK_QUEUES, TASKS_EXCHANGE


def _settings() -> Settings:
    """Return this process's settings, or end it: nothing runs silently on a throwaway ledger."""
    try:
        found = process_settings()
        refuse_embedded(found, what="A Celery process")
    except ConfigurationError as exc:
        sys.stderr.write(f"Error: {exc.message}\n")
    except ValidationError as exc:
        names = ", ".join(f"BRIDGE_{str(one['loc'][0]).upper()}" for one in exc.errors() if one["loc"])
        sys.stderr.write(f"Error: These settings cannot be used: {names}.\n")
    else:
        return found
    raise SystemExit(2)


_found = _settings()
_exchange = Exchange(TASKS_EXCHANGE, type="topic", durable=True)

broker_url = _found.broker_url
broker_connection_retry_on_startup = True
broker_heartbeat = 30
broker_connection_timeout = 5

task_queues = [
    Queue(name, _exchange, routing_key=name, queue_arguments={"x-queue-type": "quorum"})
    for name in TASK_QUEUES
]
task_default_queue = "upkeep"
task_default_exchange = TASKS_EXCHANGE
task_default_exchange_type = "topic"
task_default_routing_key = "upkeep"
task_create_missing_queues = False
# A started job is recovered by its lease, a lost message by the dispatcher: no late acknowledgement, no results.
task_acks_late = False
task_ignore_result = True
task_store_errors_even_if_ignored = False
task_serializer = "json"
accept_content = ["json"]
result_backend = None

# Jobs wait on HTTP: threads. Their time limits are the total deadlines of every call.
worker_pool = "threads"
worker_concurrency = _found.worker_threads
worker_prefetch_multiplier = 4
worker_consumer = "consumers.worker:TaskConsumer"
worker_hijack_root_logger = False
worker_redirect_stdouts = False
worker_cancel_long_running_tasks_on_connection_loss = False
worker_enable_remote_control = True
# Flower switches these on while somebody looks.
worker_send_task_events = False
task_send_sent_event = False

beat_scheduler = "consumers.beat:LedgerScheduler"
beat_max_loop_interval = 5
enable_utc = True
timezone = "UTC"
