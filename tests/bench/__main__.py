"""``python -m tests.bench``: measures and prints."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence

import psycopg

from bridge.errors import BridgeError
from tests.bench import catalog, ledger_costs, orders, pipeline, stock
from tests.support.rabbitmq import given_server
from tests.support.services import BROKER_API_VARIABLE, BROKER_VARIABLE, POSTGRES_VARIABLE

PAIRS = 7
PARTS = ("pipeline", "orders", "ledger", "catalog", "stock")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="for CI: fewer of everything")
    parser.add_argument("--threads", type=int, default=8, help="threads of every worker (-c)")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part only")
    arguments = parser.parse_args()
    if not (os.environ.get(POSTGRES_VARIABLE) and os.environ.get(BROKER_VARIABLE)):
        print("Run it by make bench: it needs a PostgreSQL and a RabbitMQ.", file=sys.stderr)
        return 2
    for name in [name for name in os.environ if name.startswith("BRIDGE_") and "_TEST_" not in name]:
        del os.environ[name]  # The settings of whoever runs this are not measured.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # It is a real stream here.
    started = time.monotonic()
    try:
        is_good = _measure(arguments.only or PARTS, short=arguments.short, threads=arguments.threads)
    except (RuntimeError, BridgeError, OSError) as exc:
        print(f"It could not be measured: {exc}", file=sys.stderr)
        return 2
    print(f"\nDone in {time.monotonic() - started:.0f} s.")
    return 0 if is_good else 1


def _measure(parts: Sequence[str], *, short: bool, threads: int) -> bool:
    """Print everything; return whether all that is no noise is as it must be."""
    _print_machine()
    is_good = True
    if "pipeline" in parts:
        jobs, tasks = (1500, 3000) if short else (4000, 8000)
        pipeline.measure(threads=threads, pairs=PAIRS, jobs=jobs, tasks=tasks)
    if "orders" in parts:
        orders_each, watched = (74, 1_000) if short else (148, 10_000)
        is_good &= orders.measure(threads=threads, pairs=PAIRS, orders=orders_each, watched=watched)
    if "ledger" in parts:
        is_good &= ledger_costs.measure(many=100_000 if short else 1_000_000)
    if "catalog" in parts:
        is_good &= catalog.measure(threads=threads, rounds=3, products=500 if short else 5_000)
    if "stock" in parts:
        is_good &= stock.measure(threads=threads, sizes=stock.SHORT if short else stock.LONG)
    return is_good


def _print_machine() -> None:
    print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"load before the start (1, 5, 15 minutes): {load}")
    with psycopg.connect(os.environ[POSTGRES_VARIABLE]) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()[0]  # type: ignore[index]
            for name in ("server_version", "fsync", "synchronous_commit", "full_page_writes")
        }
    version = shown.pop("server_version").split()[0]
    print(f"PostgreSQL {version}, " + ", ".join(f"{name} {value}" for name, value in shown.items()))
    broker = given_server(os.environ[BROKER_VARIABLE], os.environ.get(BROKER_API_VARIABLE))
    overview = broker.api("GET", "/api/overview")
    print(f"RabbitMQ {overview['rabbitmq_version']} on Erlang {overview['erlang_version']}, one node")


if __name__ == "__main__":
    sys.exit(main())
