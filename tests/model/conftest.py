"""Ledgers to replay the model against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.ledger import Ledger
from tests.support.ledger import TEST_KEY


@pytest.fixture(scope="session")
def real_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Give a ledger on SQLite; each replay empties it first."""
    path: Path = tmp_path_factory.mktemp("model") / "ledger.db"
    with Ledger.open(f"sqlite:///{path}", secret_key=TEST_KEY, pool_size=1) as ledger:
        ledger.migrate()
        # Nothing here must outlive a power failure.
        ledger.database.command("PRAGMA synchronous=OFF")
        yield ledger


@pytest.fixture
def postgres_ledger(postgres_url: str) -> Iterator[Ledger]:
    """Give a ledger on PostgreSQL."""
    with Ledger.open(postgres_url, secret_key=TEST_KEY, pool_size=1) as ledger:
        yield ledger
