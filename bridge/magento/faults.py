"""What Magento's answers mean: from an HTTP answer to an error of ours.

Recorded under ``errors/``, ``auth/`` and ``catalog/092``; see the facts on authentication and errors there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from bridge.errors import (
    BridgeError,
    CredentialsRefused,
    RateLimited,
    RecordMissing,
    ServiceRejected,
    ServiceUnavailable,
    SettingsWrong,
)
from bridge.wire import SAFE_METHODS, Answer, NoAnswer

#: Magento's own words are cut here: in developer mode they hold SQL.
MAX_MESSAGE_CHARACTERS = 400
NOT_AUTHORIZED = "The consumer isn't authorized to access"
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
_PLACEHOLDER = re.compile(r"%(\w+)")
_REPORT = re.compile(r"Report ID: ([\w-]+)")


class NotAuthorized(CredentialsRefused):
    """Magento refused one resource: by this answer alone the reason cannot be told.

    A missing right, a wrong token and a token that may not be used alone read alike (``auth/001``, ``015``,
    ``022``). The client probes further resources and raises what it finds.
    """


def read_json(answer: Answer, *, method: str) -> Any:
    """Return the value of a good answer; numbers with a fraction as Decimal.

    Raises:
        BridgeError: the answer is no good, or no JSON.
    """
    if not 200 <= answer.status < 300:
        raise error_of(answer, method=method)
    try:
        return parse_json(answer.body)
    except ValueError as exc:
        raise _unreadable(answer, method) from exc


def parse_json(body: bytes) -> Any:
    """Return ``body`` as a value; ValueError where it is none, whatever is wrong with it."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def error_of(answer: Answer, *, method: str) -> BridgeError:
    """Return the error that ``answer``, which is not a good one, stands for."""
    text, resource = _message_of(answer)
    status = answer.status
    if 300 <= status < 400:
        return _redirect(answer)
    if status == 401:
        return _unauthorized(answer, text, resource, method)
    if status in {408, 425, 429} or status >= 500:
        return _passing(answer, text, method)
    facts: dict[str, Any] = {"system": "magento", "status": status, "answer": text}
    if status == 403:
        return CredentialsRefused(
            "Something in front of Magento (a firewall, the web server) forbade the call.",
            reason="forbidden",
            **facts,
        )
    return _not_found(text, facts) if status == 404 else _refused(text, facts)


def _refused(text: str, facts: Mapping[str, Any]) -> BridgeError:
    if text == "Specified request cannot be processed.":
        return SettingsWrong("Magento has no store view with this store code.", reason="store_code", **facts)
    if text.startswith("Signature method"):
        return CredentialsRefused(
            f"Magento refused the signature: {text}", reason="signature_method", **facts
        )
    limit = re.match(r"Maximum (SearchCriteria pageSize|items of type) .*?is (\d+)$", text)
    if limit:
        reason = "page_size" if "pageSize" in limit[1] else "array_size"
        return ServiceRejected(f"Magento: {text}", reason=reason, maximum=int(limit[2]), **facts)
    said = text or f"status {facts['status']}"
    return ServiceRejected(f"Magento refused the request: {said}", reason="refused", **facts)


def fill(message: str, parameters: object) -> str:
    """Return Magento's ``message`` with its raw placeholders filled in.

    Parameters are an object (``%fieldName``) or a list (``%1``), and sometimes a list for named ones, in
    their order (``catalog/104-base-price-set``).
    """
    if isinstance(parameters, Mapping):
        named = {str(name): _plain(value) for name, value in parameters.items()}
        return _PLACEHOLDER.sub(lambda match: _longest(match, named), message)
    if not isinstance(parameters, list):
        return message
    numbered = {str(number): _plain(value) for number, value in enumerate(parameters, start=1)}
    if re.search(r"%\d", message):
        return _PLACEHOLDER.sub(lambda match: _longest(match, numbered), message)
    rest = iter(numbered.values())
    return _PLACEHOLDER.sub(lambda match: next(rest, match[0]), message)


def clean_message(value: Mapping[str, Any]) -> str:
    """Return the message of an error object as a person reads it: filled in, without HTML, one line, cut."""
    parts = [fill(str(value.get("message") or ""), value.get("parameters"))]
    parts += [
        fill(str(inner.get("message") or ""), inner.get("parameters"))
        for inner in value.get("errors") or ()
        if isinstance(inner, Mapping)
    ]
    # The head of a validation error usually repeats its first entry.
    kept = [part for number, part in enumerate(parts) if number == 0 or part not in parts[0]]
    return " ".join(_TAG.sub("", " ".join(kept)).split())[:MAX_MESSAGE_CHARACTERS]


def server_time(answer: Answer) -> datetime | None:
    """Return the server's clock by its ``Date`` header, in UTC."""
    return _http_date(answer.header("date"))


def retry_after_seconds(answer: Answer) -> float | None:
    """Return the wait that ``Retry-After`` asks for, given in seconds or as a date."""
    value = (answer.header("retry-after") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until = _http_date(value)
    if until is None:
        return None
    now = server_time(answer) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _message_of(answer: Answer) -> tuple[str, str | None]:
    try:
        value = parse_json(answer.body)
    except ValueError:
        return "", None
    if not isinstance(value, Mapping):
        return "", None
    parameters = value.get("parameters")
    resource = parameters.get("resources") if isinstance(parameters, Mapping) else None
    return clean_message(value), None if resource is None else _plain(resource)


def _unauthorized(answer: Answer, text: str, resource: str | None, method: str) -> BridgeError:
    facts: dict[str, Any] = {"system": "magento", "status": answer.status, "answer": text}
    if text.startswith(NOT_AUTHORIZED):
        return NotAuthorized(f"Magento refused access to {resource}.", resource=resource, **facts)
    if "nonce is already being used" in text:
        # We sign each try anew: so something between repeated the call, and the first copy may have worked.
        return _in_doubt("Magento got the same signed call twice.", "nonce_used", method, facts)
    if "validating the nonce" in text:
        now = server_time(answer)
        ahead = None if now is None else round((datetime.now(UTC) - now).total_seconds())
        said = "" if ahead is None else f" (by {ahead} s)"
        return SettingsWrong(
            f"This machine's clock runs ahead of Magento's{said}: Magento refuses signatures from the future. "
            "Set both clocks by a time server.",
            reason="clock",
            ahead_seconds=ahead,
            **facts,
        )
    for words, reason, message in _CREDENTIAL_FAULTS:
        if words in text:
            return CredentialsRefused(message, reason=reason, **facts)
    return CredentialsRefused(f"Magento refused the credentials: {text or '401'}", reason="unknown", **facts)


_CREDENTIAL_FAULTS = (
    (
        "signature is invalid",
        "signature",
        (
            "Magento finds the OAuth signature invalid: one of the two secrets is wrong, or a proxy before "
            "Magento changes the host, the port or https on the way."
        ),
    ),
    (
        "consumer having the specified key",
        "consumer_unknown",
        "Magento knows no integration with this consumer key.",
    ),
    (
        "token does not exist",
        "token_unknown",
        "Magento does not know this access token: the integration was deleted or activated anew.",
    ),
    ("sign-in was incorrect", "sign_in", "Magento refused the user or the password."),
)


def _passing(answer: Answer, text: str, method: str) -> BridgeError:
    """Return the error of an answer that may be well soon; each counts, as many a 500 is for ever."""
    status, wait = answer.status, retry_after_seconds(answer)
    facts: dict[str, Any] = {"system": "magento", "status": status, "answer": text}
    if status == 429 or (status == 503 and wait is not None and method in SAFE_METHODS):
        return RateLimited("Magento asks for fewer calls.", retry_after=wait, reason="rate_limited", **facts)
    if status == 500:
        report = _REPORT.search(text)
        form = _form_of(answer.body)
        reason = "internal_error" if text else "error_page" if form == "web_page" else "uncaught"
        message = f"Magento failed inside: {text or 'see its exception log'}"
        facts["report_id"] = report[1] if report else None
        return _in_doubt(message, reason, method, facts)
    return _in_doubt(
        f"Magento or its web server cannot answer now ({status}).", "gateway", method, facts, wait
    )


def _in_doubt(
    message: str, reason: str, method: str, facts: Mapping[str, Any], retry_after: float | None = None
) -> ServiceUnavailable:
    if method in SAFE_METHODS:
        return ServiceUnavailable(message, reason=reason, retry_after=retry_after, **facts)
    # PHP may run on after the web server gave up, and a fault may come after the record was saved.
    return NoAnswer(message, sent=True, reason=reason, retry_after=retry_after, **facts)


def _not_found(text: str, facts: Mapping[str, Any]) -> BridgeError:
    if not text:
        return SettingsWrong(
            "There is no Magento at this address: base_url must be the shop's own address, without /rest.",
            reason="not_magento",
            **facts,
        )
    if text == "Request does not match any route.":
        return SettingsWrong(
            "This Magento has no such endpoint: a module of it is missing or switched off, or base_url is wrong.",
            reason="route",
            **facts,
        )
    return RecordMissing(f"Magento: {text}", reason="no_such_entity", **facts)


def _redirect(answer: Answer) -> SettingsWrong:
    try:
        target = urlsplit(answer.header("location") or "")
        place = f"{target.scheme}://{target.netloc.rpartition('@')[2]}" if target.netloc else target.path
    except ValueError:
        place = ""
    return SettingsWrong(
        f"Magento sends us on to {place or 'another address'}. Set base_url to the address that the shop really "
        "uses: https instead of http, with or without www.",
        system="magento",
        status=answer.status,
        reason="redirect",
        location=place,
    )


def _unreadable(answer: Answer, method: str) -> ServiceUnavailable:
    form = _form_of(answer.body)
    messages = {
        "empty": "Magento's answer is empty.",
        "web_page": "A web page came instead of Magento's answer: a maintenance page, or base_url is wrong.",
        "xml": "Magento answered in XML although JSON was asked for.",
        "not_json": "Magento's answer cannot be read as JSON.",
    }
    facts = {"system": "magento", "status": answer.status}
    return _in_doubt(messages[form], form, method, facts)


def _form_of(body: bytes) -> str:
    start = body.lstrip()[:200].lower()
    if not start:
        return "empty"
    if start.startswith((b"<!doctype html", b"<html")):
        return "web_page"
    return "xml" if start.startswith(b"<?xml") else "not_json"


def _longest(match: re.Match[str], values: Mapping[str, str]) -> str:
    # As Magento's own renderer: the longest name wins, what follows it stays.
    word = match[1]
    for end in range(len(word), 0, -1):
        if word[:end] in values:
            return values[word[:end]] + word[end:]
    return match[0]


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    return "" if value is None else str(value)


def _http_date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except (TypeError, ValueError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
