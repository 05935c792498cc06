"""``bridge explain order``: finds why an imported order's total is what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.flows.update_order import ORDER
from bridge.ledger import Ledger

#: Bindings looked through at once.
_PAGE = 1000


def find_explanation(ledger: Ledger, instance: str, increment_id: str) -> Mapping[str, Any] | None:
    """Return the explanation of the order with this number, None where none was imported."""
    after: str | None = None
    while page := ledger.bindings.list(instance, kind=ORDER, after=after, limit=_PAGE):
        for binding in page:
            if binding.magento_label == increment_id:
                found = ledger.explanations.get(instance, ORDER, binding.magento_id)
                return None if found is None else {**found.content, "snapshot": None}
        after = page[-1].magento_id
    return None
