"""Magento's categories as a tree that Odoo can take: level by level, each name once below its parent.

A tree that does not hold together is refused as a whole, with all that is wrong with it: half a tree in Odoo would
put products under the wrong parents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bridge.errors import CatalogUnclear
from bridge.translate.catalog_records import MagentoCategory

#: Magento's root of all, above the root categories of the stores. It is no category of a shop.
TREE_ROOT = 1
#: So many faults are named.
_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class PlannedCategory:
    """One category as it shall be in Odoo."""

    category_id: int
    #: None right below the root of all.
    parent_id: int | None
    #: Unlike those of the others with the same parent.
    name: str


#: The categories of one depth, by id.
Level = tuple[PlannedCategory, ...]


def plan_categories(categories: Iterable[MagentoCategory]) -> tuple[Level, ...]:
    """Return the categories by depth: a parent stands in the level before its children.

    Raises:
        CatalogUnclear: a category has no name, or hangs on no root: its parent is missing, or it is in a loop.
    """
    by_id = {one.category_id: one for one in categories if one.category_id != TREE_ROOT}
    faults = [f"category {number} has no name" for number, one in sorted(by_id.items()) if not one.name] + [
        f"{_called(one)} is below category {one.parent_id}, which is not there"
        for _, one in sorted(by_id.items())
        if one.parent_id != TREE_ROOT and one.parent_id not in by_id
    ]
    depths = _depths(by_id)
    faults += [
        f"{_called(one)} is below itself" for number, one in sorted(by_id.items()) if depths[number] is None
    ]
    if faults:
        raise _broken(faults)
    names = _names(by_id)
    levels: dict[int, list[PlannedCategory]] = {}
    for number, one in sorted(by_id.items()):
        planned = PlannedCategory(
            category_id=number,
            parent_id=None if one.parent_id == TREE_ROOT else one.parent_id,
            name=names[number],
        )
        levels.setdefault(depths[number] or 0, []).append(planned)
    return tuple(tuple(level) for _, level in sorted(levels.items()))


def _depths(by_id: Mapping[int, MagentoCategory]) -> dict[int, int | None]:
    """Return how many categories are above each; None for one that the way up leads back to."""
    depths: dict[int, int | None] = {}
    for number in by_id:
        way = [number]
        while (above := by_id[way[-1]].parent_id) in by_id and above not in way:
            way.append(above)
        depths[number] = None if above == number else len(way) - 1
    return depths


def _names(by_id: Mapping[int, MagentoCategory]) -> dict[int, str]:
    """Return a name for each; of twins the older keeps it, a later one gets its id behind it."""
    taken: set[tuple[int, str]] = set()
    names: dict[int, str] = {}
    for number, one in sorted(by_id.items()):
        name = one.name
        while (one.parent_id, name.casefold()) in taken:
            name = f"{name} ({number})"
        taken.add((one.parent_id, name.casefold()))
        names[number] = name
    return names


def _called(one: MagentoCategory) -> str:
    return f"category {one.category_id} ({one.name})" if one.name else f"category {one.category_id}"


def _broken(faults: list[str]) -> CatalogUnclear:
    more = len(faults) - _NAMED
    said = "; ".join(faults[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
    return CatalogUnclear(
        f"Magento's tree of categories does not hold together: {said}.", system="magento", reason="categories"
    )
