"""The wire against servers that misbehave, on 127.0.0.1."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge.errors import ServiceRejected, SettingsWrong
from bridge.wire import Exchange, NoAnswer, Wire, uuid7

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class RawServer:
    """Accepts connections and hands each to ``script``; ``stop`` is set when the test is over."""

    def __init__(self, script: Callable[[socket.socket, RawServer], None], tls: ssl.SSLContext | None = None):
        self.script = script
        self.tls = tls
        self.stop = threading.Event()
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self):
        while not self.stop.is_set():
            try:
                sock, _ = self.listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(sock,))
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock):
        with contextlib.suppress(OSError), sock:
            sock.settimeout(10)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            with sock:
                self.script(sock, self)

    def read_request(self, sock):
        """Read one request with its body; empty where the client hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = sock.recv(65536)
            if not part:
                return b""
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            ),
            0,
        )
        while len(body) < length:
            body += sock.recv(65536)
        self.requests.append(data)
        return data

    def close(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        self.listener.close()


@pytest.fixture
def serve():
    servers: list[RawServer] = []

    def start(script, tls=None):
        servers.append(RawServer(script, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def wire_to():
    wires: list[Wire] = []

    def make(url, **options):
        options.setdefault("deadline_seconds", 5)
        wires.append(Wire(system="magento", base_url=url, **options))
        return wires[-1]

    yield make
    for wire in wires:
        wire.close()


def answering(*answers):
    def script(sock, server):
        for answer in answers:
            if not server.read_request(sock):
                return
            sock.sendall(answer)

    return script


def trickle(start, drip):
    def script(sock, server):
        server.read_request(sock)
        sock.sendall(start)
        while not server.stop.is_set():
            sock.sendall(drip)
            server.stop.wait(0.02)

    return script


@pytest.mark.parametrize(
    ("start", "drip"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["headers", "body", "chunks"],
)
def test_a_server_that_trickles_cannot_hold_a_call_beyond_its_deadline(serve, wire_to, start, drip):
    wire = wire_to(serve(trickle(start, drip)).url)
    began = time.monotonic()
    with pytest.raises(NoAnswer) as caught:
        wire.request("POST", "/x", body=b"{}", deadline_seconds=0.3)
    assert 0.25 < time.monotonic() - began < 3
    assert caught.value.sent
    assert caught.value.details["reason"] == "timeout"


def test_a_server_that_reads_nothing_cannot_hold_a_large_request(serve, wire_to):
    wire = wire_to(serve(lambda sock, server: server.stop.wait(10)).url)
    with pytest.raises(NoAnswer) as caught:
        wire.request("POST", "/x", body=b"x" * 30_000_000, deadline_seconds=0.3)
    assert caught.value.sent


def test_waiting_for_a_free_connection_ends_with_the_deadline_and_sends_nothing(serve, wire_to):
    busy = threading.Event()

    def script(sock, server):
        server.read_request(sock)
        busy.set()
        server.stop.wait(10)

    server = serve(script)
    wire = wire_to(server.url, connections=1)

    def hold():
        with contextlib.suppress(NoAnswer):
            wire.request("GET", "/slow", deadline_seconds=3)

    thread = threading.Thread(target=hold)
    thread.start()
    assert busy.wait(5)
    began = time.monotonic()
    with pytest.raises(NoAnswer) as caught:
        wire.request("POST", "/x", deadline_seconds=0.2)
    assert time.monotonic() - began < 2
    assert not caught.value.sent
    thread.join()
    assert len(server.requests) == 1


def test_a_name_that_resolves_slowly_cannot_hold_a_call(wire_to, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: release.wait(5) and [])
    with pytest.raises(NoAnswer) as caught:
        wire_to("http://shop.example.test").request("GET", "/x", deadline_seconds=0.2)
    release.set()
    assert not caught.value.sent


def test_many_dead_addresses_share_one_deadline(wire_to, monkeypatch):
    full = socket.create_server(("127.0.0.1", 0), backlog=1)
    port = full.getsockname()[1]
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [address] * 50)
    began = time.monotonic()
    with pytest.raises(NoAnswer) as caught:
        wire_to("http://shop.example.test").request("GET", "/x", deadline_seconds=0.4)
    assert time.monotonic() - began < 3
    assert not caught.value.sent
    for sock in [*fillers, full]:
        sock.close()


def test_an_unknown_host_was_sent_nothing(wire_to, monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NoAnswer) as caught:
        wire_to("http://shop.example.test").request("POST", "/x")
    assert (caught.value.sent, caught.value.details["reason"]) == (False, "dns")


def test_a_closed_port_was_sent_nothing(wire_to):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(NoAnswer) as caught:
        wire_to(f"http://127.0.0.1:{port}").request("POST", "/x")
    assert (caught.value.sent, caught.value.details["reason"]) == (False, "unreachable")


def test_a_second_address_is_tried_where_the_first_refuses(serve, wire_to, monkeypatch):
    server = serve(answering(OK))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        dead = probe.getsockname()[1]
    known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (dead, server.port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: known)
    assert wire_to("http://shop.example.test").request("GET", "/x").status == 200


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"]
)
def test_a_connection_cut_after_the_request_leaves_a_doubt(serve, wire_to, answer):
    with pytest.raises(NoAnswer) as caught:
        wire_to(serve(answering(answer)).url).request("POST", "/x", body=b"{}")
    assert (caught.value.sent, caught.value.details["reason"]) == (True, "broken")


def test_what_is_no_http_leaves_a_doubt(serve, wire_to):
    with pytest.raises(NoAnswer) as caught:
        wire_to(serve(answering(b"SSH-2.0-OpenSSH\r\n\r\n")).url).request("POST", "/x", body=b"{}")
    assert caught.value.sent


def test_a_kept_connection_that_the_server_closed_is_not_used_again(serve, wire_to):
    closed = threading.Event()

    def script(sock, server):
        server.read_request(sock)
        sock.sendall(OK)
        if len(server.requests) == 1:
            sock.shutdown(socket.SHUT_RDWR)
            closed.set()
        else:
            server.read_request(sock)

    wire = wire_to(serve(script).url)
    assert wire.request("GET", "/1").status == 200
    assert closed.wait(5)
    assert wire.request("POST", "/2").status == 200


def test_a_write_that_the_kernel_refused_whole_is_known_to_be_unsent(serve, wire_to, monkeypatch):
    """The server closes the kept connection after the pool looked and before the first byte."""
    monkeypatch.setattr("bridge.sockets.DeadlineStream._is_readable", lambda self: False)
    closed = threading.Event()

    def script(sock, server):
        server.read_request(sock)
        sock.sendall(OK)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        closed.set()

    wire = wire_to(serve(script).url)
    assert wire.request("GET", "/1").status == 200
    assert closed.wait(5)
    with pytest.raises(NoAnswer) as caught:
        wire.request("POST", "/2", body=b"{}")
    assert not caught.value.sent


def test_a_write_into_a_half_closed_kept_connection_leaves_a_doubt(serve, wire_to, monkeypatch):
    """Bytes that the kernel took may have been read: never called unsent."""
    monkeypatch.setattr("bridge.sockets.DeadlineStream._is_readable", lambda self: False)
    closed = threading.Event()

    def script(sock, server):
        server.read_request(sock)
        sock.sendall(OK)
        sock.shutdown(socket.SHUT_WR)
        closed.set()
        server.read_request(sock)

    wire = wire_to(serve(script).url)
    assert wire.request("GET", "/1").status == 200
    assert closed.wait(5)
    with pytest.raises(NoAnswer) as caught:
        wire.request("POST", "/2", body=b"{}")
    assert caught.value.sent


def test_a_kept_connection_serves_many_calls(serve, wire_to):
    server = serve(answering(OK, OK, OK))
    wire = wire_to(server.url)
    assert [wire.request("GET", f"/{number}").status for number in range(3)] == [200] * 3
    assert len(server.threads) == 2  # The acceptor and one connection.


def test_no_cookie_of_one_call_goes_into_the_next(serve, wire_to):
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: PHPSESSID=abc; path=/\r\nContent-Length: 2\r\n\r\n{}"
    server = serve(answering(cookie, OK))
    wire = wire_to(server.url)
    wire.request("GET", "/1")
    wire.request("GET", "/2")
    assert b"cookie" not in server.requests[1].lower()


def test_redirects_are_answers_and_are_not_followed(serve, wire_to):
    moved = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    server = serve(answering(moved, OK))
    assert wire_to(server.url).request("GET", "/1").status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("method", "error"), [("GET", ServiceRejected), ("POST", NoAnswer)], ids=["read", "write"]
)
@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip"])
def test_an_answer_beyond_the_limit_is_refused_and_a_write_is_in_doubt(
    serve, wire_to, method, error, is_packed
):
    body = gzip.compress(b"x" * 3_000_000) if is_packed else b"x" * 100_000
    head = b"HTTP/1.1 200 OK\r\n" + (b"Content-Encoding: gzip\r\n" if is_packed else b"")
    script = answering(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    wire = wire_to(serve(script).url, max_response_bytes=50_000)
    with pytest.raises(error) as caught:
        wire.request(method, "/x")
    assert caught.value.details["reason"] == "too_large"


def test_a_small_packed_answer_that_is_huge_unpacked_does_not_fill_the_memory(serve, wire_to):
    body = gzip.compress(bytes(60_000_000), 1)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    wire = wire_to(serve(answering(head + body)).url, max_response_bytes=50_000)
    tracemalloc.start()
    try:
        with pytest.raises(ServiceRejected):
            wire.request("GET", "/x")
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_a_packed_answer_is_unpacked(serve, wire_to):
    body = gzip.compress(b'{"a": 1}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert wire_to(serve(answering(head + body)).url).request("GET", "/x").body == b'{"a": 1}'


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(b"x" * 999)[:-9]], ids=["garbage", "cut"])
def test_a_packed_answer_that_is_broken_is_no_answer(serve, wire_to, body):
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with pytest.raises(NoAnswer) as caught:
        wire_to(serve(answering(head + body)).url).request("GET", "/x")
    assert caught.value.details["reason"] == "broken"


def test_an_encoding_that_was_not_asked_for_is_refused(serve, wire_to):
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"
    with pytest.raises(ServiceRejected):
        wire_to(serve(answering(answer)).url).request("GET", "/x")


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_self_signed_certificate_is_refused_with_its_reason(serve, wire_to, self_signed):
    server = serve(answering(OK), tls=self_signed)
    with pytest.raises(SettingsWrong) as caught:
        wire_to(server.url).request("POST", "/x", body=b"{}")
    assert caught.value.details["reason"] == "tls"
    assert "self" in caught.value.message
    assert server.requests == []


def test_a_self_signed_certificate_is_taken_where_verification_is_off(serve, wire_to, self_signed):
    wire = wire_to(serve(answering(OK, OK), tls=self_signed).url, verify_ssl=False)
    assert wire.request("GET", "/x").status == 200
    assert wire.request("POST", "/x", body=b"x" * 300_000).status == 200


def test_a_cut_over_tls_after_the_request_leaves_a_doubt(serve, wire_to, self_signed):
    wire = wire_to(serve(answering(b""), tls=self_signed).url, verify_ssl=False)
    with pytest.raises(NoAnswer) as caught:
        wire.request("POST", "/x", body=b"{}")
    assert caught.value.sent


def test_https_to_a_server_of_plain_http_is_a_wrong_setting(serve, wire_to):
    def script(sock, server):
        sock.recv(100)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = serve(script)
    with pytest.raises(SettingsWrong) as caught:
        wire_to(f"https://127.0.0.1:{server.port}").request("GET", "/x")
    assert caught.value.details["reason"] == "tls_protocol"


def test_a_handshake_that_never_ends_was_sent_nothing(serve, wire_to):
    server = serve(lambda sock, server: server.stop.wait(10))
    with pytest.raises(NoAnswer) as caught:
        wire_to(f"https://127.0.0.1:{server.port}").request("POST", "/x", deadline_seconds=0.3)
    assert not caught.value.sent


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example.test",
        "shop.example.test",
        "https://",
        "https://user:pa55@shop.example.test",
        "http://a:b",
        "https://shop.example.test/?a=1",
        "https://shop.example.test/#x",
    ],
)
def test_an_address_that_cannot_be_right_is_refused_without_showing_it(url):
    with pytest.raises(SettingsWrong) as caught:
        Wire(system="magento", base_url=url)
    assert caught.value.details["reason"] == "url"
    assert "pa55" not in str(caught.value)


def test_an_exchange_tells_all_but_the_secrets(serve, wire_to):
    secret = 'k3y/with"odd+chars'
    body = b'{"key": "k3y/with\\"odd+chars", "password": "hunter2", "name": "Anna"}'
    answer = (
        b'HTTP/1.1 200 OK\r\nSet-Cookie: sid=c00kie\r\nContent-Length: 26\r\n\r\n{"access_token": "t0ken!"}'
    )
    wire = wire_to(serve(answering(answer)).url, secrets=[secret])
    exchanges: list[Exchange] = []
    wire.request(
        "POST",
        "/rest/V1/x",
        query="oauth_token=t0k&key=k3y%2Fwith%22odd%2Bchars",
        headers={"Authorization": "Bearer abcdef"},
        body=body,
        record=exchanges.append,
    )
    (exchange,) = exchanges
    whole = repr(exchange)
    for hidden in ("k3y", "hunter2", "c00kie", "t0ken!", "abcdef", "t0k&"):
        assert hidden not in whole
    assert b'"name": "Anna"' in exchange.request_body
    assert exchange.request_headers["authorization"] == "Bearer ***"
    assert (exchange.status, exchange.error, exchange.method) == (200, None, "POST")
    assert exchange.started_at.tzinfo is not None
    assert exchange.duration_ms >= 0


def test_a_call_without_answer_is_an_exchange_too(serve, wire_to):
    exchanges: list[Exchange] = []
    with pytest.raises(NoAnswer):
        wire_to(serve(answering(b"")).url).request("POST", "/x", body=b"{}", record=exchanges.append)
    assert exchanges[0].status is None
    assert "broke" in (exchanges[0].error or "")


def test_recorded_bodies_are_cut(serve, wire_to):
    big = b"y" * 200_000
    exchanges: list[Exchange] = []
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(big)}\r\n\r\n".encode() + big
    wire = wire_to(serve(answering(answer)).url)
    assert len(wire.request("POST", "/x", body=big, record=exchanges.append).body) == 200_000
    assert len(exchanges[0].response_body) == len(exchanges[0].request_body) == 65536


def test_a_header_that_cannot_be_sent_is_a_wrong_setting_and_nothing_is_sent(serve, wire_to):
    server = serve(answering(OK))
    for value in ("Bearer a\r\nX-Evil: 1", "Bearer \u00e9"):
        with pytest.raises(SettingsWrong):
            wire_to(server.url).request("GET", "/x", headers={"Authorization": value})
    assert server.requests == []


def test_neither_addresses_nor_headers_are_logged(serve, wire_to, caplog):
    caplog.set_level("DEBUG")
    wire_to(serve(answering(OK)).url).request("GET", "/x", query="email=anna%40example.com")
    assert "anna" not in caplog.text


def test_a_foreign_transport_that_breaks_leaves_a_doubt():
    def broken(request):
        raise httpx.ReadError("cut")

    wire = Wire(system="odoo", base_url="http://odoo.example.test", transport=httpx.MockTransport(broken))
    with pytest.raises(NoAnswer) as caught:
        wire.request("POST", "/x")
    assert caught.value.sent


def test_ids_of_exchanges_sort_by_time():
    early = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    ids = [uuid7(early + dt.timedelta(milliseconds=number)) for number in range(20)]
    assert ids == sorted(ids)
    assert {identifier.version for identifier in ids} == {7}
