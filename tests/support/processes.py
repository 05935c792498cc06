"""Processes and ports of private servers."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class ServerFailed(RuntimeError):
    """A private server did not come up."""


#: Ports below are other people's.
_FIRST_PORT = 10240
_PORTS_TRIED = 1000
#: By port, what says to the other processes of the machine that it is this one's.
_OWN_PORTS: dict[int, socket.socket] = {}


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free, and that no other process is given while this one lives.

    It is none of those that the system gives to connections: one of them could take it before its server does, or
    while its server is down. A client that tries for a server that is down would even connect to itself.
    """
    ports = _server_ports()
    for port in random.SystemRandom().sample(ports, min(len(ports), _PORTS_TRIED)):
        if port not in _OWN_PORTS and (claim := _claimed(port)) is not None:
            _OWN_PORTS[port] = claim
            return port
    raise ServerFailed("No port of 127.0.0.1 is free.")


def _server_ports() -> range:
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    below, above = range(_FIRST_PORT, first), range(last + 1, 65536)
    return max(below, above, key=len) or range(_FIRST_PORT, 65536)


def _claimed(port: int) -> socket.socket | None:
    # A name without a file: it goes with its process, however that ends.
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0bridge-test-port-{port}")
        with socket.socket() as probe:
            # As servers do: a connection that was closed a moment ago is in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        claim.close()
        return None
    return claim


#: Processes that this one has started; they outlive the objects that asked for them.
_STARTED: list[subprocess.Popen[bytes]] = []


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> int:
    """Start ``command`` in a session of its own, so that Ctrl-C does not reach it, and return its pid."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
        )
    _STARTED.append(child)
    return child.pid


def is_alive(pid: int) -> bool:
    """Return whether process ``pid`` runs; a child that has ended is reaped."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False


def end(pid: int, *, first: signal.Signals = signal.SIGTERM, patience_seconds: float = 15.0) -> None:
    """End ``pid`` politely, then for certain with everything in its session."""
    if not is_alive(pid):
        return
    os.kill(pid, first)
    deadline = time.monotonic() + patience_seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    end_group(pid)


def end_group(pid: int) -> None:
    """Kill the process group that ``pid`` leads."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
    deadline = time.monotonic() + 5.0
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def wait_until(
    condition: Callable[[], object], *, what: str, seconds: float = 60.0, pid: int | None = None
) -> None:
    """Wait until ``condition`` holds; ``pid`` is the server whose end makes waiting useless."""
    deadline = time.monotonic() + seconds
    while not condition():
        if pid is not None and not is_alive(pid):
            raise ServerFailed(f"{what} ended while starting.")
        if time.monotonic() > deadline:
            raise ServerFailed(f"{what} did not come up within {seconds:g} s.")
        time.sleep(0.05)
