"""Settings of single websites and store views: which may have their own, and whose value holds. Pure.

A store view's own value stands over its website's, that over the instance's, that over what Magento itself says of the
store view, and that over the default.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import ValidationError

from bridge.errors import SettingsWrong
from bridge.settings import InstanceSettings, time_zone

#: Settings that decide about one order. All others are about the connection, the stock or the load: one for all.
OVERRIDABLE = frozenset(
    {
        "adjustment_product_id",
        "auto_create_products",
        "company_id",
        "discount_product_id",
        "history_orders",
        "import_from_date",
        "order_action",
        "order_adjust_max",
        "order_name_prefix",
        "order_preview",
        "order_total_policy",
        "order_total_tolerance",
        "payment_term_id",
        "pricelist_id",
        "shipping_product_id",
        "store_timezone",
        "team_id",
        "user_id",
        "warehouse_id",
        "write_ext_order_id",
    }
)
#: Those of them that may be nothing: a store view can do without the team that its website has.
MAY_BE_NOTHING = frozenset(
    name for name in OVERRIDABLE if types.NoneType in get_args(InstanceSettings.model_fields[name].annotation)
)

#: What has settings of its own.
LevelScope = Literal["magento", "website", "view"]
SourceScope = Literal["default", "magento", "instance", "website", "view", "mapping"]
_TITLES = {"view": "store view", "magento": "Magento's configuration of"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a value comes from."""

    scope: SourceScope
    #: Code of the website or store view.
    code: str | None = None

    @property
    def title(self) -> str:
        """What people call it: ``default``, ``website base``, ``store view de``."""
        return title(self.scope, self.code)


@dataclass(frozen=True, kw_only=True)
class Level:
    """The own settings of one website or store view, as JSON has them; or what Magento says of a store view."""

    scope: LevelScope
    code: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Effective:
    """The settings that hold, and where each comes from."""

    settings: InstanceSettings
    sources: Mapping[str, Source]


def title(scope: str, code: str | None) -> str:
    """Return what people call a source: its kind, and its code if it has one."""
    kind = _TITLES.get(scope, scope)
    return kind if code is None else f"{kind} {code}"


def effective(settings: InstanceSettings, levels: Sequence[Level] = ()) -> Effective:
    """Return what holds by ``settings`` of the instance and the ``levels`` below it, the narrowest last.

    Raises:
        SettingsWrong: a level has what cannot be: another version of the bridge may have written it.
    """
    given = settings.model_fields_set
    sources = {
        name: Source(scope="instance" if name in given else "default")
        for name in InstanceSettings.model_fields
    }
    for level in levels:
        sources |= dict.fromkeys(_counting(level, settings), Source(scope=level.scope, code=level.code))
    return Effective(settings=held(settings, levels), sources=sources)


def held(settings: InstanceSettings, levels: Sequence[Level]) -> InstanceSettings:
    """Return the settings that hold, as ``effective`` does; each order asks, and most shops have no levels.

    Raises:
        SettingsWrong: a level has what cannot be.
    """
    values: dict[str, Any] = {}
    for level in levels:
        values |= _counting(level, settings)
    if not values:
        return settings
    insist_on_overridable(values)
    try:
        return InstanceSettings(**settings.model_dump(exclude_unset=True) | values)
    except ValidationError as exc:
        names = sorted({str(part) for error in exc.errors() for part in error["loc"]})
        where = ", ".join(title(one.scope, one.code) for one in levels if set(names) & set(one.values))
        raise SettingsWrong(
            f"What is set for {where} cannot be: {', '.join(names)}.", reason="override"
        ) from exc


def magento_level(code: str, config: Mapping[str, Any]) -> Level:
    """Return what Magento's configuration of a store view says about settings: its time zone, if it is one."""
    try:
        values = {"store_timezone": time_zone(str(config.get("timezone") or ""))}
    except ValueError:
        values = {}
    return Level(scope="magento", code=code, values=values)


def _counting(level: Level, settings: InstanceSettings) -> Mapping[str, Any]:
    """Return the values of a level that count: what Magento says does only where nobody has set anything."""
    if level.scope != "magento":
        return level.values
    return {name: value for name, value in level.values.items() if name not in settings.model_fields_set}


def insist_on_overridable(names: Mapping[str, Any] | Sequence[str]) -> None:
    """See that a website or store view may have values of its own for ``names``.

    Raises:
        SettingsWrong: it may not; the message says which ones it may have.
    """
    wrong = sorted(set(names) - OVERRIDABLE)
    if wrong:
        known = [name for name in wrong if name in InstanceSettings.model_fields]
        said = (
            f"{', '.join(known)} can be set for the whole instance only."
            if known
            else f"There is no setting {', '.join(wrong)}."
        )
        raise SettingsWrong(
            f"{said} A website or store view may have its own: {', '.join(sorted(OVERRIDABLE))}.",
            reason="override",
        )
