"""A private PostgreSQL server for one run of the tests, and databases made in a moment from a template."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from tests.support import debian, docker
from tests.support.processes import ServerFailed, end, end_group, free_port, spawn, wait_until

#: A crash may lose a test's data, never anything else.
_FAST = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
_DURABLE = "fsync = on\nsynchronous_commit = on\nfull_page_writes = on\nmax_wal_size = 2GB\n"


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A running server that this run started."""

    url: str
    pid: int = 0
    data: str = ""
    container: str = ""

    def stop(self) -> None:
        """Stop the server at once; its data is thrown away afterwards."""
        if self.container:
            docker.remove(self.container)
            return
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """End the server as a loss of power does, but for the disk: what it had committed durably is kept."""
        if self.container:
            docker.restart(self.container)
        else:
            self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        postmaster = Path(self.data) / "postmaster.pid"
        if postmaster.exists():
            end(int(postmaster.read_text().split()[0]), first=how)
        end_group(self.pid)


def start_postgres(folder: Path, *, durable: bool = False) -> PostgresServer:
    """Start a private server with its data in ``folder``.

    ``durable`` waits for the disk at every commit, as a production server does: for measurements.
    """
    if docker.answers() and (server := _in_docker(durable=durable)):
        return server
    debian.ensure_installed()
    last: ServerFailed | None = None
    for turn in range(3):  # Another process may take the free port first.
        try:
            return _private(folder / f"postgres-{turn}", durable=durable)
        except ServerFailed as exc:
            last = exc
    raise ServerFailed(f"PostgreSQL did not start: {last}")


def _private(folder: Path, *, durable: bool) -> PostgresServer:
    programs = debian.postgres_bin()
    assert programs is not None
    folder.mkdir(mode=0o700, parents=True)
    password, port = secrets.token_hex(16), free_port()
    password_file = folder / "password"
    password_file.write_text(password)
    data = folder / "data"
    if os.geteuid() == 0:
        for path in (folder, password_file):
            shutil.chown(path, "postgres", "postgres")
    initialise = [
        *_as_server(), programs / "initdb", "--pgdata", data, "--username=bridge", "--auth=scram-sha-256",
        f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
    ]  # fmt: skip
    done = subprocess.run(
        [str(part) for part in initialise], capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise ServerFailed(done.stderr.strip()[-500:])
    password_file.unlink()
    with (data / "postgresql.conf").open("a") as config:
        config.write(
            f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n"
            f"max_connections = 300\nshared_buffers = 128MB\n" + (_DURABLE if durable else _FAST)
        )
    return _run(f"postgresql://bridge:{password}@127.0.0.1:{port}/postgres", data)


def start_again(server: PostgresServer) -> PostgresServer:
    """Start a server that has crashed, with its data, on the same port."""
    if server.container:
        wait_until(lambda: _answers(server.url), what="PostgreSQL in Docker", seconds=90)
        return server
    return _run(server.url, Path(server.data))


def _run(url: str, data: Path) -> PostgresServer:
    programs = debian.postgres_bin()
    assert programs is not None
    log = data.parents[1] / "postgres.log"
    pid = spawn([*_as_server(), programs / "postgres", "-D", data], log=log)
    server = PostgresServer(url=url, pid=pid, data=str(data))
    try:
        wait_until(lambda: _answers(url), what="PostgreSQL", seconds=60, pid=pid)
    except BaseException:
        server.stop()
        raise
    return server


def _as_server() -> list[str]:
    # initdb and postgres refuse to run as root.
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def _in_docker(*, durable: bool) -> PostgresServer | None:
    password = secrets.token_hex(16)
    settings = ["-c", "max_connections=300"]
    if not durable:
        settings += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    started = docker.run(
        "postgres:15",
        port=5432,
        environment={"POSTGRES_USER": "bridge", "POSTGRES_PASSWORD": password},
        arguments=settings,
    )
    if started is None:
        return None
    container, port = started
    url = f"postgresql://bridge:{password}@127.0.0.1:{port}/postgres"
    wait_until(lambda: _answers(url), what="PostgreSQL in Docker", seconds=90)
    return PostgresServer(url=url, container=container)


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.Error:
        return False


def database_url(server_url: str, name: str) -> str:
    """Return the address of database ``name`` on the server of ``server_url``."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def create_database(server_url: str, name: str, *, template: str | None = None) -> str:
    """Create database ``name``, as a copy of ``template`` if given, and return its address."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)
    return database_url(server_url, name)


def drop_databases(server_url: str, prefix: str) -> None:
    """Drop every database whose name begins with ``prefix``, whoever is connected to it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        names = connection.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix,)
        ).fetchall()
        for (name,) in names:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
