"""The bulk price endpoints: what prices products have, and setting or deleting many at once.

They answer 200 with a list of what they refused, and write the rest (``catalog/104``, ``094``, ``097``); an unknown SKU
refuses a whole call of tier prices with 404 (``catalog/098``). Rows are as Magento has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bridge.errors import ServiceRejected
from bridge.magento.catalog import ALL
from bridge.magento.client import MagentoClient
from bridge.magento.encoding import json_bytes
from bridge.magento.faults import clean_message, parse_json
from bridge.magento.rows import read_records

PriceCall = Literal["base", "special", "special-delete", "tier", "tier-delete", "tier-put"]
_PATHS: Mapping[PriceCall, str] = {
    "base": "/products/base-prices",
    "special": "/products/special-price",
    "special-delete": "/products/special-price-delete",
    "tier": "/products/tier-prices",
    "tier-delete": "/products/tier-prices-delete",
    # By PUT: the rows take the place of all that their products have (``catalog/101``, ``102``).
    "tier-put": "/products/tier-prices",
}
_INFORMATION = {
    "base": "/products/base-prices-information",
    "special": "/products/special-price-information",
    "tier": "/products/tier-prices-information",
}
#: SKUs asked for at once.
_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class PriceRefusal:
    """One row that a price call did not take."""

    #: Why, in Magento's words, filled in.
    message: str
    #: The parameters of the message: among them is the SKU, but not always (``catalog/104``).
    parameters: tuple[str, ...]


def price_request(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the body of a call that writes ``rows``."""
    return json_bytes({"prices": list(rows)})


def price_rows(body: bytes) -> list[dict[str, Any]]:
    """Return the rows of a body that ``price_request`` made."""
    return read_records(parse_json(body)["prices"])


def send_prices(magento: MagentoClient, call: PriceCall, body: bytes) -> list[PriceRefusal]:
    """Send a body that ``price_request`` made, and return what was refused of it.

    Raises:
        RecordMissing: a SKU of tier prices is unknown: nothing was written.
    """
    client = magento.in_store(ALL)
    send = client.put if call == "tier-put" else client.post
    answer = send(_PATHS[call], parse_json(body))
    return [_refusal(row) for row in read_records(answer)]


def read_prices(
    magento: MagentoClient, kind: Literal["base", "special", "tier"], skus: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the prices that products have; unknown SKUs, and those without such a price, are missing (``catalog/105``)."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(skus), _AT_ONCE):
        found += _read(magento, _INFORMATION[kind], list(skus[start : start + _AT_ONCE]))
    return found


def _read(magento: MagentoClient, path: str, skus: list[str]) -> list[dict[str, Any]]:
    try:
        return read_records(magento.in_store(ALL).post(path, {"skus": skus}))
    except ServiceRejected as error:
        if error.details.get("reason") != "array_size" or len(skus) < 2:
            raise
    half = len(skus) // 2
    return _read(magento, path, skus[:half]) + _read(magento, path, skus[half:])


def _refusal(row: Mapping[str, Any]) -> PriceRefusal:
    parameters = _texts(row.get("parameters"))
    named: Any = parameters
    if "%customerGroup" in str(row.get("message")):
        # A list without names, in another order than the words have them (``catalog/097``).
        named = dict(zip(reversed(_TIER_PARAMETERS), reversed(parameters), strict=False))
        named |= dict.fromkeys(("price", "priceType"), parameters[0] if parameters else "")
    return PriceRefusal(
        message=clean_message({**row, "parameters": named if isinstance(named, dict) else list(named)}),
        parameters=parameters,
    )


#: How the last parameters of a refused tier price are called in its message.
_TIER_PARAMETERS = ("SKU", "websiteId", "customerGroup", "qty")


def _texts(parameters: object) -> tuple[str, ...]:
    values = parameters.values() if isinstance(parameters, Mapping) else parameters
    return tuple(str(one) for one in values) if isinstance(values, list | tuple) else ()
