"""Magento's stores as typed records: websites, store groups, store views, and each view's configuration.

Shapes by ``stores/009-websites`` to ``012-storeconfigs``; ``admin`` (0) is in the first three lists and in no
configuration. The display of taxes is no part of them: no version's REST API tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bridge.errors import InvalidRecord

#: Id of Magento's own back office, among websites, groups and views.
ADMIN = 0


@dataclass(frozen=True, kw_only=True)
class Website:
    """A website: customers, prices and stock are by website."""

    id: int
    code: str
    name: str
    default_group_id: int


@dataclass(frozen=True, kw_only=True)
class StoreGroup:
    """A store group (the admin says *store*): it has a root category."""

    id: int
    code: str
    name: str
    website_id: int
    root_category_id: int
    default_store_id: int


@dataclass(frozen=True, kw_only=True)
class StoreView:
    """A store view: an order names it as its ``store_id``."""

    id: int
    code: str
    name: str
    website_id: int
    group_id: int
    is_active: bool


@dataclass(frozen=True, kw_only=True)
class StoreConfig:
    """What a store view works with; empty where Magento says nothing.

    The address of static files is left out: it changes with every deployment.
    """

    id: int
    code: str
    locale: str
    base_currency: str
    display_currency: str
    timezone: str
    weight_unit: str
    base_url: str
    secure_base_url: str
    #: Address of the media folder: over TLS where the store view has it so.
    media_url: str


@dataclass(frozen=True, kw_only=True)
class StoreTree:
    """All stores of a Magento: each record once, each with its parent there."""

    websites: tuple[Website, ...]
    groups: tuple[StoreGroup, ...]
    views: tuple[StoreView, ...]
    #: By the view's id; a view that Magento says nothing of is missing.
    configs: Mapping[int, StoreConfig]


_Record = TypeVar("_Record", Website, StoreGroup, StoreView)
_Any = TypeVar("_Any", Website, StoreGroup, StoreView, StoreConfig)


def websites(value: Any) -> list[Website]:
    """Return the answer of ``/store/websites`` as records."""
    return _read(
        value,
        "website",
        lambda row: Website(
            id=row.number("id"),
            code=row.code(),
            name=row.text("name"),
            default_group_id=row.number("default_group_id"),
        ),
    )


def store_groups(value: Any) -> list[StoreGroup]:
    """Return the answer of ``/store/storeGroups`` as records."""
    return _read(
        value,
        "store group",
        lambda row: StoreGroup(
            id=row.number("id"),
            code=row.code(),
            name=row.text("name"),
            website_id=row.number("website_id"),
            root_category_id=row.number("root_category_id"),
            default_store_id=row.number("default_store_id"),
        ),
    )


def store_views(value: Any) -> list[StoreView]:
    """Return the answer of ``/store/storeViews`` as records."""
    return _read(
        value,
        "store view",
        lambda row: StoreView(
            id=row.number("id"),
            code=row.code(),
            name=row.text("name"),
            website_id=row.number("website_id"),
            group_id=row.number("store_group_id"),
            is_active=row.number("is_active") == 1,
        ),
    )


def store_configs(value: Any) -> list[StoreConfig]:
    """Return the answer of ``/store/storeConfigs`` as records."""
    return _read(
        value,
        "store configuration",
        lambda row: StoreConfig(
            id=row.number("id"),
            code=row.text("code", ""),
            locale=row.text("locale", ""),
            base_currency=row.text("base_currency_code", ""),
            display_currency=row.text("default_display_currency_code", ""),
            timezone=row.text("timezone", ""),
            weight_unit=row.text("weight_unit", ""),
            base_url=row.text("base_url", ""),
            secure_base_url=row.text("secure_base_url", ""),
            media_url=row.text("secure_base_media_url", "") or row.text("base_media_url", ""),
        ),
    )


def store_tree(
    *,
    websites: Sequence[Website],
    groups: Sequence[StoreGroup],
    views: Sequence[StoreView],
    configs: Sequence[StoreConfig],
) -> StoreTree:
    """Return the four lists as one.

    Raises:
        InvalidRecord: a list is not whole, has an id twice, or a record's parent is missing.
    """
    by_website = _by_id(websites, "website")
    by_group = _by_id(groups, "store group")
    by_view = _by_id(views, "store view")
    for group in groups:
        if group.website_id not in by_website:
            raise _orphan(f"store group {group.code}", group.id, "website", group.website_id)
    for view in views:
        called = f"store view {view.code}"
        if view.website_id not in by_website:
            raise _orphan(called, view.id, "website", view.website_id)
        if view.group_id not in by_group:
            raise _orphan(called, view.id, "store group", view.group_id)
        if by_group[view.group_id].website_id != view.website_id:
            raise InvalidRecord(
                f"Magento's {called} (id {view.id}) is of website {view.website_id}, but its store group is of "
                f"website {by_group[view.group_id].website_id}.",
                system="magento",
                field="website_id",
            )
    return StoreTree(
        websites=tuple(websites),
        groups=tuple(groups),
        views=tuple(views),
        # One whose view was deleted between the calls is of no use.
        configs={config.id: config for config in configs if config.id in by_view},
    )


def _by_id(records: Sequence[_Record], what: str) -> dict[int, _Record]:
    found: dict[int, _Record] = {}
    for record in records:
        if record.id in found:
            raise InvalidRecord(
                f"Magento's list of {what}s has the id {record.id} twice.", system="magento", field="id"
            )
        found[record.id] = record
    if ADMIN not in found:
        # A list that was cut or filtered must not close what it leaves out.
        raise InvalidRecord(
            f"Magento's list of {what}s is not whole: its own (id {ADMIN}) is missing.",
            system="magento",
            field="items",
        )
    return found


def _orphan(called: str, own_id: int, parent: str, parent_id: int) -> InvalidRecord:
    return InvalidRecord(
        f"Magento's {called} (id {own_id}) belongs to {parent} {parent_id}, which its list does not have.",
        system="magento",
        field=f"{parent.replace(' ', '_')}_id",
    )


def _read(value: Any, what: str, make: Callable[[_Row], _Any]) -> list[_Any]:
    if not isinstance(value, list):
        raise InvalidRecord(f"Magento's list of {what}s is not a list.", system="magento", field="items")
    return [make(_Row(row, what)) for row in value]


class _Row:
    """One row of an answer, read field by field."""

    def __init__(self, row: Any, what: str) -> None:
        if not isinstance(row, dict):
            raise InvalidRecord(f"A {what} of Magento's is not an object.", system="magento", field=what)
        self._row = row
        self._what = what

    def number(self, name: str) -> int:
        """Return a whole number that must be there; flags are numbers, too."""
        value = self._row.get(name)
        # Extensions turn numbers into texts and flags into booleans, which Python counts among the numbers.
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        if not isinstance(value, int):
            raise self._wrong(name, value, "a whole number")
        return int(value)

    def code(self) -> str:
        """Return the code, which must be there."""
        code = self.text("code")
        if not code.strip():
            raise self._wrong("code", None, "a text")
        return code

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self._row.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._wrong(name, value, "a text")
        return value

    def _wrong(self, name: str, value: Any, wanted: str) -> InvalidRecord:
        named = (str(self._row.get(one) or "").strip() for one in ("code", "id"))
        identity = next((f" {one}" for one in named if one), "")
        said = f"{name} is missing" if value is None else f"{name} is not {wanted}"
        return InvalidRecord(
            f"Magento's {self._what}{identity}: {said}.", system="magento", field=name, record=self._what
        )
