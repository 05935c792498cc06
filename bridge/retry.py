"""Retry arithmetic: what becomes of a job after an error. Values in, a value out; the ledger does the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge import errors

#: Attempts after which a transient error is taken for permanent.
MAX_ATTEMPTS = 12
#: The longest wait between two attempts.
MAX_BACKOFF_SECONDS = 3600.0
#: The longest ``Retry-After`` that is believed.
MAX_RETRY_AFTER_SECONDS = 6 * 3600.0

Outcome = Literal["done", "retry_waiting", "blocked", "failed", "cancelled", "lost"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of a job after one attempt."""

    state: Outcome
    #: Seconds to wait before the next attempt, for ``retry_waiting``.
    delay_seconds: float = 0.0
    #: Whether this attempt counts towards ``max_attempts``.
    uses_attempt: bool = False
    #: What the job waits for, if not for time alone.
    waits_for: str | None = None
    #: What the operator must mend for the job to go on by itself, for ``blocked``.
    cause: str | None = None


DONE = Decision(state="done")


def backoff_seconds(retry_count: int, *, unit_seconds: float = 60.0) -> float:
    """Return the wait before retry number ``retry_count`` (from 1): 1, 2, 4, ... 60 units.

    ``unit_seconds`` is a minute, and shorter in tests and in the demo.
    """
    minutes = min(60, 2 ** min(max(0, retry_count - 1), 6))
    return float(minutes) * unit_seconds


def decide(  # noqa: PLR0911  # one return a class of errors
    error: BaseException | None,
    *,
    retry_count: int,
    max_attempts: int = MAX_ATTEMPTS,
    unit_seconds: float = 60.0,
) -> Decision:
    """Return what becomes of a job that ended with ``error`` after ``retry_count`` counted retries."""
    match error:
        case None | errors.StaleEvent():
            return DONE
        case errors.JobCancelled():
            return Decision(state="cancelled")
        case errors.LeaseLost():
            return Decision(state="lost")
        case (
            errors.DoubtfulEffect() | errors.RecordLocked() | errors.DependencyNotReady() | errors.StaleRead()
        ):
            return Decision(
                state="retry_waiting", delay_seconds=error.retry_after or 0.0, waits_for=error.waits_for
            )
        case errors.RetryableError():
            asked = min(error.retry_after or 0.0, MAX_RETRY_AFTER_SECONDS)
            if retry_count + 1 >= max_attempts:
                return Decision(state="failed", uses_attempt=True)
            wait = max(backoff_seconds(retry_count + 1, unit_seconds=unit_seconds), asked)
            return Decision(state="retry_waiting", delay_seconds=wait, uses_attempt=True)
        case errors.OperatorError():
            return Decision(state="blocked", cause=error.cause)
        case _:
            return Decision(state="failed")
