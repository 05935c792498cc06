"""What was asked of the sandbox: counts per system and operation, and the last requests by path.

Tests and benchmarks compare the bridge's calls with RULES 1.14 ("calls per order"); counts are kept per
operation, not per URL, so that ten thousand orders do not fill the memory.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass

from bridge.errors import System

#: How many of the newest requests are kept with their exact path.
KEPT_CALLS = 1000


@dataclass(frozen=True, kw_only=True)
class Call:
    """One HTTP request that reached the sandbox."""

    system: System
    #: HTTP method.
    method: str
    #: Exact path, without the query.
    path: str
    #: Raw query string, percent-encoded as sent.
    query: str
    #: The operation: ``/V1/orders/{id}`` for Magento, ``sale.order.load`` for Odoo.
    operation: str

    def contains(self, text: str) -> bool:
        """Return whether ``text`` stands in the path, the query or the operation."""
        return text in self.path or text in self.operation or text in self.query


class Calls:
    """Counts of the requests, safe to read while the servers run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[System, str, str]] = Counter()
        self._last: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._open: Counter[System] = Counter()
        self._peak: Counter[System] = Counter()

    def begin(self, call: Call) -> None:
        """Count ``call``, which has just arrived whole."""
        with self._lock:
            self._counts[call.system, call.method, call.operation] += 1
            self._last.append(call)
            self._open[call.system] += 1
            self._peak[call.system] = max(self._peak[call.system], self._open[call.system])

    def end(self, call: Call) -> None:
        """Note that ``call`` has been answered, or cut."""
        with self._lock:
            self._open[call.system] -= 1

    def counts(self, system: System | None = None) -> dict[tuple[System, str, str], int]:
        """Return how often each (system, method, operation) was asked for, of one system or of both."""
        with self._lock:
            return {key: count for key, count in self._counts.items() if system in {None, key[0]}}

    def total(self, system: System | None = None, *, contains: str = "") -> int:
        """Return the number of requests, of one system or of both, whose operation contains a text."""
        return sum(count for key, count in self.counts(system).items() if contains in key[2])

    def last(self, system: System | None = None) -> list[Call]:
        """Return the newest requests, oldest first (at most ``KEPT_CALLS``)."""
        with self._lock:
            return [call for call in self._last if system in {None, call.system}]

    def peak(self, system: System) -> int:
        """Return the greatest number of requests that were in the server at the same moment."""
        with self._lock:
            return self._peak[system]

    def reset(self) -> None:
        """Forget the counts; requests that are still open stay open."""
        with self._lock:
            self._counts.clear()
            self._last.clear()
            self._peak = Counter(self._open)
