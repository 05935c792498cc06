"""Workers, beat and Flower as people start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from consumers.schedules import SCHEDULES
from tests.integration.conftest import ROOT, wait_for
from tests.support.processes import free_port

pytestmark = [pytest.mark.timeout(120)]


def celery(tmp_path, *arguments, **settings):
    """Run celery to its end where no setting of ours is in the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    environment.update(settings, PYTHONPATH=str(ROOT))
    return subprocess.run(
        [sys.executable, "-m", "celery", "-A", "consumers.app", *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"BRIDGE_DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:1/bridge"},
        {"BRIDGE_BROKER_URL": "amqp://user:hunter2@127.0.0.1:1/"},
    ],
)
@pytest.mark.parametrize("command", ["worker", "beat", "flower"])
def test_plain_celery_refuses_a_throwaway_ledger_or_broker(tmp_path, command, settings):
    done = celery(tmp_path, command, **settings)
    assert done.returncode == 2
    assert "BRIDGE_DATABASE_URL and BRIDGE_BROKER_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_cannot_be_used_is_named_without_its_value(tmp_path):
    settings = {
        "BRIDGE_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x",
        "BRIDGE_BROKER_URL": "amqp://u:hunter2@127.0.0.1:1/",
        "BRIDGE_WORKER_THREADS": "hunter2",
    }
    done = celery(tmp_path, "worker", **settings)
    assert (done.returncode, "BRIDGE_WORKER_THREADS" in done.stderr) == (2, True)
    assert "hunter2" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.postgres
@pytest.mark.broker
def test_a_worker_refuses_a_pool_that_jobs_cannot_wait_in(world):
    child = world.spawn(
        "celery", "-A", "consumers.app", "worker", "--pool", "processes", "-n", "forks@localhost"
    )
    assert child.process.wait(timeout=60) == 2
    assert "Leave --pool out" in child.log


@pytest.mark.postgres
@pytest.mark.broker
def test_a_worker_refuses_a_wrong_secret_key(world):
    world.secret_key = "another-key-than-the-ledger-has"
    child = world.spawn("celery", "-A", "consumers.app", "worker", "-n", "wrong@localhost")
    assert child.process.wait(timeout=60) == 2
    assert "Traceback" not in child.log


@pytest.mark.postgres
@pytest.mark.broker
def test_the_bridge_command_runs_a_worker_and_a_beat_that_their_health_checks_find(world):
    bridge = ["-c", "import bridge.cli; bridge.cli.main()"]
    children = [world.run(*bridge, "worker", "--role", "all"), world.run(*bridge, "beat")]
    world.publish(1)
    wait_for(lambda: world.ledger.jobs.counts().get("done") == 1, what="the job is done", seconds=60)
    wait_for(lambda: len(world.ledger.processes.alive()) == 2, what="both say that they are alive")
    for role, expected in (("all", 0), ("beat", 0), ("intake", 1)):
        asked = [sys.executable, "-m", "consumers.health", role]
        assert subprocess.run(asked, env=world.env, cwd=ROOT, check=False).returncode == expected, role
    assert [child.terminate() for child in children] == [0, 0]


@pytest.mark.postgres
@pytest.mark.broker
def test_two_beats_make_each_tick_once(world):
    beats = [world.spawn("celery", "-A", "consumers.app", "beat", "--pidfile=") for _ in range(2)]
    wait_for(lambda: len(world.ledger.processes.alive("beat")) == 2, what="both beats are alive")
    # The others wait until the instance has used their action, or has other settings.
    ticking = [one for one in SCHEDULES if one.after is None and one.only is None]
    wait_for(lambda: world.ledger.events.count() >= len(ticking), what="every schedule has ticked")
    assert len(world.ledger.runs.list(instance="shop")) == 1
    assert [beat.terminate() for beat in beats] == [0, 0]
    ticks = [one.event_id for one in world.ledger.events.list()]
    assert len(ticks) == len(set(ticks)) == len(ticking)


@pytest.mark.postgres
@pytest.mark.broker
def test_flower_is_well_shows_the_worker_and_no_argument_but_a_job_id(world):
    worker = world.worker("all")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    flower = world.spawn("celery", "-A", "consumers.app", "flower", "--address=127.0.0.1", f"--port={port}")

    def get(path):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                address + path, timeout=5
            ) as answer:
                return answer.read().decode()
        except OSError:
            return None

    wait_for(lambda: get("/healthcheck") == "OK", what="Flower is well")
    wait_for(lambda: "w0@localhost" in (get("/workers?json=1") or ""), what="Flower sees the worker")
    passwords = [url.partition("@")[0].rpartition(":")[2] for url in (world.broker_url, world.database_url)]
    shown = [
        get(page) or ""
        for page in ("/broker", "/workers", "/workers?json=1", "/worker/w0@localhost", "/tasks")
    ]
    listed = [Path(f"/proc/{one.pid}/cmdline").read_text(encoding="utf-8") for one in (worker, flower)]
    for secret in (*passwords, world.secret_key):
        assert secret not in "".join([*shown, *listed, flower.log, worker.log])
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address + "/api/tasks", timeout=5)
    assert worker.process.poll() is None
    assert json.loads(get("/workers?json=1"))["data"]
