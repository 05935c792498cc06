"""What the bridge is measured against: a script that makes only the indispensable calls, and keeps nothing.

Its payloads are ready before the clock starts: it translates, explains and records nothing, and could not say after a
crash what it had done. One httpx client a thread, connections kept, a bearer token, so that nothing is signed.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from typing import Any

import httpx

from tests.bench.children import answer_requests

#: Stand in the payloads for the order's id in Odoo, which only the answer of ``load`` tells.
READ_ID, NOTE_ID = '"@READ@"', "@NOTE@"
_JSON = {"Content-Type": "application/json"}


class Script:
    """Imports orders."""

    def __init__(self) -> None:
        self._given: dict[str, Any] = {}
        self._jobs: list[dict[str, Any]] = []

    def answer(self, request: dict[str, Any]) -> Any:
        """Take addresses and payloads, or run."""
        if request.pop("do") == "prepare":
            self._given, self._jobs = request, request.pop("orders")
            return None
        return self._run()

    def _run(self) -> Any:
        jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        for job in self._jobs:
            jobs.put(job)
        failed: list[BaseException] = []
        threads = [
            threading.Thread(target=self._work, args=(jobs, failed)) for _ in range(self._given["threads"])
        ]
        cpu, started = time.process_time(), time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]
        return {"seconds": time.monotonic() - started, "cpu_seconds": time.process_time() - cpu}

    def _work(self, jobs: queue.SimpleQueue[dict[str, Any]], failed: list[BaseException]) -> None:
        try:
            with httpx.Client(timeout=30, trust_env=False) as client:
                while not failed:
                    self._import(client, jobs.get_nowait())
        except queue.Empty:
            pass
        except BaseException as exc:
            failed.append(exc)

    def _import(self, client: httpx.Client, job: dict[str, Any]) -> None:
        token = {"Authorization": f"Bearer {self._given['token']}"}
        client.get(f"{self._given['magento']}/rest/all/V1/orders/{job['number']}", headers=token).json()
        self._call(client, job["partner"])
        order_id = str(self._call(client, job["order"])["ids"][0])
        self._call(client, job["read"].replace(READ_ID, order_id))
        self._call(client, job["note"].replace(NOTE_ID, order_id))

    def _call(self, client: httpx.Client, body: str) -> Any:
        answer = client.post(f"{self._given['odoo']}/jsonrpc", content=body.encode(), headers=_JSON)
        return json.loads(answer.content)["result"]


if __name__ == "__main__":
    answer_requests(Script().answer)
