"""Values on their way into Odoo and out of it: JSON, money, moments, and what Odoo cannot take.

Odoo's moments are UTC as ``YYYY-MM-DD HH:MM:SS``; ``T``, ``Z`` and offsets are refused
(``errors/wrong-type-datetime``). NUL bytes are refused by the database (``errors/nul-byte``), so they are refused
here first, with the place named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bridge.errors import InvalidRecord

_MOMENT = "%Y-%m-%d %H:%M:%S"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def literally(text: str) -> str:
    """Return ``text`` as ``=ilike`` takes it for itself: percent and underscore are wildcards there."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def encode(payload: Any, *, arguments: Any = None) -> bytes:
    """Return ``payload`` as JSON bytes; equal payloads give equal bytes.

    Decimals become numbers, aware datetimes Odoo's text in UTC, dates ISO text. ``arguments`` is the part of the
    payload by whose names an error tells the place.

    Raises:
        InvalidRecord: a text holds a NUL byte or half of a character, which no Odoo can store.
        TypeError: a value of a kind that has no form in Odoo, a naive datetime among them.
        ValueError: a number that is not finite.
    """
    body = json.dumps(payload, ensure_ascii=False, allow_nan=False, default=_encode_other)
    if "\\u0000" in body or _LONE_SURROGATE.search(body):
        _refuse_unstorable(arguments)
        _refuse_unstorable(payload)
    return body.encode("utf-8")


def decode(body: bytes) -> Any:
    """Read JSON with Decimals for fractions.

    Raises:
        ValueError: it is not JSON.
    """
    return json.loads(body, parse_float=Decimal)


def odoo_datetime(moment: datetime) -> str:
    """Return an aware ``moment`` as Odoo's text in UTC, without fractions of a second.

    Raises:
        TypeError: ``moment`` has no time zone.
    """
    if moment.tzinfo is None:
        raise TypeError("a datetime without a time zone cannot be sent to Odoo")
    return moment.astimezone(UTC).strftime(_MOMENT)


def parse_datetime(value: Any) -> datetime | None:
    """Read Odoo's text of a moment as an aware datetime in UTC; None for Odoo's null, which is ``false``.

    Raises:
        ValueError: it is not a moment.
    """
    if not isinstance(value, str):
        return None
    # Webhooks and a few fields carry microseconds.
    return datetime.strptime(value[:19], _MOMENT).replace(tzinfo=UTC)


def _encode_other(value: Any) -> Any:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a number that Odoo can store")
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return odoo_datetime(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in Odoo's JSON")


def _refuse_unstorable(payload: Any) -> None:
    for place, text in _texts(payload, ""):
        if "\x00" in text:
            what = "a NUL byte"
        elif _LONE_SURROGATE.search(text):
            what = "half of a character (a lone surrogate)"
        else:
            continue
        raise InvalidRecord(
            f"A text for Odoo holds {what}, which Odoo cannot store (at {place}). Remove it at its source.",
            system="odoo",
            reason="unstorable_text",
            place=place,
        )


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place or "the value", value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            clean = str(name).replace("\x00", "?")
            yield f"the name of {place}.{clean}".replace(" .", " "), str(name)
            yield from _texts(member, f"{place}.{clean}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from _texts(member, f"{place}[{index}]")
