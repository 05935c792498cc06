"""``bridge events``: change events that arrived, and the dead ones that could not be read."""

from __future__ import annotations

import click

from bridge.cli.app import App, pass_app
from bridge.cli.groups import Commands
from bridge.cli.output import json_option, print_fields, print_json, print_table, print_text
from bridge.errors import BridgeError

#: People are shown no more of a body.
_SHOWN_BYTES = 20_000


@click.group(cls=Commands)
def events() -> None:
    """Change events and dead events: list, show, replay."""


@events.command(name="list")
@click.option("--instance", "instance_name", metavar="NAME")
@click.option("--dead", "only_dead", is_flag=True, help="Only messages that could not be read.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@pass_app
def list_(app: App, *, instance_name: str | None, only_dead: bool, limit: int, as_json: bool) -> None:
    """List events, newest first; dead ones stand on top with their reason."""
    dead = app.ledger.events.dead(limit=limit)
    name = app.instance_name(instance_name)
    alive = [] if only_dead else app.ledger.events.list(instance=name, limit=limit)
    if as_json:
        print_json(
            {
                "dead": [
                    {
                        "id": one.id,
                        "reason": one.reason,
                        "routing_key": one.routing_key,
                        "size": one.size,
                        "received_at": one.received_at,
                        "replayed_at": one.replayed_at,
                    }
                    for one in dead
                ],
                "events": alive,
            }
        )
        return
    if dead or only_dead:
        print_table(
            ("DEAD", "REASON", "ROUTING KEY", "BYTES", "RECEIVED", "REPLAYED"),
            [
                (one.id, one.reason, one.routing_key, one.size, one.received_at, one.replayed_at)
                for one in dead
            ],
            empty="No dead events.",
            fold=("REASON",),
            spare=("BYTES", "REPLAYED"),
        )
    if not only_dead:
        print_table(
            ("ID", "INSTANCE", "TYPE", "SUBJECT", "RECEIVED"),
            [(one.id, one.instance, one.type, one.subject, one.received_at) for one in alive],
            empty="No events yet.",
            fold=("TYPE",),
            spare=("INSTANCE",),
        )


@events.command()
@click.argument("dead_id", type=int)
@json_option
@pass_app
def show(app: App, dead_id: int, *, as_json: bool) -> None:
    """Show a dead event with its body."""
    found = app.ledger.events.get_dead(dead_id)
    if found is None:
        raise click.UsageError(f"There is no dead event {dead_id}.")
    if as_json:
        print_json(found)
        return
    print_fields(
        {
            "id": found.id,
            "reason": found.reason,
            "routing key": found.routing_key,
            "bytes": found.size,
            "received": found.received_at,
            "replayed": found.replayed_at,
            "headers": found.headers,
        }
    )
    print_text(f"\n{found.body[:_SHOWN_BYTES].decode('utf-8', errors='replace')}")
    if found.size > _SHOWN_BYTES:
        click.echo(f"... ({found.size} bytes in all)")


@events.command()
@click.argument("dead_id", type=int)
@pass_app
def replay(app: App, dead_id: int) -> int:
    """Read a dead event again, as intake would now: after the instance was added, or the bridge updated."""
    from consumers.receiving import read_message  # noqa: PLC0415  # the command line stands above the consumers

    found = app.ledger.events.get_dead(dead_id)
    if found is None:
        raise click.UsageError(f"There is no dead event {dead_id}.")
    if found.size > len(found.body):
        raise click.UsageError("Its body was too large to be kept whole; let the sender publish it again.")
    try:
        arrival = read_message(
            found.body,
            content_type=found.headers.get("content_type"),
            content_encoding=found.headers.get("content_encoding"),
            instances=app.ledger.instances.names(),
        )
    except BridgeError as exc:
        print_text(f"It still cannot be read: {exc.message}", err=True)
        return 1
    taken = app.ledger.events.take([arrival])
    app.ledger.events.mark_replayed(dead_id)
    click.echo(
        f"Replayed: {', '.join(f'job {one.job_id}' for one in taken.wanted) or 'it was known already'}."
    )
    return 0


def _text(value: object) -> str | None:
    return None if value is None else str(value)
