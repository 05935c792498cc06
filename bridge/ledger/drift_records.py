"""Records of drift as the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bridge.ledger.records import RunId


@dataclass(frozen=True, kw_only=True)
class SeenDrift:
    """One product that is not as it should be in the source that is looked at."""

    sku: str
    #: Magento's product, as bindings name it; empty where nothing is bound to the SKU.
    magento_id: str
    severity: str
    #: None where nothing tells what Magento should have.
    target: Decimal | None
    #: None where Magento has no row.
    found: Decimal | None
    difference: Decimal
    #: The causes with their units, and what else explains the line.
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DriftLine(SeenDrift):
    """A line of a check."""

    run_id: RunId
    source: str
    checked_at: datetime


@dataclass(frozen=True, kw_only=True)
class DriftCounts:
    """The figures of a source."""

    checked: int = 0
    ok: int = 0
    warning: int = 0
    critical: int = 0
    not_found: int = 0
    not_in_odoo: int = 0
    #: Bound, but not exported: services, and what has no quantity of its own.
    skipped: int = 0
    #: Units that Magento has too many, and too few.
    too_many: Decimal = Decimal(0)
    too_few: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class DriftSummary(DriftCounts):
    """The figures of one check for one source."""

    run_id: RunId
    source: str
    instance: str
    started_at: datetime
    #: None while the check is under way.
    ended_at: datetime | None = None
