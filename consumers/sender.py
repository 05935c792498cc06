"""Publishes task messages for Celery workers: a job id each, by kombu, without confirms."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import uuid
from collections.abc import Sequence
from typing import Any

import structlog
from celery import Celery
from kombu import Connection

from bridge.ledger import JobId
from bridge.topology import RUN_JOB_TASK, TASKS_EXCHANGE
from consumers.dispatcher import SendFailed

log = structlog.get_logger()

#: The longest wait for the broker to take bytes, or to accept the connection.
LIMIT_SECONDS = 5.0
_HEARTBEAT_SECONDS = 30
#: How often the connection is looked after between messages.
_SERVICE_SECONDS = 1.0


class TaskSender:
    """Sends over one connection, for one thread; opened when needed, opened again when it broke."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection: Any = None
        self._channel: Any = None
        # All messages are alike but for the ids, and making one in Celery's full way costs as much as
        # dispatching it: its headers and the end of its body are made once. To a worker a header that is null is one
        # that is missing (most are), and each is written, sent and read for every message.
        like = app.amqp.as_task_v2("", RUN_JOB_TASK, args=(), kwargs={}, ignore_result=True)
        self._headers = {name: value for name, value in like.headers.items() if value is not None}
        self._embed = json.dumps(like.body[2])
        self._serviced_at = 0.0

    def ready(self) -> bool:
        """Return whether messages can be sent now; connects if need be.

        Raises:
            SendFailed: the broker cannot be reached.
        """
        try:
            if self._connection is None:
                self._connect()
            elif time.monotonic() - self._serviced_at >= _SERVICE_SECONDS:
                self._service()
        except self._foreign_errors() as exc:
            self.close()
            raise SendFailed(type(exc).__name__) from exc
        return True

    def send(self, picked: Sequence[tuple[JobId, str]]) -> None:
        """Publish a message for each (job, queue).

        Raises:
            SendFailed: the connection broke; the ledger sends the lost ones again.
        """
        try:
            for job_id, queue in picked:
                self._publish(job_id, queue)
        except self._foreign_errors() as exc:
            self.close()
            raise SendFailed(type(exc).__name__) from exc

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.release()

    def _publish(self, job_id: JobId, queue: str) -> None:
        task_id = str(uuid.uuid4())
        headers = {**self._headers, "id": task_id, "root_id": task_id, "argsrepr": f"({job_id},)"}
        message = self._channel.prepare_message(
            f"[[{job_id}], {{}}, {self._embed}]".encode(),
            content_type="application/json",
            content_encoding="utf-8",
            headers=headers,
            properties={"delivery_mode": 2, "correlation_id": task_id},
        )
        self._channel.basic_publish(message, exchange=TASKS_EXCHANGE, routing_key=queue)

    def _connect(self) -> None:
        connection = Connection(
            self._app.conf.broker_url,
            connect_timeout=LIMIT_SECONDS,
            heartbeat=_HEARTBEAT_SECONDS,
            transport_options={"read_timeout": LIMIT_SECONDS, "write_timeout": LIMIT_SECONDS},
        )
        connection.connect()
        self._connection = connection
        self._channel = connection.channel()
        self._serviced_at = time.monotonic()

    def _service(self) -> None:
        """Read what the broker sent (a closed connection, heartbeats) and keep the heartbeat going."""
        self._serviced_at = time.monotonic()
        with contextlib.suppress(TimeoutError, socket.timeout):
            self._connection.drain_events(timeout=0.001)
        self._connection.heartbeat_check()

    def _foreign_errors(self) -> tuple[type[BaseException], ...]:
        if self._connection is None:
            probe = Connection(self._app.conf.broker_url)
            return (*probe.connection_errors, *probe.channel_errors, OSError)
        return (*self._connection.connection_errors, *self._connection.channel_errors, OSError)
