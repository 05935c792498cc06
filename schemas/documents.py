"""JSON Schema of each event and the AsyncAPI 3.0 document, made from the models so that they cannot differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from schemas.events import EVENT_CONTENT_TYPE, EVENT_TYPES, MAX_EVENT_BYTES, Envelope

#: Topic exchange of the events and quorum queue of intake; ``bridge.topology`` has the same names.
EVENTS_EXCHANGE = "bridge.events"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def documents() -> dict[str, str]:
    """Return every generated document by its file name."""
    made = {f"{name}.schema.json": _text(event_schema(model)) for name, model in EVENT_TYPES.items()}
    return {**made, "asyncapi.json": _text(asyncapi())}


def event_schema(model: type[Envelope]) -> dict[str, Any]:
    """Return the JSON Schema of one event type."""
    schema = model.model_json_schema()
    # The type chooses the model, so it has a default there; in a message it must be said.
    schema["required"] = sorted({*schema["required"], "type"})
    return {"$schema": _DIALECT, "$id": f"urn:commercebridge:{_type_of(model)}", **schema}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of the event exchange."""
    channels = {name: _channel(name, model) for name, model in EVENT_TYPES.items()}
    operations = {
        f"publish.{name}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{_pointer(name)}"},
            "summary": model.title,
        }
        for name, model in EVENT_TYPES.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CommerceBridge change events",
            "version": "1",
            "description": (
                "Publish each event persistently and mandatory to the topic exchange, with its type as the routing "
                f"key and content type {EVENT_CONTENT_TYPE}, at most {MAX_EVENT_BYTES} bytes; wait for the "
                "broker's confirm. An event says which record changed, not how: it may come twice, late or out of order."
            ),
            "license": {"name": "LGPL-3.0-or-later"},
        },
        "defaultContentType": EVENT_CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
    }


def _channel(name: str, model: type[Envelope]) -> Mapping[str, Any]:
    return {
        "address": name,
        "title": model.title,
        "messages": {
            name: {
                "name": name,
                "contentType": EVENT_CONTENT_TYPE,
                "payload": {
                    "schemaFormat": "application/schema+json;version=draft-2020-12",
                    "schema": event_schema(model),
                },
                "bindings": {
                    "amqp": {"contentEncoding": "utf-8", "messageType": name, "bindingVersion": "0.3.0"}
                },
            }
        },
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": EVENTS_EXCHANGE, "type": "topic", "durable": True, "autoDelete": False},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _type_of(model: type[Envelope]) -> str:
    return str(model.model_fields["type"].default)


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
