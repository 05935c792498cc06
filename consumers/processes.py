"""Starts the Celery processes as ``bridge worker``, ``bridge beat`` and ``bridge flower`` do: rightly configured."""

from __future__ import annotations

import os
from urllib.parse import urlsplit, urlunsplit

from bridge.bootstrap import refuse_embedded
from bridge.settings import Settings
from consumers.worker import Role

#: Flower shows names and timings of tasks to whoever reaches it: to this machine only, unless told otherwise.
FLOWER_ADDRESS = "127.0.0.1"
FLOWER_PORT = 5555


def run_worker(settings: Settings, *, role: Role = "all", arguments: tuple[str, ...] = ()) -> int:
    """Run a worker until it is told to end; return its exit status.

    Raises:
        ConfigurationError: the settings name a throwaway ledger or broker.
    """
    refuse_embedded(settings, what="A worker")
    name = f"--hostname={role}-{os.getpid()}@%h"
    return _celery(["worker", f"--role={role}", name, "--loglevel=INFO", *arguments])


def run_beat(settings: Settings, *, arguments: tuple[str, ...] = ()) -> int:
    """Run beat until it is told to end; return its exit status. Raises as ``run_worker``."""
    refuse_embedded(settings, what="Beat")
    return _celery(["beat", "--pidfile=", "--loglevel=INFO", *arguments])


def run_flower(
    settings: Settings, *, address: str = FLOWER_ADDRESS, port: int = FLOWER_PORT, broker_api: str | None = None,
    arguments: tuple[str, ...] = (),
) -> int:  # fmt: skip
    """Run Flower until it is told to end; return its exit status. Raises as ``run_worker``.

    ``broker_api`` is the address of RabbitMQ's management API, without user and password: these are the
    broker's, and go to Flower by the environment, since arguments can be seen by others.
    """
    refuse_embedded(settings, what="Flower")
    if broker_api:
        os.environ["FLOWER_BROKER_API"] = _with_user(broker_api, settings.broker_url)
    return _celery(["flower", f"--address={address}", f"--port={port}", "--logging=warning", *arguments])


def _celery(arguments: list[str]) -> int:
    from celery.bin.celery import main  # noqa: PLC0415 - it reads the configuration when imported

    os.environ["CELERY_APP"] = "consumers.app"
    import sys  # noqa: PLC0415

    sys.argv = ["celery", "--app=consumers.app", *arguments]
    try:
        return int(main() or 0)
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else 1


def _with_user(api: str, broker_url: str) -> str:
    parts, broker = urlsplit(api), urlsplit(broker_url)
    user = broker.netloc.rpartition("@")[0] or "guest:guest"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{user}@{host}", parts.path or "/api/", "", ""))
