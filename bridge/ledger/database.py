"""One way to both databases: PostgreSQL (psycopg) and SQLite, by the same SQL.

SQL stands as text, with a few words in braces where the two dialects differ (``dialects``). It runs on the
drivers' own cursors over SQLAlchemy's pool: a job costs a handful of statements, and at that size
the expression compiler and the result layer would cost more than the database does.

Every connection is in autocommit mode, so that a single statement is one round trip; a transaction is an explicit
``BEGIN`` (``BEGIN IMMEDIATE`` on SQLite, since a reader that becomes a writer there may fail at once).
Foreign exceptions stop here.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import BridgeError, ConfigurationError, ServiceUnavailable
from bridge.ledger.dialects import Dialect
from bridge.ledger.engines import make_engine, usable_url

T = TypeVar("T")
Row = tuple[Any, ...]

#: How often a transaction is run again after a deadlock or a lost race.
MAX_RUNS = 8


class LedgerUnavailable(ServiceUnavailable):
    """The ledger could not be reached or is busy."""

    code = "ledger_unavailable"


class LedgerError(BridgeError):
    """The ledger refused a statement."""

    code = "ledger_error"


class Conflict(LedgerError):
    """A unique index refused a row: another transaction was first."""

    code = "ledger_conflict"


class MissingPartition(LedgerError):
    """The week's partition of a partitioned table is not there yet."""

    code = "ledger_missing_partition"


class _Again(Exception):
    """The transaction lost against another one and may simply run again."""


class Session:
    """Runs statements on one connection."""

    def __init__(self, database: Database, cursor: Any) -> None:
        self._database = database
        self._cursor = cursor

    @property
    def is_postgres(self) -> bool:
        """Whether the database is PostgreSQL."""
        return self._database.is_postgres

    def rows(self, sql: str, **params: Any) -> list[Row]:
        """Run ``sql`` and return its rows."""
        self._execute(sql, params)
        result: list[Row] = self._cursor.fetchall()
        return result

    def row(self, sql: str, **params: Any) -> Row | None:
        """Run ``sql`` and return its first row, or None."""
        found = self.rows(sql, **params)
        return found[0] if found else None

    def value(self, sql: str, **params: Any) -> Any:
        """Run ``sql`` and return the first column of its first row, or None."""
        found = self.row(sql, **params)
        return found[0] if found else None

    def run(self, sql: str, **params: Any) -> int:
        """Run ``sql`` and return how many rows it touched."""
        self._execute(sql, params)
        return int(self._cursor.rowcount)

    def many(self, sql: str, params: Sequence[Mapping[str, Any]]) -> None:
        """Run ``sql`` once for each set of parameters."""
        if not params:
            return
        rendered, clean = self._database.dialect.render(sql), self._database.dialect.clean
        try:
            self._cursor.executemany(rendered, [clean(one) for one in params])
        except _FOREIGN as exc:
            raise _translated(exc) from exc

    def _execute(self, sql: str, params: Mapping[str, Any]) -> None:
        dialect = self._database.dialect
        try:
            self._cursor.execute(dialect.render(sql), dialect.clean(params))
        except _FOREIGN as exc:
            raise _translated(exc) from exc


class Database:
    """A pool of connections to the ledger's database."""

    def __init__(self, url: str, *, pool_size: int = 24) -> None:
        self.url = usable_url(url)
        self.is_postgres = self.url.get_backend_name() == "postgresql"
        self.engine = make_engine(self.url, pool_size=pool_size)
        self.dialect = Dialect(is_postgres=self.is_postgres)
        # SQLite takes one writer at a time and lets the others poll; a lock is fair and faster.
        self._writer: AbstractContextManager[Any] = nullcontext() if self.is_postgres else threading.RLock()

    def close(self) -> None:
        """Close the pool's connections."""
        self.engine.dispose()

    def read(self) -> Reading:
        """Give a session whose statements are each on their own."""
        return Reading(self)

    def single(self, sql: str, **params: Any) -> list[Row]:
        """Run one writing statement as its own transaction and return its rows."""
        for turn in range(MAX_RUNS):
            try:
                with self._writer, self.read() as session:
                    return session.rows(sql, **params)
            except _Again:
                _pause(turn)
        raise LedgerUnavailable("The ledger is too busy.")

    def command(self, sql: str, **params: Any) -> int:
        """Run one writing statement that returns no rows, as its own transaction; how many rows it touched."""
        for turn in range(MAX_RUNS):
            try:
                with self._writer, self.read() as session:
                    return session.run(sql, **params)
            except _Again:
                _pause(turn)
        raise LedgerUnavailable("The ledger is too busy.")

    def write(self, work: Callable[[Session], T], *, on_conflict_again: bool = False) -> T:
        """Run ``work`` in one transaction and return its result.

        ``work`` runs again, as a new transaction, when it was the victim of a deadlock, and with
        ``on_conflict_again`` when it lost a race for a unique index. So it must have no other effect.
        """
        for turn in range(MAX_RUNS):
            try:
                return self._transaction(work)
            except _Again:
                _pause(turn)
            except Conflict:
                if not on_conflict_again or turn == MAX_RUNS - 1:
                    raise
        raise LedgerUnavailable("The ledger is too busy.")

    def _transaction(self, work: Callable[[Session], T]) -> T:
        with self._writer, self.read() as session:
            session.run("BEGIN" if self.is_postgres else "BEGIN IMMEDIATE")
            try:
                result = work(session)
                session.run("COMMIT")
            except BaseException:
                try:
                    session.run("ROLLBACK")
                except (BridgeError, _Again) as exc:
                    # The connection is gone, and its transaction with it.
                    raise LedgerUnavailable("The ledger could not be reached.") from exc
                raise
            return result


class Reading:
    """A session on a connection of the pool, for a ``with``; by hand, since each job opens a dozen."""

    __slots__ = ("_connection", "_cursor", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Session:
        """Take a connection."""
        try:
            self._connection = self._database.engine.raw_connection()
        except (SQLAlchemyError, psycopg.Error, sqlite3.Error, OSError) as exc:
            if _NO_DATABASE in str(exc):
                raise _no_ledger() from exc
            raise LedgerUnavailable("The ledger could not be reached.") from exc
        self._cursor = self._connection.cursor()
        return Session(self._database, self._cursor)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Give it back; one that broke is thrown away."""
        self._cursor.close()
        if isinstance(error, LedgerUnavailable):
            self._connection.invalidate()
            # The others in the pool are as old as this one: after a restart of the server they are dead too.
            if self._database.is_postgres:
                self._database.engine.dispose()
        self._connection.close()


#: What SQLite says of a file that is something else.
_NO_DATABASE = "file is not a database"


def _no_ledger() -> ConfigurationError:
    return ConfigurationError(
        "The file of the SQLite ledger is no database, or is damaged. Restore it from a backup, or move it away to begin "
        "anew: bridge bindings rebuild then finds in Odoo what was imported."
    )


#: What the drivers raise; it becomes the bridge's right where a statement runs.
_FOREIGN = (psycopg.Error, sqlite3.Error, OverflowError)


def _translated(exc: Exception) -> Exception:
    state = getattr(exc, "sqlstate", None)
    text = str(exc)
    if (
        state in {"40P01", "40001", "55P03"}
        or "database is locked" in text
        or "database table is locked" in text
    ):
        return _Again()
    if state == "23505" or (isinstance(exc, sqlite3.IntegrityError) and "UNIQUE" in text):
        return Conflict()
    if state == "23514" and "no partition" in text:
        return MissingPartition()
    if state in {"42P01", "3F000"} or "no such table" in text:
        return ConfigurationError("The ledger has no tables yet. Run: bridge migrate")
    if isinstance(exc, (psycopg.OperationalError, psycopg.InterfaceError, sqlite3.OperationalError)) and (
        state is None or state[:2] in {"08", "53", "57", "58"}
    ):
        return LedgerUnavailable("The ledger could not be reached.")
    is_overflow = isinstance(exc, OverflowError)
    return LedgerError(
        "A number is too large for the ledger." if is_overflow else "The ledger refused a statement."
    )


def _pause(turn: int) -> None:
    time.sleep(0.002 * (turn + 1))
