"""The pool of connections to the ledger's database, each in autocommit mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bridge.errors import ConfigurationError

#: How long SQLite waits for another process's write.
_BUSY_SECONDS = 15


def usable_url(url: str) -> URL:
    """Return ``url`` as SQLAlchemy takes it.

    Raises:
        ConfigurationError: it cannot be a ledger's.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise ConfigurationError("BRIDGE_DATABASE_URL is not a database address.") from exc
    if parsed.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        raise ConfigurationError("BRIDGE_DATABASE_URL must begin with postgresql:// or sqlite:///.")
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigurationError("The SQLite ledger needs a file, such as sqlite:///.bridge/ledger.db.")
    return parsed


def make_engine(url: URL, *, pool_size: int) -> Engine:
    """Return the pool of connections to ``url``."""
    # Nothing is left open on a connection that comes back: the pool need not roll back.
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 40, "pool_reset_on_return": None}
    if url.get_backend_name() == "postgresql":
        # A plan that was made while a table was small reads the whole of it, and a prepared statement keeps its plan until
        # the table is analyzed. Where there is an index it is used; where there is none, a small table's plan looks so dear
        # that it would be compiled each time (31 ms for a list of instances), hence no compiling of short statements.
        options["connect_args"] = {
            "options": "-c timezone=UTC -c application_name=commercebridge -c enable_seqscan=off -c jit=off",
            "connect_timeout": 10,
        }
        engine = create_engine(url, **options)
        event.listen(engine, "connect", _prepare_postgres)
        return engine
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, **options)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_postgres(connection: Any, _record: object) -> None:
    connection.autocommit = True


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_SECONDS}000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
