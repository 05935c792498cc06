"""``bridge mappings``: the operator's decisions which Odoo record a Magento value stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import click

from bridge.cli.app import App, pass_app
from bridge.cli.groups import Commands
from bridge.cli.mapping_files import export, import_
from bridge.cli.mapping_impact import impact
from bridge.cli.mapping_suggest import suggest
from bridge.cli.mapping_words import by_option, decided, id_argument, kind_argument, value_argument
from bridge.cli.output import json_option, print_json, print_table, print_text
from bridge.errors import BridgeError
from bridge.flows.kinds import MAPPING_KINDS, needs_mapping
from bridge.ledger import MappingChange, MappingRow
from bridge.translate.money import plain

#: What is asked of a record beside its name, to see whether it will do.
_LOOKED_AT = {"account.tax": ("amount", "type_tax_use"), "product.attribute": ("create_variant",)}


@click.group(cls=Commands)
def mappings() -> None:
    """Which Odoo record a Magento value stands for: what was seen, what was decided, what it would change."""


for command in (export, impact, import_, suggest):
    mappings.add_command(command)


@mappings.command(name="list")
@click.option("--instance", "instance_name", metavar="NAME")
@click.option("--kind", type=click.Choice(sorted(MAPPING_KINDS)), metavar="KIND", help="Only of this kind.")
@click.option("--state", type=click.Choice(["unmapped", "mapped", "ignored"]))
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@json_option
@pass_app
def list_(
    app: App, *, instance_name: str | None, kind: str | None, state: str | None, limit: int, as_json: bool
) -> None:
    """List values that were seen, with what they are mapped to, how many orders had them, and the last of these."""
    name = app.instance(instance_name).name
    found = app.ledger.mappings.list(name, kind=kind, state=state, limit=limit + 1)
    if len(found) > limit:
        # A shop may have a tax rate for each postcode.
        print_text(
            f"There are more than {limit} values: --kind, --state or --limit show the others.", err=True
        )
        found = found[:limit]
    if as_json:
        print_json([{**asdict(one), "is_needed": needs_mapping(one.kind, one.value)} for one in found])
        return
    print_table(
        ("KIND", "VALUE", "STATE", "SEEN", "EXAMPLE", "ODOO", "LABEL"),
        [
            (
                one.kind,
                one.value,
                _state(one),
                one.seen_count,
                one.example,
                f"{one.odoo_model} {one.odoo_id}" if one.odoo_id else "",
                one.odoo_label or one.label,
            )
            for one in found
        ],
        fold=("VALUE", "EXAMPLE", "LABEL"),
        spare=("LABEL",),
        right=("SEEN",),
        empty="No values seen yet. They appear when orders are imported, or by: bridge run discover-mappings --wait",
    )


def _state(one: MappingRow) -> str:
    """Return a value's state; what no order waits for is said to be optional."""
    return "optional" if one.state == "unmapped" and not needs_mapping(one.kind, one.value) else one.state


@mappings.command(name="set")
@kind_argument
@value_argument
@id_argument
@click.option("--instance", "instance_name", metavar="NAME")
@click.option("--unchecked", is_flag=True, help="Do not ask Odoo whether the record is there.")
@by_option
@pass_app
def set_(
    app: App, kind: str, value: str, odoo_id: int, *, instance_name: str | None, unchecked: bool, by: str
) -> None:
    """Map Magento's VALUE to the Odoo record ODOO_ID; 0 for zero_tax means no tax. Jobs that waited go on."""
    instance = app.instance(instance_name)
    model = MAPPING_KINDS[kind].model
    if odoo_id == 0 and kind != "zero_tax":
        raise click.UsageError("ODOO_ID 0 is for zero_tax only, where it means explicitly no tax.")
    record: Mapping[str, Any] = {} if odoo_id else {"display_name": "no tax"}
    if odoo_id and not unchecked:
        record = _record(app, instance.name, model, odoo_id)
    label = record.get("display_name")
    waiting = app.ledger.mappings.impact(instance.name, kind, value)
    is_seen = app.ledger.mappings.get(instance.name, kind, value) is not None
    app.ledger.mappings.set(
        instance.name, kind, value, odoo_model=model, odoo_id=odoo_id, odoo_label=label, by=by
    )
    print_text(f"{kind} {value} is {label or f'{model} {odoo_id}'}.{_released(waiting)}")
    _mind_unseen(kind, value, is_seen=is_seen)
    if doubt := _doubt(kind, value, record):
        print_text(doubt, err=True)


@mappings.command()
@kind_argument
@value_argument
@click.option("--instance", "instance_name", metavar="NAME")
@by_option
@pass_app
def ignore(app: App, kind: str, value: str, *, instance_name: str | None, by: str) -> None:
    """Say that VALUE stands for nothing in Odoo, where that is allowed."""
    if not MAPPING_KINDS[kind].may_ignore:
        raise click.UsageError(f"A {kind} cannot be ignored: money depends on it. Map it.")
    instance = app.instance(instance_name)
    waiting = app.ledger.mappings.impact(instance.name, kind, value)
    is_seen = app.ledger.mappings.get(instance.name, kind, value) is not None
    app.ledger.mappings.ignore(instance.name, kind, value, by=by)
    print_text(f"{kind} {value} is ignored.{_released(waiting)}")
    _mind_unseen(kind, value, is_seen=is_seen)


@mappings.command()
@kind_argument
@value_argument
@click.option("--instance", "instance_name", metavar="NAME")
@json_option
@pass_app
def history(app: App, kind: str, value: str, *, instance_name: str | None, as_json: bool) -> None:
    """Show every decision about VALUE: who, when, from what, to what."""
    changes = app.ledger.mappings.history(app.instance(instance_name).name, kind, value)
    before = [None, *changes]
    if as_json:
        print_json(
            [
                {"version": to.version, "by": to.by, "at": to.at, "from": _said(old), "to": _said(to)}
                for old, to in zip(before, changes, strict=False)
            ]
        )
        return
    print_table(
        ("VERSION", "AT", "BY", "FROM", "TO"),
        [
            (to.version, to.at, to.by, decided(old), decided(to))
            for old, to in zip(before, changes, strict=False)
        ],
        fold=("FROM", "TO"),
        empty=f"Nothing was decided about {kind} {value} yet.",
    )


def _said(one: MappingChange | None) -> Mapping[str, Any]:
    if one is None:
        return {"state": "unmapped", "odoo_model": None, "odoo_id": None, "odoo_label": None}
    return {
        "state": one.state,
        "odoo_model": one.odoo_model,
        "odoo_id": one.odoo_id,
        "odoo_label": one.odoo_label,
    }


def _mind_unseen(kind: str, value: str, *, is_seen: bool) -> None:
    """Say that nothing has had a value: it may be a slip of the hand."""
    if not is_seen:
        print_text(
            f"Mind that no {kind} {value} was seen yet. What was: bridge mappings list --kind {kind}",
            err=True,
        )


def _released(waiting: int) -> str:
    return f" Jobs that waited for it and go on: {waiting}." if waiting else ""


def _record(app: App, instance_name: str, model: str, odoo_id: int) -> Mapping[str, Any]:
    fields = ["display_name", *_LOOKED_AT.get(model, ())]
    try:
        odoo = app.runtime.systems.of(app.ledger.instances.get(instance_name)).odoo
        rows = odoo.read(model, [odoo_id], fields)
    except BridgeError as exc:
        raise click.UsageError(f"{exc.message} (--unchecked maps without asking Odoo)") from None
    if not rows:
        raise click.UsageError(f"Odoo has no {model} with the id {odoo_id}.")
    row: Mapping[str, Any] = rows[0]
    if model == "account.tax" and row["type_tax_use"] != "sale":
        raise click.UsageError(f"{row['display_name']} is no sales tax in Odoo, and an order takes no other.")
    return row


def _doubt(kind: str, value: str, record: Mapping[str, Any]) -> str | None:
    """Return a word of doubt where Odoo's record will not do for everything that its mapping stands for."""
    if record.get("create_variant", "dynamic") != "dynamic":
        return (
            f"Mind that {record['display_name']} does not make its variants dynamically: it serves exports, and blocks the "
            "import of configurables whose variants differ by it."
        )
    if kind != "tax" or "amount" not in record:
        return None
    try:
        percent = Decimal(value.rpartition("|")[2])
    except ArithmeticError:
        return None
    amount: Decimal = record["amount"]
    if percent == amount:
        return None
    return (
        f"Mind that Magento's rate is {plain(percent)} % and this one {plain(amount)} %: orders block for "
        "it, unless several of Magento's rates together are this one Odoo tax."
    )
