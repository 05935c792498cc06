"""Names of exchanges, queues and routing keys: the one place where they are written."""

from __future__ import annotations

#: Topic exchange that every publisher of change events publishes to.
EVENTS_EXCHANGE = "bridge.events"
#: Quorum queue that intake consumes.
INTAKE_QUEUE = "bridge.intake"
#: Topic exchange and quorum queue for what the broker gives up.
DEAD_EXCHANGE = "bridge.dead"
DEAD_QUEUE = "bridge.dead"
#: Topic exchange of the Celery task messages; only the dispatcher publishes to it.
TASKS_EXCHANGE = "bridge.tasks"
#: Celery queues, named for the kind of work.
TASK_QUEUES = ("orders", "catalog", "inventory", "fulfilment", "finance", "upkeep")
#: The one task of the task queues: it takes a job id and nothing else.
RUN_JOB_TASK = "consumers.tasks.run_job"
#: Content type of event messages.
EVENT_CONTENT_TYPE = "application/cloudevents+json"
