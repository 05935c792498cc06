"""Replays what real Odoo servers answered, through the client, and keeps what the client asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from bridge.odoo import OdooClient
from bridge.odoo.protocols import Account
from bridge.odoo.session import Session
from bridge.odoo.versions import OdooVersion
from bridge.wire import Wire

ROOT = Path(__file__).parents[2] / "recordings" / "odoo"
TEXTS = {16: "16.0", 18: "18.0-20250421", 19: "19.0"}
URL = "https://odoo.example.com"


@dataclass(frozen=True)
class Recorded:
    """One recorded request and its answer."""

    name: str
    version: int
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def execute_kw(self) -> list[Any] | None:
        """database, uid, key, model, method, args, kwargs; None where it is another call."""
        body = self.request.get("json")
        if self.request.get("path") != "/jsonrpc" or not isinstance(body, dict):
            return None
        params = body.get("params", body)  # The ``rules`` topic leaves the envelope out.
        if params.get("method") != "execute_kw":
            return None
        arguments = list(params["args"])
        return arguments if len(arguments) == 7 else [*arguments, {}]

    @property
    def is_json2(self) -> bool:
        return "/json/2/" in self.request.get("path", "") and isinstance(self.request.get("json"), dict)

    @property
    def fault(self) -> dict[str, Any] | None:
        body = self.response.get("json")
        if not isinstance(body, dict):
            return None
        if "error" in body:
            fault: dict[str, Any] = body["error"]["data"]
            return fault
        return body if {"name", "message", "arguments"} <= set(body) else None


def recordings(version: int, *topics: str) -> Iterator[Recorded]:
    """Yield every recorded exchange of the topics."""
    for topic in topics:
        for path in sorted((ROOT / str(version) / topic).glob("*.json")):
            document = json.loads(path.read_text(), parse_float=Decimal)
            name = f"{version}/{topic}/{path.stem}"
            if "request" in document and "response" in document:
                yield Recorded(name, version, document["request"], document["response"])
            for index, exchange in enumerate(document.get("exchanges", [])):
                if "request" in exchange and "response" in exchange:
                    yield Recorded(f"{name}-{index}", version, exchange["request"], exchange["response"])


def recording(version: int, ending: str) -> Recorded:
    """Return the one recording of a version whose name ends so, numbers left out: ``auth/web-version``."""
    topic, _, name = ending.partition("/")
    found = [one for one in recordings(version, topic) if one.name.split("/")[2].partition("-")[2] == name]
    assert len(found) == 1, (version, ending, [one.name for one in found])
    return found[0]


def document(version: int, ending: str) -> dict[str, Any]:
    """Return a recording that is not a plain exchange."""
    topic, _, name = ending.partition("/")
    (path,) = [
        path for path in (ROOT / str(version) / topic).glob("*.json") if path.stem.partition("-")[2] == name
    ]
    found: dict[str, Any] = json.loads(path.read_text(), parse_float=Decimal)
    return found


class Server:
    """Stands in for the server: answers from a function and keeps the requests."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)

    @property
    def bodies(self) -> list[Any]:
        return [
            json.loads(request.content, parse_float=Decimal) for request in self.requests if request.content
        ]


def answer_of(recorded: Recorded) -> httpx.Response:
    """Return the recorded answer; the ``rules`` topic leaves the envelope and headers out."""
    response = recorded.response
    headers = dict(response.get("headers", {}))
    if "json" not in response:
        return respond(response["status"], response.get("text", "").encode(), headers=headers)
    body = response["json"]
    if recorded.request["path"] == "/jsonrpc" and "jsonrpc" not in body:
        body = {"jsonrpc": "2.0", "id": 1, **body}
    headers.setdefault("content-type", "application/json; charset=utf-8")
    return respond(response["status"], to_bytes(body), headers=headers)


def respond(status: int, content: bytes = b"", *, headers: dict[str, str] | None = None) -> httpx.Response:
    """Return an answer that is still to be read, as one from a network is."""
    return httpx.Response(status, headers=headers or {}, stream=httpx.ByteStream(content))


def respond_json(body: Any, status: int = 200) -> httpx.Response:
    return respond(status, to_bytes(body), headers={"content-type": "application/json; charset=utf-8"})


def to_bytes(body: Any) -> bytes:
    return json.dumps(body, default=float).encode()


def client(
    server: Server,
    *,
    version: int | None = None,
    uid: int | None = None,
    database: str = "shop",
    key: str = "<api-key>",
    user: str = "admin",
    forms_of_key: tuple[str, ...] = (),
) -> OdooClient:
    """Return a client whose server is ``server``; what it would learn first can be given."""
    wire = Wire(
        system="odoo",
        base_url=URL,
        secrets=forms_of_key or (key,),
        transport=httpx.MockTransport(server),
    )
    session = Session(
        version=None
        if version is None
        else OdooVersion(major=version, text=TEXTS.get(version, f"{version}.0")),
        uid=uid,
    )
    return OdooClient.over(
        wire, account=Account(url=URL, database=database, user=user, key=key), session=session
    )
