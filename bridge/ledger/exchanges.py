"""The sync log: each request to Odoo or Magento and its answer, masked when it was recorded.

Bodies stand in a table of their own, since they are kept for days and the rest for months. On PostgreSQL both are
partitioned by week, so that retention drops tables instead of deleting rows.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bridge.ledger.database import Database, MissingPartition, Session
from bridge.ledger.facts import Bodies, StoredExchange
from bridge.ledger.partitions import drop_before, ensure_partitions
from bridge.ledger.records import JobId, Lengths
from bridge.ledger.shapes import Shape, to_json
from bridge.masking import mask_headers, mask_url
from bridge.wire import Exchange

T = TypeVar("T")

#: A longer body is cut: the sync log shows what went wrong, it is no archive.
MAX_BODY_BYTES = 64 * 1024
_EXCHANGE = Shape(StoredExchange)

_ADD = """
INSERT INTO exchanges (id, created_at, instance, job_id, attempt, system, method, url, operation, status, error, started_at,
    duration_ms, request_headers, response_headers, request_size, response_size)
VALUES (:id, {now}, :instance, :job_id, :attempt, :system, :method, :url, :operation, :status, :error, :started_at,
    :duration_ms, :request_headers, :response_headers, :request_size, :response_size)
"""
_ADD_BODIES = """
INSERT INTO exchange_bodies (id, created_at, request_body, response_body)
VALUES (:id, {now}, :request_body, :response_body)
"""
_GET = f"SELECT {_EXCHANGE.columns} FROM exchanges WHERE id = :id"
_BODIES = "SELECT request_body, response_body FROM exchange_bodies WHERE id = :id"


@dataclass(frozen=True, kw_only=True)
class ExchangeRow:
    """An exchange as it is written down."""

    values: Mapping[str, Any]
    bodies: Mapping[str, Any]


class Exchanges:
    """The sync log."""

    def __init__(self, database: Database, *, lengths: Lengths) -> None:
        self._database = database
        self._lengths = lengths

    def add(
        self,
        instance: str,
        exchanges: Sequence[Exchange],
        *,
        job_id: JobId | None = None,
        attempt: int | None = None,
    ) -> None:
        """Write exchanges in a transaction of their own."""
        if exchanges:
            self.writing(lambda session: add_in(session, instance, exchanges, job_id=job_id, attempt=attempt))

    def list(
        self,
        *,
        instance: str | None = None,
        job_id: JobId | None = None,
        system: str | None = None,
        only_errors: bool = False,
        before: StoredExchange | None = None,
        limit: int = 50,
    ) -> list[StoredExchange]:
        """Return exchanges, newest first; ``before`` is the last one of the page before."""
        where, params = ["true"], {"limit": limit}  # type: tuple[list[str], dict[str, Any]]
        for name, value in (("instance", instance), ("job_id", job_id), ("system", system)):
            if value is not None:
                where.append(f"{name} = :{name}")
                params[name] = value
        if only_errors:
            where.append("(error IS NOT NULL OR status >= 400)")
        if before is not None:
            where.append("(created_at, id) < (:created_at, :id)")
            params.update(created_at=before.created_at, id=before.id)
        sql = (
            f"SELECT {_EXCHANGE.columns} FROM exchanges WHERE {' AND '.join(where)}"
            " ORDER BY created_at DESC, id DESC LIMIT :limit"
        )
        with self._database.read() as session:
            return _EXCHANGE.read_all(session.rows(sql, **params))

    def get(self, exchange_id: uuid.UUID) -> StoredExchange | None:
        """Return one exchange, or None."""
        with self._database.read() as session:
            row = session.row(_GET, id=exchange_id)
        return _EXCHANGE.read(row) if row else None

    def bodies(self, exchange_id: uuid.UUID) -> Bodies | None:
        """Return the bodies of an exchange; None once retention dropped them."""
        with self._database.read() as session:
            row = session.row(_BODIES, id=exchange_id)
        return Bodies(request=_unpacked(row[0]), response=_unpacked(row[1])) if row else None

    def upkeep(self) -> int:
        """Make the coming partitions and drop what is old; returns how much was dropped."""
        ensure_partitions(self._database)
        dropped = drop_before(self._database, "exchange_bodies", days=self._lengths.body_days)
        return dropped + drop_before(self._database, "exchanges", days=self._lengths.metadata_days)

    def writing(self, work: Callable[[Session], T], *, on_conflict_again: bool = False) -> T:
        """Run a transaction that writes exchanges; makes the week's partition if no upkeep has done so."""
        try:
            return self._database.write(work, on_conflict_again=on_conflict_again)
        except MissingPartition:
            ensure_partitions(self._database)
            return self._database.write(work, on_conflict_again=on_conflict_again)


def add_in(
    session: Session,
    instance: str,
    exchanges: Sequence[Exchange],
    *,
    job_id: JobId | None = None,
    attempt: int | None = None,
) -> None:
    """Write exchanges within the session's transaction."""
    write_in(session, rows_of(instance, exchanges, job_id=job_id, attempt=attempt))


def rows_of(
    instance: str, exchanges: Sequence[Exchange], *, job_id: JobId | None = None, attempt: int | None = None
) -> list[ExchangeRow]:
    """Return exchanges as ``write_in`` takes them: packed before the transaction, which need not wait for it."""
    return [
        ExchangeRow(
            values=_row(one, instance=instance, job_id=job_id, attempt=attempt),
            bodies={
                "id": one.id,
                "request_body": _packed(one.request_body),
                "response_body": _packed(one.response_body),
            },
        )
        for one in exchanges
    ]


def write_in(session: Session, rows: Sequence[ExchangeRow]) -> None:
    """Write exchanges within the session's transaction."""
    session.many(_ADD, [row.values for row in rows])
    session.many(_ADD_BODIES, [row.bodies for row in rows])


def _row(one: Exchange, *, instance: str, job_id: JobId | None, attempt: int | None) -> dict[str, Any]:
    return {
        "id": one.id,
        "instance": instance,
        "job_id": job_id,
        "attempt": attempt,
        "system": one.system,
        "method": one.method,
        # Masked already where it was recorded; a second look costs little and a secret kept costs much.
        "url": mask_url(one.url),
        "operation": one.operation,
        "status": one.status,
        "error": one.error,
        "started_at": one.started_at,
        "duration_ms": one.duration_ms,
        "request_headers": to_json(mask_headers(one.request_headers)),
        "response_headers": to_json(mask_headers(one.response_headers)),
        "request_size": len(one.request_body),
        "response_size": len(one.response_body),
    }


def _packed(body: bytes) -> bytes:
    return zlib.compress(body[:MAX_BODY_BYTES], level=1)


def _unpacked(body: bytes) -> bytes:
    return zlib.decompress(body)
