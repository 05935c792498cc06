"""The worker as Celery's own tools see it, on pytest-celery's setup."""

from __future__ import annotations

import pytest
from celery import Celery
from pytest_celery import CeleryBrokerCluster, CeleryTestBroker, CeleryTestWorker

from bridge.topology import RUN_JOB_TASK, TASK_QUEUES
from tests.integration.celery_nodes import Node, WorkerNode
from tests.integration.conftest import World, wait_for

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.fixture
def celery_broker_cluster(world: World) -> CeleryBrokerCluster:
    """Give the virtual host of this test as the broker of the setup."""
    address = {"url": world.broker_url, "host_url": world.broker_url}
    return CeleryBrokerCluster(CeleryTestBroker(Node("broker", address)))  # type: ignore[arg-type]


@pytest.fixture
def celery_backend_cluster() -> None:
    """Give none: what became of a job is in the ledger."""


@pytest.fixture
def celery_backend_cluster_config() -> None:
    """Give none, as above."""


@pytest.fixture
def celery_worker(world: World, celery_setup_app: Celery) -> CeleryTestWorker:
    """Give a worker process of the bridge."""
    return CeleryTestWorker(WorkerNode(world), celery_setup_app)  # type: ignore[arg-type]


def test_celerys_own_commands_reach_the_worker_and_show_one_task_on_our_queues(celery_setup) -> None:
    assert celery_setup.ready(control=True)
    inspect = celery_setup.app.control.inspect()
    (tasks,) = inspect.registered().values()
    assert tasks == [RUN_JOB_TASK]
    (queues,) = inspect.active_queues().values()
    assert {queue["name"] for queue in queues} == set(TASK_QUEUES)
    (stats,) = inspect.stats().values()
    assert "thread" in stats["pool"]["implementation"]


def test_a_worker_that_is_killed_and_started_again_takes_its_job_up_once(celery_setup, world: World) -> None:
    (job_id,) = world.want_gated("a")
    wait_for(lambda: world.started("a") == 1, what="the job has started")
    celery_setup.worker.kill()
    assert celery_setup.worker.container.status == "exited"
    celery_setup.worker.restart()
    wait_for(lambda: world.started("a") == 2, what="the job is taken up again")
    world.open_gate("a")
    world.wait_done(1)
    assert [one.outcome for one in world.ledger.jobs.attempts(job_id)] == ["lost", "done"]
    celery_setup.worker.assert_log_does_not_exist("Traceback", timeout=1)
