"""``bridge mappings suggest``: what unmapped values may stand for, with the command that a person may then give."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Any

import click

from bridge.cli.app import App, pass_app
from bridge.cli.mapping_words import kind_argument
from bridge.cli.output import json_option, print_json, print_text
from bridge.engine import preview_context
from bridge.flows.kinds import MAPPING_KINDS, needs_mapping
from bridge.flows.suggest_mappings import Suggested, suggest_mappings
from bridge.ledger import MappingRow
from bridge.translate.suggestions import Suggestion

#: Candidates shown of a value to people; --json has them all.
_SHOWN = 5


@click.command()
@partial(kind_argument, required=False)
@click.option(
    "--prices-include-tax/--prices-without-tax",
    "is_inside",
    default=None,
    help="Prefer taxes inside or on top of the price; else as those that are mapped already.",
)
@click.option("--instance", "instance_name", metavar="NAME")
@json_option
@pass_app
def suggest(
    app: App, *, kind: str | None, is_inside: bool | None, instance_name: str | None, as_json: bool
) -> None:
    """Propose Odoo records for values that are unmapped, of KIND or of all. Maps nothing."""
    instance = app.instance(instance_name)
    found = suggest_mappings(preview_context(app.runtime, instance.name), kind, is_inside=is_inside)
    named = instance.name if len(app.ledger.instances.names()) > 1 else None
    if as_json:
        print_json(_as_data(found, named))
    else:
        _show(found, named)


def _as_data(found: Suggested, instance: str | None) -> dict[str, Any]:
    return {
        "prices_include_tax": found.is_inside,
        "is_cut": found.is_cut,
        "not_read": found.not_read,
        "values": [
            {
                "kind": row.kind,
                "value": row.value,
                "label": row.label,
                "seen_count": row.seen_count,
                "is_needed": needs_mapping(row.kind, row.value),
                "suggestions": [
                    {
                        "odoo_model": MAPPING_KINDS[row.kind].model,
                        "odoo_id": one.candidate.id,
                        "odoo_name": one.candidate.name,
                        "confidence": one.confidence,
                        "reason": one.reason,
                        "command": _command(row, one, instance),
                    }
                    for one in suggestions
                ],
            }
            for row, suggestions in found.found
        ],
    }


def _show(found: Suggested, instance: str | None) -> None:
    nothing = [row for row, suggestions in found.found if not suggestions]
    for row, suggestions in found.found:
        if not suggestions:
            continue
        label = f" ({row.label})" if row.label else ""
        need = "" if needs_mapping(row.kind, row.value) else ", optional"
        print_text(f"{row.kind} {row.value}{label}: seen {row.seen_count}{need}")
        for one in suggestions[:_SHOWN]:
            print_text(f"  {one.confidence:.2f}  {one.candidate.name}: {one.reason}")
            print_text(f"        {_command(row, one, instance)}")
        if len(suggestions) > _SHOWN:
            print_text(f"  and {len(suggestions) - _SHOWN} more (--json)")
    if not found.found:
        print_text("Nothing is unmapped.")
    if nothing:
        names = ", ".join(f"{row.kind} {row.value}" for row in nothing[:20])
        more = f" and {len(nothing) - 20} more" if len(nothing) > 20 else ""
        print_text(f"Nothing in Odoo fits: {names}{more}.")
    for model, why in found.not_read.items():
        print_text(f"Odoo's {model} could not be read: {why}", err=True)
    if found.is_cut:
        print_text("There is more in the ledger or in Odoo than was looked at.", err=True)


def _command(row: MappingRow, one: Suggestion, instance: str | None) -> str:
    words = ["bridge", "mappings", "set"]
    if instance is not None:
        words += ["--instance", instance]
    if row.value.startswith("-"):
        words.append("--")
    return shlex.join([*words, row.kind, row.value, str(one.candidate.id)])
