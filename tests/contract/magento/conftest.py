"""A Magento made of recordings: it answers a call as the real server did."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest

from bridge.magento import BearerSecret, MagentoClient, OAuthSecret

TESTS = Path(__file__).parents[2]
KEYS = OAuthSecret(
    consumer_key="ckey0000",
    consumer_secret="csecret0",
    access_token="atoken00",
    access_token_secret="atsecret",
)


def recording(name):
    (path,) = (TESTS / "recordings" / "magento").glob(f"{name}.json")
    return json.loads(path.read_text(encoding="utf-8"))


def as_response(recorded):
    response = recorded["response"]
    if "json" in response:
        return httpx.Response(
            response["status"],
            content=json.dumps(response["json"]).encode(),
            headers={"Content-Type": "application/json; charset=utf-8"},
        )
    return httpx.Response(response["status"], content=response["text"].encode())


def query_of(request):
    return dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))


class Shop:
    """Answers with what ``reply`` says, and keeps what it was asked."""

    def __init__(self):
        self.reply = lambda request: httpx.Response(500)
        self.requests: list[httpx.Request] = []

    def handle(self, request):
        self.requests.append(request)
        return self.reply(request)

    def answers(self, *names):
        """Answer with the named recordings, one after the other, the last one for ever."""
        rest = list(names)
        self.reply = lambda request: as_response(recording(rest.pop(0) if len(rest) > 1 else rest[0]))

    def sends(self, status=200, body=b"{}", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.reply = lambda request: httpx.Response(status, content=body, headers=names)

    def client(self, secret=KEYS, **options):
        return MagentoClient.connect(
            base_url="https://magento.example.test",
            secret=secret,
            transport=httpx.MockTransport(self.handle),
            **options,
        )


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def magento(shop):
    client = shop.client()
    yield client
    client.close()


@pytest.fixture
def bearer(shop):
    client = shop.client(BearerSecret(access_token="token000"))
    yield client
    client.close()
