"""The bridge in one process on the ledger named by the environment, for tests that kill it: until it is ended."""

from __future__ import annotations

import os
import signal
import sys
import threading

from bridge.ledger import Ledger
from bridge.settings import Settings
from consumers.embedded import Embedded
from tests.chaos.world import LENGTHS, SECRET_KEY


def main() -> int:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ledger = Ledger.open(os.environ["BRIDGE_DATABASE_URL"], secret_key=SECRET_KEY, lengths=LENGTHS)
    settings = Settings(
        backoff_unit_seconds=LENGTHS.backoff_unit_seconds,
        lease_seconds=LENGTHS.lease_seconds,
        dispatch_interval_seconds=0.05,
    )
    with Embedded(ledger, settings, threads=4):
        ended.wait()
    ledger.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
