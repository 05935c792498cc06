"""Work that is held back: queued jobs go back to ``pending`` when a flow is paused or a breaker opens."""

from __future__ import annotations

from bridge.ledger.database import Session
from bridge.ledger.waits import release_lock

#: Key of the advisory lock of whoever chooses what runs next: one at a time, so that limits hold.
CHOICE_KEY = 0x6272_6431

_AFTER_CHOICE = "SELECT pg_advisory_xact_lock(:key)"
_BACK = """
UPDATE jobs SET state = 'pending', dispatches = 0, next_attempt_at = {greatest}({now}, not_before)
WHERE id IN (
    SELECT id FROM jobs WHERE state = 'queued'
        AND (CAST(:instance AS text) IS NULL OR instance = :instance)
        AND (CAST(:flow AS text) IS NULL OR kind = :flow)
        AND (CAST(:system AS text) IS NULL OR systems LIKE '%' || :system || '%')
    ORDER BY id {for_update})
RETURNING lock_key
"""


def after_choice(session: Session) -> None:
    """Let a choice under way end first: it may have looked before us, and its jobs be ``queued`` only after."""
    if session.is_postgres:
        session.value(_AFTER_CHOICE, key=CHOICE_KEY)


def back_to_pending(
    session: Session, *, instance: str | None = None, flow: str | None = None, system: str | None = None
) -> int:
    """Take back the queued jobs of an instance, a flow or a system: their messages will find nothing to claim."""
    rows = session.rows(_BACK, instance=instance, flow=flow, system=system)
    for (lock_key,) in rows:
        if lock_key:
            release_lock(session, lock_key)
    return len(rows)
