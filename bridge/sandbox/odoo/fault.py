"""The faults of an Odoo server, and how each version words them.

Texts and class names are those of the recordings ``errors/*`` and ``auth/*`` (FACTS 1 and 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: JSON-2's HTTP status by the fault's class (FACTS 1); every other class is a 500.
JSON2_STATUS = {
    "odoo.exceptions.AccessDenied": 403,
    "odoo.exceptions.AccessError": 403,
    "odoo.exceptions.MissingError": 404,
    "odoo.exceptions.UserError": 422,
    "odoo.exceptions.ValidationError": 422,
    "werkzeug.exceptions.NotFound": 404,
    "werkzeug.exceptions.UnprocessableEntity": 422,
    "werkzeug.exceptions.Unauthorized": 401,
    "werkzeug.exceptions.BadRequest": 400,
}

SERIALIZATION_TEXT = "could not serialize access due to concurrent update\n"


class OdooFault(Exception):
    """A call ended in an exception of the server; ``name`` is its dotted Python class."""

    def __init__(self, name: str, message: str, *, arguments: Sequence[Any] | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.arguments = list(arguments) if arguments is not None else [message]
        #: The field that the fault is about, where a ``load`` names it.
        self.field: str | None = None

    @property
    def status(self) -> int:
        """HTTP status that JSON-2 answers with."""
        return JSON2_STATUS.get(self.name, 500)

    @property
    def short_name(self) -> str:
        """The class without its package."""
        return self.name.rpartition(".")[2]

    def to_json2(self) -> dict[str, Any]:
        """Return the body of a JSON-2 error."""
        return {
            "name": self.name,
            "message": self.message,
            "arguments": self.arguments,
            "context": {},
            "debug": _traceback(self),
        }

    def to_json_rpc(self) -> dict[str, Any]:
        """Return the ``data`` member of a JSON-RPC error."""
        return {
            "name": self.name,
            "debug": _traceback(self),
            "message": self.message,
            "arguments": self.arguments,
            "context": {},
        }


def _traceback(fault: OdooFault) -> str:
    """Return the shape of a traceback: first line, cut, last line."""
    name = fault.name.removeprefix("builtins.")
    return f"Traceback (most recent call last):\n  ... (traceback cut) ...\n{name}: {fault.message}\n"


def user_error(message: str) -> OdooFault:
    """Return a ``UserError``: a rule of business."""
    return OdooFault("odoo.exceptions.UserError", message)


def validation_error(message: str) -> OdooFault:
    """Return a ``ValidationError``: a constraint."""
    return OdooFault("odoo.exceptions.ValidationError", message)


def value_error(message: str) -> OdooFault:
    """Return Python's ``ValueError``."""
    return OdooFault("builtins.ValueError", message)


def type_error(message: str) -> OdooFault:
    """Return Python's ``TypeError``."""
    return OdooFault("builtins.TypeError", message)


def attribute_error(message: str) -> OdooFault:
    """Return Python's ``AttributeError``."""
    return OdooFault("builtins.AttributeError", message)


def missing_error(model: str, record_id: int, *, uid: int) -> OdooFault:
    """Return a ``MissingError``: the record does not exist (any more)."""
    text = f"Record does not exist or has been deleted.\n(Record: {model}({record_id},), User: {uid})"
    return OdooFault("odoo.exceptions.MissingError", text)


def access_denied() -> OdooFault:
    """Return ``AccessDenied``: wrong password or key."""
    return OdooFault("odoo.exceptions.AccessDenied", "Access Denied")


def wrong_database(name: str) -> OdooFault:
    """Return what ``/jsonrpc`` answers for a database that does not exist."""
    text = (
        f'connection to server at "127.0.0.1", port 5432 failed: FATAL:  database "{name}" does not exist\n'
    )
    return OdooFault("psycopg2.OperationalError", text)


@dataclass(frozen=True)
class Dialect:
    """What differs in the wording of Odoo's versions; ``major`` is 16, 18 or 19."""

    major: int

    @property
    def version_text(self) -> str:
        """``server_version`` as the recorded server said it."""
        return {16: "16.0", 18: "18.0-20250421", 19: "19.0"}[self.major]

    @property
    def error_code(self) -> int:
        """``error.code`` of a JSON-RPC fault."""
        return 0 if self.major >= 19 else 200

    @property
    def tax_field(self) -> str:
        """The taxes of an order line."""
        return "tax_ids" if self.major >= 19 else "tax_id"

    @property
    def uom_field(self) -> str:
        """The unit of an order line."""
        return "product_uom_id" if self.major >= 19 else "product_uom"

    @property
    def has_technical_price(self) -> bool:
        """Whether an order line has ``technical_price_unit``."""
        return self.major >= 18

    def invalid_field(self, model: str, field: str, *, verb: str) -> OdooFault:
        """Return the fault for an unknown field; ``verb`` is read, create or write."""
        if self.major < 19:
            return value_error(f"Invalid field '{field}' on model '{model}'")
        if verb == "write":
            return OdooFault("builtins.KeyError", field)
        return value_error(f"Invalid field '{field}' {'in' if verb == 'create' else 'on'} '{model}'")

    def invalid_order_field(self, model: str, field: str) -> OdooFault:
        """Return the fault for sorting by an unknown field."""
        return value_error(f"Invalid field '{field}' on model '{model}'")

    def invalid_domain_field(self, model: str, leaf: tuple[Any, ...]) -> OdooFault:
        """Return the fault for an unknown field in a domain."""
        word = "condition" if self.major >= 19 else "leaf"
        return value_error(f"Invalid field {model}.{leaf[0]} in {word} {leaf!r}")

    def mandatory(self, model: str, title: str, field: str, label: str) -> OdooFault:
        """Return the fault for a required field that is not set."""
        if self.major >= 19:
            text = (
                f"The operation cannot be completed: Missing required value for the field '{label}' ({field}).\n"
                f"Model: '{title}' ({model})\n- create/update: a mandatory field is not set\n"
                "- delete: another model requires the record being deleted, you can archive it instead\n"
            )
        else:
            text = (
                "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n"
                "- Delete: another model requires the record being deleted. If possible, archive it instead.\n\n"
                f"Model: {title} ({model})\nField: {label} ({field})\n"
            )
        fault = validation_error(text)
        fault.field = field
        return fault

    def check_constraint(self, message: str) -> OdooFault:
        """Return the fault of an SQL constraint with a message of its own.

        The recorded 16.0 build answers ``KeyError: 'lang'`` there (``16/errors/missing-partner-name``).
        """
        if self.major < 18:
            return OdooFault("builtins.KeyError", "lang")
        return validation_error(f"The operation cannot be completed: {message}")

    def private_method(self, model: str, method: str) -> OdooFault:
        """Return the refusal of a method whose name begins with ``_``."""
        name = method if self.major < 18 else f"'{model}.{method}'"
        text = f"Private methods (such as {name}) cannot be called remotely."
        return OdooFault("odoo.exceptions.AccessError", text)

    def unknown_method(self, model: str, method: str) -> OdooFault:
        """Return the fault for a method that the model does not have."""
        if self.major < 18:
            return attribute_error(f"type object '{model}' has no attribute '{method}'")
        return attribute_error(f"The method '{model}.{method}' does not exist")

    def not_commands(self) -> OdooFault:
        """Return the fault for a one2many value that is not a list of commands."""
        if self.major < 18:
            return OdooFault("psycopg2.ProgrammingError", "can't adapt type 'dict'")
        return type_error("unhashable type: 'dict'")
