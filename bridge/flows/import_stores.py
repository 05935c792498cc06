"""``bridge run import-stores``: Magento's websites, store groups and store views into the ledger, in four calls.

Magento's id is the identity: what is renamed stays the same, with the settings that it has of its own; what is gone is
closed and keeps them. It is all or nothing: four lists that do not fit together change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

from bridge.errors import InvalidRecord, OperatorError
from bridge.flows.context import FlowContext
from bridge.ledger import SeenStore, StoreChange
from bridge.ledger.store_records import StoreChangeKind
from bridge.magento import StoreTree, store_tree
from bridge.magento.stores import ADMIN
from bridge.overrides import title


class StoresUnclear(OperatorError):
    """Magento's stores cannot be read."""

    code = "stores_unclear"


#: A value of the mapping center: kind, value, and what Magento calls it.
Named = tuple[str, str, str | None]


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Read all stores, keep them, and return how many there are and what changed.

    Raises:
        StoresUnclear: an answer has not the shape of one, or a store's parent is missing; nothing was written.
    """
    tree, changes = _keep(ctx)
    ctx.ledger.mappings.note(ctx.instance.name, _values(tree))
    counts = Counter(website=len(tree.websites), group=len(tree.groups), view=len(tree.views))
    return {
        "summary": _summary(counts, changes),
        "websites": counts["website"],
        "groups": counts["group"],
        "views": counts["view"],
        **{kind: [_shown(one) for one in changes if one.kind == kind] for kind in get_args(StoreChangeKind)},
    }


def read_values(ctx: FlowContext) -> list[Named]:
    """Read all stores, keep them, and return what of them can be mapped.

    Raises:
        StoresUnclear: as for ``run``.
    """
    return _values(_keep(ctx)[0])


def _keep(ctx: FlowContext) -> tuple[StoreTree, Sequence[StoreChange]]:
    magento = ctx.magento
    try:
        # What is inside comes first: a store that is made meanwhile has no parent too few.
        views = magento.store_views()
        configs = magento.store_configs()
        groups = magento.store_groups()
        tree = store_tree(websites=magento.websites(), groups=groups, views=views, configs=configs)
    except InvalidRecord as error:
        raise StoresUnclear(
            f"{error.message} Nothing was written.", system="magento", reason="unreadable", **error.details
        ) from error
    # A worker that lost the job must not write what it read long ago.
    ctx.stay(0.0)
    return tree, ctx.ledger.stores.sync(ctx.instance.name, list(_stores(tree)))


def _values(tree: StoreTree) -> list[Named]:
    """Return the store views, units of weight and currencies; no order is placed in ``admin``."""
    found: list[Named] = [
        ("store", str(view.id), view.name or None) for view in tree.views if view.id != ADMIN
    ]
    for config in tree.configs.values():
        found.append(("unit", config.weight_unit, "weight of products"))
        found += [("currency", code, None) for code in (config.base_currency, config.display_currency)]
    return [one for one in dict.fromkeys(found) if one[1]]


def _summary(counts: Mapping[str, int], changes: Sequence[StoreChange]) -> str:
    there = f"{counts['website']} websites, {counts['group']} groups, {counts['view']} views"
    kinds = Counter(one.kind for one in changes)
    what = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    kept = [title(one.scope, one.code) for one in changes if one.kind == "closed" and one.overrides]
    told = f"; closed, with settings of its own that stay: {', '.join(kept)}" if kept else ""
    return f"{there}; {what or 'nothing changed'}{told}"


def _stores(tree: StoreTree) -> Iterator[SeenStore]:
    for website in tree.websites:
        yield SeenStore(
            scope="website",
            magento_id=website.id,
            code=website.code,
            name=website.name,
            parent_id=None,
            config={"default_group_id": website.default_group_id},
        )
    for group in tree.groups:
        yield SeenStore(
            scope="group",
            magento_id=group.id,
            code=group.code,
            name=group.name,
            parent_id=group.website_id,
            config={
                "root_category_id": group.root_category_id,
                "default_store_id": group.default_store_id,
            },
        )
    for view in tree.views:
        config = tree.configs.get(view.id)
        of_config = {} if config is None else asdict(config)
        # Which view it is of stands beside it; where pictures are is asked for when they are fetched.
        for name in ("id", "code", "media_url"):
            of_config.pop(name, None)
        yield SeenStore(
            scope="view",
            magento_id=view.id,
            code=view.code,
            name=view.name,
            parent_id=view.group_id,
            config={"is_active": view.is_active, **of_config},
        )


def _shown(change: StoreChange) -> dict[str, Any]:
    """Return a change as a job's result has it; what is empty is left out."""
    shown: dict[str, Any] = {
        "scope": change.scope,
        "id": change.magento_id,
        "code": change.code,
        "name": change.name,
    }
    if change.was is not None:
        shown["was"] = {"code": change.was[0], "name": change.was[1]}
    if change.kind in {"closed", "reopened"} and change.overrides:
        shown["own_settings"] = list(change.overrides)
    return shown
