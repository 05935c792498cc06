"""``bridge run export-...`` of the catalog: products and prices, Odoo to Magento."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from bridge.cli.app import App, pass_app
from bridge.cli.run import from_option, job_options, run, scan, sku_of
from bridge.cli.waiting import Followed, end, start_run
from bridge.flows.export_prices import not_master
from bridge.flows.wants import want


@run.command(name="export-prices")
@click.argument("skus", nargs=-1, metavar="[SKU]...")
@click.option(
    "--verify", is_flag=True, help="Read all prices of Magento, also those that Odoo did not change."
)
@click.option("--dry-run", is_flag=True, help="Write nothing; tell what would be written.")
@job_options
@pass_app
def export_prices(
    app: App,
    skus: tuple[str, ...],
    *,
    verify: bool,
    dry_run: bool,
    instance_name: str | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Export Odoo's prices to Magento: those that changed, of all products or of those with a SKU."""
    names = sorted({sku_of(one) for one in skus})
    instance = app.instance(instance_name)
    if instance.settings.master("price") != "odoo":
        raise click.UsageError(not_master(instance.name))
    args: dict[str, Any] = ({"skus": names} if names else {}) | ({"verify": True} if verify else {})
    args |= {"dry_run": True} if dry_run else {}
    return end(app, start_run(app, instance.name, "export-prices", args), wait=wait, as_json=as_json)


@run.command(name="export-product")
@click.argument("sku")
@job_options
@pass_app
def export_product(app: App, sku: str, *, instance_name: str | None, wait: bool, as_json: bool) -> int:
    """Export the Odoo product with the SKU (its internal reference), with its variants."""
    name = sku.strip()
    if not name or len(name) > 64 or not name.isprintable():
        raise click.UsageError("SKU is the product's internal reference in Odoo, of at most 64 characters.")
    wanted = want("find-odoo-product", instance=app.instance(instance_name).name, entity=name, label=name)
    job_ids = [one.job_id for one in app.ledger.jobs.want([wanted])]
    return end(app, Followed(job_ids=job_ids), wait=wait, as_json=as_json)


@run.command(name="export-products")
@from_option("Odoo's products")
@job_options
@pass_app
def export_products(
    app: App, *, from_date: datetime | None, instance_name: str | None, wait: bool, as_json: bool
) -> int:
    """Export the products that changed in Odoo. Where export_products is off, only look for conflicts."""
    return scan(app, "export-products", from_date, instance_name, wait=wait, as_json=as_json)
