"""The two ways to call a method of Odoo: JSON-RPC (16 to 18) and JSON-2 (19 and later).

Both send one call, one transaction, and give back its bare result; a refusal is raised as a ``Fault``, which the
client translates. Facts: ``recordings/odoo/FACTS.md`` sections 1 and 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bridge.errors import CredentialsRefused, ServiceRejected, SettingsWrong
from bridge.odoo.faults import Fault, credentials_refused, wrong_database
from bridge.odoo.http import JSON_HEADERS, NOT_JSON, error_of_status, json_of
from bridge.odoo.values import encode
from bridge.wire import Answer

#: Sends one request: method, path, headers, body.
Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose calls they are."""

    url: str
    database: str
    user: str
    #: API key (or, up to 18, the password).
    key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class MethodCall:
    """One call of a method of a model."""

    model: str
    method: str
    #: The records it runs on; None for a method of the model itself (``search``, ``load``).
    ids: Sequence[int] | None = None
    #: Named arguments in the order of the method's signature.
    arguments: Mapping[str, Any] = field(default_factory=dict)
    #: Named arguments that JSON-RPC sends by name: ``limit``, ``order``.
    options: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] | None = None


class Speaker(Protocol):
    """One of the two protocols."""

    def login(self, send: Send, account: Account) -> int:
        """Return the user's id, or raise ``CredentialsRefused``."""

    def call(self, send: Send, account: Account, uid: int | None, call: MethodCall) -> Any:
        """Run ``call`` and return its result, or raise ``Fault``."""


class JSONRPC:
    """``POST /jsonrpc``: the key goes in the body of each call, so the wire must know it to mask it."""

    #: Whether ``call`` needs the user's id.
    needs_uid = True

    def login(self, send: Send, account: Account) -> int:
        """Return the user's id by ``common.authenticate``, which answers ``false`` to wrong credentials."""
        uid = self._send(
            send, account, "common", "authenticate", [account.database, account.user, account.key, {}]
        )
        if not isinstance(uid, int) or isinstance(uid, bool) or uid <= 0:
            raise credentials_refused(system="odoo", status=200)
        return uid

    def call(self, send: Send, account: Account, uid: int | None, call: MethodCall) -> Any:
        """Run ``call`` by ``object.execute_kw``."""
        positional: list[Any] = [] if call.ids is None else [list(call.ids)]
        positional += call.arguments.values()
        named: dict[str, Any] = dict(call.options)
        if call.context is not None:
            named["context"] = call.context
        arguments = [account.database, uid, account.key, call.model, call.method, positional, named]
        return self._send(send, account, "object", "execute_kw", arguments, spoken=call.arguments)

    def _send(
        self,
        send: Send,
        account: Account,
        service: str,
        method: str,
        arguments: list[Any],
        *,
        spoken: Mapping[str, Any] | None = None,
    ) -> Any:
        payload = {
            "jsonrpc": "2.0",
            "method": "call",
            "params": {"service": service, "method": method, "args": arguments},
            "id": 1,
        }
        answer = send("POST", "/jsonrpc", JSON_HEADERS, encode(payload, arguments=spoken))
        document = json_of(answer)
        if not isinstance(document, Mapping) or "jsonrpc" not in document:
            raise error_of_status(answer, account.url)
        error = document.get("error")
        if error is None:
            # Neither result nor error: the method returned None, and its work is done.
            return document.get("result")
        raise _rpc_fault(error, answer.status)


class JSON2:
    """``POST /json/2/MODEL/METHOD``: arguments by name, the key in a header, the bare result as answer."""

    #: Whether ``call`` needs the user's id.
    needs_uid = False

    def login(self, send: Send, account: Account) -> int:
        """Return the id of the user whose key it is."""
        context = self.call(send, account, None, MethodCall(model="res.users", method="context_get"))
        uid = context.get("uid") if isinstance(context, Mapping) else None
        if not isinstance(uid, int):
            raise credentials_refused(system="odoo", status=200)
        return uid

    def call(self, send: Send, account: Account, uid: int | None, call: MethodCall) -> Any:  # noqa: ARG002
        """Run ``call``; an empty ``ids`` is left out, as the recorded ``onchange`` does."""
        body: dict[str, Any] = {"ids": list(call.ids)} if call.ids else {}
        body |= call.arguments
        body |= call.options
        if call.context is not None:
            body["context"] = call.context
        headers = {
            **JSON_HEADERS,
            "Authorization": f"bearer {_header_text(account.key, _key_unusable)}",
            "X-Odoo-Database": _header_text(
                account.database, lambda: wrong_database(account.database, system="odoo")
            ),
        }
        answer = send("POST", f"/json/2/{call.model}/{call.method}", headers, encode(body))
        document = json_of(answer)
        if answer.status == 200 and document is not NOT_JSON:
            return document
        if isinstance(document, Mapping) and isinstance(document.get("name"), str):
            raise Fault(document["name"], str(document.get("message", "")), status=answer.status)
        if answer.status == 404 and b"No database is selected" in answer.body:
            raise wrong_database(account.database, system="odoo", status=404)
        raise error_of_status(answer, account.url)


def _rpc_fault(error: Any, status: int) -> Fault | ServiceRejected:
    data = error.get("data") if isinstance(error, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str):
        return ServiceRejected("Odoo refused the call and gave no reason.", system="odoo", status=status)
    return Fault(data["name"], str(data.get("message", "")), status=status)


def _header_text(text: str, unusable: Callable[[], CredentialsRefused | SettingsWrong]) -> str:
    if not text.isascii() or not text.isprintable():
        raise unusable()
    return text


def _key_unusable() -> CredentialsRefused:
    return credentials_refused(system="odoo", reason="key_form")
