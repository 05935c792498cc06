"""``bridge bindings``: which Magento record is which Odoo record."""

from __future__ import annotations

import click

from bridge.cli.app import App, pass_app
from bridge.cli.output import json_option, print_json, print_table


@click.group()
def bindings() -> None:
    """Permanent pairs of records: list."""


@bindings.command(name="list")
@click.option("--instance", "instance_name", metavar="NAME")
@click.option("--kind", metavar="KIND", help="order, customer, product, ...")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@pass_app
def list_(app: App, *, instance_name: str | None, kind: str | None, limit: int, as_json: bool) -> None:
    """List bindings."""
    found = app.ledger.bindings.list(app.instance(instance_name).name, kind=kind, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ("KIND", "MAGENTO", "ITS LABEL", "ODOO", "LABEL", "UPDATED"),
        [
            (
                one.kind,
                one.magento_id,
                one.magento_label,
                f"{one.odoo_model} {one.odoo_id}",
                one.odoo_label,
                one.updated_at,
            )
            for one in found
        ],
        empty="No bindings yet.",
        fold=("ITS LABEL", "LABEL"),
        spare=("UPDATED",),
    )
