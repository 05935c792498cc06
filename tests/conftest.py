"""What all tests share: the servers of the run, a database and a virtual host for each test that asks."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debian import MissingServers
from tests.support.postgres import create_database, drop_databases
from tests.support.processes import ServerFailed
from tests.support.rabbitmq import RabbitServer
from tests.support.services import FOLDER_VARIABLE, Services

#: Real servers are asked only where their addresses are given.
collect_ignore = [] if any(name.startswith("BRIDGE_LIVE_") for name in os.environ) else ["live"]

_RUN = pytest.StashKey[Services]()
_NUMBERS = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    # Worker processes find the folder of their run in the environment; a run of its own begins one.
    if hasattr(config, "workerinput"):
        return
    os.environ[FOLDER_VARIABLE] = ""
    _forget_settings()


def _forget_settings() -> None:
    """Keep the settings of whoever starts the tests out of them."""
    for name in list(os.environ):
        if name.startswith("BRIDGE_") and not name.startswith(
            ("BRIDGE_TEST_", "BRIDGE_CHAOS_", "BRIDGE_LIVE_")
        ):
            del os.environ[name]


def pytest_sessionstart(session: pytest.Session) -> None:
    if not os.environ.get(FOLDER_VARIABLE):
        services = Services.new_run()
        session.config.stash[_RUN] = services
        os.environ[FOLDER_VARIABLE] = str(services.folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if services := config.stash.get(_RUN, None):
        services.stop()


@pytest.fixture(scope="session")
def services() -> Services:
    """Give the servers of this run; each is started by the first test that needs it."""
    return Services(Path(os.environ[FOLDER_VARIABLE]))


@pytest.fixture(scope="session")
def postgres_server_url(services: Services) -> str:
    """Give the address of the run's PostgreSQL server."""
    try:
        return services.postgres_server_url()
    except (MissingServers, ServerFailed) as exc:
        pytest.exit(str(exc), returncode=2)


@pytest.fixture(scope="session")
def ledger_template(services: Services, postgres_server_url: str) -> str:
    """Give the name of a database with the ledger's newest schema, made once per run."""
    return services.template("template", _migrate)


@pytest.fixture
def postgres_url(services: Services, postgres_server_url: str, ledger_template: str) -> Iterator[str]:
    """Give the address of a database of this test's own, with the ledger's newest schema."""
    name = f"{services.prefix}{os.getpid()}_{next(_NUMBERS)}"
    yield create_database(postgres_server_url, name, template=ledger_template)
    drop_databases(postgres_server_url, name)


@pytest.fixture(scope="session")
def broker(services: Services) -> RabbitServer:
    """Give the run's RabbitMQ."""
    try:
        return services.broker()
    except (MissingServers, ServerFailed) as exc:
        pytest.exit(str(exc), returncode=2)


@pytest.fixture
def broker_url(services: Services, broker: RabbitServer) -> Iterator[str]:
    """Give the address of a virtual host of this test's own."""
    name = f"{services.prefix}{os.getpid()}_{next(_NUMBERS)}"
    yield broker.create_vhost(name)
    broker.delete_vhost(name)


def _migrate(url: str) -> None:
    from bridge.ledger import Ledger

    ledger = Ledger.open(url)
    try:
        ledger.migrate()
    finally:
        ledger.close()
