"""Looks the whole bridge over: settings, ledger, broker, processes, clocks, credentials; says what to do about each."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pika
import pika.exceptions

from bridge.advice import advise
from bridge.bootstrap import EMBEDDED_KEY_FILE
from bridge.broker import pika_parameters, shown
from bridge.connection import clock_check, try_systems
from bridge.errors import BridgeError
from bridge.flows.systems import connect
from bridge.ledger import Instance, Ledger
from bridge.settings import EMBEDDED_BROKER_URL, Settings
from bridge.topology import DEAD_QUEUE, INTAKE_QUEUE, TASK_QUEUES

#: Roles of processes that run jobs.
_RUNNERS = frozenset({"all", "tasks", "embedded"})
#: Roles of processes that take events.
_TAKERS = frozenset({"all", "intake", "embedded"})
#: More waiting events than this are more than a moment's burst.
_MANY_WAITING = 10_000
_NEWEST = 200

State = Literal["ok", "problem", "note"]
_SYSTEM_NAMES = {"magento": "Magento", "odoo": "Odoo"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at, and what to do about it."""

    name: str
    #: ``note``: good to know, nothing is broken.
    state: State
    text: str

    @property
    def is_ok(self) -> bool:
        """Whether nothing has to be mended."""
        return self.state != "problem"


def examine(settings: Settings, open_ledger: Callable[[], Ledger]) -> list[Finding]:
    """Return what was found, in the order in which it should be mended. Changes nothing."""
    findings = [_mode(settings), *_key_file(settings)]
    try:
        ledger = open_ledger()
        findings.append(_ledger(ledger))
    except BridgeError as exc:
        findings.append(Finding(name="ledger", state="problem", text=_advice(exc)))
        return [*findings, *_broker(settings)]
    findings += _broker(settings)
    for look in (_processes, _jobs, _held, _dead):
        findings += look(settings, ledger)
    known = ledger.instances.list()
    if not known:
        findings.append(
            Finding(name="instances", state="note", text="None yet: bridge instance add NAME ...")
        )
    for instance in known:
        findings += _instance(ledger, instance)
    return findings


def _mode(settings: Settings) -> Finding:
    if settings.is_embedded:
        text = "Embedded: one process on SQLite. For more, set BRIDGE_DATABASE_URL and BRIDGE_BROKER_URL."
        return Finding(name="mode", state="note", text=text)
    return Finding(name="mode", state="ok", text="PostgreSQL, RabbitMQ and any number of workers.")


def _key_file(settings: Settings) -> list[Finding]:
    if settings.secret_key is not None:
        return []
    if not settings.is_embedded:
        text = "BRIDGE_SECRET_KEY is not set: secrets can be neither kept nor read. Set a long random text."
        return [Finding(name="secret key", state="problem", text=text)]
    try:
        mode = EMBEDDED_KEY_FILE.stat().st_mode
    except OSError:
        return []
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        text = f"Others may read {EMBEDDED_KEY_FILE}: chmod 600 {EMBEDDED_KEY_FILE}"
        return [Finding(name="secret key", state="problem", text=text)]
    text = f"In {EMBEDDED_KEY_FILE}: keep a copy of it in a safe place."
    return [Finding(name="secret key", state="ok", text=text)]


def _ledger(ledger: Ledger) -> Finding:
    clock = clock_check(ledger.now(), here=datetime.now(UTC))
    if clock.state == "problem":
        return Finding(name="ledger", state="problem", text=f"Reachable; its clock differs: {clock.text}.")
    return Finding(name="ledger", state="ok", text="Reachable, with this version's schema; clocks agree.")


def _broker(settings: Settings) -> list[Finding]:
    url = settings.broker_url
    if url == EMBEDDED_BROKER_URL:
        return []
    try:
        connection = pika.BlockingConnection(pika_parameters(url, name="doctor"))
    except BridgeError as exc:
        return [Finding(name="broker", state="problem", text=exc.message)]
    except (pika.exceptions.ProbableAuthenticationError, pika.exceptions.ProbableAccessDeniedError):
        text = f"{shown(url)} refuses the user, the password or the virtual host. Correct BRIDGE_BROKER_URL."
        return [Finding(name="broker", state="problem", text=text)]
    except (pika.exceptions.AMQPError, OSError):
        text = f"{shown(url)} cannot be reached. Start RabbitMQ, or correct BRIDGE_BROKER_URL."
        return [Finding(name="broker", state="problem", text=text)]
    try:
        return [Finding(name="broker", state="ok", text=f"{shown(url)} is reachable."), *_queues(connection)]
    except pika.exceptions.AMQPError:
        return [Finding(name="broker", state="problem", text=f"The connection to {shown(url)} broke.")]
    finally:
        if connection.is_open:
            connection.close()


def _queues(connection: pika.BlockingConnection) -> list[Finding]:
    waiting: dict[str, int] = {}
    missing = []
    for name in (INTAKE_QUEUE, DEAD_QUEUE, *TASK_QUEUES):
        channel = connection.channel()
        try:
            waiting[name] = int(channel.queue_declare(name, passive=True).method.message_count)
        except pika.exceptions.ChannelClosedByBroker:
            missing.append(name)
    findings = []
    if missing:
        text = f"Not there: {', '.join(missing)}. Start a worker, or run: python -m consumers.topology"
        findings.append(Finding(name="queues", state="problem", text=text))
    if waiting.get(DEAD_QUEUE):
        text = f"The broker gave up {waiting[DEAD_QUEUE]} messages: look at the queue {DEAD_QUEUE}."
        findings.append(Finding(name="queues", state="problem", text=text))
    events = waiting.get(INTAKE_QUEUE, 0)
    state: State = "problem" if events > _MANY_WAITING else "ok"
    hint = " Is a worker with intake alive?" if state == "problem" else ""
    findings.append(Finding(name="events waiting", state=state, text=f"{events} in {INTAKE_QUEUE}.{hint}"))
    return findings


def _processes(settings: Settings, ledger: Ledger) -> list[Finding]:
    alive = ledger.processes.alive()
    roles = {process.role for process in alive}
    names = ", ".join(f"{process.name} ({process.role})" for process in alive)
    findings = []
    if alive:
        findings.append(Finding(name="processes", state="ok", text=f"Alive: {names}."))
    if settings.is_embedded:
        if not roles & _RUNNERS:
            text = "None runs jobs now. Start `bridge serve --embedded`, or give `bridge run` --wait."
            findings.append(Finding(name="processes", state="note", text=text))
        return findings
    if not roles & _RUNNERS:
        text = "No worker runs jobs. Start: bridge worker"
        findings.append(Finding(name="processes", state="problem", text=text))
    elif not roles & _TAKERS:
        text = "No worker takes events. Start: bridge worker --role intake"
        findings.append(Finding(name="processes", state="problem", text=text))
    if "beat" not in roles:
        text = "Beat is not alive: lost events are not scanned for. Start: bridge beat"
        findings.append(Finding(name="beat", state="problem", text=text))
    return findings


def _jobs(_: Settings, ledger: Ledger) -> list[Finding]:
    counts = ledger.jobs.counts(ended=False)
    findings = []
    for state in ("blocked", "failed"):
        if number := counts.get(state):
            text = f"{number} {state}: bridge jobs list --state {state}"
            findings.append(Finding(name="jobs", state="note", text=text))
    waiting = sum(counts.get(state, 0) for state in ("pending", "queued", "running", "retry_waiting"))
    findings.append(Finding(name="jobs", state="ok", text=f"{waiting} have something before them."))
    return findings


def _held(_: Settings, ledger: Ledger) -> list[Finding]:
    findings = []
    for pause in ledger.pauses.list():
        what = f"{pause.flow or 'all flows'} of {pause.instance or 'all instances'}"
        text = f"{what}, by {pause.by}. Let it go on: bridge resume"
        findings.append(Finding(name="paused", state="note", text=text))
    for breaker in ledger.breakers.list():
        if breaker.is_open:
            system = _SYSTEM_NAMES.get(breaker.system, breaker.system)
            text = f"{system} failed {breaker.failures} times in a row: its jobs wait, and one tries now and then."
            findings.append(Finding(name=breaker.instance, state="problem", text=text))
    return findings


def _dead(_: Settings, ledger: Ledger) -> list[Finding]:
    dead = [one for one in ledger.events.dead(limit=_NEWEST) if one.replayed_at is None]
    if not dead:
        return []
    number = f"{_NEWEST} or more" if len(dead) == _NEWEST else str(len(dead))
    text = f"{number} could not be read: bridge events list --dead"
    return [Finding(name="dead events", state="note", text=text)]


def _instance(ledger: Ledger, instance: Instance) -> list[Finding]:
    try:
        pair = connect(instance)
    except BridgeError as exc:
        return [Finding(name=instance.name, state="problem", text=_advice(exc, instance=instance.name))]
    try:
        tried = try_systems(pair, instance)
    finally:
        pair.magento.close()
        pair.odoo.close()
    findings = []
    for one in tried:
        ledger.exchanges.add(instance.name, one.exchanges)
        name = f"{instance.name}: {_SYSTEM_NAMES[one.system]}"
        if one.advice is not None:
            findings.append(Finding(name=name, state="problem", text=one.advice.text))
        findings += [
            Finding(name=name, state=check.state, text=f"{check.name}: {check.text}")
            for check in one.checks
            if check.state != "ok" and not (one.advice and check.state == "problem")
        ]
        if one.is_ok:
            findings.append(Finding(name=name, state="ok", text="The bridge can work with it."))
    return findings


def _advice(error: BridgeError, *, instance: str | None = None) -> str:
    found = advise(error, instance=instance)
    return found.text if found.happened == error.message else f"{error.message} {found.what_to_do}"
