"""Processes and ports of private servers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class ServerFailed(RuntimeError):
    """A private server did not come up."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
