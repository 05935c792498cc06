"""What drift is called for people, and its lines as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from bridge.ledger import DriftLine, SeenDrift
from bridge.translate.drift import CAUSES, Cause
from bridge.translate.money import plain

CAUSE_WORDS: Mapping[Cause, str] = {
    "job_waiting": "an export waits",
    "job_failed": "its export failed",
    "newer_change": "changed in Odoo or in the rules since the last export",
    "never_exported": "never exported by the bridge",
    "edited_in_magento": "edited in Magento since the last export",
    "stale_reservation": "an order changed in Magento and was not read since",
    "open_reservation": "open orders were left out",
    "safety_stock": "the safety stock was left out",
    "mapping_missing": "a mapping is missing",
    "unknown": "unknown",
}
_COLUMNS = ("run", "source", "sku", "severity", "target", "found", "difference")
#: A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def line_data(line: SeenDrift) -> dict[str, Any]:
    """Return a line for ``--json``, its quantities without needless zeros."""
    numbers = {"target": line.target, "found": line.found, "difference": line.difference}
    texts = {name: None if value is None else plain(value) for name, value in numbers.items()}
    return asdict(line) | texts


def signed(units: Decimal) -> str:
    """Return units with their sign."""
    return f"+{plain(units)}" if units > 0 else plain(units)


def has_text(value: Decimal | None) -> str:
    """Return a quantity; a dash where there is none."""
    return "-" if value is None else plain(value)


def counts_text(name: str) -> str:
    """Return the name of a count as a column's head."""
    return name.replace("_", " ").upper()


def causes_text(line: SeenDrift) -> str:
    """Return the causes of a line with their units, and what else is known of it."""
    details = line.details
    problem = str(details.get("problem") or "").rstrip(".")
    found = [_cause(one, problem) for one in details.get("causes", ())]
    if problem and not found:
        found.append(problem)
    if not found and line.severity == "not_found":
        found.append("0 units missing: Magento has no row, and none should be in stock")
    notes: Mapping[str, Any] = details.get("notes") or {}
    if "threshold" in notes:
        kept = notes.get("safety_stock", "0")
        found.append(f"beside it {kept} safety stock and Magento's own threshold of {notes['threshold']}")
    if "shared_source" in notes:
        found.append(f"shared by the stocks {', '.join(notes['shared_source'])}")
    return "; ".join(found)


def csv_columns() -> list[str]:
    """Return the heads of the columns."""
    return [*_COLUMNS, *CAUSES, "problem"]


def csv_row(line: DriftLine) -> list[str]:
    """Return a line with a column for the units of each cause."""
    units = {one["cause"]: one["units"] for one in line.details.get("causes", ())}
    numbers = (line.target, line.found, line.difference)
    return [
        str(line.run_id),
        _harmless(line.source),
        _harmless(line.sku),
        line.severity,
        *("" if value is None else plain(value) for value in numbers),
        *(units.get(cause, "") for cause in CAUSES),
        _harmless(str(line.details.get("problem") or "")),
    ]


def _cause(one: Mapping[str, Any], problem: str) -> str:
    # What is wrong says more than that something is.
    words = problem or CAUSE_WORDS.get(one["cause"], str(one["cause"]))
    job = f" (job {one['job']})" if one.get("job") else ""
    return f"{signed(Decimal(one['units']))} {words}{job}"


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
