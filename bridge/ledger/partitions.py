"""The weekly partitions of exchanges and their bodies on PostgreSQL: made ahead, dropped when old.

Dropping a table costs nothing; deleting a week of rows would cost as much as writing it did. SQLite has
no partitions: there old rows are deleted in batches.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bridge.ledger.database import Conflict, Database, LedgerError, Session
from bridge.ledger.shapes import moment

#: The partitioned tables.
TABLES = ("exchanges", "exchange_bodies")
#: How many weeks ahead partitions are made.
WEEKS_AHEAD = 8
#: Rows that SQLite deletes in one transaction, so that it never keeps writers waiting for long.
DELETE_BATCH = 500
_NAME = re.compile(r"^(?:exchanges|exchange_bodies)_(\d{8})$")


def ensure_partitions(database: Database) -> None:
    """Make the partitions of this week and of those to come; does nothing on SQLite."""
    if not database.is_postgres:
        return
    with database.read() as session:
        monday = _monday(moment(session.value("SELECT {now}")))
    for week in range(-1, WEEKS_AHEAD + 1):
        start = monday + timedelta(weeks=week)
        for table in TABLES:
            _make(database, table, start)


def drop_before(database: Database, table: str, *, days: int) -> int:
    """Drop what is older than ``days``: whole partitions, or rows on SQLite. Returns how many."""
    if not database.is_postgres:
        return _delete_before(database, table, days=days)
    with database.read() as session:
        limit = moment(session.value("SELECT {now}")) - timedelta(days=days)
        names = _partitions(session, table)
    old = [name for name in names if (start := _start(name)) and start + timedelta(weeks=1) <= limit]
    for name in old:
        database.command(f"DROP TABLE IF EXISTS {name}")
    return len(old)


def partitions(database: Database, table: str) -> list[str]:
    """Return the names of the partitions of ``table``, oldest first; none on SQLite."""
    if not database.is_postgres:
        return []
    with database.read() as session:
        return _partitions(session, table)


def _partitions(session: Session, table: str) -> list[str]:
    rows = session.rows(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = to_regclass(:table) ORDER BY c.relname",
        table=table,
    )
    return [str(name) for (name,) in rows]


def _make(database: Database, table: str, start: datetime) -> None:
    name = f"{table}_{start:%Y%m%d}"
    with database.read() as session:
        if session.value("SELECT to_regclass(:name) IS NOT NULL", name=name):
            return
    end = start + timedelta(weeks=1)
    try:
        database.command(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table}"
            f" FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
        )
    except (Conflict, LedgerError):
        # Another process made it at the same moment; anything else shows when a row is written.
        with database.read() as session:
            if not session.value("SELECT to_regclass(:name) IS NOT NULL", name=name):
                raise


def _delete_before(database: Database, table: str, *, days: int) -> int:
    deleted = 0
    while True:
        batch = database.single(
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table}"
            " WHERE created_at < {later:-86400.0 * :days} ORDER BY created_at LIMIT :batch) RETURNING 1",
            days=days,
            batch=DELETE_BATCH,
        )
        deleted += len(batch)
        if len(batch) < DELETE_BATCH:
            return deleted


def _monday(now: datetime) -> datetime:
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _start(name: str) -> datetime | None:
    match = _NAME.match(name)
    return datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC) if match else None
