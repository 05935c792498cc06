from __future__ import annotations

import json

import jsonschema
import pytest

from bridge import topology
from schemas.__main__ import FOLDER
from schemas.documents import EVENTS_EXCHANGE, asyncapi, documents, event_schema
from schemas.events import EVENT_TYPES, new_event


def test_the_checked_in_documents_are_those_of_the_models():
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert found == documents(), "Run: python -m schemas"


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_an_event_fits_its_json_schema(event_type):
    schema = event_schema(EVENT_TYPES[event_type])
    jsonschema.Draft202012Validator.check_schema(schema)
    content = json.loads(new_event(event_type, "shop", record_id=1, version="2026-11-01 10:20:30").to_bytes())
    jsonschema.validate(content, schema)
    for missing in ("specversion", "id", "source", "type", "data"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({name: value for name, value in content.items() if name != missing}, schema)


def test_the_asyncapi_document_knows_every_type_by_its_routing_key():
    document = asyncapi()
    assert document["asyncapi"].startswith("3.")
    assert {channel["address"] for channel in document["channels"].values()} == set(EVENT_TYPES)
    for operation in document["operations"].values():
        name = operation["channel"]["$ref"].removeprefix("#/channels/")
        assert name in document["channels"]


def test_the_documents_name_the_exchange_that_is_declared():
    assert EVENTS_EXCHANGE == topology.EVENTS_EXCHANGE
