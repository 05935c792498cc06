"""Values on their way into the database, with the faults of each version (``errors/wrong-type-*``)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bridge.sandbox.odoo.fault import Dialect, OdooFault, value_error
from bridge.sandbox.odoo.schema import Field

DATETIME_FORMAT = "%Y-%m-%d %H:%M:%S"
MAX_INTEGER = 2**31 - 1


def to_column(field: Field, value: Any, *, model: str, dialect: Dialect) -> Any:
    """Return the stored form of ``value``; ``None`` is null. Not for x2many fields."""
    kind = field.type
    if kind in {"char", "text", "html"}:
        return _text(value)
    if kind == "boolean":
        return bool(value)
    if kind == "integer":
        return _integer(value)
    if kind in {"float", "monetary"}:
        return _number(value)
    if kind == "datetime":
        return _datetime(value)
    if kind == "date":
        return _date(value)
    if kind == "selection":
        return _selection(field, value, model=model, dialect=dialect)
    if kind == "many2one":
        return _many2one(value)
    return value or None


def null_of(field: Field) -> Any:
    """Return what a field without a value reads as."""
    if field.is_x2many:
        return []
    if field.type == "integer":
        return 0
    return 0.0 if field.type in {"float", "monetary"} else False


def _text(value: Any) -> str | None:
    if value is None or value is False:
        return None
    text = str(value)
    if "\x00" in text:
        raise value_error("A string literal cannot contain NUL (0x00) characters.")
    return text or None


def _integer(value: Any) -> int:
    number = int(value or 0)
    if abs(number) > MAX_INTEGER:
        raise OdooFault("psycopg2.errors.NumericValueOutOfRange", "integer out of range\n")
    return number


def _number(value: Any) -> float:
    try:
        return float(value or 0.0)
    except ValueError as exc:
        raise value_error(str(exc)) from exc


def _datetime(value: Any) -> str | None:
    if not value:
        return None
    text = str(value)
    try:
        # Python's own messages are what the recorded servers answer.
        when = datetime.strptime(text, "%Y-%m-%d" if len(text) == 10 else DATETIME_FORMAT)  # noqa: DTZ007
    except ValueError as exc:
        raise value_error(str(exc)) from exc
    return when.strftime(DATETIME_FORMAT)


def _date(value: Any) -> str | None:
    when = _datetime(str(value)[:10]) if value else None
    return when[:10] if when else None


def _selection(field: Field, value: Any, *, model: str, dialect: Dialect) -> str | None:
    if not value:
        return None
    known = {key for key, _ in field.selection}
    if known and value not in known:
        name = field.name
        if dialect.major < 18 and (model, name) == ("product.template", "type"):
            name = "detailed_type"
        raise value_error(f"Wrong value for {model}.{name}: {value!r}")
    return str(value)


def _many2one(value: Any) -> int | None:
    if not value:
        return None
    if isinstance(value, list | tuple):
        return _many2one(value[0])
    if isinstance(value, str):
        text = f"invalid input syntax for type integer: \"{value}\"\nLINE 1: ...'{value}', NUL...\n   ^\n"
        raise OdooFault("psycopg2.errors.InvalidTextRepresentation", text)
    return int(value)
