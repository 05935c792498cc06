"""PostgreSQL and RabbitMQ for one run of the tests, shared by all its processes.

Taken from ``BRIDGE_TEST_POSTGRES_URL`` and ``BRIDGE_TEST_BROKER_URL`` (its management API from
``BRIDGE_TEST_BROKER_API_URL``) where these are given; else from Docker, where an engine answers; else private
servers from Debian's packages on free ports. The first process that needs a server starts it; the end of the
run stops it, and a keeper does where the run was killed.

As a command: ``python -m tests.support.services [--durable] -- COMMAND ...`` starts both, exports the
addresses and runs COMMAND.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.support.debian import MissingServers
from tests.support.postgres import (
    PostgresServer,
    create_database,
    database_url,
    drop_databases,
    start_postgres,
)
from tests.support.processes import ServerFailed, is_alive, spawn
from tests.support.rabbitmq import RabbitServer, given_server, start_rabbitmq

POSTGRES_VARIABLE = "BRIDGE_TEST_POSTGRES_URL"
BROKER_VARIABLE = "BRIDGE_TEST_BROKER_URL"
BROKER_API_VARIABLE = "BRIDGE_TEST_BROKER_API_URL"
#: Folder of the run, passed on to its worker processes.
FOLDER_VARIABLE = "BRIDGE_TEST_FOLDER"


class Services:
    """The servers of one run. Made anew in each process of the run from the run's folder."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._durable = durable
        #: Begins the name of each database and virtual host, so that runs on one server never meet.
        self.prefix = f"bridge_{folder.name.rpartition('-')[2].lower()}_"

    @classmethod
    def new_run(cls, *, durable: bool = False) -> Services:
        """Begin a run that this process owns."""
        folder = Path(tempfile.mkdtemp(prefix="bridge-"))
        folder.chmod(0o711)  # The servers' own user must be able to pass through.
        (folder / "owner").write_text(str(os.getpid()))
        return cls(folder, durable=durable)

    def postgres_server_url(self) -> str:
        """Return the address of the server, which is started if need be."""
        given = os.environ.get(POSTGRES_VARIABLE)
        if given:
            self._remember("postgres-given", {"url": given})
            return given
        return str(self._started("postgres", self._start_postgres)["url"])

    def broker(self) -> RabbitServer:
        """Return the broker, which is started if need be."""
        given = os.environ.get(BROKER_VARIABLE)
        if given:
            server = given_server(given, os.environ.get(BROKER_API_VARIABLE))
            self._remember("rabbitmq-given", asdict(server))
            return server
        return RabbitServer(**self._started("rabbitmq", lambda: asdict(start_rabbitmq(self.folder))))

    def own_folder(self) -> Path:
        """Return a new folder for servers that one test may kill; no other process of the run has it."""
        folder = Path(tempfile.mkdtemp(prefix="own-", dir=self.folder))
        folder.chmod(0o711)  # The servers' own user must be able to pass through.
        return folder

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """Return the name of a database that ``fill`` has filled once, given its address."""
        server_url = self.postgres_server_url()
        full_name = f"{self.prefix}{name}"

        def make() -> dict[str, Any]:
            create_database(server_url, full_name)
            fill(database_url(server_url, full_name))
            return {"name": full_name}

        return str(self._started(f"template-{name}", make)["name"])

    def _start_postgres(self) -> dict[str, Any]:
        return asdict(start_postgres(self.folder, durable=self._durable))

    def _started(self, name: str, start: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with self._locked(name):
            state = self._recall(name)
            if state is None:
                self._start_keeper()
                state = start()
                self._remember(name, state)
            return state

    def _start_keeper(self) -> None:
        """Start, once, the process that cleans up when the run's owner is killed."""
        try:
            (self.folder / "keeper").touch(exist_ok=False)
        except FileExistsError:
            return
        owner = (self.folder / "owner").read_text()
        spawn(
            [sys.executable, "-m", "tests.support.services", "--keep", self.folder, owner],
            log=self.folder / "keeper.log",
            cwd=Path(__file__).parents[2],
        )

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _recall(self, name: str) -> dict[str, Any] | None:
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def _remember(self, name: str, state: Mapping[str, Any]) -> None:
        part = self.folder / f"{name}.{os.getpid()}.part"
        part.write_text(json.dumps(state))
        part.replace(self.folder / f"{name}.json")

    def stop(self) -> None:
        """Stop what this run started, drop what it made on given servers, and remove its folder."""
        if not self.folder.exists():
            return
        if state := self._recall("postgres"):
            PostgresServer(**state).stop()
        if state := self._recall("rabbitmq"):
            RabbitServer(**state).stop()
        if state := self._recall("postgres-given"):
            drop_databases(state["url"], self.prefix)
        if state := self._recall("rabbitmq-given"):
            _delete_vhosts(RabbitServer(**state), self.prefix)
        shutil.rmtree(self.folder, ignore_errors=True)


def _delete_vhosts(server: RabbitServer, prefix: str) -> None:
    for vhost in server.api("GET", "/api/vhosts"):
        if vhost["name"].startswith(prefix):
            server.delete_vhost(vhost["name"])


def keep(folder: Path, owner: int) -> None:
    """Wait for the end of process ``owner``, then stop the run's servers if it did not."""
    for one in (signal.SIGINT, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    while is_alive(owner) and folder.exists():
        time.sleep(0.5)
    Services(folder).stop()


def run_with_services(command: list[str], *, durable: bool) -> int:
    """Run ``command`` with both servers' addresses in its environment; return its exit status."""
    services = Services.new_run(durable=durable)
    try:
        environment = {**os.environ, **_addresses(services)}
        child = subprocess.Popen(command, env=environment)
        # Ctrl-C reaches the child by itself; a polite end of this process is passed on.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        return child.wait()
    except (MissingServers, ServerFailed) as exc:
        print(exc, file=sys.stderr)
        return 2
    finally:
        services.stop()


def _addresses(services: Services) -> dict[str, str]:
    found: dict[str, str] = {}
    failed: list[BaseException] = []

    def postgres() -> None:
        found[POSTGRES_VARIABLE] = services.postgres_server_url()

    def broker() -> None:
        server = services.broker()
        found[BROKER_VARIABLE], found[BROKER_API_VARIABLE] = server.url, server.api_url

    def noting_errors(start: Callable[[], None]) -> None:
        try:
            start()
        except BaseException as exc:
            failed.append(exc)

    if not (os.environ.get(POSTGRES_VARIABLE) and os.environ.get(BROKER_VARIABLE)):
        _prepare_packages()
    threads = [threading.Thread(target=noting_errors, args=(start,)) for start in (postgres, broker)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return found


def _prepare_packages() -> None:
    """Install once what both threads would otherwise install at the same time."""
    from tests.support import debian, docker

    if not docker.answers():
        debian.ensure_installed()


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.services", description=__doc__)
    parser.add_argument(
        "--durable", action="store_true", help="PostgreSQL waits for the disk (for measurements)"
    )
    parser.add_argument("--keep", nargs=2, metavar=("FOLDER", "PID"), help=argparse.SUPPRESS)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="after --: what to run")
    arguments = parser.parse_args()
    if arguments.keep:
        keep(Path(arguments.keep[0]), int(arguments.keep[1]))
        return 0
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else []
    if not command:
        parser.error("say what to run after --")
    return run_with_services(command, durable=arguments.durable)


if __name__ == "__main__":
    sys.exit(main())
