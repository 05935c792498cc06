"""When a schedule is due for an instance: how often, whether it is on at all, and what counts as night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from bridge.every import parse_every
from bridge.idempotency import external_key
from bridge.ledger import Ledger
from bridge.settings import InstanceSettings

_HOUR = 3600
_DAY = 24 * _HOUR
#: What happens once a day or more rarely begins in these hours of the store's own time.
_NIGHT_BEGINS, _NIGHT_LASTS = 2 * _HOUR, 6 * _HOUR

#: Arguments of runs that only try something out.
_TRIALS = frozenset({"dry_run", "skus"})
#: Earlier runs that are looked through for one that was meant.
_RUNS_LOOKED_AT = 50

#: Who says how often: the instance's setting, the bridge, or nobody yet; or other settings leave it off.
Said = Literal["setting", "default", "not used yet", "other settings"]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often something happens for an instance."""

    #: None: it is off.
    every_seconds: float | None
    said: Said


def pace_of(
    ledger: Ledger,
    name: str,
    *,
    every_seconds: float,
    after: str | None,
    instance: str,
    known: tuple[InstanceSettings, datetime],
) -> Pace:
    """Return how often the schedule ``name`` happens for ``instance``; ``known`` are its settings, and since when it is there.

    Where nothing is set it is on by default, or, where it has an ``after``, as soon as the instance has used that action:
    who only imports orders need not pay for scans of the catalog.
    """
    settings, since = known
    given = settings.scheduled(name)
    if given is not None:
        return Pace(every_seconds=parse_every(given), said="setting")
    if after is not None and not _has_used(ledger, instance, after, since=since):
        return Pace(every_seconds=None, said="not used yet")
    return Pace(every_seconds=every_seconds, said="default")


def slot_of(now: float, *, every_seconds: float, zone: str) -> int | None:
    """Return the number of the stretch of time that ``now`` (Unix seconds) lies in; None: not now, it is day."""
    if every_seconds < _DAY:
        return int(now // every_seconds)
    ahead = datetime.fromtimestamp(now, ZoneInfo(zone)).utcoffset()
    seconds = now + (ahead.total_seconds() if ahead else 0.0) - _NIGHT_BEGINS
    number, into = divmod(seconds, every_seconds)
    return int(number) if into < _NIGHT_LASTS else None


def _has_used(ledger: Ledger, instance: str, kind: str, *, since: datetime) -> bool:
    """Return whether an action was ever started for the instance, as a run or as a job for everything."""
    runs = [
        run
        for run in ledger.runs.list(instance=instance, kind=kind, limit=_RUNS_LOOKED_AT)
        if not run.args.keys() & _TRIALS
    ]
    jobs = ledger.jobs.list(external_key=external_key(instance, kind, "all"), since=since, limit=1)
    # A name may have been another instance's before.
    return bool(jobs) or any(run.created_at >= since for run in runs)
