"""The ASGI layer that both simulated systems stand behind: it counts requests and throws faults.

It reads the request whole, counts it, draws at most one fault, and lets the application run before it, after
it or not at all. The transport comes from ``bridge.sandbox.server`` in ``scope["sandbox.transport"]``;
cutting aborts it, as a dying proxy would. A stale read is the application's own matter:
``scope["sandbox.stale"]`` is true.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.errors import System
from bridge.sandbox.calls import Call, Calls
from bridge.sandbox.faults import GATEWAY_REPLIES, GATEWAY_TIMEOUT, Faults, Kind, Reply

#: Names the operation of (method, path, body): ``/V1/orders/{id}`` or ``sale.order.load``.
Describe = Callable[[str, str, bytes], str]


@dataclass(frozen=True)
class _Connection:
    """The three parts of an ASGI call."""

    scope: Scope
    receive: Receive
    send: Send


class FaultMiddleware:
    """Count the request, draw a fault, and run the application accordingly.

    ``describe(method, path, body)`` names the operation; ``error_replies`` are the system's own 500s.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        system: System,
        faults: Faults,
        calls: Calls,
        describe: Describe,
        error_replies: Sequence[Reply],
    ) -> None:
        self._app = app
        self._system = system
        self._faults = faults
        self._calls = calls
        self._describe = describe
        self._error_replies = error_replies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        call = Call(
            system=self._system,
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode("latin-1"),
            operation=self._describe(scope["method"], path, body),
        )
        self._calls.begin(call)
        try:
            await self._answer(call, body, _Connection(scope, receive, send))
        finally:
            self._calls.end(call)

    async def _answer(self, call: Call, body: bytes, peer: _Connection) -> None:
        draw, seconds = self._faults.draw(call)
        if draw.hold is not None and not draw.hold.after_commit:
            await draw.hold.wait()
        if draw.delay_seconds:
            await asyncio.sleep(draw.delay_seconds)
        if draw.kind == "cut_before":
            await _cut(peer)
            return
        early = self._early_reply(draw.kind)
        if early is not None:
            wait = self._faults.retry_after(seconds) if early.status == 429 else None
            await _reply(peer.send, early, retry_after=wait)
            return
        peer.scope["sandbox.stale"] = draw.is_stale
        if draw.kind is None and draw.hold is None:
            await self._app(peer.scope, _replay(body, peer.receive), peer.send)
            return
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(peer.scope, _replay(body, peer.receive), keep)
        if draw.hold is None:
            await self._spoil(draw.kind, seconds, messages, peer)
            return
        if draw.hold.after_commit:
            await draw.hold.wait()
        for message in messages:
            await peer.send(message)

    def _early_reply(self, kind: Kind | None) -> Reply | None:
        if kind == "error_5xx":
            return self._faults.choose(GATEWAY_REPLIES)
        if kind == "error_500":
            return self._faults.choose(self._error_replies)
        if kind == "rate_429":
            return Reply(429, "text/plain; charset=utf-8", b"Too Many Requests")
        return None

    async def _spoil(
        self, kind: Kind | None, seconds: float | None, messages: list[Message], peer: _Connection
    ) -> None:
        """The application has run: lose its answer, or a part of it."""
        if kind == "cut_after":
            await _cut(peer)
        elif kind == "error_after":
            await _reply(peer.send, GATEWAY_TIMEOUT)
        elif kind == "error_500_after":
            await _reply(peer.send, self._error_replies[0])
        elif kind == "cut_body":
            body = _whole_body(messages)
            await peer.send(_with_length(messages[0], len(body)))
            await peer.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            # The half must leave before the connection dies, or the client would see no answer at all.
            await asyncio.sleep(0.02)
            await _cut(peer)
        else:
            await self._trickle(messages, seconds, peer.send)

    async def _trickle(self, messages: list[Message], seconds: float | None, send: Send) -> None:
        body = _whole_body(messages)
        await send(_with_length(messages[0], len(body)))
        for at in range(len(body)):
            await send({"type": "http.response.body", "body": body[at : at + 1], "more_body": True})
            await asyncio.sleep(seconds if seconds is not None else self._faults.trickle_seconds)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives the body again, then what really comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _cut(peer: _Connection) -> None:
    """Abort the connection, and wait until the server knows it, so that it does not answer 500 itself."""
    peer.scope["sandbox.transport"].abort()
    while (await peer.receive())["type"] != "http.disconnect":
        pass


async def _reply(send: Send, reply: Reply, *, retry_after: int | None = None) -> None:
    headers = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _whole_body(messages: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages[1:])


def _with_length(start: MutableMapping[str, Any], length: int) -> Message:
    """Return the answer's start with a content length, so that a body cut short is seen as cut."""
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    return {**start, "headers": [*headers, (b"content-length", str(length).encode())]}
