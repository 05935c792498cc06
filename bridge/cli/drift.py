"""Drift on the command line: check Magento's stock, and read what was found and why."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from bridge.cli.app import App, pass_app
from bridge.cli.drift_words import causes_text, counts_text, csv_columns, csv_row, has_text, line_data, signed
from bridge.cli.groups import Commands
from bridge.cli.output import json_option, print_json, print_table, print_text
from bridge.cli.run import job_options, run
from bridge.cli.waiting import end, start_run
from bridge.flows.check_drift import MOST_UNBOUND
from bridge.ledger import DriftLine, DriftSummary, Ledger, RunId
from bridge.translate.drift import SEVERITIES
from bridge.translate.money import plain

_SHOWN = 50
_PAGE = 1000
_NOT_OK = tuple(one for one in SEVERITIES if one != "ok")

_instance = click.option(
    "--instance", "instance_name", metavar="NAME", help="May be left out where there is only one."
)


@run.command(name="drift")
@job_options
@pass_app
def check(app: App, *, instance_name: str | None, wait: bool, as_json: bool) -> int:
    """Compare what Magento has in stock with what it should have. Changes nothing."""
    name = app.instance(instance_name).name
    followed = start_run(app, name, "drift", {})
    code = end(app, followed, wait=wait, as_json=as_json)
    if wait and not as_json and followed.run_id is not None:
        _show_summaries(app.ledger.drift.summaries(name, followed.run_id))
        print_text("See the lines: bridge drift show")
    return code


@click.group(cls=Commands)
def drift() -> None:
    """See where Magento's stock is not what it should be, and why."""


@drift.command()
@click.option("--run", "run_id", type=click.IntRange(1), help="A check's number; else the newest that ended.")
@click.option("--severity", "severities", multiple=True, type=click.Choice(_NOT_OK), help="Only these lines.")
@click.option("--sku", help="Only lines of this SKU.")
@click.option("--csv", "as_csv", is_flag=True, help="Print all lines as CSV, a column for each cause.")
@_instance
@json_option
@pass_app
def show(
    app: App,
    *,
    run_id: int | None,
    severities: tuple[str, ...],
    sku: str | None,
    as_csv: bool,
    instance_name: str | None,
    as_json: bool,
) -> int:
    """Show what a check of drift found: each line with its causes and their units."""
    if as_csv and as_json:
        raise click.UsageError("Give --csv or --json, not both.")
    name = app.instance(instance_name).name
    found = _run_of(app.ledger, name, run_id)
    if found is None:
        print_text("No check of drift has ended yet. Run one: bridge run drift --wait", err=True)
        return 1
    summaries = app.ledger.drift.summaries(name, found)
    lines = lines_of(app.ledger, found, severities or _NOT_OK, sku)
    if as_json:
        shown = [line_data(line) for line in lines]
        print_json({"run": found, "summary": [asdict(one) for one in summaries], "lines": shown})
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(csv_columns())
        writer.writerows(csv_row(line) for line in lines)
    else:
        _show_summaries(summaries)
        click.echo()
        _show_lines(list(lines))
        _say_unlisted(summaries, severities, sku)
    return 0


@drift.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@_instance
@json_option
@pass_app
def history(app: App, *, limit: int, instance_name: str | None, as_json: bool) -> None:
    """Show the figures of the checks, newest first: drift over time."""
    summaries = app.ledger.drift.history(app.instance(instance_name).name, limit=limit)
    if as_json:
        print_json({"runs": [asdict(one) for one in summaries]})
    else:
        _show_summaries(summaries, is_history=True)


def _run_of(ledger: Ledger, name: str, run_id: int | None) -> RunId | None:
    """Return the check that is asked for, or the newest that ended.

    Raises:
        UsageError: there is no such check.
    """
    if run_id is None:
        return ledger.drift.latest(name)
    if not ledger.drift.summaries(name, RunId(run_id)):
        raise click.UsageError(f"There is no check of drift {run_id}. See them: bridge drift history")
    return RunId(run_id)


def lines_of(
    ledger: Ledger, run_id: RunId, severities: Sequence[str], sku: str | None = None
) -> Iterator[DriftLine]:
    """Return the lines of a check, read page by page."""
    after: DriftLine | None = None
    while True:
        page = ledger.drift.lines(run_id, severities=severities, sku=sku, after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1]


def _show_summaries(summaries: Sequence[DriftSummary], *, is_history: bool = False) -> None:
    counts = ("checked", "ok", "warning", "critical", "not_found", "not_in_odoo")
    print_table(
        ("CHECK", "AT", "SOURCE", *(counts_text(name) for name in counts), "TOO MANY", "TOO FEW"),
        [
            (
                one.run_id,
                one.started_at,
                one.source,
                *(getattr(one, name) for name in counts),
                plain(one.too_many),
                plain(one.too_few),
            )
            for one in summaries
        ],
        empty="No check of drift has ended yet. Run one: bridge run drift --wait" if is_history else "",
        right=(*(counts_text(name) for name in counts), "TOO MANY", "TOO FEW"),
        spare=("TOO FEW", "TOO MANY"),
    )


def _show_lines(lines: Sequence[DriftLine]) -> None:
    print_table(
        ("SOURCE", "SKU", "SEVERITY", "HAS", "SHOULD HAVE", "DIFFERENCE", "CAUSES"),
        [
            (
                line.source,
                line.sku,
                counts_text(line.severity).lower(),
                has_text(line.found),
                has_text(line.target),
                signed(line.difference),
                causes_text(line),
            )
            for line in lines[:_SHOWN]
        ],
        empty="Nothing differs.",
        right=("HAS", "SHOULD HAVE", "DIFFERENCE"),
    )
    if len(lines) > _SHOWN:
        print_text(f"and {len(lines) - _SHOWN} more: bridge drift show --csv")


def _say_unlisted(summaries: Sequence[DriftSummary], severities: Sequence[str], sku: str | None) -> None:
    if sku is not None or (severities and "not_in_odoo" not in severities):
        return
    total = sum(one.not_in_odoo for one in summaries)
    if total:
        print_text(
            f"Rows of Magento that nothing of Odoo stands for: {total} (listed are up to {MOST_UNBOUND} of a source). "
            "Import their products: bridge run import-products. Or map a source to a warehouse: bridge mappings set "
            "source CODE WAREHOUSE_ID."
        )
