"""Tries the two systems of an instance: what the credentials open, what the servers are, whether the clocks agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from bridge.advice import Advice, advise
from bridge.errors import AccessMissing, BridgeError, CredentialsRefused, SettingsWrong, System
from bridge.flows.installation import known_installation_id
from bridge.flows.stock_layout import unseen_by_classic
from bridge.flows.systems import Pair
from bridge.ledger import Instance
from bridge.magento import MagentoClient
from bridge.magento.probe import SOURCES_RESOURCE, Probe
from bridge.magento.stocks import layout
from bridge.odoo import OdooClient, OdooVersion
from bridge.wire import Exchange

#: Magento refuses signatures from the future, so a clock that runs away is told before it does harm.
MAX_CLOCK_SECONDS = 60.0
_APP_NAMES = {"sale": "Sales", "stock": "Inventory", "account": "Invoicing"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    #: ``note``: good to know, nothing to mend.
    state: Literal["ok", "problem", "note"]
    #: What was found.
    text: str


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What trying one system showed."""

    system: System
    checks: Sequence[Check]
    #: What to mend, where the system refused or did not answer.
    advice: Advice | None = None
    #: Name of the failure, as in a job's ``error_code``.
    error_code: str | None = None
    exchanges: Sequence[Exchange] = field(default=(), repr=False)

    @property
    def is_ok(self) -> bool:
        """Whether the bridge can work with this system."""
        return self.advice is None and all(check.state != "problem" for check in self.checks)


def try_systems(pair: Pair, instance: Instance) -> tuple[Tried, Tried]:
    """Call both systems of ``instance`` and return what they showed, Magento's first. Nothing is changed in either."""
    return (
        _tried(instance, "magento", lambda record: _magento(pair.magento.recording(record), instance)),
        _tried(instance, "odoo", lambda record: _odoo(pair.odoo.recording(record), instance)),
    )


def _tried(
    instance: Instance,
    system: System,
    look: Callable[[Callable[[Exchange], None]], tuple[list[Check], BridgeError | None]],
) -> Tried:
    exchanges: list[Exchange] = []
    checks: list[Check] = []
    try:
        checks, error = look(exchanges.append)
    except BridgeError as exc:
        error = exc
    clock = _clock(exchanges)
    if clock is not None:
        checks.append(clock)
    return Tried(
        system=system,
        checks=checks,
        advice=None if error is None else advise(error, instance=instance.name),
        error_code=None if error is None else error.code,
        exchanges=exchanges,
    )


def _magento(magento: MagentoClient, instance: Instance) -> tuple[list[Check], BridgeError | None]:
    # Who only brings orders over needs no rights to the rest of the catalog.
    settings = instance.settings
    by_bulk = settings.stock_bulk and settings.stock_api_mode == "msi"
    probe = magento.probe(catalog=settings.auto_create_products, bulk=by_bulk)
    checks = []
    for resource in probe.resources:
        state: Literal["ok", "problem", "note"] = "ok"
        text = f"allowed ({resource.title})"
        if resource.state == "refused":
            state, text = "problem", f"refused: tick {resource.title}"
        elif resource.state == "absent":
            state, text = "note", "this Magento does not have it: its module is off"
        checks.append(Check(name=resource.name, state=state, text=text))
    checks += _stock(magento, instance, probe)
    return checks, probe.error()


def _stock(magento: MagentoClient, instance: Instance, probe: Probe) -> list[Check]:
    """Say where the way that stock is exported does not fit the shop; nothing where it does."""
    settings = instance.settings
    sources = next((one.state for one in probe.resources if one.name == SOURCES_RESOURCE), "absent")
    harm: Literal["problem", "note"] = "problem" if settings.export_stock else "note"
    if settings.stock_api_mode == "msi":
        if sources == "absent" and settings.export_stock:
            text = "stock_api_mode is msi, and this Magento has no inventory by sources: set stock_api_mode=classic"
            return [Check(name="stock", state=harm, text=text)]
        return []
    if sources != "allowed":
        return []
    try:
        unseen = unseen_by_classic(layout(magento))
    except (AccessMissing, CredentialsRefused) as error:
        text = f"whether the classic endpoint sees all sources cannot be told: {error.message}"
        return [Check(name="stock", state="note", text=text)]
    if unseen is None:
        return []
    return [Check(name="stock", state=harm if unseen.is_sold else "note", text=unseen.text)]


def _odoo(odoo: OdooClient, instance: Instance) -> tuple[list[Check], BridgeError | None]:
    profile = odoo.profile(max_age_seconds=0)
    checks = [
        _version(profile.version),
        Check(name="user", state="ok", text=f"logged in, id {profile.uid}, company {profile.company_id}"),
    ]
    if not profile.user_has_email:
        text = "the bridge's user has none: orders need none, but payments cannot be reconciled without"
        checks.append(Check(name="user's email", state="note", text=text))
    for app, state in profile.apps.items():
        name = _APP_NAMES.get(app, app)
        if state == "usable":
            checks.append(Check(name=name, state="ok", text="usable"))
        elif state == "no_right":
            text = f"the bridge's user may not use it: give the user rights in {name}"
            checks.append(Check(name=name, state="problem", text=text))
        else:
            checks.append(Check(name=name, state="problem", text="not installed: install it under Apps"))
    rounding = (profile.rounding_method or "round_per_line").replace("_", " ")
    money = f"{profile.currency} with {profile.currency_digits} digits, taxes {rounding}"
    checks.append(Check(name="currency", state="ok", text=money))
    checks.append(_price_digits(profile.price_digits))
    checks.append(_installation(instance, odoo))
    return checks, None


def _installation(instance: Instance, odoo: OdooClient) -> Check:
    """Say under which id Odoo knows the store; the first import fixes it, not this."""
    name = "installation id"
    try:
        known = known_installation_id(instance, odoo)
    except (AccessMissing, SettingsWrong) as error:
        return Check(name=name, state="problem", text=advise(error, instance=instance.name).text)
    if known == instance.installation_id:
        return Check(name=name, state="ok", text=f"{known}: Odoo knows this store")
    if known is None:
        text = "Odoo does not know this store yet: the first import makes a contact tag with the id"
    elif instance.anchored_for is None:
        text = f"{known}: Odoo knows this store from before; the first import goes on under this id"
    else:
        text = f"Odoo knows this store as {known}, and the bridge as {instance.installation_id}"
        return Check(name=name, state="problem", text=text)
    return Check(name=name, state="note", text=text)


def _version(version: OdooVersion) -> Check:
    if version.is_proven:
        return Check(name="version", state="ok", text=f"Odoo {version.text}")
    text = f"Odoo {version.text}: not proven, taken as the nearest proven version"
    return Check(name="version", state="note", text=text)


def _price_digits(digits: int) -> Check:
    if digits >= 6:
        return Check(name="price digits", state="ok", text=f"{digits}")
    text = (
        f"{digits} for Product Price: enough for most shops; 6 are better where net prices come from gross ones "
        "(Odoo: Settings > Technical > Decimal Accuracy)"
    )
    return Check(name="price digits", state="note", text=text)


def _clock(exchanges: Sequence[Exchange]) -> Check | None:
    """Compare this machine's clock with the server's, by the ``Date`` of the last answer."""
    for exchange in reversed(exchanges):
        try:
            there = parsedate_to_datetime(exchange.response_headers["date"])
        except (KeyError, ValueError, TypeError):
            continue
        there = there if there.tzinfo else there.replace(tzinfo=UTC)
        return clock_check(there, here=exchange.started_at)
    return None


def clock_check(there: datetime, *, here: datetime) -> Check:
    """Return whether two clocks that were read at the same time agree well enough."""
    ahead = (here - there).total_seconds()
    if abs(ahead) <= MAX_CLOCK_SECONDS:
        return Check(name="clock", state="ok", text="agrees with this machine's")
    where = "ahead of" if ahead > 0 else "behind"
    text = f"this machine is {abs(ahead):.0f} s {where} it: set both clocks by a time server (NTP)"
    return Check(name="clock", state="problem", text=text)
