"""The calls an order is made with: preview, load, look-up, note. Facts: RULES 1.4, 2.1 and its appendix."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import odoo_replay as replay
import pytest
from odoo_replay import Recorded, Server, respond_json

from bridge.errors import AccessMissing, InvalidRecord, ServiceRejected, ServiceUnavailable
from bridge.odoo import LoadRequest, Totals
from bridge.wire import NoAnswer

CREATE_ONLY = {"mode": "update", "noupdate": True}
VERSIONS = (16, 18, 19)

#: The appendix's third argument, by version.
SPECS: dict[int, dict[str, Any]] = {
    16: {"amount_untaxed": "", "amount_tax": "", "amount_total": "", "order_line": "1"},
    18: {"amount_untaxed": {}, "amount_tax": {}, "amount_total": {}, "order_line": {"fields": {}}},
    19: {"amount_untaxed": {}, "amount_tax": {}, "amount_total": {}, "order_line": {"fields": {}}},
}


def previews(version: int) -> list[Recorded]:
    """The recorded previews of whole orders: every line with its taxes, and nothing but the lines changed."""
    tax = "tax_ids" if version == 19 else "tax_id"
    found = []
    for one in replay.recordings(version, "rules"):
        arguments = one.execute_kw
        if arguments is None or arguments[4] != "onchange" or one.fault is not None:
            continue
        _, values, names, _ = arguments[5]
        lines = [line[2] for line in values["order_line"]]
        is_whole = all({"product_id", "price_unit", "discount", tax} <= set(line) for line in lines)
        if names == ["order_line"] and is_whole and "partner_id" in values:
            found.append(one)
    return found


def in_form_of(version: int, result: Any) -> Any:
    """An answer in the form of the version's protocol: 19 was recorded over JSON-RPC mostly."""
    return respond_json(result if version == 19 else {"jsonrpc": "2.0", "id": 1, "result": result})


PREVIEWS = [one for version in VERSIONS for one in previews(version)]


@pytest.mark.parametrize("recorded", PREVIEWS, ids=lambda one: one.name)
def test_a_preview_asks_in_the_versions_form_and_reads_the_totals(recorded: Recorded):
    arguments = recorded.execute_kw
    assert arguments is not None
    _, values, names, spec = arguments[5]
    value = recorded.response["json"]["result"]["value"]
    server = Server(lambda _: in_form_of(recorded.version, {"value": value}))
    head = {name: one for name, one in values.items() if name != "order_line"}
    lines = [line[2] for line in values["order_line"]]

    totals = replay.client(server, version=recorded.version, uid=2).preview_order(head, lines)

    assert totals == Totals(
        untaxed=Decimal(value.get("amount_untaxed", 0)),
        tax=Decimal(value.get("amount_tax", 0)),
        total=Decimal(value.get("amount_total", 0)),
    )
    (body,) = server.bodies
    if recorded.version == 19:
        assert server.requests[0].url.path == "/json/2/sale.order/onchange"
        assert body == {"values": values, "field_names": names, "fields_spec": SPECS[19]}
    else:
        assert body["params"]["args"][3:] == [
            "sale.order",
            "onchange",
            [[], values, names, SPECS[recorded.version]],
            {},
        ]
    assert set(SPECS[recorded.version]) <= set(spec), "what is asked for was asked for on the real server too"


def test_previews_of_each_version_were_recorded():
    assert {one.version for one in PREVIEWS} == set(VERSIONS)
    assert len(PREVIEWS) > 15


@pytest.mark.parametrize("version", VERSIONS)
def test_an_amount_that_is_left_out_of_the_preview_is_0(version: int):
    line = {"product_id": 1, "product_uom_qty": 1, "price_unit": 10, "discount": 100}
    line["tax_ids" if version == 19 else "tax_id"] = [[6, 0, []]]
    server = Server(lambda _: in_form_of(version, {"value": {"amount_total": 10.0}}))
    totals = replay.client(server, version=version, uid=2).preview_order({"partner_id": 7}, [line])
    assert totals == Totals(untaxed=Decimal(0), tax=Decimal(0), total=Decimal("10.0"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("left_out", ["product_id", "product_uom_qty", "price_unit", "discount", "TAX"])
def test_a_preview_without_what_odoo_would_fill_in_by_itself_is_not_sent(version: int, left_out: str):
    tax = "tax_ids" if version == 19 else "tax_id"
    line: dict[str, Any] = {"product_id": 1, "product_uom_qty": 1, "price_unit": 1, "discount": 0, tax: []}
    del line[tax if left_out == "TAX" else left_out]
    server = Server(lambda _: in_form_of(version, {"value": {}}))
    client = replay.client(server, version=version, uid=2)

    with pytest.raises(ValueError, match=tax if left_out == "TAX" else left_out):
        client.preview_order({"partner_id": 7}, [line])
    with pytest.raises(ValueError, match="partner_id"):
        client.preview_order({}, [])
    assert server.requests == []


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_with_its_lines_is_loaded_create_only_as_recorded(version: int):
    orders = [
        one
        for one in replay.recordings(version, "rules")
        if (arguments := one.execute_kw) is not None
        and arguments[3:5] == ["sale.order", "load"]
        and arguments[6] == {"context": CREATE_ONLY}
    ]
    assert len(orders) >= 10
    for recorded in orders:
        fields, rows = recorded.execute_kw[5]
        result = recorded.response["json"]["result"]
        server = Server(lambda _, result=result: in_form_of(version, result))

        order_id = replay.client(server, version=version, uid=2).load_one("sale.order", fields, rows)

        assert [order_id] == result["ids"]
        (body,) = server.bodies
        if version == 19:
            assert body == {"fields": fields, "data": rows, "context": CREATE_ONLY}
        else:
            assert body["params"]["args"][3:] == [
                "sale.order",
                "load",
                [fields, rows],
                {"context": CREATE_ONLY},
            ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("cell", [True, 1, 5, Decimal("1.5"), None, False])
def test_a_cell_that_is_not_a_text_is_refused_here_since_odoo_would_answer_a_fault(
    version: int, cell: object
):
    """``rules/load-cell-types``: a boolean, or a number in a many2many, is an AttributeError in Odoo."""
    server = Server(lambda _: in_form_of(version, {}))
    client = replay.client(server, version=version, uid=2)
    with pytest.raises(TypeError, match=r"is_company.*not str"):
        client.load("res.partner", ["id", "name", "is_company"], [["bridge.p", "x", cell]])  # type: ignore[list-item]
    assert server.requests == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lost_race_keeps_nothing_and_is_repeated(version: int):
    answers = replay.document(version, "idempotency/race-load-same-key-4-at-once")["answers"]
    results = []
    for answer in answers:
        client = replay.client(
            Server(lambda _, answer=answer: in_form_of(version, answer)), version=version, uid=2
        )
        try:
            results.append(client.load_one("sale.order", ["id"], [["bridge.race"]]))
        except ServiceUnavailable as error:
            assert error.details["reason"] == "serialization"
            assert not isinstance(error, NoAnswer)
            results.append(None)
    assert results.count(None) == 3
    assert sum(result is not None for result in results) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_that_cannot_be_stored_are_named(version: int):
    answer = replay.recording(version, "idempotency/load-order-bad-product").response["json"]["result"]
    client = replay.client(Server(lambda _: in_form_of(version, answer)), version=version, uid=2)

    with pytest.raises(ServiceRejected) as caught:
        client.load("sale.order", ["id"], [["bridge.bad"]])

    messages = caught.value.details["messages"]
    assert [(message.kind, message.field, message.row) for message in messages] == [
        ("error", "order_line", 0),
        ("error", "partner_invoice_id", 0),
    ]
    assert (
        messages[0].text
        == "No matching record found for database id '99999999' in field 'Order Lines/Product'"
    )
    assert messages[1].text.startswith("Missing required value for the field 'Invoice Address'")
    assert messages[0].text in str(caught.value)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_missing_right_comes_as_a_message_of_load_and_names_the_groups(version: int):
    (recorded,) = [
        one
        for one in replay.recordings(version, "rules")
        if "load-partner-plain" in one.name and (one.response["json"].get("result") or {}).get("ids") is False
    ][:1]
    answer = recorded.response["json"]["result"]
    client = replay.client(Server(lambda _: in_form_of(version, answer)), version=version, uid=2)

    with pytest.raises(AccessMissing) as caught:
        client.load("res.partner", ["id", "name"], [["bridge.p", "x"]])

    contacts = "Contact/Creation" if version == 19 else "Extra Rights/Contact Creation"
    assert caught.value.details["groups"] == (contacts, "Inventory/Administrator", "Sales/Administrator")
    assert "You are not allowed to create 'Contact'" in str(caught.value)
    assert "Unknown error during import" not in str(caught.value)


def test_a_stored_load_is_sent_again_byte_for_byte():
    request = LoadRequest(
        model="res.partner",
        fields=("id", "name"),
        rows=(("bridge.p", "\u05d9\u05d5\u05e1\u05d9 \U0001f600"),),
    )
    again = LoadRequest.decode(request.encode())
    assert again == request
    server = Server(lambda _: in_form_of(18, {"ids": [5], "messages": [], "nextrow": 0}))
    client = replay.client(server, version=18, uid=2)

    client.send_load(request)
    client.send_load(again)

    assert server.requests[0].content == server.requests[1].content
    assert b"<api-key>" not in request.encode()


def test_one_record_is_one_id():
    server = Server(lambda _: in_form_of(18, {"ids": [5, 6], "messages": []}))
    with pytest.raises(ServiceRejected, match="2 records"):
        replay.client(server, version=18, uid=2).load_one("res.partner", ["id"], [["bridge.a"], ["bridge.b"]])


@pytest.mark.parametrize("version", [16, 18])
def test_an_external_id_is_looked_up_by_an_ordinary_user(version: int):
    found = replay.recording(version, "idempotency/sales-user-check-object-reference")
    missing = replay.recording(version, "idempotency/sales-user-check-object-reference-missing")
    for recorded, expected in ((found, tuple(found.response["json"]["result"])), (missing, None)):
        server = Server(lambda _, recorded=recorded: replay.answer_of(recorded))
        module, name = recorded.execute_kw[5]
        assert replay.client(server, version=version, uid=2).check_reference(module, name) == expected
        assert len(server.requests) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_an_external_id_of_an_archived_record_is_found(version: int):
    """The server answers no id for a record that the user's search does not show (source)."""
    answers: list[Any] = [["res.partner", False], ["res.partner", 7]]
    server = Server(lambda _: in_form_of(version, answers.pop(0)))
    assert replay.client(server, version=version, uid=2).check_reference("bridge", "p") == ("res.partner", 7)
    context = {"active_test": False}
    body = server.bodies[1]
    assert context == (body["context"] if version == 19 else body["params"]["args"][6]["context"])


@pytest.mark.parametrize("version", VERSIONS)
def test_an_external_id_of_a_hidden_record_is_not_taken_for_none(version: int):
    server = Server(lambda _: in_form_of(version, ["res.partner", False]))
    with pytest.raises(AccessMissing):
        replay.client(server, version=version, uid=2).check_reference("bridge", "p")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("text", "said"), [("a\x00b", "NUL byte"), ("\ud83d", "surrogate")])
def test_a_text_that_odoo_cannot_store_never_leaves_the_bridge(version: int, text: str, said: str):
    """``errors/nul-byte``."""
    server = Server(lambda _: in_form_of(version, None))
    client = replay.client(server, version=version, uid=2)
    with pytest.raises(InvalidRecord, match=said) as caught:
        client.write("res.partner", [1], {"comment": text})
    assert caught.value.details["place"] == "vals.comment"
    with pytest.raises(InvalidRecord) as caught:
        client.load("res.partner", ["id", "name"], [["bridge.p", text]])
    assert caught.value.details["place"] == "data[0][1]"
    assert server.requests == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_letters_of_a_nul_escape_are_no_nul_byte(version: int):
    server = Server(lambda _: in_form_of(version, True))
    replay.client(server, version=version, uid=2).write(
        "res.partner", [1], {"comment": "\\u0000 and \U0001f600"}
    )
    assert "\\\\u0000 and \U0001f600" in server.requests[0].content.decode()


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_asked_for_no_records(version: int):
    server = Server(lambda _: in_form_of(version, []))
    client = replay.client(server, version=version, uid=2)
    assert client.read("res.partner", [], ["name"]) == []
    client.write("res.partner", [], {"name": "x"})
    assert server.requests == []


def test_keyword_only_arguments_go_by_name_over_json_rpc():
    server = Server(lambda _: in_form_of(18, 5))
    client = replay.client(server, version=18, uid=2)
    client.call("sale.order", "message_post", [42], named={"body": "x"}, context={"lang": "en_US"})
    assert server.bodies[0]["params"]["args"][3:] == [
        "sale.order",
        "message_post",
        [[42]],
        {"body": "x", "context": {"lang": "en_US"}},
    ]
