"""The dispatcher's choice: which jobs get a message now.

Work waits in lanes (instance, queue, kind, systems). What is held back (a paused flow, an open breaker, a full
queue, too many calls at once) is held back by lane, so that a million waiting jobs behind an open
breaker cost one look. Within the open lanes: priority, then the instances in turn, then age.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count

from bridge.ledger.database import Database, Session
from bridge.ledger.held import CHOICE_KEY
from bridge.ledger.records import JobId, Lengths
from bridge.ledger.recovery import recover_expired
from bridge.ledger.wants import LANE_SEPARATOR

#: Waiting jobs whose time has come, and lost messages, that one round takes back.
_WAKE_BATCH = 500
#: Calls at once where an instance has no settings (any more).
_DEFAULT_PARALLEL = {"odoo": 2, "magento": 4}

_TRY_LOCK = "SELECT pg_try_advisory_xact_lock(:key)"
_WAKE = """
UPDATE jobs SET state = 'pending', waits_for = NULL WHERE id IN (
    SELECT id FROM jobs WHERE state = :state AND next_attempt_at <= {now}
    ORDER BY next_attempt_at LIMIT :batch {for_update} {skip_locked})
"""
#: Looks from one lane to the next by the index: as many steps as there are lanes, however long they are.
_LANES = """
WITH RECURSIVE lanes(lane) AS (
    SELECT min(lane) FROM jobs WHERE state = 'pending'
    UNION ALL
    SELECT (SELECT min(j.lane) FROM jobs j WHERE j.state = 'pending' AND j.lane > lanes.lane)
    FROM lanes WHERE lanes.lane IS NOT NULL)
SELECT lane FROM lanes WHERE lane IS NOT NULL
"""
_UNDER_WAY = "SELECT lane, count(*) FROM jobs WHERE state IN ('queued', 'running') GROUP BY lane"
_QUEUED = "SELECT lane, count(*) FROM jobs WHERE state = 'queued' GROUP BY lane"
_PAUSES = "SELECT instance, flow FROM pauses"
_BREAKERS = "SELECT instance, system, retry_at <= {now} FROM breakers WHERE opened_at IS NOT NULL"
_PARALLEL = "SELECT name, max_parallel_odoo, max_parallel_magento FROM instances"
_CANDIDATES = """
SELECT id, priority, lock_key, lock_key IS NOT NULL AND EXISTS (
    SELECT 1 FROM jobs h WHERE h.lock_key = j.lock_key AND h.state IN ('queued', 'running')
        AND h.lock_key IS NOT NULL)
FROM jobs j WHERE state = 'pending' AND lane = :lane AND next_attempt_at <= {now}
ORDER BY priority DESC, id LIMIT :limit {for_update} {skip_locked}
"""
#: The rows are locked by the look at them. To name their state again would let a planner without fresh statistics
#: read every pending job for it.
_QUEUE = """
UPDATE jobs SET state = 'queued', dispatches = dispatches + 1,
    next_attempt_at = {later::patience * (1 << CAST({least}(dispatches, 6) AS integer))}
WHERE id {any ids bigint}
"""
_HELD = """
SELECT lock_key FROM jobs WHERE lock_key {any locks text}
    AND state IN ('queued', 'running') AND lock_key IS NOT NULL {for_share} {skip_locked}
"""
_PARK = """
UPDATE jobs SET state = 'retry_waiting', waits_for = 'lock:' || lock_key, next_attempt_at = {later::patience}
WHERE id {any ids bigint}
"""


@dataclass(frozen=True)
class Lane:
    """Jobs that are held back together."""

    name: str
    instance: str
    queue: str
    kind: str
    systems: tuple[str, ...]

    @classmethod
    def parse(cls, name: str) -> Lane:
        """Return the lane that ``wants`` named."""
        instance, queue, kind, systems = name.split(LANE_SEPARATOR)
        return cls(name, instance, queue, kind, tuple(systems.split(",")) if systems else ())


@dataclass(frozen=True)
class Candidate:
    """A job that could be sent now."""

    id: int
    priority: int
    lock_key: str | None
    lane: Lane


class Room:
    """How much may still be sent: per queue, in all, and per instance and system."""

    def __init__(self, session: Session, queue_room: Mapping[str, int], *, limit: int) -> None:
        self._left = limit
        self._queues = dict(queue_room)
        self._parallel = _parallel_room(session)
        self._paused = {(instance, flow) for instance, flow in session.rows(_PAUSES)}

    def of(self, lane: Lane) -> int:
        """Return how many jobs of ``lane`` may be sent now."""
        if any((i, f) in self._paused for i in ("", lane.instance) for f in ("", lane.kind)):
            return 0
        rooms = [self._parallel_of(lane.instance, system) for system in lane.systems]
        return max(0, min(self._left, self._queues.get(lane.queue, 0), *rooms))

    def take(self, lane: Lane) -> None:
        """Use up the room of one job."""
        self._left -= 1
        self._queues[lane.queue] -= 1
        for system in lane.systems:
            self._parallel[lane.instance, system] = self._parallel_of(lane.instance, system) - 1

    def _parallel_of(self, instance: str, system: str) -> int:
        return self._parallel.get((instance, system), _DEFAULT_PARALLEL.get(system, 1))


class Dispatcher:
    """Chooses the jobs that get a message, and marks them ``queued``."""

    def __init__(self, database: Database, *, lengths: Lengths) -> None:
        self._database = database
        self._lengths = lengths
        self._guard = threading.Lock()
        #: When each instance was served last, so that turns go on from one choice to the next.
        self._served: dict[str, int] = {}
        self._clock = count(1)

    def dispatch(self, queue_room: Mapping[str, int], *, limit: int) -> list[tuple[JobId, str]]:
        """Mark the next jobs ``queued`` and return them with their queues, in the order to send them."""
        with self._guard:
            chosen = self._database.write(lambda session: self._choose(session, queue_room, limit=limit))
            for candidate in chosen:
                self._served[candidate.lane.instance] = next(self._clock)
        return [(JobId(candidate.id), candidate.lane.queue) for candidate in chosen]

    def queued(self) -> dict[str, int]:
        """Return how many messages each queue should hold now."""
        found: Counter[str] = Counter()
        with self._database.read() as session:
            for lane, number in session.rows(_QUEUED):
                found[Lane.parse(lane).queue] += number
        return dict(found)

    def _choose(self, session: Session, queue_room: Mapping[str, int], *, limit: int) -> list[Candidate]:
        if session.is_postgres and not session.value(_TRY_LOCK, key=CHOICE_KEY):
            return []
        recover_expired(session, lengths=self._lengths)
        # A message that nobody claimed in time counts as lost: its job is chosen again, with more patience.
        for state in ("retry_waiting", "queued"):
            session.run(_WAKE, state=state, batch=_WAKE_BATCH)
        room = Room(session, queue_room, limit=limit)
        candidates: list[Candidate] = []
        held: list[Candidate] = []
        for (name,) in session.rows(_LANES):
            lane = Lane.parse(name)
            if (wanted := room.of(lane)) > 0:
                for job_id, priority, lock_key, is_held in session.rows(_CANDIDATES, lane=name, limit=wanted):
                    one = Candidate(job_id, priority, lock_key, lane)
                    (held if is_held else candidates).append(one)
        chosen, second = self._pick(candidates, room)
        self._mark(session, chosen)
        self._park(session, held + second, mine={one.lock_key for one in chosen if one.lock_key})
        return chosen

    def _pick(self, candidates: Iterable[Candidate], room: Room) -> tuple[list[Candidate], list[Candidate]]:
        """Return those to send, in order, and those whose lock one of them holds."""
        turns: defaultdict[tuple[int, str], count[int]] = defaultdict(count)
        in_turn = sorted(
            (
                -one.priority,
                next(turns[one.priority, one.lane.instance]),
                self._served.get(one.lane.instance, 0),
                one.id,
                one,
            )
            for one in sorted(candidates, key=lambda one: one.id)
        )
        chosen: list[Candidate] = []
        second: list[Candidate] = []
        locks: set[str] = set()
        for *_order, one in in_turn:
            if one.lock_key in locks:
                second.append(one)
            elif room.of(one.lane) > 0:
                room.take(one.lane)
                chosen.append(one)
                if one.lock_key:
                    locks.add(one.lock_key)
        return chosen, second

    def _mark(self, session: Session, chosen: list[Candidate]) -> None:
        if chosen:
            patience = float(self._lengths.message_patience_seconds)
            session.run(_QUEUE, ids=[one.id for one in chosen], patience=patience)

    def _park(self, session: Session, held: list[Candidate], *, mine: set[str]) -> None:
        """Let those wait whose lock is taken: left ``pending`` they would stand in front of their lane."""
        others = {one.lock_key for one in held if one.lock_key} - mine
        if others:
            # Locking the holder's row makes its last transaction come after this one and see who waits.
            # A holder that is just ending is passed over, and its lock looked at again next time.
            rows = session.rows(_HELD, locks=sorted(others))
            mine = mine | {str(key) for (key,) in rows}
        if parked := [one for one in held if one.lock_key in mine]:
            patience = float(self._lengths.wait_patience_seconds)
            session.run(_PARK, ids=[one.id for one in parked], patience=patience)


def _parallel_room(session: Session) -> dict[tuple[str, str], int]:
    """Return how many more jobs may call each system of each instance."""
    under_way: Counter[tuple[str, str]] = Counter()
    for name, number in session.rows(_UNDER_WAY):
        lane = Lane.parse(name)
        for system in lane.systems:
            under_way[lane.instance, system] += number
    limits: dict[tuple[str, str], int] = {}
    for name, odoo, magento in session.rows(_PARALLEL):
        limits[name, "odoo"], limits[name, "magento"] = odoo, magento
    for key in under_way:
        limits.setdefault(key, _DEFAULT_PARALLEL.get(key[1], 1))
    for instance, system, may_try in session.rows(_BREAKERS):
        # Of an open breaker's jobs one may try once its time has come.
        limits[instance, system] = 1 if may_try else 0
    return {key: limit - under_way[key] for key, limit in limits.items()}
