"""The methods that RPC may call: their arguments by name and position, and what they do."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.odoo.access import Operation, check, may, rights_of
from bridge.sandbox.odoo.fault import OdooFault, user_error, value_error
from bridge.sandbox.odoo.loading import load
from bridge.sandbox.odoo.onchange import onchange
from bridge.sandbox.odoo.other import ExternalId
from bridge.sandbox.odoo.partner import Partner
from bridge.sandbox.odoo.pricing import LINE_PRECISIONS, line_digits
from bridge.sandbox.odoo.records import Model
from bridge.sandbox.odoo.tables import Row

#: Marks an argument that must be given.
REQUIRED = object()

Args = dict[str, Any]
Function = Callable[[Model, list[int], Args], Any]


@dataclass(frozen=True)
class Method:
    """A public method: a class method (``is_record`` false) or one of records, which come first."""

    function: Function
    #: Names of the arguments in positional order, with their defaults.
    arguments: Mapping[str, Any]
    is_record: bool
    #: What the caller must be allowed to do, in this order.
    needs: tuple[Operation, ...] = ()
    #: Takes keywords that its signature does not name.
    takes_more: bool = False
    #: Versions that have it.
    versions: frozenset[int] = frozenset({16, 18, 19})


def _create(model: Model, ids: list[int], args: Args) -> Any:
    values = args["vals_list"]
    if isinstance(values, Mapping):
        return model.create(dict(values))
    return [model.create(dict(one)) for one in values]


def _read(model: Model, ids: list[int], args: Args) -> Any:
    return model.read(ids, args["fields"])


def _search_read(model: Model, ids: list[int], args: Args) -> Any:
    return model.read(_search(model, ids, args), args["fields"])


def _web_search_read(model: Model, ids: list[int], args: Args) -> Row:
    found = _search(model, ids, args)
    return {"length": len(found), "records": _web_read(model, found, args["specification"])}


def _web_read(model: Model, ids: Sequence[int], asked: Mapping[str, Any]) -> list[Row]:
    """Return rows with what they lead to: links as bare ids, or as rows where fields of them are asked for."""
    rows = model.read(ids, list(asked))
    for row in rows:
        for name, more in asked.items():
            about = model.fields[name]
            if about.type == "many2one":
                row[name] = row[name][0] if row[name] else False
            if about.to is None or not more.get("fields"):
                continue
            check(model.env, about.to, "read")
            linked = row[name] if isinstance(row[name], list) else [row[name]] if row[name] else []
            below = _web_read(model.env[about.to], linked, more["fields"])
            row[name] = below if about.is_x2many else next(iter(below), False)
    return rows


def _search(model: Model, ids: list[int], args: Args) -> list[int]:
    domain = args["domain"] if args["domain"] is not None else []
    return model.search(domain, offset=args["offset"] or 0, limit=args["limit"] or None, order=args["order"])


def _search_count(model: Model, ids: list[int], args: Args) -> int:
    return len(model.search(args["domain"], limit=args["limit"] or None))


def _load(model: Model, ids: list[int], args: Args) -> Row:
    return load(model, args["fields"], args["data"])


#: Digits of a number in all, as every version describes a field with a precision.
_ALL_DIGITS = 16


def _fields_get(model: Model, ids: list[int], args: Args) -> Row:
    wanted, attributes = args["allfields"], args["attributes"]
    answer: Row = {}
    for name, about in model.fields.items():
        if not wanted or name in wanted:
            described = about.describe()
            if model.name == "sale.order.line" and name in LINE_PRECISIONS:
                digits = line_digits(model.env, name)
                described["digits"] = [_ALL_DIGITS, digits] if digits is not None else False
            answer[name] = {
                key: value for key, value in described.items() if not attributes or key in attributes
            }
    return answer


def _name_search(model: Model, ids: list[int], args: Args) -> list[list[Any]]:
    domain: Any = next((args[name] for name in ("args", "domain") if args.get(name)), [])
    rows = model.table.rows
    text, operator = str(args["name"]).casefold(), args["operator"]
    found = [
        [one, model.display_name(rows[one])]
        for one in model.search(domain)
        if (text == model.display_name(rows[one]).casefold())
        or (operator != "=" and text in model.display_name(rows[one]).casefold())
    ]
    return found[: args["limit"]]


def _default_get(model: Model, ids: list[int], args: Args) -> Row:
    wanted = next(value for name, value in args.items() if name in {"fields", "fields_list"})
    values = model.defaults({"display_type": "line_note"})
    return {name: values[name] for name in wanted if name in values}


def _get_external_id(model: Model, ids: list[int], args: Args) -> Row:
    keys = model.env.db.table("ir.model.data")
    answer: Row = {}
    for one in ids:
        own = sorted(key for key in keys.lookup("res_id", [one]) if keys.rows[key]["model"] == model.name)
        answer[str(one)] = f"{keys.rows[own[0]]['module']}.{keys.rows[own[0]]['name']}" if own else ""
    return answer


def _export_data(model: Model, ids: list[int], args: Args) -> Row:
    if rights_of(model.env) != "admin":
        raise user_error("You don't have the rights to export data. Please contact an Administrator.")
    datas: list[list[Any]] = []
    paths = [path.split("/") for path in args["fields_to_export"]]
    for one in ids:
        below = next((path[0] for path in paths if len(path) > 1), None)
        children = model.get(one, below) if below else []
        datas.extend(
            [_exported(model, one, path, children, number) for path in paths]
            for number in range(max(1, len(children)))
        )
    return {"datas": datas}


def _exported(model: Model, record_id: int, path: Sequence[str], children: list[int], number: int) -> Any:
    if len(path) > 1:
        other = model.env[model.fields[path[0]].to or ""]
        return _exported(other, children[number], path[1:], [], 0) if children else ""
    if number:
        return ""
    if path[0] == "id":
        return _get_external_id(model, [record_id], {})[str(record_id)] or _made_for_export(model, record_id)
    value = model.get(record_id, path[0])
    return value if value is not None else ""


def _made_for_export(model: Model, record_id: int) -> str:
    name = f"{model.name.replace('.', '_')}_{record_id}_{record_id:08x}"
    model.env["ir.model.data"].create(
        {"module": "__export__", "name": name, "model": model.name, "res_id": record_id}
    )
    return f"__export__.{name}"


def _check_access_rights(model: Model, ids: list[int], args: Args) -> bool:
    if args["raise_exception"]:
        check(model.env, model.name, args["operation"])
    return may(rights_of(model.env), model.name, args["operation"])


def _has_access(model: Model, ids: list[int], args: Args) -> bool:
    return may(rights_of(model.env), model.name, args["operation"])


def _toggle_active(model: Model, ids: list[int], args: Args) -> None:
    if "active" not in model.fields:
        if model.env.dialect.major < 18:
            raise OdooFault("builtins.TypeError", "'NoneType' object is not callable")
        raise OdooFault("builtins.AssertionError", f"No 'active' field on model {model.name}")
    for one in ids:
        model.write([one], {"active": not model.get(one, "active")})


def _archive(model: Model, ids: list[int], args: Args) -> None:
    model.write(ids, {"active": False})


def _unarchive(model: Model, ids: list[int], args: Args) -> None:
    model.write(ids, {"active": True})


def _message_post(model: Model, ids: list[int], args: Args) -> Any:
    env = model.env
    model.ensure(ids)
    body = str(args["body"] or "")
    if env.dialect.major >= 18:
        # A plain string over RPC is text since 17; earlier versions take it as HTML.
        body = f"<p>{html.escape(body, quote=False)}</p>"
    subtype = None
    if args["subtype_xmlid"]:
        keys = ExternalId(env, "ir.model.data")
        key = keys.find(*args["subtype_xmlid"].split(".", 1))
        subtype = keys.table.rows[key]["res_id"] if key else None
    values = {
        "model": model.name,
        "res_id": ids[0],
        "body": body,
        "message_type": args["message_type"],
        "subtype_id": subtype,
        "is_internal": args["subtype_xmlid"] == "mail.mt_note",
    }
    posted = env["mail.message"].create(values)
    return [posted] if env.dialect.major >= 19 else posted


def _address_get(model: Model, ids: list[int], args: Args) -> Row:
    assert isinstance(model, Partner)
    return {**model.addresses(ids[0], args["adr_pref"] or ())}


def _context_get(model: Model, ids: list[int], args: Args) -> Row:
    return {"lang": "en_US", "tz": False, "uid": model.env.uid}


def _has_group(model: Model, ids: list[int], args: Args) -> bool:
    rights = rights_of(model.env)
    return rights == "admin" or (rights != "none" and args["group_ext_id"].startswith("sales_team."))


def _make_key(model: Model, ids: list[int], args: Args) -> None:
    raise user_error("This method can only be accessed over HTTP")


def _check_object_reference(model: Model, ids: list[int], args: Args) -> list[Any]:
    keys = ExternalId(model.env, model.name)
    module, name = args["module"], args["xml_id"]
    key = keys.find(module, name)
    if key is not None and keys.exists([key]):
        row = keys.table.rows[key]
        if row["res_id"] in model.env[row["model"]].table.rows:
            return [row["model"], row["res_id"]]
    raise value_error(f"External ID not found in the system: {module}.{name}")


def _action_post(model: Model, ids: list[int], args: Args) -> bool:
    """Entries are not simulated: every one is empty (``errors/user-error-post-empty-move``)."""
    model.ensure(ids)
    if model.env.dialect.major >= 19:
        raise user_error("Even magicians can't post nothing!")
    if model.env.dialect.major >= 18:
        raise user_error("You need to add a line before posting.")
    return False


_FIND = {"offset": 0, "limit": None, "order": None}
_ONCHANGE_NAMES = {16: ("field_name", "field_onchange"), 18: ("field_names", "fields_spec")}


def _onchange(model: Model, ids: list[int], args: Args) -> Row:
    values, names, spec = args.values()
    return onchange(model, values, names, spec)


def base_methods(major: int) -> dict[str, Method]:
    """Return the methods that every model has in a version."""
    names, spec = _ONCHANGE_NAMES[16 if major < 18 else 18]
    search_filter = "domain" if major >= 19 else "args"
    name_search = {"name": "", search_filter: None, "operator": "ilike", "limit": 100}
    all_of_them = {
        "create": Method(_create, {"vals_list": REQUIRED}, is_record=False, needs=("create",)),
        "read": Method(_read, {"fields": None, "load": None}, is_record=True, needs=("read",)),
        "write": Method(
            lambda model, ids, args: model.write(ids, args["vals"]),
            {"vals": REQUIRED},
            is_record=True,
            needs=("write",),
        ),
        "unlink": Method(lambda model, ids, args: model.unlink(ids), {}, is_record=True, needs=("unlink",)),
        "search": Method(_search, {"domain": REQUIRED, **_FIND}, is_record=False, needs=("read",)),
        "search_count": Method(
            _search_count, {"domain": REQUIRED, "limit": None}, is_record=False, needs=("read",)
        ),
        "search_read": Method(
            _search_read,
            {"domain": None, "fields": None, **_FIND},
            is_record=False,
            needs=("read",),
            takes_more=True,
        ),
        # 16 has another one of this name, which the bridge does not use.
        "web_search_read": Method(
            _web_search_read,
            {"domain": REQUIRED, "specification": REQUIRED, **_FIND, "count_limit": None},
            is_record=False,
            needs=("read",),
            versions=frozenset({18, 19}),
        ),
        "load": Method(_load, {"fields": REQUIRED, "data": REQUIRED}, is_record=False),
        "fields_get": Method(_fields_get, {"allfields": None, "attributes": None}, is_record=False),
        "name_search": Method(_name_search, name_search, is_record=False, needs=("read",)),
        "default_get": Method(
            _default_get, {"fields" if major >= 19 else "fields_list": REQUIRED}, is_record=False
        ),
        "onchange": Method(
            _onchange, {"values": REQUIRED, names: REQUIRED, spec: REQUIRED}, is_record=True, needs=("read",)
        ),
        "get_external_id": Method(_get_external_id, {}, is_record=True),
        "export_data": Method(_export_data, {"fields_to_export": REQUIRED}, is_record=True),
        "exists": Method(
            lambda model, ids, args: model.exists(ids), {}, is_record=True, versions=frozenset({16, 18})
        ),
        "check_access_rights": Method(
            _check_access_rights, {"operation": REQUIRED, "raise_exception": True}, is_record=False
        ),
        "has_access": Method(
            _has_access, {"operation": REQUIRED}, is_record=True, versions=frozenset({18, 19})
        ),
        "toggle_active": Method(_toggle_active, {}, is_record=True, needs=("write",)),
        "action_archive": Method(_archive, {}, is_record=True, needs=("write",)),
        "action_unarchive": Method(_unarchive, {}, is_record=True, needs=("write",)),
        "message_post": Method(
            _message_post,
            {"body": "", "subject": None, "message_type": "notification", "subtype_xmlid": None},
            is_record=True,
            needs=("read",),
            takes_more=True,
        ),
    }
    return {name: method for name, method in all_of_them.items() if major in method.versions}


def special_methods(major: int) -> dict[tuple[str, str], Method]:
    """Return the methods of single models in a version."""
    return {
        ("account.move", "action_post"): Method(_action_post, {}, is_record=True, needs=("write",)),
        ("ir.model.data", "check_object_reference"): Method(
            _check_object_reference,
            {"module": REQUIRED, "xml_id": REQUIRED, "raise_on_access_error": False},
            is_record=False,
        ),
        ("res.partner", "address_get"): Method(
            _address_get, {"adr_pref": None}, is_record=True, needs=("read",)
        ),
        ("res.users", "context_get"): Method(_context_get, {}, is_record=False),
        ("res.users", "has_group"): Method(_has_group, {"group_ext_id": REQUIRED}, is_record=major >= 18),
        ("res.users.apikeys.description", "make_key"): Method(_make_key, {}, is_record=True),
    }
