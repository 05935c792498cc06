"""Which protocol a server is spoken to in, how the bridge logs in, and what a wrong setting says."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import odoo_replay as replay
import pytest
from odoo_replay import Server, respond, respond_json
from pydantic import SecretStr

from bridge.errors import CredentialsRefused, RateLimited, ServiceRejected, ServiceUnavailable, SettingsWrong
from bridge.odoo import OdooClient
from bridge.odoo.client import secrets_of
from bridge.wire import Exchange, NoAnswer

PASSWORD = "<password>"


def server_of(version: int, *answers: str) -> Server:
    """A server that answers the version as recorded, and then each named recording in turn."""
    rest = [replay.recording(version, one) for one in answers]

    def answer(request: httpx.Request) -> httpx.Response:
        probe = replay.recording(version, "auth/web-version")
        if (request.method, request.url.path) == (probe.request["method"], probe.request["path"]):
            return replay.answer_of(probe)
        if request.url.path.startswith("/web/"):
            return replay.answer_of(replay.recording(version, "auth/unknown-path-json"))
        return replay.answer_of(rest.pop(0))

    return Server(answer)


def paths(server: Server) -> list[tuple[str, str]]:
    return [(request.method, request.url.path) for request in server.requests]


@pytest.mark.parametrize(("version", "text"), [(16, "16.0"), (18, "18.0-20250421"), (19, "19.0")])
def test_the_server_says_its_own_version_without_a_login(version: int, text: str):
    server = server_of(version)
    client = replay.client(server)

    assert (client.version.major, client.version.text, client.version.is_proven) == (version, text, True)
    assert client.version is client.version
    assert ("POST", "/jsonrpc") not in paths(server)


def test_19_is_spoken_to_in_json_2_without_a_login():
    server = server_of(19, "auth/json2-ok")
    replay.client(server).read("res.users", [2], ["login", "lang"])
    assert paths(server) == [("GET", "/web/version"), ("POST", "/json/2/res.users/read")]


@pytest.mark.parametrize("version", [16, 18])
def test_16_and_18_are_spoken_to_in_json_rpc_after_one_login(version: int):
    server = server_of(version, "auth/common-authenticate-ok", "auth/execute-kw-ok", "auth/execute-kw-ok")
    client = replay.client(server, database=f"odoo{version}", key=PASSWORD)

    for _ in range(2):
        assert client.read("res.users", [2], ["login", "lang", "tz", "company_id"])[0]["login"] == "admin"

    assert paths(server)[2:] == [("POST", "/jsonrpc")] * 3
    login, *_ = (body for body in server.bodies if body)
    assert login == replay.recording(version, "auth/common-authenticate-ok").request["json"]


def test_19_tells_whose_key_it_is():
    server = server_of(19, "auth/json2-context-get")
    assert replay.client(server).login() == 2
    assert server.requests[-1].url.path == "/json/2/res.users/context_get"
    assert server.bodies == [{}]


@pytest.mark.parametrize("version", [16, 18])
@pytest.mark.parametrize(
    "answer", ["auth/common-authenticate-wrong-password", "auth/common-authenticate-unknown-login"]
)
def test_a_wrong_login_is_no_error_of_odoos_and_is_one_of_ours(version: int, answer: str):
    with pytest.raises(CredentialsRefused, match="the key has expired"):
        replay.client(server_of(version, answer)).login()


@pytest.mark.parametrize("version", [16, 18])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [("auth/execute-kw-wrong-password", "key"), ("auth/execute-kw-wrong-uid", "user_gone")],
)
def test_after_a_refusal_the_bridge_logs_in_anew(version: int, answer: str, reason: str):
    server = server_of(version, answer, "auth/common-authenticate-ok", "auth/execute-kw-ok")
    client = replay.client(server, version=version, uid=9999, key=PASSWORD)

    with pytest.raises(CredentialsRefused) as caught:
        client.read("res.users", [2], ["login"])
    assert caught.value.details["reason"] == reason

    assert client.read("res.users", [2], ["login"])[0]["id"] == 2


@pytest.mark.parametrize(
    "answer", ["auth/json2-no-key", "auth/json2-wrong-key", "auth/json2-password-as-key"]
)
def test_json_2_takes_keys_only(answer: str):
    with pytest.raises(CredentialsRefused, match="Make a new API key") as caught:
        replay.client(server_of(19, answer)).read("res.users", [2], ["login"])
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        (16, "auth/common-authenticate-wrong-db"),
        (18, "auth/common-authenticate-wrong-db"),
        (19, "auth/json2-db-header-wrong"),
    ],
)
def test_a_wrong_database_is_a_wrong_setting_and_not_a_broken_server(version: int, answer: str):
    with pytest.raises(SettingsWrong, match="no database 'no_such_db'") as caught:
        replay.client(server_of(version, answer), database="no_such_db").read("res.users", [2], ["login"])
    assert caught.value.details["reason"] == "wrong_database"


@pytest.mark.parametrize("key", ["kéy", "with\nline", "tab\tkey"])
def test_a_key_that_no_header_can_carry_is_refused_before_sending(key: str):
    server = server_of(19)
    with pytest.raises(CredentialsRefused):
        replay.client(server, key=key).read("res.users", [2], ["login"])
    assert paths(server) == [("GET", "/web/version")]


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (lambda: respond(404, b"<html>"), SettingsWrong, "not_odoo"),
        (lambda: respond(200, b"<html>shop</html>"), SettingsWrong, "not_odoo"),
        (lambda: respond_json({"hello": "world"}), SettingsWrong, "not_odoo"),
        (lambda: respond_json([1]), SettingsWrong, "not_odoo"),
        (lambda: respond(301, headers={"location": "https://www.example.com/"}), SettingsWrong, "redirect"),
        (lambda: respond(401), CredentialsRefused, "proxy"),
        (lambda: respond_json({"version": "15.0", "version_info": [15, 0]}), SettingsWrong, "version"),
        (lambda: respond(502, b"<html>"), NoAnswer, "unreadable"),
        (lambda: respond(503), ServiceUnavailable, "down"),
    ],
)
def test_what_is_not_a_usable_odoo_is_told_apart(
    answer: Callable[[], httpx.Response], error: type, reason: str
):
    with pytest.raises(error) as caught:
        _ = replay.client(Server(lambda _: answer())).version
    assert caught.value.details["reason"] == reason


def test_odoo_asks_for_fewer_calls():
    with pytest.raises(RateLimited) as caught:
        _ = replay.client(Server(lambda _: respond(429, headers={"retry-after": "17"}))).version
    assert caught.value.retry_after == 17


@pytest.mark.parametrize("version", [16, 18])
@pytest.mark.parametrize("lost_at", ["/web/webclient/version_info", "/jsonrpc"])
def test_a_write_is_not_in_doubt_when_only_the_login_before_it_was_lost(version: int, lost_at: str):
    good = server_of(version)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == lost_at:
            raise httpx.ReadError("cut", request=request)
        return good(request)

    with pytest.raises(NoAnswer) as caught:
        replay.client(Server(answer)).write("res.partner", [1], {"comment": "x"})
    assert caught.value.sent is False


@pytest.mark.parametrize("version", [16, 18, 19])
@pytest.mark.parametrize("status", [None, 200, 500, 502, 504])
def test_a_write_whose_answer_is_lost_is_in_doubt(version: int, status: int | None):
    def answer(request: httpx.Request) -> httpx.Response:
        if status is None:
            raise httpx.ReadTimeout("late", request=request)
        return respond(status, b"<html>gateway</html>", headers={"content-type": "text/html"})

    with pytest.raises(NoAnswer) as caught:
        replay.client(Server(answer), version=version, uid=2).write("res.partner", [1], {"comment": "x"})
    assert caught.value.sent is True


def test_an_answer_that_breaks_off_is_in_doubt():
    broken = respond(200, b'{"jsonrpc": "2.0", "result": tr', headers={"content-type": "application/json"})
    with pytest.raises(NoAnswer) as caught:
        replay.client(Server(lambda _: broken), version=18, uid=2).write("res.partner", [1], {"comment": "x"})
    assert caught.value.sent is True


@pytest.mark.parametrize("version", [16, 18, 19])
@pytest.mark.parametrize("key", ["plain-key-0123456789", 'quo"te\\back', "kéy-ü"])
def test_the_key_never_stands_in_an_exchange(version: int, key: str):
    if version == 19 and not key.isascii():
        key = "plain-key-19"
    seen: list[Exchange] = []
    answers = ["auth/common-authenticate-ok", "auth/execute-kw-ok"] if version < 19 else ["auth/json2-ok"]
    server = server_of(version, *answers)
    client: OdooClient = replay.client(server, key=key, forms_of_key=secrets_of(key)).recording(seen.append)

    client.read("res.users", [2], ["login"])

    assert any(
        key.encode() in request.content or "authorization" in request.headers for request in server.requests
    ) or ('"' in key)
    assert len(seen) == len(server.requests)
    for exchange in seen:
        whole = f"{exchange.url} {exchange.request_headers} {exchange.request_body.decode()} {exchange.response_body!r}"
        for form in secrets_of(key):
            assert form not in whole
        assert exchange.system == "odoo"


def test_copies_share_what_was_learned_and_record_their_own():
    server = server_of(19, "auth/json2-ok", "auth/json2-ok")
    first: list[Exchange] = []
    second: list[Exchange] = []
    client = replay.client(server)

    client.recording(first.append).read("res.users", [2], ["login"])
    client.recording(second.append).within(5).read("res.users", [2], ["login"])

    assert [exchange.method for exchange in first] == ["GET", "POST"]
    assert [exchange.method for exchange in second] == ["POST"]


def test_threads_that_start_together_ask_for_the_version_and_log_in_once():
    good = server_of(18, "auth/common-authenticate-ok", *["auth/execute-kw-ok"] * 8)
    turn = threading.Lock()

    def answer(request: httpx.Request) -> httpx.Response:
        with turn:
            return good(request)

    server = Server(answer)
    client = replay.client(server)
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait()
        client.read("res.users", [2], ["login"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.requests) == 2 + 1 + 8


def test_an_upgraded_server_is_asked_for_its_version_again():
    """A database moved from 18 to 19 refuses the old names; the next attempt speaks JSON-2."""
    server = server_of(19, "orders/order-create-wrong-tax-field", "auth/json2-ok")
    client = replay.client(server, version=18, uid=2)

    with pytest.raises(Exception, match="has no field"):
        client.call("sale.order", "create", None, {"vals": {"order_line": [[0, 0, {"tax_id": []}]]}})
    assert client.version.major == 19
    client.read("res.users", [2], ["login"])
    assert server.requests[-1].url.path == "/json/2/res.users/read"


def test_connecting_sends_nothing_and_the_key_loses_the_line_end_of_its_file():
    client = OdooClient.connect(
        url=f"{replay.URL}/", db="shop", user="bridge", key=SecretStr("key-from-a-file\n")
    )
    try:
        assert client._caller.account.key == "key-from-a-file"
        assert client._caller.account.url == replay.URL
        assert "key-from-a-file" not in f"{client!r} {client._caller.account!r}"
    finally:
        client.close()


@pytest.mark.parametrize("version", [16, 18, 19])
def test_an_answer_of_another_kind_is_not_taken_for_rows(version: int):
    body = {"x": 1} if version == 19 else {"jsonrpc": "2.0", "id": 1, "result": {"x": 1}}
    client = replay.client(Server(lambda _: respond_json(body)), version=version, uid=2)
    with pytest.raises(ServiceRejected, match="not a list"):
        client.read("res.users", [2], ["login"])
    with pytest.raises(ServiceRejected, match="did not compute"):
        client.preview_order({"partner_id": 1}, [{"display_type": "line_note", "name": "x"}])


def test_a_key_whose_user_is_unknown_is_refused():
    client = replay.client(Server(lambda _: respond_json({"lang": "en_US"})), version=19)
    with pytest.raises(CredentialsRefused):
        client.login()


@pytest.mark.parametrize(("status", "error"), [(413, "larger"), (418, "not Odoo")])
def test_a_refusal_by_something_before_odoo_is_no_doubt(status: int, error: str):
    client = replay.client(Server(lambda _: respond(status)), version=18, uid=2)
    with pytest.raises((ServiceRejected, SettingsWrong), match=error):
        client.write("res.partner", [1], {"comment": "x"})


def test_a_fault_without_a_class_is_still_a_refusal():
    body = {"jsonrpc": "2.0", "id": 1, "error": {"code": 100, "message": "Odoo Session Expired"}}
    client = replay.client(Server(lambda _: respond_json(body)), version=18, uid=2)
    with pytest.raises(ServiceRejected, match="gave no reason"):
        client.write("res.partner", [1], {"comment": "x"})
