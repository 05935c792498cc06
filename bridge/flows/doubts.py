"""Looks at an older write to Magento of which nobody knows yet what became, before a newer one goes out (RULES 2.5)."""

from __future__ import annotations

from collections.abc import Callable

from bridge.errors import DoubtfulEffect
from bridge.flows.context import FlowContext
from bridge.ledger import Effect


def has_happened(ctx: FlowContext, effect: Effect, look: Callable[[Effect], bool], *, what: str) -> bool:
    """Return whether an absolute write has happened; False where it is over, and what it was about is to be written anew.

    Looked for at the times of ``magento_doubt_seconds``, of which the last decides. ``what`` is the write, for people.

    Raises:
        DoubtfulEffect: it may still be under way: come back for the next look.
    """
    looks = ctx.settings.magento_doubt_seconds
    coming = [after for after in looks if after > effect.age_seconds]
    if len(coming) < len(looks) and look(effect):
        return True
    if coming:
        raise DoubtfulEffect(
            f"Whether an earlier {what} happened in Magento is not known yet; nothing newer is sent until it is.",
            waits_for=f"doubt:{effect.key}",
            retry_after=max(0.0, coming[0] - effect.age_seconds),
            system="magento",
        )
    return False
