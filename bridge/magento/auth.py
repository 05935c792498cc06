"""How Magento knows us: OAuth 1.0a with four keys, or a bearer token."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Generator
from dataclasses import dataclass, field, fields
from urllib.parse import unquote_to_bytes

import httpx
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256  # type: ignore[import-untyped]  # ships no types
from oauthlib.oauth1 import Client as Signer

from bridge.errors import SettingsWrong

#: What Magento signs undecorated in a path although it may be sent encoded: a SKU's slash, comma, ampersand, ...
_PLAIN_IN_PATHS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@&=+$,/;%")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

# oauthlib logs signature base strings, which hold the tokens.
logging.getLogger("oauthlib").setLevel(logging.WARNING)


@dataclass(frozen=True, kw_only=True)
class OAuthSecret:
    """The four keys of a Magento integration. Magento shows them once, when it is activated."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class BearerSecret:
    """An access token used alone: an integration's, where the shop allows it, or an administrator's."""

    access_token: str = field(repr=False)


MagentoSecret = OAuthSecret | BearerSecret


def parse_secret(text: str) -> MagentoSecret:
    """Return the secret that an operator gave: JSON with the four keys of OAuth, else a bearer token.

    Raises:
        SettingsWrong: keys are missing or hold what cannot be a key; the message shows none of it.
    """
    text = text.strip()
    if not text.startswith("{"):
        _check_key("access_token", text)
        return BearerSecret(access_token=text)
    names = [item.name for item in fields(OAuthSecret)]
    try:
        given = json.loads(text)
    except ValueError:
        raise SettingsWrong(
            "The Magento secret looks like JSON but cannot be read as JSON.",
            system="magento",
            reason="secret",
        ) from None
    for name in names:
        _check_key(name, given.get(name))
    return OAuthSecret(**{name: given[name].strip() for name in names})


def secret_values(secret: MagentoSecret) -> tuple[str, ...]:
    """Return all values of ``secret``, to be masked wherever they show."""
    return tuple(getattr(secret, item.name) for item in fields(secret))


def auth_for(secret: MagentoSecret) -> httpx.Auth:
    """Return what puts ``secret`` to use on each request."""
    for item in fields(secret):
        _check_key(item.name, getattr(secret, item.name))
    return OAuth1(secret) if isinstance(secret, OAuthSecret) else Bearer(secret)


class OAuth1(httpx.Auth):
    """Signs each try anew with HMAC-SHA256: Magento takes a nonce once, and no HMAC-SHA1.

    Recorded: ``auth/002-oauth1-hmac-sha256``, ``auth/007-oauth1-hmac-sha1``, ``auth/011-oauth1-nonce-reused``.
    """

    def __init__(self, secret: OAuthSecret) -> None:
        self._signer = Signer(
            secret.consumer_key,
            client_secret=secret.consumer_secret,
            resource_owner_key=secret.access_token,
            resource_owner_secret=secret.access_token_secret,
            signature_method=SIGNATURE_HMAC_SHA256,
        )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Sign ``request`` over Host header, path and query; the path as Magento reads it (``signed_path``).

        The body is not signed (``auth/006-oauth1-post-json-body``).
        """
        path, mark, query = request.url.raw_path.decode("ascii").partition("?")
        target = f"{signed_path(path)}{mark}{query}"
        address = f"{request.url.scheme}://{request.headers['Host']}{target}"
        _, headers, _ = self._signer.sign(address, http_method=request.method)
        request.headers["Authorization"] = headers["Authorization"]
        yield request


def signed_path(path: str) -> str:
    """Return the path that Magento computes the signature of, where ``path`` is sent.

    It decodes what could stand in a path as it is (``laminas-uri``, ``normalizePath``): a correct client that sends
    ``a%2Fb`` is refused (``auth/034-oauth1-path-with-encoded-slash``, tried on 2.4.7).
    """

    def plain(match: re.Match[str]) -> str:
        (byte,) = unquote_to_bytes(match[0])
        return chr(byte) if byte in _PLAIN_IN_PATHS else match[0].upper()

    return _LONE_PERCENT.sub("%25", _ENCODED.sub(plain, path))


class Bearer(httpx.Auth):
    """Sends the access token as it is. Refused by default since Magento 2.4.4 for integrations' tokens."""

    def __init__(self, secret: BearerSecret) -> None:
        self._header = f"Bearer {secret.access_token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the token to ``request``."""
        request.headers["Authorization"] = self._header
        yield request


def _check_key(name: str, value: object) -> None:
    clean = value.strip() if isinstance(value, str) else ""
    if not clean or not clean.isascii() or not clean.isprintable() or " " in clean:
        raise SettingsWrong(
            f"The Magento secret needs {name}, in plain letters and digits as Magento shows it.",
            system="magento",
            reason="secret",
            key=name,
        )
