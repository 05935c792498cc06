"""``bridge run fix-drift``: lets the exports mend what differs, and shows it before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from bridge.cli.app import App, pass_app
from bridge.cli.drift import lines_of
from bridge.cli.drift_words import has_text, line_data, signed
from bridge.cli.output import print_json, print_table, print_text
from bridge.cli.run import job_options
from bridge.cli.waiting import Followed, follow, hint
from bridge.engine import preview_context
from bridge.flows.fix_drift import drift_now
from bridge.flows.wants import wake_stock
from bridge.ledger import OPEN_STATES, Ledger, SeenDrift

_SHOWN = 50
_PAGE = 1000
#: What an export can mend.
_MENDABLE = ("critical", "warning", "not_found")
#: What became of a line, by its source and Magento's product.
_Now = dict[tuple[str, str], SeenDrift]


@click.command(name="fix-drift")
@click.argument("skus", nargs=-1, metavar="[SKU]...")
@click.option(
    "--severity",
    type=click.Choice(("critical", "warning", "not_found", "all")),
    help="Lines of the newest check that are so; without SKUs all.",
)
@job_options
@pass_app
def fix_drift(
    app: App,
    *,
    skus: tuple[str, ...],
    severity: str | None,
    instance_name: str | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Export the stock of products that differ, by SKU or of the newest check; shows them before and after."""
    if skus and severity:
        raise click.UsageError("Give SKUs or --severity, not both.")
    name = app.instance(instance_name).name
    ids = _ids_of(app, name, skus) if skus else _ids_of_check(app.ledger, name, severity or "all")
    if ids is None:
        print_text("No check of drift has ended yet. Run one: bridge run drift --wait", err=True)
        return 1
    before = _now(app, name, ids)
    if not before:
        if as_json:
            print_json({"jobs": [], "lines": []})
        else:
            print_text("Nothing differs: Magento has what it should have.")
        return 0
    app.ledger.stock.mark(
        name,
        sorted({magento_id for _, magento_id in before}),
        wake=wake_stock(name, delay_seconds=0.0),
        by_hand=True,
    )
    jobs = app.ledger.jobs.list(instance=name, kind="export-stock", states=OPEN_STATES)
    followed = Followed(job_ids=[job.id for job in jobs])
    after: _Now | None = None
    if wait:
        follow(app, followed)
        _follow_own_jobs(app, name, before, followed)
        after = _now(app, name, sorted({magento_id for _, magento_id in before}))
    if as_json:
        shown = [_as_data(key, line, after) for key, line in before.items()]
        print_json({"jobs": followed.as_data(app.ledger)["jobs"], "lines": shown})
    else:
        _show_fixed(before, after)
        followed.show(app.ledger)
    if after is None:
        print_text(hint(app), err=True)
        return 0
    return 0 if followed.is_good(app.ledger) and not any(key in after for key in before) else 1


def _ids_of(app: App, name: str, skus: Sequence[str]) -> list[str]:
    found = app.ledger.stock.ids_of_skus(name, skus)
    unknown = [sku for sku in skus if sku not in found]
    if unknown:
        raise click.UsageError(
            f"The bridge knows no product with the SKU {', '.join(unknown)}. Import it first: bridge run "
            "import-product SKU"
        )
    return sorted({one for ids in found.values() for one in ids})


def _ids_of_check(ledger: Ledger, name: str, severity: str) -> list[str] | None:
    newest = ledger.drift.latest(name)
    if newest is None:
        return None
    severities = _MENDABLE if severity == "all" else (severity,)
    return sorted({line.magento_id for line in lines_of(ledger, newest, severities) if line.magento_id})


def _now(app: App, name: str, ids: Sequence[str]) -> _Now:
    """Return what differs now of what an export can mend."""
    found = drift_now(preview_context(app.runtime, name), ids)
    return {(source, line.magento_id): line for source, line in found}


def _follow_own_jobs(app: App, name: str, before: _Now, followed: Followed) -> None:
    """Follow the figures that got jobs of their own, too."""
    entities = {f"{source}:{magento_id}" for source, magento_id in before}
    open_jobs = app.ledger.jobs.list(instance=name, kind="export-stock-item", states=OPEN_STATES, limit=_PAGE)
    own = [job.id for job in open_jobs if job.entity in entities]
    followed.job_ids += [one for one in own if one not in followed.job_ids]
    if own:
        follow(app, followed)


def _as_data(key: tuple[str, str], line: SeenDrift, after: _Now | None) -> dict[str, Any]:
    shown = {"source": key[0], "sku": line.sku, "before": line_data(line)}
    if after is None:
        return shown
    left = after.get(key)
    return shown | {"mended": left is None, "after": None if left is None else line_data(left)}


def _show_fixed(before: _Now, after: _Now | None) -> None:
    rows = []
    for (source, magento_id), line in list(before.items())[:_SHOWN]:
        left = None if after is None else after.get((source, magento_id))
        became = "" if after is None else ("mended" if left is None else f"still {signed(left.difference)}")
        rows.append(
            (source, line.sku, has_text(line.found), has_text(line.target), signed(line.difference), became)
        )
    columns = ("SOURCE", "SKU", "HAD", "SHOULD HAVE", "DIFFERENCE", "NOW")
    print_table(columns, rows, empty="", right=("HAD", "SHOULD HAVE", "DIFFERENCE"))
    if len(before) > _SHOWN:
        print_text(f"and {len(before) - _SHOWN} more.")
