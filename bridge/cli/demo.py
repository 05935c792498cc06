"""``bridge demo``: the main job in one process, against the sandbox, with faults on."""

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
_ENDED = ("done", "failed", "blocked", "cancelled")


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
    """Import orders of all kinds from a simulated Magento into a simulated Odoo, and count what became of them.

    Exits with 1 if an order is lost, doubled or off by a cent.
    """
    # It brings in the sandbox and the consumers, which no other command should wait for.
    from bridge.cli.demo_world import run_world  # noqa: PLC0415

    logging.getLogger().setLevel(logging.ERROR)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("importing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
        console=console(stderr=True),
        transient=True,
    )
    with nullcontext() if as_json else bar:
        task = bar.add_task("orders", total=orders, what="")

        def show(counts: Mapping[str, int]) -> None:
            ended = sum(counts.get(state, 0) for state in _ENDED)
            what = "  ".join(
                f"{state.replace('_', ' ')} {counts[state]}" for state in _OPEN if counts.get(state)
            )
            bar.update(task, completed=ended, what=what)

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
            }
        )
    else:
        _show(count, odoo_version=odoo_version)
    return 0 if count.is_good else 1


def _show(count: Count, *, odoo_version: str) -> None:
    print_table(
        ("WHAT", "COUNT"),
        [
            ("events published", count.events),
            ("jobs", count.jobs),
            ("faults thrown by the sandbox", count.faults),
            ("retries", count.retries),
            ("orders", count.orders),
            ("exact to the cent", count.exact),
            ("doubled", count.doubled),
            ("lost", count.lost),
        ],
        empty="",
    )
    if count.wrong:
        print_table(("ORDER", "WHAT IS WRONG"), count.wrong[:20], empty="")
    verdict = (
        "Every order is in Odoo once, to the cent." if count.is_good else "This must not happen: see above."
    )
    click.echo(f"{verdict} Odoo {odoo_version}, {count.seconds:.1f} s.")
