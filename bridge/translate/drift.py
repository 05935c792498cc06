"""Drift: what Magento has of a product in a source against what it should have, and where the difference comes from. Pure.

The difference is what Magento has less the target. It is followed from one to the other by what the ledger knows of the
last export: what Magento did since, and what the target did since. So the units of the causes always make up the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from bridge.translate.money import ZERO
from bridge.translate.stock import StockFigure

Severity = Literal["ok", "warning", "critical", "not_found", "not_in_odoo"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
Cause = Literal[
    "job_waiting",
    "job_failed",
    "newer_change",
    "never_exported",
    "edited_in_magento",
    "stale_reservation",
    "open_reservation",
    "safety_stock",
    "mapping_missing",
    "unknown",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From which difference on a line is more than ``ok``."""

    warning: Decimal = Decimal("0.0001")
    critical: Decimal = Decimal(10)


@dataclass(frozen=True, kw_only=True)
class History:
    """What the ledger knows of a figure."""

    #: What Magento had when the last export of the figure ended; None: it was never exported.
    left_at: Decimal | None = None
    #: What becomes of the mark that waits for an export; None: none waits.
    job: Literal["waiting", "failed"] | None = None
    #: Units that left Magento's source by orders since then, at the most: they leave the target, too.
    shipped: Decimal = ZERO
    #: Whether its safety stock was changed since then.
    has_new_safety: bool = False
    #: Units that the ledger takes to be reserved and Magento does not; None where that was not measured.
    stale: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """The units of a difference that one cause accounts for: above zero Magento has too many, below too few."""

    cause: Cause
    units: Decimal


def severity(found: Decimal | None, target: Decimal, limits: Limits) -> Severity:
    """Return how bad a line is; ``found`` is None where Magento has no row."""
    if found is None:
        return "not_found"
    difference = abs(found - target)
    if difference > limits.critical:
        return "critical"
    return "warning" if difference > limits.warning else "ok"


def parts(found: Decimal | None, figure: StockFigure, history: History) -> tuple[Part, ...]:
    """Return the causes of a difference with their units, the largest first; they add up to it."""
    has = found if found is not None else ZERO
    known = _since(has, figure, history) if history.left_at is not None else _never(has, figure, history)
    merged: dict[Cause, Decimal] = {}
    for part in known:
        merged[part.cause] = merged.get(part.cause, ZERO) + part.units
    made = [Part(cause=cause, units=units) for cause, units in merged.items() if units]
    return tuple(sorted(made, key=lambda part: abs(part.units), reverse=True))


def _since(has: Decimal, figure: StockFigure, history: History) -> list[Part]:
    """Split the way from the target over what the last export left to what Magento has now."""
    left_at = history.left_at or ZERO
    # Goods that Magento shipped meanwhile are on both ways, against each other. How many it were is known at the most:
    # so many as leave the least to be explained.
    shipped = min(max(left_at - has, left_at - figure.quantity, ZERO), history.shipped)
    moved = has - left_at + shipped
    owed = left_at - shipped - figure.quantity
    stale = max(moved, -(history.stale or ZERO)) if moved < 0 and (history.stale or ZERO) > 0 else ZERO
    return [
        Part(cause="stale_reservation", units=stale),
        Part(cause="edited_in_magento", units=moved - stale),
        *_owed(owed, figure, history),
    ]


def _owed(units: Decimal, figure: StockFigure, history: History) -> list[Part]:
    """Return why the target is not what was exported last."""
    if history.job is not None:
        # Whatever changed: this job mends it.
        return [_of_job(history.job, units)]
    safety = min(units, figure.lost_to_safety) if history.has_new_safety and units > 0 else ZERO
    return [
        Part(cause="safety_stock", units=safety),
        Part(cause="newer_change", units=units - safety),
    ]


def _never(has: Decimal, figure: StockFigure, history: History) -> list[Part]:
    """Return why a figure is wrong that the bridge never exported: the terms that whoever wrote it left out."""
    difference = has - figure.quantity
    if history.job is not None:
        return [_of_job(history.job, difference)]
    safety = min(difference, figure.lost_to_safety) if difference > 0 else ZERO
    rest = difference - safety
    reservation = _within(figure.unknown - figure.reserved, rest)
    return [
        Part(cause="safety_stock", units=safety),
        Part(cause="open_reservation", units=reservation),
        Part(cause="never_exported", units=rest - reservation),
    ]


def _within(term: Decimal, rest: Decimal) -> Decimal:
    """Return the part of ``rest`` that a term accounts for: none where it goes the other way."""
    if term * rest <= 0:
        return ZERO
    return min(term, rest) if rest > 0 else max(term, rest)


def _of_job(job: Literal["waiting", "failed"], units: Decimal) -> Part:
    return Part(cause="job_failed" if job == "failed" else "job_waiting", units=units)
