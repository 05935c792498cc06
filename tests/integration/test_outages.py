"""The broker goes away and comes back; the ledger goes away and comes back; nothing is lost or done twice."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from consumers.topology import provision
from producers.publisher import Publisher, PublishFailed
from schemas.events import new_event
from tests.integration.conftest import World, wait_for
from tests.support.rabbitmq import start_again, start_rabbitmq

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.fixture
def own_broker(services):
    """Give a broker that this test may stop: the shared one has other guests."""
    server = start_rabbitmq(services.own_folder())
    servers = [server]
    yield servers
    servers[-1].stop()


def test_the_bridge_comes_back_after_a_restart_of_the_broker(own_broker, world):
    server = own_broker[0]
    url = server.create_vhost("bridge")
    provision(url)
    moved = World(world.ledger, world.database_url, url, world.secret_key, world.folder)
    try:
        worker = moved.worker("all")
        moved.publish(*range(1, 51))
        moved.want_gated("a")
        wait_for(lambda: moved.started("a") == 1, what="a job runs")
        server.shut_down()
        with Publisher(url, limit_seconds=1.0) as publisher:
            event = new_event("magento.connection.tested", "shop", record_id=99)
            with pytest.raises(PublishFailed) as caught:
                publisher.publish([event])
            assert caught.value.event_ids == (event.id,)
            own_broker.append(start_again(server))
            publisher.publish([event])
        # The job that ran meanwhile ends as if nothing had been.
        moved.open_gate("a")
        moved.publish(*range(51, 101))
        moved.wait_done(101, seconds=60)
        assert worker.process.poll() is None
        jobs = moved.ledger.jobs.list(limit=200)
        assert sorted(int(job.entity) for job in jobs if job.kind == "noop") == list(range(1, 101))
        assert moved.started("a") == 1
    finally:
        for child in moved.children:
            child.close()


def test_while_the_ledger_is_down_events_wait_in_the_broker(world, postgres_server_url):
    name = make_url(world.database_url).database
    worker = world.worker("all")
    world.publish(1)
    world.wait_done(1)
    with psycopg.connect(postgres_server_url, autocommit=True) as server:
        _allow(server, name, is_allowed=False)
        world.publish(*range(2, 52))
        wait_for(lambda: "intake_waits_for_ledger" in worker.log, what="intake notices")
        wait_for(lambda: world.messages_in("bridge.intake") == 50, what="the events are back in the queue")
        with world.channel() as channel:
            assert channel.queue_declare("bridge.intake", passive=True).method.consumer_count == 0
        _allow(server, name, is_allowed=True)
    wait_for(lambda: _answers(world), what="the ledger is back")
    world.wait_done(51)
    assert world.ledger.events.dead() == []
    assert worker.process.poll() is None


def _allow(server, name, *, is_allowed):
    answer = sql.SQL("true" if is_allowed else "false")
    server.execute(
        sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(sql.Identifier(name), answer)
    )
    if not is_allowed:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))


def _answers(world):
    try:
        return world.ledger.now()
    except Exception:
        return None


def test_a_worker_started_before_its_ledger_waits_for_it(world, postgres_server_url):
    name = make_url(world.database_url).database
    with psycopg.connect(postgres_server_url, autocommit=True) as server:
        _allow(server, name, is_allowed=False)
        child = world.spawn("celery", "-A", "consumers.app", "worker", "-n", "early@localhost")
        wait_for(lambda: "worker_waits" in child.log, what="the worker waits")
        _allow(server, name, is_allowed=True)
    wait_for(lambda: _answers(world), what="the ledger is back")
    world.publish(1)
    world.wait_done(1)
    assert child.process.poll() is None
