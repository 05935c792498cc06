"""``bridge mappings export`` and ``import``: all decisions of an instance as a file, and back, whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bridge.cli.app import App, pass_app
from bridge.cli.mapping_words import by_option, decided
from bridge.cli.mapping_yaml import BadFile, MappingFile, read_file, write_file
from bridge.cli.output import json_option, print_json, print_table, print_text
from bridge.ledger import MappingDecided, MappingDecision, MappingRow

#: More than a file of a hundred thousand mappings has.
_MAX_BYTES = 32 * 1024 * 1024
#: More values than any shop has.
_ALL = 1_000_000
_READ_AT_ONCE = 500
#: Problems that are named; a file of another database has one in each line.
_SHOWN = 20


@click.command(name="export")
@click.argument("file", default="-")
@click.option("--all", "with_unmapped", is_flag=True, help="Also the values that nothing is decided about.")
@click.option("--instance", "instance_name", metavar="NAME")
@pass_app
def export(app: App, file: str, *, with_unmapped: bool, instance_name: str | None) -> None:
    """Write the mappings to FILE as YAML, or to standard output (-)."""
    instance = app.instance(instance_name)
    rows = [
        row
        for row in app.ledger.mappings.list(instance.name, limit=_ALL)
        if with_unmapped or row.state != "unmapped"
    ]
    if file == "-":
        is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        click.echo(write_file(instance.name, rows, is_unicode=is_unicode), nl=False)
        return
    try:
        Path(file).write_text(write_file(instance.name, rows), encoding="utf-8", newline="\n")
    except OSError as exc:
        raise click.UsageError(f"{file} cannot be written: {exc.strerror}.") from None
    print_text(f"{len(rows)} mappings of {instance.name} are in {file}.")


@click.command(name="import")
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--check", is_flag=True, help="Ask Odoo whether every record is there.")
@click.option("--instance", "instance_name", metavar="NAME")
@by_option
@json_option
@pass_app
def import_(
    app: App, file: str, *, dry_run: bool, check: bool, instance_name: str | None, by: str, as_json: bool
) -> None:
    """Take the mappings of FILE (or - for standard input): all of them, or none if one is wrong."""
    instance = app.instance(instance_name)
    try:
        given = read_file(_read(file))
    except BadFile as exc:
        raise click.UsageError(exc.message) from None
    if given.instance is not None and given.instance != instance.name:
        print_text(
            f"Mind that the file is of the instance {given.instance}: ids of another Odoo database are others.",
            err=True,
        )
    if check:
        _insist_on_records(app, instance.name, given.decisions)
    if dry_run:
        made = _would_change(app, instance.name, given.decisions)
    else:
        made = app.ledger.mappings.decide(instance.name, given.decisions, by=by)
    if as_json:
        print_json(_as_data(given, made, dry_run=dry_run))
    else:
        _show(given, made, dry_run=dry_run)


def _read(file: str) -> str:
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(_MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(_MAX_BYTES + 1)
    except OSError as exc:
        raise click.UsageError(f"{file} cannot be read: {exc.strerror}.") from None
    if len(raw) > _MAX_BYTES:
        raise click.UsageError(f"{file} is too large to be a file of mappings.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is not text in UTF-8.") from None


def _insist_on_records(app: App, instance_name: str, decisions: Sequence[MappingDecision]) -> None:
    """Refuse records that Odoo does not have, and taxes that are none for sales; say which have another name."""
    by_model: dict[str, list[MappingDecision]] = {}
    for one in decisions:
        if one.odoo_model is not None and one.odoo_id:
            by_model.setdefault(one.odoo_model, []).append(one)
    problems, renamed = [], []
    for model, wanted in sorted(by_model.items()):
        rows = _records(app, instance_name, model, {one.odoo_id for one in wanted if one.odoo_id})
        for one in wanted:
            row = rows.get(one.odoo_id or 0)
            if row is None:
                problems.append(f"{one.kind} {one.value!r}: Odoo has no {model} with the id {one.odoo_id}")
            elif row.get("type_tax_use", "sale") != "sale":
                problems.append(f"{one.kind} {one.value!r}: {row['display_name']} is no sales tax in Odoo")
            elif one.odoo_label and one.odoo_label != row["display_name"]:
                renamed.append(f"{one.kind} {one.value}: {one.odoo_label}, in Odoo {row['display_name']}")
    if problems:
        raise click.UsageError(f"Nothing of the file was taken: {'; '.join(problems[:_SHOWN])}.")
    for text in renamed[:_SHOWN]:
        print_text(f"Mind another name: {text}", err=True)


def _records(app: App, instance_name: str, model: str, ids: Collection[int]) -> dict[int, Mapping[str, Any]]:
    odoo = app.runtime.systems.of(app.ledger.instances.get(instance_name)).odoo
    fields = ["display_name", *(["type_tax_use"] if model == "account.tax" else [])]
    wanted = sorted(ids)
    pages = (wanted[start : start + _READ_AT_ONCE] for start in range(0, len(wanted), _READ_AT_ONCE))
    return {int(row["id"]): row for page in pages for row in odoo.read(model, page, fields)}


def _would_change(
    app: App, instance_name: str, decisions: Sequence[MappingDecision]
) -> Sequence[MappingDecided]:
    rows: dict[tuple[str, str], MappingRow] = {
        (row.kind, row.value): row for row in app.ledger.mappings.list(instance_name, limit=_ALL)
    }
    return [
        MappingDecided(
            decision=one,
            before=rows.get((one.kind, one.value)),
            released=app.ledger.mappings.impact(instance_name, one.kind, one.value),
        )
        for one in sorted(decisions, key=lambda one: (one.kind, one.value))
        if not one.is_in_force(rows.get((one.kind, one.value)))
    ]


def _as_data(given: MappingFile, made: Sequence[MappingDecided], *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "changed": [
            {
                "kind": one.decision.kind,
                "value": one.decision.value,
                "from": decided(one.before),
                "to": decided(one.decision),
            }
            for one in made
        ],
        "unchanged": len(given.decisions) - len(made),
        "undecided": given.undecided,
        "released": sum(one.released for one in made),
    }


def _show(given: MappingFile, made: Sequence[MappingDecided], *, dry_run: bool) -> None:
    print_table(
        ("KIND", "VALUE", "FROM", "TO"),
        [(one.decision.kind, one.decision.value, decided(one.before), decided(one.decision)) for one in made],
        fold=("VALUE", "FROM", "TO"),
        empty="",
    )
    would = " would be" if dry_run else ""
    parts = [
        f"{len(made)}{would} changed",
        f"{len(given.decisions) - len(made)} in force already",
        *([f"{given.undecided} undecided"] if given.undecided else []),
    ]
    released = sum(one.released for one in made)
    waiting = (
        f" Jobs that {'wait' if dry_run else 'waited'} for them and go on: {released}." if released else ""
    )
    print_text(f"Mappings: {', '.join(parts)}.{waiting}")
