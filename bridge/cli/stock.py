"""Stock on the command line: exports now, safety stocks of their own, and why a figure is what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast, get_args

import click

from bridge.cli.app import App, pass_app, person
from bridge.cli.groups import Commands
from bridge.cli.orders import explain
from bridge.cli.output import json_option, print_fields, print_json, print_table, print_text
from bridge.cli.run import job_options, run
from bridge.cli.waiting import Followed, end, start_run
from bridge.engine import preview_context
from bridge.flows.explain_stock import explain_stock
from bridge.flows.stock_counting import Planned
from bridge.flows.wants import wake_stock
from bridge.ledger import OPEN_STATES, SafetyScope
from bridge.translate.money import plain

#: What a preview of counts shows, and how many batches it looks through.
_MOST_COUNTS, _MOST_BATCHES, _NAMED = 50, 2000, 10
_MOST_SAFETY = Decimal(100_000_000)


@run.command(name="export-stock")
@click.argument("skus", nargs=-1, metavar="[SKU]...")
@click.option("--all", "is_all", is_flag=True, help="Every product that is bound, whether it changed or not.")
@job_options
@pass_app
def export_stock(
    app: App, *, skus: tuple[str, ...], is_all: bool, instance_name: str | None, wait: bool, as_json: bool
) -> int:
    """Export the stock of the products with these SKUs to Magento; without any, of those that wait for it."""
    if skus and is_all:
        raise click.UsageError("Give SKUs or --all, not both.")
    name = app.instance(instance_name).name
    wake = wake_stock(name, delay_seconds=0.0)
    if is_all:
        app.ledger.stock.mark_all(name, wake=wake, by_hand=True)
    elif skus:
        found = app.ledger.stock.ids_of_skus(name, skus)
        unknown = [sku for sku in skus if sku not in found]
        if unknown:
            raise click.UsageError(
                f"The bridge knows no product with the SKU {', '.join(unknown)}. Import it first: bridge run "
                "import-product SKU"
            )
        app.ledger.stock.mark(name, [one for ids in found.values() for one in ids], wake=wake, by_hand=True)
    else:
        app.ledger.stock.sweep(name, wake=wake)
    jobs = app.ledger.jobs.list(instance=name, kind="export-stock", states=OPEN_STATES)
    if not jobs:
        print_text("No figure waits to be exported.", err=True)
    return end(app, Followed(job_ids=[job.id for job in jobs]), wait=wait, as_json=as_json)


@run.command(name="import-stock")
@click.argument("skus", nargs=-1, metavar="[SKU]...")
@click.option("--preview", is_flag=True, help="Write nothing; tell what would be counted. Comes first.")
@job_options
@pass_app
def import_stock(
    app: App, *, skus: tuple[str, ...], preview: bool, instance_name: str | None, wait: bool, as_json: bool
) -> int:
    """Count Odoo's stock from Magento's quantities, as the last preview showed: for a first load."""
    instance = app.instance(instance_name)
    if not preview and not instance.settings.import_stock:
        raise click.UsageError(
            f"import_stock is off. If Odoo's stock shall be counted from Magento's quantities: bridge instance set "
            f"{instance.name} --set import_stock=true"
        )
    names = sorted({sku.strip() for sku in skus} - {""})
    args = ({"skus": names} if names else {}) | ({"preview": True} if preview else {})
    followed = start_run(app, instance.name, "import-stock", args)
    code = end(app, followed, wait=wait, as_json=as_json)
    if wait and not as_json and followed.run_id is not None:
        jobs = app.ledger.jobs.list(run_id=followed.run_id, kind="import-stock-batch", limit=_MOST_BATCHES)
        _show_counts([job.result or {} for job in reversed(jobs)], is_preview=preview)
    return code


def _show_counts(results: Sequence[Mapping[str, Any]], *, is_preview: bool) -> None:
    planned = [one for result in results for one in Planned.read_all(result)]
    if is_preview:
        print_table(
            ("SKU", "ODOO HAS", "WOULD BE"),
            [(one.sku, plain(one.had), plain(one.quantity)) for one in planned[:_MOST_COUNTS]],
            empty="Nothing would be counted.",
            right=("ODOO HAS", "WOULD BE"),
        )
        if len(planned) > _MOST_COUNTS:
            print_text(
                f"{len(planned) - _MOST_COUNTS} more: bridge jobs list --kind import-stock-batch --json"
            )
    else:
        print_text(f"Counted in Odoo: {sum(result.get('counted', 0) for result in results)}.")
    left: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for result in results:
        for reason, found in result.get("left", {}).items():
            counts[reason] += found["count"]
            left.setdefault(reason, []).extend(found["skus"])
    for reason, count in sorted(counts.items()):
        print_text(f"Left out, {reason}: {count}, such as {', '.join(left[reason][:_NAMED])}", err=True)


@explain.command(name="stock")
@click.argument("sku")
@click.option("--instance", "instance_name", metavar="NAME", help="May be left out where there is only one.")
@json_option
@pass_app
def explain_stock_command(app: App, sku: str, *, instance_name: str | None, as_json: bool) -> int:
    """Show what Magento should have of the product SKU in each source, term by term, and what it has."""
    shown = explain_stock(preview_context(app.runtime, app.instance(instance_name).name), sku.strip())
    if as_json:
        print_json(shown)
    else:
        for number, source in enumerate(shown["sources"]):
            if number:
                click.echo()
            _show_source(source)
        for one in shown["salable"]:
            print_text(
                f"For sale in the stock {one['stock']} by Magento's word: {one['salable'] or 'unknown'}."
            )
    return 1 if any(one["problem"] for one in shown["sources"]) else 0


def _show_source(source: Mapping[str, Any]) -> None:
    has = source["magento"]
    in_magento = "no row" if has is None else f"{has['quantity']}{'' if has['status'] else ' (switched off)'}"
    print_text(f"Source {source['source']}")
    for warning in source["warnings"]:
        print_text(f"Note: {warning}", err=True)
    if source["problem"]:
        print_text(f"Problem: {source['problem']}", err=True)
    if not source["is_exported"]:
        print_fields({"Magento has": in_magento, "exported": "no"})
        return
    warehouses = ", ".join(map(str, source["warehouses"])) or "all"
    print_fields(
        {
            f"Odoo's {source['field']}": f"{source['odoo']} (warehouses: {warehouses})",
            "- safety stock": f"{source['safety_stock']} (of the {source['safety_stock_from']})",
            "= available, not below 0": source["available"],
            "+ reserved in Magento": source["reserved_in_magento"],
            "- sold and unknown to Odoo": source["unknown_to_odoo"],
            "= Magento should have": source["target"],
            "Magento has": in_magento,
            "last written": _written(source),
            "waits to be exported since": source["waits_since"] or "it does not",
        }
    )
    if source.get("parts"):
        print_table(
            ("PART (ID IN ODOO)", "IN ONE KIT", f"ODOO'S {source['field'].upper()}", "UNKNOWN TO ODOO"),
            [
                (part["odoo_id"], part["units"], part["odoo"], part["unknown_to_odoo"])
                for part in source["parts"]
            ],
            empty="",
            right=("IN ONE KIT", "UNKNOWN TO ODOO"),
        )
    if source["lines"]:
        print_table(
            ("ORDER", "OPEN IN MAGENTO", "SHIPPED", "ODOO LACKS", "UNKNOWN TO ODOO"),
            [
                (line["order"], line["open"], line["shipped"], line["odoo_lacks"], line["unknown_to_odoo"])
                for line in source["lines"]
            ],
            empty="",
            right=("OPEN IN MAGENTO", "SHIPPED", "ODOO LACKS", "UNKNOWN TO ODOO"),
        )


def _written(source: Mapping[str, Any]) -> str:
    return (
        "never"
        if source["written"] is None
        else f"{source['written']} at {source['written_at']:%Y-%m-%d %H:%M:%S}"
    )


@click.group(cls=Commands)
def stock() -> None:
    """Decide how stock is exported."""


@stock.group()
def safety() -> None:
    """Safety stocks of sources, categories and products; the instance's own is its setting safety_stock."""


_scope = click.argument("scope", type=click.Choice(get_args(SafetyScope)))
_instance = click.option(
    "--instance", "instance_name", metavar="NAME", help="May be left out where there is only one."
)


@safety.command(name="list")
@_instance
@json_option
@pass_app
def list_safety(app: App, *, instance_name: str | None, as_json: bool) -> None:
    """List the safety stocks that are not the instance's."""
    instance = app.instance(instance_name)
    rows = app.ledger.stock.safety(instance.name)
    if as_json:
        print_json({"instance": instance.settings.safety_stock, "own": rows})
        return
    print_table(
        ("SCOPE", "KEY", "QUANTITY", "BY", "AT"),
        [(one.scope, one.key, one.quantity, one.updated_by, one.updated_at) for one in rows],
        empty=f"None of their own: all have the instance's, {instance.settings.safety_stock}.",
        right=("QUANTITY",),
    )


@safety.command(name="set")
@_scope
@click.argument("key")
@click.argument("quantity")
@_instance
@pass_app
def set_safety(app: App, scope: str, key: str, quantity: str, *, instance_name: str | None) -> None:
    """Give a source (its code), a category (its id in Odoo) or a product (its SKU) a safety stock of its own."""
    name = app.instance(instance_name).name
    try:
        units = Decimal(quantity)
    except InvalidOperation:
        units = Decimal("NaN")
    if not units.is_finite() or not 0 <= units < _MOST_SAFETY or units != round(units, 4):
        raise click.UsageError("QUANTITY is a number of at least 0 with at most 4 decimal places.")
    if scope == "category" and not key.isdecimal():
        raise click.UsageError("KEY of a category is its id in Odoo.")
    app.ledger.stock.set_safety(name, cast("SafetyScope", scope), key.strip(), units, by=person())
    _say_export(app, name, f"The {scope} {key} has the safety stock {units:f}.")


@safety.command(name="unset")
@_scope
@click.argument("key")
@_instance
@pass_app
def unset_safety(app: App, scope: str, key: str, *, instance_name: str | None) -> int:
    """Take a safety stock back."""
    name = app.instance(instance_name).name
    if not app.ledger.stock.unset_safety(name, cast("SafetyScope", scope), key.strip()):
        print_text(f"The {scope} {key} has no safety stock of its own.", err=True)
        return 1
    _say_export(app, name, f"The {scope} {key} has no safety stock of its own any more.")
    return 0


def _say_export(app: App, name: str, said: str) -> None:
    """Say what was decided, and when it reaches Magento."""
    is_automatic = app.ledger.instances.get(name).settings.export_stock
    when = (
        "at the next change of each product, and for all of them at night"
        if is_automatic
        else "when you export it"
    )
    print_text(f"{said} It counts {when}; now: bridge run export-stock --all")
