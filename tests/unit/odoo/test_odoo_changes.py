"""Reading changed records of Odoo by ``write_date``: pages of one second, and none is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bridge.errors import InvalidRecord
from bridge.odoo import OdooClient
from bridge.odoo.changes import ChangeCursor, read_changes

START = datetime(2026, 11, 1, tzinfo=UTC)


class Table:
    """Records with microseconds, read in whole seconds as Odoo shows them; 19 compares whole seconds."""

    def __init__(self, moments: list[datetime], *, whole: bool) -> None:
        self.rows = dict(enumerate(moments, start=1))
        self.whole = whole

    def search_read(
        self, _model: str, domain: Any, _fields: Any, *, limit: int, order: str, context: Any
    ) -> Any:
        assert context == {"active_test": False}
        found = [(self._at(id_), id_) for id_ in self.rows if all(self._fits(id_, leaf) for leaf in domain)]
        found.sort(key=(lambda one: one[1]) if order == "id" else None)
        return [{"id": id_, "write_date": f"{self.rows[id_]:%Y-%m-%d %H:%M:%S}"} for _, id_ in found[:limit]]

    def _at(self, id_: int) -> datetime:
        return self.rows[id_].replace(microsecond=0) if self.whole else self.rows[id_]

    def _fits(self, id_: int, leaf: list[Any]) -> bool:
        name, operator, value = leaf
        if name == "id":
            return id_ > value
        given = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        return self._at(id_) >= given if operator == ">=" else self._at(id_) < given


def read_all(table: Table) -> list[int]:
    cursor, found = ChangeCursor(since=START), []
    for _ in range(1000):
        page = read_changes(cast(OdooClient, table), "product.product", cursor, page_size=10)
        found += [row["id"] for row in page.rows]
        cursor = ChangeCursor.from_dict(page.cursor.as_dict())
        if page.is_last:
            return found
    raise AssertionError("no end")


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    "moments",
    [
        [],
        [START + timedelta(seconds=n) for n in range(35)],
        # All within one second, later ids first.
        [START + timedelta(microseconds=1000 - n) for n in range(57)],
        [START + timedelta(seconds=n // 12, microseconds=(n * 7919) % 1000) for n in range(100)],
        [START] * 10 + [START + timedelta(seconds=5)] * 10,
    ],
)
def test_every_record_is_read_however_many_share_a_second(moments, whole):
    assert set(read_all(Table(moments, whole=whole))) == set(range(1, len(moments) + 1))


def test_older_ones_are_left_out():
    assert read_all(Table([START - timedelta(seconds=1), START], whole=False)) == [2]


def test_a_row_without_a_date_is_told():
    class Broken:
        def search_read(self, *_: Any, **__: Any) -> Any:
            return [{"id": 1, "write_date": False}]

    with pytest.raises(InvalidRecord, match="write_date"):
        read_changes(cast(OdooClient, Broken()), "product.product", ChangeCursor(since=START), page_size=1)
