"""``load``: rows of strings become records with external ids, all in one transaction or nothing.

As recorded in ``idempotency/load-*`` and ``rules/load-*``: with context ``mode=update, noupdate=True`` it creates
what is absent and leaves alone what it finds; without it values are written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.sandbox.odoo.access import check
from bridge.sandbox.odoo.cells import CellFault, Node, Rows, blocks, convert, split_external_id
from bridge.sandbox.odoo.fault import OdooFault
from bridge.sandbox.odoo.other import ExternalId
from bridge.sandbox.odoo.records import INVERSES, Env, Model
from bridge.sandbox.odoo.tables import Row


def load(model: Model, fields: Sequence[str], data: Sequence[Sequence[Any]]) -> Row:
    """Create or update the records of ``data``; errors become messages, and then nothing is kept."""
    paths = [path.split("/") for path in fields]
    _check_header(model, paths)
    model.env.context["import_file"] = True
    messages: list[Row] = []
    ids: list[int] = []
    failed = _Failed()
    try:
        with model.env.db.savepoint():
            for rows, block in blocks(model, paths, data):
                try:
                    node = convert(model, paths, block, rows, messages)
                    with model.env.db.savepoint():
                        ids.append(_store(model, node))
                except OdooFault as fault:
                    messages.append(_fault_message(model.env, fault, rows))
            if messages:
                raise failed
    except _Failed:
        return {"ids": False, "messages": messages, "nextrow": 0}
    return {"ids": ids, "messages": [], "nextrow": 0}


class _Failed(Exception):
    """Undo the savepoint of the whole request."""


def _check_header(model: Model, paths: Sequence[Sequence[str]]) -> None:
    for path in paths:
        about = model.fields.get(path[0])
        if about is None and path[0] not in {"id", ".id"}:
            raise model.env.dialect.invalid_field(model.name, path[0], verb="create")


def _fault_message(env: Env, fault: OdooFault, rows: Rows) -> Row:
    if isinstance(fault, CellFault):
        raise fault
    name = fault.short_name
    if name in {"ValidationError", "UniqueViolation", "InFailedSqlTransaction"} or fault.field:
        more = {"field": fault.field} if fault.field else {}
        return rows.message(_without_preface(env, fault), **more)
    if env.dialect.major < 18 and name != "UserError":
        package = fault.name.rpartition(".")[0]
        shown = name if package == "builtins" else fault.name
        text = f"Unknown error during import: <class '{shown}'>: {fault.message}"
        return rows.message(text, moreinfo="Resolve other errors first")
    return rows.message(fault.message)


def _without_preface(env: Env, fault: OdooFault) -> str:
    """A missing value is worded shorter than in ``create`` (``idempotency/load-order-bad-product``)."""
    preface = "The operation cannot be completed: "
    if not fault.field:
        return fault.message
    if env.dialect.major >= 19:
        return fault.message.removeprefix(preface)
    label = fault.message.rpartition("Field: ")[2].strip()
    return f"Missing required value for the field '{label.partition(' (')[0]}' ({fault.field})"


def _store(model: Model, node: Node, *, parent: tuple[str, int] | None = None) -> int:
    """Create or update one record and what is below it; return its id."""
    env = model.env
    known, is_protected = _known(model, node)
    if known is not None and is_protected and env.context.get("mode") == "update":
        return known
    if known is None and node.external_id and node.database_id:
        raise _missing_beside(env)
    known = known or node.database_id
    values = dict(node.values)
    if parent:
        values[parent[0]] = parent[1]
    check(env, model.name, "write" if known else "create")
    if not known:
        record_id = _create(model, node, values)
    else:
        record_id = known
        model.write([known], values)
        for name, children in node.children.items():
            for child in children:
                _store(env[model.fields[name].to or ""], child, parent=(_back(model, name), known))
    _name(model, node, record_id)
    return record_id


def _known(model: Model, node: Node) -> tuple[int | None, bool]:
    """Return the record that has the external id, and whether it is marked ``noupdate``."""
    if not node.external_id:
        return None, False
    keys = ExternalId(model.env, "ir.model.data")
    key = keys.find(*split_external_id(node.external_id))
    row = keys.table.rows[key] if key else {}
    known: int | None = row.get("res_id")
    return (known if known in model.table.rows else None), bool(row.get("noupdate"))


def _missing_beside(env: Env) -> OdooFault:
    """A new external id beside a database id makes a new record, which then lacks its name."""
    text = "Missing required value for the field 'name'"
    if env.dialect.major == 18:
        text += " on a linked model [product_template]"
    elif env.dialect.major >= 19:
        text = (
            "Missing required value for the field 'Name' (name).\nModel: Unknown\n- create/update: a mandatory field is not set\n"
            "- delete: another model requires the record being deleted, you can archive it instead\n"
        )
    return OdooFault("odoo.exceptions.ValidationError", text)


def _back(model: Model, name: str) -> str:
    return INVERSES[model.name, name][1]


def _create(model: Model, node: Node, values: Row) -> int:
    """Create a record with its lines, then name the lines."""
    commands = {
        name: [[0, 0, child.values] for child in children] for name, children in node.children.items()
    }
    record_id = model.create(values | commands)
    for name, children in node.children.items():
        other = model.env[model.fields[name].to or ""]
        made = sorted(model.children(record_id, other.name, _back(model, name)))[-len(children) :]
        for child, child_id in zip(children, made, strict=True):
            _name(other, child, child_id)
    return record_id


def _name(model: Model, node: Node, record_id: int) -> None:
    """Give the record its external id."""
    if not node.external_id:
        return
    keys = ExternalId(model.env, "ir.model.data")
    module, name = split_external_id(node.external_id)
    key = keys.find(module, name)
    if key is not None:
        keys.table.update(key, {"res_id": record_id, "model": model.name})
        return
    noupdate = bool(model.env.context.get("noupdate"))
    keys.create(
        {"module": module, "name": name, "model": model.name, "res_id": record_id, "noupdate": noupdate}
    )
