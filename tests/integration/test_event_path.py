"""Published events become done jobs, each once, whatever else happens to the processes."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from celery import Celery

from bridge.topology import TASK_QUEUES
from consumers.dispatcher import Dispatcher
from consumers.sender import TaskSender
from producers.publisher import Publisher
from schemas.events import MAX_EVENT_BYTES, new_event
from tests.integration.conftest import wait_for

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.timeout(180)]


def attempts_of(world):
    return [len(world.ledger.jobs.attempts(job.id)) for job in world.ledger.jobs.list(limit=1000)]


def test_published_events_become_done_jobs(world):
    world.worker("intake")
    world.worker("tasks")
    world.publish(*range(1, 301))
    world.wait_done(300)
    assert world.ledger.events.count() == 300
    assert attempts_of(world) == [1] * 300
    assert world.messages_in("bridge.intake") == world.messages_in("bridge.dead") == 0


def test_events_of_one_record_fold_into_its_open_job_and_a_repeated_event_counts_once(world):
    repeated = new_event("magento.connection.tested", "shop", record_id=7)
    with Publisher(world.broker_url) as publisher:
        publisher.publish([repeated, repeated])
        publisher.publish(new_event("magento.connection.tested", "shop", record_id=7) for _ in range(20))
        publisher.publish([repeated])
    intake = world.worker("intake")
    wait_for(lambda: world.ledger.events.count() == 21, what="the events are stored")
    wait_for(lambda: world.messages_in("bridge.intake") == 0, what="they are acknowledged")
    (job,) = world.ledger.jobs.list()
    assert job.wanted == 21
    intake.close()
    world.worker("all")
    world.wait_done(1)


def test_a_worker_told_to_end_lets_its_running_job_end_first(world):
    (job_id,) = world.want_gated("a")
    worker = world.worker("all")
    wait_for(lambda: world.started("a") == 1, what="the job has started")
    worker.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "Warm shutdown" in worker.log, what="the worker is ending")
    assert worker.process.poll() is None
    world.open_gate("a")
    assert worker.process.wait(timeout=20) == 0
    assert [one.outcome for one in world.ledger.jobs.attempts(job_id)] == ["done"]
    assert not world.is_alive(worker)


def test_lost_task_messages_are_sent_again(world):
    sender = TaskSender(Celery(broker=world.broker_url))
    dispatcher = Dispatcher(world.ledger, sender, interval_seconds=0.1)
    world.ledger.jobs.want([])
    job_ids = world.want_gated("a", "b", "c")
    assert sender.ready()
    dispatcher.round()
    wait_for(lambda: world.messages_in("orders") == 3, what="the messages are in the queue")
    with world.channel() as channel:
        channel.queue_purge("orders")
    world.worker("tasks")
    wait_for(
        lambda: world.started("a") + world.started("b") + world.started("c") == 3, what="all have started"
    )
    for name in "abc":
        world.open_gate(name)
    world.wait_done(3)
    assert [len(world.ledger.jobs.attempts(one)) for one in job_ids] == [1, 1, 1]
    sender.close()


def test_a_message_for_a_job_that_is_not_queued_does_nothing(world):
    (job_id,) = world.want_gated("a")
    world.worker("tasks")
    wait_for(lambda: world.started("a") == 1, what="the job has started")
    sender = TaskSender(Celery(broker=world.broker_url))
    sender.ready()
    sender.send([(job_id, "orders")] * 5 + [(999_999, "orders")])
    wait_for(lambda: world.messages_in("orders") == 0, what="the messages are taken")
    world.open_gate("a")
    world.wait_done(1)
    assert world.started("a") == 1
    sender.close()


def test_two_dispatchers_and_two_intakes_do_no_harm(world):
    world.worker("all")
    world.worker("all")
    world.publish(*range(1, 401))
    world.publish(*range(401, 501), event_type="odoo.connection.tested")
    world.wait_done(500)
    assert attempts_of(world) == [1] * 500


def test_jobs_with_one_lock_never_run_at_the_same_time(world):
    world.worker("tasks")
    world.want_gated("a", "b", lock_key="order:1")
    wait_for(lambda: world.started("a") + world.started("b") == 1, what="one has started")
    first = "a" if world.started("a") else "b"
    second = "b" if first == "a" else "a"
    sender = TaskSender(Celery(broker=world.broker_url))
    sender.ready()
    sender.send([(job.id, "orders") for job in world.ledger.jobs.list()])
    wait_for(lambda: world.messages_in("orders") == 0, what="the messages are taken")
    assert world.started(second) == 0
    world.open_gate(first)
    world.open_gate(second)
    world.wait_done(2)
    sender.close()


EVENT = json.loads(new_event("magento.order.saved", "shop", record_id=42).to_bytes())
BAD_INPUT = {
    "unreadable_json": (b"{not json", {}),
    "unknown_type": (json.dumps({**EVENT, "type": "magento.order.eaten"}).encode(), {}),
    "unknown_instance": (json.dumps({**EVENT, "source": "/instances/nobody/magento"}).encode(), {}),
    "wrong_version": (json.dumps({**EVENT, "specversion": "0.3"}).encode(), {}),
    "invalid": (json.dumps({**EVENT, "data": {"id": "42"}}).encode(), {}),
    "too_large": (b'{"a": "' + b"x" * 10_000_000 + b'"}', {}),
    "wrong_encoding": (json.dumps(EVENT).encode("utf-16"), {}),
    "no_flow": (new_event("odoo.picking.done", "shop", record_id=1).to_bytes(), {}),
    "wrong_encoding, by its header": (json.dumps(EVENT).encode(), {"content_encoding": "gzip"}),
}


def test_every_bad_input_becomes_a_dead_event_and_stops_nothing(world):
    for body, properties in BAD_INPUT.values():
        world.publish_raw(body, headers={"x-publisher": "test"}, **properties)
    world.publish(1)
    world.worker("all")
    world.wait_done(1)
    wait_for(lambda: len(world.ledger.events.dead()) == len(BAD_INPUT), what="the dead events are stored")
    wait_for(lambda: world.messages_in("bridge.intake") == 0, what="they are acknowledged")
    found = sorted(world.ledger.events.dead(), key=lambda one: one.id)
    for name, dead in zip(BAD_INPUT, found, strict=True):
        whole = world.ledger.events.get_dead(dead.id)
        body = BAD_INPUT[name][0]
        assert whole.reason.startswith(name.partition(",")[0] + ": ")
        assert whole.body == body[: len(whole.body)]
        assert len(whole.body) >= min(len(body), MAX_EVENT_BYTES)
        assert whole.size == len(body)
        assert whole.headers["x-publisher"] == "test"
        assert whole.routing_key == "magento.order.saved"


def test_intake_leaves_the_task_queues_alone(world):
    world.worker("intake")
    world.want_gated("a")
    wait_for(lambda: world.messages_in("orders") == 1, what="the message is in the queue")
    with world.channel() as channel:
        consumers = [channel.queue_declare(one, passive=True).method.consumer_count for one in TASK_QUEUES]
    assert consumers == [0] * len(TASK_QUEUES)


def test_no_secret_stands_in_the_logs_or_in_the_list_of_processes(world):
    workers = [world.worker("intake"), world.worker("tasks")]
    world.publish(1)
    world.wait_done(1)
    password = world.broker_url.partition("@")[0].rpartition(":")[2]
    database_password = world.database_url.partition("@")[0].rpartition(":")[2]
    for worker in workers:
        seen = worker.log + Path(f"/proc/{worker.pid}/cmdline").read_text(encoding="utf-8")
        for secret in (password, database_password, world.secret_key):
            assert secret not in seen
