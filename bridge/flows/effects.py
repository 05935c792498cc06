"""Writes that happen once: each is an effect row before the first byte leaves (DESIGN 6, RULES 2).

The one place that knows what to do about a doubt. A flow says what to write and how to look whether it happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.errors import (
    BridgeError,
    DoubtfulEffect,
    OperatorError,
    ServiceRejected,
    System,
)
from bridge.ledger import Effect, Job, Ledger
from bridge.odoo import LoadRequest, OdooClient
from bridge.wire import NoAnswer


class EffectUnclear(OperatorError):
    """A write that must not be repeated is in doubt, and looking did not find it."""

    code = "effect_unclear"


@dataclass(frozen=True, kw_only=True)
class Write:
    """One write and how to make sure of it."""

    #: From the source record's identity, never from a job or an attempt.
    key: str
    system: System
    #: What is done: ``create-order``, ``confirm-order``.
    kind: str
    #: What it is done to: a model, or a path.
    target: str
    #: The request exactly as it will be sent.
    request: bytes
    #: Sends the request and returns the remote id as text.
    send: Callable[[bytes], str]
    #: Looks whether it happened and returns the remote id if so. None where sending again is itself the look:
    #: a create-only ``load`` answers the id of the record that is there.
    look: Callable[[], str | None] | None = None
    #: Whether it may be sent again when the last look did not find it.
    may_repeat: bool = True
    #: Where an answer says only that it was taken into a queue: after so many seconds it is looked at first.
    looked_at_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a ``load`` of many records came to."""

    #: In the order of the rows that begin a record.
    ids: tuple[int, ...]
    #: What was sent: after a doubt or a restart it is what was stored then, not what would be sent now.
    request: LoadRequest


#: The id of a record that a preview would have made.
NOT_MADE = 0


class Writer(Protocol):
    """Performs writes."""

    def once(self, write: Write) -> str:
        """Perform ``write`` unless it is known to have happened; return the remote id."""

    def load(self, client: OdooClient, *, key: str, kind: str, request: LoadRequest) -> int:
        """Create a record with its lines, if it is not there; return its id."""

    def load_many(self, client: OdooClient, *, key: str, kind: str, request: LoadRequest) -> Loaded:
        """Create, or update, many records in one call.

        ``key`` names the records, so that the same key stands for the same records in the same order.
        """

    def is_open(self, key: str) -> bool:
        """Return whether a write under ``key`` was sent and what became of it is not written down yet.

        Then what a search finds may be that very write, half known: it must be settled under its own key first.
        """

    def is_done(self, key: str) -> bool:
        """Return whether a write under ``key`` is known to have happened; its record may be gone since."""


class NoWriter:
    """The writer of a preview: writes nothing."""

    def once(self, write: Write) -> str:  # noqa: ARG002  # as the port has it
        """Write nothing."""
        return str(NOT_MADE)

    def load(
        self,
        client: OdooClient,  # noqa: ARG002  # as the port has it
        *,
        key: str,  # noqa: ARG002
        kind: str,  # noqa: ARG002
        request: LoadRequest,  # noqa: ARG002
    ) -> int:
        """Make nothing."""
        return NOT_MADE

    def load_many(
        self,
        client: OdooClient,  # noqa: ARG002  # as the port has it
        *,
        key: str,  # noqa: ARG002
        kind: str,  # noqa: ARG002
        request: LoadRequest,
    ) -> Loaded:
        """Make nothing."""
        return Loaded(ids=(NOT_MADE,) * request.records, request=request)

    def is_open(self, key: str) -> bool:  # noqa: ARG002  # as the port has it
        """Return False: a preview settles nothing."""
        return False

    def is_done(self, key: str) -> bool:  # noqa: ARG002  # as the port has it
        """Return False: a preview asks for nothing that it would write."""
        return False


class LedgerWriter:
    """Performs the writes of one job; the ledger knows of each before its first byte leaves."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        job: Job,
        odoo_doubt_seconds: float,
        magento_doubt_seconds: Sequence[float],
        stay: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._job = job
        self._doubts: dict[str, tuple[float, ...]] = {
            "odoo": (odoo_doubt_seconds,),
            "magento": tuple(magento_doubt_seconds),
        }
        self._stay = stay

    def once(self, write: Write) -> str:
        """Perform ``write`` unless it is known to have happened; return the remote id.

        Raises:
            DoubtfulEffect: its answer was lost, now or earlier; come back when the doubt is over.
            EffectUnclear: it must not be repeated and was not found.
            LeaseLost, JobCancelled: before anything was sent.
        """
        # A request to stop is the ledger's matter: what was sent must first be known (``effects.begin``).
        self._stay()
        effect = self._ledger.effects.begin(
            self._job,
            key=write.key,
            system=write.system,
            kind=write.kind,
            target=write.target,
            request=write.request,
        )
        if effect.may_send:
            return self._send(write, write.request)
        if effect.state == "confirmed":
            return effect.remote_id or ""
        return self._settle(write, effect)

    def load(self, client: OdooClient, *, key: str, kind: str, request: LoadRequest) -> int:
        """Create a record with its lines, if it is not there; return its id."""

        def send(stored: bytes) -> str:
            return str(client.send_load(LoadRequest.decode(stored)).ids[0])

        write = Write(
            key=key, system="odoo", kind=kind, target=request.model, request=request.encode(), send=send
        )
        return int(self.once(write))

    def load_many(self, client: OdooClient, *, key: str, kind: str, request: LoadRequest) -> Loaded:
        """Create, or update, many records in one call."""
        sent: list[LoadRequest] = []

        def send(stored: bytes) -> str:
            again = LoadRequest.decode(stored)
            ids = client.send_load(again).ids
            if len(ids) != again.records:
                raise ServiceRejected(
                    f"Odoo answered {len(ids)} records of {again.model} where {again.records} were sent.",
                    system="odoo",
                    model=again.model,
                    method="load",
                    reason="unexpected_answer",
                )
            sent.append(again)
            return ",".join(map(str, ids))

        write = Write(
            key=key, system="odoo", kind=kind, target=request.model, request=request.encode(), send=send
        )
        ids = tuple(int(one) for one in self.once(write).split(","))
        if not sent:
            effect = self._ledger.effects.get(key)
            stored = effect.request if effect is not None else None
            sent.append(request if stored is None else LoadRequest.decode(stored))
        return Loaded(ids=ids, request=sent[-1])

    def is_open(self, key: str) -> bool:
        """Return whether a write under ``key`` was sent and what became of it is not written down yet."""
        effect = self._ledger.effects.get(key)
        return effect is not None and effect.state in {"sent", "doubtful"}

    def is_done(self, key: str) -> bool:
        """Return whether a write under ``key`` is known to have happened; its record may be gone since."""
        effect = self._ledger.effects.get(key)
        return effect is not None and effect.state == "confirmed"

    def _send(self, write: Write, request: bytes, *, repeats_lost_race: bool = True) -> str:
        # Between the intent and the first byte the process may have stood still: whoever has the job now may not
        # be disturbed by a request that nobody expects any more. What is known as sent is looked after by them.
        self._stay()
        try:
            remote_id = write.send(request)
        except BridgeError as error:
            if is_in_doubt(error):
                self._ledger.effects.doubt(self._job, write.key)
                raise self._wait(write, self._doubts[write.system][0]) from error
            if repeats_lost_race and is_lost_race(error):
                # The winner has ended: the same bytes again answer its record's id (RULES 2.1).
                return self._resend(write, repeats_lost_race=False)
            remote_id = self._refused(write, error)
        if write.looked_at_after is not None:
            self._ledger.effects.hand(write.key, remote_id)
            raise self._wait(write, write.looked_at_after, why=f"{write.kind} was taken into a queue")
        self._ledger.effects.confirm(self._job, write.key, remote_id)
        return remote_id

    def _refused(self, write: Write, error: BridgeError) -> str:
        """Return the remote id if the server refused because it is done already; else raise ``error``.

        An earlier request that was still running may have won since the last look, or a person was faster.
        """
        found = write.look() if write.look is not None and isinstance(error, ServiceRejected) else None
        if found is None:
            self._ledger.effects.refuse(self._job, write.key)
            raise error
        return found

    def _settle(self, write: Write, effect: Effect) -> str:
        looks = self._doubts[write.system]
        coming = [after for after in looks if after > effect.age_seconds]
        if len(coming) == len(looks):
            raise self._wait(write, coming[0] - effect.age_seconds)
        found = write.look() if write.look is not None else None
        if found is not None:
            self._ledger.effects.confirm(self._job, write.key, found)
            return found
        if coming:
            raise self._wait(write, coming[0] - effect.age_seconds)
        if not write.may_repeat:
            raise EffectUnclear(
                f"Whether {write.kind} happened is not known, and it must not be done twice.",
                system=write.system,
                kind=write.kind,
                target=write.target,
            )
        return self._resend(write)

    def _resend(self, write: Write, *, repeats_lost_race: bool = True) -> str:
        again = self._ledger.effects.resend(self._job, write.key)
        if again.state == "confirmed":
            return again.remote_id or ""
        if not again.may_send:
            # The first sender was refused after our look, and said so: begin as if nothing had been sent.
            return self.once(write)
        # The very bytes of the first time: another payload under the same key would change nothing anyway.
        return self._send(write, again.request or write.request, repeats_lost_race=repeats_lost_race)

    def _wait(self, write: Write, seconds: float, *, why: str | None = None) -> DoubtfulEffect:
        why = why or f"The answer to {write.kind} was lost"
        return DoubtfulEffect(
            f"{why}; the bridge looks again in {max(1, round(seconds))} s.",
            waits_for=f"doubt:{write.key}",
            retry_after=max(0.0, seconds),
            system=write.system,
        )


def is_in_doubt(error: BridgeError) -> bool:
    """Return whether a write that ended with ``error`` may have happened, or be happening still."""
    return isinstance(error, NoAnswer) and error.sent


def is_lost_race(error: BridgeError) -> bool:
    """Return whether a ``load`` lost against another one of the same key, and kept nothing."""
    details = error.details
    return details.get("reason") == "serialization" and details.get("method") == "load"
