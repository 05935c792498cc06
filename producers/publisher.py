"""Publishes events to RabbitMQ so that none is lost without the publisher knowing.

Every message is persistent and ``mandatory``; confirms are awaited per batch of about 100, since one by one they
cost two thirds of the speed. A returned (unroutable) message, a refused one and one that was not
confirmed in time are errors. Publishing an event again is harmless: the ledger knows it by its id.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from types import TracebackType
from typing import Self

from bridge.errors import ServiceUnavailable
from bridge.topology import EVENTS_EXCHANGE
from producers.channel import Batch, ConfirmChannel
from schemas.events import Envelope

#: Messages that are sent before their confirms are awaited.
BATCH_SIZE = 100
#: The longest that publishing a batch may take, connecting included.
PUBLISH_SECONDS = 5.0


class PublishFailed(ServiceUnavailable):
    """The broker did not take every event."""

    code = "publish_failed"

    def __init__(self, message: str, *, event_ids: Sequence[str]) -> None:
        super().__init__(message)
        #: Ids of the events that are not known to be taken: publish them again.
        self.event_ids = tuple(event_ids)


class Unroutable(PublishFailed):
    """No queue is bound for the event's type: the topology is not declared yet."""

    code = "publish_unroutable"


class Publisher:
    """Publishes events over one connection, which is opened when needed and opened again when it broke.

    Safe to share between threads: their batches take turns.
    """

    def __init__(
        self, broker_url: str, *, exchange: str = EVENTS_EXCHANGE, limit_seconds: float = PUBLISH_SECONDS
    ) -> None:
        self._channel = ConfirmChannel(broker_url, exchange=exchange)
        self._limit_seconds = limit_seconds
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def publish(self, events: Iterable[Envelope]) -> int:
        """Publish ``events`` and return how many the broker confirmed: all of them.

        Raises:
            Unroutable: no queue took an event.
            PublishFailed: the broker could not be reached, refused, or did not confirm in time.
        """
        source = iter(events)
        published = 0
        while batch := list(islice(source, BATCH_SIZE)):
            try:
                self._publish_batch(batch)
            except PublishFailed as exc:
                # What was not even tried is not taken either.
                exc.event_ids += tuple(event.id for event in source)
                raise
            published += len(batch)
        return published

    def close(self) -> None:
        """Close the connection; the publisher may be used again."""
        self._channel.close()

    def _publish_batch(self, events: Sequence[Envelope]) -> None:
        deadline = time.monotonic() + self._limit_seconds
        open_events = {event.id: event for event in events}
        with self._turn:
            while open_events:
                batch = Batch([(event.type, event.id, event.to_bytes()) for event in open_events.values()])
                self._channel.send(batch, deadline=deadline)
                if batch.returned:
                    types = sorted({open_events[one].type for one in batch.returned})
                    raise Unroutable(
                        f"No queue is bound for {', '.join(types)}. Start a worker or run: "
                        "python -m consumers.topology",
                        event_ids=[one for one in open_events if one not in batch.confirmed],
                    )
                for event_id in batch.confirmed:
                    del open_events[event_id]
                is_over = batch.refused or self._channel.is_refused or time.monotonic() + 0.25 >= deadline
                if open_events and is_over:
                    why = "refused some events" if batch.refused else "did not confirm in time"
                    raise PublishFailed(
                        f"The broker {why} ({self._channel.state}). Publish them again.",
                        event_ids=list(open_events),
                    )
