"""Calls: who asks, which method, with which arguments; run in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bridge.sandbox.odoo.access import check
from bridge.sandbox.odoo.fault import Dialect, OdooFault, missing_error, type_error, user_error
from bridge.sandbox.odoo.methods import REQUIRED, Args, Method, base_methods, special_methods
from bridge.sandbox.odoo.records import Env, Model
from bridge.sandbox.odoo.schema import Schema
from bridge.sandbox.odoo.states import order_methods
from bridge.sandbox.odoo.tables import Database
from bridge.sandbox.odoo.transfers import stock_methods


@dataclass(frozen=True)
class RPCCall:
    """One call of a method, from either protocol, before its arguments are bound."""

    uid: int
    model: str
    method: str
    #: JSON-RPC's positional arguments; ``None`` for JSON-2.
    positional: Sequence[Any] | None
    keywords: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    is_stale: bool = False

    @property
    def operation(self) -> str:
        """``model.method``."""
        return f"{self.model}.{self.method}"


class Methods:
    """The public methods of a version."""

    def __init__(self, major: int) -> None:
        self._base = base_methods(major)
        self._special = special_methods(major) | order_methods(major) | stock_methods(major)
        self._major = major

    def find(self, model: str, name: str) -> Method | None:
        """Return a method of ``model``, if it has one of that name."""
        return self._special.get((model, name)) or self._base.get(name)

    def is_private(self, name: str) -> bool:
        """Return whether RPC refuses a method by its name; 19 also refuses ``exists``."""
        return name.startswith("_") or (name == "exists" and self._major >= 19)


class ServerState(Protocol):
    """What a call needs of the simulated server."""

    version: int
    dialect: Dialect
    schema: Schema
    classes: dict[str, type[Model]]
    methods: Methods
    monotonic: Callable[[], float]
    database_of_rows: Database


def execute(state: ServerState, call: RPCCall) -> Any:
    """Run ``call`` in a transaction of its own and return its result. Raises ``OdooFault``."""
    try:
        return _execute(state, call)
    except OdooFault:
        raise
    except Exception as exc:
        # As in Odoo, whatever else goes wrong (a value of a type nobody expects) is a fault with Python's class.
        raise OdooFault(f"builtins.{type(exc).__name__}", str(exc)) from exc


def _execute(state: ServerState, call: RPCCall) -> Any:
    with state.database_of_rows.transaction():
        method = _method(state, call)
        ids, args = _bind(call, method, major=state.version)
        env = _env(state, call)
        for need in method.needs:
            check(env, call.model, need)
        return method.function(env[call.model], ids, args)


def _env(state: ServerState, call: RPCCall) -> Env:
    if call.uid not in state.database_of_rows.table("res.users").rows:
        raise missing_error("res.users", call.uid, uid=call.uid)
    return Env(
        db=state.database_of_rows,
        schema=state.schema,
        dialect=state.dialect,
        classes=state.classes,
        uid=call.uid,
        monotonic=state.monotonic,
        context=dict(call.context),
        is_stale=call.is_stale,
    )


def _method(state: ServerState, call: RPCCall) -> Method:
    is_json2 = call.positional is None
    if call.model not in state.schema:
        if is_json2:
            text = f"the model '{call.model}' does not exist"
            raise OdooFault("werkzeug.exceptions.NotFound", text, arguments=[text, 404])
        raise user_error(f"Object {call.model} doesn't exist")
    if state.methods.is_private(call.method):
        raise state.dialect.private_method(call.model, call.method)
    method = state.methods.find(call.model, call.method)
    if method is None:
        fault = state.dialect.unknown_method(call.model, call.method)
        if is_json2:
            raise OdooFault("werkzeug.exceptions.NotFound", fault.message, arguments=[fault.message, 404])
        raise fault
    return method


def _bind(call: RPCCall, method: Method, *, major: int) -> tuple[list[int], Args]:
    is_json2 = call.positional is None
    keywords = dict(call.keywords)
    positional = list(call.positional or ())
    ids: list[int] = []
    given_ids = keywords.pop("ids", None) if is_json2 or method.is_record else None
    if method.is_record:
        raw: Any = given_ids if given_ids is not None else (positional.pop(0) if positional else [])
        ids = [raw] if isinstance(raw, int) and not isinstance(raw, bool) else [int(one) for one in raw or []]
    elif given_ids is not None:
        raise _unprocessable(f"cannot call {call.operation} with ids")
    args: Args = {}
    names = list(method.arguments)
    args.update(zip(names, positional, strict=False))
    for name, value in keywords.items():
        if name in method.arguments:
            args[name] = value
        elif not (method.takes_more and call.method == "message_post"):
            raise _unexpected(call, method, name, major=major)
    missing = [name for name, default in method.arguments.items() if default is REQUIRED and name not in args]
    if missing:
        raise _missing(call, missing, is_json2=is_json2)
    return ids, {name: args.get(name, default) for name, default in method.arguments.items()}


def _class_name(model: str) -> str:
    return "".join(part.title() for part in model.replace("_", ".").split("."))


def _unexpected(call: RPCCall, method: Method, name: str, *, major: int) -> OdooFault:
    if method.takes_more:
        # 16 hands unknown keywords to read, later versions to _read_format.
        reader = "read" if major < 18 else "_read_format"
        return type_error(f"BaseModel.{reader}() got an unexpected keyword argument '{name}'")
    if call.positional is None:
        return _unprocessable(f"got an unexpected keyword argument '{name}'")
    return type_error(
        f"{_class_name(call.model)}.{call.method}() got an unexpected keyword argument '{name}'"
    )


def _missing(call: RPCCall, names: list[str], *, is_json2: bool) -> OdooFault:
    if is_json2:
        return _unprocessable(f"missing a required argument: '{names[0]}'")
    shown = " and ".join(f"'{name}'" for name in names)
    count = len(names)
    return type_error(
        f"{_class_name(call.model)}.{call.method}() missing {count} required positional "
        f"argument{'s' if count > 1 else ''}: {shown}"
    )


def _unprocessable(text: str) -> OdooFault:
    return OdooFault("werkzeug.exceptions.UnprocessableEntity", text, arguments=[text, 422])
