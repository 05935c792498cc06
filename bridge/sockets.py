"""Sockets whose every wait ends with one total deadline, and an httpx transport over them.

httpx and httpcore bound each single read, so a server that trickles a byte now and then holds a call for
ever; a name that resolves slowly or to many dead addresses does too. Here one deadline bounds all of it:
look-up, every address, the TLS handshake, every write and every read, those of the streamed body included.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpcore
import httpx

#: The longest wait for one address to accept a connection.
CONNECT_SECONDS = 10.0
#: Idle connections are closed after this time, before the common servers do it (Apache: 5 s), so that a
#: request seldom meets a connection that the server is just closing.
KEEPALIVE_SECONDS = 4.0


class NameNotFound(httpcore.ConnectError):
    """The host's name has no address."""


@dataclass
class CallClock:
    """The deadline of the call that runs on this thread, and whether it may have reached the server."""

    _local: threading.local = field(default_factory=threading.local)

    def start(self, seconds: float) -> None:
        """Begin a call that must end within ``seconds``."""
        self._local.until = time.monotonic() + seconds
        self._local.wrote = False

    def remaining(self) -> float:
        """Return the seconds left; httpcore's time-out where none is."""
        left: float = self._local.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the call's deadline is over")
        return left

    def wrote(self) -> None:
        """Say that from now on a byte of the request may have reached the server."""
        self._local.wrote = True

    @property
    def has_written(self) -> bool:
        """Whether a byte of the request may have reached the server."""
        return bool(getattr(self._local, "wrote", False))


class DeadlineStream(httpcore.NetworkStream):
    """A socket whose every read and write ends with the call's deadline."""

    def __init__(self, sock: socket.socket, clock: CallClock) -> None:
        self._sock = sock
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # httpcore's port
        """Read up to ``max_bytes``; the call's deadline stands in place of ``timeout``."""
        try:
            self._sock.settimeout(self._clock.remaining())
            return self._sock.recv(max_bytes)
        except TimeoutError as exc:
            raise httpcore.ReadTimeout(str(exc)) from exc
        except OSError as exc:
            raise httpcore.ReadError(str(exc)) from exc

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # httpcore's port
        """Write ``buffer``; the call's deadline stands in place of ``timeout``.

        On a plain socket a write that fails before the kernel took a byte is known not to have been sent:
        so ends a kept-alive connection that the server closed meanwhile. TLS cannot tell, and counts as
        sent from the first try.
        """
        left = memoryview(buffer)
        while left:
            try:
                self._sock.settimeout(self._clock.remaining())
                if isinstance(self._sock, ssl.SSLSocket):
                    self._clock.wrote()
                count = self._sock.send(left)
            except TimeoutError as exc:
                raise httpcore.WriteTimeout(str(exc)) from exc
            except OSError as exc:
                raise httpcore.WriteError(str(exc)) from exc
            if count:
                self._clock.wrote()
            left = left[count:]

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # httpcore's port
    ) -> httpcore.NetworkStream:
        """Shake hands for TLS within the call's deadline."""
        try:
            self._sock.settimeout(self._clock.remaining())
            wrapped = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        except TimeoutError as exc:
            self.close()
            raise httpcore.ConnectTimeout(str(exc)) from exc
        except OSError as exc:
            self.close()
            raise httpcore.ConnectError(str(exc)) from exc
        return DeadlineStream(wrapped, self._clock)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks of a stream; it uses ``is_readable`` to drop closed connections."""
        if info == "is_readable":
            return self._is_readable()
        if info == "ssl_object" and isinstance(self._sock, ssl.SSLSocket):
            return self._sock
        return {"socket": self._sock}.get(info)

    def _is_readable(self) -> bool:
        # An idle connection with something to read is one that the server is closing. Asked by poll, which
        # leaves the socket as it is: another thread may just be taking the connection.
        number = self._sock.fileno()
        if number < 0:
            return True
        poll = select.poll()
        poll.register(number, select.POLLIN)
        return bool(poll.poll(0))


class DeadlineBackend(httpcore.NetworkBackend):
    """Opens sockets whose every wait ends with the call's deadline."""

    def __init__(self, clock: CallClock) -> None:
        self._clock = clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # httpcore's port
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Connect to the first address of ``host`` that answers."""
        trouble: OSError | None = None
        for family, kind, protocol, _, address in self._resolve(host, port):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(min(self._clock.remaining(), CONNECT_SECONDS))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as exc:
                sock.close()
                trouble = exc
                continue
            except httpcore.TimeoutException:
                sock.close()
                raise
            return DeadlineStream(sock, self._clock)
        if isinstance(trouble, TimeoutError):
            raise httpcore.ConnectTimeout(str(trouble)) from trouble
        raise httpcore.ConnectError(str(trouble)) from trouble

    def _resolve(self, host: str, port: int) -> list[Any]:
        # getaddrinfo knows no time-out, so it runs beside; an abandoned look-up ends by itself.
        found: list[Any] = []
        failed: list[OSError] = []

        def look_up() -> None:
            try:
                found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as exc:
                failed.append(exc if isinstance(exc, OSError) else OSError(str(exc)))

        thread = threading.Thread(target=look_up, name="look-up", daemon=True)
        thread.start()
        thread.join(min(self._clock.remaining(), CONNECT_SECONDS))
        if failed or (not thread.is_alive() and not found):
            raise NameNotFound(host) from (failed[0] if failed else None)
        if thread.is_alive():
            raise httpcore.ConnectTimeout("looking up the host's name took too long")
        return list(found)


class DeadlineTransport(httpx.BaseTransport):
    """httpx's transport over a pool of deadline sockets. Raises httpcore's errors, not httpx's."""

    def __init__(self, *, clock: CallClock, verify: bool, connections: int) -> None:
        self._clock = clock
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context(verify),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=DeadlineBackend(clock),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` and return its answer, the body still to be read."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                url,
                headers=request.headers.raw,
                content=request.stream,
                extensions={"timeout": {"pool": self._clock.remaining()}},
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer, read as it comes."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer.iter_stream())

    def close(self) -> None:
        self._answer.close()


def ssl_context(verify: bool) -> ssl.SSLContext:  # noqa: FBT001  # a setting, passed on
    """Return the TLS context; ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name further authorities."""
    return _ssl_context(verify, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=8)
def _ssl_context(verify: bool, cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:  # noqa: FBT001, ARG001
    # Loading the authorities costs milliseconds, so the context is kept for as long as its ground stays.
    return httpx.create_ssl_context(verify=verify)
