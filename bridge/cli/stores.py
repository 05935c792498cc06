"""Magento's stores on the command line: what there is, which settings hold for each, and settings of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from bridge.cli.app import App, pass_app
from bridge.cli.output import json_option, print_fields, print_json, print_table, print_text, words
from bridge.ledger import Instance, KnownStores, Store
from bridge.overrides import MAY_BE_NOTHING, Source, effective

Function = Callable[..., Any]
#: Kind of the mappings of a store view to a sales team.
_STORE_MAPPING = "store"
#: What takes a value away where the website or the instance has one.
_NOTHING = "none"


def store_options(function: Function) -> Function:
    """Add ``--website`` and ``--store``."""
    for option in (
        click.option("--store", "store_code", metavar="CODE", help="A store view, by its code."),
        click.option("--website", "website_code", metavar="CODE", help="A website, by its code."),
    ):
        function = option(function)
    return function


@click.command()
@click.argument("name", required=False)
@json_option
@pass_app
def stores(app: App, name: str | None, *, as_json: bool) -> None:
    """List Magento's stores as `bridge run import-stores` read them, with settings of their own."""
    known = app.ledger.stores.known(app.instance(name).name)
    if as_json:
        print_json([_described(one, known) for one in known.rows])
        return
    print_table(
        (
            "KIND",
            "ID",
            "CODE",
            "NAME",
            "WEBSITE",
            "CURRENCY",
            "LOCALE",
            "TIME ZONE",
            "CLOSED",
            "OWN SETTINGS",
        ),
        [
            (
                one.scope,
                one.magento_id,
                one.code,
                one.name,
                _website_code(one, known),
                one.config.get("base_currency"),
                one.config.get("locale"),
                one.config.get("timezone"),
                one.closed_at,
                _own(one),
            )
            for one in known.rows
        ],
        fold=("NAME", "OWN SETTINGS"),
        spare=("TIME ZONE", "LOCALE", "CURRENCY"),
        empty="No stores yet. Read them with `bridge run import-stores --wait`.",
    )


def chosen_store(
    app: App, instance: Instance, *, website_code: str | None, store_code: str | None
) -> Store | None:
    """Return the website or store view that the options name, None where they name none.

    Raises:
        SettingsWrong: there is none with this code.
    """
    if website_code is not None and store_code is not None:
        raise click.UsageError("Give --website or --store, not both.")
    if website_code is None and store_code is None:
        return None
    known = app.ledger.stores.known(instance.name)
    if website_code is not None:
        return known.by_code("website", website_code)
    return known.by_code("view", store_code or "")


def show_effective(app: App, instance: Instance, store: Store | None, *, as_json: bool) -> None:
    """Show each setting that holds for ``store``, or for the instance, and where it comes from."""
    known = app.ledger.stores.known(instance.name)
    found = effective(instance.settings, () if store is None else known.levels(store))
    values = found.settings.model_dump(mode="json")
    sources = dict(found.sources)
    team = _mapped_team(app, instance, store)
    if team is not None and store is not None:
        values["team_id"] = team
        sources["team_id"] = Source(scope="mapping", code=f"{_STORE_MAPPING} {store.magento_id}")
    if as_json:
        settings = {
            name: {"value": value, "from": sources[name].scope, "code": sources[name].code}
            for name, value in values.items()
        }
        described = None if store is None else _described(store, known)
        print_json({"instance": instance.name, "store": described, "settings": settings})
        return
    if store is not None:
        print_fields({"instance": instance.name, **_described(store, known, is_short=True)})
        _say_closed(store)
        click.echo()
    print_table(
        ("SETTING", "VALUE", "FROM"),
        [(name, value, sources[name].title) for name, value in values.items()],
        fold=("VALUE",),
        empty="",
    )


def set_for_store(app: App, instance: Instance, store: Store, *, changes: Mapping[str, Any]) -> None:
    """Give ``store`` settings of its own; what is None is taken back.

    Raises:
        SettingsWrong: a setting cannot be its own or is wrong, or there is nothing to take back.
    """
    values = {
        key: None if value == _NOTHING and key in MAY_BE_NOTHING else value
        for key, value in changes.items()
        if value is not None
    }
    take_back = sorted(key for key, value in changes.items() if value is None)
    if store.scope == "group":
        raise click.UsageError("A store group has no settings of its own.")
    changed = app.ledger.stores.override(
        instance.name, store.scope, store.magento_id, values, take_back=take_back
    )
    said = [f"set {', '.join(values)}"] if values else []
    said += [f"took back {', '.join(take_back)}"] if take_back else []
    print_text(
        f"{store.title} of {instance.name}: {'; '.join(said)}. Its own now: {_own(changed) or 'none'}."
    )
    _say_closed(changed)
    if "team_id" in values and _mapped_team(app, instance, store) is not None:
        print_text(
            f"Mind that a mapping stands over team_id here: bridge mappings list --kind {_STORE_MAPPING}",
            err=True,
        )


def _mapped_team(app: App, instance: Instance, store: Store | None) -> int | None:
    """Return the team that a store view is mapped to: in its orders that stands over the settings."""
    if store is None or store.scope != "view":
        return None
    key = (_STORE_MAPPING, str(store.magento_id))
    row = app.ledger.mappings.resolve(instance.name, [key]).get(key)
    return None if row is None else row.odoo_id


def _say_closed(store: Store) -> None:
    if store.closed_at is not None:
        print_text(
            f"Magento has {store.title} no more: it is closed since {words(store.closed_at)}. Its settings stay, and "
            "hold for its orders.",
            err=True,
        )


def _own(store: Store) -> str:
    return ", ".join(
        f"{name}={_NOTHING if value is None else words(value)}"
        for name, value in sorted(store.overrides.items())
    )


def _website_code(store: Store, known: KnownStores) -> str | None:
    if store.scope == "website":
        return None
    website = known.website_of(store) if store.scope == "view" else known.get("website", store.parent_id)
    return None if website is None else website.code


def _described(store: Store, known: KnownStores, *, is_short: bool = False) -> dict[str, Any]:
    """Return a store as it may be shown."""
    shown: dict[str, Any] = {
        "scope": store.scope,
        "id": store.magento_id,
        "code": store.code,
        "name": store.name,
        "website": _website_code(store, known),
        "closed_at": store.closed_at,
    }
    if not is_short:
        shown |= {
            "parent_id": store.parent_id,
            "config": store.config,
            "own_settings": store.overrides,
            "first_seen_at": store.first_seen_at,
            "changed_at": store.changed_at,
        }
    return shown
