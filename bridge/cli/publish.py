"""``bridge publish TYPE``: a test event, through the broker as a publisher sends it, or straight into an embedded ledger."""

from __future__ import annotations

import click
from pydantic import ValidationError

from bridge.cli.app import App, pass_app
from bridge.cli.output import json_option, print_json, print_text
from bridge.settings import EMBEDDED_BROKER_URL
from schemas.events import EVENT_TYPES, Envelope, new_event


@click.command()
@click.argument("event_type", metavar="TYPE", type=click.Choice(sorted(EVENT_TYPES)))
@click.option("--instance", "instance_name", metavar="NAME", help="May be left out where there is only one.")
@click.option(
    "--id", "record_id", type=click.IntRange(1), required=True, help="The record's id in its system."
)
@click.option("--version", metavar="TEXT", help="Its updated_at or write_date in UTC: 2026-11-01 10:20:30.")
@json_option
@pass_app
def publish(
    app: App,
    event_type: str,
    *,
    instance_name: str | None,
    record_id: int,
    version: str | None,
    as_json: bool,
) -> int:
    """Publish a test event of TYPE about one record, such as magento.order.saved."""
    name = app.instance(instance_name).name
    try:
        event = new_event(event_type, name, record_id=record_id, version=version)
    except ValidationError as exc:
        fields = ", ".join(
            ".".join(str(part) for part in one["loc"]) for one in exc.errors(include_input=False)
        )
        raise click.UsageError(
            f"This cannot stand in an event: {fields}. A version looks like 2026-11-01 10:20:30, an id is a number."
        ) from None
    if app.settings.broker_url == EMBEDDED_BROKER_URL:
        dead = _take(app, event)
        where = "the ledger"
    else:
        from producers.publisher import Publisher  # noqa: PLC0415  # the command line stands above the producers

        with Publisher(app.settings.broker_url) as publisher:
            publisher.publish([event])
        dead, where = None, "the broker"
    if as_json:
        print_json({"event": event.model_dump(exclude_none=True), "taken_by": where, "dead": dead})
    elif dead is None:
        print_text(f"Event {event.id} was taken by {where}.")
    else:
        print_text(f"Event {event.id} became a dead event: {dead}", err=True)
    return 0 if dead is None else 1


def _take(app: App, event: Envelope) -> str | None:
    """Take ``event`` into the embedded ledger as intake would; return why it became a dead event, if it did."""
    from consumers.receiving import Message, Receiver  # noqa: PLC0415  # as above

    received = Receiver(app.ledger).receive([Message(body=event.to_bytes(), routing_key=event.type)])
    if not received.dead:
        return None
    newest = app.ledger.events.dead(limit=1)
    return newest[0].reason if newest else "unknown"
