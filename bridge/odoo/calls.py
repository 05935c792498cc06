"""Runs one call after the other against one Odoo, in the protocol of its version; each becomes an exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.errors import BridgeError, CredentialsRefused, ServiceRejected
from bridge.odoo.faults import CallSite, Fault, to_error
from bridge.odoo.protocols import JSON2, JSONRPC, Account, MethodCall, Send
from bridge.odoo.session import Session, find_version, not_sent
from bridge.odoo.versions import OdooVersion
from bridge.wire import Answer, Exchange, NoAnswer, Recorder, Wire

#: Reasons that say that the server is no longer what it was: learn its version anew.
_OUTDATED = frozenset({"unknown_field", "unknown_method", "not_odoo"})


class Caller:
    """Runs calls as one user. Safe to share between threads; nothing is repeated here."""

    def __init__(
        self,
        wire: Wire,
        *,
        account: Account,
        session: Session,
        record: Recorder | None = None,
        deadline_seconds: float | None = None,
    ) -> None:
        self.wire = wire
        self.session = session
        self.account = account
        self._record = record
        self._deadline_seconds = deadline_seconds

    def recording(self, record: Recorder) -> Caller:
        """Return a copy that gives each exchange to ``record``."""
        return self._copy(record, self._deadline_seconds)

    def within(self, deadline_seconds: float) -> Caller:
        """Return a copy whose every request ends within ``deadline_seconds``."""
        return self._copy(self._record, deadline_seconds)

    @property
    def version(self) -> OdooVersion:
        """The server's version, asked for once and without a login.

        Raises:
            SettingsWrong: what answers is not Odoo, or an Odoo older than 16.
        """
        return self.session.learn_version(lambda: find_version(self._send, self.account.url))

    def login(self) -> int:
        """Return the id of the bridge's user; asked for once.

        Raises:
            CredentialsRefused: the user or the key is wrong, or the key has expired: Odoo does not say which.
            SettingsWrong: there is no such database (``reason="wrong_database"``).
        """
        return self.session.learn_uid(self._find_uid)

    def run(self, call: MethodCall) -> Any:
        """Run ``call`` and return its result; None where the method returns nothing."""
        try:
            return self._try(call)
        except BridgeError as error:
            if isinstance(error, CredentialsRefused) or error.details.get("reason") in _OUTDATED:
                self.session.forget()
            raise

    def rows(self, call: MethodCall) -> list[Any]:
        """Run ``call``, whose result must be a list."""
        rows = self.run(call)
        if not isinstance(rows, list):
            raise ServiceRejected(
                f"Odoo answered {call.method} of {call.model} with something that is not a list.",
                system="odoo",
                model=call.model,
                method=call.method,
                reason="unexpected_answer",
            )
        return rows

    def site(self, call: MethodCall) -> CallSite:
        """Return what a fault's translation must know of ``call``."""
        return CallSite(
            model=call.model, method=call.method, database=self.account.database, uid=self.session.uid
        )

    def _copy(self, record: Recorder | None, deadline_seconds: float | None) -> Caller:
        return Caller(
            self.wire,
            account=self.account,
            session=self.session,
            record=record,
            deadline_seconds=deadline_seconds,
        )

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        return self._sender(self._record)(method, path, headers, body)

    def _sender(self, record: Recorder | None) -> Send:
        def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
            return self.wire.request(
                method,
                path,
                headers=headers,
                body=body,
                deadline_seconds=self._deadline_seconds,
                record=record,
            )

        return send

    def _note(self, exchange: Exchange) -> None:
        if self._record is not None:
            self._record(exchange)

    def _speaker(self) -> JSONRPC | JSON2:
        return JSON2() if self.version.protocol == "json2" else JSONRPC()

    def _find_uid(self) -> int:
        try:
            return self._speaker().login(self._send, self.account)
        except Fault as fault:
            raise to_error(fault, self.site(MethodCall(model="res.users", method="authenticate"))) from None

    def _prepare(self) -> tuple[JSONRPC | JSON2, int | None]:
        try:
            speaker = self._speaker()
            return speaker, self.login() if speaker.needs_uid else None
        except NoAnswer as lost:
            raise not_sent(lost) from lost

    def _try(self, call: MethodCall) -> Any:
        speaker, uid = self._prepare()
        # JSON-RPC has one address for all calls and answers 200 to what it refuses: neither says what happened.
        made: list[Exchange] = []
        refusal: str | None = None
        try:
            return speaker.call(self._sender(self._record and made.append), self.account, uid, call)
        except Fault as fault:
            refusal = f"Odoo refused: {fault.kind}"
            raise to_error(fault, self.site(call)) from None
        finally:
            for one in made:
                self._note(replace(one, operation=f"{call.model}.{call.method}", error=one.error or refusal))
