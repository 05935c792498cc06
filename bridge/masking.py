"""Masks secrets before anything is written down. Made for exchanges, logs and errors alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus

#: What stands in place of a secret.
MASK = "***"
#: Headers whose whole value is a secret.
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
        "x-bridge-signature",
    }
)
#: JSON members and query parameters whose value is a secret, wherever they stand.
_SECRET_NAMES = (
    r"(?:new_|old_|confirm_|customer_|admin_)?password|passwd|secret|token|access_token|access_token_secret|"  # noqa: S105  # names, not secrets
    r"refresh_token|token_secret|api_key|apikey|client_secret|private_key|consumer_key|consumer_secret|"
    r"oauth_token|oauth_consumer_key|oauth_signature|session_id|csrf_token"
)
# The closing quote may be missing: a body that was cut must not show what it was cut in. The backslashes
# are those of JSON inside a JSON text.
_JSON_SECRET = re.compile(
    rf'((\\*)"(?:{_SECRET_NAMES})\2"\s*:\s*\2")(?:(?!\2")(?:\\.|[^\\]))*(?:\2"|\Z)',
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_QUERY_SECRET = re.compile(rf"((?:^|[?&;])(?:{_SECRET_NAMES})=)[^&\s\"'<>#]*", re.IGNORECASE)
_USER = re.compile(r"//[^/@\s]*@")
#: Each of the names holds one of these. To look for them costs a tenth of the expression, and most texts hold none.
_HINTS = ("passw", "secret", "token", "_key", "apikey", "signature", "session_id")
#: Text read beyond a limit before masking, so that a secret that the cut goes through is known as one.
_MARGIN = 4096


def mask_headers(headers: Mapping[str, str], secrets: Iterable[str] = ()) -> dict[str, str]:
    """Return ``headers`` with the values of secret ones masked; the scheme word stays."""
    masked: dict[str, str] = {}
    for name, value in headers.items():
        if name.lower() in SECRET_HEADERS:
            scheme, _, rest = value.partition(" ")
            masked[name] = f"{scheme} {MASK}" if rest and scheme.lower() in {"bearer", "oauth"} else MASK
        else:
            masked[name] = _mask_value(value, tuple(secrets))
    return masked


def mask_body(body: bytes, secrets: Iterable[str] = (), *, limit: int | None = None) -> bytes:
    """Return ``body`` with the given secrets, and members that are secrets by name, masked.

    ``limit`` cuts it after that many bytes; what stands at the cut is masked before.
    """
    if not body:
        return body
    known = tuple(secrets)
    if limit is not None:
        longest = max((len(form) for form in _forms(known)), default=0)
        body = body[: limit + _MARGIN + 4 * longest]
    text = body.decode("utf-8", errors="surrogateescape")
    return mask_text(text, known).encode("utf-8", errors="surrogateescape")[:limit]


def mask_url(url: str, secrets: Iterable[str] = ()) -> str:
    """Return ``url`` with secret parameters and user information masked."""
    # Most texts that come here are header values with neither.
    if "@" in url:
        url = _USER.sub(f"//{MASK}@", url)
    if "=" in url:
        url = _QUERY_SECRET.sub(rf"\1{MASK}", url)
    return mask_text(url, secrets)


@lru_cache(maxsize=512)
def _mask_value(value: str, secrets: tuple[str, ...]) -> str:
    """Mask the value of a header: most are the same in every exchange."""
    return mask_url(value, secrets)


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` with every given secret, and JSON members that are secrets by name, masked.

    A secret is known in the forms that JSON and addresses give it, too.
    """
    for form in _forms(tuple(secrets)):
        text = text.replace(form, MASK)
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    return _JSON_SECRET.sub(rf'\1{MASK}\2"', text)


@lru_cache(maxsize=256)
def _forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the forms in which ``secrets`` may stand in a text, the longest first."""
    forms: set[str] = set()
    for secret in filter(None, secrets):
        as_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        forms |= {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)} | as_json
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))
