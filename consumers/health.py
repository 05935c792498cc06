"""Says whether a process of this machine works: ``python -m consumers.health ROLE``, for containers and watchdogs.

It asks the ledger when the process last said that it was alive, not the operating system: a worker that hangs,
or one that lost its ledger, is up but not well.
"""

from __future__ import annotations

import argparse
import socket
import sys
from typing import get_args

from bridge.bootstrap import open_ledger
from bridge.errors import BridgeError
from bridge.ledger import Process
from bridge.settings import process_settings
from consumers.worker import Role

#: Roles that can be asked for.
ROLES = (*get_args(Role), "beat")


def healthy(processes: list[Process], *, host: str, role: str) -> bool:
    """Return whether one of ``processes``, which are alive, has this role on this host."""
    return any(one.role == role and one.name.startswith(f"{host}:") for one in processes)


def main() -> int:
    """Exit 0 if the process is well, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m consumers.health", description=main.__doc__)
    parser.add_argument("role", choices=ROLES)
    role = parser.parse_args().role
    try:
        with open_ledger(process_settings()) as ledger:
            is_well = healthy(ledger.processes.alive(role), host=socket.gethostname(), role=role)
    except BridgeError as exc:
        sys.stderr.write(f"{exc.message}\n")
        return 1
    if not is_well:
        sys.stderr.write(f"No process of role {role} on this machine has said that it is alive.\n")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
