"""The broker's address: for pika, and for people without its password."""

from __future__ import annotations

from urllib.parse import urlsplit

import pika

from bridge.errors import ConfigurationError

#: A dead peer is noticed after this time at the latest.
HEARTBEAT_SECONDS = 30
#: A broker that takes nothing (its memory or disk is full) counts as lost after this time.
BLOCKED_SECONDS = 30
#: The longest wait for one address to accept a connection.
CONNECT_SECONDS = 5


def pika_parameters(url: str, *, name: str) -> pika.URLParameters:
    """Return pika's parameters for a broker address; ``name`` is shown in the broker's list of connections.

    Raises:
        ConfigurationError: it is no AMQP address.
    """
    if urlsplit(url).scheme not in {"amqp", "amqps"}:
        raise ConfigurationError("BRIDGE_BROKER_URL must begin with amqp:// or amqps://.")
    try:
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError):
        # The cause shows the address with its password: it stops here.
        raise ConfigurationError("BRIDGE_BROKER_URL cannot be read.") from None
    parameters.heartbeat = HEARTBEAT_SECONDS
    parameters.blocked_connection_timeout = BLOCKED_SECONDS
    parameters.socket_timeout = CONNECT_SECONDS
    parameters.stack_timeout = CONNECT_SECONDS * 2
    parameters.connection_attempts = 1
    parameters.client_properties = {"connection_name": f"commercebridge-{name}"}
    return parameters


def shown(url: str) -> str:
    """Return a broker address as it may be logged: without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
