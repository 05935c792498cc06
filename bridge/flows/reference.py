"""What rarely changes in Odoo: taxes, countries, states, languages, pricelists. Read once, believed for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from bridge.odoo import OdooClient
from bridge.odoo.profile import ServerProfile

#: How long reference data is believed.
BELIEVED_SECONDS = 600.0

T = TypeVar("T")


class ReferenceCache:
    """Reference data by instance; shared by the threads of a process."""

    def __init__(self, *, believed_seconds: float = BELIEVED_SECONDS) -> None:
        self._believed = believed_seconds
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, Any]] = {}

    def get(self, instance: str, name: str, read: Callable[[], T]) -> T:
        """Return ``name`` of ``instance``, read anew if it is older than believed."""
        key = (instance, name)
        with self._lock:
            known = self._known.get(key)
        if known is not None and time.monotonic() - known[0] < self._believed:
            value: T = known[1]
            return value
        fresh = read()
        with self._lock:
            self._known[key] = (time.monotonic(), fresh)
        return fresh

    def forget(self, instance: str) -> None:
        """Read everything of ``instance`` anew at the next use."""
        with self._lock:
            for key in [key for key in self._known if key[0] == instance]:
                del self._known[key]


class Reference:
    """Reference data of one instance, read with the client of the attempt that needs it first."""

    def __init__(self, cache: ReferenceCache, *, instance: str, odoo: OdooClient) -> None:
        self._cache = cache
        self._instance = instance
        self._odoo = odoo

    @property
    def profile(self) -> ServerProfile:
        """The server's version, company, rounding method and precisions."""
        return self._odoo.profile()

    def taxes(self, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Return the taxes ``ids`` by id; one that was deleted is missing."""
        wanted = tuple(sorted(set(ids)))
        if not wanted:
            return {}
        rows = self._get(
            f"taxes:{wanted}",
            lambda: self._odoo.read(
                "account.tax",
                wanted,
                ["name", "amount", "amount_type", "price_include", "type_tax_use", "active"],
            ),
        )
        return {int(row["id"]): row for row in rows}

    def countries(self) -> dict[str, int]:
        """Return the ids of countries by ISO code."""
        rows = self._get("countries", lambda: self._odoo.search_read("res.country", [], ["code"]))
        return {str(row["code"]).upper(): int(row["id"]) for row in rows if row["code"]}

    def states(self) -> dict[tuple[str, str], int]:
        """Return the ids of states by (country code, state code)."""
        rows = self._get(
            "states", lambda: self._odoo.search_read("res.country.state", [], ["code", "country_id"])
        )
        codes = {id_: code for code, id_ in self.countries().items()}
        return {
            (codes[int(row["country_id"][0])], str(row["code"]).upper()): int(row["id"])
            for row in rows
            if row["country_id"] and int(row["country_id"][0]) in codes
        }

    def languages(self) -> frozenset[str]:
        """Return the codes of the installed languages."""
        rows = self._get("languages", lambda: self._odoo.search_read("res.lang", [], ["code"]))
        return frozenset(str(row["code"]) for row in rows)

    def pricelists(self) -> list[dict[str, Any]]:
        """Return id, name, currency and company of the pricelists, oldest first."""
        return self._get(
            "pricelists",
            lambda: self._odoo.search_read(
                "product.pricelist", [], ["name", "currency_id", "company_id"], order="id"
            ),
        )

    def currency(self, code: str) -> tuple[int, Decimal] | None:
        """Return id and rounding step of the active currency ``code``."""
        rows = self._get(
            f"currency:{code}",
            lambda: self._odoo.search_read("res.currency", [["name", "=", code]], ["rounding"], limit=1),
        )
        return (int(rows[0]["id"]), Decimal(str(rows[0]["rounding"]))) if rows else None

    def note_subtype(self) -> int:
        """Return the id of the subtype of internal notes."""
        found = self._get("note", lambda: self._odoo.check_reference("mail", "mt_note"))
        return found[1] if found is not None else 0

    def _get(self, name: str, read: Callable[[], T]) -> T:
        return self._cache.get(self._instance, name, read)
