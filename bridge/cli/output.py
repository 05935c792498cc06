"""What commands print: one JSON document on stdout, or text for people; logs and errors go to stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import click
from pydantic import BaseModel, SecretStr
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

Function = Callable[..., Any]

#: A file or a pipe is given lines as wide as they need; a terminal those that it can show.
_WIDE = 200
#: The least width of a column that may fold, and the space between two columns.
_FOLDED_WIDTH, _GAP = 20, 3
#: Characters that steer a terminal or turn the direction of text: names from a shop must not do either.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def json_option(function: Function) -> Function:
    """Add ``--json`` to a reading command."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(function)


def print_json(value: Any) -> None:
    """Print ``value`` as one JSON document."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(to_plain(value), ensure_ascii=not is_unicode, indent=2))


def print_text(text: str, *, err: bool = False) -> None:
    """Print text that may hold words of others."""
    click.echo(harmless(text), err=err)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    empty: str,
    fold: Collection[str] | None = None,
    right: Collection[str] = (),
    spare: Sequence[str] = (),
) -> None:
    """Print rows as a table, or ``empty`` where there are none.

    Cells of the columns ``fold`` (the last one, where nothing else is said) are folded into several lines when the
    terminal is narrow; the others stay whole. Columns whose cells are all empty are left out; so are the columns
    ``spare``, in their order, where there is no room for them.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        if empty:
            click.echo(empty)
        return
    output = console()
    folded = {columns[-1]} if fold is None else set(fold)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    kept = [number for number, width in enumerate(widths) if width]
    for name in spare:
        if _needed(columns, widths, kept, folded) <= output.width:
            break
        kept = [number for number in kept if columns[number] != name]
    is_tight = _needed(columns, widths, kept, folded) > output.width
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number in kept:
        name = columns[number]
        whole = name not in folded and not is_tight
        justify: Literal["right", "left"] = "right" if name in right else "left"
        table.add_column(name, overflow="fold", no_wrap=whole, justify=justify)
    for row in cells:
        table.add_row(*(row[number] for number in kept))
    output.print(table)


def _needed(
    columns: Sequence[str], widths: Sequence[int], kept: Sequence[int], folded: Collection[str]
) -> int:
    """Return how wide a table is at least: columns that may fold count with a readable width."""
    total = 0
    for number in kept:
        name = columns[number]
        width = min(widths[number], _FOLDED_WIDTH) if name in folded else widths[number]
        total += max(width, len(name)) + _GAP
    return total - _GAP


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print a record, a field a line; empty ones are left out."""
    shown = {name: _cell(value) for name, value in fields.items() if value not in (None, "", {}, [])}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        click.echo(f"{name:<{width}}  {value}")


def console(*, stderr: bool = False) -> Console:
    """Return a console; wide where the output is no terminal, so that nothing is cut in a file or a pipe."""
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _WIDE
    return made


def harmless(text: str) -> str:
    """Return ``text`` without what would steer a terminal; line breaks and tabs stay."""
    return _STEERING.sub("\ufffd", text)


def words(value: Any) -> str:
    """Return ``value`` as people read it: lists as words with commas, times in UTC."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | tuple | set | frozenset) and not any(
        isinstance(one, Mapping | list | tuple) for one in value
    ):
        return ", ".join(words(one) for one in value)
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return json.dumps(to_plain(value), ensure_ascii=False)
    return str(value)


def to_plain(value: Any) -> Any:  # noqa: PLR0911  # one return a type
    """Return ``value`` as JSON knows it: Decimal as text, times in UTC, never a secret."""
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, BaseModel):
        return to_plain(value.model_dump())
    if is_dataclass(value) and not isinstance(value, type):
        return to_plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): to_plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, Decimal | date | UUID):
        return str(value)
    if value is None or isinstance(value, str | int | bool | float):
        return value
    return str(value)


def _cell(value: Any) -> str:
    return " ".join(harmless(words(value)).splitlines())
