"""``bridge migrate``, ``pause``, ``resume``, ``doctor``."""

from __future__ import annotations

import click

from bridge.bootstrap import open_ledger
from bridge.cli.app import App, pass_app, person
from bridge.cli.output import json_option, print_json, print_table
from bridge.flows.wants import PLACES


@click.command()
@pass_app
def migrate(app: App) -> None:
    """Bring the ledger to this version's schema."""
    open_ledger(app.settings, migrate=True).close()
    click.echo("The ledger has this version's schema.")


@click.command()
@click.argument("flow", required=False, metavar="[FLOW]", type=click.Choice(sorted(PLACES)))
@click.option("--instance", "instance_name", metavar="NAME", help="Only of this instance.")
@pass_app
def pause(app: App, flow: str | None, instance_name: str | None) -> None:
    """Start no more jobs: of FLOW, or of all flows. What runs ends; what comes waits."""
    name = app.instance_name(instance_name)
    app.ledger.pauses.pause(name, flow, by=person())
    click.echo(f"Paused {_what(flow, name)}. Events are still taken; `bridge resume` lets their jobs go on.")


@click.command()
@click.argument("flow", required=False, metavar="[FLOW]", type=click.Choice(sorted(PLACES)))
@click.option("--instance", "instance_name", metavar="NAME")
@pass_app
def resume(app: App, flow: str | None, instance_name: str | None) -> int:
    """Start jobs again that `pause` held back."""
    name = app.instance_name(instance_name)
    if app.ledger.pauses.resume(name, flow):
        click.echo(f"Resumed {_what(flow, name)}.")
        return 0
    known = "; ".join(_what(one.flow, one.instance) for one in app.ledger.pauses.list())
    others = f"These are: {known}." if known else "Nothing is paused."
    click.echo(f"There is no pause of {_what(flow, name)} to end. {others}", err=True)
    return 1


@click.command()
@json_option
@pass_app
def doctor(app: App, *, as_json: bool) -> int:
    """Check ledger, broker, processes, clocks and credentials; say what to do."""
    from bridge.doctor import examine  # noqa: PLC0415  # not needed by other commands

    findings = examine(app.settings, lambda: app.ledger)
    if as_json:
        print_json(findings)
    else:
        states = {"ok": "ok", "problem": "PROBLEM", "note": "note"}
        rows = [(one.name, states[one.state], one.text) for one in findings]
        print_table(("CHECK", "RESULT", "WHAT WAS FOUND, AND WHAT TO DO"), rows, empty="")
    return 0 if all(one.is_ok for one in findings) else 1


def _what(flow: str | None, instance: str | None) -> str:
    return f"{flow or 'all flows'} of {instance or 'all instances'}"
