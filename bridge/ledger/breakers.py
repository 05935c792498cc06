"""Breakers: after failures in a row a system is left alone for a while, and its jobs wait unharmed.

While a breaker is open the dispatcher sends nothing that calls the system, and a job that failed because of it
waits without using an attempt: after a night's outage nothing is ``failed``. Once the time is
over one job may try; if it fails the wait doubles.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from bridge.ledger.database import Database, Session
from bridge.ledger.held import back_to_pending
from bridge.ledger.records import Breaker, Lengths
from bridge.ledger.shapes import Shape
from bridge.ledger.waits import release_all

_BREAKER = Shape(Breaker, is_open="opened_at IS NOT NULL")
#: How long a process believes that a closed breaker without failures still is one.
_CALM_SECONDS = 1.0

_ALL = f"SELECT {_BREAKER.columns} FROM breakers ORDER BY instance, system"
_STATE = """
SELECT failures, openings, opened_at IS NOT NULL, is_trying, retry_at <= {now} FROM breakers
WHERE instance = :instance AND system = :system
"""
_TRY = """
UPDATE breakers SET is_trying = true, retry_at = {later::probe}
WHERE instance = :instance AND system = :system AND opened_at IS NOT NULL AND retry_at <= {now}
RETURNING 1
"""
_TOUCH = """
INSERT INTO breakers (instance, system) VALUES (:instance, :system) ON CONFLICT (instance, system) DO NOTHING
"""
_COUNT = "UPDATE breakers SET failures = failures + 1 WHERE instance = :instance AND system = :system"
_OPEN = """
UPDATE breakers SET failures = failures + 1, openings = openings + 1, is_trying = false,
    opened_at = coalesce(opened_at, {now}), retry_at = {later::wait}
WHERE instance = :instance AND system = :system
"""
_CLOSE = """
UPDATE breakers SET failures = 0, openings = 0, is_trying = false, opened_at = NULL, retry_at = NULL
WHERE instance = :instance AND system = :system AND (failures > 0 OR opened_at IS NOT NULL)
"""
_OPEN_FOR = """
SELECT -{age:retry_at} FROM breakers
WHERE instance = :instance AND system = :system AND opened_at IS NOT NULL
"""


class Breakers:
    """The breakers of all instances and systems."""

    def __init__(self, database: Database, *, lengths: Lengths) -> None:
        self._database = database
        self._lengths = lengths
        self._calm_until: dict[tuple[str, str], float] = {}
        self._guard = threading.Lock()

    def allow(self, instance: str, system: str) -> bool:
        """Return whether a job may call the system now. Ask once a job: of an open breaker one may try."""
        if self._is_calm(instance, system):
            return True
        with self._database.read() as session:
            found = session.row(_STATE, instance=instance, system=system)
        if found is None or not found[2]:
            if found is None or found[0] == 0:
                self._note_calm(instance, system)
            return True
        if not found[4]:
            return False
        probe = float(self._lengths.breaker_probe_seconds)
        return bool(self._database.single(_TRY, instance=instance, system=system, probe=probe))

    def success(self, instance: str, system: str) -> None:
        """Note that the system answered: closes the breaker. Costs nothing while all is well."""
        if self._is_calm(instance, system):
            return

        def close(session: Session) -> None:
            if session.run(_CLOSE, instance=instance, system=system):
                release_all(session, f"breaker:{instance}:{system}")

        with self._database.read() as session:
            found = session.row(_STATE, instance=instance, system=system)
        if found is not None and (found[0] > 0 or found[2]):
            self._database.write(close)
        self._note_calm(instance, system)

    def failure(self, instance: str, system: str) -> None:
        """Note that the system could not answer. Call it before ``jobs.finish`` of the job that failed."""
        with self._guard:
            self._calm_until.pop((instance, system), None)
        self._database.write(lambda session: self._fail(session, instance, system))

    def list(self) -> list[Breaker]:
        """Return every breaker that ever counted a failure."""
        with self._database.read() as session:
            return _BREAKER.read_all(session.rows(_ALL))

    def _fail(self, session: Session, instance: str, system: str) -> None:
        named: dict[str, Any] = {"instance": instance, "system": system}
        session.run(_TOUCH, **named)
        found = session.row(_STATE + " {for_update}", **named)
        if found is None:
            return
        failures, openings, is_open, is_trying, _is_due = found
        if is_open and not is_trying:
            # A job that had begun before: it says nothing new.
            return
        if not is_open and failures + 1 < self._lengths.breaker_failures:
            session.run(_COUNT, **named)
            return
        wait = min(
            self._lengths.breaker_open_seconds * 2.0 ** min(openings, 16), self._lengths.breaker_max_seconds
        )
        session.run(_OPEN, wait=float(wait), **named)
        back_to_pending(session, instance=instance, system=system)

    def _is_calm(self, instance: str, system: str) -> bool:
        return self._calm_until.get((instance, system), 0.0) > time.monotonic()

    def _note_calm(self, instance: str, system: str) -> None:
        with self._guard:
            self._calm_until[instance, system] = time.monotonic() + _CALM_SECONDS


def open_for_seconds(session: Session, instance: str, system: str) -> float | None:
    """Return for how long the breaker stays open, 0 or less when one may try; None when it is closed."""
    seconds = session.value(_OPEN_FOR, instance=instance, system=system)
    return None if seconds is None else max(0.0, float(seconds))
