"""``bridge conflicts``: edits on the side that is not the master of a field, and whose value is to hold."""

from __future__ import annotations

import click

from bridge.cli.app import App, pass_app
from bridge.cli.groups import Commands
from bridge.cli.output import json_option, print_json, print_table, print_text
from bridge.cli.waiting import Followed, end
from bridge.flows.price_following import PRICE_BINDING
from bridge.flows.wants import want
from bridge.ledger import Conflict
from bridge.translate.price_titles import said_price, title_of_price
from bridge.translate.product_fields import title_of
from bridge.translate.product_text import plain_text

_LONGEST = 60
_NAMES = {"magento": "Magento", "odoo": "Odoo"}


@click.group(cls=Commands)
def conflicts() -> None:
    """Edits that the master's side does not have: see them, and say whose value holds."""


@conflicts.command(name="list")
@click.option("--instance", "instance_name", metavar="NAME", help="May be left out where there is only one.")
@click.option("--all", "show_all", is_flag=True, help="Those that were resolved or are gone, too.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@pass_app
def list_(app: App, *, instance_name: str | None, show_all: bool, limit: int, as_json: bool) -> None:
    """List conflicts, oldest first."""
    states = ("open", "resolved", "gone") if show_all else ("open",)
    found = app.ledger.conflicts.list(app.instance(instance_name).name, states=states, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "PRODUCT", "FIELD", "MASTER", "MAGENTO", "ODOO", "STATE", "SEEN"),
        [
            (
                one.id,
                one.label or one.magento_id,
                _title(one),
                _NAMES[one.master],
                _value(one, one.magento_value),
                _value(one, one.odoo_value),
                _state(one),
                one.last_seen_at,
            )
            for one in found
        ],
        empty="No conflicts.",
        fold=("MAGENTO", "ODOO"),
        spare=("SEEN",),
    )
    if any(one.state == "open" for one in found):
        print_text("Decide: bridge conflicts resolve ID --use magento|odoo")


@conflicts.command()
@click.argument("conflict_id", metavar="ID", type=click.IntRange(1))
@json_option
@pass_app
def show(app: App, *, conflict_id: int, as_json: bool) -> None:
    """Show a conflict with both values as a whole."""
    one = _known(app, conflict_id)
    if as_json:
        print_json(one)
        return
    print_text(f"{one.label or one.magento_id}: {_title(one)}. Master: {_NAMES[one.master]}. {_state(one)}.")
    for name, value in (("Magento", one.magento_value), ("Odoo", one.odoo_value)):
        print_text(f"{name}: {said_price(one.field, value) if one.kind == PRICE_BINDING else value}")


@conflicts.command()
@click.argument("conflict_id", metavar="ID", type=click.IntRange(1))
@click.option(
    "--use", type=click.Choice(["magento", "odoo"]), required=True, help="Whose value holds on both sides."
)
@click.option("--wait", is_flag=True, help="Show progress until it ends; embedded runs it itself.")
@json_option
@pass_app
def resolve(app: App, *, conflict_id: int, use: str, wait: bool, as_json: bool) -> int:
    """Let one side's value hold: it is written to the other."""
    one = _known(app, conflict_id)
    if one.state != "open":
        raise click.UsageError(f"The conflict {one.id} is {one.state} already.")
    # Who writes prices into Magento waits for who else does.
    is_price = one.kind == PRICE_BINDING and one.master == "odoo"
    kind = "resolve-price-conflict" if is_price else "resolve-conflict"
    wanted = want(kind, instance=one.instance, entity=str(one.id), label=one.label, data={"use": use})
    job_ids = [job.job_id for job in app.ledger.jobs.want([wanted])]
    return end(app, Followed(job_ids=job_ids), wait=wait, as_json=as_json)


def _known(app: App, conflict_id: int) -> Conflict:
    one = app.ledger.conflicts.get(conflict_id)
    if one is None:
        raise click.UsageError(f"There is no conflict {conflict_id}. See them: bridge conflicts list")
    return one


def _title(one: Conflict) -> str:
    return title_of_price(one.field) if one.kind == PRICE_BINDING else title_of(one.field)


def _state(one: Conflict) -> str:
    if one.state == "resolved":
        return f"resolved: {_NAMES[str(one.used)]}"
    if one.state == "open" and one.overwritten_at is not None:
        return f"{_NAMES[one.edited]}'s edit was overwritten"
    return one.state


def _value(one: Conflict, value: str) -> str:
    if one.kind == PRICE_BINDING:
        return said_price(one.field, value)
    text = " ".join(plain_text(value).split()) if one.field.startswith("description") else value
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
