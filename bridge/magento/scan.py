"""Reading changed rows by ``updated_at`` without losing one: RULES 5.1, as arithmetic on pages.

Proven by ``rules/012-scan-many-rows-in-one-second`` and ``rules/013-scan-orders-eq-second``. A scan asks for
``updated_at gteq X``, always page 1, and moves X to the last row's second. Where a full page shares one
second it goes on with ``updated_at eq X and entity_id gt N``. Rows may come twice, never not at all.

A second is closed only when it is some seconds past: a row with a lower id may still be written in it. So
where the scan ends, the next one begins at the last second that was open when it was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.errors import InvalidRecord
from bridge.magento.search import Filter, magento_time, parse_magento_time

#: A second is closed when it is so many seconds past.
SETTLE_SECONDS = 10
_ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class ScanCursor:
    """Where a scan goes on. Kept as text in the ledger by ``as_dict`` and ``from_dict``."""

    #: The second that the next page begins with.
    since: datetime
    #: Within the second ``since``: go on behind this id.
    after_id: int | None = None
    #: The earliest moment that was still open when its rows were read.
    open_from: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the cursor as plain JSON values."""
        return {
            "since": magento_time(self.since),
            "after_id": self.after_id,
            "open_from": None if self.open_from is None else magento_time(self.open_from),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ScanCursor:
        """Return the cursor that ``as_dict`` wrote down."""
        open_from = value.get("open_from")
        return cls(
            since=parse_magento_time(value["since"], field="since"),
            after_id=value.get("after_id"),
            open_from=None if open_from is None else parse_magento_time(open_from, field="open_from"),
        )

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The conditions of the next page."""
        if self.after_id is None:
            return (Filter("updated_at", self.since, "gteq"),)
        return (Filter("updated_at", self.since, "eq"), Filter("entity_id", self.after_id, "gt"))

    @property
    def sort(self) -> tuple[str, ...]:
        """The order of the next page."""
        return ("updated_at", "entity_id") if self.after_id is None else ("entity_id",)


@dataclass(frozen=True, kw_only=True)
class ScanPage:
    """One page of a scan."""

    rows: Sequence[dict[str, Any]]
    #: Where to go on: with the next page, or, after the last one, with the next scan.
    cursor: ScanCursor
    #: Whether all rows that were there are read.
    is_last: bool
    #: Rows that Magento counts from here on; a hint for progress only.
    total: int


def begin(updated_from: datetime) -> ScanCursor:
    """Return the cursor of a scan of everything changed at ``updated_from`` or later."""
    return ScanCursor(since=updated_from.astimezone(UTC).replace(microsecond=0))


def next_page(
    cursor: ScanCursor, rows: Sequence[dict[str, Any]], *, total: int, page_size: int, server_now: datetime
) -> ScanPage:
    """Return the page that ``rows``, read by ``cursor``, make.

    ``server_now`` is Magento's clock when it answered. A page is full by its length, or where Magento counts
    more rows than it gave: some shops cap pages without a word.

    Raises:
        InvalidRecord: rows are not as asked for, so that going on could lose some.
    """
    keys = [_key(row) for row in rows]
    if keys != sorted(keys) or (keys and keys[0][0] < cursor.since):
        raise InvalidRecord("Magento did not sort the list as asked.", system="magento", field="updated_at")
    settled = server_now.astimezone(UTC).replace(microsecond=0) - timedelta(seconds=SETTLE_SECONDS)
    open_from = _earliest(cursor.open_from, _open_part(cursor, keys, settled))
    is_full = bool(rows) and (len(rows) >= page_size or total > len(rows))
    if cursor.after_id is None and not is_full:
        reached = keys[-1][0] if keys else cursor.since
        since = _earliest(max(cursor.since, min(reached, settled)), open_from)
        assert since is not None
        return ScanPage(rows=rows, cursor=ScanCursor(since=since), is_last=True, total=total)
    return ScanPage(
        rows=rows, cursor=_onward(cursor, keys, open_from, is_full=is_full), is_last=False, total=total
    )


def _onward(
    cursor: ScanCursor, keys: Sequence[tuple[datetime, int]], open_from: datetime | None, *, is_full: bool
) -> ScanCursor:
    if not is_full:  # Only inside one second: it is read to its end.
        return ScanCursor(since=cursor.since + _ONE_SECOND, open_from=open_from)
    last_second, last_id = keys[-1]
    if cursor.after_id is None and keys[0][0] < last_second:
        return ScanCursor(since=last_second, open_from=open_from)
    return ScanCursor(since=last_second, after_id=last_id, open_from=open_from)


def _open_part(
    cursor: ScanCursor, keys: Sequence[tuple[datetime, int]], settled: datetime
) -> datetime | None:
    """Return from when on this page read seconds that may still get rows."""
    reached = keys[-1][0] if keys else cursor.since
    return max(cursor.since, settled) if reached >= settled else None


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _key(row: Mapping[str, Any]) -> tuple[datetime, int]:
    entity_id = row.get("entity_id")
    if not isinstance(entity_id, int):
        raise InvalidRecord(
            "Magento's list has a row without entity_id.", system="magento", field="entity_id"
        )
    return parse_magento_time(row.get("updated_at")), entity_id
