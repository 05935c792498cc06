"""``searchCriteria``: parsed from the query, applied to rows, echoed, as recorded under ``orders/037`` to ``076``.

Filters of one group are OR, groups are AND; an unknown condition is ``eq``; a sort without a direction is
descending; page size 0 is everything, a negative one a single row; a page beyond the last is empty; an
offset in a date is ignored; text that is no date is older than every date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.magento.rest import Raw, RestError, field_required, wrong_type

_KEY = re.compile(r"^search_?[cC]riteria(.*)$")
_PART = re.compile(r"\[([^\]]*)\]")
_DATE = re.compile(r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?")

#: What a row holds in a column: text, number, list, or None.
Value = Any
Column = Callable[[Raw], Value]


@dataclass(frozen=True)
class Filter:
    """One condition on one column."""

    field: str
    value: str
    condition: str


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """The parsed criteria. ``echo`` is what the answer repeats under ``search_criteria``."""

    groups: Sequence[Sequence[Filter]]
    sorts: Sequence[tuple[str, bool]]
    page_size: int
    page: int
    echo: Raw


def parse_criteria(query: Iterable[tuple[str, str]]) -> Criteria:
    """Return the criteria of a query, or refuse them as Magento does. They must be there, even if empty."""
    tree: Raw = {}
    is_given = False
    for name, value in query:
        match = _KEY.match(name)
        if match is None:
            continue
        is_given = True
        parts = [_snake(part) for part in _PART.findall(match.group(1))]
        if parts:
            _plant(tree, parts, value)
    if not is_given:
        raise field_required("searchCriteria")
    groups = [
        [
            Filter(row.get("field", ""), row.get("value", ""), row.get("condition_type", "eq"))
            for row in _rows(group.get("filters", {}))
        ]
        for group in _rows(tree.get("filter_groups", {}))
    ]
    sorts = [
        (row["field"], _is_ascending(row.get("direction", "DESC")))
        for row in _rows(tree.get("sort_orders", {}))
    ]
    echo: Raw = {
        "filter_groups": [
            {"filters": [{"field": f.field, "value": f.value, "condition_type": f.condition} for f in group]}
            for group in groups
        ]
    }
    if sorts:
        echo["sort_orders"] = [{"field": name, "direction": "ASC" if up else "DESC"} for name, up in sorts]
    for name in ("page_size", "current_page"):
        if name in tree:
            echo[name] = _integer(tree[name], name)
    return Criteria(
        groups=groups,
        sorts=sorts,
        page_size=echo.get("page_size", 0),
        page=echo.get("current_page", 1),
        echo=echo,
    )


def find(
    rows: Iterable[Raw], criteria: Criteria, columns: Mapping[str, Column], *, dates: Collection[str]
) -> tuple[list[Raw], int]:
    """Return the rows of the wanted page and the number of all that fit. ``KeyError`` names an unknown column."""
    tests = [
        [_test(one, columns[one.field], is_date=one.field in dates) for one in group]
        for group in criteria.groups
    ]
    found = [row for row in rows if all(any(test(row) for test in group) for group in tests)]
    for name, is_ascending in reversed(criteria.sorts):
        column = columns[name]
        found.sort(key=lambda row, column=column: _order(column(row)), reverse=not is_ascending)  # type: ignore[misc]
    return _page(found, criteria), len(found)


def _page(found: list[Raw], criteria: Criteria) -> list[Raw]:
    if criteria.page_size == 0:
        return found
    if criteria.page_size < 0:
        return found[:1]
    start = (max(criteria.page, 1) - 1) * criteria.page_size
    return found[start : start + criteria.page_size]


def _test(one: Filter, column: Column, *, is_date: bool) -> Callable[[Raw], bool]:
    condition = one.condition.lower()
    if condition in {"null", "notnull"}:
        return lambda row: (column(row) is None) == (condition == "null")
    if condition in {"in", "nin", "finset"}:
        wanted = {_text(part.strip()) for part in one.value.split(",")}
        return lambda row: _is_in(column(row), wanted) == (condition != "nin")
    if condition in {"like", "nlike"}:
        pattern = re.compile("".join(_like(sign) for sign in one.value), re.IGNORECASE | re.DOTALL)
        return lambda row: (pattern.fullmatch(str(column(row) or "")) is not None) == (condition == "like")
    compare = _COMPARE.get(condition, _COMPARE["eq"])
    value = _date(one.value) if is_date else one.value
    return lambda row: _compares(column(row), value, compare)


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda have, want: bool(have == want),
    "neq": lambda have, want: bool(have != want),
    "gt": lambda have, want: bool(have > want),
    "gteq": lambda have, want: bool(have >= want),
    "from": lambda have, want: bool(have >= want),
    "moreq": lambda have, want: bool(have >= want),
    "lt": lambda have, want: bool(have < want),
    "lteq": lambda have, want: bool(have <= want),
    "to": lambda have, want: bool(have <= want),
}


def _compares(have: Value, want: str, compare: Callable[[Any, Any], bool]) -> bool:
    """Compare as MySQL does: nothing compares with NULL, numbers by number, text without regard to case."""
    if have is None:
        return False
    if isinstance(have, list):
        return any(_compares(one, want, compare) for one in have)
    if isinstance(have, int | float):
        return compare(have, _number(want))
    return compare(_text(have), _text(want))


def _is_in(have: Value, wanted: set[str]) -> bool:
    if isinstance(have, list):
        return any(_text(one) in wanted for one in have)
    return have is not None and _text(have) in wanted


def _text(value: Value) -> str:
    return str(value).casefold()


def _number(text: str) -> float:
    match = re.match(r"\s*-?\d+(?:\.\d+)?", text)
    return float(match.group()) if match else 0.0


def _date(text: str) -> str:
    """Return a date as the database reads it: the offset is ignored, garbage is before all time."""
    match = _DATE.match(text.strip())
    if match is None:
        return ""
    day, clock = match.groups()
    if clock is None:
        return f"{day} 00:00:00"
    return f"{day} {clock}" if len(clock) == 8 else f"{day} {clock}:00"


def _like(sign: str) -> str:
    return {"%": ".*", "_": "."}.get(sign, re.escape(sign))


def _order(value: Value) -> tuple[int, float, str]:
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, int | float):
        return (1, float(value), "")
    return (1, 0.0, _text(value))


def _is_ascending(direction: str) -> bool:
    if direction.upper() not in {"ASC", "DESC"}:
        raise RestError(
            400,
            "The sort order has to be specified as %1 for ascending order or %2 for descending order.",
            ["ASC", "DESC"],
        )
    return direction.upper() == "ASC"


def _integer(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        camel = re.sub(r"_(\w)", lambda match: match.group(1).upper(), name)
        raise wrong_type(text, "int", camel) from None


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "_" + match.group(1).lower(), name)


def _plant(tree: Raw, parts: Sequence[str], value: str) -> None:
    for part in parts[:-1]:
        below = tree.setdefault(part, {})
        if not isinstance(below, dict):
            return
        tree = below
    tree[parts[-1]] = value


def _rows(tree: Any) -> list[Raw]:
    """Return the numbered children in their order."""
    if not isinstance(tree, dict):
        return []
    numbered = sorted(tree.items(), key=lambda pair: int(pair[0]) if pair[0].isdigit() else 0)
    return [row for _, row in numbered if isinstance(row, dict)]
