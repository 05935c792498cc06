"""``bridge run import-orders``: scan the orders that changed in Magento and want the import of each (RULES 5.1).

One page, its jobs and the cursor are one transaction, so a scan that stops goes on where it was; the next scan goes
on where the last one ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.errors import PermanentError
from bridge.flows.context import FlowContext
from bridge.flows.wants import want
from bridge.ledger import Run
from bridge.magento import ScanCursor

#: Orders asked for at once; within Magento's default input limit of 300.
PAGE_SIZE = 100
#: Where a scan begins when nothing else is said: before any Magento 2 shop.
EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Read one page of changed orders and want their imports; the job runs again until it is through."""
    scan = ctx.ledger.runs.of_planner(ctx.job)
    if scan is None:
        raise PermanentError(
            "This scan's run is gone from the ledger. Start a new one: bridge run import-orders."
        )
    after = _after(ctx, scan)
    page = ctx.magento.scan_orders(updated_from=_begin(scan.args), after=after, page_size=PAGE_SIZE)
    wants = [
        want(
            "import-order",
            instance=ctx.instance.name,
            entity=str(row["entity_id"]),
            version=str(row["updated_at"]),
            label=str(row["increment_id"]),
        )
        for row in page.rows
    ]
    cursor = page.cursor.as_dict()
    frontier = _frontier(ctx, scan, page.cursor)
    ctx.ledger.runs.page(
        ctx.job, scan.id, cursor=None if page.is_last else cursor, wants=wants, seen=len(page.rows)
    )
    return {"orders": len(page.rows), "cursor": cursor, "frontier": frontier}


def _after(ctx: FlowContext, scan: Run) -> ScanCursor | None:
    if scan.cursor is not None:
        return ScanCursor.from_dict(scan.cursor)
    if "updated_from" in scan.args:
        return None
    known = _reached(ctx)
    return None if known is None else ScanCursor.from_dict(known)


def _reached(ctx: FlowContext) -> Mapping[str, Any] | None:
    """Return where the last scan ended: everything before it has been read."""
    earlier = ctx.ledger.jobs.list(
        instance=ctx.instance.name, kind=ctx.job.kind, states=("done",), before=ctx.job.id, limit=1
    )
    return (earlier[0].result or {}).get("frontier") if earlier else None


def _frontier(ctx: FlowContext, scan: Run, cursor: ScanCursor) -> Mapping[str, Any]:
    """Return where the next scan goes on.

    A scan from a given day leaves a gap if that day is later than where the scans before had come to: then the next
    one goes on there.
    """
    reached = _reached(ctx) if "updated_from" in scan.args else None
    if reached is not None and _begin(scan.args) > ScanCursor.from_dict(reached).since:
        return reached
    return cursor.as_dict()


def _begin(args: Mapping[str, Any]) -> datetime:
    given = args.get("updated_from")
    return datetime.fromisoformat(given).astimezone(UTC) if given else EPOCH
