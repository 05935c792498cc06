"""A TCP proxy that breaks one HTTP call at a chosen point: what the network and gateways do to a connector.

It stands between the bridge and a server, reads whole requests and answers, and forwards them unless a break is
armed for the one that comes. Everything happens on the wire: neither side is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self, get_args
from urllib.parse import urlsplit

Break = Literal[
    "before",  # the request is read, nothing reaches the server, the connection is reset
    "in_request",  # half of the request reaches the server, then both connections are reset
    "swallowed",  # half-open: the request is taken and goes nowhere, no answer ever comes
    "after_commit",  # the server has done it and answered; the connection is reset before the answer's first byte
    "in_answer",  # half of the answer's bytes arrive, then the connection is reset
    "stalled",  # the server has done it and answered; nothing arrives, the connection stays open
    "late",  # the connection is reset; the request reaches the server only when the test says so
]
BREAKS: tuple[Break, ...] = get_args(Break)
#: How many of the newest requests are remembered.
KEPT_REQUESTS = 1000
#: Seconds that anything in the proxy waits at most, so that a test that fails does not hang.
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Request:
    """An HTTP request as it came."""

    method: str
    #: Path with query.
    path: str
    head: bytes
    body: bytes


Fits = Callable[[Request], bool]


class Armed:
    """A break that waits for its request."""

    def __init__(self, kind: Break, fits: Fits) -> None:
        self.kind = kind
        self.fits = fits
        #: Set when a request has met it.
        self.fired = threading.Event()
        #: For ``late``: set when the server has answered the late request.
        self.delivered = threading.Event()
        self._deliver = threading.Event()

    def deliver(self) -> None:
        """Let the late request reach the server, and return when it has been answered."""
        self._deliver.set()
        assert self.delivered.wait(PATIENCE_SECONDS), "the late request was never answered"

    async def wait(self) -> None:
        """Wait until the late request may go on."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE_SECONDS
        # The one who lets it go is another thread, so an asyncio.Event would not do.
        while not self._deliver.is_set() and loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.003)


class Proxy:
    """A proxy on 127.0.0.1 before one server; ``url`` is where it listens."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._armed: list[Armed] = []
        self._seen: deque[tuple[float, Request]] = deque(maxlen=KEPT_REQUESTS)
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self.url = ""

    @classmethod
    def start(cls, target: str) -> Self:
        """Return a running proxy before the server at ``target``."""
        proxy = cls(target)
        proxy._thread.start()
        assert proxy._is_up.wait(PATIENCE_SECONDS)
        return proxy

    def once(self, kind: Break, fits: Fits) -> Armed:
        """Break the next request that fits."""
        armed = Armed(kind, fits)
        with self._lock:
            self._armed.append(armed)
        return armed

    def arrivals(self, fits: Fits) -> list[float]:
        """Return when requests that fit arrived whole, in seconds of the monotonic clock, oldest first."""
        with self._lock:
            return [moment for moment, request in self._seen if fits(request)]

    def clear(self) -> None:
        """Forget what was seen, and the breaks that nobody met."""
        with self._lock:
            self._armed.clear()
            self._seen.clear()

    def stop(self) -> None:
        """Close all connections and end the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()

    async def _main(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._is_up.set()
        await self._stopping.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server: asyncio.StreamWriter | None = None
        try:
            answers, server = await asyncio.open_connection(*self._target)
            while (raw := await _message(reader)) is not None:
                request = _request(raw)
                armed = self._meets(request)
                if armed is not None:
                    await self._break(armed, raw, (reader, writer), (answers, server))
                    return
                server.write(raw)
                answer = await _message(answers)
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
        except OSError:
            pass  # Either side went away, as connections do.
        finally:
            for one in (writer, server):
                if one is not None:
                    one.transport.abort()

    async def _break(
        self,
        armed: Armed,
        raw: bytes,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        armed.fired.set()
        kind = armed.kind
        if kind == "before":
            return
        if kind == "swallowed":
            await _until_gone(client[0])
            return
        if kind == "in_request":
            server[1].write(raw[: len(raw) // 2])
            await server[1].drain()
            return
        if kind == "late":
            client[1].transport.abort()
            await armed.wait()
        server[1].write(raw)
        answer = await _message(server[0])
        armed.delivered.set()
        if kind == "in_answer" and answer is not None:
            client[1].write(answer[: len(answer) // 2])
            await client[1].drain()
            # The half must leave before the reset, or the client would see no answer at all.
            await asyncio.sleep(0.02)
        if kind == "stalled":
            await _until_gone(client[0])

    def _meets(self, request: Request) -> Armed | None:
        with self._lock:
            self._seen.append((time.monotonic(), request))
            armed = next((one for one in self._armed if one.fits(request)), None)
            if armed is not None:
                self._armed.remove(armed)
            return armed


async def _until_gone(reader: asyncio.StreamReader) -> None:
    """Wait until the client has given up."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await reader.read()


async def _message(reader: asyncio.StreamReader) -> bytes | None:
    """Read one HTTP message whole, None where the connection ended before it did."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = _fields(head)
        if "chunked" in fields.get("transfer-encoding", ""):
            return head + await _chunks(reader)
        return head + await reader.readexactly(int(fields.get("content-length", "0")))
    except asyncio.IncompleteReadError:
        return None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        whole += line + await reader.readexactly(size + 2)
        if size == 0:
            return whole


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _request(raw: bytes) -> Request:
    head, _, body = raw.partition(b"\r\n\r\n")
    method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    return Request(method=method, path=path, head=head, body=body)
