"""What the commands of the mapping center share: who decides, and a decision in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from bridge.cli.app import person
from bridge.flows.kinds import MAPPING_KINDS
from bridge.ledger import MappingChange, MappingDecision, MappingRow

_LONGEST_NAME = 100
#: Longest value that the ledger's files take.
LONGEST_VALUE = 1000
_KIND = click.Choice(sorted(MAPPING_KINDS))


class OdooId(click.IntRange):
    """The id of a record in Odoo; named so that a refusal reads well."""

    name = "whole number"


def kind_argument(function: Callable[..., Any], *, required: bool = True) -> Callable[..., Any]:
    """Add the kind of mapping; its long list of choices stands in the refusal, not in every usage line."""
    return click.argument("kind", type=_KIND, metavar="KIND" if required else "[KIND]", required=required)(
        function
    )


def value_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add Magento's value."""
    return click.argument("value", callback=_value)(function)


def id_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the id of the Odoo record."""
    return click.argument("odoo_id", type=OdooId(0))(function)


def _value(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    if not given.strip() or len(given) > LONGEST_VALUE:
        raise click.UsageError(
            f"VALUE is a text of 1 to {LONGEST_VALUE} characters, as `bridge mappings list` shows it."
        )
    return given


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
