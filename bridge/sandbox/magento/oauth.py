"""Who asks: OAuth 1.0a with HMAC-SHA256, bearer tokens, and what an integration may do.

Facts (recordings ``auth/*``): only HMAC-SHA256 is accepted; parameters are sorted in *natural* order and not
by byte value, so that a correct client with eleven filter groups is refused; what a path need not encode is decoded before
it is signed, so that a correct client with an encoded slash is refused (tried on 2.4.7); a nonce works once; a clock
that runs ahead is refused, one behind is not; integration tokens are refused as bearer by default, in the
very words of a missing right.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, unquote

from bridge.sandbox.magento.rest import RestError, field_required

#: Seconds that a client's clock may run ahead.
CLOCK_AHEAD_SECONDS = 60
#: How many used nonces are remembered: Magento keeps them for good, a sandbox must not grow.
KEPT_NONCES = 20_000
_PARAMETER = re.compile(r'([A-Za-z_]+)="([^"]*)"')
_PATH_SIGN = re.compile(r"[A-Za-z0-9_.~:@&=+$,/;%-]")
_REQUIRED = (
    "oauth_consumer_key",
    "oauth_signature",
    "oauth_signature_method",
    "oauth_nonce",
    "oauth_timestamp",
    "oauth_token",
)


@dataclass(frozen=True, kw_only=True)
class Integration:
    """The credentials that the shop's administrator gave to the bridge."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str


@dataclass
class Guard:
    """Checks credentials and rights. Its switches may be changed while the server runs."""

    integration: Integration
    #: ``oauth/consumer/enable_integration_as_bearer``: off by default since Magento 2.4.4.
    bearer_enabled: bool = False
    #: ACL resources that the integration has; None means all.
    allowed: frozenset[str] | None = None
    #: Bearer tokens of administrators, which may do everything.
    admin_tokens: set[str] = field(default_factory=set)
    #: Used nonces, the oldest first.
    _nonces: dict[tuple[str, str], None] = field(default_factory=dict)

    def permits(
        self,
        *,
        authorization: str,
        method: str,
        url: str,
        query: Sequence[tuple[str, str]],
        resource: str,
    ) -> bool:
        """Return whether the caller may use ``resource``.

        Raises ``RestError`` for an OAuth header that does not hold; anything else that is not known counts
        as an anonymous caller.
        """
        scheme, _, rest = authorization.strip().partition(" ")
        if scheme.lower() == "oauth":
            self._verify(_header_parameters(rest), method=method, url=url, query=query)
            return self._has(resource)
        if scheme.lower() != "bearer":
            return False
        token = rest.strip()
        if token in self.admin_tokens:
            return True
        return self.bearer_enabled and token == self.integration.access_token and self._has(resource)

    def _has(self, resource: str) -> bool:
        return self.allowed is None or resource in self.allowed

    def _verify(
        self, given: Mapping[str, str], *, method: str, url: str, query: Sequence[tuple[str, str]]
    ) -> None:
        for name in _REQUIRED:
            if not given.get(name):
                raise field_required(name)
        if given["oauth_signature_method"] != "HMAC-SHA256":
            raise RestError(400, "Signature method %1 is not supported", [given["oauth_signature_method"]])
        if given["oauth_consumer_key"] != self.integration.consumer_key:
            raise RestError(401, "A consumer having the specified key does not exist")
        self._use_nonce(given["oauth_nonce"], given["oauth_timestamp"])
        if given["oauth_token"] != self.integration.access_token:
            raise RestError(401, "Specified token does not exist")
        signed = [(name, value) for name, value in given.items() if name not in {"oauth_signature", "realm"}]
        expected = signature(
            method=method,
            url=url,
            parameters=[*query, *signed],
            consumer_secret=self.integration.consumer_secret,
            token_secret=self.integration.access_token_secret,
        )
        if not hmac.compare_digest(expected, given["oauth_signature"]):
            raise RestError(401, "The signature is invalid. Verify and try again.")

    def _use_nonce(self, nonce: str, timestamp: str) -> None:
        if not timestamp.isdigit() or int(timestamp) > time.time() + CLOCK_AHEAD_SECONDS:
            raise RestError(401, "An error occurred validating the nonce")
        if (nonce, timestamp) in self._nonces:
            raise RestError(401, "The nonce is already being used by the consumer with ID %1", ["1"])
        self._nonces[nonce, timestamp] = None
        if len(self._nonces) > KEPT_NONCES:
            del self._nonces[next(iter(self._nonces))]


def signature(
    *,
    method: str,
    url: str,
    parameters: Sequence[tuple[str, str]],
    consumer_secret: str,
    token_secret: str,
) -> str:
    """Return the HMAC-SHA256 signature as Magento computes it: parameters in natural order."""
    encoded = sorted(
        ((_encode(name), _encode(value)) for name, value in parameters),
        key=lambda pair: (_natural(pair[0]), _natural(pair[1])),
    )
    joined = "&".join(f"{name}={value}" for name, value in encoded)
    base = "&".join([method.upper(), _encode(_normal(url)), _encode(joined)])
    key = f"{_encode(consumer_secret)}&{_encode(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def _normal(url: str) -> str:
    """Return the address with what may stand plainly in a path decoded, as ``laminas-uri`` normalizes it."""
    decoded = re.sub(
        r"%[0-9A-Fa-f]{2}",
        lambda found: one if re.fullmatch(_PATH_SIGN, one := unquote(found[0])) else found[0].upper(),
        url,
    )
    return re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", decoded)


@lru_cache(maxsize=4096)
def _encode(text: str) -> str:
    return quote(text, safe="-._~")


@lru_cache(maxsize=4096)
def _natural(text: str) -> tuple[tuple[int, int], ...]:
    """Return a key that sorts as PHP's ``strnatcmp``: runs of digits by their number."""
    return tuple(
        (ord("0"), int(part)) if part.isdigit() else (ord(part), 0) for part in re.findall(r"\d+|\D", text)
    )


def _header_parameters(header: str) -> dict[str, str]:
    return {name: unquote(value) for name, value in _PARAMETER.findall(header)}
