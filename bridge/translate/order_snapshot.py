"""What the ledger keeps of an order to see later what changed: amounts, quantities and codes; nothing personal.

Names, addresses, comments and the texts of options are kept as digests only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bridge.translate.magento_records import MagentoOrder
from bridge.translate.partners import address_key, customer_key
from bridge.translate.raw_fields import listed

#: Fields of an order and of its lines that say something of a person.
_PERSONAL = (
    "customer_",
    "billing_",
    "shipping_address",
    "remote_ip",
    "x_forwarded_for",
    "protect_code",
    "email",
)
#: Extension attributes that hold only amounts and codes.
_AMOUNTS = ("applied_taxes", "item_applied_taxes", "taxes", "additional_itemized_taxes")
# Tuples, not unions, which would be made anew for each field.
_SCALARS = (str, int, Decimal, type(None))
_LISTS = (list, tuple)


def snapshot(raw: Mapping[str, Any], order: MagentoOrder) -> dict[str, Any]:
    """Return what is kept of ``raw``, whose parsed form is ``order``."""
    extension = _extension(raw)
    return {
        "order": _scalars(raw),
        "items": {str(item["item_id"]): _scalars(item) for item in _items(raw)},
        "extension": {name: _plain(extension[name]) for name in _AMOUNTS if name in extension},
        "marks": marks(order),
    }


def marks(order: MagentoOrder) -> dict[str, str]:
    """Return digests of what is personal: equal where nothing changed."""
    return {
        "customer": customer_key(order),
        "billing": address_key(order, order.billing),
        "delivery": address_key(order, order.delivery) if order.delivery is not None else "",
        "notes": _digest([order.customer_note, order.gift_message, *order.comments]),
    }


def restored(kept: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the older reading as a raw order: what was kept, and the personal rest as it is in ``raw`` now."""
    now = {str(item["item_id"]): item for item in _items(raw)}
    items = [{**now.get(item_id, {}), **values} for item_id, values in kept["items"].items()]
    extension = {**_extension(raw), **kept["extension"]}
    return {**raw, **kept["order"], "items": items, "extension_attributes": extension}


def _items(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [item for item in listed(raw.get("items")) or () if item]


def _extension(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the extension attributes; an empty object comes from PHP as an empty list."""
    found = raw.get("extension_attributes")
    return found if isinstance(found, Mapping) else {}


def _scalars(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value)
        for name, value in record.items()
        if isinstance(value, _SCALARS) and not name.startswith(_PERSONAL)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, _LISTS):
        return [_plain(one) for one in value]
    return value


def _digest(texts: list[str]) -> str:
    return hashlib.sha256("\x1f".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
