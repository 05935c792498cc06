"""``bridge mappings impact``: which imported orders would have become others by another mapping.

Told from what the ledger keeps of each order; neither system is called. One page of orders is in memory at a time,
and of those that change the newest few.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.errors import InvalidRecord
from bridge.flows.kinds import ORDER_KINDS
from bridge.flows.update_order import ORDER
from bridge.ledger import BoundExplanation, Ledger
from bridge.magento.search import parse_magento_time
from bridge.translate.mapping_use import MappingChange, mapping_change

_PAGE = 200


@dataclass(frozen=True, kw_only=True)
class ChangedOrder:
    """An order that would have become another one."""

    increment_id: str
    sale_order: str | None
    #: When it was placed, in UTC.
    placed_at: datetime
    change: MappingChange


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What another mapping would change."""

    #: Whether orders depend on mappings of this kind at all.
    is_used: bool
    #: Imported orders that were placed in these days, of which the ledger knows enough.
    looked_at: int
    #: How many of them would be others, and the newest of these.
    changed: int
    newest: list[ChangedOrder]
    #: Orders imported in these days of which the ledger does not know which mappings they used.
    unknown: int
    #: Jobs that wait for a decision about the value.
    waiting: int


def impact(
    ledger: Ledger, instance: str, kind: str, value: str, odoo_id: int, *, days: int, limit: int
) -> Impact:
    """Return what would be otherwise in the orders of the last ``days`` if ``value`` were mapped to ``odoo_id``."""
    since = ledger.now() - timedelta(days=days)
    looked_at = changed = unknown = 0
    newest: list[tuple[datetime, str, ChangedOrder]] = []
    for one in _bound(ledger, instance, since) if kind in ORDER_KINDS else ():
        placed_at, used = _known(one)
        if placed_at is None or used is None:
            unknown += 1
            continue
        if placed_at < since:
            continue
        looked_at += 1
        change = mapping_change(used, kind, value, odoo_id)
        if change is None:
            continue
        changed += 1
        order = ChangedOrder(
            increment_id=one.magento_label or one.magento_id,
            sale_order=one.odoo_label,
            placed_at=placed_at,
            change=change,
        )
        push = heapq.heappush if len(newest) < limit else heapq.heappushpop
        push(newest, (placed_at, one.magento_id, order))
    return Impact(
        is_used=kind in ORDER_KINDS,
        looked_at=looked_at,
        changed=changed,
        newest=[order for _, _, order in sorted(newest, reverse=True, key=lambda row: row[:2])],
        unknown=unknown,
        waiting=ledger.mappings.impact(instance, kind, value),
    )


def _bound(ledger: Ledger, instance: str, since: datetime) -> Iterator[BoundExplanation]:
    """Yield what was imported since then: nothing that was placed since then was imported before."""
    after = ""
    while page := ledger.explanations.of_bound(instance, ORDER, since=since, after=after, limit=_PAGE):
        yield from page
        after = page[-1].magento_id


def _known(one: BoundExplanation) -> tuple[datetime | None, list[dict[str, Any]] | None]:
    """Return when an order was placed and which mappings it used, as far as the ledger kept it."""
    content = one.content or {}
    placed = ((content.get("snapshot") or {}).get("order") or {}).get("created_at")
    try:
        placed_at = parse_magento_time(placed, field="created_at").astimezone(UTC)
    except InvalidRecord:
        placed_at = None
    return placed_at, content.get("mappings")
