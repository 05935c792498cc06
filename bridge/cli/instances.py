"""``bridge instance``: add, list, show, set and remove instances."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import click
from pydantic import ValidationError

from bridge.cli.app import App, pass_app, read_secret
from bridge.cli.output import json_option, print_fields, print_json, print_table
from bridge.errors import BridgeError
from bridge.flows.systems import MAGENTO_SECRET, ODOO_SECRET
from bridge.ledger import Instance
from bridge.magento import parse_secret
from bridge.settings import InstanceSettings

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
Function = Callable[..., Any]


@click.group()
def instance() -> None:
    """Pairs of one Magento store and one Odoo database."""


def _connection_options(function: Function) -> Function:
    for option in reversed(
        (
            click.option("--magento-url", metavar="URL", help="The shop's address, without /rest."),
            click.option(
                "--magento-oauth",
                metavar="SECRET",
                help="JSON with consumer_key, consumer_secret, access_token, access_token_secret.",
            ),
            click.option("--magento-token", metavar="SECRET", help="An access token used alone (bearer)."),
            click.option("--odoo-url", metavar="URL", help="Odoo's address."),
            click.option("--odoo-db", metavar="NAME", help="The Odoo database."),
            click.option("--odoo-user", metavar="LOGIN", help="The login of the bridge's user in Odoo."),
            click.option("--odoo-key", metavar="SECRET", help="The API key of that user."),
            click.option("--set", "changes", metavar="KEY=VALUE", multiple=True, help="A setting; may be repeated."),
        )
    ):
        function = option(function)
    return function


@instance.command()
@click.argument("name")
@_connection_options
@pass_app
def add(app: App, /, name: str, **given: Any) -> None:
    """Add the instance NAME. SECRET is @FILE, env:NAME or - (standard input)."""
    if not _NAME.fullmatch(name):
        raise click.UsageError("A name has 1 to 40 small letters, digits, - and _, and begins with a letter or digit.")
    if any(known.name == name for known in app.ledger.instances.list()):
        raise click.UsageError(f"There is an instance {name!r} already; change it with `bridge instance set {name}`.")
    settings, secrets = _read(given)
    missing = [
        option
        for option, is_given in (
            ("--magento-url", "base_url" in settings),
            ("--magento-oauth or --magento-token", MAGENTO_SECRET in secrets),
            ("--odoo-url", "odoo_url" in settings),
            ("--odoo-db", "odoo_db" in settings),
            ("--odoo-user", "odoo_user" in settings),
            ("--odoo-key", ODOO_SECRET in secrets),
        )
        if not is_given
    ]
    if missing:
        raise click.UsageError(f"Missing: {', '.join(missing)}.")
    check_settings(settings)
    app.ledger.instances.add(name, settings, secrets)
    click.echo(f"Added {name}. Next: bridge run test-connection --instance {name}")


@instance.command(name="list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List the instances."""
    known = app.ledger.instances.list()
    if as_json:
        print_json([describe(one) for one in known])
        return
    print_table(
        ("NAME", "MAGENTO", "ODOO", "DATABASE", "ORDERS"),
        [
            (one.name, one.settings.base_url, one.settings.odoo_url, one.settings.odoo_db, one.settings.order_action)
            for one in known
        ],
        empty="No instance yet. Add one with `bridge instance add NAME ...`.",
    )


@instance.command()
@click.argument("name", required=False)
@json_option
@pass_app
def show(app: App, name: str | None, *, as_json: bool) -> None:
    """Show an instance with all its settings; secrets are never shown."""
    found = describe(app.instance(name))
    if as_json:
        print_json(found)
        return
    settings = found.pop("settings")
    print_fields(found)
    click.echo()
    print_fields(settings)


@instance.command(name="set")
@click.argument("name")
@_connection_options
@pass_app
def set_(app: App, /, name: str, **given: Any) -> None:
    """Change settings or secrets of the instance NAME; KEY= sets a setting back to its default."""
    known = app.instance(name)
    changes, secrets = _read(given)
    if not changes and not secrets:
        raise click.UsageError("Nothing to change: give --set KEY=VALUE or one of the other options.")
    whole = known.settings.model_dump(mode="json", exclude_unset=True)
    for key, value in changes.items():
        if value is None:
            whole.pop(key, None)
        else:
            whole[key] = value
    check_settings(whole)
    app.ledger.instances.set(name, changes, secrets)
    click.echo(f"Changed {name}: {', '.join([*changes, *(f'{secret} secret' for secret in secrets)])}.")


@instance.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def remove(app: App, name: str, *, yes: bool) -> None:
    """Remove the instance NAME with its secrets. Its jobs stay in the ledger, and nothing is deleted in Odoo."""
    app.instance(name)
    if not yes:
        click.confirm(f"Remove {name} and its secrets?", abort=True)
    app.ledger.instances.remove(name)
    click.echo(f"Removed {name}. Added again, it doubles nothing: external ids in Odoo stay the same.")


def describe(one: Instance) -> dict[str, Any]:
    """Return an instance as it may be shown."""
    return {
        "name": one.name,
        "installation_id": one.installation_id,
        "created_at": one.created_at,
        "secrets": sorted(one.secrets),
        "settings": one.settings.model_dump(mode="json"),
    }


def check_settings(settings: Mapping[str, Any]) -> InstanceSettings:
    """Return the settings read; raise a usage error that names each wrong one and what is allowed."""
    try:
        return InstanceSettings.model_validate(settings)
    except ValidationError as exc:
        raise click.UsageError("\n".join(_complaints(exc))) from None


def _complaints(error: ValidationError) -> Sequence[str]:
    lines = []
    for one in error.errors(include_url=False, include_input=False):
        key = str(one["loc"][0]) if one["loc"] else "settings"
        if one["type"] == "extra_forbidden":
            lines.append(f"There is no setting {key!r}. Settings: {', '.join(sorted(InstanceSettings.model_fields))}.")
        elif one["type"] == "missing":
            lines.append(f"{key} is missing.")
        else:
            lines.append(f"{key}: {allowed_values(key) or one['msg']}.")
    return lines


def allowed_values(key: str) -> str:
    """Return the values that a setting of few values takes, in words."""
    field = InstanceSettings.model_fields.get(key)
    if field is None:
        return ""
    if field.annotation is bool:
        return "must be true or false"
    values = [value for value in get_args(field.annotation) if isinstance(value, str)]
    return f"must be one of {', '.join(values)}" if values else ""


def _read(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    settings: dict[str, Any] = {}
    names = {"magento_url": "base_url", "odoo_url": "odoo_url", "odoo_db": "odoo_db", "odoo_user": "odoo_user"}
    for option, key in names.items():
        if given.get(option) is not None:
            settings[key] = given[option]
    secrets: dict[str, str] = {}
    if given["magento_oauth"] and given["magento_token"]:
        raise click.UsageError("Give --magento-oauth or --magento-token, not both.")
    if given["magento_oauth"]:
        secrets[MAGENTO_SECRET] = _checked(read_secret(given["magento_oauth"]))
    if given["magento_token"]:
        secrets[MAGENTO_SECRET] = read_secret(given["magento_token"])
    if given["odoo_key"]:
        secrets[ODOO_SECRET] = read_secret(given["odoo_key"])
    for change in given["changes"]:
        key, equals, value = change.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes KEY=VALUE; {change!r} has no =.")
        if key not in InstanceSettings.model_fields:
            known = ", ".join(sorted(InstanceSettings.model_fields))
            raise click.UsageError(f"There is no setting {key!r}. Settings: {known}.")
        settings[key] = _value(key, value)
    return settings, secrets


def _value(key: str, text: str) -> Any:
    if text == "":
        return None if not isinstance(InstanceSettings.model_fields[key].default, str) or key != "order_name_prefix" else ""
    if key == "magento_doubt_seconds":
        return [part.strip() for part in text.split(",")]
    return text


def _checked(secret: str) -> str:
    try:
        parse_secret(secret)
    except BridgeError as exc:
        raise click.UsageError(exc.message) from None
    return secret
