"""``bridge mappings impact``: what another mapping would have changed in the orders of the last days."""

from __future__ import annotations

import click

from bridge.cli.app import App, pass_app
from bridge.cli.mapping_words import id_argument, kind_argument, value_argument
from bridge.cli.output import json_option, print_json, print_table, print_text
from bridge.flows.mapping_impact import Impact
from bridge.flows.mapping_impact import impact as find_impact


@click.command()
@kind_argument
@value_argument
@id_argument
@click.option(
    "--days", type=click.IntRange(1, 3650), default=30, show_default=True, help="Orders placed since."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="Orders to list, the newest first; all are counted.",
)
@click.option("--instance", "instance_name", metavar="NAME")
@json_option
@pass_app
def impact(
    app: App,
    kind: str,
    value: str,
    odoo_id: int,
    *,
    days: int,
    limit: int,
    instance_name: str | None,
    as_json: bool,
) -> None:
    """Say which imported orders would have become others if VALUE had been mapped to ODOO_ID. Changes nothing."""
    if odoo_id == 0 and kind != "zero_tax":
        raise click.UsageError("ODOO_ID 0 is for zero_tax only, where it means explicitly no tax.")
    instance = app.instance(instance_name)
    found = find_impact(app.ledger, instance.name, kind, value, odoo_id, days=days, limit=limit)
    if as_json:
        print_json(
            {
                "kind": kind,
                "value": value,
                "odoo_id": odoo_id,
                "days": days,
                "is_used": found.is_used,
                "looked_at": found.looked_at,
                "changed": found.changed,
                "unknown": found.unknown,
                "waiting": found.waiting,
                "orders": found.newest,
            }
        )
    else:
        _show(found, kind, days)


def _show(found: Impact, kind: str, days: int) -> None:
    if not found.is_used:
        print_text(f"Orders do not depend on mappings of the kind {kind} yet: none would become another one.")
        return
    print_table(
        ("ORDER", "IN ODOO", "PLACED", "WHAT", "FROM", "TO", "MAGENTO'S TAX"),
        [
            (
                one.increment_id,
                one.sale_order,
                one.placed_at,
                one.change.what,
                "Odoo's own" if one.change.old_id is None else one.change.old_id or "no tax",
                one.change.new_id or "no tax",
                one.change.amount,
            )
            for one in found.newest
        ],
        fold=("WHAT",),
        right=("FROM", "TO", "MAGENTO'S TAX"),
        empty="",
    )
    if found.changed > len(found.newest):
        print_text(f"Shown are the newest {len(found.newest)} (--limit).")
    print_text(
        f"{found.changed} of {found.looked_at} imported orders of the last {days} days would be others. They stay as "
        "they are: a mapping counts for what is imported from then on."
    )
    if found.unknown:
        print_text(
            f"Of {found.unknown} more orders imported in these days the ledger does not know which mappings they used: "
            "they were imported by an older version, or their ledger was lost."
        )
    if found.waiting:
        print_text(f"Jobs that wait for this decision: {found.waiting}.")
