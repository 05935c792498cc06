"""Declares exchanges and queues, and says the policy that goes with them.

Arguments of a queue freeze when it is declared, so only its type and its dead-letter exchange are arguments;
everything that an operator may want to change later is a policy: ``python -m consumers.topology --policies``
prints the commands, ``--apply`` runs them by the management API. Declaring is idempotent: every process does it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pika
import pika.exceptions
import structlog
from pika.adapters.blocking_connection import BlockingChannel

from bridge.broker import pika_parameters, shown
from bridge.errors import ConfigurationError, ServiceUnavailable
from bridge.settings import process_settings
from bridge.topology import (
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    EVENTS_EXCHANGE,
    INTAKE_QUEUE,
    TASK_QUEUES,
    TASKS_EXCHANGE,
)

log = structlog.get_logger()

#: Arguments of every queue: replicated, and safe on the loss of a node.
QUORUM: Mapping[str, str] = {"x-queue-type": "quorum"}
#: Arguments of the intake queue: what the broker gives up goes where people can find it.
INTAKE_ARGUMENTS: Mapping[str, str] = {**QUORUM, "x-dead-letter-exchange": DEAD_EXCHANGE}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Settings of queues that may change while they live."""

    name: str
    #: Regular expression of queue names.
    pattern: str
    definition: Mapping[str, Any]


POLICIES = (
    Policy(
        name="bridge-intake",
        pattern=r"^bridge\.intake$",
        # Intake puts aside what it cannot read, so a message is only given up after many lost connections.
        # A full queue refuses new events (publishers learn of it) rather than dropping old ones.
        definition={
            "delivery-limit": 100,
            "max-length": 5_000_000,
            "overflow": "reject-publish",
            "dead-letter-strategy": "at-least-once",
        },
    ),
    Policy(name="bridge-dead", pattern=r"^bridge\.dead$", definition={"max-length": 100_000}),
    Policy(
        # A task message is a wake-up: lost ones are sent again, so none is kept at any price.
        name="bridge-tasks",
        pattern=rf"^({'|'.join(TASK_QUEUES)})$",
        definition={"delivery-limit": 20, "max-length": 100_000},
    ),
)


def declare(channel: BlockingChannel) -> None:
    """Declare everything on ``channel``; nothing happens where it is there already."""
    channel.exchange_declare(EVENTS_EXCHANGE, "topic", durable=True)
    channel.exchange_declare(DEAD_EXCHANGE, "topic", durable=True)
    channel.exchange_declare(TASKS_EXCHANGE, "topic", durable=True)
    channel.queue_declare(DEAD_QUEUE, durable=True, arguments=dict(QUORUM))
    channel.queue_bind(DEAD_QUEUE, DEAD_EXCHANGE, "#")
    channel.queue_declare(INTAKE_QUEUE, durable=True, arguments=dict(INTAKE_ARGUMENTS))
    channel.queue_bind(INTAKE_QUEUE, EVENTS_EXCHANGE, "#")
    for queue in TASK_QUEUES:
        channel.queue_declare(queue, durable=True, arguments=dict(QUORUM))
        channel.queue_bind(queue, TASKS_EXCHANGE, queue)


def provision(broker_url: str) -> None:
    """Connect to the broker and declare everything.

    Raises:
        ServiceUnavailable: the broker cannot be reached.
        ConfigurationError: a queue or exchange of that name is there with other arguments.
    """
    try:
        connection = pika.BlockingConnection(pika_parameters(broker_url, name="topology"))
    except (pika.exceptions.AMQPError, OSError) as exc:
        raise ServiceUnavailable(f"The broker at {shown(broker_url)} could not be reached.") from exc
    try:
        declare(connection.channel())
    except pika.exceptions.ChannelClosedByBroker as exc:
        raise ConfigurationError(
            f"The broker has a queue or exchange of ours with other arguments: {exc.reply_text}. "
            "Delete it once it is empty, or use another virtual host."
        ) from exc
    except pika.exceptions.AMQPError as exc:
        raise ServiceUnavailable(f"The connection to the broker at {shown(broker_url)} broke.") from exc
    finally:
        if connection.is_open:
            connection.close()


def policy_commands(broker_url: str) -> list[str]:
    """Return the ``rabbitmqctl`` commands that set the policies on the broker's virtual host."""
    vhost = _vhost(broker_url)
    return [
        shlex.join(
            ["rabbitmqctl", "set_policy", "--vhost", vhost, "--apply-to", "queues",
             policy.name, policy.pattern, json.dumps(policy.definition)]
        )
        for policy in POLICIES
    ]  # fmt: skip


def apply_policies(broker_url: str, api_url: str) -> None:
    """Set the policies by the management API at ``api_url``, with the broker's user.

    Raises:
        ServiceUnavailable: the API cannot be reached or refuses.
    """
    vhost = quote(_vhost(broker_url), safe="")
    for policy in POLICIES:
        body = {"pattern": policy.pattern, "definition": dict(policy.definition), "apply-to": "queues"}
        _put(broker_url, f"{api_url.rstrip('/')}/api/policies/{vhost}/{policy.name}", body)


def _put(broker_url: str, url: str, body: Mapping[str, Any]) -> None:
    parts = urlsplit(broker_url)
    pair = f"{unquote(parts.username or 'guest')}:{unquote(parts.password or 'guest')}"
    headers = {
        "Content-Type": "application/json",
        "Authorization": "Basic " + b64encode(pair.encode()).decode(),
    }
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ConfigurationError("The address of the management API must begin with http:// or https://.")
    request = urllib.request.Request(url, method="PUT", data=json.dumps(body).encode(), headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - the scheme was checked
            return
    except urllib.error.HTTPError as exc:
        raise ServiceUnavailable(
            f"The broker's management API refused: HTTP {exc.code}.", status=exc.code
        ) from exc
    except OSError as exc:
        raise ServiceUnavailable("The broker's management API could not be reached.") from exc


def _vhost(broker_url: str) -> str:
    return unquote(urlsplit(broker_url).path[1:]) or "/"


def main() -> int:
    """Declare the topology, or print or apply the policies."""
    parser = argparse.ArgumentParser(prog="python -m consumers.topology", description=main.__doc__)
    parser.add_argument("--policies", action="store_true", help="print the commands that set the policies")
    parser.add_argument(
        "--apply", metavar="URL", help="set the policies by the management API, such as http://broker:15672"
    )
    arguments = parser.parse_args()
    broker_url = process_settings().broker_url
    try:
        if arguments.policies:
            sys.stdout.write("\n".join(policy_commands(broker_url)) + "\n")
            return 0
        provision(broker_url)
        if arguments.apply:
            apply_policies(broker_url, arguments.apply)
    except ConfigurationError as exc:
        sys.stderr.write(f"{exc.message}\n")
        return 2
    except ServiceUnavailable as exc:
        sys.stderr.write(f"{exc.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
