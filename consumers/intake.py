"""Intake: moves events from RabbitMQ into the ledger, in batches, on a thread and connection of its own.

The Celery worker's loop must never block, so intake has nothing to do with it. A message is acknowledged
after the commit that stored it; one that comes twice is recognised by the ledger. While the ledger is down
nothing is consumed: the events wait in the broker.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pika
import pika.exceptions
import structlog
from pika.adapters.blocking_connection import BlockingChannel

from bridge.broker import pika_parameters, shown
from bridge.errors import BridgeError
from bridge.ledger import Ledger, LedgerUnavailable
from bridge.topology import INTAKE_QUEUE
from consumers.receiving import Message, Received, Receiver, read_message
from consumers.topology import declare

__all__ = ["Intake", "read_message"]

log = structlog.get_logger()

#: A transaction takes at most so many events, and waits at most so long for them.
BATCH_SIZE = 100
BATCH_SECONDS = 0.05
#: One batch is on its way while another one is being stored.
_PREFETCH = 2 * BATCH_SIZE
#: Waits between tries to reach the broker or the ledger.
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
#: The longest that intake takes to notice that it should stop.
_LOOK_UP_SECONDS = 0.25


class Intake:
    """A thread that consumes ``bridge.intake``."""

    def __init__(self, broker_url: str, *, ledger: Ledger, committed: Callable[[Received], None]) -> None:
        """``committed`` is called after each transaction that made work, to wake the dispatcher."""
        self._broker_url = broker_url
        self._ledger = ledger
        self._receiver = Receiver(ledger)
        self._committed = committed
        self._waiting: deque[tuple[int, Message]] = deque()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Begin consuming."""
        self._thread.start()

    def stop(self, *, timeout_seconds: float = 10.0) -> None:
        """End after the batch under way; what is not stored stays in the broker."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=timeout_seconds)

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopped.is_set():
            started = time.monotonic()
            try:
                self._wait_for_ledger()
                self._consume()
            except LedgerUnavailable as exc:
                log.warning("intake_waits_for_ledger", code=exc.code)
            except (pika.exceptions.AMQPError, OSError) as exc:
                log.warning("intake_lost_broker", broker=shown(self._broker_url), error=type(exc).__name__)
            except Exception as exc:
                code = exc.code if isinstance(exc, BridgeError) else type(exc).__name__
                log.exception("intake_failed", code=code)
            pause = _FIRST_PAUSE_SECONDS if time.monotonic() - started > 2 * pause else pause
            self._stopped.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _wait_for_ledger(self) -> None:
        """Raise if the ledger is down: then no message is taken from the broker at all."""
        self._ledger.now()

    def _consume(self) -> None:
        connection = pika.BlockingConnection(pika_parameters(self._broker_url, name="intake"))
        self._waiting.clear()
        try:
            channel = connection.channel()
            declare(channel)
            channel.basic_qos(prefetch_count=_PREFETCH)
            channel.basic_consume(INTAKE_QUEUE, self._arrived)
            log.info("intake_started", broker=shown(self._broker_url))
            while not self._stopped.is_set():
                self._gather(connection)
                if self._waiting:
                    self._store(channel)
        finally:
            # Closing gives back what was not acknowledged.
            if connection.is_open:
                connection.close()

    def _gather(self, connection: pika.BlockingConnection) -> None:
        """Wait for messages until a batch is full, or a moment after its first one."""
        if not self._waiting:
            connection.process_data_events(time_limit=_LOOK_UP_SECONDS)
        until = time.monotonic() + BATCH_SECONDS
        while 0 < len(self._waiting) < BATCH_SIZE and (left := until - time.monotonic()) > 0:
            connection.process_data_events(time_limit=left)

    def _store(self, channel: BlockingChannel) -> None:
        batch = [self._waiting.popleft() for _ in range(min(BATCH_SIZE, len(self._waiting)))]
        received = self._receiver.receive([message for _, message in batch])
        channel.basic_ack(batch[-1][0], multiple=True)
        log.debug("events_taken", stored=received.stored, repeated=received.repeated, dead=received.dead)
        if received.created or received.folded:
            self._committed(received)

    def _arrived(self, _channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        message = Message(
            body=body,
            routing_key=method.routing_key,
            content_type=properties.content_type,
            content_encoding=properties.content_encoding,
            headers={**(properties.headers or {}), "message_id": properties.message_id},
        )
        self._waiting.append((method.delivery_tag, message))
