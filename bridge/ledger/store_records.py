"""Records of Magento's stores as the ledger knows them, and the questions that are asked of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bridge.errors import SettingsWrong
from bridge.overrides import Level, LevelScope, magento_level, title

StoreScope = Literal["website", "group", "view"]
StoreChangeKind = Literal["new", "renamed", "changed", "closed", "reopened"]
#: Id of Magento's own back office, as a website, group and view: nothing is sold there.
_ADMIN = 0


@dataclass(frozen=True, kw_only=True)
class SeenStore:
    """A website, store group or store view as Magento has it now."""

    scope: StoreScope
    #: The identity; codes and names change.
    magento_id: int
    code: str
    name: str
    #: A view's group, a group's website.
    parent_id: int | None
    config: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Store:
    """A website, store group or store view in the ledger. What is gone in Magento is closed and stays."""

    instance: str
    scope: StoreScope
    magento_id: int
    code: str
    name: str
    parent_id: int | None
    #: A view's currency, locale, time zone and so on.
    config: Mapping[str, Any]
    #: Settings of its own, as JSON has them.
    overrides: Mapping[str, Any]
    first_seen_at: datetime
    changed_at: datetime
    #: Since when Magento does not have it any more.
    closed_at: datetime | None

    @property
    def title(self) -> str:
        """What people call it: ``store view de``."""
        return title(self.scope, self.code)


@dataclass(frozen=True, kw_only=True)
class StoreChange:
    """What became of one store when it was seen again, or was not."""

    kind: StoreChangeKind
    scope: StoreScope
    magento_id: int
    code: str
    name: str
    #: Code and name before, where they are others now.
    was: tuple[str, str] | None = None
    #: Names of the settings that it has of its own.
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownStores:
    """All stores of one instance."""

    rows: Sequence[Store] = ()

    @property
    def has_website_settings(self) -> bool:
        """Whether some website has settings of its own: then a view must be known to tell whose it is."""
        return any(one.overrides for one in self.rows if one.scope == "website")

    def get(self, scope: StoreScope, magento_id: int | None) -> Store | None:
        """Return the store with this id, closed or not; None where the ledger does not know it."""
        found = (one for one in self.rows if (one.scope, one.magento_id) == (scope, magento_id))
        return next(found, None)

    def by_code(self, scope: LevelScope, code: str) -> Store:
        """Return the store with this code; of several the one that is open.

        Raises:
            SettingsWrong: the ledger knows none; the message names those it knows.
        """
        sold = [one for one in self.rows if one.scope == scope and one.magento_id != _ADMIN]
        # A code may be given again after its store was closed.
        found = sorted((one for one in sold if one.code == code), key=lambda one: one.closed_at is not None)
        if found:
            return found[0]
        known = ", ".join(sorted({one.code for one in sold})) or "none yet"
        raise SettingsWrong(
            f"There is no {title(scope, code)}. Known: {known}. Magento's stores are read by: bridge run import-stores",
            reason="store",
        )

    def website_of(self, view: Store) -> Store | None:
        """Return a view's website."""
        group = self.get("group", view.parent_id)
        return None if group is None else self.get("website", group.parent_id)

    def levels(self, store: Store) -> tuple[Level, ...]:
        """Return the settings that ``store``, a website or view, and its website have of their own.

        The first of a view is what Magento says of it.
        """
        website = store if store.scope == "website" else self.website_of(store)
        of_website = () if website is None else (_level("website", website),)
        if store.scope == "website":
            return of_website
        return (magento_level(store.code, store.config), *of_website, _level("view", store))


def _level(scope: LevelScope, store: Store) -> Level:
    return Level(scope=scope, code=store.code, values=store.overrides)
