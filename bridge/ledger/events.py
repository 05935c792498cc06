"""Change events as they came, and those that could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bridge.ledger.database import Database, Session
from bridge.ledger.dialects import json_rows, to_text
from bridge.ledger.facts import Arrival, DeadEvent, Event, StoredEvent, Taken
from bridge.ledger.records import Lengths, Wanted
from bridge.ledger.shapes import Shape, moment, to_json
from bridge.ledger.stock_marks import mark_in
from bridge.ledger.stock_records import StockChange
from bridge.ledger.wants import key_of, want_in

#: A longer body of a dead event is cut.
MAX_DEAD_BODY_BYTES = 1024 * 1024
_DELETE_BATCH = 500
_EVENT = Shape(StoredEvent)
_DEAD = Shape(DeadEvent)
#: The list is read without bodies: a page of them could be 50 MB.
_DEAD_LIST = Shape(DeadEvent, body="NULL")

_TAKE = """
INSERT INTO events (instance, source, event_id, type, subject, time, data, external_key, received_at)
SELECT e.instance, e.source, e.event_id, e.type, e.subject, CAST(e.time AS {timestamp}), e.data, e.external_key, {now}
FROM {rows events e(instance text, source text, event_id text, type text, subject text, time text, data text,
    external_key text)}
WHERE true
ORDER BY e.instance, e.source, e.event_id
ON CONFLICT (instance, source, event_id) DO NOTHING
RETURNING instance, source, event_id
"""
_BURY = """
INSERT INTO dead_events (reason, body, size, headers, routing_key, received_at)
VALUES (:reason, :body, :size, :headers, :routing_key, {now}) RETURNING id
"""
_DEAD_GET = f"SELECT {_DEAD.columns} FROM dead_events WHERE id = :id"
_REPLAYED = "UPDATE dead_events SET replayed_at = {now} WHERE id = :id"
_GET = f"SELECT {_EVENT.columns} FROM events WHERE id = :id"
_LAST_OF = """
SELECT received_at FROM events WHERE instance = :instance AND source = :source AND subject = :subject
ORDER BY id DESC LIMIT 1
"""
_DELETE = """
DELETE FROM {table} WHERE id IN (
    SELECT id FROM {table} WHERE received_at < {later:-86400.0 * :days} ORDER BY received_at LIMIT :batch)
"""


class Events:
    """The events of the ledger."""

    def __init__(self, database: Database, *, lengths: Lengths) -> None:
        self._database = database
        self._lengths = lengths

    def take(self, arrivals: Sequence[Arrival]) -> Taken:
        """Store a batch of events and make the jobs they ask for, in one transaction.

        An event that was stored before (same instance, source, id) asks for nothing again: its job was made in the transaction that stored it.
        """
        first: dict[tuple[str, str, str], Arrival] = {}
        for arrival in arrivals:
            first.setdefault(_identity(arrival.event), arrival)
        rows = json_rows(_row(arrival) for arrival in first.values())

        def work(session: Session) -> Taken:
            new = {(i, s, e) for i, s, e in session.rows(_TAKE, events=rows)}
            fresh = [arrival for key, arrival in first.items() if key in new]
            wanted = want_in(session, [want for arrival in fresh for want in arrival.wants])
            wanted += _mark_stock(session, fresh)
            return Taken(stored=len(new), repeated=len(arrivals) - len(new), wanted=tuple(wanted))

        return self._database.write(work, on_conflict_again=True)

    def get(self, event_id: int) -> StoredEvent | None:
        """Return one event by its number in the ledger, or None."""
        with self._database.read() as session:
            row = session.row(_GET, id=event_id)
        return _EVENT.read(row) if row else None

    def last_of(self, instance: str, source: str, subject: str) -> datetime | None:
        """Return when the newest event of ``source`` about ``subject`` came, or None."""
        with self._database.read() as session:
            found = session.value(_LAST_OF, instance=instance, source=source, subject=subject)
        return None if found is None else moment(found)

    def count(self) -> int:
        """Return how many events are stored."""
        with self._database.read() as session:
            return int(session.value("SELECT count(*) FROM events"))

    def bury(self, dead: DeadEvent) -> int:
        """Keep a message that could not be read; returns its number."""
        rows = self._database.single(
            _BURY,
            reason=dead.reason,
            body=dead.body[:MAX_DEAD_BODY_BYTES],
            size=len(dead.body),
            headers=to_json({name: _plain(value) for name, value in dead.headers.items()}),
            routing_key=dead.routing_key,
        )
        return int(rows[0][0])

    def dead(self, *, before: int | None = None, limit: int = 50) -> list[DeadEvent]:
        """Return dead events without their bodies, newest first."""
        sql = f"SELECT {_DEAD_LIST.columns} FROM dead_events" + (
            " WHERE id < :before ORDER BY id DESC LIMIT :limit"
            if before
            else " ORDER BY id DESC LIMIT :limit"
        )
        params = {"before": before, "limit": limit} if before else {"limit": limit}
        with self._database.read() as session:
            return [_DEAD_LIST.read(_without_body(row)) for row in session.rows(sql, **params)]

    def get_dead(self, dead_id: int) -> DeadEvent | None:
        """Return one dead event with its body, or None."""
        with self._database.read() as session:
            row = session.row(_DEAD_GET, id=dead_id)
        return _DEAD.read(row) if row else None

    def mark_replayed(self, dead_id: int) -> None:
        """Note that a dead event was published again."""
        self._database.command(_REPLAYED, id=dead_id)

    def upkeep(self) -> int:
        """Delete events, and dead ones, that are older than the metadata is kept; returns how many."""
        deleted = 0
        for table in ("events", "dead_events"):
            sql = _DELETE.replace("{table}", table)
            while batch := self._database.command(sql, days=self._lengths.metadata_days, batch=_DELETE_BATCH):
                deleted += batch
        return deleted

    def list(
        self,
        *,
        instance: str | None = None,
        type: str | None = None,  # noqa: A002 - CloudEvents' own word
        subject: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[StoredEvent]:
        """Return events, newest first; ``before`` is the id of the last one of the page before."""
        where, params = ["true"], {"limit": limit}  # type: tuple[list[str], dict[str, Any]]
        for name, value in (("instance", instance), ("type", type), ("subject", subject)):
            if value is not None:
                where.append(f"{name} = :{name}")
                params[name] = value
        if before is not None:
            where.append("id < :before")
            params["before"] = before
        sql = f"SELECT {_EVENT.columns} FROM events WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT :limit"
        with self._database.read() as session:
            return _EVENT.read_all(session.rows(sql, **params))


def _mark_stock(session: Session, arrivals: Sequence[Arrival]) -> list[Wanted]:
    """Mark the products whose stock changed: however many events there are, one export for each source."""
    changes: dict[str, list[StockChange]] = {}
    for arrival in arrivals:
        if arrival.stock is not None:
            changes.setdefault(arrival.event.instance, []).append(arrival.stock)
    wanted: list[Wanted] = []
    for instance, found in sorted(changes.items()):
        ids = [change.odoo_id for change in found]
        wanted += mark_in(session, instance, wake=found[0].wake, odoo_ids=ids)
    return wanted


def _identity(event: Event) -> tuple[str, str, str]:
    return (event.instance, event.source, event.event_id)


def _row(arrival: Arrival) -> dict[str, Any]:
    event = arrival.event
    return {
        "instance": event.instance,
        "source": event.source,
        "event_id": event.event_id,
        "type": event.type,
        "subject": event.subject,
        "time": to_text(event.time) if event.time else None,
        "data": to_json(event.data),
        "external_key": key_of(arrival.wants[0]) if arrival.wants else None,
    }


def _without_body(row: Sequence[Any]) -> list[Any]:
    return [b"" if index == 1 else value for index, value in enumerate(row)]


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | bool | None):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
