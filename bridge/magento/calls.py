"""Calls of one Magento's REST API: signed, within a store view, paged, and refusals told apart."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from bridge.errors import ServiceRejected, SettingsWrong
from bridge.magento import faults, scan
from bridge.magento.auth import Bearer
from bridge.magento.encoding import Body, json_bytes
from bridge.magento.probe import (
    PROBED,
    PROBED_FOR_BULK,
    PROBED_FOR_CATALOG,
    Probe,
    Resource,
    State,
    probe_query,
)
from bridge.magento.rows import FirstPage, read_rows
from bridge.magento.scan import ScanCursor, ScanPage
from bridge.magento.search import Filter, search_query
from bridge.wire import Answer, Recorder, Wire

#: A diagnosis of a refusal is believed for so long, so that a hundred refused jobs do not each probe.
_DIAGNOSIS_SECONDS = 30.0
_STORE_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class _Shared:
    """What copies of a client share: the last diagnosis, and the page size that the shop allows."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.probe: Probe | None = None
        self.probed_at = 0.0
        self.max_page_size: int | None = None


class Calls:
    """Sends calls and reads answers. Safe to share between threads.

    Every call may raise ``bridge.wire.NoAnswer`` and the errors of ``bridge.magento.faults``. A write that was
    sent and whose outcome is unknown raises ``NoAnswer`` with ``sent`` true.
    """

    def __init__(self, wire: Wire, *, auth: httpx.Auth, store_code: str = "all") -> None:
        self._wire = wire
        self._auth = auth
        self._store_code = _checked(store_code)
        self._record: Recorder | None = None
        self._shared = _Shared()

    def recording(self, record: Recorder) -> Self:
        """Return a copy that shares everything and hands each exchange to ``record``."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy._record = record
        return copy

    def in_store(self, store_code: str) -> Self:
        """Return a copy that shares everything and speaks with the store view ``store_code``; ``all`` is none of them."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy._store_code = _checked(store_code)
        return copy

    def close(self) -> None:
        """Close the connection pool, that of all copies."""
        self._wire.close()

    def get(self, path: str, *, query: str = "") -> Any:
        """Return the value at ``path`` (behind ``/rest/STORE/V1``); numbers with a fraction as Decimal."""
        return faults.read_json(self._call("GET", path, query=query), method="GET")

    def page(
        self,
        path: str,
        filters: Sequence[Filter | Sequence[Filter]] = (),
        *,
        sort: Sequence[str],
        page_size: int,
        fields: str | None = None,
    ) -> FirstPage:
        """Return the first page of the list at ``path``, sorted ascending; smaller where the shop allows no more."""
        size = min(page_size, self._shared.max_page_size or page_size)
        query = search_query(filters, page_size=size, sort=sort, fields=fields)
        try:
            answer = self._call("GET", path, query=query)
        except ServiceRejected as exc:
            maximum = int(exc.details.get("maximum", 0))
            if exc.details.get("reason") != "page_size" or not 0 < maximum < size:
                raise
            self._shared.max_page_size = maximum
            return self.page(path, filters, sort=sort, page_size=page_size, fields=fields)
        rows, total = read_rows(faults.read_json(answer, method="GET"))
        now = faults.server_time(answer) or datetime.now(UTC)
        return FirstPage(rows=rows, total=total, size=size, server_now=now)

    def scan_list(self, path: str, cursor: ScanCursor, *, fields: str, page_size: int) -> ScanPage:
        """Return the page that ``cursor`` stands before in the list at ``path``, by change (RULES 5.1)."""
        page = self.page(path, cursor.filters, sort=cursor.sort, page_size=page_size, fields=fields)
        # Customers and products are filtered by ``entity_id`` and answer it as ``id``.
        keyed = [row if "entity_id" in row else {**row, "entity_id": row.get("id")} for row in page.rows]
        return scan.next_page(
            cursor, keyed, total=page.total, page_size=page.size, server_now=page.server_now
        )

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send ``body`` and return the answer's value."""
        return faults.read_json(self._call("POST", path, body=body), method="POST")

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send ``body`` and return the answer's value."""
        return faults.read_json(self._call("PUT", path, body=body), method="PUT")

    def post_bulk(self, path: str, operations: Sequence[Mapping[str, Any]]) -> Any:
        """Hand ``operations`` to Magento's queue and return what it says of them; nothing is done yet."""
        answer = self._call("POST", path, body=operations, area="async/bulk/V1")
        return faults.read_json(answer, method="POST")

    def _call(
        self, method: str, path: str, *, query: str = "", body: Body | None = None, area: str = "V1"
    ) -> Answer:
        answer = self._send(method, path, query=query, body=body, area=area)
        if 200 <= answer.status < 300:
            return answer
        error = faults.error_of(answer, method=method)
        if isinstance(error, faults.NotAuthorized):
            raise self._diagnose(error) from error
        raise error

    def _send(
        self, method: str, path: str, *, query: str = "", body: Body | None = None, area: str = "V1"
    ) -> Answer:
        return self._wire.request(
            method,
            f"/rest/{self._store_code}/{area}{path}",
            query=query,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=None if body is None else json_bytes(body),
            auth=self._auth,
            record=self._record,
        )

    def probe(self, *, catalog: bool = False, bulk: bool = False) -> Probe:
        """Return which resources the credentials open, those of the ``catalog`` and of ``bulk`` calls too. One small call each.

        Raises:
            CredentialsRefused: Magento names what is wrong with the credentials.
        """
        found = [
            Resource(name=name, title=title, state=self._state_of(path, probe_query(fields)))
            for name, title, path, fields in (
                *PROBED,
                *(PROBED_FOR_CATALOG if catalog else ()),
                *(PROBED_FOR_BULK if bulk else ()),
            )
        ]
        return Probe(resources=found, uses_bearer=isinstance(self._auth, Bearer))

    def _state_of(self, path: str, query: str) -> State:
        answer = self._send("GET", path, query=query)
        if 200 <= answer.status < 300:
            faults.read_json(answer, method="GET")
            return "allowed"
        error = faults.error_of(answer, method="GET")
        if isinstance(error, faults.NotAuthorized):
            return "refused"
        if error.details.get("reason") == "route":
            return "absent"
        raise error

    def _diagnose(self, refusal: faults.NotAuthorized) -> Exception:
        """Return what the refusal of one resource really means."""
        with self._shared.lock:
            age = time.monotonic() - self._shared.probed_at
            if self._shared.probe is None or age > _DIAGNOSIS_SECONDS:
                self._shared.probe, self._shared.probed_at = self.probe(), time.monotonic()
            probe = self._shared.probe
        return probe.error(refusal.details.get("resource")) or refusal


def _checked(store_code: str) -> str:
    if not _STORE_CODE.fullmatch(store_code):
        raise SettingsWrong(
            "store_code is the code of a store view: letters, digits and underscores, or all.",
            system="magento",
            reason="store_code",
        )
    return store_code
