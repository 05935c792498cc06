"""Reading the small tables of a shop's configuration page by page: tax rates, groups, sources, attributes.

Always page 1, sorted by a unique column, behind the last value of it: rows that come or go meanwhile shift nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import InvalidRecord, ServiceRejected
from bridge.magento.client import MagentoClient
from bridge.magento.search import Filter, search_query

#: Rows asked for at once.
PAGE_SIZE = 100


@dataclass(frozen=True, kw_only=True)
class ListPage:
    """One page of a table."""

    rows: Sequence[dict[str, Any]]
    #: Value of the sorted column to go on behind; None after the last page.
    after: str | int | None


def read_list(
    client: MagentoClient,
    path: str,
    *,
    key: str,
    fields: Sequence[str],
    after: str | int | None = None,
    filters: Sequence[Filter] = (),
    page_size: int = PAGE_SIZE,
) -> ListPage:
    """Return one page of the table at ``path``, sorted by its unique column ``key``, behind ``after``.

    Raises:
        InvalidRecord: the answer is no such list, or does not go on.
    """
    behind = () if after is None else (Filter(key, after, "gt"),)
    query = search_query(
        [*filters, *behind],
        page_size=page_size,
        sort=(key,),
        fields=f"items[{','.join(dict.fromkeys((key, *fields)))}],total_count",
    )
    try:
        answer = client.get(path, query=query)
    except ServiceRejected as exc:
        maximum = int(exc.details.get("maximum", 0))
        if exc.details.get("reason") != "page_size" or not 0 < maximum < page_size:
            raise
        return read_list(
            client, path, key=key, fields=fields, after=after, filters=filters, page_size=maximum
        )
    rows, total = _rows(answer)
    # Some shops cap pages without a word: then Magento counts more rows than it gave.
    if not rows or (len(rows) < page_size and total <= len(rows)):
        return ListPage(rows=rows, after=None)
    last = rows[-1].get(key)
    if not isinstance(last, str | int) or last == after:
        raise InvalidRecord(f"Magento did not sort {path} as asked.", system="magento", field=key)
    return ListPage(rows=rows, after=last)


def _rows(answer: Any) -> tuple[list[dict[str, Any]], int]:
    """Return the rows and Magento's count; with ``fields`` an empty list comes as null."""
    items = answer.get("items") or [] if isinstance(answer, dict) else None
    if not isinstance(items, list) or not all(isinstance(row, dict) for row in items):
        raise InvalidRecord("Magento's list is not a list of objects.", system="magento", field="items")
    total = answer.get("total_count")
    return items, total if isinstance(total, int) else len(items)
