"""The real clients before servers that answer as recorded: the errors that advice is given for."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import httpcore
import httpx

from bridge.errors import BridgeError
from bridge.magento import BearerSecret, MagentoClient, OAuthSecret
from bridge.odoo import OdooClient
from bridge.odoo.protocols import Account
from bridge.wire import Wire

RECORDINGS = Path(__file__).parents[2] / "recordings"
KEYS = OAuthSecret(
    consumer_key="ckey0000",
    consumer_secret="csecret0",
    access_token="atoken00",
    access_token_secret="atsecret",
)
TOKEN = BearerSecret(access_token="atoken00")
Reply = Callable[[httpx.Request], httpx.Response]


def response_of(path: Path) -> httpx.Response:
    answer = json.loads(path.read_text(encoding="utf-8"))["response"]
    if "json" not in answer:
        return httpx.Response(answer["status"], content=(answer.get("text") or "").encode())
    return httpx.Response(
        answer["status"],
        content=json.dumps(answer["json"]).encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


def magento_recording(name: str) -> httpx.Response:
    return response_of(RECORDINGS / "magento" / f"{name}.json")


def odoo_recording(version: int, name: str) -> httpx.Response:
    topic, _, ending = name.partition("/")
    folder = RECORDINGS / "odoo" / str(version) / topic
    (path,) = (one for one in folder.glob("*.json") if one.stem.partition("-")[2] == ending)
    return response_of(path)


def magento(reply: Reply, *, secret: OAuthSecret | BearerSecret = KEYS) -> MagentoClient:
    return MagentoClient.connect(
        base_url="https://shop.example.test", secret=secret, transport=httpx.MockTransport(reply)
    )


def odoo(reply: Reply, *, version: int = 18, database: str = "odoo18") -> OdooClient:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/web/version" and version < 19:
            return odoo_recording(version, "auth/unknown-path-json")
        if request.url.path.startswith("/web/"):
            return odoo_recording(version, "auth/web-version")
        return reply(request)

    wire = Wire(system="odoo", base_url="https://odoo.example.test", transport=httpx.MockTransport(answer))
    return OdooClient.over(wire, account=Account(url=wire.base_url, database=database, user="admin", key="k"))


def error_of(call: Callable[[], object]) -> BridgeError:
    try:
        call()
    except BridgeError as error:
        return error
    raise AssertionError("the call went well")


def fails(error: Exception) -> Reply:
    def reply(request: httpx.Request) -> httpx.Response:
        raise error

    return reply


def untrusted(request: httpx.Request) -> httpx.Response:
    """Fail as the network does when a certificate is not trusted."""
    try:
        raise ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    except ssl.SSLError as cause:
        cause.verify_message = "self-signed certificate"
        raise httpcore.ConnectError("TLS") from cause
