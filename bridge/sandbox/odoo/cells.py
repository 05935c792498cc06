"""The cells of ``load``: rows of strings become nested values, and bad cells become messages.

As recorded in ``rules/load-cell-types`` and ``idempotency/load-bad-row``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.sandbox.odoo.fault import OdooFault, attribute_error
from bridge.sandbox.odoo.other import ExternalId
from bridge.sandbox.odoo.records import Model
from bridge.sandbox.odoo.schema import Field
from bridge.sandbox.odoo.tables import Row


@dataclass
class Node:
    """One record to be: its values, and the lines below it."""

    values: Row = field(default_factory=dict)
    external_id: str | None = None
    database_id: int | None = None
    children: dict[str, list[Node]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """The rows of the request that make one record."""

    first: int
    last: int
    number: int

    def message(self, text: str, **more: Any) -> Row:
        """Return an error message of ``load`` about these rows."""
        return {
            "rows": {"from": self.first, "to": self.last},
            "record": self.number,
            "type": "error",
            "message": text,
            **more,
        }


class _BadCell(Exception):
    """A cell that cannot be understood: an error message, not a fault."""

    def __init__(self, text: str, **more: Any) -> None:
        super().__init__(text)
        self.text = text
        self.more = more


class CellFault(OdooFault):
    """A cell of the wrong JSON type: a fault of the call (``rules/load-cell-types``)."""


def external_ids(fields: Sequence[str], data: Sequence[Sequence[Any]]) -> set[str]:
    """Return the external ids that a request names: the keys that it may hold while it is open."""
    columns = [at for at, path in enumerate(fields) if path == "id" or path.endswith("/id")]
    return {str(row[at]) for row in data for at in columns if at < len(row) and row[at]}


def split_external_id(text: str) -> tuple[str, str]:
    """Return module and name; without a dot the module is ``__import__``."""
    module, dot, name = text.partition(".")
    return (module, name) if dot else ("__import__", text)


def blocks(
    model: Model, paths: Sequence[Sequence[str]], data: Sequence[Sequence[Any]]
) -> Iterator[tuple[Rows, list[Sequence[Any]]]]:
    """Return the rows of each record: one with cells of its own, then those that only continue its lines."""
    own = [at for at, path in enumerate(paths) if not _is_below(model, path)]
    start = 0
    number = 0
    while start < len(data):
        end = start + 1
        while end < len(data) and not any(data[end][at] for at in own) and any(data[end]):
            end += 1
        yield Rows(start, end - 1, number), list(data[start:end])
        start, number = end, number + 1


def _is_below(model: Model, path: Sequence[str]) -> bool:
    about = model.fields.get(path[0])
    return about is not None and about.type == "one2many" and len(path) > 1


def convert(
    model: Model,
    paths: Sequence[Sequence[str]],
    block: list[Sequence[Any]],
    rows: Rows,
    messages: list[Row],
    *,
    above: str = "",
) -> Node:
    """Return the record that ``block`` describes; bad cells are noted in ``messages``."""
    node = Node()
    below: dict[str, list[int]] = {}
    for at, path in enumerate(paths):
        if _is_below(model, path):
            below.setdefault(path[0], []).append(at)
            continue
        try:
            _take(model, node, path, block[0][at], above)
        except _BadCell as bad:
            messages.append(_cell_message(model, path, rows, bad, above))
    for name, columns in below.items():
        about = model.fields[name]
        other = model.env[about.to or ""]
        inner = [paths[at][1:] for at in columns]
        cells = [[row[at] for at in columns] for row in block]
        for _, part in blocks(other, inner, [row for row in cells if any(row)]):
            node.children.setdefault(name, []).append(
                convert(other, inner, part, rows, messages, above=above or name)
            )
    return node


def _cell_message(model: Model, path: Sequence[str], rows: Rows, bad: _BadCell, above: str) -> Row:
    label = "" if path[0] == ".id" else model.fields[path[0]].label
    if above:
        label = next((one[above].label for one in model.env.schema.values() if above in one), above)
    return {
        "rows": {"from": rows.first, "to": rows.last},
        "type": "error",
        "record": rows.number,
        "field": above or path[0],
        "message": bad.text,
        **bad.more,
        "field_name": label,
    }


def _take(model: Model, node: Node, path: Sequence[str], cell: Any, above: str) -> None:
    if path[0] == "id":
        node.external_id = str(cell) if cell else None
        return
    if path[0] == ".id":
        node.database_id = int(cell) if cell else None
        if node.database_id and not model.search([["id", "=", node.database_id]]):
            raise _BadCell(f"Unknown database identifier '{node.database_id}'")
        return
    about = model.fields[path[0]]
    if cell is False or cell is None or cell == "":
        node.values[path[0]] = [[6, 0, []]] if about.type == "many2many" else False
        return
    node.values[path[0]] = _cell(model, about, path[1] if len(path) > 1 else None, cell, above)


def _cell(model: Model, about: Field, by: str | None, cell: Any, above: str) -> Any:
    if about.type == "boolean":
        return _boolean(cell)
    if about.type == "many2one":
        return _link(model, about, by, cell, above)
    if about.type == "many2many":
        if not isinstance(cell, str):
            raise _cell_fault(cell, "split")
        return [[6, 0, [_link(model, about, by, one, above) for one in cell.split(",")]]]
    if about.type in {"integer", "float", "monetary"}:
        kind, number = ("an integer", int) if about.type == "integer" else ("a number", float)
        try:
            return number(cell)
        except ValueError:
            text = f"'{cell}' does not seem to be {kind} for field '{about.label}'"
            raise _BadCell(text) from None
    if about.type == "selection":
        return _choice(about, cell)
    return cell


def _cell_fault(cell: Any, method: str) -> OdooFault:
    fault = attribute_error(f"'{type(cell).__name__}' object has no attribute '{method}'")
    return CellFault(fault.name, fault.message)


def _boolean(cell: Any) -> bool:
    if not isinstance(cell, str):
        raise _cell_fault(cell, "lower")
    return cell.lower() not in {"0", "false", "no"}


def _choice(about: Field, cell: Any) -> str:
    for key, label in about.selection:
        if str(cell) in {key, label}:
            return key
    if not about.selection:
        return str(cell)
    raise _BadCell(f"Value '{cell}' not found in selection field '{about.label}'")


def _link(model: Model, about: Field, by: str | None, cell: Any, above: str) -> int:
    other = model.env[about.to or ""]
    if by == ".id":
        try:
            found: int | None = int(cell)
        except ValueError:
            raise _BadCell(f"Invalid database id '{cell}' for the field '{about.label}'") from None
        found = found if found in other.table.rows else None
        kind = "database id"
    elif by == "id":
        module, name = split_external_id(str(cell))
        keys = ExternalId(model.env, "ir.model.data")
        key = keys.find(module, name)
        found = keys.table.rows[key]["res_id"] if key else None
        kind = "external id"
    else:
        found = next((one for one, row in other.table.rows.items() if other.display_name(row) == cell), None)
        kind = "name"
    if found:
        return found
    label = about.label
    if above:
        label = f"{next(one[above].label for one in model.env.schema.values() if above in one)}/{label}"
    raise _BadCell(
        f"No matching record found for {kind} '{cell}' in field '{label}'", moreinfo=_help(model, about)
    )


def _help(model: Model, about: Field) -> Row:
    view = "tree" if model.env.dialect.major < 18 else "list"
    return {
        "name": "Possible Values",
        "type": "ir.actions.act_window",
        "target": "new",
        "view_mode": f"{view},form",
        "views": [[False, view], [False, "form"]],
        "context": {"create": False},
        "help": "See all possible values",
        "res_model": "ir.model.data",
        "domain": [["model", "=", about.to]],
    }
