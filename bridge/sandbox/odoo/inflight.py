"""Open transactions: calls that wait before their commit, and external ids that an open one holds.

A request whose external id is being inserted by another waits for it, and then fails to serialize, as
``idempotency/race-load-*`` recorded. Waiting is done in the server's loop; tests release from their thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable

#: Seconds that anything waits at most, so that a test that fails does not hang.
MAX_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.003


class CommitHold:
    """One call that stands before its commit until it is released."""

    def __init__(self, operation: str, *, cuts: bool) -> None:
        self.operation = operation
        #: Set when a call has arrived here.
        self.fired = threading.Event()
        #: Set when that call has committed, or failed.
        self.ended = threading.Event()
        self._is_cut = threading.Event()
        self._released = threading.Event()
        if cuts:
            self._is_cut.set()

    def cut(self) -> None:
        """Cut the call's connection; the server goes on regardless."""
        self._is_cut.set()

    def release(self) -> None:
        """Let the call commit."""
        self._released.set()

    async def wait(self, cut: Callable[[], None]) -> None:
        """Wait until the call may commit; ``cut`` its connection meanwhile if that is wanted."""
        if not self._is_cut.is_set():
            self.fired.set()
            await _until(lambda: self._released.is_set() or self._is_cut.is_set())
        if self._is_cut.is_set():
            cut()
        self.fired.set()
        await _until(self._released.is_set)


class Inflight:
    """The external ids held by open transactions, and the holds that are armed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()
        self._holds: list[CommitHold] = []
        self._conflicts: list[str] = []

    def conflict(self, operation: str, *, times: int) -> None:
        """Let the next calls whose ``model.method`` contains ``operation`` fail to serialize."""
        with self._lock:
            self._conflicts += [operation] * times

    def take_conflict(self, operation: str) -> bool:
        """Return whether this call is to fail to serialize."""
        with self._lock:
            found = next((one for one in self._conflicts if one in operation), None)
            if found is not None:
                self._conflicts.remove(found)
        return found is not None

    def hold(self, operation: str, *, cuts: bool) -> CommitHold:
        """Arm a hold for the next call whose ``model.method`` contains ``operation``."""
        hold = CommitHold(operation, cuts=cuts)
        with self._lock:
            self._holds.append(hold)
        return hold

    def take_hold(self, operation: str) -> CommitHold | None:
        """Return the hold that this call meets, if one is armed for it."""
        with self._lock:
            hold = next((one for one in self._holds if one.operation in operation), None)
            if hold is not None:
                self._holds.remove(hold)
        return hold

    def release_all(self) -> None:
        """Disarm all holds that no call has met."""
        with self._lock:
            holds, self._holds = self._holds, []
        for hold in holds:
            hold.release()

    def try_keys(self, keys: Iterable[str]) -> bool:
        """Hold ``keys``, unless another open transaction holds one of them."""
        wanted = set(keys)
        with self._lock:
            if self._keys & wanted:
                return False
            self._keys |= wanted
            return True

    def drop_keys(self, keys: Iterable[str]) -> None:
        """Let go of ``keys``: their transaction has ended."""
        with self._lock:
            self._keys -= set(keys)

    async def wait_for(self, keys: Iterable[str]) -> None:
        """Wait until no open transaction holds one of ``keys``."""
        wanted = set(keys)
        await _until(lambda: not self._keys & wanted)


async def _until(is_true: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + MAX_WAIT_SECONDS
    # The one who ends the wait may be another thread, so an asyncio.Event would not do.
    while not is_true() and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(_POLL_SECONDS)
