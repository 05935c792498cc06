"""Short names of numbers, where Odoo takes no longer ones."""

from __future__ import annotations

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def warehouse_code(number: int) -> str:
    """Return the code of a warehouse, which has five characters at most: up to sixty million."""
    code = ""
    while number or not code:
        number, digit = divmod(number, len(_DIGITS))
        code = _DIGITS[digit] + code
    return code
