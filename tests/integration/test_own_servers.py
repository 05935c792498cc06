"""Servers that several test processes start at the same moment do not get in each other's way."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support import processes
from tests.support.postgres import PostgresServer, create_database, start_postgres
from tests.support.rabbitmq import RabbitServer, start_rabbitmq
from tests.support.services import Services

AT_ONCE = 2
#: So few that each process would take another's if it could.
FEW_PORTS = 40


def all_at_once(work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Return what ``work`` returned in each of several processes, none of which has ended meanwhile."""
    spawning = multiprocessing.get_context("spawn")
    with spawning.Manager() as manager:
        barrier = manager.Barrier(AT_ONCE)
        with ProcessPoolExecutor(AT_ONCE, mp_context=spawning) as pool:
            running = [pool.submit(_together, barrier, work, arguments) for _ in range(AT_ONCE)]
            return [one.result(timeout=150) for one in running]


def _together(barrier: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    barrier.wait(60)
    try:
        return work(*arguments)
    finally:
        barrier.wait(120)


def half_of_few_ports(first: int) -> list[int]:
    processes._server_ports = lambda: range(first, first + FEW_PORTS)  # type: ignore[assignment]
    return [processes.free_port() for _ in range(FEW_PORTS // 4)]


def own_servers(run: Path) -> tuple[PostgresServer, RabbitServer]:
    folder = Services(run).own_folder()
    return start_postgres(folder), start_rabbitmq(folder)


@pytest.mark.postgres
@pytest.mark.broker
@pytest.mark.timeout(240)
def test_servers_that_start_at_the_same_moment_all_come_up_and_are_different_ones(services: Services) -> None:
    started = all_at_once(own_servers, services.folder)
    try:
        for postgres, broker in started:
            # A name that only one of them may hold, were they the same.
            create_database(postgres.url, "own")
            broker.create_vhost("own")
            names = {one["name"] for one in broker.api("GET", "/api/vhosts")}
            assert names == {"/", "own"}
        assert len({postgres.url.rpartition("@")[2] for postgres, _ in started}) == AT_ONCE
    finally:
        for postgres, broker in started:
            postgres.stop()
            broker.stop()


def test_no_port_is_given_to_two_processes_or_to_connections() -> None:
    first = processes.free_port()
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert not low <= first <= high
    given = all_at_once(half_of_few_ports, min(first, 65535 - FEW_PORTS))
    ports = [port for some in given for port in some]
    assert len(set(ports)) == len(ports) == AT_ONCE * (FEW_PORTS // 4)
    assert first not in ports
