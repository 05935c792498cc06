"""An ASGI application served over real HTTP: uvicorn in a daemon thread, on 127.0.0.1 and a free port."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds a server may take to come up or to go down.
PATIENCE_SECONDS = 10.0
#: Longer than any client's pool keeps a connection, so that reuse does not race with our closing it.
KEEP_ALIVE_SECONDS = 75


class CuttableProtocol(H11Protocol):
    """uvicorn's h11 protocol that hands its transport to the application, for faults that cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take a connection."""
        super().connection_made(transport)
        # asyncio leaves Nagle on for sockets made by create_server: 40 ms for each answer to a kept connection.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        app = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope["sandbox.transport"] = transport
            await app(scope, receive, send)

        self.app = with_transport


class _Announcing(uvicorn.Server):
    """A uvicorn server that says when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.is_up.set()


def _listen(port: int) -> socket.socket:
    # Named as TCP in so many words: only then does asyncio switch Nagle's algorithm off, which would make
    # every answer 40 ms late.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(256)
    return listening


class Server:
    """A running HTTP server; ``url`` is where it listens."""

    def __init__(self, app: ASGIApp, *, name: str, port: int = 0) -> None:
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        #: Base URL without a slash at its end.
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            app,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        self._server = _Announcing(config)
        self._thread = threading.Thread(target=self._run, name=f"sandbox-{name}", daemon=True)

    @classmethod
    def start(cls, app: ASGIApp, *, name: str, port: int = 0) -> Server:
        """Serve ``app`` and return once it accepts connections. Raises ``RuntimeError`` if it does not."""
        server = cls(app, name=name, port=port)
        server._thread.start()
        if not server._server.is_up.wait(PATIENCE_SECONDS):
            server.stop()
            raise RuntimeError(f"The sandbox's {name} server did not come up.")
        return server

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Close the server and wait for its thread. Requests still open are cut."""
        self._server.should_exit = True
        self._thread.join(PATIENCE_SECONDS)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
