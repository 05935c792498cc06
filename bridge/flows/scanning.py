"""Scans of what changed in Magento: one page, its jobs and the cursor are one transaction (RULES 5.1).

A scan that stops goes on where it was; the next scan goes on where the last one ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from bridge.errors import PermanentError
from bridge.flows.context import FlowContext
from bridge.ledger import Run, Want
from bridge.magento import ScanCursor, ScanPage

#: Records asked for at once; within Magento's default input limit of 300.
PAGE_SIZE = 100
#: Where a scan begins when nothing else is said: before any Magento 2 shop.
EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


class ReadPage(Protocol):
    """Reads one page of what changed."""

    def __call__(self, *, updated_from: datetime, after: ScanCursor | None, page_size: int) -> ScanPage:
        """Return the page behind ``after``, or the first one."""


def scan(
    ctx: FlowContext, read: ReadPage, to_want: Callable[[Mapping[str, Any]], Want], *, counted: str
) -> Mapping[str, Any]:
    """Read one page and want the work of each of its rows; the job runs again until it is through.

    ``counted`` is what the result calls the rows.

    Raises:
        PermanentError: the run is gone.
    """
    run = ctx.ledger.runs.of_planner(ctx.job)
    if run is None:
        raise PermanentError(
            f"This scan's run is gone from the ledger. Start a new one: bridge run {ctx.job.kind}."
        )
    page = read(updated_from=begin_of(run.args), after=_after(ctx, run), page_size=PAGE_SIZE)
    wants = [to_want(row) for row in page.rows]
    cursor = page.cursor.as_dict()
    frontier = frontier_of(ctx, run, page.cursor)
    ctx.ledger.runs.page(
        ctx.job, run.id, cursor=None if page.is_last else cursor, wants=wants, seen=len(page.rows)
    )
    return {counted: len(page.rows), "cursor": cursor, "frontier": frontier}


def _after(ctx: FlowContext, run: Run) -> ScanCursor | None:
    if run.cursor is not None:
        return ScanCursor.from_dict(run.cursor)
    if "updated_from" in run.args:
        return None
    known = reached(ctx)
    return None if known is None else ScanCursor.from_dict(known)


def reached(ctx: FlowContext) -> Mapping[str, Any] | None:
    """Return where the last scan ended: everything before it has been read."""
    earlier = ctx.ledger.jobs.list(
        instance=ctx.instance.name, kind=ctx.job.kind, states=("done",), before=ctx.job.id, limit=1
    )
    return (earlier[0].result or {}).get("frontier") if earlier else None


def frontier_of(ctx: FlowContext, run: Run, cursor: ScanCursor) -> Mapping[str, Any]:
    """Return where the next scan goes on.

    A scan from a given day leaves a gap if that day is later than where the scans before had come to: then the next
    one goes on there.
    """
    known = reached(ctx) if "updated_from" in run.args else None
    if known is not None and begin_of(run.args) > ScanCursor.from_dict(known).since:
        return known
    return cursor.as_dict()


def begin_of(args: Mapping[str, Any]) -> datetime:
    """Return where a run with ``args`` begins if it does not go on from an earlier one."""
    given = args.get("updated_from")
    return datetime.fromisoformat(given).astimezone(UTC) if given else EPOCH
