"""A call in its transaction: it may wait for a held external id, for its commit, or fail to serialize."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Scope

from bridge.sandbox.odoo.cells import external_ids, split_external_id
from bridge.sandbox.odoo.fault import SERIALIZATION_TEXT, OdooFault
from bridge.sandbox.odoo.inflight import CommitHold
from bridge.sandbox.odoo.rpc import RPCCall, execute
from bridge.sandbox.odoo.state import OdooState

#: Methods that open no writing transaction: they never wait for a commit.
READING = frozenset(
    [
        "read",
        "search",
        "search_count",
        "search_read",
        "fields_get",
        "name_search",
        "default_get",
        "onchange",
        "get_external_id",
        "check_object_reference",
        "has_access",
        "check_access_rights",
        "context_get",
        "has_group",
        "exists",
        "address_get",
    ]
)


async def run(state: OdooState, call: RPCCall, scope: Scope) -> Any:
    """Run a call, waiting where an open transaction makes it wait."""
    if call.method in READING:
        return execute(state, call)
    if state.inflight.take_conflict(call.operation):
        if call.method == "load":
            return _lost(call)
        raise OdooFault("psycopg2.errors.SerializationFailure", SERIALIZATION_TEXT)
    keys = _new_keys(state, call)
    while keys and not state.inflight.try_keys(keys):
        await state.inflight.wait_for(keys)
        if len(_new_keys(state, call)) < len(keys):
            return _lost(call)
    hold = state.inflight.take_hold(call.operation)
    try:
        await _linger(state, hold, scope)
        return execute(state, call)
    finally:
        state.inflight.drop_keys(keys)
        if hold is not None:
            hold.ended.set()


async def _linger(state: OdooState, hold: CommitHold | None, scope: Scope) -> None:
    """Keep the transaction open as long as tests want it."""
    if hold is not None:
        await hold.wait(lambda: _cut(scope))
        return
    if state.draws_cut():
        _cut(scope)
    if state.transaction_seconds:
        await asyncio.sleep(state.transaction_seconds)


def _cut(scope: Scope) -> None:
    """Cut the connection; the transaction goes on (``idempotency/client-disconnects-after-sending``)."""
    transport = scope.get("sandbox.transport")
    if transport is not None:
        transport.abort()


def _new_keys(state: OdooState, call: RPCCall) -> set[str]:
    """Return the external ids of a ``load`` that are not there yet: those it will insert."""
    if call.method != "load":
        return set()
    fields, data = _load_arguments(call)
    table = state.database_of_rows.table("ir.model.data")
    names = {(table.rows[one]["module"], table.rows[one]["name"]) for one in _rows_of(table, fields, data)}
    return {key for key in external_ids(fields, data) if split_external_id(key) not in names}


def _rows_of(table: Any, fields: list[str], data: list[list[Any]]) -> set[int]:
    found: set[int] = table.lookup("name", [split_external_id(key)[1] for key in external_ids(fields, data)])
    return found


def _load_arguments(call: RPCCall) -> tuple[list[str], list[list[Any]]]:
    given = list(call.positional or ())
    fields = given[0] if given else call.keywords.get("fields", [])
    data = given[1] if len(given) > 1 else call.keywords.get("data", [])
    return fields, data


def _lost(call: RPCCall) -> dict[str, Any]:
    """Return what ``load`` answers when another transaction took its key (a message, not a fault)."""
    _, data = _load_arguments(call)
    rows = {"from": 0, "to": len(data) - 1}
    message = {"rows": rows, "record": 0, "type": "error", "message": SERIALIZATION_TEXT}
    return {"ids": False, "messages": [message], "nextrow": 0}
