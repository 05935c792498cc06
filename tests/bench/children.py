"""The processes that are measured: workers of the bridge and of bare Celery, the sandbox, the bare script."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
#: How often a run is looked at for its end: a hundredth of what the shortest one lasts.
LOOK_SECONDS = 0.02


class Child:
    """A process of this benchmark. Its log is shown where it ends too early."""

    def __init__(
        self, arguments: list[str], *, env: Mapping[str, str], log: Path, speaks: bool = False
    ) -> None:
        self._log = log
        pipe = subprocess.PIPE if speaks else None
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **env},
                stdin=pipe,
                stdout=pipe or output,
                stderr=output,
                text=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return the user and system time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    def resident_mebibytes(self) -> float:
        """Return the memory that it holds."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise self._ended()

    def ask(self, **request: Any) -> Any:
        """Send a request to a process that speaks, and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise self._ended()
        return json.loads(answer)

    def check(self) -> None:
        """Raise if it has ended."""
        if self._process.poll() is not None:
            raise self._ended()

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ended(self) -> RuntimeError:
        tail = self._log.read_text(errors="replace")[-2000:]
        return RuntimeError(f"A process of the benchmark ended:\n{tail}")


@contextlib.contextmanager
def child(
    *arguments: str, env: Mapping[str, str], folder: Path, speaks: bool = False, name: str
) -> Iterator[Child]:
    """Run ``python ARGUMENTS`` until the block ends."""
    made = Child(list(arguments), env=env, log=folder / f"{name}.log", speaks=speaks)
    try:
        yield made
    finally:
        made.close()


def answer_requests(answer: Callable[[dict[str, Any]], Any]) -> None:
    """Answer the requests on standard input: the other side of ``Child.ask``."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def wait_for(condition: Callable[[], object], *, what: str, seconds: float, child: Child) -> None:
    """Wait for ``condition``, as long as ``child`` lives."""
    deadline = time.monotonic() + seconds
    while not condition():
        child.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds:g} s")
        time.sleep(LOOK_SECONDS)
