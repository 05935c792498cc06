"""The ``fields=`` parameter: ``items[sku,extension_attributes[shipping_assignments]],total_count``.

Two oddities are kept (recordings ``orders/056-list-empty-beyond-last``, ``orders/067-list-fields-unknown``):
an empty list under a nested filter comes back as null, and a record without any of the fields as ``[]``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

#: Field name to the fields below it, or None for all of it.
Wanted = dict[str, "Wanted | None"]


def only_fields(value: Any, fields: str) -> Any:
    """Return ``value`` with nothing but the fields named in ``fields``."""
    return _apply(value, _parse(fields))


@lru_cache(maxsize=256)
def _parse(text: str) -> Wanted:
    root: Wanted = {}
    stack = [root]
    last = ""
    for sign in re.findall(r"[^\[\],]+|[\[\]]", text):
        if sign == "[":
            below: Wanted = {}
            stack[-1][last] = below
            stack.append(below)
        elif sign == "]":
            if len(stack) > 1:
                stack.pop()
        else:
            last = sign.strip()
            stack[-1][last] = None
    return root


def _apply(value: Any, wanted: Wanted) -> Any:
    if isinstance(value, list):
        return [_apply(row, wanted) for row in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _below(value[name], below) for name, below in wanted.items() if name in value}
    return kept or []


def _below(value: Any, wanted: Wanted | None) -> Any:
    if wanted is None:
        return value
    if value == []:
        return None
    return _apply(value, wanted)
