"""Every recorded call of Odoo, sent through the client: equal request, equal result, the right error."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import odoo_replay as replay
import pytest
from odoo_replay import Recorded, Server

from bridge import errors
from bridge.odoo import OdooClient
from bridge.odoo.load import LoadResult
from bridge.wire import NoAnswer

TOPICS = ("auth", "catalog", "errors", "idempotency", "kits", "orders", "rules", "stock")
CREATE_ONLY = {"mode": "update", "noupdate": True}

#: Calls over JSON-RPC; texts with a NUL byte never leave the bridge.
RPC = [
    one
    for version in (16, 18)
    for one in replay.recordings(version, *TOPICS)
    if one.execute_kw is not None and "nul-byte" not in one.name
]
#: Calls over JSON-2, but for those that the client never makes: without a key, with a password, without a method.
JSON2 = [
    one
    for one in replay.recordings(19, *TOPICS)
    if one.is_json2
    and one.request["method"] == "POST"
    and one.request["headers"].get("Authorization") == "bearer <api-key>"
    and one.request["path"].count("/") == 4
    and "nul-byte" not in one.name
]


def drive(client: OdooClient, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Make the recorded call by the client's own method for it, where there is one."""
    named = dict(kwargs)
    context = named.pop("context", None)
    match method, args:
        case "search", [domain] if isinstance(domain, list):
            return client.search(model, domain, context=context, **named)
        case "search_read", [list(domain), list(fields)] if set(named) <= {"limit", "offset", "order"}:
            return client.search_read(model, domain, fields, context=context, **named)
        case "search_count", [list(domain)]:
            return client.search_count(model, domain, context=context)
        case "read", [[_, *_] as ids, list(fields)]:
            return client.read(model, ids, fields, context=context)
        case "write", [[_, *_] as ids, dict(values)]:
            return client.write(model, ids, values, context=context)
        case "load", [fields, rows] if context in (None, CREATE_ONLY) and all_texts(rows):
            return client.load(model, fields, rows, create_only=context is not None)
        case "check_object_reference", [module, name]:
            return client.check_reference(module, name)
        case _, [[*ids], *rest] if all(isinstance(one, int) for one in ids):
            positional = {f"argument_{index}": value for index, value in enumerate(rest)}
            return client.call(model, method, ids, positional, named=named, context=context)
        case _:
            positional = {f"argument_{index}": value for index, value in enumerate(args)}
            return client.call(model, method, None, positional, named=named, context=context)


def drive_json2(client: OdooClient, path: str, body: dict[str, Any]) -> Any:
    _, _, _, model, method = path.split("/")
    named = dict(body)
    context = named.pop("context", None)
    ids = named.pop("ids", None)
    match method:
        case "search" if isinstance(named.get("domain"), list):
            return client.search(model, named.pop("domain"), context=context, **named)
        case "search_read" if {"domain", "fields"} <= set(named):
            return client.search_read(
                model, named.pop("domain"), named.pop("fields"), context=context, **named
            )
        case "search_count":
            return client.search_count(model, named["domain"], context=context)
        case "read" if ids and "fields" in named:
            return client.read(model, ids, named["fields"], context=context)
        case "write" if "vals" in named:
            return client.write(model, ids, named["vals"], context=context)
        case "load":
            return client.load(model, named["fields"], named["data"], create_only=context is not None)
        case "check_object_reference":
            return client.check_reference(named["module"], named["xml_id"])
        case _:
            return client.call(model, method, ids, named, context=context)


def all_texts(rows: list[list[Any]]) -> bool:
    return all(isinstance(cell, str) for row in rows for cell in row)


def expected_error(fault: dict[str, Any]) -> type[errors.BridgeError]:
    """The classes as the design names them, told from the recorded fault alone."""
    name, text = fault["name"].rpartition(".")[2], fault["message"]
    if name == "AccessError":
        return errors.ServiceRejected if text.startswith("Private methods") else errors.AccessMissing
    if name == "MissingError":
        return errors.CredentialsRefused if "res.users(9999,)" in text else errors.RecordMissing
    if "no.such.model" in text or "no_such_db" in text:
        return errors.SettingsWrong
    return {
        "AccessDenied": errors.CredentialsRefused,
        "Unauthorized": errors.CredentialsRefused,
        "SerializationFailure": errors.ServiceUnavailable,
    }.get(name, errors.ServiceRejected)


def check(recorded: Recorded, run: Any) -> None:
    body = recorded.response.get("json")
    fault = recorded.fault
    result = body if recorded.is_json2 else (body or {}).get("result")
    if fault is not None and fault["message"].startswith("External ID not found"):
        assert run() is None
    elif fault is not None:
        with pytest.raises(errors.BridgeError) as caught:
            run()
        assert type(caught.value) is expected_error(fault)
        assert not isinstance(caught.value, NoAnswer)
        assert_plain(caught.value)
    elif isinstance(result, dict) and result.get("ids") is False:
        with pytest.raises(
            (errors.ServiceRejected, errors.AccessMissing, errors.ServiceUnavailable)
        ) as caught:
            run()
        assert_plain(caught.value)
    else:
        answer = run()
        if isinstance(answer, LoadResult):
            assert answer.ids == tuple(result["ids"])
        elif isinstance(answer, tuple):
            assert list(answer) == result
        elif answer is None:
            assert result in (None, True), "only write, and methods without a result, give None"
        else:
            assert answer == result


def assert_plain(error: BaseException) -> None:
    seen = f"{error} {vars(error)} {error.__cause__!r}"
    assert "Traceback" not in seen
    assert "line(s) cut" not in seen and "traceback lines" not in seen
    assert "\n" not in str(error)
    assert 10 < len(str(error)) < 900


@pytest.mark.parametrize("recorded", RPC, ids=lambda one: one.name)
def test_a_call_over_json_rpc_is_sent_and_answered_as_recorded(recorded: Recorded):
    server = Server(lambda _: replay.answer_of(recorded))
    arguments = recorded.execute_kw
    assert arguments is not None
    database, uid, key, model, method, args, kwargs = arguments
    client = replay.client(server, version=recorded.version, uid=uid, database=database, key=key)

    check(recorded, lambda: drive(client, model, method, args, kwargs))

    assert server.bodies == [
        {
            "jsonrpc": "2.0",
            "method": "call",
            "params": {"service": "object", "method": "execute_kw", "args": arguments},
            "id": 1,
        }
    ]
    (request,) = server.requests
    assert (request.method, request.url.path) == ("POST", "/jsonrpc")
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("recorded", JSON2, ids=lambda one: one.name)
def test_a_call_over_json_2_is_sent_and_answered_as_recorded(recorded: Recorded):
    server = Server(lambda _: replay.answer_of(recorded))
    client = replay.client(server, version=19, database="odoo19")
    if "text" in recorded.response:
        with pytest.raises(errors.SettingsWrong) as caught:
            drive_json2(client, recorded.request["path"], recorded.request["json"])
        assert caught.value.details["reason"] == "wrong_database"
    else:
        check(recorded, lambda: drive_json2(client, recorded.request["path"], recorded.request["json"]))

    (request,) = server.requests
    assert (request.method, request.url.path) == ("POST", recorded.request["path"])
    assert request.headers["authorization"] == "bearer <api-key>"
    assert request.headers["x-odoo-database"] == "odoo19"
    wanted = dict(recorded.request["json"])
    if wanted.get("ids") == []:
        del wanted["ids"]  # Recorded in both forms; the client leaves an empty list out.
    assert server.bodies == [wanted]


def test_there_is_something_to_replay():
    assert len(RPC) > 500
    assert len(JSON2) > 60


@pytest.mark.parametrize("version", [16, 18])
def test_a_method_that_answers_neither_result_nor_error_has_returned_none(version: int):
    recorded = replay.recording(version, "catalog/unarchive-action-returns-none")
    assert set(recorded.response["json"]) == {"jsonrpc", "id"}
    server = Server(lambda _: replay.answer_of(recorded))
    client = replay.client(server, version=version, uid=2, database=f"odoo{version}", key="<password>")

    assert client.call("product.template", "action_unarchive", [1]) is None


def test_fractions_are_decimals():
    body = {"jsonrpc": "2.0", "id": 1, "result": [{"id": 1, "price_tax": Decimal("6.299999999999997")}]}
    recorded = Recorded("made", 18, {"path": "/jsonrpc"}, {"status": 200, "json": body})
    server = Server(lambda _: replay.answer_of(recorded))

    rows = replay.client(server, version=18, uid=2).read("sale.order.line", [1], ["price_tax"])

    assert rows == [{"id": 1, "price_tax": Decimal("6.299999999999997")}]
    assert isinstance(rows[0]["price_tax"], Decimal)


@pytest.mark.parametrize("version", [16, 18, 19])
def test_the_loads_of_19_take_the_same_fields_and_rows_in_json_2(version: int):
    """19 was recorded over JSON-RPC mostly: the arguments must reach JSON-2 under their names."""
    loads = [
        one.execute_kw
        for one in replay.recordings(version, "rules")
        if (one.execute_kw or [None] * 5)[4] == "load"
        and all_texts(one.execute_kw[5][1])
        # Loads of counts imply the mode that one of the recordings names.
        and "inventory_mode" not in one.execute_kw[6]["context"]
    ]
    assert loads
    for _, _, _, model, _, (fields, rows), kwargs in loads:
        answer = {"status": 200, "json": {"ids": [1], "messages": [], "nextrow": 0}}
        recorded = Recorded("made", 19, {"path": "/json/2/x/load"}, answer)
        server = Server(lambda _, recorded=recorded: replay.answer_of(recorded))
        replay.client(server, version=19).load(model, fields, rows)
        assert server.requests[0].url.path == f"/json/2/{model}/load"
        assert server.bodies == [{"fields": fields, "data": rows, "context": kwargs["context"]}]
        assert json.loads(server.requests[0].content)["context"] == CREATE_ONLY
