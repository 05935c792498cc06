"""Tolerant reading of Magento's JSON: numbers as text, flags as 0/1, nulls and absent fields, NUL bytes.

Every refusal names the field by its path (``items[2].qty_ordered``), so that an operator can find it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from bridge.errors import InvalidRecord
from bridge.translate.money import ZERO

#: Beyond this an amount is not money but a fault of whoever sent it.
LARGEST_AMOUNT = Decimal("1e12")
#: Longer than any code in Magento's tables; codes are keys of mappings, and keys have bounds.
LONGEST_CODE = 255
#: More decimal places than any Magento column has (12,4) or any computed figure needs.
MOST_DECIMALS = 12
# Tuples, not unions: a union would be made anew for each of the thousands of fields of an order.
_NO_TEXT = (dict, list, Mapping)
_NUMBERS = (int, Decimal, str)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def clean_text(value: object) -> str:
    """Return ``value`` as text that Odoo takes: no NUL, no other control characters but line breaks and tabs.

    Odoo refuses NUL bytes (``errors/nul-byte``). Lone surrogates, which cannot be sent as UTF-8, go too.
    """
    if value is None or isinstance(value, _NO_TEXT):
        return ""
    text = str(value)
    if text.isascii() and text.isprintable():
        # Nearly all of a catalog's hundreds of thousands of texts: nothing is to be taken out.
        return text.strip()
    text = _CONTROL.sub("", text)
    if not text.isascii():
        text = text.encode("utf-8", "ignore").decode("utf-8")
    return text.strip()


def listed(value: Any) -> Any:
    """Return a list as it is meant: PHP sends one whose keys have gaps as an object."""
    return list(value.values()) if isinstance(value, Mapping) else value


class Fields:
    """One JSON object, read field by field."""

    def __init__(self, values: Mapping[str, Any], path: str = "", *, of: str = "order") -> None:
        """``of`` says in messages what kind of record it is."""
        self._values = values
        self._path = path
        self._of = of

    def name(self, field: str) -> str:
        """Return the path of ``field`` in the record."""
        return f"{self._path}.{field}" if self._path else field

    def text(self, field: str) -> str:
        """Return the text of ``field``, cleaned; empty when it is absent."""
        return clean_text(self._values.get(field))

    def required_text(self, field: str) -> str:
        """Return the text of ``field``.

        Raises:
            InvalidRecord: it is absent or empty.
        """
        found = self.text(field)
        if not found:
            raise self._invalid(field, "is missing")
        return found

    def code(self, field: str) -> str:
        """Return the code in ``field``: of a tax, a country, a method; empty when it is absent.

        Raises:
            InvalidRecord: it is too long to be one.
        """
        found = self.text(field)
        if len(found) > LONGEST_CODE:
            raise self._invalid(field, "is too long to be a code")
        return found

    def decimal(self, field: str) -> Decimal:
        """Return the number in ``field``; 0 when it is absent.

        Raises:
            InvalidRecord: it is no number, or no number that money or quantities can have.
        """
        return self.optional_decimal(field) or ZERO

    def required_decimal(self, field: str) -> Decimal:
        """Return the number in ``field``.

        Raises:
            InvalidRecord: it is absent or no number.
        """
        found = self.optional_decimal(field)
        if found is None:
            raise self._invalid(field, "is missing")
        return found

    def optional_decimal(self, field: str) -> Decimal | None:
        """Return the number in ``field``, None when it is absent."""
        value = self._values.get(field)
        if value is None or value == "":
            return None
        if isinstance(value, float):
            # Only a caller that parsed JSON without parse_float=Decimal brings one; its shortest text is meant.
            value = repr(value)
        if not isinstance(value, _NUMBERS) or isinstance(value, bool):
            raise self._invalid(field, "is not a number")
        try:
            found = Decimal(value.strip()) if isinstance(value, str) else Decimal(value)
        except InvalidOperation:
            raise self._invalid(field, "is not a number") from None
        if not found.is_finite() or abs(found) >= LARGEST_AMOUNT:
            raise self._invalid(field, "is not a number that can be an amount")
        exponent = found.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > MOST_DECIMALS:
            found = round(found, MOST_DECIMALS)
        return found + ZERO

    def integer(self, field: str) -> int | None:
        """Return the whole number in ``field``, None when it is absent.

        Raises:
            InvalidRecord: it is no whole number.
        """
        value = self._values.get(field)
        if type(value) is int and abs(value) < LARGEST_AMOUNT:
            return value
        found = self.optional_decimal(field)
        if found is None:
            return None
        if found != found.to_integral_value():
            raise self._invalid(field, "is not a whole number")
        return int(found)

    def required_integer(self, field: str) -> int:
        """Return the whole number in ``field``.

        Raises:
            InvalidRecord: it is absent or no whole number.
        """
        found = self.integer(field)
        if found is None:
            raise self._invalid(field, "is missing")
        return found

    def flag(self, field: str) -> bool:
        """Return whether ``field`` is set: Magento sends 0/1, sometimes as text, sometimes a boolean."""
        value = self._values.get(field)
        return str(value).strip().lower() in {"1", "true", "yes", "1.0"}

    def child(self, field: str) -> Fields:
        """Return the object in ``field``; an empty one when it is absent or not an object."""
        value = self._values.get(field)
        return Fields(value if isinstance(value, Mapping) else {}, self.name(field), of=self._of)

    def children(self, field: str) -> list[Fields]:
        """Return the objects of the list in ``field``; nulls in it are left out, an absent list is empty.

        Raises:
            InvalidRecord: it is not a list, or holds something that is not an object.
        """
        value = listed(self._values.get(field))
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._invalid(field, "is not a list")
        found = []
        for index, row in enumerate(value):
            if row is None:
                continue
            if not isinstance(row, Mapping):
                raise InvalidRecord(
                    f"The {self._of}'s field {self.name(field)}[{index}] is not an object.",
                    system="magento",
                    field=f"{self.name(field)}[{index}]",
                )
            found.append(Fields(row, f"{self.name(field)}[{index}]", of=self._of))
        return found

    def texts(self, field: str) -> tuple[str, ...]:
        """Return the texts of the list in ``field``, empty ones left out; a single text counts as a list of one."""
        value = self._values.get(field)
        rows = value if isinstance(value, list) else [value]
        return tuple(text for text in (clean_text(row) for row in rows) if text)

    def integers(self, field: str) -> tuple[int, ...]:
        """Return the whole numbers of the list in ``field``, each once; nulls in it are left out.

        Raises:
            InvalidRecord: it is not a list, or holds something that is no whole number.
        """
        rows = listed(self._values.get(field))
        if rows is None:
            return ()
        if not isinstance(rows, list):
            raise self._invalid(field, "is not a list")
        found = Fields({f"{field}[{index}]": row for index, row in enumerate(rows)}, self._path, of=self._of)
        numbers = (found.integer(name) for name in found.names())
        return tuple(dict.fromkeys(number for number in numbers if number is not None))

    def raw(self, field: str) -> Any:
        """Return ``field`` as it was sent."""
        return self._values.get(field)

    def names(self) -> tuple[str, ...]:
        """Return the names of all fields that are not null."""
        return tuple(str(name) for name, value in self._values.items() if value is not None)

    def _invalid(self, field: str, what: str) -> InvalidRecord:
        return InvalidRecord(
            f"The {self._of}'s field {self.name(field)} {what}.", system="magento", field=self.name(field)
        )
