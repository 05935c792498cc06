"""Takes messages into the ledger: what can be read as events with their jobs, the rest as dead events.

The same code serves intake's batches from RabbitMQ and embedded mode.
"""

from __future__ import annotations

import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from bridge.errors import InvalidEvent
from bridge.ledger import Arrival, DeadEvent, Event, Ledger, LedgerUnavailable
from consumers.wants import stock_of, wants_of
from schemas.events import EVENT_CONTENT_TYPE, Envelope
from schemas.reading import EventRefused, read_event

log = structlog.get_logger()

#: Names of instances are read again when an unknown one comes, though not more often than this.
_LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as it came."""

    body: bytes
    routing_key: str = ""
    content_type: str | None = EVENT_CONTENT_TYPE
    content_encoding: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Received:
    """What became of a batch of messages."""

    #: Events stored now, and those that were there already.
    stored: int = 0
    repeated: int = 0
    #: Messages that were put aside as dead events.
    dead: int = 0
    #: Jobs made, and wants that folded into open jobs.
    created: int = 0
    folded: int = 0

    def __add__(self, other: Received) -> Received:
        return Received(
            stored=self.stored + other.stored,
            repeated=self.repeated + other.repeated,
            dead=self.dead + other.dead,
            created=self.created + other.created,
            folded=self.folded + other.folded,
        )


class Receiver:
    """Takes messages into one ledger. Used by one thread at a time."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known = _Known(ledger)

    def receive(self, messages: Sequence[Message]) -> Received:
        """Store ``messages``; when this returns, all of them are in the ledger and may be acknowledged.

        Raises:
            LedgerUnavailable: the ledger is down; some may be stored, and taking all again does no harm.
        """
        readable: list[tuple[Message, Arrival]] = []
        dead = 0
        for message in messages:
            try:
                readable.append((message, self._read(message)))
            except InvalidEvent as exc:
                self._bury(message, f"{exc.details['reason']}: {exc.message}")
                dead += 1
        return self._take(readable) + Received(dead=dead)

    def _take(self, readable: Sequence[tuple[Message, Arrival]]) -> Received:
        if not readable:
            return Received()
        try:
            taken = self._ledger.events.take([arrival for _, arrival in readable])
        except LedgerUnavailable:
            raise
        except Exception as exc:  # noqa: BLE001 - one bad event must stop neither its batch nor intake
            return self._take_apart(readable, exc)
        created = sum(one.created for one in taken.wanted)
        return Received(
            stored=taken.stored, repeated=taken.repeated, created=created, folded=len(taken.wanted) - created
        )

    def _take_apart(self, readable: Sequence[tuple[Message, Arrival]], error: Exception) -> Received:
        """Take the events of a batch that failed one by one, and put aside the one that it failed for."""
        if len(readable) == 1:
            self._bury(readable[0][0], f"not_stored: The ledger refused the event ({type(error).__name__}).")
            return Received(dead=1)
        received = Received()
        for one in readable:
            received += self._take([one])
        return received

    def _read(self, message: Message) -> Arrival:
        return read_message(
            message.body,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            instances=self._known,
        )

    def _bury(self, message: Message, reason: str) -> None:
        headers: dict[str, Any] = {
            **message.headers,
            "content_type": message.content_type,
            "content_encoding": message.content_encoding,
        }
        self._ledger.events.bury(
            DeadEvent(
                reason=reason,
                body=message.body,
                headers={name: value for name, value in headers.items() if value is not None},
                routing_key=message.routing_key,
            )
        )
        log.warning("event_dead", reason=reason.partition(":")[0], size=len(message.body))


def read_message(
    body: bytes,
    *,
    content_type: str | None = EVENT_CONTENT_TYPE,
    content_encoding: str | None = None,
    instances: Container[str],
) -> Arrival:
    """Return the event in ``body`` and the work that it asks for.

    Raises:
        InvalidEvent: it cannot be read, or not used; its detail ``reason`` is a static name.
    """
    try:
        event = read_event(body, content_type=content_type, content_encoding=content_encoding)
    except EventRefused as exc:
        raise InvalidEvent(str(exc), reason=exc.reason) from None
    if event.instance not in instances:
        raise InvalidEvent(
            f"There is no instance {event.instance}. See: bridge instance list.", reason="unknown_instance"
        )
    wants = wants_of(event)
    if wants is None:
        raise InvalidEvent(
            f"This version of the bridge does nothing with {event.type} yet. Replay the event after an update.",
            reason="no_flow",
        )
    return Arrival(event=_as_record(event), wants=wants, stock=stock_of(event))


class _Known(Container[str]):
    """The names of the instances that there are."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._names: frozenset[str] = frozenset()
        self._looked_at = float("-inf")

    def __contains__(self, name: object) -> bool:
        if name not in self._names and time.monotonic() - self._looked_at >= _LOOK_AGAIN_SECONDS:
            self._names = frozenset(self._ledger.instances.names())
            self._looked_at = time.monotonic()
        return name in self._names


def _as_record(event: Envelope) -> Event:
    return Event(
        instance=event.instance,
        source=event.source,
        event_id=event.id,
        type=event.type,
        subject=event.subject,
        time=event.time,
        data=event.data.model_dump(exclude_none=True),
    )
