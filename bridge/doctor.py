"""``bridge doctor`` and ``bridge run test-connection``: checks, each with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pika
import pika.exceptions

from bridge.advice import advise
from bridge.bootstrap import make_runtime
from bridge.broker import pika_parameters, shown
from bridge.engine import Runtime
from bridge.errors import BridgeError
from bridge.ledger import Instance, Ledger
from bridge.magento import MagentoClient
from bridge.odoo import OdooClient
from bridge.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check and its result."""

    name: str
    is_ok: bool
    #: What was found, or what to do.
    text: str = ""
    system: str = ""


def examine(settings: Settings, open_ledger: Callable[[], Ledger]) -> list[Finding]:
    """Return the findings on ledger, broker, processes and instances."""
    try:
        ledger = open_ledger()
    except BridgeError as error:
        return [_problem("ledger", error)]
    kind = "embedded (SQLite)" if settings.is_embedded else "reachable, schema current"
    findings = [Finding(name="ledger", is_ok=True, text=kind)]
    if not settings.is_embedded:
        findings.append(_broker(settings))
    findings += _processes(ledger, settings)
    findings += _standing(ledger)
    runtime = make_runtime(ledger, settings)
    try:
        for instance in ledger.instances.list():
            findings += try_systems(runtime, instance)
    finally:
        runtime.close()
    return findings


def try_systems(runtime: Runtime, instance: Instance) -> list[Finding]:
    """Return the findings on an instance's two systems; small reading calls only."""
    try:
        pair = runtime.systems.of(instance)
    except BridgeError as error:
        return [_problem(instance.name, error)]
    return [
        *_guarded(instance.name, "Magento", lambda: _magento(instance.name, pair.magento)),
        *_guarded(instance.name, "Odoo", lambda: _odoo(instance.name, pair.odoo)),
    ]


def _guarded(name: str, system: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    try:
        for one in check():
            found.append(one)  # noqa: PERF402  # what was found before an error counts
    except BridgeError as error:
        found.append(_problem(name, error, system=system))
    return found


def _magento(name: str, client: MagentoClient) -> Iterator[Finding]:
    probe = client.probe()
    for resource in probe.resources:
        text = f"{resource.title} ({resource.name})"
        if resource.state == "refused":
            text = f"Give the integration the resource {text}."
        if resource.state == "absent":
            text = f"{text}: this Magento has no such endpoint."
        yield Finding(name=name, system="Magento", is_ok=resource.state != "refused", text=text)
    error = probe.error()
    if error is not None:
        yield _problem(name, error, system="Magento")


def _odoo(name: str, client: OdooClient) -> Iterator[Finding]:
    profile = client.profile()
    proven = "" if profile.version.is_proven else " (not proven; taken as the nearest proven version)"
    yield Finding(name=name, system="Odoo", is_ok=True, text=f"Odoo {profile.version.text}{proven}, {profile.currency}")
    for app, state in profile.apps.items():
        text = {
            "usable": f"{app} is usable",
            "no_right": f"Give the bridge's user rights for {app}.",
            "not_installed": f"Install the app {app} in Odoo.",
        }[state]
        yield Finding(name=name, system="Odoo", is_ok=state == "usable", text=text)
    if not profile.user_has_email:
        text = (
            "The bridge's user has no e-mail address. Orders need none, but Odoo cannot reconcile payments without "
            "one: give it one before invoices are to be carried over."
        )
        yield Finding(name=name, system="Odoo", is_ok=True, text=text)
    if profile.price_digits < 6:
        text = (
            f"Product Price has {profile.price_digits} digits. That is enough for most shops; 6 are better where net "
            "prices come from a gross shop (Odoo: Settings > Technical > Decimal Accuracy)."
        )
        yield Finding(name=name, system="Odoo", is_ok=True, text=text)


def _broker(settings: Settings) -> Finding:
    address = shown(settings.broker_url)
    try:
        pika.BlockingConnection(pika_parameters(settings.broker_url, name="doctor")).close()
    except BridgeError as error:
        return _problem("broker", error)
    except (pika.exceptions.AMQPError, OSError):
        text = f"{address} cannot be reached, or refuses the user. Check BRIDGE_BROKER_URL and that RabbitMQ runs."
        return Finding(name="broker", is_ok=False, text=text)
    return Finding(name="broker", is_ok=True, text=f"{address} is reachable")


def _processes(ledger: Ledger, settings: Settings) -> Iterator[Finding]:
    alive = ledger.processes.alive()
    for process in alive:
        yield Finding(name="process", is_ok=True, text=f"{process.role}: {process.name}")
    if not alive:
        how = "bridge serve --embedded" if settings.is_embedded else "bridge worker"
        yield Finding(name="process", is_ok=False, text=f"Nothing runs jobs. Start it: {how}")


def _standing(ledger: Ledger) -> Iterator[Finding]:
    counts = ledger.jobs.counts(ended=False)
    for state in ("blocked", "failed"):
        if number := counts.get(state):
            text = f"{number} jobs are {state}. See what to do: bridge jobs list --state {state}"
            yield Finding(name="jobs", is_ok=False, text=text)
    for breaker in ledger.breakers.list():
        if breaker.is_open:
            text = f"{breaker.system} of {breaker.instance} does not answer; its jobs wait unharmed."
            yield Finding(name="breaker", is_ok=False, text=text)


def _problem(name: str, error: BridgeError, *, system: str = "") -> Finding:
    found = advise(error)
    return Finding(name=name, system=system, is_ok=False, text=f"{found.happened} {found.to_do}")
