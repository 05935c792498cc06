"""``bridge bindings``: which Magento record is which Odoo record."""

from __future__ import annotations

import click

from bridge.cli.app import App, pass_app
from bridge.cli.groups import Commands
from bridge.cli.output import json_option, print_json, print_table
from bridge.cli.waiting import end, start_run

#: What a rebuild may come upon, in words.
_FOUND = {
    "orders": "orders bound, with their lines and buyers",
    "products": "products bound that the bridge made",
    "services": "service products bound that the bridge made",
    "orders_not_finished": "orders whose import was not finished: their next event finishes it",
    "orders_gone_in_magento": "orders that Magento does not have any more: not bound",
    "orders_not_readable": "orders that cannot be read in Magento: not bound",
    "orders_of_others": "orders that the bridge did not make: left alone",
}


@click.group(cls=Commands)
def bindings() -> None:
    """Permanent pairs of records: list them, and find them again after a lost ledger."""


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


@bindings.command()
@click.option("--instance", "instance_name", metavar="NAME", help="May be left out where there is only one.")
@click.option("--wait", is_flag=True, help="Show progress until it ends; embedded runs it itself.")
@json_option
@pass_app
def rebuild(app: App, *, instance_name: str | None, wait: bool, as_json: bool) -> int:
    """Bind again what the bridge made in Odoo, after a lost ledger. Changes nothing in either system."""
    followed = start_run(app, app.instance(instance_name).name, "rebuild-bindings", {})
    code = end(app, followed, wait=wait, as_json=as_json)
    if not as_json:
        for job in followed.jobs(app.ledger):
            found = (job.result or {}).get("rebuilt", {})
            rows = [(found[name], what) for name, what in _FOUND.items() if found.get(name)]
            print_table(("COUNT", "WHAT"), rows, empty="", right=("COUNT",))
    return code
