"""Celery's own test setup (pytest-celery) on plain processes: a virtual host as its broker, a worker as its node.

pytest-celery speaks of containers; what it asks of one is a handful of words, which a process knows as well. So the
same tests need no Docker.
"""

from __future__ import annotations

import signal as signals
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from tests.integration.conftest import Child, World


class Node:
    """What pytest-celery asks of every container."""

    status = "running"
    id = "localhost"

    def __init__(self, name: str, celeryconfig: dict[str, Any]) -> None:
        self.name = name
        self.celeryconfig = celeryconfig

    def ready(self) -> bool:
        return True

    def reload(self) -> None:
        """Do nothing: a process is seen as it is."""

    def logs(self) -> str:
        return ""

    def teardown(self) -> None:
        """Do nothing: the world ends its children, the fixture its virtual host."""


class WorkerNode(Node):
    """A worker process that can be killed and started again under the same name."""

    SIGNALS: ClassVar = {"SIGKILL": signals.SIGKILL, "SIGTERM": signals.SIGTERM}

    def __init__(self, world: World) -> None:
        super().__init__("worker", {"url": "", "host_url": ""})
        self._world = world
        self._child: Child = world.worker()

    @property
    def status(self) -> str:  # type: ignore[override]
        return "running" if self._child.process.poll() is None else "exited"

    def ready(self) -> bool:
        return self._world.is_alive(self._child)

    def logs(self) -> str:
        return self._child.log

    def kill(self, signal: str | int = "SIGKILL") -> None:
        self._child.process.send_signal(self.SIGNALS[str(signal)])
        self._child.process.wait(timeout=30)

    def restart(self, timeout: int) -> None:
        self._child.close()
        self._child = self._world.worker()
