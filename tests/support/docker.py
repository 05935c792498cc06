"""Servers in Docker, where an engine answers."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Mapping, Sequence


@functools.lru_cache(maxsize=1)
def answers() -> bool:
    """Return whether a Docker engine answers on this machine."""
    return shutil.which("docker") is not None and _call("info", "--format", "{{.ID}}", seconds=10) is not None


def run(
    image: str,
    *,
    port: int,
    environment: Mapping[str, str],
    arguments: Sequence[str] = (),
    extra_ports: Sequence[int] = (),
) -> tuple[str, int] | None:
    """Start ``image`` and return its container's id and the port of 127.0.0.1 for ``port``.

    None where the image cannot be had: then another way must be found.
    """
    options = [f"--env={name}={value}" for name, value in environment.items()]
    options += [f"--publish=127.0.0.1::{one}" for one in (port, *extra_ports)]
    container = _call("run", "--detach", "--rm", *options, image, *arguments, seconds=300)
    if container is None:
        return None
    return container, published(container, port)


def published(container: str, port: int) -> int:
    """Return the port of 127.0.0.1 that leads to ``port`` of ``container``."""
    shown = _call("port", container, str(port), seconds=10) or ""
    return int(shown.splitlines()[0].rpartition(":")[2])


def restart(container: str) -> None:
    """Restart ``container``; its data stays."""
    _call("restart", container, seconds=60)


def remove(container: str) -> None:
    """Remove ``container`` with its data."""
    _call("rm", "--force", "--volumes", container, seconds=60)


def _call(*arguments: str, seconds: float) -> str | None:
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, timeout=seconds, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
