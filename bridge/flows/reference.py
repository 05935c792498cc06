"""What rarely changes in Odoo and in Magento's configuration. Read once, believed for a while.

What is missing is never believed: whoever adds a currency or a pricelist in Odoo need not wait for the next order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from bridge.errors import (
    AccessMissing,
    CredentialsRefused,
    InvalidRecord,
    RecordMissing,
    ServiceRejected,
    SettingsWrong,
)
from bridge.magento import MagentoClient
from bridge.magento.stocks import Layout, layout
from bridge.magento.stores import StoreConfig
from bridge.odoo import OdooClient
from bridge.odoo.profile import ServerProfile
from bridge.translate.product_plan import WeightUnit

#: How long reference data is believed.
BELIEVED_SECONDS = 600.0

#: The language that Odoo keeps texts in when none is said.
_SOURCE_LANGUAGE = "en_US"

_ROWS_AT_ONCE = "rows_at_once"
_LACKS_MOST = "lacks_most"

T = TypeVar("T")


class ReferenceCache:
    """Reference data by instance; shared by the threads of a process."""

    def __init__(self, *, believed_seconds: float = BELIEVED_SECONDS) -> None:
        self._believed = believed_seconds
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, Any]] = {}

    def get(
        self,
        instance: str,
        name: str,
        read: Callable[[], T],
        *,
        is_enough: Callable[[T], bool] = lambda _: True,
    ) -> T:
        """Return ``name`` of ``instance``, read anew if it is older than believed, or not enough."""
        key = (instance, name)
        with self._lock:
            known = self._known.get(key)
        if known is not None and time.monotonic() - known[0] < self._believed and is_enough(known[1]):
            value: T = known[1]
            return value
        # From before the question: what changes while it is read may be missing in the answer.
        asked_at = time.monotonic()
        fresh = read()
        with self._lock:
            self._known[key] = (asked_at, fresh)
        return fresh

    def forget(self, instance: str, *, older_than_seconds: float = 0.0) -> None:
        """Read what is older of ``instance`` anew at the next use."""
        oldest = time.monotonic() - older_than_seconds
        with self._lock:
            for key, (read_at, _) in list(self._known.items()):
                if key[0] == instance and read_at <= oldest:
                    del self._known[key]


class Reference:
    """Reference data of one instance, read with the clients of the attempt that needs it first."""

    def __init__(
        self, cache: ReferenceCache, *, instance: str, odoo: OdooClient, magento: Callable[[], MagentoClient]
    ) -> None:
        self._cache = cache
        self._instance = instance
        self._odoo = odoo
        self._magento = magento

    @property
    def profile(self) -> ServerProfile:
        """The server's version, company, rounding method and precisions."""
        return self._odoo.profile()

    @property
    def may_use_stock(self) -> bool:
        """Whether Inventory is there and the bridge's user may use it."""
        return self.profile.apps.get("stock") == "usable"

    def has_cost_method(self) -> bool:
        """Return whether products say how Odoo works out their cost: with Inventory's valuation installed."""
        return self._get("cost_method", lambda: self._odoo.has_field("product.product", "cost_method"))

    def taxes(self, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Return the taxes ``ids`` by id; one that was deleted is missing."""
        wanted = tuple(sorted(set(ids)))
        if not wanted:
            return {}
        fields = ["name", "amount", "amount_type", "price_include", "type_tax_use", "active"]
        rows = self._cache.get(
            self._instance,
            f"taxes:{wanted}",
            lambda: self._odoo.read("account.tax", wanted, fields),
            is_enough=lambda found: len(found) == len(wanted),
        )
        return {int(row["id"]): row for row in rows}

    def countries(self) -> dict[str, int]:
        """Return the ids of countries by ISO code."""
        return self._get("countries", self._read_countries)

    def states(self) -> dict[tuple[str, str], int]:
        """Return the ids of states by (country code, state code) and by (country code, name), upper case."""
        return self._get("states", self._read_states)

    def language(self, store_id: int) -> str | None:
        """Return the language of a store view, as far as Odoo has it installed: ``de_DE``, or ``de_AT`` for it."""
        locale = self._store_locales().get(store_id)
        if locale is None:
            return None
        rows = self._get("languages", lambda: self._odoo.search_read("res.lang", [], ["code"]))
        installed = sorted(str(row["code"]) for row in rows)
        spoken = locale.partition("_")[0]
        near = [code for code in installed if code.partition("_")[0] == spoken]
        return locale if locale in installed else next(iter(near), None)

    def store_languages(self) -> dict[str, str]:
        """Return the code of the store view that speaks for each language of Odoo besides that of its source texts.

        A view of exactly this locale goes before one of a near locale (de_AT where Odoo has only de_DE), else the oldest.
        """
        found: dict[str, tuple[bool, str]] = {}
        for view in sorted(self._store_configs(), key=lambda one: one.id):
            language = self.language(view.id)
            if language is None or language == _SOURCE_LANGUAGE or not view.code:
                continue
            is_exact = view.locale == language
            if language not in found or (is_exact and not found[language][0]):
                found[language] = (is_exact, view.code)
        return {language: code for language, (_, code) in found.items()}

    def store_configs(self) -> list[StoreConfig]:
        """Return what each store view works with; none where they cannot be read."""
        return self._store_configs()

    def magento_weight_unit(self) -> WeightUnit:
        """Return the unit of weights in Magento: of all store views, or of the first where they differ."""
        units = [view.weight_unit for view in self._store_configs()]
        return "lbs" if next((one for one in units if one), "kgs") == "lbs" else "kgs"

    def media_url(self) -> str | None:
        """Return the address of Magento's media folder, as the first store view that has one names it."""
        return next((view.media_url for view in self._store_configs() if view.media_url), None)

    def odoo_weight_unit(self) -> WeightUnit:
        """Return the unit of weights in Odoo, as any product shows it; the setting itself is for administrators."""
        rows = self._cache.get(
            self._instance,
            "weight",
            lambda: self._odoo.search_read("product.template", [], ["weight_uom_name"], limit=1),
            is_enough=bool,
        )
        return "lbs" if rows and "lb" in str(rows[0]["weight_uom_name"]) else "kgs"

    def pricelists(self, currency: str, *, including: int | None = None) -> list[dict[str, Any]]:
        """Return id, name, currency and company of the pricelists in ``currency``, oldest first.

        ``including`` is the one that somebody chose: it may be newer than what is known.
        """

        def fitting(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [row for row in rows if row["currency_id"] and row["currency_id"][1] == currency]

        rows = self._cache.get(
            self._instance,
            "pricelists",
            lambda: self._odoo.search_read(
                "product.pricelist", [], ["name", "currency_id", "company_id"], order="id"
            ),
            is_enough=lambda found: (
                bool(fitting(found)) and (including is None or any(row["id"] == including for row in found))
            ),
        )
        return fitting(rows)

    def currency(self, code: str) -> tuple[Decimal, Decimal] | None:
        """Return the rounding step and the rate of the day of the active currency ``code``."""
        rows = self._cache.get(
            self._instance,
            f"currency:{code}",
            lambda: self._odoo.search_read(
                "res.currency", [["name", "=", code]], ["rounding", "rate"], limit=1
            ),
            is_enough=bool,
        )
        return (Decimal(str(rows[0]["rounding"])), Decimal(str(rows[0]["rate"]))) if rows else None

    def note_subtype(self) -> int:
        """Return the id of the subtype of internal notes."""
        found = self._get("note", lambda: self._odoo.check_reference("mail", "mt_note"))
        return found[1] if found is not None else 0

    def stock_layout(self, *, source: str | None = None) -> Layout:
        """Return Magento's sources and stocks; read anew where ``source`` is not among them."""
        return self._cache.get(
            self._instance,
            "stock_layout",
            lambda: layout(self._magento()),
            is_enough=lambda known: source is None or known.source(source) is not None,
        )

    def layout_if_any(self) -> Layout | None:
        """Return Magento's sources and stocks, None where it has none or they may not be read."""
        return self._get("layout_if_any", self._read_layout)

    def _read_layout(self) -> Layout | None:
        try:
            return layout(self._magento())
        except (AccessMissing, CredentialsRefused, ServiceRejected, SettingsWrong):
            # Its inventory modules are off, or the integration may not read stocks: others tell of that.
            return None

    def warehouses(self, including: Iterable[int]) -> set[int]:
        """Return the ids of the warehouses; read anew where one of ``including`` is not among them."""
        wanted = set(including)
        if not wanted:
            return set()
        return self._cache.get(
            self._instance,
            "warehouses",
            lambda: set(self._odoo.search("stock.warehouse", [])),
            is_enough=wanted.issubset,
        )

    def keep_kits(self, keep: Callable[[], int]) -> None:
        """Let ``keep`` read the kits of Odoo anew, where that was not done for a while."""
        self._get("kits", keep)

    def rows_at_once(self, wanted: int) -> int:
        """Return how many rows of a list this Magento takes at once, as far as a refusal has told it; at least 1."""
        known: int | None = self._get(_ROWS_AT_ONCE, lambda: None)
        return max(1, min(wanted, known or wanted))

    def learn_rows_at_once(self, limit: int) -> None:
        """Remember how many rows of a list Magento takes at once."""
        self._cache.get(self._instance, _ROWS_AT_ONCE, lambda: limit, is_enough=lambda known: known == limit)

    def lacks_most(self, *, default: bool) -> bool:
        """Return whether Odoo lacked most of the SKUs that were looked for last; ``default`` where nobody looked lately."""
        return self._get(_LACKS_MOST, lambda: default)

    def learn_lacking(self, *, is_lacking: bool) -> None:
        """Remember whether Odoo lacks most of Magento's SKUs: so it goes on through a catalog."""
        self._cache.get(
            self._instance, _LACKS_MOST, lambda: is_lacking, is_enough=lambda known: known is is_lacking
        )

    def _read_countries(self) -> dict[str, int]:
        rows = self._odoo.search_read("res.country", [], ["code"])
        return {str(row["code"]).upper(): int(row["id"]) for row in rows if row["code"]}

    def _read_states(self) -> dict[tuple[str, str], int]:
        rows = self._odoo.search_read("res.country.state", [], ["code", "name", "country_id"])
        codes = {id_: code for code, id_ in self.countries().items()}
        found: dict[tuple[str, str], int] = {}
        for field in ("code", "name"):
            for row in rows:
                country = codes.get(int(row["country_id"][0])) if row["country_id"] else None
                if country is not None and row[field]:
                    found[country, str(row[field]).upper()] = int(row["id"])
        return found

    def _store_locales(self) -> dict[int, str]:
        return self._get("locales", self._read_store_locales)

    def _read_store_locales(self) -> dict[int, str]:
        return {row.id: row.locale for row in self._store_configs() if row.locale}

    def _store_configs(self) -> list[StoreConfig]:
        return self._get("stores", self._read_store_configs)

    def _read_store_configs(self) -> list[StoreConfig]:
        try:
            return self._magento().store_configs()
        except (AccessMissing, CredentialsRefused, InvalidRecord, RecordMissing, ServiceRejected):
            # An integration that may read orders only, or an extension: customers then get Odoo's own language.
            return []

    def _get(self, name: str, read: Callable[[], T]) -> T:
        return self._cache.get(self._instance, name, read)
