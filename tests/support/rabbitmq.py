"""A private RabbitMQ node for one run of the tests, and virtual hosts on any broker by its management API."""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import pika
import pika.exceptions

from tests.support import debian, docker
from tests.support.processes import ServerFailed, end, end_group, free_port, spawn, wait_until

_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {api_port}
default_user = bridge
default_pass = {password}
log.file.level = warning
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 67108864
"""
#: A node whose schedulers sleep when idle leaves the few cores of a small machine to the tests.
_ERLANG_OPTIONS = "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"


@dataclass(frozen=True, kw_only=True)
class RabbitServer:
    """A broker and its management API; ``pid`` and ``container`` only where this run started it."""

    #: AMQP address without a virtual host at its end.
    url: str
    #: Address of the management API, with user and password.
    api_url: str
    pid: int = 0
    epmd_pid: int = 0
    folder: str = ""
    container: str = ""

    def vhost_url(self, name: str) -> str:
        """Return the AMQP address of virtual host ``name``."""
        return f"{self.url.rstrip('/')}/{quote(name, safe='')}"

    def create_vhost(self, name: str) -> str:
        """Create virtual host ``name`` and return its AMQP address."""
        self.api("PUT", f"/api/vhosts/{quote(name, safe='')}", {})
        user = urlsplit(self.url).username or "guest"
        permissions = {"configure": ".*", "write": ".*", "read": ".*"}
        self.api("PUT", f"/api/permissions/{quote(name, safe='')}/{quote(user, safe='')}", permissions)
        return self.vhost_url(name)

    def delete_vhost(self, name: str) -> None:
        """Delete virtual host ``name`` with all its queues."""
        self.api("DELETE", f"/api/vhosts/{quote(name, safe='')}")

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the management API and return its JSON answer."""
        parts = urlsplit(self.api_url)
        host = parts.netloc.rpartition("@")[2]
        request = urllib.request.Request(
            urlunsplit((parts.scheme, host, path, "", "")),
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": _basic(parts.username, parts.password),
            },
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            content = response.read()
        return json.loads(content) if content else None

    def stop(self) -> None:
        """Stop the broker at once; its data is thrown away afterwards."""
        if self.container:
            docker.remove(self.container)
            return
        for pid in (self.pid, self.epmd_pid):
            if pid:
                end_group(pid)

    def shut_down(self) -> None:
        """Stop the broker in order and keep its data, as for a restart."""
        if self.container:
            docker.restart(self.container)
        else:
            end(self.pid, patience_seconds=30)

    def kill(self) -> None:
        """End the broker as the kernel does, and keep its data, as for a restart."""
        if self.container:
            docker.restart(self.container)
        else:
            end_group(self.pid)


def given_server(url: str, api_url: str | None) -> RabbitServer:
    """Return the broker whose address the environment gives; its API is guessed where it is not given."""
    parts = urlsplit(url)
    if not api_url:
        api_url = f"http://{parts.netloc.rpartition('@')[0]}@{parts.hostname}:15672"
    return RabbitServer(url=urlunsplit((parts.scheme, parts.netloc, "", "", "")), api_url=api_url)


def start_rabbitmq(folder: Path) -> RabbitServer:
    """Start a private node with its data in ``folder``."""
    if docker.answers() and (server := _in_docker()):
        return server
    debian.ensure_installed()
    last: ServerFailed | None = None
    for turn in range(3):  # Another process may take one of the free ports first.
        try:
            return _private(folder / f"rabbitmq-{turn}")
        except ServerFailed as exc:
            last = exc
    raise ServerFailed(f"RabbitMQ did not start: {last}")


def start_again(server: RabbitServer) -> RabbitServer:
    """Start a node that was shut down or killed, with its data, on the same ports."""
    if server.container:
        wait_until(lambda: answers(server.url), what="RabbitMQ in Docker", seconds=90)
        return server
    pid = spawn(
        [debian.RABBITMQ_SERVER], log=Path(server.folder) / "output.log", env=_environment(server.folder)
    )
    wait_until(lambda: answers(server.url), what="RabbitMQ", seconds=90, pid=pid)
    return RabbitServer(
        url=server.url, api_url=server.api_url, pid=pid, epmd_pid=server.epmd_pid, folder=server.folder
    )


def _private(folder: Path) -> RabbitServer:
    folder.mkdir(mode=0o700, parents=True)
    password, port, api_port = secrets.token_hex(16), free_port(), free_port()
    (folder / "rabbitmq.conf").write_text(
        _CONFIGURATION.format(port=port, api_port=api_port, password=password)
    )
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
    (folder / "ports.json").write_text(json.dumps({"epmd": free_port(), "distribution": free_port()}))
    environment = _environment(folder)
    epmd = spawn(["epmd"], log=folder / "epmd.log", env=environment)
    pid = spawn([debian.RABBITMQ_SERVER], log=folder / "output.log", env=environment)
    server = RabbitServer(
        url=f"amqp://bridge:{password}@127.0.0.1:{port}",
        api_url=f"http://bridge:{password}@127.0.0.1:{api_port}",
        pid=pid,
        epmd_pid=epmd,
        folder=str(folder),
    )
    try:
        wait_until(lambda: answers(server.url), what="RabbitMQ", seconds=90, pid=pid)
        wait_until(lambda: _api_answers(server), what="RabbitMQ's API", seconds=30, pid=pid)
    except BaseException:
        server.stop()
        raise
    return server


def _environment(folder: Path | str) -> dict[str, str]:
    folder = Path(folder)
    ports = json.loads((folder / "ports.json").read_text())
    return {
        "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        "HOME": str(folder),  # The cookie lies here.
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",
        "RABBITMQ_NODENAME": f"bridge-{folder.parent.name.replace('_', '-')}-{folder.name}@localhost",
        "RABBITMQ_DIST_PORT": str(ports["distribution"]),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG_OPTIONS,
        "ERL_CRASH_DUMP": os.devnull,
    }


def _in_docker() -> RabbitServer | None:
    password = secrets.token_hex(16)
    environment = {"RABBITMQ_DEFAULT_USER": "bridge", "RABBITMQ_DEFAULT_PASS": password}
    started = docker.run("rabbitmq:4-management", port=5672, environment=environment, extra_ports=(15672,))
    if started is None:
        return None
    container, port = started
    server = RabbitServer(
        url=f"amqp://bridge:{password}@127.0.0.1:{port}",
        api_url=f"http://bridge:{password}@127.0.0.1:{docker.published(container, 15672)}",
        container=container,
    )
    wait_until(lambda: answers(server.url) and _api_answers(server), what="RabbitMQ in Docker", seconds=120)
    return server


def answers(url: str) -> bool:
    """Return whether a broker lets us in at ``url``."""
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # Until it does, each try would fill the log.
    parameters = pika.URLParameters(
        f"{url}/%2F?connection_attempts=1&socket_timeout=2&blocked_connection_timeout=2"
    )
    try:
        pika.BlockingConnection(parameters).close()
    except (pika.exceptions.AMQPError, OSError):
        return False
    return True


def _api_answers(server: RabbitServer) -> bool:
    try:
        server.api("GET", "/api/vhosts")
    except (OSError, urllib.error.URLError):
        return False
    return True


def _basic(user: str | None, password: str | None) -> str:
    pair = f"{unquote(user or 'guest')}:{unquote(password or 'guest')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
