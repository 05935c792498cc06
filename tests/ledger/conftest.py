"""Every ledger test runs on SQLite and on PostgreSQL: the same code serves both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.ledger import Ledger, Lengths
from tests.support.ledger import TEST_KEY

OpenLedger = Callable[..., Ledger]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "template.db"
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.migrate()
        ledger.database.command("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    template: Path = request.getfixturevalue("sqlite_template")
    shutil.copy(template, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def open_ledger(ledger_url: str) -> Iterator[OpenLedger]:
    opened: list[Ledger] = []

    def open_it(*, secret_key: str | None = TEST_KEY, **lengths: Any) -> Ledger:
        ledger = Ledger.open(ledger_url, secret_key=secret_key, lengths=Lengths(**lengths))
        opened.append(ledger)
        return ledger

    yield open_it
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> Ledger:
    return open_ledger()
