"""``bridge logs``: the sync log, every call to Odoo and Magento with its secrets masked."""

from __future__ import annotations

import json
import uuid

import click

from bridge.cli.app import App, pass_app
from bridge.cli.groups import Commands
from bridge.cli.output import json_option, print_fields, print_json, print_table, print_text
from bridge.ledger import JobId


@click.group(cls=Commands)
def logs() -> None:
    """Every call to Odoo and Magento: list, show."""


@logs.command(name="list")
@click.option("--instance", "instance_name", metavar="NAME")
@click.option("--job", "job_id", type=int, metavar="ID", help="Only the calls of this job.")
@click.option("--system", type=click.Choice(["magento", "odoo"]))
@click.option("--errors", "only_errors", is_flag=True, help="Only calls that failed.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@pass_app
def list_(  # one parameter an option
    app: App,
    *,
    instance_name: str | None,
    job_id: int | None,
    system: str | None,
    only_errors: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List calls, newest first."""
    found = app.ledger.exchanges.list(
        instance=app.instance_name(instance_name),
        job_id=None if job_id is None else JobId(job_id),
        system=system,
        only_errors=only_errors,
        limit=limit,
    )
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "STARTED", "JOB", "SYSTEM", "STATUS", "MS", "CALL", "ERROR"),
        [
            (
                one.id,
                one.started_at,
                one.job_id,
                one.system,
                one.status,
                one.duration_ms,
                one.operation or f"{one.method} {one.url}",
                one.error,
            )
            for one in found
        ],
        empty="No calls fit.",
        fold=("CALL", "ERROR"),
        spare=("JOB", "MS", "SYSTEM", "STARTED"),
    )


@logs.command()
@click.argument("exchange_id", type=click.UUID)
@json_option
@pass_app
def show(app: App, exchange_id: uuid.UUID, *, as_json: bool) -> None:
    """Show one call with its request and answer."""
    found = app.ledger.exchanges.get(exchange_id)
    if found is None:
        raise click.UsageError(f"There is no call {exchange_id}.")
    bodies = app.ledger.exchanges.bodies(exchange_id)
    request = _readable(bodies.request) if bodies else "(dropped by retention)"
    response = _readable(bodies.response) if bodies else "(dropped by retention)"
    if as_json:
        print_json({"exchange": found, "request_body": request, "response_body": response})
        return
    print_fields(
        {
            "id": found.id,
            "job": found.job_id,
            "attempt": found.attempt,
            "operation": found.operation,
            "call": f"{found.method} {found.url}",
            "status": found.status,
            "error": found.error,
            "started": found.started_at,
            "milliseconds": found.duration_ms,
        }
    )
    print_text(f"\nrequest\n{request}\n\nanswer\n{response}")


def _readable(body: bytes) -> str:
    text = body.decode("utf-8", errors="replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text
