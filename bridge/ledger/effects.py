"""Effects: the writes into Odoo and Magento, each known by a key before its first byte leaves.

``sent`` is committed before the request goes out, guarded by the job's fence; what became of it is written after
the answer, whether or not the lease still holds, since the fact stands. Whoever takes a job up finds
what its forerunner sent, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from bridge.errors import JobCancelled, RecordMissing, System
from bridge.idempotency import external_key
from bridge.ledger.claims import OURS, guard
from bridge.ledger.database import Database, Row, Session
from bridge.ledger.exchanges import Exchanges, add_in
from bridge.ledger.facts import Effect
from bridge.ledger.records import Job, Lengths
from bridge.ledger.shapes import Shape
from bridge.ledger.vault import EFFECT_REQUESTS, Vault
from bridge.ledger.waits import release_all
from bridge.wire import Exchange

_EFFECT = Shape(Effect, age_seconds="{age:sent_at}", may_send="false")
_ERASE_BATCH = 500

#: A row that is there already stays as it is, unless its try was definitely refused: that one is sent anew.
_INTO = """
INSERT INTO effects (key, instance, job_id, fence, system, kind, target, state, request, request_hash, sent_at)
"""
_IF_NEW = f"""
ON CONFLICT (key) DO UPDATE SET state = 'sent', request = excluded.request,
    request_hash = excluded.request_hash, sent_at = excluded.sent_at, job_id = excluded.job_id,
    fence = excluded.fence, target = excluded.target
WHERE effects.state = 'intended'
RETURNING {_EFFECT.columns}
"""
_BEGIN = f"""{_INTO}
VALUES (:key, :instance, :job_id, :fence, :system, :kind, :target, 'sent', :request, :hash, {{clock}})
{_IF_NEW}"""
#: The usual case in one statement: the job is ours, nobody asked it to stop, and nothing was sent under the key.
_BEGIN_AT_ONCE = f"""{_INTO}
SELECT :key, :instance, jobs.id, :fence, :system, :kind, :target, 'sent', :request, :hash, {{clock}}
FROM jobs WHERE {OURS} AND NOT cancel_requested AND lease_until > {{clock}} {{for_share}}
{_IF_NEW}"""
_GET = f"SELECT {_EFFECT.columns} FROM effects WHERE key = :key"
_WAS_SENT = "SELECT 1 FROM effects WHERE key = :key AND state <> 'intended'"
_RESEND = f"""
UPDATE effects SET state = 'sent', sent_at = {{clock}}, job_id = :job_id, fence = :fence
WHERE key = :key AND state IN ('sent', 'doubtful')
RETURNING {_EFFECT.columns}
"""
_CONFIRM = f"""
UPDATE effects SET state = 'confirmed', remote_id = coalesce(remote_id, :remote_id),
    confirmed_at = coalesce(confirmed_at, {{clock}})
WHERE key = :key
RETURNING {_EFFECT.columns}
"""
#: Only the attempt that sent it last may say what became of it: an older one knows about its own request alone.
_SETTLE = """
UPDATE effects SET state = :state WHERE key = :key AND fence = :fence AND state IN ('sent', 'doubtful')
"""
_HAND = """
UPDATE effects SET state = 'doubtful', remote_id = :remote_id WHERE key = :key AND state IN ('sent', 'doubtful')
"""
_FOR_JOB = f"SELECT {_EFFECT.columns} FROM effects WHERE job_id = :job_id ORDER BY sent_at, key"
_FOR_ENTITY = f"""
SELECT {_EFFECT.columns} FROM effects WHERE job_id IN (SELECT id FROM jobs WHERE external_key = :external_key)
ORDER BY sent_at, key
"""
_OPEN = f"""
SELECT {_EFFECT.columns} FROM effects WHERE instance = :instance AND target = :target AND state <> 'confirmed'
ORDER BY sent_at, key
"""
_ERASE = """
UPDATE effects SET request = NULL WHERE key IN (
    SELECT key FROM effects WHERE state = 'confirmed' AND request IS NOT NULL
        AND confirmed_at < {later:-86400.0 * :days} ORDER BY confirmed_at LIMIT :batch)
"""


class Effects:
    """The effects of the ledger."""

    def __init__(self, database: Database, *, vault: Vault, exchanges: Exchanges, lengths: Lengths) -> None:
        self._database = database
        self._vault = vault
        self._exchanges = exchanges
        self._lengths = lengths

    def begin(self, job: Job, *, key: str, system: System, kind: str, target: str, request: bytes) -> Effect:
        """Commit that ``request`` is about to be sent, unless the ledger knows of it already.

        The answer's ``may_send`` is True where this call made it ``sent``. Otherwise it is ``confirmed``, or was
        sent by an earlier attempt: then it is in doubt, ``request`` holds what was sent and ``age_seconds`` says when.

        Raises:
            LeaseLost: another worker may hold the job now.
            JobCancelled: a person asked the job to stop, and nothing was sent under this key. What was sent must
                first be known: no job stops between the intent and the confirmation.
        """
        row = {
            "key": key,
            "instance": job.instance,
            "job_id": job.id,
            "fence": job.fence,
            "system": system,
            "kind": kind,
            "target": target,
            "request": self._vault.encrypt(EFFECT_REQUESTS, request),
            "hash": hashlib.sha256(request).hexdigest(),
        }

        def work(session: Session) -> tuple[Row | None, bool]:
            if guard(session, job) and session.row(_WAS_SENT, key=key) is None:
                raise JobCancelled(job_id=job.id)
            begun = session.row(_BEGIN, **row)
            return (begun, True) if begun else (session.row(_GET, key=key), False)

        at_once = self._database.single(_BEGIN_AT_ONCE, id=job.id, **row)
        found, may_send = (at_once[0], True) if at_once else self._database.write(work)
        return self._read(found, key=key, may_send=may_send)

    def resend(self, job: Job, key: str) -> Effect:
        """Commit that the stored request is about to be sent once more, after a doubt.

        The answer's ``may_send`` is False where it was confirmed or refused meanwhile: then nothing may be sent. A
        request to stop waits until the outcome is known.

        Raises:
            LeaseLost: another worker may hold the job now.
        """

        def work(session: Session) -> tuple[Row | None, bool]:
            guard(session, job)
            resent = session.row(_RESEND, key=key, job_id=job.id, fence=job.fence)
            return (resent, True) if resent else (session.row(_GET, key=key), False)

        found, may_send = self._database.write(work)
        return self._read(found, key=key, may_send=may_send)

    def confirm(self, job: Job, key: str, remote_id: str, *, exchanges: Sequence[Exchange] = ()) -> Effect:
        """Write down that the effect happened; also after the lease was lost, since the fact stands."""

        def work(session: Session) -> Row | None:
            row = session.row(_CONFIRM, key=key, remote_id=str(remote_id))
            release_all(session, f"doubt:{key}")
            add_in(session, job.instance, exchanges, job_id=job.id, attempt=job.attempt)
            return row

        return self._read(self._exchanges.writing(work), key=key)

    def refuse(self, job: Job, key: str) -> None:
        """Write down that the server definitely refused the request: the next try may send another one."""

        def work(session: Session) -> None:
            if session.run(_SETTLE, key=key, fence=job.fence, state="intended"):
                release_all(session, f"doubt:{key}")

        self._database.write(work)

    def doubt(self, job: Job, key: str) -> None:
        """Write down that the answer was lost."""
        self._database.command(_SETTLE, key=key, fence=job.fence, state="doubtful")

    def hand(self, key: str, remote_id: str) -> None:
        """Write down under which id the server took the request into its queue: what becomes of it is not known yet."""
        self._database.command(_HAND, key=key, remote_id=remote_id)

    def get(self, key: str) -> Effect | None:
        """Return an effect, or None."""
        with self._database.read() as session:
            row = session.row(_GET, key=key)
        return self._read(row, key=key) if row else None

    def for_job(self, job_id: int) -> list[Effect]:
        """Return the effects that a job sent last, oldest first."""
        return self._list(_FOR_JOB, job_id=job_id)

    def for_entity(self, instance: str, kind: str, entity: str) -> list[Effect]:
        """Return the effects last sent by any job of ``kind`` about ``entity``, oldest first."""
        return self._list(_FOR_ENTITY, external_key=external_key(instance, kind, entity))

    def open_for_target(self, instance: str, target: str) -> list[Effect]:
        """Return the effects on ``target`` that are not confirmed: while one is in doubt no newer write may go out."""
        return self._list(_OPEN, instance=instance, target=target)

    def upkeep(self) -> int:
        """Erase the requests of effects confirmed long ago; returns how many."""
        erased = 0
        while batch := self._database.command(_ERASE, days=self._lengths.request_days, batch=_ERASE_BATCH):
            erased += batch
        return erased

    def _list(self, sql: str, **params: Any) -> list[Effect]:
        with self._database.read() as session:
            return [self._read(row, key="") for row in session.rows(sql, **params)]

    def _read(self, row: Row | None, *, key: str, may_send: bool = False) -> Effect:
        if row is None:
            raise RecordMissing(f"The ledger knows no effect {key}.")
        *values, request, request_hash, remote_id, sent_at, age, _may_send = row
        plain = None if request is None else self._vault.decrypt(EFFECT_REQUESTS, request)
        return _EFFECT.read((*values, plain, request_hash, remote_id, sent_at, age, may_send))
