"""``bridge schedules``: what happens by the clock, for which instance, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from bridge.cli.app import App, pass_app
from bridge.cli.groups import Commands
from bridge.cli.output import json_option, print_json, print_table, print_text
from bridge.every import OFF, every_text, parse_every
from bridge.settings import SCHEDULED

if TYPE_CHECKING:
    from consumers.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Row:
    """A schedule as it stands for an instance, or for the whole ledger."""

    schedule: Schedule
    instance: str | None
    every_seconds: float | None
    #: ``setting``, ``default``, ``not used yet``, or ``other settings``.
    said: str
    last: datetime | None

    @property
    def every(self) -> str:
        """How often, as it is written; with why, where it is off of itself."""
        if self.said == "not used yet":
            return f"{OFF} until {self.schedule.after}"
        if self.said == "other settings" and self.schedule.only is not None:
            return f"{OFF} {self.schedule.only.off}"
        return every_text(self.every_seconds)


@click.group(cls=Commands)
def schedules() -> None:
    """What happens by the clock: list, set."""


@schedules.command(name="list")
@click.option("--instance", "instance_name", metavar="NAME", help="Only of this instance.")
@json_option
@pass_app
def list_(app: App, *, instance_name: str | None, as_json: bool) -> None:
    """List what happens by the clock, how often, and when it last did."""
    rows = _rows(app, app.instance_name(instance_name))
    if as_json:
        print_json(
            [
                {
                    "name": one.schedule.name,
                    "instance": one.instance,
                    "title": one.schedule.title,
                    "every_seconds": one.every_seconds,
                    "is_on": one.every_seconds is not None,
                    "set_by": one.said,
                    "last_at": one.last,
                }
                for one in rows
            ]
        )
        return
    print_table(
        ("NAME", "INSTANCE", "EVERY", "LAST", "WHAT"),
        [(one.schedule.name, one.instance, one.every, one.last, one.schedule.title) for one in rows],
        empty="Nothing happens by the clock.",
    )


@schedules.command(name="set")
@click.argument("name", metavar="NAME", type=click.Choice(SCHEDULED))
@click.option("--every", metavar="TIME", help="Minutes, hours or days: 15m, 2h, 1d.")
@click.option("--off", is_flag=True, help="Not at all.")
@click.option("--default", "is_default", is_flag=True, help="As the bridge does by itself.")
@click.option("--instance", "instance_name", metavar="NAME", help="May be left out where there is only one.")
@pass_app
def set_(
    app: App, name: str, *, every: str | None, off: bool, is_default: bool, instance_name: str | None
) -> None:
    """Say how often NAME happens for an instance.

    What happens once a day or more rarely begins at night, between 2 and 8 o'clock of the store's time zone.
    """
    if [every is not None, off, is_default].count(True) != 1:
        raise click.UsageError("Give one of --every TIME, --off and --default.")
    instance = app.instance(instance_name)
    parts = dict(part.split("=") for part in instance.settings.schedules.split(",") if part)
    parts.pop(name, None)
    if not is_default:
        parts[name] = OFF if off else _every(every or "")
    text = ",".join(f"{one}={value}" for one, value in parts.items())
    app.ledger.instances.set(instance.name, {"schedules": text or None})
    (row,) = [one for one in _rows(app, instance.name) if one.schedule.name == name]
    print_text(
        f"{name} of {instance.name}: {row.every if row.every_seconds is None else f'every {row.every}'}."
    )


def _every(text: str) -> str:
    try:
        return every_text(parse_every(text))
    except ValueError as exc:
        raise click.UsageError(f"--every {exc}.") from None


def _rows(app: App, instance: str | None) -> list[Row]:
    from consumers.beat import last_tick, pace  # noqa: PLC0415  # the command line stands above the consumers
    from consumers.schedules import SCHEDULES  # noqa: PLC0415

    instances = app.ledger.instances.settings()
    rows: list[Row] = []
    for one in SCHEDULES:
        if not one.per_instance:
            last = last_tick(app.ledger, one, "")
            rows.append(
                Row(schedule=one, instance=None, every_seconds=one.every_seconds, said="default", last=last)
            )
            continue
        for name, known in instances.items():
            if instance not in {None, name}:
                continue
            found = pace(app.ledger, one, name, known)
            rows.append(
                Row(
                    schedule=one,
                    instance=name,
                    every_seconds=found.every_seconds,
                    said=found.said,
                    last=last_tick(app.ledger, one, name),
                )
            )
    return rows
