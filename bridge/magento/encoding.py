"""Values on their way to Magento: JSON whose numbers are the decimals that they stand for, to the digit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bridge.errors import ServiceRejected

#: The body of a request: an object, or for bulk calls a list of them.
Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def json_bytes(value: Body) -> bytes:
    """Return ``value`` as JSON; a Decimal becomes the number that it is, to the digit."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_number
    ).encode()


def _number(value: object) -> float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} cannot be sent to Magento")
    number = float(value)
    if Decimal(repr(number)) != value:
        raise ServiceRejected(f"{value} has too many digits for Magento.", system="magento", reason="digits")
    return number
