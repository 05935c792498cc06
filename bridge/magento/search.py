"""Magento's searchCriteria as a query string, in the form that OAuth signs and every version reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from bridge.errors import InvalidRecord, ServiceRejected

#: Magento signs parameters sorted in natural order, RFC 5849 by byte value. From the eleventh group or filter
#: on the two differ and the signature is invalid (``auth/005-oauth1-twelve-filter-groups-byte-order``).
MAX_FILTERS = 10
#: Longer addresses get empty answers from some web servers (magento/magento2#11705).
MAX_QUERY_CHARACTERS = 7000
#: Magento takes any other word silently for ``eq`` (``orders/064-list-unknown-condition``).
Condition = Literal[
    "eq",
    "neq",
    "gt",
    "gteq",
    "lt",
    "lteq",
    "in",
    "nin",
    "like",
    "nlike",
    "null",
    "notnull",
    "from",
    "to",
    "finset",
]
_CONDITIONS = frozenset(Condition.__args__)  # type: ignore[attr-defined]  # typing's own way to list them
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Filter:
    """One condition on one field."""

    field: str
    value: str | int | datetime
    condition: Condition = "eq"


def search_query(
    filters: Sequence[Filter | Sequence[Filter]] = (),
    *,
    page_size: int,
    sort: Sequence[str] = (),
    fields: str | None = None,
) -> str:
    """Return the query string of a list call.

    ``filters`` are joined by AND; a list among them is joined by OR. ``sort`` names fields, always ascending
    (without a direction Magento sorts descending). ``page_size`` is always sent: without it Magento answers
    with everything, or with 20 rows without a word.

    Raises:
        ServiceRejected: Magento would misread or refuse it; nothing was sent.
    """
    groups = [[group] if isinstance(group, Filter) else list(group) for group in filters]
    if (
        len(groups) > MAX_FILTERS
        or any(len(group) > MAX_FILTERS for group in groups)
        or len(sort) > MAX_FILTERS
    ):
        raise _refused(f"A Magento list takes at most {MAX_FILTERS} filters.", "too_many_filters")
    if page_size < 1:
        raise _refused("A page of a Magento list has at least one row.", "page_size")
    pairs: list[tuple[str, str]] = []
    for number, group in enumerate(groups):
        for index, item in enumerate(group):
            if item.condition not in _CONDITIONS:
                raise _refused(f"Magento knows no condition {item.condition!r}.", "condition")
            name = f"searchCriteria[filterGroups][{number}][filters][{index}]"
            pairs += [
                (f"{name}[field]", item.field),
                (f"{name}[value]", _text(item.value)),
                (f"{name}[conditionType]", item.condition),
            ]
    for index, field in enumerate(sort):
        name = f"searchCriteria[sortOrders][{index}]"
        pairs += [(f"{name}[field]", field), (f"{name}[direction]", "ASC")]
    pairs += [("searchCriteria[pageSize]", str(page_size)), ("searchCriteria[currentPage]", "1")]
    if fields is not None:
        pairs.append(("fields", fields))
    return query_string(pairs)


def query_string(pairs: Iterable[tuple[str, str]]) -> str:
    """Return ``pairs`` percent-encoded once, a space as ``%20`` and never ``+``, as OAuth signs it."""
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    if len(query) > MAX_QUERY_CHARACTERS:
        raise _refused("The list of values is too long for one call to Magento.", "query_too_long")
    return query


def short_batches(values: Sequence[str], most: int, *, characters: int) -> Iterator[list[str]]:
    """Yield ``values`` in batches of at most ``most``, each within ``characters`` when it is encoded for a query."""
    batch: list[str] = []
    length = 0
    for value in values:
        size = len(quote(value, safe="")) + len("%2C")
        if batch and (len(batch) >= most or length + size > characters):
            yield batch
            batch, length = [], 0
        batch.append(value)
        length += size
    if batch:
        yield batch


def magento_time(moment: datetime) -> str:
    """Return ``moment`` as Magento writes it: UTC, whole seconds. It ignores an offset, so none is sent."""
    if moment.tzinfo is None:
        raise ValueError("a time for Magento must have a time zone")
    return moment.astimezone(UTC).strftime(_TIME_FORMAT)


def parse_magento_time(text: object, *, field: str = "updated_at") -> datetime:
    """Return Magento's UTC text as an aware time.

    Raises:
        InvalidRecord: it is no time; the field is named.
    """
    try:
        return datetime.strptime(str(text), _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidRecord(f"Magento's {field} is no time.", system="magento", field=field) from None


def _text(value: str | int | datetime) -> str:
    return magento_time(value) if isinstance(value, datetime) else str(value)


def _refused(message: str, reason: str) -> ServiceRejected:
    return ServiceRejected(message, system="magento", reason=reason)
