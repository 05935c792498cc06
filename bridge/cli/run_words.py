"""What became of a run's records, in words for the end of ``bridge run ... --wait``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.cli.jobs import OUTCOMES, outcome
from bridge.ledger import Job

_SHOWN_SKUS = 10


def together(jobs: Sequence[Job]) -> str:
    """Return what became of the records of many jobs."""
    counts: Counter[str] = Counter()
    for job in jobs:
        result = job.result or {}
        counts.update({name: result[name] for name in OUTCOMES if isinstance(result.get(name), int)})
    return outcome(counts)


def not_in_odoo(skus: Sequence[str], *, instance: str, is_made: bool) -> str:
    """Return what to do about products that Odoo lacks; ``is_made`` where the bridge may make some."""
    what = f"Not in Odoo: {len(skus)} products ({_shown(skus)}). "
    again = "import them again: bridge run import-products --from 2015-01-01."
    if is_made:
        return (
            f"{what}They belong to products that Odoo had before, with attributes of their own. Add these variants there, "
            f"or products with these internal references, then {again}"
        )
    return (
        f"{what}Nothing is made while auto_create_products is off. Make them in Odoo under these internal references, or "
        f"switch it on: bridge instance set {instance} auto_create_products=on. Then {again}"
    )


def not_in_magento(skus: Sequence[str], *, instance: str) -> str:
    """Return what to do about products that Magento lacks."""
    return (
        f"Not in Magento: {len(skus)} products ({_shown(skus)}). Products are made there while export_products is on, and "
        f"only those that can be sold: bridge instance set {instance} export_products=on. Then export them again: "
        "bridge run export-products --from 2015-01-01."
    )


def swept(result: Mapping[str, Any]) -> str:
    """Return what a sweep through the catalog found."""
    differ, gone = result.get("differ", 0), result.get("gone", 0)
    text = f"Imported because they differ: {differ}." if differ else "None differs."
    if not gone:
        return text
    named = result.get("named", [])
    shown = ", ".join(named[:_SHOWN_SKUS]) + (", ..." if gone > min(len(named), _SHOWN_SKUS) else "")
    return f"{text} Gone in Magento: {gone} ({shown}). Odoo keeps them; archive what is not sold any more."


def _shown(skus: Sequence[str]) -> str:
    return ", ".join(skus[:_SHOWN_SKUS]) + (", ..." if len(skus) > _SHOWN_SKUS else "")
