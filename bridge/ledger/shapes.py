"""Reads rows into records: the columns of a record are its fields, in their order."""

from __future__ import annotations

import dataclasses
import json
import types
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_Reader = Callable[[Any], Any]


class Shape(Generic[T]):
    """How the rows of a query become records of one class."""

    def __init__(self, record: type[T], **expressions: str) -> None:
        """``expressions`` gives the SQL of fields that are not simply a column."""
        self._record = record
        fields = [field.name for field in dataclasses.fields(record)]  # type: ignore[arg-type]  # always one
        hints = get_type_hints(record)
        self._names = fields
        self._readers = [(name, reader) for name in fields if (reader := _reader(hints[name]))]
        #: The select list.
        self.columns = ", ".join(expressions.get(name, name) for name in fields)

    def read(self, row: Sequence[Any]) -> T:
        """Return ``row`` as a record."""
        values = dict(zip(self._names, row, strict=True))
        for name, reader in self._readers:
            if (value := values[name]) is not None:
                values[name] = reader(value)
        return self._record(**values)

    def read_all(self, rows: Iterable[Sequence[Any]]) -> list[T]:
        """Return ``rows`` as records."""
        return [self.read(row) for row in rows]


def _reader(hint: Any) -> _Reader | None:
    kinds = [kind for kind in get_args(hint) if kind is not types.NoneType] if _is_optional(hint) else [hint]
    kind = kinds[0]
    if kind is datetime:
        return moment
    if kind in (bool, Decimal):
        plain_kind: _Reader = kind
        return plain_kind
    if kind is uuid.UUID:
        return lambda value: value if isinstance(value, uuid.UUID) else uuid.UUID(value)
    if get_origin(kind) is Mapping:
        return from_json
    if get_origin(kind) is frozenset:
        return lambda value: frozenset(value.split(",")) if value else frozenset()
    return None


def _is_optional(hint: Any) -> bool:
    return get_origin(hint) in {Union, types.UnionType}


def moment(value: Any) -> datetime:
    """Return a time as the drivers give it (aware, or SQLite's text) as an aware UTC datetime."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    result: datetime = value.astimezone(UTC)
    return result


def to_json(value: Mapping[str, Any] | None) -> str | None:
    """Return ``value`` as JSON; decimals and times as text, other things are refused."""
    return None if value is None else json.dumps(value, default=_plain, separators=(",", ":"))


def from_json(text: str) -> dict[str, Any]:
    """Return the mapping that ``to_json`` wrote."""
    result: dict[str, Any] = json.loads(text)
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set | tuple):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON")
