"""Follows jobs to their end, with a progress display; in embedded mode it runs them where nobody else does."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from bridge.cli.app import App
from bridge.cli.jobs import describe, entity_text, why
from bridge.cli.output import console, print_json, print_table, print_text
from bridge.cli.price_words import price_lines
from bridge.cli.run_words import not_in_magento, not_in_odoo, together
from bridge.flows.wants import PLACES
from bridge.ledger import Job, JobId, Ledger, RunId

#: How often the ledger is asked.
_LOOK_SECONDS = 0.2
#: How often it is asked who is there to run jobs.
_PROCESSES_SECONDS = 2.0
#: States in which a job has something before it without a person.
_MOVING = ("pending", "queued", "running", "retry_waiting")
#: Roles of the processes that run jobs.
_RUNNERS = frozenset({"all", "tasks", "embedded"})
_SHOWN_JOBS = 20
#: Runs that lasted less are not said to have a rate.
_SHORTEST_RATED = timedelta(seconds=5)
#: Jobs of a run whose results are looked through.
_LOOKED_AT = 500
#: What a run of each kind looks at.
_SEEN = {
    "drift": "figures of stock compared",
    "export-prices": "products with an Odoo product seen",
    "discover-mappings": "values of Magento's configuration seen",
    "export-products": "changed products of Odoo seen",
    "import-customers": "changed accounts seen",
    "import-orders": "changed orders seen",
    "import-products": "changed products seen",
    "import-stock": "products seen",
    "sweep-products": "products compared with what Odoo was sent",
    "rebuild-bindings": "records of Odoo looked at",
}


@dataclass
class Followed:
    """The jobs of one action."""

    job_ids: list[JobId]
    run_id: RunId | None = None
    _known: dict[JobId, Job] = field(default_factory=dict)

    def jobs(self, ledger: Ledger) -> list[Job]:
        """Return the jobs as they are now; what a job's result names is followed, too."""
        for job_id in self.job_ids:
            known = self._known.get(job_id)
            if known is None or known.state in {*_MOVING, "blocked"}:
                found = ledger.jobs.get(job_id)
                if found is not None:
                    self._known[job_id] = found
                    self._follow_on(found)
        return [self._known[job_id] for job_id in self.job_ids if job_id in self._known]

    def _follow_on(self, job: Job) -> None:
        result = (job.result or {}) if job.state == "done" else {}
        for named in (result.get("job_id"), *result.get("job_ids", ())):
            if isinstance(named, int) and named not in self.job_ids:
                self.job_ids.append(JobId(named))

    def counts(self, ledger: Ledger) -> dict[str, int]:
        """Return how many jobs are in each state, those of the run included."""
        jobs = self.jobs(ledger)
        # A job that was just named by a result is not read yet.
        counts: dict[str, int] = {"pending": len(self.job_ids) - len(jobs)}
        for job in jobs:
            counts[job.state] = counts.get(job.state, 0) + 1
        if self.run_id is not None:
            for state, number in ledger.runs.progress(self.run_id).jobs.items():
                counts[state] = counts.get(state, 0) + number
        return {state: number for state, number in counts.items() if number}

    def is_good(self, ledger: Ledger) -> bool:
        """Whether all is done."""
        return set(self.counts(ledger)) <= {"done"}

    def as_data(self, ledger: Ledger) -> dict[str, Any]:
        """Return the jobs, and the run with those of its jobs that are not done, for ``--json``."""
        shown: dict[str, Any] = {"jobs": [describe(job) for job in self.jobs(ledger)]}
        if self.run_id is not None:
            progress = ledger.runs.progress(self.run_id)
            shown["run"] = {
                "id": progress.run.id,
                "kind": progress.run.kind,
                "state": progress.run.state,
                "seen": progress.run.seen,
                "seen_per_second": round(progress.rate(ledger.now()), 2),
                "jobs": dict(progress.jobs),
                "not_done": [describe(job) for job in self._not_done(ledger)],
            }
        return shown

    def show(self, ledger: Ledger) -> None:
        """Print the jobs, and the run with those of its jobs that are not done."""
        jobs = [*self.jobs(ledger), *self._not_done(ledger)]
        print_table(
            ("JOB", "KIND", "ENTITY", "LABEL", "STATE", "WHAT"),
            [(job.id, job.kind, entity_text(job), job.label, job.state, why(job)) for job in jobs],
            empty="",
        )
        for text in dict.fromkeys(
            job.help for job in jobs if job.help and job.state in {"blocked", "failed"}
        ):
            print_text(f"What to do: {text}")
        if self.run_id is not None:
            progress = ledger.runs.progress(self.run_id)
            states = ", ".join(f"{number} {_words(state)}" for state, number in progress.jobs.items())
            made = f"; their jobs: {states or 'none'}" if progress.run.planned or states else ""
            lasted = (progress.run.finished_at or ledger.now()) - progress.run.created_at
            # The rate of a moment says nothing.
            is_told = progress.run.finished_at is not None and lasted >= _SHORTEST_RATED
            pace = f" {progress.rate(ledger.now()):.1f} a second." if is_told else ""
            print_text(f"{progress.run.seen} {_SEEN.get(progress.run.kind, 'records seen')}{made}.{pace}")
            jobs = ledger.jobs.list(run_id=self.run_id, states=("done",), limit=_LOOKED_AT)
            # Of so many that not all are looked at, a sum would be wrong.
            if became := together(jobs) if len(jobs) < _LOOKED_AT else "":
                place = "Magento" if progress.run.kind.startswith("export-") else "Odoo"
                print_text(f"In {place}: {became}.")
            if missing := [sku for job in reversed(jobs) for sku in (job.result or {}).get("missing", ())]:
                instance = ledger.instances.find(progress.run.instance)
                is_made = instance is not None and instance.settings.auto_create_products
                print_text(not_in_odoo(missing, instance=progress.run.instance, is_made=is_made))
            if lacking := [
                sku for job in reversed(jobs) for sku in (job.result or {}).get("not_in_magento", ())
            ]:
                print_text(not_in_magento(lacking, instance=progress.run.instance))
            if progress.run.kind == "export-prices":
                for line in price_lines([job.result for job in jobs if job.result]):
                    print_text(line)

    def seen(self, ledger: Ledger) -> str:
        """Return how much the run has seen by now, and how fast; nothing where there is no run."""
        if self.run_id is None:
            return ""
        progress = ledger.runs.progress(self.run_id)
        return f"{progress.run.seen} seen, {progress.rate(ledger.now()):.0f}/s; "

    def _not_done(self, ledger: Ledger) -> list[Job]:
        if self.run_id is None:
            return []
        return ledger.jobs.list(
            run_id=self.run_id, states=("failed", "blocked", "cancelled"), limit=_SHOWN_JOBS
        )


def start_run(app: App, instance: str, kind: str, args: Mapping[str, Any]) -> Followed:
    """Start a run of ``kind``, or find the same one that plans already, and return it to follow."""
    place = PLACES[kind]
    started = app.ledger.runs.start(
        instance,
        kind,
        args,
        queue=place.queue,
        priority=place.priority,
        systems=place.systems,
        lock_key=None if place.lock is None else place.lock(""),
    )
    job_ids = [] if started.planner_job_id is None else [started.planner_job_id]
    return Followed(job_ids=job_ids, run_id=started.id)


def end(app: App, followed: Followed, *, wait: bool, as_json: bool) -> int:
    """Wait if asked to, show what became of the jobs, and return the exit code."""
    if wait:
        follow(app, followed)
    if as_json:
        print_json(followed.as_data(app.ledger))
    else:
        followed.show(app.ledger)
    if not wait:
        print_text(hint(app), err=True)
        return 0
    return 0 if followed.is_good(app.ledger) else 1


def follow(app: App, followed: Followed) -> None:
    """Return when no job of ``followed`` can go on without a person."""
    with ExitStack() as stack:
        try:
            _follow(app, followed, stack)
        except KeyboardInterrupt:
            print_text("Stopped waiting. The jobs stay in the ledger: bridge jobs list", err=True)
            raise click.exceptions.Exit(1) from None


def _follow(app: App, followed: Followed, stack: ExitStack) -> None:
    show = stack.enter_context(_progress())
    looked_at, runs_here = float("-inf"), False
    while True:
        counts = followed.counts(app.ledger)
        show(counts, followed.seen(app.ledger))
        if not any(counts.get(state) for state in _MOVING):
            return
        if not runs_here and time.monotonic() - looked_at >= _PROCESSES_SECONDS:
            is_first, looked_at = looked_at == float("-inf"), time.monotonic()
            if not _has_runner(app.ledger):
                runs_here = _run_here(app, stack, is_first=is_first)
        time.sleep(_LOOK_SECONDS)


def _run_here(app: App, stack: ExitStack, *, is_first: bool) -> bool:
    if not app.settings.is_embedded:
        if is_first:
            print_text("No worker is alive: the jobs wait until one runs (bridge worker).", err=True)
        return False
    from consumers.embedded import Embedded  # noqa: PLC0415  # the command line stands above the consumers

    if not app.is_verbose:
        # What became of the jobs is shown at the end; in between it would tear the display.
        logging.getLogger().setLevel(logging.ERROR)
    stack.enter_context(Embedded(app.ledger, app.settings))
    return True


def _has_runner(ledger: Ledger) -> bool:
    return any(process.role in _RUNNERS for process in ledger.processes.alive())


def hint(app: App) -> str:
    """Return what happens next with jobs that nobody waits for."""
    if _has_runner(app.ledger):
        return "See how it goes: bridge jobs list"
    if app.settings.is_embedded:
        return "Nothing runs jobs now: start `bridge serve --embedded`, or give --wait."
    return "No worker is alive: start `bridge worker`."


@contextmanager
def _progress() -> Iterator[Any]:
    stderr = console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[what]}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    )
    with bar:
        task = bar.add_task("jobs", total=None, what="waiting")

        def show(counts: Mapping[str, int], seen: str) -> None:
            moving = {state: counts[state] for state in _MOVING if counts.get(state)}
            total = sum(counts.values())
            what = ", ".join(f"{number} {_words(state)}" for state, number in moving.items()) or "ending"
            bar.update(task, total=total, completed=total - sum(moving.values()), what=f"{seen}{what}")

        yield show


def _words(state: str) -> str:
    return state.replace("_", " ")
