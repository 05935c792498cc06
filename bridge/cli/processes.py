"""``bridge worker``, ``beat``, ``flower``, ``serve``: the processes, rightly configured."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any, Literal

import click

from bridge.bootstrap import refuse_embedded
from bridge.cli.app import App, pass_app
from bridge.cli.output import print_text
from bridge.logs import configure_logging

_FOREIGN = {"ignore_unknown_options": True}


@click.command(context_settings=_FOREIGN)
@click.option(
    "--role",
    type=click.Choice(["all", "intake", "tasks"]),
    default="all",
    show_default=True,
    help="intake: takes events and dispatches; tasks: runs jobs; all: both in one process.",
)
@click.argument("celery_args", nargs=-1, type=click.UNPROCESSED)
@pass_app
def worker(app: App, *, role: Literal["all", "intake", "tasks"], celery_args: tuple[str, ...]) -> int:
    """Take events and run jobs until told to end. CELERY_ARGS go to Celery as they are."""
    refuse_embedded(app.settings, what="A worker")
    from consumers.processes import run_worker  # noqa: PLC0415  # the command line stands above the consumers

    return run_worker(app.settings, role=role, arguments=celery_args)


@click.command(context_settings=_FOREIGN)
@click.argument("celery_args", nargs=-1, type=click.UNPROCESSED)
@pass_app
def beat(app: App, *, celery_args: tuple[str, ...]) -> int:
    """Do what happens by the clock; any number of beats may run. CELERY_ARGS go to Celery as they are."""
    refuse_embedded(app.settings, what="Beat")
    from consumers.processes import run_beat  # noqa: PLC0415  # as above

    return run_beat(app.settings, arguments=celery_args)


@click.command(context_settings=_FOREIGN)
@click.option("--address", default="127.0.0.1", show_default=True, help="Flower has no login of its own.")
@click.option("--port", type=click.IntRange(0, 65535), default=5555, show_default=True)
@click.option(
    "--broker-api", metavar="URL", help="RabbitMQ's management API, such as http://broker:15672/api/."
)
@click.argument("celery_args", nargs=-1, type=click.UNPROCESSED)
@pass_app
def flower(app: App, *, address: str, port: int, broker_api: str | None, celery_args: tuple[str, ...]) -> int:
    """Show the Celery processes in a browser. CELERY_ARGS go to Flower as they are."""
    refuse_embedded(app.settings, what="Flower")
    from consumers.processes import run_flower  # noqa: PLC0415  # as above

    return run_flower(app.settings, address=address, port=port, broker_api=broker_api, arguments=celery_args)


@click.command()
@click.option("--embedded", is_flag=True, help="Everything in this process, on SQLite, without a broker.")
@click.option("--threads", type=click.IntRange(1, 256), help="Jobs that may run at once.")
@pass_app
def serve(app: App, *, embedded: bool, threads: int | None) -> int:
    """Run the whole bridge in this process until told to end."""
    if not embedded:
        refuse_embedded(app.settings, what="`bridge serve` without --embedded")
        raise click.UsageError("With a broker the processes are `bridge worker` and `bridge beat`. "
                               "`bridge serve --embedded` is the bridge in one process.")  # fmt: skip
    from consumers.embedded import Embedded  # noqa: PLC0415  # as above

    configure_logging(app.settings.log_format, level=logging.INFO)
    ended = threading.Event()

    def end(*_: Any) -> None:
        ended.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, end)
    with Embedded(app.ledger, app.settings, threads=threads, with_schedules=True):
        print_text("The bridge runs in this process. Ctrl-C ends it; running jobs end first.", err=True)
        ended.wait()
    return 0
