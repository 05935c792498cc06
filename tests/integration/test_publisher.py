"""The publisher library: every event confirmed, or an error."""

from __future__ import annotations

import threading
import time

import pytest

from bridge.broker import shown
from bridge.errors import ConfigurationError
from consumers.topology import provision
from producers.channel import ConfirmChannel
from producers.publisher import Publisher, PublishFailed, Unroutable
from schemas.events import new_event
from tests.integration.conftest import wait_for
from tests.support.processes import free_port

pytestmark = [pytest.mark.broker]


def events(number, event_type="magento.order.saved"):
    return [new_event(event_type, "shop", record_id=one + 1) for one in range(number)]


@pytest.fixture
def declared_url(broker_url):
    provision(broker_url)
    return broker_url


def bodies_in(url, number):
    import pika

    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    found = []
    for method, properties, body in channel.consume("bridge.intake", inactivity_timeout=10):
        if method is None:
            break
        found.append((method.routing_key, properties, body))
        channel.basic_ack(method.delivery_tag)
        if len(found) == number:
            break
    connection.close()
    return found


def test_events_arrive_whole_persistent_and_in_order(declared_url):
    sent = events(250)
    with Publisher(declared_url) as publisher:
        assert publisher.publish(sent) == 250
    found = bodies_in(declared_url, 250)
    assert [body for _, _, body in found] == [event.to_bytes() for event in sent]
    routing_key, properties, _ = found[0]
    assert (routing_key, properties.delivery_mode) == ("magento.order.saved", 2)
    assert properties.content_type == "application/cloudevents+json"


def test_an_event_that_no_queue_takes_is_an_error(broker, broker_url):
    provision(broker_url)
    with Publisher(broker_url, exchange="bridge.tasks") as publisher:
        (event,) = events(1)
        with pytest.raises(Unroutable) as caught:
            publisher.publish([event])
    assert caught.value.event_ids == (event.id,)


def test_an_exchange_that_is_not_there_is_an_error_that_says_so(broker_url):
    with (
        Publisher(broker_url, limit_seconds=1.0) as publisher,
        pytest.raises(PublishFailed, match=r"bridge\.events"),
    ):
        publisher.publish(events(1))


def test_what_the_broker_refuses_is_an_error(broker, declared_url):
    vhost = declared_url.rpartition("/")[2]
    definition = {"max-length": 1, "overflow": "reject-publish"}
    policy = {"pattern": "^bridge.intake$", "definition": definition, "apply-to": "queues"}
    broker.api("PUT", f"/api/policies/{vhost}/full", policy)
    with Publisher(declared_url, limit_seconds=2.0) as publisher:

        def refused():
            # The queue tells the channel that it is full only after it has taken some.
            try:
                publisher.publish(events(10))
            except PublishFailed as exc:
                return exc
            return None

        error = wait_for(refused, what="the full queue refuses")
    assert "refused" in error.message
    assert 0 < len(error.event_ids) <= 10


def test_a_broker_that_is_not_there_is_an_error_within_the_limit():
    url = f"amqp://user:hunter2@127.0.0.1:{free_port()}/"
    started = time.monotonic()
    with Publisher(url, limit_seconds=0.5) as publisher, pytest.raises(PublishFailed) as caught:
        publisher.publish(events(3))
    assert time.monotonic() - started < 3
    assert len(caught.value.event_ids) == 3
    assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_what_was_not_tried_after_a_failure_is_named_too():
    sent = events(250)
    with (
        Publisher(f"amqp://127.0.0.1:{free_port()}/", limit_seconds=0.5) as publisher,
        pytest.raises(PublishFailed) as caught,
    ):
        publisher.publish(iter(sent))
    assert list(caught.value.event_ids) == [event.id for event in sent]


def test_of_a_batch_that_was_returned_in_part_all_that_was_not_confirmed_is_named(monkeypatch):
    # No broker can be made to return one event and refuse another of the same batch.
    def send(_channel, batch, *, deadline):
        one, other, third = (message_id for _, message_id, _ in batch.messages)
        batch.returned.add(one)
        batch.refused.add(other)
        batch.confirmed.add(third)

    monkeypatch.setattr(ConfirmChannel, "send", send)
    sent = events(3)
    with Publisher("amqp://127.0.0.1/") as publisher, pytest.raises(Unroutable) as caught:
        publisher.publish(sent)
    assert list(caught.value.event_ids) == [event.id for event in sent[:2]]


def test_a_wrong_password_is_an_error_that_says_so_and_does_not_show_it(broker_url):
    url = broker_url.replace("//bridge:", "//bridge:wrong")
    with Publisher(url) as publisher, pytest.raises(PublishFailed, match="password") as caught:
        publisher.publish(events(1))
    assert broker_url.partition("@")[0].rpartition(":")[2] not in str(caught.value)


def test_no_address_is_an_error_without_its_password():
    with pytest.raises(ConfigurationError) as caught:
        Publisher("http://user:hunter2@localhost/")
    assert "hunter2" not in str(caught.value)
    assert shown("amqp://user:hunter2@broker:5672/vhost") == "amqp://broker:5672/vhost"


def test_a_broken_connection_is_opened_again(broker, declared_url):
    with Publisher(declared_url) as publisher:
        publisher.publish(events(5))
        vhost = declared_url.rpartition("/")[2]

        def connections():
            return broker.api("GET", f"/api/vhosts/{vhost}/connections")

        for one in wait_for(connections, what="the broker lists the connection"):
            broker.api("DELETE", f"/api/connections/{one['name'].replace(' ', '%20').replace('>', '%3E')}")
        publisher.publish(events(5))
    assert len(bodies_in(declared_url, 10)) == 10


def test_threads_may_share_a_publisher(declared_url):
    with Publisher(declared_url) as publisher:
        threads = [threading.Thread(target=publisher.publish, args=(events(120),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(bodies_in(declared_url, 480)) == 480


def test_a_closed_publisher_may_be_used_again(declared_url):
    publisher = Publisher(declared_url)
    publisher.publish(events(1))
    publisher.close()
    publisher.publish(events(1))
    publisher.close()
    assert len(bodies_in(declared_url, 2)) == 2
