"""Brings the ledger's schema up to date, with Alembic and the migrations inside this package."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import ConfigurationError
from bridge.ledger.database import Database, LedgerUnavailable
from bridge.ledger.partitions import ensure_partitions

if TYPE_CHECKING:
    from alembic.config import Config

#: Alembic's context is one for the whole process.
_MIGRATING = threading.Lock()
#: Key of the advisory lock that lets one process migrate at a time.
_LOCK = 0x6272_6964_6765


def migrate(database: Database) -> None:
    """Run the migrations that are still missing, in one transaction; other processes wait meanwhile."""
    # Alembic takes a third of a second to import, and only this module's functions need it.
    from alembic import command  # noqa: PLC0415

    _insist_on_known(_version(database))
    config = _config()
    engine = _engine(database)
    try:
        with _MIGRATING, engine.begin() as connection:
            if database.is_postgres:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as exc:
        raise LedgerUnavailable("The ledger could not be reached or changed.") from exc
    finally:
        engine.dispose()
    ensure_partitions(database)


def is_current(database: Database) -> bool:
    """Return whether the schema is the one that this code was written for.

    Raises:
        ConfigurationError: a newer version of the bridge has made it.
    """
    version = _version(database)
    return version == _insist_on_known(version)


def _insist_on_known(version: str | None) -> str:
    """Return the newest schema that this version knows, unless ``version`` is newer."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    known = [one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()]
    if version is not None and version not in known:
        raise ConfigurationError(
            f"A newer version of the bridge has made this ledger: its schema is {version}, this version knows those up "
            f"to {known[0]}. Run that version, or another ledger. Nothing was changed."
        )
    return known[0]


def has_tables(database: Database) -> bool:
    """Return whether any migration has run."""
    return _version(database) is not None


def _version(database: Database) -> str | None:
    with database.read() as session:
        if session.is_postgres:
            found = session.value("SELECT to_regclass('ledger_version') IS NOT NULL")
        else:
            found = session.value("SELECT count(*) FROM sqlite_master WHERE name = 'ledger_version'")
        return session.value("SELECT version_num FROM ledger_version") if found else None


def _engine(database: Database) -> Engine:
    # A connection of its own: the pool's are in autocommit mode, and a migration is one transaction.
    engine = create_engine(database.url, poolclass=NullPool)
    if not database.is_postgres:
        event.listen(engine, "connect", _let_us_begin)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _let_us_begin(connection: Any, _record: object) -> None:
    # The driver would begin no transaction before CREATE TABLE: half a schema would survive a crash.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=15000")


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "bridge.ledger:migrations")
    config.set_main_option("path_separator", "os")
    return config
