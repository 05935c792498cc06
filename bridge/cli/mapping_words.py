"""What the commands of the mapping center share: who decides, and a decision in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from bridge.cli.app import person
from bridge.ledger import MappingChange, MappingDecision, MappingRow

_LONGEST_NAME = 100


def by_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--by``: who decides."""
    return click.option(
        "--by", callback=_by, metavar="WHO", help="Who decides, for the history; else this system's user."
    )(function)


def _by(_context: click.Context, _parameter: click.Parameter, given: str | None) -> str:
    who = person() if given is None else given.strip()
    if not who or len(who) > _LONGEST_NAME or not who.isprintable():
        raise click.UsageError("--by is a name of 1 to 100 characters.")
    return who


def decided(one: MappingChange | MappingRow | MappingDecision | None) -> str:
    """Return in words what was decided about a value."""
    if one is None or one.state != "mapped":
        return "unmapped" if one is None else one.state
    return f"{one.odoo_model} {one.odoo_id}{f' ({one.odoo_label})' if one.odoo_label else ''}"
