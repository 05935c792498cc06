"""The bridge in one process on the ledger named by the environment, for tests that kill it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from bridge.ledger import Ledger
from bridge.settings import Settings
from consumers.embedded import Embedded
from tests.chaos.world import LENGTHS, SECRET_KEY

ROOT = Path(__file__).parents[2]
SETTINGS = Settings(
    backoff_unit_seconds=LENGTHS.backoff_unit_seconds,
    lease_seconds=LENGTHS.lease_seconds,
    dispatch_interval_seconds=0.05,
)
THREADS = 4


class EmbeddedWorker:
    """An embedded bridge in a process of its own."""

    def __init__(self, database_url: str, log: Path) -> None:
        environment = {
            **os.environ,
            "BRIDGE_DATABASE_URL": database_url,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.embedded_worker"],
                cwd=log.parent,
                env=environment,
                stdout=output,
                stderr=output,
            )

    def insist_on_life(self) -> None:
        """Insist that it did not end by itself."""
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def kill(self) -> None:
        """End it as the kernel does: no handler runs."""
        self.process.kill()
        self.process.wait(timeout=30)


def main() -> int:
    """Run until SIGTERM, or until the test that started it is gone."""
    ended = threading.Event()
    parent = os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ledger = Ledger.open(os.environ["BRIDGE_DATABASE_URL"], secret_key=SECRET_KEY, lengths=LENGTHS)
    with Embedded(ledger, SETTINGS, threads=THREADS):
        while not ended.wait(0.5) and os.getppid() == parent:
            pass
    ledger.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
