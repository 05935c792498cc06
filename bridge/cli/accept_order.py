"""``bridge orders accept``: say that an order is right as it is now in Magento and in Odoo."""

from __future__ import annotations

from typing import Any

import click

from bridge.cli.app import App, pass_app
from bridge.cli.mapping_words import by_option
from bridge.cli.orders import OrderNumber, entity_of
from bridge.cli.output import json_option, print_json, print_table, print_text
from bridge.cli.waiting import Followed, follow, hint
from bridge.engine import preview_context
from bridge.flows.accept_order import Sides, look
from bridge.flows.wants import want

_LONGEST_REASON = 500


@click.group()
def orders() -> None:
    """Decide about single orders."""


@orders.command()
@click.argument("increment_id", type=OrderNumber())
@click.option("--why", metavar="REASON", help="Why they may differ, for the history; needed to accept.")
@by_option
@click.option("--dry-run", is_flag=True, help="Only show what differs.")
@click.option("--instance", "instance_name", metavar="NAME", help="May be left out where there is only one.")
@click.option("--store-id", type=click.IntRange(0), help="Where several store views have the number.")
@click.option("--wait", is_flag=True, help="Show progress until it ends; embedded runs it itself.")
@json_option
@pass_app
def accept(  # one parameter an option
    app: App,
    increment_id: str,
    *,
    why: str | None,
    by: str,
    dry_run: bool,
    instance_name: str | None,
    store_id: int | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Accept the order INCREMENT_ID as it is now on both sides.

    For an order that was changed in Magento after its import, and by hand in Odoo. Shows what differs, writes no line, price
    or tax, and looks at later changes from there.
    """
    if why is None and not dry_run:
        raise click.UsageError(
            "Say why they may differ, for the history: --why REASON. --dry-run only shows it."
        )
    reason = " ".join((why or "").split())
    if not dry_run and not (0 < len(reason) <= _LONGEST_REASON and reason.isprintable()):
        raise click.UsageError(f"--why is a text of 1 to {_LONGEST_REASON} characters.")
    instance = app.instance(instance_name)
    entity = entity_of(app, instance, increment_id, store_id=store_id)
    sides = look(preview_context(app.runtime, instance.name), str(entity))
    shown: dict[str, Any] = {"instance": instance.name, "differs": sides.as_data(), "accepts": sides.blocks}
    if not as_json:
        _show(sides)
    if dry_run or not sides.blocks:
        if as_json:
            print_json(shown)
        return 0
    data = {"by": by, "why": reason, "seen": sides.digest}
    wanted = want(
        "accept-order", instance=instance.name, entity=str(entity), label=sides.order.increment_id, data=data
    )
    followed = Followed(job_ids=[one.job_id for one in app.ledger.jobs.want([wanted])])
    if wait:
        follow(app, followed)
    if as_json:
        print_json({**shown, **followed.as_data(app.ledger)})
    else:
        followed.show(app.ledger)
    if not wait:
        print_text(hint(app), err=True)
        return 0
    return 0 if followed.is_good(app.ledger) else 1


def _show(sides: Sides) -> None:
    found = sides.as_data()
    print_text(
        f"Order {found['increment_id']} is {found['sale_order']} ({found['sale_order_state']}) in Odoo. Magento "
        f"{found['magento_total']}, Odoo {found['odoo_total']} {found['currency']}, difference {found['difference']}."
    )
    rows = [("Magento", one["field"], one["was"], one["now"]) for one in found["magento"]]
    rows += [
        ("Odoo", f"quantity of {one['name'] or one['line_id']}", one["was"], _now(one["now"]))
        for one in found["odoo"]
    ]
    print_table(
        ("WHERE", "WHAT", "WAS", "IS"),
        rows,
        empty="Nothing differs from what was imported or accepted last.",
        fold=("WHAT", "WAS", "IS"),
    )
    if not sides.blocks:
        print_text("There is nothing to accept: what changed is carried over, or is Odoo's alone.")


def _now(quantity: Any) -> str:
    return "not there any more" if quantity is None else str(quantity)
