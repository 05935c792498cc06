"""``bridge instance``: add, list, show, set and remove instances."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from bridge.cli.app import App, pass_app, read_secret
from bridge.cli.groups import Commands
from bridge.cli.output import json_option, print_fields, print_json, print_table
from bridge.cli.stores import chosen_store, set_for_store, show_effective, store_options, stores
from bridge.errors import SettingsWrong
from bridge.flows.systems import MAGENTO_SECRET, ODOO_SECRET
from bridge.ledger import Instance
from bridge.magento import parse_secret
from bridge.settings import InstanceSettings

Function = Callable[..., Any]
#: Names that an operator may take for settings.
_SECRET_NAMES = frozenset(
    {
        "access_token",
        "access_token_secret",
        "consumer_key",
        "consumer_secret",
        "odoo_key",
        "api_key",
        "password",
    }
)


@click.group(cls=Commands)
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
            click.option(
                "--set", "changes", metavar="KEY=VALUE", multiple=True, help="A setting; may be repeated."
            ),
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
    with _wrong_usage():
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
            (
                one.name,
                one.settings.base_url,
                one.settings.odoo_url,
                one.settings.odoo_db,
                one.settings.order_action,
            )
            for one in known
        ],
        fold=("MAGENTO", "ODOO"),
        empty="No instance yet. Add one with `bridge instance add NAME ...`.",
    )


@instance.command()
@click.argument("name", required=False)
@click.option(
    "--effective", "is_effective", is_flag=True, help="Show what holds and where each value comes from."
)
@store_options
@json_option
@pass_app
def show(
    app: App,
    name: str | None,
    *,
    is_effective: bool,
    website_code: str | None,
    store_code: str | None,
    as_json: bool,
) -> None:
    """Show an instance with all its settings, or what holds for a website or store view. Never secrets."""
    one = app.instance(name)
    with _wrong_usage():
        store = chosen_store(app, one, website_code=website_code, store_code=store_code)
        if is_effective or store is not None:
            show_effective(app, one, store, as_json=as_json)
            return
    found = describe(one)
    if as_json:
        print_json(found)
        return
    settings = found.pop("settings")
    print_fields(found)
    click.echo()
    print_fields(settings)


@instance.command(name="set")
@click.argument("name")
@click.argument("assignments", metavar="[KEY=VALUE]...", nargs=-1)
@_connection_options
@click.option("--unset", metavar="KEY", multiple=True, help="Take a setting back; may be repeated.")
@store_options
@pass_app
def set_(
    app: App,
    /,
    name: str,
    *,
    unset: tuple[str, ...],
    website_code: str | None,
    store_code: str | None,
    **given: Any,
) -> None:
    """Change settings or secrets of the instance NAME; KEY= sets a setting back to its default.

    With --website or --store the settings are those of a website or store view alone; KEY= takes one back, so
    that the website's or the instance's holds again, and KEY=none says that it has none.
    """
    one = app.instance(name)
    changes, secrets = _read(given, unset, is_for_store=bool(website_code or store_code))
    if not changes and not secrets:
        raise click.UsageError("Nothing to change: give --set KEY=VALUE or one of the other options.")
    with _wrong_usage():
        store = chosen_store(app, one, website_code=website_code, store_code=store_code)
        if store is not None:
            if secrets:
                raise click.UsageError("Secrets are the whole instance's: leave --website and --store out.")
            set_for_store(app, one, store, changes=changes)
            return
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
    with _wrong_usage():
        app.ledger.instances.remove(name)
    click.echo(f"Removed {name}. Added again, it doubles nothing: external ids in Odoo stay the same.")


instance.add_command(stores)


def describe(one: Instance) -> dict[str, Any]:
    """Return an instance as it may be shown."""
    return {
        "name": one.name,
        "installation_id": one.installation_id,
        "created_at": one.created_at,
        "secrets": sorted(one.secrets),
        "settings": one.settings.model_dump(mode="json"),
    }


@contextlib.contextmanager
def _wrong_usage() -> Iterator[None]:
    """Make what the ledger refuses a usage error: its message names the setting and what is allowed."""
    try:
        yield
    except SettingsWrong as exc:
        raise click.UsageError(exc.message) from None


def _read(
    given: Mapping[str, Any], unset: Sequence[str] = (), *, is_for_store: bool = False
) -> tuple[dict[str, Any], dict[str, str]]:
    settings: dict[str, Any] = {}
    names = {
        "magento_url": "base_url",
        "odoo_url": "odoo_url",
        "odoo_db": "odoo_db",
        "odoo_user": "odoo_user",
    }
    for option, key in names.items():
        if given.get(option) is not None:
            settings[key] = given[option]
    for change in (*given.get("assignments", ()), *given["changes"]):
        key, equals, value = change.partition("=")
        if not equals:
            raise click.UsageError("A setting is given as KEY=VALUE, such as --set order_action=confirm.")
        settings[key] = _value(key, value)
    for key in unset:
        if key in settings:
            raise click.UsageError(f"{key} is both set and taken back.")
        settings[key] = None
    for key in settings:
        # What a store may have is fewer, and the refusal names that.
        if key not in InstanceSettings.model_fields and (key in _SECRET_NAMES or not is_for_store):
            raise click.UsageError(_no_setting(key))
    return settings, _secrets(given)


def _secrets(given: Mapping[str, Any]) -> dict[str, str]:
    if given["magento_oauth"] and given["magento_token"]:
        raise click.UsageError("Give --magento-oauth or --magento-token, not both.")
    if [given["magento_oauth"] or given["magento_token"], given["odoo_key"]] == ["-", "-"]:
        raise click.UsageError("Only one secret can be read from standard input.")
    secrets: dict[str, str] = {}
    if given["magento_oauth"]:
        secrets[MAGENTO_SECRET] = _oauth(read_secret(given["magento_oauth"], option="--magento-oauth"))
    if given["magento_token"]:
        secrets[MAGENTO_SECRET] = _token(read_secret(given["magento_token"], option="--magento-token"))
    if given["odoo_key"]:
        secrets[ODOO_SECRET] = read_secret(given["odoo_key"], option="--odoo-key")
    return secrets


def _no_setting(key: str) -> str:
    if key in _SECRET_NAMES:
        return "Secrets are no settings: give them with --magento-oauth, --magento-token or --odoo-key."
    return f"There is no setting {key!r}. Settings: {', '.join(sorted(InstanceSettings.model_fields))}."


def _value(key: str, text: str) -> Any:
    if text == "":
        # For one setting the empty text is a value; for the others it means: as if never set.
        return "" if key == "order_name_prefix" else None
    return [part.strip() for part in text.split(",")] if key == "magento_doubt_seconds" else text


def _oauth(secret: str) -> str:
    if not secret.startswith("{"):
        raise click.UsageError(
            "--magento-oauth: this is not JSON with consumer_key, consumer_secret, access_token and "
            "access_token_secret. A token alone is given with --magento-token."
        )
    return _checked(secret, option="--magento-oauth")


def _token(secret: str) -> str:
    if secret.startswith("{"):
        raise click.UsageError("--magento-token: this is JSON. The four keys are given with --magento-oauth.")
    return _checked(secret, option="--magento-token")


def _checked(secret: str, *, option: str) -> str:
    try:
        parse_secret(secret)
    except SettingsWrong as exc:
        raise click.UsageError(f"{option}: {exc.message}") from None
    return secret
