"""Debian's packages of the servers that the tests need: found, or installed without starting anything."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: The one line that a person without root rights passes on to an administrator.
APT_LINE = "apt-get update && apt-get install -y --no-install-recommends rabbitmq-server postgresql"
RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
#: Debian's script that asks whether a package may start its service; 101 says no.
_POLICY = Path("/usr/sbin/policy-rc.d")


class MissingServers(RuntimeError):
    """A server is not installed and may not be installed by this user."""


def postgres_bin() -> Path | None:
    """Return the folder of the newest installed PostgreSQL's programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def ensure_installed() -> None:
    """Install PostgreSQL and RabbitMQ where they are missing and this user may.

    Raises:
        MissingServers: they are missing and only an administrator can install them.
    """
    if postgres_bin() and RABBITMQ_SERVER.exists():
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise MissingServers(f"PostgreSQL and RabbitMQ are needed. As root: {APT_LINE}")
    with _one_at_a_time():
        if not (postgres_bin() and RABBITMQ_SERVER.exists()):  # Else another process was first.
            _install()


def _install() -> None:
    print("Installing PostgreSQL and RabbitMQ from Debian's packages ...", file=sys.stderr, flush=True)
    with _no_services_started():
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            ["sh", "-c", APT_LINE], env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode or not (postgres_bin() and RABBITMQ_SERVER.exists()):
        last = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise MissingServers(f"The packages could not be installed. As root: {APT_LINE}\n{last}")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for other test processes that install: apt would refuse, and the policy kept would be the other's."""
    folder = os.open(_POLICY.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Keep packages from starting system services meanwhile, and leave the machine's policy as it was."""
    saved = _POLICY.read_bytes() if _POLICY.exists() else None
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if saved is None:
            _POLICY.unlink(missing_ok=True)
        else:
            _POLICY.write_bytes(saved)
