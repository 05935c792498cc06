"""``bridge jobs``: see what happens, and act on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import click

from bridge.cli.app import App, pass_app
from bridge.cli.groups import Commands
from bridge.cli.output import json_option, print_fields, print_json, print_table
from bridge.ledger import Change, Job, JobId, JobState

#: States in which the last attempt's error says why the job is there.
#: SKUs named in a line.
_SHOWN_SKUS = 3
_WITH_ERROR = frozenset({"retry_waiting", "blocked", "failed", "cancelled"})
STATES: tuple[str, ...] = get_args(JobState)
#: Jobs read at once where all of a state are meant.
_PAGE = 500


#: What may become of records of a catalog, in the words of results.
OUTCOMES = ("made", "bound", "changed", "updated", "unchanged", "conflicts", "without_sku")


@click.group(cls=Commands)
def jobs() -> None:
    """Units of work: list, show, retry, cancel."""


@jobs.command(name="list")
@click.option("--instance", "instance_name", metavar="NAME")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="May be repeated.")
@click.option("--kind", metavar="KIND", help="import-order, import-orders, ...")
@click.option("--entity", metavar="ENTITY", help="What the work is about: an entity id, a number.")
@click.option("--label", metavar="LABEL", help="What people call it: an order's number.")
@click.option("--before", type=int, metavar="ID", help="Only jobs older than this one.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@pass_app
def list_(  # one parameter an option
    app: App,
    *,
    instance_name: str | None,
    states: tuple[str, ...],
    kind: str | None,
    entity: str | None,
    label: str | None,
    before: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List jobs, newest first."""
    found = app.ledger.jobs.list(
        instance=app.instance_name(instance_name),
        states=states,
        kind=kind,
        entity=entity,
        label=label,
        before=None if before is None else JobId(before),
        limit=limit,
    )
    if as_json:
        print_json([describe(job) for job in found])
        return
    print_table(
        ("ID", "INSTANCE", "KIND", "ENTITY", "LABEL", "STATE", "RETRIES", "CREATED", "WHAT"),
        [
            (
                job.id,
                job.instance,
                job.kind,
                entity_text(job),
                job.label,
                job.state,
                job.retry_count,
                job.created_at,
                why(job),
            )
            for job in found
        ],
        empty="No jobs fit.",
        spare=("INSTANCE", "CREATED", "RETRIES"),
    )


@jobs.command()
@click.argument("job_id", type=int)
@click.option("--trace", is_flag=True, help="With the trace of a defect, for its report.")
@json_option
@pass_app
def show(app: App, job_id: int, *, trace: bool, as_json: bool) -> None:
    """Show a job with its attempts."""
    job = app.ledger.jobs.get(JobId(job_id))
    if job is None:
        raise click.UsageError(f"There is no job {job_id}.")
    attempts = app.ledger.jobs.attempts(job.id)
    if as_json:
        whole = describe(job, trace=trace)
        whole["attempts"] = [_attempt(one) for one in attempts]
        print_json(whole)
        return
    print_fields(describe(job, trace=trace))
    if attempts:
        click.echo()
        print_table(
            ("ATTEMPT", "STARTED", "ENDED", "OUTCOME", "ERROR"),
            [(one.number, one.started_at, one.ended_at, one.outcome, one.error) for one in attempts],
            empty="",
            spare=("ENDED",),
        )


@jobs.command()
@click.argument("job_ids", type=int, nargs=-1)
@click.option("--state", type=click.Choice(["blocked", "failed"]), help="All jobs in this state.")
@click.option("--kind", metavar="KIND", help="With --state: only those of this kind.")
@click.option(
    "--instance", "instance_name", metavar="NAME", help="With --state: only those of this instance."
)
@pass_app
def retry(
    app: App, job_ids: tuple[int, ...], *, state: str | None, kind: str | None, instance_name: str | None
) -> int:
    """Run jobs again that wait, are blocked or have failed: those named, or all in a state."""
    if bool(job_ids) == bool(state):
        raise click.UsageError("Name the jobs, or give --state blocked or --state failed for all of them.")
    if state is None:
        return _act(app.ledger.jobs.retry(JobId(job_id)) for job_id in job_ids)
    retried = _retry_all(app, instance=app.instance_name(instance_name), state=state, kind=kind)
    click.echo(f"{retried} {state} jobs will run again." if retried else f"No job is {state}.")
    return 0


def _retry_all(app: App, *, instance: str | None, state: str, kind: str | None) -> int:
    retried, before = 0, None
    while page := app.ledger.jobs.list(
        instance=instance, states=(state,), kind=kind, before=before, limit=_PAGE
    ):
        retried += sum(app.ledger.jobs.retry(job.id).changed for job in page)
        before = page[-1].id
    return retried


@jobs.command()
@click.argument("job_ids", type=int, nargs=-1, required=True)
@pass_app
def cancel(app: App, job_ids: tuple[int, ...]) -> int:
    """Cancel jobs; a running one stops before its next write."""
    return _act(app.ledger.jobs.cancel(JobId(job_id)) for job_id in job_ids)


def describe(job: Job, *, trace: bool = False) -> dict[str, Any]:
    """Return a job as commands show it."""
    shown: dict[str, Any] = {
        "id": job.id,
        "kind": job.kind,
        "instance": job.instance,
        "entity": job.entity,
        "label": job.label,
        "external_key": job.external_key,
        "state": job.state,
        "retry_count": job.retry_count,
        "attempt": job.attempt,
        "next_attempt_at": job.next_attempt_at if job.state == "retry_waiting" else None,
        "waits_for": job.waits_for,
        "error_code": job.error_code,
        "error": job.error,
        "help": job.help,
        "result": job.result,
        "run_id": job.run_id,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }
    if trace:
        shown["trace"] = job.trace
    return shown


#: What a result names products for, and how that is said.
_LACKING = {
    "missing": "not in Odoo",
    "not_in_magento": "not in Magento",
    "costs_nothing": "costs nothing in Odoo, so it is not made in Magento",
}


def why(job: Job) -> str:
    """Return in a few words why a job is where it is."""
    if job.state == "retry_waiting" and job.waits_for:
        return f"waits for {job.waits_for}"
    if job.error and job.state in _WITH_ERROR:
        return job.error
    result = job.result or {}
    for name, words in _LACKING.items():
        if missing := result.get(name):
            more = ", ..." if len(missing) > _SHOWN_SKUS else ""
            return f"{words}: {', '.join(missing[:_SHOWN_SKUS])}{more}"
    return str(result.get("sale_order") or result.get("summary") or outcome(result))


def entity_text(job: Job) -> str:
    """Return a job's entity as people say it: that of a run is made of its arguments."""
    if not job.entity.startswith("{"):
        return job.entity
    skus, since = job.data.get("skus"), job.data.get("updated_from")
    words = [", ".join(skus[:_SHOWN_SKUS]) + (", ..." if len(skus) > _SHOWN_SKUS else "")] if skus else []
    words += [f"since {since[:10]}"] if isinstance(since, str) else []
    words += [
        name.replace("_", " ") for name in ("dry_run", "verify", "look", "preview") if job.data.get(name)
    ]
    return "; ".join(words) or job.entity


def outcome(result: Mapping[str, Any]) -> str:
    """Return how many records of the catalog a job made, found, changed and left as they are."""
    of_categories = result.get("categories")
    counts = of_categories if isinstance(of_categories, Mapping) else result
    found = {name: counts.get(name) for name in OUTCOMES}
    return ", ".join(
        f"{number} {name.replace('_', ' ')}"
        for name, number in found.items()
        if isinstance(number, int) and number
    )


def _attempt(one: Any) -> dict[str, Any]:
    return {
        "number": one.number,
        "started_at": one.started_at,
        "ended_at": one.ended_at,
        "outcome": one.outcome,
        "error": one.error,
        "help": one.help,
    }


def _act(changes: Any) -> int:
    code = 0
    for change in changes:
        found: Change = change
        click.echo(f"job {found.job_id}: {found.note or found.state}", err=not found.changed)
        code = code if found.changed else 1
    return code
