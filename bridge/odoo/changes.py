"""Reading changed records by ``write_date`` without losing one, on 16, 18 and 19.

``write_date`` is kept with microseconds and read in whole seconds, and 19 compares whole seconds (FACTS 4). So a page goes
on with the last second that was seen, and where a full page shares one second, with the ids within that second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.errors import InvalidRecord
from bridge.odoo.client import OdooClient
from bridge.odoo.values import odoo_datetime, parse_datetime

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class ChangeCursor:
    """Where reading goes on."""

    since: datetime
    #: Within the second ``since``: go on behind this id.
    after_id: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the cursor as plain JSON values."""
        return {"since": self.since.isoformat(), "after_id": self.after_id}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ChangeCursor:
        """Return the cursor that ``as_dict`` wrote down."""
        return cls(since=datetime.fromisoformat(value["since"]), after_id=value.get("after_id"))


@dataclass(frozen=True, kw_only=True)
class ChangePage:
    """One page of changed records."""

    rows: Sequence[dict[str, Any]]
    cursor: ChangeCursor
    is_last: bool


def read_changes(
    odoo: OdooClient, model: str, cursor: ChangeCursor, fields: Sequence[str] = (), *, page_size: int
) -> ChangePage:
    """Return one page of the records written at ``cursor`` or later, archived ones too. Some may come twice, none not at all."""
    since = cursor.since.astimezone(UTC).replace(microsecond=0)
    domain: list[Any] = [["write_date", ">=", odoo_datetime(since)]]
    order = "write_date, id"
    if cursor.after_id is not None:
        domain += [["write_date", "<", odoo_datetime(since + _SECOND)], ["id", ">", cursor.after_id]]
        order = "id"
    rows = odoo.search_read(
        model,
        domain,
        ["write_date", *fields],
        limit=page_size,
        order=order,
        context={"active_test": False},
    )
    is_full = len(rows) >= page_size
    if cursor.after_id is not None:
        onward = (
            ChangeCursor(since=since, after_id=int(rows[-1]["id"]))
            if is_full
            else ChangeCursor(since=since + _SECOND)
        )
        return ChangePage(rows=rows, cursor=onward, is_last=False)
    last = _second(rows[-1]) if rows else since
    if is_full and last <= since:
        # Sorted by parts of a second that cannot be read: that second is read once more, by ids.
        return ChangePage(rows=rows, cursor=ChangeCursor(since=last, after_id=0), is_last=False)
    return ChangePage(rows=rows, cursor=ChangeCursor(since=last), is_last=not is_full)


def _second(row: Mapping[str, Any]) -> datetime:
    moment = parse_datetime(row.get("write_date"))
    if moment is None:
        raise InvalidRecord("Odoo's list has a row without write_date.", system="odoo", field="write_date")
    return moment
