"""What a plain HTTP status means when Odoo, or a proxy before it, answers with something that is not Odoo's JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bridge.errors import (
    BridgeError,
    CredentialsRefused,
    RateLimited,
    ServiceRejected,
    ServiceUnavailable,
    SettingsWrong,
)
from bridge.odoo.values import decode
from bridge.wire import Answer, NoAnswer

JSON_HEADERS = {"Content-Type": "application/json"}

#: Stands for an answer that is not JSON, since ``null`` is.
NOT_JSON = object()


def json_of(answer: Answer) -> Any:
    """Return the JSON of an answer, or ``NOT_JSON``."""
    if "json" not in (answer.header("content-type") or ""):
        return NOT_JSON
    try:
        return decode(answer.body)
    except ValueError:
        return NOT_JSON


def retry_after(answer: Answer) -> float | None:
    """Return the seconds that the answer asks to wait, from either form of ``Retry-After``."""
    value = answer.header("retry-after")
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def error_of_status(answer: Answer, url: str) -> BridgeError:  # noqa: PLR0911 - one return a status
    """Return the error of an answer that is not Odoo's JSON.

    A 5xx other than 503 comes from between: the call may have run, or may still be running, so the outcome is
    unknown. So it is with a 200 that cannot be read.
    """
    status = answer.status
    facts: dict[str, Any] = {"system": "odoo", "status": status}
    match status:
        case 429:
            return RateLimited("Odoo asks for fewer calls.", retry_after=retry_after(answer), **facts)
        case 503:
            return ServiceUnavailable(
                "Odoo is not available at the moment.",
                retry_after=retry_after(answer),
                reason="down",
                **facts,
            )
        case 401 | 403:
            return CredentialsRefused(
                f"Something before Odoo at {url} asks for a login of its own ({status}). Let the bridge's machine "
                "through there.",
                reason="proxy",
                **facts,
            )
        case 413:
            return ServiceRejected(
                "The request is larger than the server takes.", reason="too_large", **facts
            )
        case _ if 300 <= status < 400:
            return SettingsWrong(
                f"{url} sends its visitors on to {answer.header('location') or 'another address'}. Set that "
                "address as Odoo's.",
                reason="redirect",
                **facts,
            )
        case _ if status < 300 or status >= 500:
            return NoAnswer(
                f"{url} gave no answer of Odoo's ({status}): it is not known whether the call took effect.",
                sent=True,
                reason="unreadable",
                **facts,
            )
        case _:
            return SettingsWrong(
                f"What answers at {url} is not Odoo ({status}). Check Odoo's address in the settings.",
                reason="not_odoo",
                **facts,
            )
