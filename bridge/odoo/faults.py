"""Odoo's faults, translated: which of our errors each one is, and what it says in plain words.

The kind of a fault is its Python class name; HTTP statuses say little (JSON-RPC answers 200 to nearly
everything, JSON-2 puts permanent mistakes and serialization failures alike under 500). Facts:
``recordings/odoo/FACTS.md`` sections 1 and 2, ``VERSION/errors``, ``VERSION/auth``.

Every error made here is *known not to have been committed*, except ``NoAnswer``: there the outcome is unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bridge.errors import (
    AccessMissing,
    BridgeError,
    CredentialsRefused,
    RecordMissing,
    ServiceRejected,
    ServiceUnavailable,
    SettingsWrong,
)
from bridge.wire import NoAnswer

#: Texts for people are cut at this length.
_LONGEST_TEXT = 400
_GROUP = re.compile(r"^\t- (.+?)\s*$", re.MULTILINE)
_FIELD = re.compile(r"Invalid field '?(?:[a-z0-9_.]+\.)?([A-Za-z0-9_]+)'? (?:on|in)\b")
_NO_DATABASE = re.compile(r'database ".*" does not exist', re.DOTALL)
_MODEL_UNKNOWN = re.compile(r"(?:Object \S+ doesn't exist|the model '\S+' does not exist)")
_METHOD_UNKNOWN = re.compile(r"(?:The method '\S+' does not exist|has no attribute '(\w+)')")
_LOAD_PREFIX = re.compile(r"^Unknown error during import: <class '[^']*'>: ")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")

#: Classes of faults after which PostgreSQL has rolled everything back and a repetition may succeed.
_ROLLED_BACK = frozenset(
    {"SerializationFailure", "DeadlockDetected", "TransactionRollbackError", "TransactionRollback"}
)
_LOCKED = frozenset({"LockError", "LockNotAvailable", "QueryCanceled", "QueryCanceledError"})
#: Classes of faults where the connection to the database broke: it may have been during the commit.
_DATABASE_BROKE = frozenset({"OperationalError", "InterfaceError", "AdminShutdown", "CrashShutdown"})


class Fault(Exception):
    """A fault as Odoo answered it. Never holds the traceback that came with it."""

    def __init__(self, name: str, text: str, *, status: int) -> None:
        super().__init__(name)
        #: Full name of the Python class, ``odoo.exceptions.UserError``.
        self.name = name
        self.text = text
        #: HTTP status of the answer.
        self.status = status

    @property
    def kind(self) -> str:
        """The class name without its module."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True)
class CallSite:
    """What was called, for the words of an error."""

    model: str
    method: str
    database: str
    #: The user's id, where one is logged in.
    uid: int | None = None


def is_serialization(text: str) -> bool:
    """Whether ``text`` says that PostgreSQL gave up on a conflict: nothing was kept, repeat.

    ``load`` gives it as a message and not as a fault (``idempotency/race-load-same-key-4-at-once``).
    """
    return "could not serialize access" in text or "deadlock detected" in text


def groups_in(text: str) -> tuple[str, ...]:
    """Return the groups that an access error names as allowed; the marks do not depend on the language."""
    return tuple(_GROUP.findall(text))


def plain(text: str) -> str:
    """Return what a fault says as one line for people.

    The first line, and, where that only announces a list, the lines that name model, field and constraint, else
    the next line. ``DETAIL`` lines are left out: they hold values of records.
    """
    lines = [_CONTROL.sub(" ", line).strip() for line in _LOAD_PREFIX.sub("", text).splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return "It gave no reason."
    said = lines[0]
    if said.endswith(":") and len(lines) > 1:
        named = [line for line in lines[1:] if line.startswith(("Model:", "Field:", "Constraint:"))]
        said = f"{said} {', '.join(named) or lines[1].lstrip('- ')}"
    if "Traceback (most recent call last)" in said:
        return "It gave no reason."
    return said if len(said) <= _LONGEST_TEXT else said[: _LONGEST_TEXT - 3] + "..."


def to_error(fault: Fault, site: CallSite) -> BridgeError:
    """Return the error of ours that ``fault`` is."""
    facts = {
        "system": "odoo",
        "status": fault.status,
        "fault": fault.name,
        "model": site.model,
        "method": site.method,
    }
    return (
        _of_credentials(fault, site, facts)
        or _of_database(fault, site, facts)
        or _of_call(fault, site, facts)
    )


def access_missing(text: str, **facts: Any) -> AccessMissing:
    """Return the error for an access error's ``text``, with the groups that would be enough."""
    groups = groups_in(text)
    hint = f" One of these groups is needed: {', '.join(groups)}." if groups else ""
    return AccessMissing(
        f"The bridge's Odoo user lacks a right. {plain(text)}{hint}", groups=groups, reason="access", **facts
    )


def serialization_failure(**facts: Any) -> ServiceUnavailable:
    """Return the error for a conflict that Odoo gave up on: nothing was kept."""
    return ServiceUnavailable(
        "Odoo was changing the same records at the same time and kept nothing of this call. It will be repeated.",
        reason="serialization",
        **facts,
    )


def wrong_database(database: str, **facts: Any) -> SettingsWrong:
    """Return the error for a database that the server does not have."""
    return SettingsWrong(
        f"This Odoo server has no database {database!r}. Correct the database's name in the settings.",
        reason="wrong_database",
        database=database,
        **facts,
    )


def credentials_refused(**facts: Any) -> CredentialsRefused:
    """Return the error for a key that Odoo does not take; Odoo does not say why."""
    return CredentialsRefused(
        "Odoo refused the login: the user, or the key, is wrong, or the key has expired. Make a new API key for "
        "the bridge's user in Odoo and set it.",
        **{"reason": "key", **facts},
    )


def _of_credentials(fault: Fault, site: CallSite, facts: dict[str, Any]) -> BridgeError | None:
    if fault.kind in {"AccessDenied", "Unauthorized"}:
        return credentials_refused(**facts)
    if fault.kind == "MissingError" and f"res.users({site.uid},), User: {site.uid})" in fault.text:
        # The user itself was deleted in Odoo (``auth/execute-kw-wrong-uid``).
        return credentials_refused(**{**facts, "reason": "user_gone"})
    if fault.kind == "AccessError":
        if "Private methods" in fault.text or site.method.startswith("_"):
            return ServiceRejected(
                f"Odoo does not let {site.method} of {site.model} be called from outside.",
                reason="private_method",
                **facts,
            )
        return access_missing(fault.text, **facts)
    return None


def _of_database(  # noqa: PLR0911 - one return a kind of fault
    fault: Fault, site: CallSite, facts: dict[str, Any]
) -> BridgeError | None:
    if fault.kind in _ROLLED_BACK or is_serialization(fault.text):
        return serialization_failure(**facts)
    if fault.kind in _LOCKED:
        return ServiceUnavailable(
            "Another transaction in Odoo holds the record. It will be tried again.", reason="locked", **facts
        )
    if fault.kind == "PoolError":
        return ServiceUnavailable("Odoo has no database connection free.", reason="pool", **facts)
    if fault.kind not in _DATABASE_BROKE:
        return None
    if _NO_DATABASE.search(fault.text):
        return wrong_database(site.database, **facts)
    if fault.text.startswith("connection to server"):
        return ServiceUnavailable("Odoo cannot reach its database.", reason="database", **facts)
    return NoAnswer(
        "Odoo lost its database during the call: it is not known whether the call took effect.",
        sent=True,
        reason="database",
        **facts,
    )


def _of_call(  # noqa: PLR0911 - one return a kind of fault
    fault: Fault, site: CallSite, facts: dict[str, Any]
) -> BridgeError:
    text = fault.text
    if fault.kind == "MissingError":
        return RecordMissing(
            f"Odoo has no such record any more: {plain(text)} ({site.model})", reason="missing", **facts
        )
    if _MODEL_UNKNOWN.fullmatch(text.strip()):
        return SettingsWrong(
            f"This Odoo does not know {site.model}: the app that brings it is not installed.",
            reason="unknown_model",
            **facts,
        )
    if fault.kind in {"AttributeError", "NotFound"} and _names_method(text, site.method):
        return ServiceRejected(
            f"This Odoo's {site.model} has no method {site.method}.", reason="unknown_method", **facts
        )
    if fault.kind == "KeyError" and text == "lang":
        # This build of 16 fails while it words the message of a constraint (``errors/unique-login``).
        return ServiceRejected(
            f"Odoo refused values for {site.model}: a required field is empty, or a value that must be unique is "
            "in use. This version of Odoo cannot say which.",
            reason="constraint",
            **facts,
        )
    if fault.kind == "ValueError" and text.startswith("External ID not found in the system"):
        return ServiceRejected("Odoo has no record under this external id.", reason="no_reference", **facts)
    field = _unknown_field(fault)
    if field is not None:
        return ServiceRejected(
            f"This Odoo's {site.model} has no field {field!r}.", reason="unknown_field", field=field, **facts
        )
    if fault.kind == "RequestEntityTooLarge":
        return ServiceRejected("The request is larger than Odoo takes.", reason="too_large", **facts)
    reason = {"ValidationError": "validation", "UserError": "user_error"}.get(fault.kind, "fault")
    return ServiceRejected(f"Odoo refused: {plain(text)}", reason=reason, **facts)


def _names_method(text: str, method: str) -> bool:
    found = _METHOD_UNKNOWN.search(text)
    return found is not None and method in found.group()


def _unknown_field(fault: Fault) -> str | None:
    if fault.kind == "KeyError" and re.fullmatch(r"[a-z][a-z0-9_]*", fault.text):
        # 19 names the field and nothing else (``errors/wrong-field-write``).
        return fault.text
    found = _FIELD.search(fault.text) if fault.kind == "ValueError" else None
    return found.group(1) if found else None
