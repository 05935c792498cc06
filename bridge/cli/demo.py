"""``bridge demo``: a shop's catalog and orders in one process, against the sandbox, with faults on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from bridge.cli.output import console, print_json, print_table

if TYPE_CHECKING:
    from bridge.cli.demo_world import Count

#: Jobs in these states have something before them.
_OPEN = ("pending", "queued", "running", "retry_waiting")


@click.command()
@click.option(
    "--orders", type=click.IntRange(1, 20_000), default=200, show_default=True, help="How many orders."
)
@click.option(
    "--odoo", "odoo_version", type=click.Choice(["16", "18", "19"]), default="18", show_default=True
)
@click.option(
    "--faults/--no-faults", default=True, show_default=True, help="Cut connections, 5xx, 429, stale reads."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed gives the same orders and faults."
)
@click.option("--json", "as_json", is_flag=True, help="End with one JSON document.")
def demo(*, orders: int, odoo_version: str, faults: bool, seed: int, as_json: bool) -> int:
    """Import a catalog and orders of all kinds from a simulated Magento into a simulated Odoo, and count what became of them.

    Exits with 1 if an order is lost, doubled or off by a cent, or a product or customer is not there.
    """
    # It brings in the sandbox and the consumers, which no other command should wait for.
    from bridge.cli.demo_world import run_world  # noqa: PLC0415

    logging.getLogger().setLevel(logging.ERROR)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("importing {task.fields[name]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
        console=console(stderr=True),
        transient=True,
    )
    with nullcontext() if as_json else bar:
        task = bar.add_task("demo", total=None, name="", what="")

        def show(name: str, ended: int, counts: Mapping[str, int]) -> None:
            moving = {state: counts[state] for state in _OPEN if counts.get(state)}
            what = "  ".join(f"{state.replace('_', ' ')} {number}" for state, number in moving.items())
            total = orders if name == "orders" else ended + sum(moving.values())
            bar.update(task, total=total, completed=ended, name=name, what=what)

        count = run_world(
            orders=orders, odoo_version=int(odoo_version), faults=faults, seed=seed, progress=show
        )
    if as_json:
        print_json(
            {
                "events": count.events,
                "jobs": count.jobs,
                "retries": count.retries,
                "orders": count.orders,
                "exact": count.exact,
                "lost": count.lost,
                "doubled": count.doubled,
                "stores": count.catalog.stores,
                "categories": count.catalog.categories,
                "products": count.catalog.products,
                "customers": count.catalog.customers,
                "not_as_in_magento": [f"{name}: {why}" for name, why in count.catalog.wrong],
            }
        )
    else:
        _show(count, odoo_version=odoo_version)
    return 0 if count.is_good else 1


def _show(count: Count, *, odoo_version: str) -> None:
    print_table(
        ("WHAT", "COUNT"),
        [
            ("store views", count.catalog.stores),
            ("categories", count.catalog.categories),
            ("products", count.catalog.products),
            ("customers' accounts", count.catalog.customers),
            ("order events published", count.events),
            ("jobs", count.jobs),
            ("faults thrown by the sandbox", count.faults),
            ("retries", count.retries),
            ("orders", count.orders),
            ("exact to the cent", count.exact),
            ("doubled", count.doubled),
            ("lost", count.lost),
        ],
        empty="",
        right=("COUNT",),
    )
    wrong = [*count.catalog.wrong, *((f"order {number}", why) for number, why in count.wrong)]
    if wrong:
        print_table(("WHAT", "WHAT IS WRONG"), wrong[:20], empty="")
    verdict = (
        "Every product and every order is in Odoo once, the orders to the cent."
        if count.is_good
        else "This must not happen: see above."
    )
    click.echo(f"{verdict} Odoo {odoo_version}, {count.seconds:.1f} s.")
