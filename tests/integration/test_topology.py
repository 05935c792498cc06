"""What is declared in the broker, and the policies that go with it."""

from __future__ import annotations

import shlex

import pika
import pytest

from bridge.errors import ConfigurationError, ServiceUnavailable
from bridge.topology import TASK_QUEUES
from consumers.topology import POLICIES, apply_policies, policy_commands, provision
from tests.support.processes import free_port

pytestmark = [pytest.mark.broker]


def queues_of(broker, url):
    return {one["name"]: one for one in broker.api("GET", f"/api/queues/{url.rpartition('/')[2]}")}


def test_declaring_twice_changes_nothing_and_only_type_and_dead_letter_exchange_are_arguments(
    broker, broker_url
):
    provision(broker_url)
    provision(broker_url)
    found = queues_of(broker, broker_url)
    assert set(found) == {"bridge.intake", "bridge.dead", *TASK_QUEUES}
    for name, queue in found.items():
        wanted = {"x-queue-type": "quorum"}
        if name == "bridge.intake":
            wanted["x-dead-letter-exchange"] = "bridge.dead"
        assert (queue["arguments"], queue["durable"], queue["type"]) == (wanted, True, "quorum")


def test_what_the_broker_gives_up_arrives_in_the_dead_queue(broker_url):
    provision(broker_url)
    connection = pika.BlockingConnection(pika.URLParameters(broker_url))
    channel = connection.channel()
    channel.basic_publish("bridge.events", "magento.order.saved", b"x")
    for method, _, _ in channel.consume("bridge.intake", inactivity_timeout=10):
        channel.basic_reject(method.delivery_tag, requeue=False)
        break
    channel.cancel()
    method, properties, body = next(channel.consume("bridge.dead", inactivity_timeout=10))
    assert (method.routing_key, body) == ("magento.order.saved", b"x")
    assert properties.headers["x-death"][0]["queue"] == "bridge.intake"
    connection.close()


def test_a_queue_of_another_kind_is_refused_in_plain_words(broker_url):
    connection = pika.BlockingConnection(pika.URLParameters(broker_url))
    connection.channel().queue_declare("bridge.intake", durable=True)
    connection.close()
    with pytest.raises(ConfigurationError, match="other arguments"):
        provision(broker_url)


def test_a_broker_that_is_not_there_is_named_without_its_password():
    port = free_port()
    with pytest.raises(ServiceUnavailable, match=f"amqp://127.0.0.1:{port}/x") as caught:
        provision(f"amqp://user:hunter2@127.0.0.1:{port}/x")
    assert "hunter2" not in str(caught.value)


def test_the_policies_are_taken_by_the_broker_and_fit_their_queues(broker, broker_url):
    provision(broker_url)
    host = broker.api_url.rpartition("@")[2]
    apply_policies(broker_url, f"http://{host}")
    apply_policies(broker_url, f"http://{host}/")
    found = queues_of(broker, broker_url)
    vhost = broker_url.rpartition("/")[2]
    taken = {one["name"]: one["definition"] for one in broker.api("GET", f"/api/policies/{vhost}")}
    assert taken == {policy.name: dict(policy.definition) for policy in POLICIES}
    provision(broker_url)  # Policies are no arguments: declaring still fits.
    for name in found:
        import re

        assert [one.name for one in POLICIES if re.search(one.pattern, name)], name


def test_the_commands_say_the_same_policies_and_no_password(broker_url):
    commands = policy_commands(broker_url)
    assert len(commands) == len(POLICIES)
    for command, policy in zip(commands, POLICIES, strict=True):
        words = shlex.split(command)
        assert words[:3] == ["rabbitmqctl", "set_policy", "--vhost"]
        assert policy.pattern in words
        assert "@" not in command
