from __future__ import annotations

import secrets
import threading

import pytest

from bridge.bootstrap import make_runtime
from bridge.ledger import Ledger, Lengths, Want
from bridge.settings import Settings
from consumers.embedded import Embedded
from consumers.receiving import Message
from schemas.events import new_event

SHOP = {"base_url": "http://127.0.0.1:9", "odoo_url": "http://127.0.0.1:9", "odoo_db": "o", "odoo_user": "u"}
SETTINGS = Settings(_env_file=None, worker_threads=4, dispatch_interval_seconds=0.1)


@pytest.fixture
def ledger(tmp_path):
    lengths = Lengths(message_patience_seconds=0.5)
    opened = Ledger.open(
        f"sqlite:///{tmp_path}/ledger.db", secret_key=secrets.token_urlsafe(32), lengths=lengths
    )
    opened.migrate()
    opened.instances.add("shop", SHOP, {})
    yield opened
    opened.close()


def wait_done(ledger, number):
    pause = threading.Event()
    for _ in range(2000):
        if ledger.jobs.counts() == {"done": number}:
            return
        pause.wait(0.01)
    raise AssertionError(ledger.jobs.counts())


def test_published_events_become_done_jobs_in_one_process(ledger):
    with Embedded(ledger, SETTINGS) as bridge:
        events = [new_event("magento.connection.tested", "shop", record_id=one) for one in range(1, 121)]
        assert bridge.publish(events) == 120
        assert ledger.events.count() == 120  # Stored when publish returns.
        wait_done(ledger, 120)
        assert len(ledger.processes.alive("embedded")) == 1
    assert ledger.processes.alive("embedded") == []


def test_bad_input_becomes_a_dead_event_here_too(ledger):
    with Embedded(ledger, SETTINGS) as bridge:
        assert bridge.receive([Message(body=b"{")]).dead == 1
    assert len(ledger.events.dead()) == 1


def test_jobs_made_otherwise_are_run_as_well(ledger):
    with Embedded(ledger, SETTINGS) as bridge:
        ledger.jobs.want([Want(instance="shop", kind="noop", entity="1", queue="upkeep")])
        bridge.poke()
        wait_done(ledger, 1)


def test_the_jobs_of_a_process_that_died_are_taken_up_at_once(ledger):
    dead = make_runtime(ledger, SETTINGS)
    ledger.jobs.want(
        [Want(instance="shop", kind="noop", entity=str(one), queue="upkeep") for one in range(3)]
    )
    # No process has this number: the largest on Linux is 2**22.
    dead_name = "embedded:99999999:"
    ledger.processes.beat(dead_name, "embedded")
    for job_id, _queue in ledger.jobs.dispatch({"upkeep": 3}, limit=3):
        assert ledger.jobs.claim(job_id, worker=dead_name, max_runtime_seconds=300)
    assert ledger.jobs.counts() == {"running": 3}
    with Embedded(ledger, SETTINGS):
        wait_done(ledger, 3)
    assert [len(ledger.jobs.attempts(job.id)) for job in ledger.jobs.list()] == [2, 2, 2]
    dead.close()


def test_the_jobs_of_a_process_that_lives_are_left_alone(ledger):
    import os

    parent = f"embedded:{os.getppid()}:"
    ledger.processes.beat(parent, "embedded")
    ledger.jobs.want([Want(instance="shop", kind="noop", entity="1", queue="upkeep")])
    ((job_id, _queue),) = ledger.jobs.dispatch({"upkeep": 1}, limit=1)
    assert ledger.jobs.claim(job_id, worker=parent, max_runtime_seconds=300)
    with Embedded(ledger, SETTINGS) as bridge:
        bridge.publish([new_event("odoo.connection.tested", "shop", record_id=7)])
        pause = threading.Event()
        for _ in range(1000):
            if ledger.jobs.counts().get("done") == 1:
                break
            pause.wait(0.01)
        assert ledger.jobs.counts() == {"running": 1, "done": 1}
