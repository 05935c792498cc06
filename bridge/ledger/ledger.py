"""The ledger: one object that holds every query, over one database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from bridge.errors import ConfigurationError
from bridge.ledger import migrate as migrations
from bridge.ledger.bindings import Bindings
from bridge.ledger.breakers import Breakers
from bridge.ledger.conflicts import Conflicts
from bridge.ledger.control import Explanations, Pauses, Processes
from bridge.ledger.database import Database, Session
from bridge.ledger.drift import Drift
from bridge.ledger.effects import Effects
from bridge.ledger.events import Events
from bridge.ledger.exchanges import Exchanges
from bridge.ledger.instances import Instances
from bridge.ledger.jobs import Jobs
from bridge.ledger.kits import Kits
from bridge.ledger.mappings import Mappings
from bridge.ledger.records import Lengths
from bridge.ledger.runs import Runs
from bridge.ledger.shapes import moment
from bridge.ledger.stock import Stock
from bridge.ledger.stock_lines import StockLines
from bridge.ledger.stores import Stores
from bridge.ledger.vault import EFFECT_REQUESTS, INSTANCE_SECRETS, Vault

_ROTATE_BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """What retention took away."""

    exchanges: int
    requests: int
    events: int
    drift_lines: int


class Ledger:
    """Bindings, job history and everything that explains them: PostgreSQL, or SQLite in embedded mode.

    Safe to share between threads. Made by ``open``.
    """

    def __init__(self, database: Database, *, vault: Vault, lengths: Lengths) -> None:
        self.database = database
        self.lengths = lengths
        self._vault = vault
        self.exchanges = Exchanges(database, lengths=lengths)
        self.jobs = Jobs(database, exchanges=self.exchanges, lengths=lengths)
        self.events = Events(database, lengths=lengths)
        self.effects = Effects(database, vault=vault, exchanges=self.exchanges, lengths=lengths)
        self.bindings = Bindings(database)
        self.conflicts = Conflicts(database)
        self.mappings = Mappings(database)
        self.instances = Instances(database, vault=vault)
        self.stores = Stores(database)
        self.stock = Stock(database)
        self.stock_lines = StockLines(database)
        self.kits = Kits(database)
        self.drift = Drift(database, lengths=lengths)
        self.runs = Runs(database, lengths=lengths)
        self.breakers = Breakers(database, lengths=lengths)
        self.pauses = Pauses(database)
        self.explanations = Explanations(database)
        self.processes = Processes(database)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        secret_key: SecretStr | str | None = None,
        lengths: Lengths | None = None,
        pool_size: int = 24,
    ) -> Ledger:
        """Open the ledger at ``url``; ``secret_key`` may hold several keys, the first encrypts.

        Raises:
            ConfigurationError: the address cannot be used, or the key is not this ledger's.
            LedgerUnavailable: the database could not be reached.
        """
        vault = Vault(secret_key)
        database = Database(url, pool_size=pool_size)
        ledger = cls(database, vault=vault, lengths=lengths or Lengths())
        try:
            if vault.has_key and migrations.has_tables(database):
                vault.check(database)
        except ConfigurationError:
            database.close()
            raise
        return ledger

    def migrate(self) -> None:
        """Bring the schema up to date; waits for another process that does so."""
        migrations.migrate(self.database)
        self._vault.check(self.database)

    def is_current(self) -> bool:
        """Return whether the schema is the one that this code was written for."""
        return migrations.is_current(self.database)

    def now(self) -> datetime:
        """Return the time by the database's clock."""
        with self.database.read() as session:
            return moment(session.value("SELECT {clock}"))

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()

    def upkeep(self) -> Upkeep:
        """Make what will be needed and drop what is old; call it daily."""
        return Upkeep(
            exchanges=self.exchanges.upkeep(),
            requests=self.effects.upkeep(),
            events=self.events.upkeep(),
            drift_lines=self.drift.upkeep(),
        )

    def rotate_secrets(self) -> int:
        """Encrypt everything anew with the first key; then the others can be dropped. Returns how many rows."""
        rotated = self._rotate("instances", "name", "secrets", INSTANCE_SECRETS)
        rotated += self._rotate("effects", "key", "request", EFFECT_REQUESTS)
        self.database.command(
            "UPDATE key_checks SET value = :value WHERE name = 'key'", value=self._vault.rotate_check()
        )
        return rotated

    def _rotate(self, table: str, key: str, column: str, purpose: str) -> int:
        page = (
            f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL AND {key} > :after"
            f" ORDER BY {key} LIMIT :batch {{for_update}}"
        )
        update = f"UPDATE {table} SET {column} = :value WHERE {key} = :key"

        def work(session: Session, after: str) -> list[str]:
            rows = session.rows(page, after=after, batch=_ROTATE_BATCH)
            session.many(
                update,
                [{"key": name, "value": self._vault.rotate(purpose, bytes(token))} for name, token in rows],
            )
            return [str(name) for name, _token in rows]

        rotated, after = 0, ""
        while names := self.database.write(lambda session, after=after: work(session, after)):  # type: ignore[misc]
            rotated, after = rotated + len(names), names[-1]
        return rotated

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
