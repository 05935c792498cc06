"""Who may do what in the simulated Odoo: keys, databases, rights; over both protocols."""

from __future__ import annotations

import pytest

from bridge.sandbox import Sandbox
from tests.support.odoo_call import CREATE_ONLY, OdooCaller


@pytest.fixture(params=[16, 18, 19])
def box(request):
    with Sandbox.start(odoo_version=request.param) as box:
        yield box


@pytest.fixture
def odoo(box):
    caller = OdooCaller(box.odoo)
    with caller.client:
        yield caller


def test_an_expired_key_is_refused_and_a_renewed_one_works(box, odoo):
    box.odoo.expire_key()
    assert odoo.fault("res.users", "read", [2], ["login"])[0] == "odoo.exceptions.AccessDenied"
    params = {
        "service": "common",
        "method": "authenticate",
        "args": [box.odoo.database, "admin", box.odoo.key, {}],
    }
    assert odoo.client.post("/jsonrpc", json={"params": params}).json()["result"] is False
    if box.odoo.version >= 19:
        answer = odoo.json2("res.users", "read", ids=[2], fields=["login"])
        assert (answer.status_code, answer.json()["message"]) == (401, "Invalid apikey")
        assert answer.headers["www-authenticate"].strip() == "Bearer"
    box.odoo.renew_key()
    assert odoo("res.users", "read", [2], ["login"]) == [{"id": 2, "login": "admin"}]


def test_a_wrong_database_looks_like_a_broken_server(box, odoo):
    box.odoo.database = "elsewhere"
    params = {"service": "common", "method": "authenticate", "args": ["no_such_db", "admin", "x", {}]}
    answer = odoo.client.post("/jsonrpc", json={"params": params}).json()["error"]
    assert answer["data"]["name"] == "psycopg2.OperationalError"
    assert 'database "no_such_db" does not exist' in answer["data"]["message"]
    assert answer["code"] == (0 if box.odoo.version >= 19 else 200)


def test_a_sales_user_may_load_orders_and_look_keys_up_but_not_make_customers(box, odoo):
    box.odoo.set_rights("sales")
    box.odoo.create("res.partner", {"name": "Ada"})
    (order_id,) = odoo.load_order("o1")["result"]["ids"]
    assert odoo("ir.model.data", "check_object_reference", "__commerce_bridge__", "o1") == [
        "sale.order",
        order_id,
    ]
    assert odoo("sale.order", "get_external_id", [order_id]) == {str(order_id): "__commerce_bridge__.o1"}
    assert odoo("sale.order", "action_confirm", [order_id]) is True
    assert odoo.fault("ir.model.data", "search", [])[0] == "odoo.exceptions.AccessError"
    answer = odoo("res.partner", "load", ["id", "name"], [["bridge.c", "Eve"]], context=CREATE_ONLY)
    assert answer["ids"] is False
    assert (
        "You are not allowed to create 'Contact' (res.partner) records." in answer["messages"][0]["message"]
    )
    box.odoo.set_rights("contacts")
    assert odoo("res.partner", "load", ["id", "name"], [["bridge.c", "Eve"]], context=CREATE_ONLY)["ids"]


def test_a_user_without_rights_sees_no_orders_and_the_text_names_who_may(box, odoo):
    box.odoo.set_rights("none")
    name, text = odoo.fault("sale.order", "search_read", [])
    assert name == "odoo.exceptions.AccessError"
    assert text.startswith("You are not allowed to access 'Sales Order' (sale.order) records.")
    assert "\t- Sales/User: Own Documents Only\n" in text
    assert odoo("sale.order", "check_access_rights", "write", raise_exception=False) is False


def test_the_version_is_told_without_a_login(box, odoo):
    answer = odoo.client.post("/web/webclient/version_info", json={}).json()
    assert answer["result"]["server_version_info"][0] == box.odoo.version
    pages = [odoo.client.get(path).status_code for path in ("/web/version", "/json/version")]
    assert pages == ([200, 200] if box.odoo.version >= 19 else [404, 404])


def test_json2_is_there_from_19_on_and_answers_bare_values(box, odoo):
    answer = odoo.json2("res.partner", "create", vals_list={"name": "Ada"})
    if box.odoo.version < 19:
        assert answer.status_code == 404
        return
    assert answer.json() == [box.odoo.find("res.partner", name="Ada")]
    assert odoo.json2("sale.order", "load", fields=["id"], data=[], context=CREATE_ONLY).json()["ids"] == []
    missing = odoo.json2("sale.order", "action_confirm", ids=[999999])
    assert (missing.status_code, missing.json()["name"]) == (404, "odoo.exceptions.MissingError")


@pytest.mark.parametrize("value", ["A\x00B", "NUL \x00 at all"])
def test_nul_bytes_are_refused(odoo, value):
    text = "A string literal cannot contain NUL (0x00) characters."
    assert odoo.fault("res.partner", "create", {"name": value}) == ("builtins.ValueError", text)


def test_a_surprising_argument_is_a_fault_and_no_broken_server(odoo):
    name, _ = odoo.fault("res.partner", "write", [2], ["not", "a", "dict"])
    assert name.startswith("builtins.")
    assert odoo("res.users", "read", [2], ["login"]) == [{"id": 2, "login": "admin"}]
