"""Where PostgreSQL's SQL and SQLite's differ: a few words in braces, and what each can keep.

``{now}`` is the start of the transaction by the database's clock, ``{clock}`` this very moment,
``{later:S}`` a moment ``S`` seconds from now, ``{age:T}`` the seconds since ``T``; ``{rows NAME ALIAS(column type, ...)}`` a
table made of the JSON list in parameter ``NAME``; ``{any NAME type}`` a test whether a column is in the list in ``NAME``; ``{for_update}``, ``{for_share}`` and ``{skip_locked}``
row locks, which SQLite does not need since it has one writer at a time. ``{state_of_row}`` is the state of a row that is
found by its id: written so that no partial index fits. PostgreSQL's planner, by statistics from a quiet hour, would take
the index of the jobs under way to be empty, and read all of them for every claim.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

_SQLITE_TIME = "'%Y-%m-%d %H:%M:%f000'"
_ROWS = re.compile(r"\{rows (\w+) (\w+)\(([^)]*)\)\}")
_ANY = re.compile(r"\{any (\w+) (\w+)\}")
_CALL = re.compile(r"\{(later|age):([^}]*)\}")
_PARAMETER = re.compile(r"(?<![:\w]):([a-z]\w*)")

_POSTGRES = {
    "now": "now()",
    "clock": "clock_timestamp()",
    "later": "(now() + make_interval(secs => ARG))",
    "age": "CAST(extract(epoch FROM clock_timestamp() - ARG) AS double precision)",
    "timestamp": "timestamptz",
    "greatest": "greatest",
    "least": "least",
    "for_update": "FOR UPDATE",
    "for_share": "FOR SHARE",
    "skip_locked": "SKIP LOCKED",
    "state_of_row": "(state || '')",
}
_SQLITE = {
    "now": f"strftime({_SQLITE_TIME}, 'now')",
    "clock": f"strftime({_SQLITE_TIME}, 'now')",
    "later": f"strftime({_SQLITE_TIME}, 'now', printf('%+.3f seconds', ARG))",
    "age": "((julianday('now') - julianday(ARG)) * 86400.0)",
    "timestamp": "text",
    "greatest": "max",
    "least": "min",
    "for_update": "",
    "for_share": "",
    "skip_locked": "",
    "state_of_row": "state",
}


class Dialect:
    """Puts SQL and parameters into the driver's own form."""

    def __init__(self, *, is_postgres: bool) -> None:
        self.is_postgres = is_postgres
        self._rendered: dict[str, str] = {}

    def render(self, sql: str) -> str:
        """Return ``sql`` in the driver's own form."""
        rendered = self._rendered.get(sql)
        if rendered is None:
            words = _POSTGRES if self.is_postgres else _SQLITE
            rendered = _ANY.sub(self._any_of, _ROWS.sub(self._rows_source, sql))
            for word, text in words.items():
                rendered = rendered.replace("{" + word + "}", text)
            rendered = _CALL.sub(lambda m: words[m[1]].replace("ARG", m[2]), rendered)
            if self.is_postgres:
                rendered = _PARAMETER.sub(r"%(\1)s", rendered.replace("%", "%%"))
            self._rendered[sql] = rendered
        return rendered

    def _any_of(self, match: re.Match[str]) -> str:
        name, kind = match.groups()
        if self.is_postgres:
            return f"= ANY(CAST(:{name} AS {kind}[]))"
        return f"IN (SELECT value FROM json_each(:{name}))"

    def _rows_source(self, match: re.Match[str]) -> str:
        name, alias, columns = match.groups()
        if self.is_postgres:
            return f"json_to_recordset(CAST(:{name} AS json)) AS {alias}({columns})"
        names = [column.split()[0] for column in columns.split(",")]
        picks = ", ".join(f"json_extract(value, '$.{column}') AS {column}" for column in names)
        return f"(SELECT {picks} FROM json_each(:{name})) AS {alias}"

    def clean(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``params`` as the driver takes them; text as both databases can keep it."""
        cleaned: dict[str, Any] = {}
        for name, value in params.items():
            if type(value) is str:
                cleaned[name] = clean_text(value)
            elif not self.is_postgres and type(value) is list:
                cleaned[name] = json.dumps(value)
            elif not self.is_postgres and isinstance(value, datetime):
                cleaned[name] = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            elif not self.is_postgres and isinstance(value, uuid.UUID):
                cleaned[name] = str(value)
            else:
                cleaned[name] = value
        return cleaned


def clean_text(value: str) -> str:
    """Return ``value`` without what a database cannot keep: NUL, lone surrogates."""
    if "\0" in value:
        value = value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if value.isascii():
        return value
    return value.encode("utf-8", "replace").decode("utf-8")


def to_text(moment: datetime) -> str:
    """Return ``moment`` as text that both databases read back as a time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def json_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return ``rows`` as the JSON that ``{rows ...}`` reads; text as both databases can keep it."""
    return json.dumps(
        [
            {name: clean_text(value) if isinstance(value, str) else value for name, value in row.items()}
            for row in rows
        ]
    )
