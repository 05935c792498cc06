"""Reads again what is older than its event said: replicas lag, and Odoo 18 speaks before it commits (DESIGN 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.errors import StaleRead, System
from bridge.flows.context import FlowContext

#: Waits before a record that is older than its event is read again; after the last it is taken as it is.
STALE_WAITS_SECONDS = (2.0, 5.0, 15.0)


def insist_on_version(
    ctx: FlowContext, raw: Mapping[str, Any], *, field: str = "updated_at", system: System = "magento"
) -> None:
    """Make sure that ``raw`` is no older than the job's event said, as far as waiting helps.

    Raises:
        StaleRead: it is older; the job comes back a little later and reads it again, without using an attempt.
    """
    named, read = _moment(ctx.job.version), _moment(raw.get(field))
    if not named or read >= named:
        return
    waited = stale_reads(ctx)
    if waited < len(STALE_WAITS_SECONDS):
        raise StaleRead(
            f"{system.title()} answered an older version than the event named; it is read again.",
            waits_for="version",
            retry_after=STALE_WAITS_SECONDS[waited],
            system=system,
        )


def _moment(text: Any) -> str:
    """Return a time in UTC as text that sorts, whichever of Magento's two forms it has."""
    return str(text or "").replace("T", " ")[:19]


def stale_reads(ctx: FlowContext) -> int:
    """Return how many of the attempts just before this one ended because the record was too old."""
    count = 0
    for attempt in reversed(ctx.ledger.jobs.attempts(ctx.job.id)):
        if attempt.error_code != StaleRead.code:
            break
        count += 1
    return count
