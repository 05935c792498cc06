"""What Magento's lists answer, checked for their shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.errors import InvalidRecord


@dataclass(frozen=True, kw_only=True)
class FirstPage:
    """The first page of a list."""

    rows: list[dict[str, Any]]
    #: Rows that Magento counts in all; older versions and broken modules miscount.
    total: int
    #: Rows that were asked for: fewer than wanted where the shop allows no more.
    size: int
    #: Magento's clock when it answered.
    server_now: datetime

    @property
    def is_full(self) -> bool:
        """Whether more rows may follow: by its length, or as Magento counts more than it gave."""
        return bool(self.rows) and (len(self.rows) >= self.size or self.total > len(self.rows))


def read_record(value: Any, what: str) -> dict[str, Any]:
    """Return ``value``, which must be an object.

    Raises:
        InvalidRecord: it is not.
    """
    if not isinstance(value, dict):
        raise InvalidRecord(f"Magento's {what} is not an object.", system="magento", field=what)
    return value


def read_records(value: Any) -> list[dict[str, Any]]:
    """Return ``value``, which must be a list of objects.

    Raises:
        InvalidRecord: it is not.
    """
    if not isinstance(value, list):
        raise InvalidRecord("Magento's list is not a list.", system="magento", field="items")
    return [read_record(item, "row") for item in value]


def read_rows(value: Any) -> tuple[list[dict[str, Any]], int]:
    """Return the rows of a list and Magento's count; with ``fields`` an empty list comes as null.

    Raises:
        InvalidRecord: it is no list of objects.
    """
    found = read_record(value, "list")
    rows: Sequence[Any] = found.get("items") or []
    total = found.get("total_count")
    return read_records(rows), total if isinstance(total, int) else len(rows)


def row_id(row: Mapping[str, Any], field: str) -> int:
    """Return the id of a list's row.

    Raises:
        InvalidRecord: it has none.
    """
    found = row.get(field)
    if not isinstance(found, int) or isinstance(found, bool):
        raise InvalidRecord(f"Magento's list has a row without {field}.", system="magento", field=field)
    return found
