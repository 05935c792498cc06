"""The client of one Odoo database: JSON-2 for 19 and later, JSON-RPC for 16 to 18, by the server's own version."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from bridge.errors import AccessMissing, ServiceRejected
from bridge.odoo.calls import Caller
from bridge.odoo.load import LoadRequest, LoadResult, read_load_answer
from bridge.odoo.preview import Totals, preview_call, read_preview
from bridge.odoo.profile import ServerProfile, read_profile
from bridge.odoo.protocols import Account, MethodCall
from bridge.odoo.session import Session
from bridge.odoo.versions import Names, OdooVersion, names_of
from bridge.wire import Recorder, Wire

#: How long a profile is believed before it is read again: an operator may change rounding or precision.
PROFILE_SECONDS = 900.0

Domain = Sequence[Any]
Context = Mapping[str, Any]


class OdooClient:
    """Calls methods of one Odoo database as one user. Safe to share between threads.

    Every error is known not to have been committed in Odoo, except ``bridge.wire.NoAnswer`` with ``sent=True``:
    then the call may have taken effect, or may be running still. Nothing is repeated here.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @classmethod
    def connect(
        cls,
        *,
        url: str,
        db: str,
        user: str,
        key: SecretStr | str,
        verify_ssl: bool = True,
        deadline_seconds: float = 30.0,
    ) -> OdooClient:
        """Return a client; nothing is sent yet."""
        secret = (key.get_secret_value() if isinstance(key, SecretStr) else key).strip()
        wire = Wire(
            system="odoo",
            base_url=url,
            verify_ssl=verify_ssl,
            secrets=secrets_of(secret),
            deadline_seconds=deadline_seconds,
        )
        return cls.over(wire, account=Account(url=wire.base_url, database=db, user=user, key=secret))

    @classmethod
    def over(cls, wire: Wire, *, account: Account, session: Session | None = None) -> OdooClient:
        """Return a client that calls as ``account`` over ``wire``."""
        return cls(Caller(wire, account=account, session=session or Session()))

    def close(self) -> None:
        """Close the connections, of all copies."""
        self._caller.wire.close()

    def recording(self, record: Recorder) -> OdooClient:
        """Return a copy that gives each exchange to ``record``; connections and what was learned are shared."""
        return OdooClient(self._caller.recording(record))

    def within(self, deadline_seconds: float) -> OdooClient:
        """Return a copy whose every request ends within ``deadline_seconds``."""
        return OdooClient(self._caller.within(deadline_seconds))

    @property
    def version(self) -> OdooVersion:
        """The server's version, asked for once and without a login.

        Raises:
            SettingsWrong: what answers is not Odoo, or an Odoo older than 16.
        """
        return self._caller.version

    @property
    def names(self) -> Names:
        """The names that differ between versions, for this server."""
        return names_of(self.version)

    def login(self) -> int:
        """Return the id of the bridge's user; asked for once.

        Raises:
            CredentialsRefused: the user or the key is wrong, or the key has expired: Odoo does not say which.
            SettingsWrong: there is no such database (``reason="wrong_database"``).
        """
        return self._caller.login()

    def search(
        self,
        model: str,
        domain: Domain,
        *,
        limit: int | None = None,
        offset: int | None = None,
        order: str | None = None,
        context: Context | None = None,
    ) -> list[int]:
        """Return the ids of the records that match ``domain``."""
        call = MethodCall(
            model=model,
            method="search",
            arguments={"domain": list(domain)},
            options=_given(offset=offset, limit=limit, order=order),
            context=context,
        )
        return [int(one) for one in self._caller.rows(call)]

    def search_read(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int | None = None,
        offset: int | None = None,
        order: str | None = None,
        context: Context | None = None,
    ) -> list[dict[str, Any]]:
        """Return ``fields`` of the records that match ``domain``; a null is ``False``, a fraction a Decimal."""
        call = MethodCall(
            model=model,
            method="search_read",
            arguments={"domain": list(domain), "fields": list(fields)},
            options=_given(offset=offset, limit=limit, order=order),
            context=context,
        )
        return self._caller.rows(call)

    def search_count(self, model: str, domain: Domain, *, context: Context | None = None) -> int:
        """Return how many records match ``domain``."""
        arguments = {"domain": list(domain)}
        return int(
            self._caller.run(
                MethodCall(model=model, method="search_count", arguments=arguments, context=context)
            )
        )

    def read(
        self, model: str, ids: Sequence[int], fields: Sequence[str], *, context: Context | None = None
    ) -> list[dict[str, Any]]:
        """Return ``fields`` of the records ``ids``. The row of a deleted record is missing, without an error."""
        if not ids:
            return []
        arguments = {"fields": list(fields)}
        return self._caller.rows(
            MethodCall(model=model, method="read", ids=ids, arguments=arguments, context=context)
        )

    def write(
        self, model: str, ids: Sequence[int], values: Mapping[str, Any], *, context: Context | None = None
    ) -> None:
        """Write ``values`` to the records ``ids``.

        16 answers a write to a deleted record as if it were done (``errors/missing-write``): read it back.

        Raises:
            RecordMissing: a record was deleted (18 and later).
        """
        if not ids:
            return
        arguments = {"vals": dict(values)}
        self._caller.run(
            MethodCall(model=model, method="write", ids=ids, arguments=arguments, context=context)
        )

    def call(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None = None,
        args: Mapping[str, Any] | None = None,
        *,
        named: Mapping[str, Any] | None = None,
        context: Context | None = None,
    ) -> Any:
        """Call any method and return its result; None where the method returns nothing.

        Args:
            model: The model's dotted name.
            method: A public method.
            ids: The records it runs on; None for a method of the model itself.
            args: Named arguments in the order of the method's signature: JSON-RPC sends them by position.
            named: Arguments that JSON-RPC must send by name too, such as those of ``message_post``.
            context: Odoo's context.
        """
        return self._caller.run(
            MethodCall(
                model=model,
                method=method,
                ids=ids,
                arguments=args or {},
                options=named or {},
                context=context,
            )
        )

    def load(
        self, model: str, fields: Sequence[str], rows: Sequence[Sequence[str]], *, create_only: bool = True
    ) -> LoadResult:
        """Create records under external ids, if they are not there yet, in one transaction (see ``bridge.odoo.load``).

        Raises:
            TypeError: a cell is not a text.
            ServiceUnavailable: a race was lost (``reason="serialization"``); nothing was kept.
            ServiceRejected: rows cannot be stored; nothing was kept; ``details["messages"]`` says why.
        """
        request = LoadRequest(
            model=model, fields=tuple(fields), rows=tuple(tuple(row) for row in rows), create_only=create_only
        )
        return self.send_load(request)

    def send_load(self, request: LoadRequest) -> LoadResult:
        """Send a ``load`` that was made before: after a doubt, the stored one, unchanged. Raises as ``load``."""
        call = MethodCall(
            model=request.model,
            method="load",
            arguments={"fields": list(request.fields), "data": [list(row) for row in request.rows]},
            context=request.context,
        )
        return read_load_answer(self._caller.run(call), self._caller.site(call))

    def load_one(
        self, model: str, fields: Sequence[str], rows: Sequence[Sequence[str]], *, create_only: bool = True
    ) -> int:
        """``load`` one record, with its lines, and return its id."""
        ids = self.load(model, fields, rows, create_only=create_only).ids
        if len(ids) != 1:
            raise ServiceRejected(
                f"Odoo made {len(ids)} records of {model} where one was sent.",
                system="odoo",
                model=model,
                method="load",
                reason="unexpected_answer",
            )
        return ids[0]

    def preview_order(self, head: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Totals:
        """Return the totals that Odoo would give an order, without writing it (see ``bridge.odoo.preview``).

        Args:
            head: ``partner_id``, ``pricelist_id`` (it decides the currency), ``fiscal_position_id``.
            lines: For each line product, quantity, price, discount and taxes
                (``{names.order_line_tax: [[6, 0, ids]]}``, an empty list for no tax).
        """
        return read_preview(self._caller.run(preview_call(self.version, head, lines)))

    def check_reference(self, module: str, name: str) -> tuple[str, int] | None:
        """Look an external id up: the model and id of its record, or None if there is none.

        On 19 a replica may answer: after a doubt "none" counts only when two look-ups 10 s apart agree (RULES 2.1).

        Raises:
            AccessMissing: there is a record, and the user may not read it.
        """
        found = self._look_up(module, name, context=None)
        if found is not None and not found[1]:
            # Odoo searches the record as the user and answers no id when it is archived or hidden (source).
            found = self._look_up(module, name, context={"active_test": False})
        if found is None:
            return None
        model, record_id = found
        if not record_id:
            raise AccessMissing(
                f"The bridge's Odoo user may not read a record of {model} that the bridge made.",
                system="odoo",
                model=model,
                reason="access",
                groups=(),
            )
        return model, record_id

    def external_ids(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        """Return an external id of each record that has one; any user may ask, for records of any model."""
        if not ids:
            return {}
        answer = self.call(model, "get_external_id", list(ids))
        return {int(record_id): str(name) for record_id, name in dict(answer).items() if name}

    def profile(self, *, max_age_seconds: float = PROFILE_SECONDS) -> ServerProfile:
        """Return what must be known of this database (see ``bridge.odoo.profile``), read at most so long ago."""
        session = self._caller.session
        with session.profile_lock:
            known = session.profile
            if known is not None and time.monotonic() - known[1] < max_age_seconds:
                profile: ServerProfile = known[0]
                return profile
            profile = read_profile(
                self.version,
                self.login(),
                read=self.read,
                describe=self._describe,
                attempt=lambda model: self.search(model, [], limit=1),
            )
            session.profile = (profile, time.monotonic())
            return profile

    def _look_up(self, module: str, name: str, *, context: Context | None) -> tuple[str, int] | None:
        call = MethodCall(
            model="ir.model.data",
            method="check_object_reference",
            arguments={"module": module, "xml_id": name},
            context=context,
        )
        try:
            model, record_id = self._caller.rows(call)
        except ServiceRejected as error:
            if error.details.get("reason") == "no_reference":
                return None
            raise
        return str(model), int(record_id)

    def has_field(self, model: str, name: str) -> bool:
        """Return whether a model has a field, as the apps that are installed make it."""
        return name in self._describe(model, [name], ["type"])

    def _describe(
        self, model: str, fields: Sequence[str], attributes: Sequence[str]
    ) -> Mapping[str, Mapping[str, Any]]:
        options = {"allfields": list(fields), "attributes": list(attributes)}
        described = self.call(model, "fields_get", named=options)
        return described if isinstance(described, Mapping) else {}


def secrets_of(key: str) -> tuple[str, ...]:
    """Return every form in which ``key`` can stand in a request: JSON-RPC carries it in the body, escaped."""
    return tuple(
        sorted({key, json.dumps(key)[1:-1], json.dumps(key, ensure_ascii=False)[1:-1]}, key=len, reverse=True)
    )


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
