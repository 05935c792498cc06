"""``bridge run ACTION``: makes the jobs of an action, and with ``--wait`` follows them to their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from bridge.cli.app import App, pass_app
from bridge.cli.groups import Commands
from bridge.cli.orders import OrderNumber
from bridge.cli.output import json_option, print_json, print_table, print_text
from bridge.cli.run_words import swept
from bridge.cli.waiting import Followed, end, start_run
from bridge.connection import Tried, try_systems
from bridge.errors import SettingsWrong
from bridge.flows.systems import connect
from bridge.flows.wants import want

Function = Callable[..., Any]
_SYSTEM_NAMES = {"magento": "Magento", "odoo": "Odoo"}
_STATES = {"ok": "ok", "problem": "PROBLEM", "note": "note"}


class _Day(click.DateTime):
    """A day; a refusal shows one instead of the forms' codes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the day."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no day such as 2026-11-01 or 2026-11-01T14:30:00.", param, ctx)


@click.group(cls=Commands)
def run() -> None:
    """Run an action for an instance now."""


def job_options(function: Function) -> Function:
    """Add ``--instance``, ``--wait`` and ``--json``."""
    function = json_option(function)
    function = click.option(
        "--wait", is_flag=True, help="Show progress until the jobs end; embedded runs them itself."
    )(function)
    return _instance_option(function)


def _instance_option(function: Function) -> Function:
    return click.option(
        "--instance", "instance_name", metavar="NAME", help="May be left out where there is only one."
    )(function)


def from_option(what: str) -> Callable[[Function], Function]:
    """Add ``--from`` for a scan of ``what``."""
    return click.option(
        "--from",
        "from_date",
        type=_Day(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
        metavar="DATE",
        help=f"{what} changed since this day (YYYY-MM-DD) of the store; else since the last scan.",
    )


@run.command(name="test-connection")
@_instance_option
@json_option
@pass_app
def test_connection(app: App, *, instance_name: str | None, as_json: bool) -> int:
    """Try Magento and Odoo: what the credentials open, and what to mend. Changes nothing."""
    instance = app.instance(instance_name)
    try:
        pair = connect(instance)
    except SettingsWrong as exc:
        raise click.UsageError(exc.message) from None
    try:
        tried = try_systems(pair, instance)
    finally:
        pair.magento.close()
        pair.odoo.close()
    for one in tried:
        app.ledger.exchanges.add(instance.name, one.exchanges)
    is_ok = all(one.is_ok for one in tried)
    if as_json:
        shown = {one.system: _as_data(one) for one in tried}
        print_json({"instance": instance.name, "ok": is_ok, **shown})
    else:
        _show_tried(tried)
    return 0 if is_ok else 1


@run.command(name="import-order")
@click.argument("increment_id", type=OrderNumber())
@click.option("--store-id", type=click.IntRange(0), help="Where several store views have the number.")
@job_options
@pass_app
def import_order(
    app: App, increment_id: str, *, store_id: int | None, instance_name: str | None, wait: bool, as_json: bool
) -> int:
    """Import the Magento order with the number INCREMENT_ID."""
    data = {} if store_id is None else {"store_id": store_id}
    wanted = want("find-order", instance=app.instance(instance_name).name, entity=increment_id, data=data)
    job_ids = [one.job_id for one in app.ledger.jobs.want([wanted])]
    return end(app, Followed(job_ids=job_ids), wait=wait, as_json=as_json)


@run.command(name="import-orders")
@from_option("Orders")
@job_options
@pass_app
def import_orders(
    app: App, *, from_date: datetime | None, instance_name: str | None, wait: bool, as_json: bool
) -> int:
    """Import the orders that changed in Magento."""
    return scan(app, "import-orders", from_date, instance_name, wait=wait, as_json=as_json)


@run.command(name="import-customers")
@from_option("Accounts")
@job_options
@pass_app
def import_customers(
    app: App, *, from_date: datetime | None, instance_name: str | None, wait: bool, as_json: bool
) -> int:
    """Import the customers that changed in Magento."""
    return scan(app, "import-customers", from_date, instance_name, wait=wait, as_json=as_json)


@run.command(name="import-product")
@click.argument("sku")
@job_options
@pass_app
def import_product(app: App, sku: str, *, instance_name: str | None, wait: bool, as_json: bool) -> int:
    """Import the Magento product with the SKU, with its variants."""
    name = sku_of(sku)
    wanted = want("find-product", instance=app.instance(instance_name).name, entity=name, label=name)
    job_ids = [one.job_id for one in app.ledger.jobs.want([wanted])]
    return end(app, Followed(job_ids=job_ids), wait=wait, as_json=as_json)


@run.command(name="import-products")
@from_option("Products")
@job_options
@pass_app
def import_products(
    app: App, *, from_date: datetime | None, instance_name: str | None, wait: bool, as_json: bool
) -> int:
    """Import the products that changed in Magento."""
    return scan(app, "import-products", from_date, instance_name, wait=wait, as_json=as_json)


@run.command(name="sweep-products")
@job_options
@pass_app
def sweep_products(app: App, *, instance_name: str | None, wait: bool, as_json: bool) -> int:
    """Compare all of Magento's products with what Odoo was sent, and import those that differ."""
    followed = start_run(app, app.instance(instance_name).name, "sweep-products", {})
    code = end(app, followed, wait=wait, as_json=as_json)
    if not as_json:
        for result in (job.result for job in followed.jobs(app.ledger) if job.state == "done" and job.result):
            print_text(swept(result))
    return code


@run.command(name="discover-mappings")
@job_options
@pass_app
def discover_mappings(app: App, *, instance_name: str | None, wait: bool, as_json: bool) -> int:
    """Read from Magento's configuration which values can be mapped. Maps nothing."""
    followed = start_run(app, app.instance(instance_name).name, "discover-mappings", {})
    code = end(app, followed, wait=wait, as_json=as_json)
    if not as_json:
        for result in (job.result for job in followed.jobs(app.ledger) if job.result):
            _show_discovered(result)
    return code


def _show_discovered(result: Mapping[str, Any]) -> None:
    print_table(
        ("KIND", "VALUES"), list(result["found"].items()), empty="No values found.", right=("VALUES",)
    )
    print_text(f"New: {result['new']}. See them: bridge mappings list --state unmapped")
    for one in result["not_read"]:
        print_text(f"Not read: {one['table']}: {one['why']}.", err=True)
    if any(one["resource"] for one in result["not_read"]):
        print_text(
            "Give the integration these resources in Magento under System > Integrations > API, save, activate it "
            "again, and repeat.",
            err=True,
        )


@run.command(name="import-stores")
@job_options
@pass_app
def import_stores(app: App, *, instance_name: str | None, wait: bool, as_json: bool) -> int:
    """Read Magento's websites, store groups and store views into the ledger."""
    wanted = want("import-stores", instance=app.instance(instance_name).name, entity="all")
    job_ids = [one.job_id for one in app.ledger.jobs.want([wanted])]
    return end(app, Followed(job_ids=job_ids), wait=wait, as_json=as_json)


@run.command(name="import-categories")
@job_options
@pass_app
def import_categories(app: App, *, instance_name: str | None, wait: bool, as_json: bool) -> int:
    """Bring Magento's categories to Odoo: new ones, moves and new names."""
    wanted = want("import-categories", instance=app.instance(instance_name).name, entity="all")
    job_ids = [one.job_id for one in app.ledger.jobs.want([wanted])]
    return end(app, Followed(job_ids=job_ids), wait=wait, as_json=as_json)


@run.command()
@job_options
@pass_app
def noop(app: App, *, instance_name: str | None, wait: bool, as_json: bool) -> int:
    """Do nothing: shows that jobs run."""
    wanted = want("noop", instance=app.instance(instance_name).name, entity="by-hand")
    job_ids = [one.job_id for one in app.ledger.jobs.want([wanted])]
    return end(app, Followed(job_ids=job_ids), wait=wait, as_json=as_json)


def sku_of(text: str) -> str:
    """Return a SKU as it is typed; click refuses what none can be."""
    name = text.strip()
    if not name or len(name) > 64 or not name.isprintable():
        raise click.UsageError("SKU is the product's SKU as Magento shows it, of at most 64 characters.")
    return name


def scan(
    app: App,
    kind: str,
    from_date: datetime | None,
    instance_name: str | None,
    *,
    wait: bool,
    as_json: bool,
) -> int:
    """Start a scan of what changed, from a day of the store's time zone on or where the last one ended."""
    instance = app.instance(instance_name)
    args = {}
    if from_date is not None:
        zone = ZoneInfo(instance.settings.store_timezone)
        args["updated_from"] = from_date.replace(tzinfo=zone).isoformat()
    return end(app, start_run(app, instance.name, kind, args), wait=wait, as_json=as_json)


def _as_data(tried: Tried) -> dict[str, Any]:
    return {
        "ok": tried.is_ok,
        "checks": [asdict(check) for check in tried.checks],
        "error": tried.error_code,
        "advice": None if tried.advice is None else asdict(tried.advice),
    }


def _show_tried(tried: tuple[Tried, ...]) -> None:
    print_table(
        ("SYSTEM", "CHECK", "RESULT", "FOUND"),
        [
            (_SYSTEM_NAMES[one.system], check.name, _STATES[check.state], check.text)
            for one in tried
            for check in one.checks
        ],
        empty="",
    )
    for one in tried:
        name = _SYSTEM_NAMES[one.system]
        if one.advice is not None:
            print_text(f"{name}: {one.advice.text}")
        elif one.is_ok:
            print_text(f"{name}: the bridge can work with it.")
        else:
            print_text(f"{name}: mend what is marked PROBLEM, then try again.")
