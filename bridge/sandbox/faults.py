"""Faults of the network and of the servers, thrown at the sandbox's answers.

The switches of one simulated system: rates, faults armed once, holds. ``bridge.sandbox.middleware`` throws
them. "After commit" means that the application has run to its end, so the effect has happened, and only its
answer is lost: the hole of DESIGN 6.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from bridge.sandbox.calls import Call

Kind = Literal[
    "cut_before",  # the connection dies before the application runs
    "cut_after",  # it dies after the application has run, before the first byte of the answer
    "cut_body",  # it dies in the middle of the answer's body
    "error_5xx",  # a gateway answers 502, 503 or 504; the application does not run
    "error_500",  # the system's own 500 in one of its forms; the application does not run
    "error_after",  # the application runs, a gateway answers 504
    "error_500_after",  # the application runs, then it answers its own 500: an index that was locked
    "rate_429",  # 429 with Retry-After
    "trickle",  # the answer's body drips, a byte at a time
    "latency",  # the application runs late
    "stale_reads",  # the application answers an older version of the record, if it has one
]

#: Seconds that a hold lasts at most, so that a test that fails does not hang.
MAX_HOLD_SECONDS = 60.0

Only = Callable[[Call], bool]


@dataclass(frozen=True)
class Reply:
    """A ready answer of a faulty server."""

    status: int
    content_type: str
    body: bytes


#: What proxies answer in the application's place: HTML, plain text and an empty body.
GATEWAY_REPLIES = (
    Reply(502, "text/html", b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n"),
    Reply(503, "text/plain; charset=utf-8", b"Service Unavailable"),
    Reply(504, "text/html", b""),
)
GATEWAY_TIMEOUT = Reply(
    504, "text/html", b"<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n</html>\r\n"
)


class Shot:
    """A fault that is armed for the next requests that fit, or a hold on one of them."""

    def __init__(
        self, kind: Kind | Literal["hold"], *, fits: Only, times: int, seconds: float | None
    ) -> None:
        self.kind = kind
        self.seconds = seconds
        self.fits = fits
        self.left = times
        #: For holds: the application runs first, its answer is held.
        self.after_commit = False
        #: Set when a request has met this fault.
        self.fired = threading.Event()
        self._released = threading.Event()

    def release(self) -> None:
        """Let the held request go on."""
        self._released.set()

    async def wait(self) -> None:
        """Wait in the server's loop until the hold is released."""
        loop = asyncio.get_running_loop()
        end = loop.time() + MAX_HOLD_SECONDS
        # The one who releases is another thread, so an asyncio.Event would not do.
        while not self._released.is_set() and loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Draw:
    """What one request meets."""

    kind: Kind | None = None
    delay_seconds: float = 0.0
    is_stale: bool = False
    hold: Shot | None = None


@dataclass
class _Rates:
    #: Share of the requests that meet each fault, 0 to 1.
    shares: dict[Kind, float] = field(default_factory=dict)
    #: Seconds every request waits: a fixed figure, or the bounds of a random one.
    latency: tuple[float, float] = (0.0, 0.0)
    only: Only | None = None
    retry_after_seconds: int = 1
    trickle_seconds: float = 0.05


class Faults:
    """The switches of one simulated system. Safe to change while it runs."""

    def __init__(self, seed: int = 1) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._rates = _Rates()
        self._shots: list[Shot] = []
        self._thrown: dict[str, int] = {}

    def set(
        self,
        *,
        latency: float | tuple[float, float] | None = None,
        only: Only | None = None,
        retry_after_seconds: int | None = None,
        trickle_seconds: float | None = None,
        **shares: float,
    ) -> None:
        """Set shares of faults (0 to 1, by the names in ``Kind``); what is not named stays as it is.

        ``latency`` is in seconds, for every request that ``only`` lets through: one figure or two bounds.
        """
        wrong = sorted(name for name in shares if name not in get_args(Kind))
        if wrong:
            raise ValueError(f"Unknown fault {wrong[0]!r}; known are {', '.join(get_args(Kind))}.")
        with self._lock:
            self._rates.shares.update(shares)  # type: ignore[arg-type]  # names were checked above
            if latency is not None:
                self._rates.latency = latency if isinstance(latency, tuple) else (latency, latency)
            self._rates.only = only or self._rates.only
            if retry_after_seconds is not None:
                self._rates.retry_after_seconds = retry_after_seconds
            if trickle_seconds is not None:
                self._rates.trickle_seconds = trickle_seconds

    def clear(self) -> None:
        """Switch everything off and let held requests go."""
        with self._lock:
            self._rates = _Rates()
            shots, self._shots = self._shots, []
        for shot in shots:
            shot.release()

    def once(
        self,
        kind: Kind,
        path_contains: str = "",
        *,
        times: int = 1,
        seconds: float | None = None,
        only: Only | None = None,
    ) -> Shot:
        """Arm a fault for the next request (or the next ``times``) that fits.

        ``path_contains`` is looked for in the path, the query and the operation (``sale.order.load``).
        ``seconds`` is the latency, the pause between trickled bytes or the ``Retry-After``.
        """
        if kind not in get_args(Kind):
            raise ValueError(f"Unknown fault {kind!r}; known are {', '.join(get_args(Kind))}.")
        return self._arm(Shot(kind, fits=_fits(path_contains, only), times=times, seconds=seconds))

    def hold(self, path_contains: str = "", *, after_commit: bool = False, only: Only | None = None) -> Shot:
        """Hold the next request that fits until ``release()``: before the application runs, or its answer.

        Tests wait for ``fired`` and need not sleep.
        """
        shot = Shot("hold", fits=_fits(path_contains, only), times=1, seconds=None)
        shot.after_commit = after_commit
        return self._arm(shot)

    def _arm(self, shot: Shot) -> Shot:
        with self._lock:
            self._shots.append(shot)
        return shot

    def thrown(self) -> dict[str, int]:
        """Return how many faults of each kind were thrown."""
        with self._lock:
            return dict(self._thrown)

    def retry_after(self, shot_seconds: float | None = None) -> int:
        """Return the seconds of a ``Retry-After`` header."""
        return int(shot_seconds) if shot_seconds is not None else self._rates.retry_after_seconds

    @property
    def trickle_seconds(self) -> float:
        """Pause between two trickled pieces, in seconds."""
        return self._rates.trickle_seconds

    def choose(self, replies: Sequence[Reply]) -> Reply:
        """Return one of ``replies`` at random."""
        with self._lock:
            return self._random.choice(replies)

    def draw(self, call: Call) -> tuple[Draw, float | None]:
        """Return what ``call`` meets, and the seconds that an armed fault asked for."""
        with self._lock:
            shot = next((shot for shot in self._shots if shot.left > 0 and shot.fits(call)), None)
            if shot is None:
                return self._draw_by_rate(call), None
            shot.left -= 1
            if not shot.left:
                self._shots.remove(shot)
            self._note(shot.kind)
        shot.fired.set()
        if shot.kind == "hold":
            return Draw(hold=shot), None
        if shot.kind == "latency":
            return Draw(delay_seconds=shot.seconds or 0.0), None
        if shot.kind == "stale_reads":
            return Draw(is_stale=True), None
        return Draw(kind=shot.kind), shot.seconds

    def _draw_by_rate(self, call: Call) -> Draw:
        rates = self._rates
        if rates.only is not None and not rates.only(call):
            return Draw()
        delay = self._random.uniform(*rates.latency) if rates.latency[1] else 0.0
        is_stale = self._hits("stale_reads")
        for kind in rates.shares:
            if kind not in {"stale_reads", "latency"} and self._hits(kind):
                return Draw(kind=kind, delay_seconds=delay, is_stale=is_stale)
        return Draw(delay_seconds=delay, is_stale=is_stale)

    def _hits(self, kind: Kind) -> bool:
        share = self._rates.shares.get(kind, 0.0)
        is_hit = share > 0 and self._random.random() < share
        if is_hit:
            self._note(kind)
        return is_hit

    def _note(self, kind: str) -> None:
        self._thrown[kind] = self._thrown.get(kind, 0) + 1


def _fits(path_contains: str, only: Only | None) -> Only:
    return lambda call: call.contains(path_contains) and (only is None or only(call))
