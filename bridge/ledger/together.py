"""Group commit: what many threads want to write at the same time goes into one transaction.

While one thread writes, the others queue up; the first of them then writes for all that wait. A thread that is alone
writes at once, so nothing is gained or lost at low load.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Turn(Generic[T, R]):
    """One item on its way, and what its thread is to do when woken."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.woken = threading.Event()
        #: Set before it is woken: the result, or that its thread writes for those who wait, or for itself alone.
        self.results: list[R] = []
        self.leads = False


class Together(Generic[T, R]):
    """Writes items, each by the thread that brings it or by another one that brings its own just then."""

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]], *, most: int) -> None:
        """``write`` takes up to ``most`` items and returns a result for each, or raises and has written none."""
        self._write = write
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Turn[T, R]] = []
        self._is_writing = False

    def write(self, item: T) -> R:
        """Return what became of ``item``; raises what ``write`` raises for this item alone."""
        turn: _Turn[T, R] = _Turn(item)
        with self._lock:
            self._waiting.append(turn)
            turn.leads = not self._is_writing
            self._is_writing = True
        if not turn.leads:
            turn.woken.wait()
        if turn.leads:
            self._lead()
        # Of a batch that failed each is written alone: one bad item must not fail the others.
        return turn.results[0] if turn.results else self._write([item])[0]

    def _lead(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        results: Sequence[R] = ()
        try:
            results = self._write([turn.item for turn in batch])
        except Exception:
            if len(batch) == 1:
                raise
        finally:
            for turn, result in zip(batch, results, strict=False):
                turn.results.append(result)
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._is_writing = following is not None
            if following is not None:
                following.leads = True
                following.woken.set()
            for turn in batch:
                turn.woken.set()
