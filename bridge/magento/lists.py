"""Reading the small tables of a shop's configuration page by page: tax rates, groups, sources, attributes.

Always page 1, sorted by a unique column, behind the last value of it: rows that come or go meanwhile shift nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import InvalidRecord
from bridge.magento.client import MagentoClient
from bridge.magento.search import Filter

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
    asked = f"items[{','.join(dict.fromkeys((key, *fields)))}],total_count"
    page = client.page(path, [*filters, *behind], sort=(key,), page_size=page_size, fields=asked)
    if not page.is_full:
        return ListPage(rows=page.rows, after=None)
    last = page.rows[-1].get(key)
    if not isinstance(last, str | int) or last == after:
        raise InvalidRecord(f"Magento did not sort {path} as asked.", system="magento", field=key)
    return ListPage(rows=page.rows, after=last)
