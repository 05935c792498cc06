"""HTTP with a *total* deadline, a size limit and a record of every exchange.

The only module that speaks HTTP (``bridge.sockets`` holds its sockets). The clients of Odoo and Magento
build on ``Wire``; foreign exceptions stop here.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import time
import uuid
import zlib
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from bridge.errors import BridgeError, ServiceRejected, ServiceUnavailable, SettingsWrong, System
from bridge.masking import mask_body, mask_headers, mask_text, mask_url
from bridge.sockets import CallClock, DeadlineTransport, NameNotFound

#: Answers beyond this size are refused: no call of ours needs more.
MAX_RESPONSE_BYTES = 32 * 1024 * 1024
#: Bodies in exchanges are cut here; the ledger keeps no more.
MAX_RECORDED_BYTES = 64 * 1024
#: Methods that change nothing: what became of such a call is never in doubt.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# httpx logs full addresses, which hold e-mail addresses and the like; httpcore logs headers.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its answer, with secrets masked: a row of the sync log."""

    id: uuid.UUID
    system: System
    method: str
    #: Full URL, masked.
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    #: HTTP status, or None where no answer came.
    status: int | None
    response_headers: Mapping[str, str]
    response_body: bytes
    #: What went wrong on the way, in plain English.
    error: str | None
    started_at: datetime
    duration_ms: int
    #: What was called, where the address does not say it: ``sale.order.load``.
    operation: str | None = None


Recorder = Callable[[Exchange], None]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the header ``name``, in whatever case it is asked for."""
        return self.headers.get(name.lower())


class NoAnswer(ServiceUnavailable):
    """The call ended without an answer."""

    code = "no_answer"

    def __init__(self, message: str, *, sent: bool, system: System, **details: Any) -> None:
        super().__init__(message, system=system, **details)
        #: Whether any byte of the request may have reached the server: then a write is in doubt.
        self.sent = sent


class Wire:
    """Sends requests to one system and records every exchange. Safe to share between threads."""

    def __init__(
        self,
        *,
        system: System,
        base_url: str,
        verify_ssl: bool = True,
        secrets: Iterable[str] = (),
        deadline_seconds: float = 30.0,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        connections: int = 32,
        user_agent: str = "CommerceBridge",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare; nothing is sent yet.

        ``transport`` stands in place of the network, for tests.

        Raises:
            SettingsWrong: the address is not a plain ``http`` or ``https`` one.
        """
        self.system: System = system
        self.base_url = _plain_address(base_url, system)
        self.deadline_seconds = deadline_seconds
        self._secrets = tuple(secret for secret in secrets if secret)
        self._max_response_bytes = max_response_bytes
        self._clock = CallClock()
        # A foreign transport does not say what it wrote: then whatever breaks may have been sent.
        self._is_foreign = transport is not None
        # httpx's transport without its client: what that adds (cookies, redirects, proxies of the environment) no
        # call of ours may have, and it costs a fifth of a call.
        self._transport = transport or DeadlineTransport(
            clock=self._clock, verify=verify_ssl, connections=connections
        )
        self._headers = {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"}

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def elsewhere(self, base_url: str, *, max_response_bytes: int) -> Wire:
        """Return a copy for another address of the same system, which shares connections and the trust in certificates.

        Raises:
            SettingsWrong: the address is not a plain ``http`` or ``https`` one.
        """
        copy = object.__new__(Wire)
        copy.__dict__.update(self.__dict__)
        copy.base_url = _plain_address(base_url, self.system)
        copy._max_response_bytes = max_response_bytes
        return copy

    def request(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        auth: httpx.Auth | None = None,
        deadline_seconds: float | None = None,
        record: Recorder | None = None,
        records_body: bool = True,
    ) -> Answer:
        """Send one request and return its answer, whatever its status.

        ``query`` is appended as it is: it is already encoded, since OAuth signs its exact form. Where the answer is a
        file, ``records_body`` false leaves its bytes out of the exchange.

        Raises:
            NoAnswer: no answer came; ``sent`` says whether the server may have seen the request.
            SettingsWrong: the address, the certificate or the credentials cannot be right.
            ServiceRejected: the answer to a read is larger than the limit.
        """
        url = f"{self.base_url}{path}" + (f"?{query}" if query else "")
        seconds = self.deadline_seconds if deadline_seconds is None else deadline_seconds
        log = _Log(started_at=datetime.now(UTC), request_headers=dict(headers or {}))
        started = time.monotonic()
        self._clock.start(seconds)
        try:
            with self._foreign_errors_stop_here(seconds):
                request = httpx.Request(
                    method, url, headers={**self._headers, **log.request_headers}, content=body
                )
                log.request_headers = request.headers
                if auth is not None:
                    request = next(auth.sync_auth_flow(request))
                response = self._transport.handle_request(request)
                with contextlib.closing(response):
                    log.status, log.response_headers = response.status_code, _lower(response.headers)
                    log.response_body = self._read(response, method)
                    return Answer(
                        status=response.status_code, headers=log.response_headers, body=log.response_body
                    )
        except BridgeError as exc:
            log.error = mask_text(exc.message, self._secrets)
            raise
        finally:
            if record is not None:
                millis = int((time.monotonic() - started) * 1000)
                if not records_body:
                    log.response_body = b""
                record(self._exchange(method, url, body or b"", log=log, duration_ms=millis))

    def _exchange(self, method: str, url: str, body: bytes, *, log: _Log, duration_ms: int) -> Exchange:
        return Exchange(
            id=uuid7(log.started_at),
            system=self.system,
            method=method,
            url=mask_url(url, self._secrets),
            request_headers=mask_headers(_lower(log.request_headers), self._secrets),
            request_body=mask_body(body, self._secrets, limit=MAX_RECORDED_BYTES),
            status=log.status,
            response_headers=mask_headers(log.response_headers, self._secrets),
            response_body=mask_body(log.response_body, self._secrets, limit=MAX_RECORDED_BYTES),
            error=log.error,
            started_at=log.started_at,
            duration_ms=duration_ms,
        )

    def _read(self, response: httpx.Response, method: str) -> bytes:
        """Return the body, unpacked, never holding more than the limit: a small packed body may be huge."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in {"identity", "gzip", "x-gzip", ""}:
            raise self._unreadable(
                method, response.status_code, "came in an encoding not asked for", "encoding"
            )
        if response.is_stream_consumed:  # A test's transport gave it whole.
            return response.content
        unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in encoding else None
        whole = bytearray()
        for part in response.iter_raw():
            room = self._max_response_bytes - len(whole) + 1
            whole += unpack.decompress(part, room) if unpack else part
            if len(whole) > self._max_response_bytes:
                limit = f"is larger than {self._max_response_bytes // 1024} KB"
                raise self._unreadable(method, response.status_code, limit, "too_large")
        if unpack and whole and not unpack.eof:
            raise self._unreadable(method, response.status_code, "is cut short", "broken")
        return bytes(whole)

    def _unreadable(self, method: str, status: int, what: str, reason: str) -> BridgeError:
        message = f"The answer of {self.base_url} {what}."
        if method in SAFE_METHODS and reason != "broken":
            return ServiceRejected(message, system=self.system, status=status, reason=reason)
        # Something was done and we cannot read what: the effect is in doubt.
        return NoAnswer(message, sent=True, system=self.system, status=status, reason=reason)

    @contextlib.contextmanager
    def _foreign_errors_stop_here(self, seconds: float) -> Generator[None]:
        try:
            yield
        except _NOT_CONNECTED_IN_TIME as exc:
            message = f"{self.base_url} accepted no connection in time."
            raise self._no_answer(message, "connect_timeout", sent=False) from exc
        except (httpx.ConnectError, httpcore.ConnectError) as exc:
            raise self._no_connection(exc) from exc
        except (httpx.TimeoutException, httpcore.TimeoutException) as exc:
            message = f"{self.base_url} did not answer within {seconds:g} s."
            raise self._no_answer(message, "timeout", sent=self._may_be_sent) from exc
        except (httpx.LocalProtocolError, httpcore.LocalProtocolError, UnicodeEncodeError) as exc:
            # Nothing of it went out: the request could not be written down.
            raise self._wrong("The credentials hold characters that cannot be sent.", "characters") from exc
        except _BAD_ADDRESS as exc:
            raise self._wrong(f"The address {self.base_url} cannot be used.", "url") from exc
        except (httpx.HTTPError, httpcore.NetworkError, httpcore.ProtocolError, zlib.error) as exc:
            message = f"The connection to {self.base_url} broke."
            raise self._no_answer(message, "broken", sent=self._may_be_sent) from exc

    @property
    def _may_be_sent(self) -> bool:
        return self._clock.has_written or self._is_foreign

    def _no_connection(self, error: Exception) -> BridgeError:
        root = _root_cause(error)
        if isinstance(root, ssl.SSLCertVerificationError):
            message = f"The TLS certificate of {self.base_url} is not trusted: {root.verify_message}."
            return self._wrong(message, "tls")
        if isinstance(root, ssl.SSLError) and root.reason in _NOT_TLS:
            return self._wrong(f"{self.base_url} does not speak TLS as it should.", "tls_protocol")
        if isinstance(error, NameNotFound):
            return self._no_answer(f"The host of {self.base_url} was not found by name.", "dns", sent=False)
        return self._no_answer(f"{self.base_url} could not be reached.", "unreachable", sent=False)

    def _no_answer(self, message: str, reason: str, *, sent: bool) -> NoAnswer:
        return NoAnswer(message, sent=sent, system=self.system, reason=reason)

    def _wrong(self, message: str, reason: str) -> SettingsWrong:
        return SettingsWrong(message, system=self.system, reason=reason)


@dataclass
class _Log:
    """What is known of a call so far."""

    started_at: datetime
    request_headers: Mapping[str, str]
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: bytes = b""
    error: str | None = None


_NOT_CONNECTED_IN_TIME = (
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpcore.ConnectTimeout,
    httpcore.PoolTimeout,
)
_BAD_ADDRESS = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol, UnicodeError)
#: OpenSSL's reasons that say: another protocol or version is spoken there. Others may be an outage.
_NOT_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "NO_PROTOCOLS_AVAILABLE",
    }
)


def _plain_address(base_url: str, system: System) -> str:
    """Return ``base_url`` without a closing slash; an address with a password would end in messages."""
    try:
        parts = urlsplit(base_url)
        is_plain = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1)
    except ValueError:
        is_plain = False
    if not is_plain or parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsWrong(
            "The address must be http:// or https://, a host and perhaps a port and a path, without user, "
            "password or query.",
            system=system,
            reason="url",
        )
    return base_url.rstrip("/")


def uuid7(moment: datetime) -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562) of ``moment``: sorts by time, so that indexes stay compact."""
    millis = int(moment.timestamp() * 1000)
    value = (millis << 80) | (uuid.uuid4().int & ((1 << 80) - 1))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _root_cause(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
