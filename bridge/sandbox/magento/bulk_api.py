"""Bulk calls: taken at once, done when the queue's consumer runs (recordings ``async/*``).

The consumer is off until a test lets it run (``box.magento.run_queue()``), unless ``switches.queue_runs`` is on.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.data import now_text
from bridge.sandbox.magento.orders_api import found, limited
from bridge.sandbox.magento.rest import Raw, RestError, field_required
from bridge.sandbox.magento.search import Column, parse_criteria
from bridge.sandbox.magento.source_items_api import (
    check_limit,
    check_types,
    source_items_of,
    store_source_items,
)

_TOPIC = "async.magento.inventoryapi.api.sourceitemssaveinterface.execute.post"
_DONE = "Service execution success Magento\\Inventory\\Model\\SourceItem\\Command\\SourceItemsSave\\Interceptor::execute"
_IS_DONE, _HAS_FAILED, _IS_OPEN = 1, 3, 4


@dataclass
class Bulk:
    """One bulk and its operations."""

    ask: Ask
    operations: list[Raw]
    start_time: str
    #: The state of each operation, its message and its error code.
    results: list[tuple[int, str | None, int | None]] = field(default_factory=list)


def post_source_items(ask: Ask) -> Raw:
    """Take a list of calls that save source items; wrong types refuse them all (``async/005``, ``008``)."""
    operations = ask.operations()
    if operations is None:
        raise field_required("sourceItems")
    for one in operations:
        items = source_items_of(one if isinstance(one, dict) else {})
        check_types(items)
        check_limit(ask, items)
    bulk_id = str(uuid.uuid4())
    results: list[tuple[int, str | None, int | None]] = [(_IS_OPEN, None, None) for _ in operations]
    ask.state.bulks[bulk_id] = Bulk(ask=ask, operations=operations, start_time=now_text(), results=results)
    if ask.state.switches.queue_runs:
        run_queue(ask.state.bulks)
    return {
        "bulk_uuid": bulk_id,
        "request_items": [
            {
                "id": number,
                "data_hash": hashlib.sha256(json.dumps(one).encode()).hexdigest(),
                "status": "accepted",
            }
            for number, one in enumerate(operations)
        ],
        "errors": False,
    }


def run_queue(bulks: dict[str, Any]) -> int:
    """Run the open operations of all bulks, as the consumer does; return how many there were."""
    count = 0
    for bulk in bulks.values():
        for number, (state, _, _) in enumerate(bulk.results):
            if state == _IS_OPEN:
                count += 1
                bulk.results[number] = _run(bulk, number)
    return count


def _run(bulk: Bulk, number: int) -> tuple[int, str | None, int | None]:
    try:
        store_source_items(bulk.ask, bulk.operations[number]["sourceItems"])
    except RestError as error:
        return _HAS_FAILED, error.body["message"], 0
    return _IS_DONE, _DONE, None


def status(ask: Ask) -> Raw:
    """Answer the state of each operation (``async/024``)."""
    bulk = _bulk(ask)
    operations = [
        {"id": number, "status": state, "result_message": message, "error_code": code}
        for number, (state, message, code) in enumerate(bulk.results)
    ]
    return {"operations_list": operations, **_head(ask, bulk)}


def detailed_status(ask: Ask) -> Raw:
    """Answer the state of each operation with what was asked, where it failed (``async/025``)."""
    bulk = _bulk(ask)
    return {"operations_list": _details(ask.path["uuid"], bulk), **_head(ask, bulk)}


def search_operations(ask: Ask) -> Raw:
    """Answer a page of the operations of all bulks (``async/034``, ``035``)."""
    rows = [
        {"extension_attributes": {"start_time": bulk.start_time}, **row}
        for uuid_, bulk in list(ask.state.bulks.items())
        for row in _details(uuid_, bulk)
    ]
    columns: dict[str, Column] = {
        name: lambda row, name=name: row[name]  # type: ignore[misc]
        for name in ("bulk_uuid", "topic_name", "status", "id")
    }
    return found(rows, limited(ask, parse_criteria(ask.query)), columns, dates=())


def _details(bulk_id: str, bulk: Bulk) -> list[Raw]:
    return [
        {
            "id": number,
            "bulk_uuid": bulk_id,
            "topic_name": _TOPIC,
            "serialized_data": None if state == _IS_DONE else _serialized(bulk.operations[number]),
            "result_serialized_data": None,
            "status": state,
            "result_message": message,
            "error_code": code,
        }
        for number, (state, message, code) in enumerate(bulk.results)
    ]


def count_of_status(ask: Ask) -> int:
    """Answer how many operations are in a state (``async/030``)."""
    wanted = ask.integer("status")
    return sum(state == wanted for state, _, _ in _bulk(ask).results)


def _bulk(ask: Ask) -> Bulk:
    bulk: Bulk | None = ask.state.bulks.get(ask.path["uuid"])
    if bulk is None:
        raise RestError(404, "Bulk uuid %bulkUuid not exist", {"bulkUuid": ask.path["uuid"]})
    return bulk


def _head(ask: Ask, bulk: Bulk) -> Raw:
    return {
        "user_type": 2,
        "bulk_id": ask.path["uuid"],
        "description": f"Topic {_TOPIC}",
        "start_time": bulk.start_time,
        "user_id": 1,
        "operation_count": len(bulk.operations),
    }


def _serialized(operation: Raw) -> str:
    inner = json.dumps(operation, separators=(",", ":"))
    whole = {"entity_id": None, "entity_link": "", "meta_information": inner, "store_id": "1"}
    return json.dumps(whole, separators=(",", ":"))


_LOG = "Magento_Logging::system_magento_logging_bulk_operations"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST", "async/bulk/inventory/source-items", "Magento_InventoryApi::source", post_source_items, 202
    ),
    Endpoint("GET", "bulk", _LOG, search_operations),
    Endpoint("GET", "bulk/:uuid/status", _LOG, status),
    Endpoint("GET", "bulk/:uuid/detailed-status", _LOG, detailed_status),
    Endpoint("GET", "bulk/:uuid/operation-status/:status", _LOG, count_of_status),
)
